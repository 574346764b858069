# METADATA
# title: Writes
# scope: package
# schemas:
#   - input: schema.input
package policies.writes

import data.lib.identity
import data.lib.reasons
import data.lib.temporary

# METADATA
# title: Writes that say which rows they change are allowed
# custom:
#   code: write
allow contains reasons.allowing(rego.metadata.rule(), i) if {
	some i, statement in input.command.statements
	statement.class == "write"
}

# METADATA
# title: A statement that changes or deletes rows must fix which ones
# custom:
#   code: unscoped-write
#   hint: Add a WHERE that fixes the rows, such as the primary key, WHERE id = 7 (or of one row that a query picks, WHERE id = (SELECT …)). A TRUNCATE is never fixed; delete by key.
block contains reasons.refusing(rego.metadata.rule(), i) if {
	some i, statement in input.command.statements
	statement.class == "write"
	not statement.scoped
	not _only_adds(statement)
	not temporary.alone(statement, {"select", "insert"})
	not "unscoped" in identity.rights
}

_only_adds(statement) if {
	statement.verb in {"insert", "copy"}
	every relation in statement.relations {
		every access in relation.access {
			access in {"select", "insert", "copy"}
		}
	}
}
