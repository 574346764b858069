# METADATA
# title: The decision
# description: Names the policies that count. A file that is not named here changes nothing.
# scope: package
# schemas:
#   - input: schema.input
package regate

import data.lib.decision as combine
import data.lib.subjects

import data.policies.approvals
import data.policies.code
import data.policies.derived
import data.policies.detect
import data.policies.flows
import data.policies.locks
import data.policies.notifications
import data.policies.protected
import data.policies.reads
import data.policies.schema_changes
import data.policies.settings
import data.policies.writes

policies := [
	approvals,
	code,
	derived,
	detect,
	flows,
	locks,
	notifications,
	protected,
	reads,
	schema_changes,
	settings,
	writes,
]

# METADATA
# title: What becomes of a session's start, a command or a result
# entrypoint: true
decision := object.union({"id": input.id}, combine.verdict(subjects.all, {
	"allow": {reason | some policy in policies; some reason in policy.allow},
	"block": {reason | some policy in policies; some reason in policy.block},
	"require_approval": {reason | some policy in policies; some reason in policy.require_approval},
	"mask": {mask | some policy in policies; some mask in policy.mask},
	"substitute": {column | some policy in policies; some column in policy.substitute},
	"detect": {spec | some policy in policies; some spec in policy.detect},
	"channels": {channel | some policy in policies; some channel in policy.channels},
}))
