package policies.approvals_test

import data.lib.samples_test as samples
import data.policies.approvals

delete := samples.statement({"verb": "delete", "class": "write"})

hidden := samples.statement({"class": "write", "relations": [samples.relation("orders", ["delete"], [])]})

test_a_delete_in_production_needs_approval[note] if {
	some note, statement in {"delete": delete, "delete within a WITH": hidden}
	reasons := approvals.require_approval with input as samples.command([statement], ["support"], [])
	{[reason.code, reason.approvers, reason.count] | some reason in reasons} == {["production-delete", ["group:dba"], 1]}
}

test_a_member_of_dba_needs_none if {
	count(approvals.require_approval) == 0 with input as samples.command([delete], ["dba"], [])
}

test_whoever_has_no_groups_needs_it if {
	asked := object.remove(samples.command([delete], [], []), ["identity"])
	count(approvals.require_approval) == 1 with input as asked
}

test_elsewhere_it_needs_none if {
	count(approvals.require_approval) == 0 with input as samples.command([delete], [], [])
		with input.resource.environment as "staging"
}

test_of_a_temporary_table_they_need_none if {
	own := object.union(samples.relation("t", ["delete"], []), {"schema": "pg_temp"})
	count(approvals.require_approval) == 0 with input as samples.command([object.union(delete, {"relations": [own]})], [], [])
	beside := object.union(delete, {"relations": [own, samples.relation("orders", ["delete"], [])]})
	count(approvals.require_approval) == 1 with input as samples.command([beside], [], [])
}

test_other_statements_need_none if {
	count(approvals.require_approval) == 0 with input as samples.command([samples.statement({})], [], [])
}
