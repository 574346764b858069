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
mask contains _mask(i, j, tags) if {
	input.stage == "command"
	some i, statement in input.command.statements
	some j, output in statement.outputs
	protection.direct(output)
	tags := _sealed_tags(output)
	count(tags) > 0
}

mask contains _mask(0, j, tags) if {
	input.stage == "result"
	some j, output in input.result.columns
	protection.direct(output)
	tags := _sealed_tags(output)
	count(tags) > 0
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
	protection.sealed(source)
}

# METADATA
# title: This may not be seen at all
# custom:
#   code: never-shown
#   hint: Leave it out, or ask a member of the group dba.
block contains reasons.refusing_column(rego.metadata.rule(), i, column) if {
	some i, statement in input.command.statements
	some column in statement.columns
	protection.never_shown(column.tags)
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
	protection.never_shown(source.tags)
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
	protection.never_shown(source.tags)
}

# METADATA
# title: This may not be seen at all
# custom:
#   code: never-shown
#   hint: Leave it out, or ask a member of the group dba.
block contains reasons.refusing_thing(rego.metadata.rule(), i, $"{relation.schema}.{relation.name}") if {
	some i, statement in input.command.statements
	some relation in statement.relations
	protection.never_shown(relation.tags)
	not _listed(statement, relation)
}

_sealed_tags(output) := {tag |
	some source in output.sources
	some tag in protection.sealed_tags(source)
}

# A relation has the tags of all of its columns. Where the columns that are used are listed, they are what counts.
_listed(statement, relation) if {
	some column in statement.columns
	column.schema == relation.schema
	column.table == relation.name
}

_mask(statement, output, tags) := object.union(masks.strongest(tags), {
	"statement": statement,
	"output": output,
	"code": protection.code(tags),
})
