# METADATA
# title: Made-up inputs for tests
# scope: package
package lib.samples_test

# METADATA
# title: A SELECT that touches nothing, with other fields where they are given
statement(fields) := object.union(
	{
		"verb": "select",
		"class": "read",
		"relations": [],
		"columns": [],
		"outputs": [],
		"writes": [],
		"functions": [],
		"scoped": true,
		"settings": [],
		"locks": [],
		"external": [],
	},
	fields,
)

# METADATA
# title: The input of a command of these statements, by a member of these groups with these scopes
command(statements, groups, scopes) := {
	"version": 1,
	"id": "n1",
	"stage": "command",
	"identity": {"groups": groups, "scopes": scopes},
	"resource": {"name": "shop", "environment": "production"},
	"command": {"statements": statements},
}

# METADATA
# title: The input of a session's start
connect := {"version": 1, "id": "n1", "stage": "connect", "identity": {"groups": [], "scopes": []}}

# METADATA
# title: A column with tags, as a source or (with uses) as a column
column(name, tags, uses) := {"schema": "public", "table": "customers", "column": name, "tags": tags, "uses": uses}

# METADATA
# title: An output of one column
output(derivation, column) := {
	"name": column.column,
	"type": "text",
	"derivation": derivation,
	"total": true,
	"sources": [column],
}

# METADATA
# title: A relation that is accessed so
relation(name, access, tags) := {
	"schema": "public",
	"name": name,
	"kind": "table",
	"access": access,
	"via": [],
	"tags": tags,
}

# METADATA
# title: The codes of some reasons
codes(reasons) := {reason.code | some reason in reasons}
