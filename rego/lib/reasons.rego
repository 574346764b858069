# METADATA
# title: Reasons
# description: Make a rule's METADATA the reason that people are told.
# scope: package
package lib.reasons

# METADATA
# title: Why something is allowed
allowing(meta, subject) := {
	"code": meta.custom.code,
	"message": meta.title,
	"statement": subject,
	"subject": subject,
} if {
	is_number(subject)
} else := {"code": meta.custom.code, "message": meta.title, "subject": subject}

# METADATA
# title: Why a statement is refused, and what would be allowed
refusing(meta, statement) := {
	"code": meta.custom.code,
	"message": meta.title,
	"hint": meta.custom.hint,
	"statement": statement,
}

# METADATA
# title: The same, for the column that it is about
refusing_column(meta, statement, column) := {
	"code": meta.custom.code,
	"message": meta.title,
	"hint": meta.custom.hint,
	"statement": statement,
	"column": $"{column.schema}.{column.table}.{column.column}",
}

# METADATA
# title: The same, for the column whose value goes somewhere
refusing_flow(meta, statement, column, target) := object.union(
	refusing_column(meta, statement, column),
	{"message": $"{meta.title}: {target}"},
)

# METADATA
# title: The same, for the thing that it is about (a function, a setting)
refusing_thing(meta, statement, thing) := {
	"code": meta.custom.code,
	"message": $"{meta.title}: {thing}",
	"hint": meta.custom.hint,
	"statement": statement,
}
