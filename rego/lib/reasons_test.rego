package lib.reasons_test

import data.lib.reasons

meta := {"title": "No", "custom": {"code": "no", "hint": "Ask."}}

test_an_allowing_reason_names_its_subject if {
	reasons.allowing(meta, 2) == {"code": "no", "message": "No", "statement": 2, "subject": 2}
	reasons.allowing(meta, "connect") == {"code": "no", "message": "No", "subject": "connect"}
}

test_a_refusing_reason_says_what_would_be_allowed if {
	reasons.refusing(meta, 1) == {"code": "no", "message": "No", "hint": "Ask.", "statement": 1}
}

test_a_refusing_reason_names_its_column if {
	column := {"schema": "public", "table": "customers", "column": "email"}
	reasons.refusing_column(meta, 0, column).column == "public.customers.email"
}

test_a_refusing_reason_names_its_thing if reasons.refusing_thing(meta, 0, "program").message == "No: program"

test_a_rule_without_a_hint_gives_no_reason if not reasons.refusing({"title": "No", "custom": {"code": "no"}}, 0)
