# METADATA
# title: Changes of the schema, of privileges, and maintenance
# scope: package
# schemas:
#   - input: schema.input
package policies.schema_changes

import data.lib.identity
import data.lib.reasons
import data.lib.temporary

# The statements' class is also the name of the right that they need.
_classes := {"ddl", "dcl", "maintenance", "unknown"}

# METADATA
# title: Whoever has the right for it may do it
# custom:
#   code: right
allow contains reasons.allowing(rego.metadata.rule(), i) if {
	some i, statement in input.command.statements
	statement.class in _classes
	statement.class in identity.rights
}

# METADATA
# title: Temporary tables are the session's own
# custom:
#   code: temporary
allow contains reasons.allowing(rego.metadata.rule(), i) if {
	some i, statement in input.command.statements
	_temporary(statement)
}

# METADATA
# title: The schema and the server's configuration may not be changed
# custom:
#   code: ddl
#   hint: Make a temporary table (CREATE TEMP TABLE; DROP TABLE pg_temp.x), ask for a token with the scope ddl, or a member of the group dba.
block contains reasons.refusing(rego.metadata.rule(), i) if {
	some i, statement in input.command.statements
	statement.class == "ddl"
	not "ddl" in identity.rights
	not _temporary(statement)
}

# METADATA
# title: Privileges and roles may not be changed
# custom:
#   code: dcl
#   hint: Ask for a token with the scope dcl, or a member of the group dba.
block contains reasons.refusing(rego.metadata.rule(), i) if {
	some i, statement in input.command.statements
	statement.class == "dcl"
	not "dcl" in identity.rights
}

# METADATA
# title: Maintenance is for administrators
# custom:
#   code: maintenance
#   hint: Ask for a token with the scope maintenance, or a member of the group dba.
block contains reasons.refusing(rego.metadata.rule(), i) if {
	some i, statement in input.command.statements
	statement.class == "maintenance"
	not "maintenance" in identity.rights
	not _temporary(statement)
}

# METADATA
# title: It cannot be told what this statement does
# custom:
#   code: unknown-statement
#   hint: Send it by itself, if it names what an earlier statement of the same text makes; else say it with plain SELECT, INSERT, UPDATE or DELETE statements, or ask a member of the group dba.
block contains reasons.refusing(rego.metadata.rule(), i) if {
	some i, statement in input.command.statements
	statement.class == "unknown"
	not "unknown" in identity.rights
}

# Of tables of the session's own; others are at most read. What is put into them is judged as any write.
_temporary(statement) if {
	statement.class in {"ddl", "maintenance"}
	statement.verb in _of_tables
	temporary.alone(statement, {"select"})
}

_of_tables := {
	"create_table", "create_table_as", "select_into", "alter_table", "rename", "drop_table",
	"create_index", "drop_index", "create_view", "drop_view",
	"create_sequence", "alter_sequence", "drop_sequence",
	"comment", "analyze", "vacuum",
}
