package lib.subjects_test

import data.lib.subjects

test_each_statement_is_a_subject if {
	subjects.all == {0, 1} with input as {"stage": "command", "command": {"statements": [{}, {}]}}
}

test_a_command_without_statements_has_one_subject if {
	subjects.all == {"nothing"} with input as {"stage": "command", "command": {"statements": []}}
}

test_a_start_and_a_result_are_subjects if {
	subjects.all == {"connect"} with input as {"stage": "connect"}
	subjects.all == {"result"} with input as {"stage": "result", "result": {"columns": []}}
}

test_what_is_not_understood_has_no_subject[note] if {
	some note, what in {
		"no input": {},
		"unknown stage": {"stage": "later", "command": {"statements": [{}]}},
		"no command": {"stage": "command"},
		"no columns": {"stage": "result", "result": {}},
	}
	subjects.all == set() with input as what
}
