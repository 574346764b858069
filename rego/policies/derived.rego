# METADATA
# title: Protected columns in filters, joins, orders and expressions
# description: |
#   There they would tell what the mask hides. What becomes of the statement is said by data.masks[tag].on_derived.
# scope: package
# schemas:
#   - input: schema.input
package policies.derived

import data.lib.masks
import data.lib.protection
import data.lib.reasons

# METADATA
# title: The statement sees masked values in place of the real ones
substitute contains object.union(masks.strongest(tags), object.union(protection.place(column), {
	"statement": i,
	"code": protection.code(tags),
})) if {
	input.stage == "command"
	some i, statement in input.command.statements
	some column in _derived[i]
	_substituted(statement, column)
	tags := protection.sealed_tags(column)
}

# METADATA
# title: A result may not be computed from a protected column
# custom:
#   code: protected-derived
#   hint: Select the column itself, which is then masked, or leave it out.
block contains reasons.refusing_column(rego.metadata.rule(), i, source) if {
	some i, statement in input.command.statements
	some source in _computed[i]
	not _substituted(statement, source)
}

# METADATA
# title: A protected column may only be selected as it is
# custom:
#   code: protected-use
#   hint: Filter, join, sort and group by other columns, such as the primary key.
block contains reasons.refusing_column(rego.metadata.rule(), i, column) if {
	some i, statement in input.command.statements
	some column in _used[i]
	not masks.on_derived(protection.sealed_tags(column)) == "substitute"
}

# METADATA
# title: A protected column of what the statement changes may not be used
# description: The rows that change are the real ones, which no masked values can stand for.
# custom:
#   code: protected-use
#   hint: Choose the rows by other columns, such as the primary key.
block contains reasons.refusing_column(rego.metadata.rule(), i, column) if {
	some i, statement in input.command.statements
	some column in _used[i]
	masks.on_derived(protection.sealed_tags(column)) == "substitute"
	not _readable(statement, column)
}

# METADATA
# title: A protected column may not be copied out
# custom:
#   code: protected-copy
#   hint: Name the columns to copy without it, or SELECT it, which masks it.
block contains reasons.refusing_column(rego.metadata.rule(), i, column) if {
	some i, statement in input.command.statements
	some column in _copied[i]
	not _substituted(statement, column)
}

# METADATA
# title: A protected value may not be written elsewhere
# custom:
#   code: protected-write
#   hint: Leave the protected column out of what is written.
block contains reasons.refusing_flow(rego.metadata.rule(), i, flow.column, flow.target) if {
	some i, statement in input.command.statements
	some flow in _flows[i]
	not _substituted(statement, flow.column)
}

# All protected columns of a statement that it uses otherwise than to show them or to write into them.
_derived[i] := ((_computed[i] | _used[i]) | _copied[i]) | {flow.column | some flow in _flows[i]} if {
	some i, _ in input.command.statements
}

_computed[i] := {_bare(source) |
	some output in statement.outputs
	not protection.direct(output)
	some source in output.sources
	protection.sealed(source)
} if {
	some i, statement in input.command.statements
}

_used[i] := {_bare(column) |
	some column in statement.columns
	protection.sealed(column)
	some use in column.uses
	not use in {"output", "write_target"}
	not _refreshes(statement)
} if {
	some i, statement in input.command.statements
}

_copied[i] := _copied_columns(statement) | _copied_sources(statement) if {
	some i, statement in input.command.statements
}

_copied_columns(statement) := {_bare(column) |
	statement.verb == "copy"
	some column in statement.columns
	"output" in column.uses
	protection.sealed(column)
}

_copied_sources(statement) := {_bare(source) |
	statement.verb == "copy"
	some output in statement.outputs
	some source in output.sources
	protection.sealed(source)
}

_flows[i] := _told_flows(statement) | _untold_flows(statement) if {
	some i, statement in input.command.statements
}

_told_flows(statement) := {{"column": _bare(source), "target": _target(written)} |
	some written in statement.writes
	some source in written.sources
	protection.sealed(source)
	not _stays(statement, written, source)
}

# What is written cannot be told, and a protected column is used beside it.
_untold_flows(statement) := {{"column": _bare(column), "target": _target(written)} |
	some written in statement.writes
	not _told(written)
	some column in statement.columns
	protection.sealed(column)
	some use in column.uses
	use != "write_target"
}

_told(written) if written.opaque == false

_substituted(statement, column) if {
	masks.on_derived(protection.sealed_tags(column)) == "substitute"
	_readable(statement, column)
}

# A relation that is only read: of what is changed, the rows must be the real ones.
_readable(statement, column) if {
	some relation in statement.relations
	_of(relation, column)
	some access in relation.access
	access in {"select", "copy"}
	not _changed(statement, column)
}

_changed(statement, column) if {
	some relation in statement.relations
	_of(relation, column)
	some access in relation.access
	access in {"update", "delete", "merge", "truncate"}
}

_of(relation, column) if {
	relation.schema == column.schema
	relation.name == column.table
}

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
_refreshes(statement) if statement.verb == "refresh_materialized_view"

_target(written) := $"{written.schema}.{written.table}.{written.column}" if written.target in {"column", "definition"}

else := $"{written.target} {written.column}" if written.column != ""

else := written.target

# As a source is: what a statement does with a column is left out, so that each is one.
_bare(column) := object.union(protection.place(column), {"tags": column.tags})
