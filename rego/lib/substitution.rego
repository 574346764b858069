# METADATA
# title: Substitutions
# description: A statement sees the masked values of a column in place of the real ones.
# scope: package
# schemas:
#   - input: schema.input
package lib.substitution

import data.lib.protection

# METADATA
# title: The column's substitution in a statement
of(i, column) := object.union(spec.mask, {
	"statement": i,
	"schema": column.schema,
	"table": column.table,
	"column": column.column,
	"code": spec.code,
}) if {
	spec := protection.by_tags[column.tags]
}

# METADATA
# title: Is the column one that is to be substituted, of a relation that the statement only reads?
# description: The rows that a statement changes are the real ones.
possible(i, column) if {
	protection.by_tags[column.tags].on_derived == "substitute"
	[column.schema, column.table] in _read[i]
	not [column.schema, column.table] in _changed[i]
}

_read[i] := {[relation.schema, relation.name] |
	some relation in statement.relations
	"select" in relation.access
} if {
	some i, statement in input.command.statements
}

_changed[i] := {[relation.schema, relation.name] |
	some relation in statement.relations
	some access in relation.access
	access in {"update", "delete", "merge", "truncate"}
} if {
	some i, statement in input.command.statements
}
