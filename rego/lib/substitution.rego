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
# description: The rows that a statement changes, or shows as it has inserted them, are the real ones.
possible(i, column) if {
	protection.by_tags[column.tags].on_derived == "substitute"
	[column.schema, column.table] in _read[i]
	not [column.schema, column.table] in _changed[i]
	not protection.place(column) in _returned[i]
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

# What an INSERT does with a column of its table is told by RETURNING alone: where it reads the table, there are other uses.
_returned[i] := {protection.place(column) |
	statement.verb == "insert"
	some relation in statement.relations
	"insert" in relation.access
	some column in statement.columns
	column.schema == relation.schema
	column.table == relation.name
	"output" in column.uses
	every use in column.uses {
		use in {"output", "write_target", "unique", "computed", "nullness"}
	}
} if {
	some i, statement in input.command.statements
}
