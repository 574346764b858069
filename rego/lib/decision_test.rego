package lib.decision_test

import data.lib.decision

none := {"allow": set(), "block": set(), "require_approval": set(), "mask": set(), "substitute": set()}

allowing(subject) := {"code": "read", "message": "m", "subject": subject}

refusing := {"code": "no", "message": "m", "hint": "h", "statement": 0}

needing(approvers, count) := {"code": "ask", "message": "m", "approvers": approvers, "count": count}

mask := {"statement": 0, "output": 0, "mask": "redact", "code": "tag-pii"}

verdicts(fields) := object.union(none, fields)

test_what_is_wholly_allowed_is_allowed if {
	result := decision.verdict({0, 1}, verdicts({"allow": {allowing(0), allowing(1)}}))
	result.action == "allow"
	result.reasons == [{"code": "read", "message": "m"}]
	result.approval == null
}

test_a_statement_that_no_rule_allows_blocks_the_command if {
	result := decision.verdict({0, 1}, verdicts({"allow": {allowing(0)}}))
	result.action == "block"
	result.reasons[0].code == "not-allowed"
	result.reasons[0].statement == 1
}

test_nothing_to_allow_is_a_block if {
	result := decision.verdict(set(), none)
	result.action == "block"
	result.reasons[0].code == "not-allowed"
}

test_an_allowance_without_a_subject_is_a_block if {
	decision.verdict(set(), verdicts({"allow": {allowing(7)}})).action == "allow"
	decision.verdict({0}, verdicts({"allow": {{"code": "read", "message": "m"}}})).action == "block"
}

test_a_block_wins_over_all_else if {
	result := decision.verdict({0}, {
		"allow": {allowing(0)},
		"block": {refusing},
		"require_approval": {needing(["group:dba"], 1)},
		"mask": {mask},
		"substitute": set(),
	})
	result == {"action": "block", "reasons": [refusing], "masks": [], "approval": null}
}

test_an_approval_keeps_the_masks if {
	result := decision.verdict({0}, verdicts({
		"allow": {allowing(0)},
		"require_approval": {needing(["group:dba"], 1)},
		"mask": {mask},
	}))
	result.action == "require_approval"
	result.masks == [mask]
	result.approval == {"approvers": ["group:dba"], "count": 1}
	result.reasons == [{"code": "ask", "message": "m"}]
}

test_several_approvals_take_whom_all_name_and_the_most_of_them if {
	result := decision.verdict({0}, verdicts({
		"allow": {allowing(0)},
		"require_approval": {needing(["group:dba", "group:lead"], 1), needing(["group:lead"], 2)},
	}))
	result.approval == {"approvers": ["group:lead"], "count": 2}
}

test_approvals_that_nobody_can_give_are_a_block if {
	result := decision.verdict({0}, verdicts({
		"allow": {allowing(0)},
		"require_approval": {needing(["group:dba"], 1), needing(["group:lead"], 1)},
	}))
	result.action == "block"
	result.reasons[0].code == "no-common-approver"
}

test_an_approval_without_approvers_is_a_block if {
	result := decision.verdict({0}, verdicts({
		"allow": {allowing(0)},
		"require_approval": {{"code": "ask", "message": "m"}},
	}))
	result.action == "block"
}

test_an_approval_without_a_count_is_no_decision if {
	rule := {"code": "ask", "message": "m", "approvers": ["group:dba"]}
	not decision.verdict({0}, verdicts({"allow": {allowing(0)}, "require_approval": {rule}}))
}

test_a_mask_refines_what_is_allowed if {
	result := decision.verdict({0}, verdicts({"allow": {allowing(0)}, "mask": {mask}}))
	result.action == "mask"
	result.masks == [mask]
}

test_a_mask_alone_allows_nothing if {
	decision.verdict({0}, verdicts({"mask": {mask}})).action == "block"
}

test_no_more_than_twenty_reasons if {
	many := {object.union(refusing, {"statement": i}) | some i in numbers.range(0, 99)}
	count(decision.verdict({0}, verdicts({"block": many})).reasons) == 20
}

substituted := {"statement": 0, "schema": "s", "table": "t", "column": "c", "mask": "null", "code": "tag-pii"}

test_what_is_to_be_substituted_is_said if {
	result := decision.verdict({0}, verdicts({"allow": {allowing(0)}, "substitute": {substituted}}))
	result.action == "mask"
	result.substitutions == [substituted]
	asked := decision.verdict({0}, verdicts({
		"allow": {allowing(0)},
		"substitute": {substituted},
		"require_approval": {needing(["a"], 1)},
	}))
	asked.action == "require_approval"
	asked.substitutions == [substituted]
}

test_a_block_substitutes_nothing if {
	result := decision.verdict({0}, verdicts({"allow": {allowing(0)}, "substitute": {substituted}, "block": {refusing}}))
	result.action == "block"
	not "substitutions" in object.keys(result)
}

test_a_substitution_alone_allows_nothing if {
	decision.verdict({0}, verdicts({"substitute": {substituted}})).action == "block"
}

test_what_is_searched_is_said_of_all_but_a_block if {
	searched(allowed, {card}) == card
	searched(object.union(allowed, {"mask": {mask}}), {card}) == card
	searched(object.union(allowed, {"require_approval": {needing(["group:dba"], 1)}}), {card}) == card
	searched(object.union(allowed, {"block": {refusing}}), {card}) == "nothing"
	searched(allowed, set()) == "nothing"
	searched(allowed, {card, {"detectors": ["email"]}}) == {"detectors": "all"}
}

allowed := verdicts({"allow": {allowing(0)}})

card := {"detectors": ["card"]}

searched(fields, specs) := object.get(decision.verdict({0}, object.union(fields, {"detect": specs})), "detect", "nothing")
