# METADATA
# title: Protected columns
# description: |
#   A column is protected from whoever is not cleared for one of its tags. It may be selected as it is, and is masked then; it may be
#   written. Any other use could tell its value, and is refused.
# scope: package
# schemas:
#   - input: schema.input
package policies.protected

import data.lib.identity
import data.lib.masks
import data.lib.reasons

# METADATA
# title: A protected column is masked
mask contains _mask(i, j, tags) if {
	input.stage == "command"
	some i, statement in input.command.statements
	some j, output in statement.outputs
	_direct(output)
	tags := _sealed_tags(output)
	count(tags) > 0
}

mask contains _mask(0, j, tags) if {
	input.stage == "result"
	some j, output in input.result.columns
	_direct(output)
	tags := _sealed_tags(output)
	count(tags) > 0
}

# METADATA
# title: A result may not be computed from a protected column
# custom:
#   code: protected-derived
#   hint: Select the column itself, which is then masked, or leave it out.
block contains reasons.refusing_column(rego.metadata.rule(), i, source) if {
	some i, statement in input.command.statements
	some output in statement.outputs
	not _direct(output)
	some source in output.sources
	_sealed(source)
}

# METADATA
# title: A result may not be computed from a protected column
# custom:
#   code: protected-derived
#   hint: Select the column itself, which is then masked, or leave it out.
block contains reasons.refusing_column(rego.metadata.rule(), 0, source) if {
	input.stage == "result"
	some output in input.result.columns
	not _direct(output)
	some source in output.sources
	_sealed(source)
}

# METADATA
# title: A protected column may only be selected as it is
# description: In a filter, a join, an order or any expression it would tell what the mask hides.
# custom:
#   code: protected-use
#   hint: Filter, join, sort and group by other columns, such as the primary key.
block contains reasons.refusing_column(rego.metadata.rule(), i, column) if {
	some i, statement in input.command.statements
	some column in statement.columns
	_sealed(column)
	some use in column.uses
	not use in {"output", "write_target"}
	not _refreshes(statement, use)
}

# METADATA
# title: A protected column may not be copied out
# custom:
#   code: protected-copy
#   hint: Name the columns to copy without it, or SELECT it, which masks it.
block contains reasons.refusing_column(rego.metadata.rule(), i, column) if {
	some i, statement in input.command.statements
	statement.verb == "copy"
	some column in statement.columns
	_sealed(column)
	"output" in column.uses
}

# METADATA
# title: A protected column may not be copied out
# custom:
#   code: protected-copy
#   hint: Name the columns to copy without it, or SELECT it, which masks it.
block contains reasons.refusing_column(rego.metadata.rule(), i, source) if {
	some i, statement in input.command.statements
	statement.verb == "copy"
	some output in statement.outputs
	some source in output.sources
	_sealed(source)
}

# METADATA
# title: A protected value may not be written elsewhere
# custom:
#   code: protected-write
#   hint: Leave the protected column out of what is written.
block contains reasons.refusing_flow(rego.metadata.rule(), i, source, _target(written)) if {
	some i, statement in input.command.statements
	some written in statement.writes
	some source in written.sources
	_sealed(source)
	not _stays(statement, written, source)
}

# METADATA
# title: A protected value may not be written elsewhere
# description: What is written cannot be told, and a protected column is used beside it.
# custom:
#   code: protected-write
#   hint: Leave the protected column out of what is written.
block contains reasons.refusing_flow(rego.metadata.rule(), i, column, _target(written)) if {
	some i, statement in input.command.statements
	some written in statement.writes
	not _told(written)
	some column in statement.columns
	_sealed(column)
	some use in column.uses
	use != "write_target"
}

# METADATA
# title: This may not be seen at all
# custom:
#   code: never-shown
#   hint: Leave it out, or ask a member of the group dba.
block contains reasons.refusing_column(rego.metadata.rule(), i, column) if {
	some i, statement in input.command.statements
	some column in statement.columns
	_never_shown(column.tags)
}

# METADATA
# title: This may not be seen at all
# custom:
#   code: never-shown
#   hint: Leave it out, or ask a member of the group dba.
block contains reasons.refusing_column(rego.metadata.rule(), i, source) if {
	some i, statement in input.command.statements
	some output in statement.outputs
	some source in output.sources
	_never_shown(source.tags)
}

# METADATA
# title: This may not be seen at all
# custom:
#   code: never-shown
#   hint: Leave it out, or ask a member of the group dba.
block contains reasons.refusing_column(rego.metadata.rule(), 0, source) if {
	input.stage == "result"
	some output in input.result.columns
	some source in output.sources
	_never_shown(source.tags)
}

# METADATA
# title: This may not be seen at all
# custom:
#   code: never-shown
#   hint: Leave it out, or ask a member of the group dba.
block contains reasons.refusing_thing(rego.metadata.rule(), i, $"{relation.schema}.{relation.name}") if {
	some i, statement in input.command.statements
	some relation in statement.relations
	_never_shown(relation.tags)
	not _listed(statement, relation)
}

# Named positively and negated where it counts: what has no derivation is not direct.
_direct(output) if output.derivation == "direct"

_sealed(column) if {
	some tag in column.tags
	not tag in identity.cleared
}

_sealed_tags(output) := {tag |
	some source in output.sources
	some tag in source.tags
	not tag in identity.cleared
}

_never_shown(tags) if {
	some tag in tags
	tag in masks.never_shown
	not tag in identity.cleared
}

_told(written) if written.opaque == false

# A column with all of the same tags hides it as well: one that is generated from it, or a materialized view's.
_stays(statement, written, source) if {
	written.target == "column"
	some column in statement.columns
	column.schema == written.schema
	column.table == written.table
	column.column == written.column
	every tag in source.tags {
		tag in column.tags
	}
}

# The view's owner decided what it holds, and its columns carry the tags.
_refreshes(statement, use) if {
	statement.verb == "refresh_materialized_view"
	use == "write_source"
}

_target(written) := $"{written.schema}.{written.table}.{written.column}" if written.target in {"column", "definition"}

else := $"{written.target} {written.column}" if written.column != ""

else := written.target

# A relation has the tags of all of its columns. Where the columns that are used are listed, they are what counts.
_listed(statement, relation) if {
	some column in statement.columns
	column.schema == relation.schema
	column.table == relation.name
}

_mask(statement, output, tags) := object.union(masks.strongest(tags), {
	"statement": statement,
	"output": output,
	"code": $"tag-{concat("-", sort(tags))}",
})
