# METADATA
# title: Locks
# description: |
#   A lock on a table that holds up those who write, or read, is for whoever may change tables anyhow. Rows may be locked, advisory locks
#   are between those who ask for them, and a temporary table is nobody else's.
# scope: package
# schemas:
#   - input: schema.input
package policies.locks

import data.lib.identity
import data.lib.reasons

# METADATA
# title: A whole table may not be locked against others
# custom:
#   code: lock
#   hint: Lock the rows with SELECT … FOR UPDATE, or ask for a token with the scope locks.
block contains reasons.refusing_thing(rego.metadata.rule(), i, $"{lock.schema}.{lock.name} ({lock.mode})") if {
	some i, statement in input.command.statements
	not statement.class in _judged_by_class
	not _trusted
	some lock in statement.locks
	lock.level == "relation"
	lock.schema != "pg_temp"
	not lock.mode in _weak
}

# What plain reading and writing takes.
_weak := {"access share", "row share", "row exclusive"}

# These need a right of their own.
_judged_by_class := {"ddl", "dcl", "maintenance", "code"}

# Who may change all rows of a table may keep others from it.
_trusted if {
	some right in ["locks", "unscoped"]
	right in identity.rights
}
