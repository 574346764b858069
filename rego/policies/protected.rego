# METADATA
# title: Protected columns that are shown
# description: |
#   A column is protected from whoever is not cleared for one of its tags. It may be selected as it is, and is masked then. What else a
#   statement does with it is judged by derived and flows.
# scope: package
# schemas:
#   - input: schema.input
package policies.protected

import data.lib.masks
import data.lib.protection
import data.lib.reasons

# METADATA
# title: A protected column is masked
mask contains _mask(i, j, output) if {
	input.stage == "command"
	some i, statement in input.command.statements
	some j, output in statement.outputs
	protection.direct(output)
	_sealed(output)
}

mask contains _mask(0, j, output) if {
	input.stage == "result"
	some j, output in input.result.columns
	protection.direct(output)
	_sealed(output)
}

# METADATA
# title: A result may not be computed from a protected column
# custom:
#   code: protected-derived
#   hint: Select the column itself, which is then masked, or leave it out.
block contains reasons.refusing_column(rego.metadata.rule(), 0, source) if {
	input.stage == "result"
	some output in input.result.columns
	not protection.direct(output)
	some source in output.sources
	protection.by_tags[source.tags]
}

# METADATA
# title: This may not be seen at all
# custom:
#   code: never-shown
#   hint: Leave it out, or ask a member of the group dba.
block contains reasons.refusing_column(rego.metadata.rule(), i, column) if {
	some i, statement in input.command.statements
	some column in statement.columns
	_never_shown(column)
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
	_never_shown(source)
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
	_never_shown(source)
}

# METADATA
# title: This may not be seen at all
# custom:
#   code: never-shown
#   hint: Leave it out, or ask a member of the group dba.
block contains reasons.refusing_thing(rego.metadata.rule(), i, $"{relation.schema}.{relation.name}") if {
	some i, statement in input.command.statements
	some relation in statement.relations
	_never_shown(relation)
	not _listed(statement, relation)
}

_sealed(output) if {
	some source in output.sources
	protection.by_tags[source.tags]
}

_never_shown(thing) if {
	some tag in protection.by_tags[thing.tags].tags
	tag in masks.never_shown
}

# A relation has the tags of all of its columns. Where the columns that are used are listed, they are what counts.
_listed(statement, relation) if {
	some column in statement.columns
	column.schema == relation.schema
	column.table == relation.name
}

_mask(statement, number, output) := object.union(protection.mask(lists), {
	"statement": statement,
	"output": number,
	"code": protection.code(tags),
}) if {
	lists := {source.tags | some source in output.sources}
	tags := {tag |
		some source in output.sources
		some tag in protection.by_tags[source.tags].tags
	}
}
