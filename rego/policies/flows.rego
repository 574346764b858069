# METADATA
# title: Protected values that are written
# description: |
#   A protected value may be written where it is protected as well. Anywhere else somebody could read it.
# scope: package
# schemas:
#   - input: schema.input
package policies.flows

import data.lib.protection
import data.lib.reasons
import data.lib.substitution

# METADATA
# title: What is written are masked values in place of the real ones
substitute contains substitution.of(i, flow.column) if {
	some i, _ in input.command.statements
	some flow in _flows[i]
	substitution.possible(i, flow.column)
}

# METADATA
# title: A protected value may not be written elsewhere
# custom:
#   code: protected-write
#   hint: Leave the protected column out of what is written.
block contains reasons.refusing_flow(rego.metadata.rule(), i, flow.column, flow.target) if {
	some i, _ in input.command.statements
	some flow in _flows[i]
	not substitution.possible(i, flow.column)
}

# METADATA
# title: A masked value may not be written over a protected one
# custom:
#   code: masked-write
#   hint: Leave the column out of what is written, or write a value of your own.
block contains reasons.refusing_flow(rego.metadata.rule(), i, source, _target(written)) if {
	some i, statement in input.command.statements
	some written in statement.writes
	written.target == "column"
	some source in written.sources
	"masked" in source.tags
	some column in statement.columns
	_into(written, column)
	protection.by_tags[column.tags]
}

# METADATA
# title: This protected column may not be written
# custom:
#   code: protected-target
#   hint: Leave it out of what is written, or ask somebody who may see it.
block contains reasons.refusing_column(rego.metadata.rule(), i, column) if {
	some i, statement in input.command.statements
	some column in statement.columns
	"write_target" in column.uses
	protection.by_tags[column.tags].writes == "refuse"
}

# METADATA
# title: A protected column whose mask keeps equal values equal may not be written
# description: What is written comes back under the same mask, which tells whether it is the value that stands elsewhere.
# custom:
#   code: protected-target
#   hint: Leave it out of what is written, or ask somebody who may see it. "writes" = "allow" beside the mask in data.masks would allow it; then whoever may write can try out which values are stored.
block contains reasons.refusing_column(rego.metadata.rule(), i, column) if {
	some i, statement in input.command.statements
	some column in statement.columns
	"write_target" in column.uses
	protection.by_tags[column.tags].writes == "refuse by default"
}

# METADATA
# title: A protected column that must be unique may not be written
# description: The error would tell whether a value is there already.
# custom:
#   code: protected-target
#   hint: Leave it out of what is written, or ask somebody who may see it.
block contains reasons.refusing_column(rego.metadata.rule(), i, column) if {
	some i, statement in input.command.statements
	some column in statement.columns
	"unique" in column.uses
	protection.by_tags[column.tags].writes == "unless unique"
}

_flows[i] := _told_flows(statement) | _untold_flows(statement) if {
	some i, statement in input.command.statements
}

_told_flows(statement) := {{"column": source, "target": _target(written)} |
	some written in statement.writes
	some source in written.sources
	protection.by_tags[source.tags]
	not _stays(statement, written, source)
}

# What is written cannot be told, and a protected column is used beside it.
_untold_flows(statement) := {{"column": column, "target": _target(written)} |
	some written in statement.writes
	not _told(written)
	some column in statement.columns
	protection.by_tags[column.tags]
	some use in column.uses
	use != "write_target"
}

_told(written) if written.opaque == false

# A column with all of the same tags hides it as well: one that is generated from it, or a materialized view's.
_stays(statement, written, source) if {
	written.target == "column"
	some column in statement.columns
	_into(written, column)
	every tag in source.tags {
		tag in column.tags
	}
}

_into(written, column) if {
	column.schema == written.schema
	column.table == written.table
	column.column == written.column
}

_target(written) := $"{written.schema}.{written.table}.{written.column}" if written.target in {"column", "definition"}

else := $"{written.target} {written.column}" if written.column != ""

else := written.target
