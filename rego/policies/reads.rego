# METADATA
# title: Reads, transactions and sessions
# scope: package
# schemas:
#   - input: schema.input
package policies.reads

import data.lib.reasons

# METADATA
# title: Sessions may start
# description: The token's own resources were checked before.
# custom:
#   code: connect
allow contains reasons.allowing(rego.metadata.rule(), "connect") if input.stage == "connect"

# METADATA
# title: A result may be shown
# description: What it shows is judged by the protected columns.
# custom:
#   code: result
allow contains reasons.allowing(rego.metadata.rule(), "result") if input.stage == "result"

# METADATA
# title: Nothing may be sent
# custom:
#   code: empty
allow contains reasons.allowing(rego.metadata.rule(), "nothing") if count(input.command.statements) == 0

# METADATA
# title: Reads are allowed
# custom:
#   code: read
allow contains reasons.allowing(rego.metadata.rule(), i) if {
	some i, statement in input.command.statements
	statement.class == "read"
}

# METADATA
# title: Transactions are allowed
# custom:
#   code: transaction
allow contains reasons.allowing(rego.metadata.rule(), i) if {
	some i, statement in input.command.statements
	statement.class == "transaction"
}

# METADATA
# title: What only concerns the session is allowed
# description: Which settings may be changed is judged by the settings.
# custom:
#   code: session
allow contains reasons.allowing(rego.metadata.rule(), i) if {
	some i, statement in input.command.statements
	statement.class == "session"
}

# METADATA
# title: Replication is not for sessions
# custom:
#   code: replication
#   hint: Connect to the database itself for replication.
block contains reasons.refusing(rego.metadata.rule(), i) if {
	some i, statement in input.command.statements
	statement.verb in {"start_replication", "create_replication_slot", "base_backup"}
}
