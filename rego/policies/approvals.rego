# METADATA
# title: What a second person must agree to
# scope: package
# schemas:
#   - input: schema.input
package policies.approvals

import data.lib.reasons
import data.lib.temporary

# METADATA
# title: Deletes in production need a second person
# custom:
#   code: production-delete
#   hint: Wait for the approval, or try it outside of production first.
require_approval contains object.union(reasons.refusing(rego.metadata.rule(), i), {
	"approvers": ["group:dba"],
	"count": 1,
}) if {
	input.resource.environment == "production"
	some i, statement in input.command.statements
	_deletes(statement)
	not temporary.alone(statement, {"select", "insert"})
	not _trusted
}

_trusted if "dba" in input.identity.groups

_deletes(statement) if statement.verb in {"delete", "truncate"}

_deletes(statement) if {
	some relation in statement.relations
	some access in relation.access
	access in {"delete", "truncate"}
}
