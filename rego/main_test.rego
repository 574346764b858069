package regate_test

import data.lib.samples_test as samples
import data.regate

test_no_input_is_no_decision if not regate.decision with input as {}

test_the_decision_echoes_the_id if regate.decision.id == "n1" with input as samples.connect

test_an_unknown_stage_is_blocked if {
	regate.decision.action == "block" with input as object.union(samples.connect, {"stage": "later"})
}

test_a_read_of_untagged_columns_is_allowed if {
	id := samples.column("id", [], ["output"])
	read := samples.statement({"columns": [id], "outputs": [samples.output("direct", id)]})
	regate.decision.action == "allow" with input as samples.command([read], [], [])
}

test_a_tagged_output_is_masked if {
	regate.decision.action == "mask" with input as samples.command([reading_email], [], [])
	regate.decision.action == "allow" with input as samples.command([reading_email], ["privacy"], [])
		with data.grants as {"pii": ["privacy"]}
}

test_a_tagged_output_of_what_is_not_allowed_is_blocked if {
	statement := object.union(reading_email, {"class": "something new"})
	regate.decision.action == "block" with input as samples.command([statement], [], [])
}

test_one_refusal_refuses_the_whole_command if {
	ddl := samples.statement({"verb": "drop_table", "class": "ddl"})
	decision := regate.decision with input as samples.command([reading_email, ddl], [], [])
	decision.action == "block"
	decision.masks == []
	[reason.statement | some reason in decision.reasons] == [1]
}

test_a_scoped_delete_in_production_needs_approval if {
	delete := samples.statement({"verb": "delete", "class": "write"})
	decision := regate.decision with input as samples.command([delete], [], [])
	decision.action == "require_approval"
	decision.approval == {"approvers": ["group:dba"], "count": 1}
}

reading_email := samples.statement({"columns": [email], "outputs": [samples.output("direct", email)]})

email := samples.column("email", ["pii"], ["output"])
