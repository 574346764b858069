package lib.lookups_test

import data.lib.lookups
import data.lib.samples_test as samples

specs := {
	"open": {"mask": "redact", "lookup": true},
	"counted": {"mask": "redact", "on_derived": "refuse", "lookup": {"budget": 2}},
	"closed": {"mask": "redact"},
}

asked(tags, uses, class) := samples.command(
	[samples.statement({"class": class, "columns": [samples.column("email", tags, uses)]})],
	[],
	[],
)

column(tags, uses) := samples.column("email", tags, uses)

test_only_what_is_shown_and_looked_up_in_a_read[note] if {
	some note, [tags, uses, class, expected] in {
		"looked up": [["open"], ["lookup"], "read", true],
		"and shown": [["counted"], ["output", "lookup"], "read", true],
		"not looked up": [["open"], ["output"], "read", false],
		"and filtered": [["open"], ["filter", "lookup"], "read", false],
		"and computed": [["open"], ["output", "computed", "lookup"], "read", false],
		"in a write": [["open"], ["lookup"], "write", false],
		"where no tag allows it": [["closed"], ["lookup"], "read", false],
		"where one of two does": [["open", "closed"], ["lookup"], "read", false],
		"where both do": [["open", "counted"], ["lookup"], "read", true],
	}
	found := {true | lookups.only(0, column(tags, uses))} with input as asked(tags, uses, class) with data.masks as specs
	found == {value | value := expected; value}
}

test_within_the_budget[note] if {
	some note, [tags, inference, expected] in {
		"no budget": [["open"], [], true],
		"the first": [["counted"], [tried(0, "email", 1)], true],
		"the last": [["counted"], [tried(0, "email", 2)], true],
		"one too many": [["counted"], [tried(0, "email", 3)], false],
		"not counted": [["counted"], [], false],
		"of another column": [["counted"], [tried(0, "phone", 1)], false],
		"of another statement": [["counted"], [tried(1, "email", 1)], false],
		"a budget beside none": [["open", "counted"], [tried(0, "email", 3)], false],
	}
	found := {true | lookups.within(0, column(tags, ["lookup"]))} with input as asked(tags, ["lookup"], "read")
		with input.session.inference as inference
		with data.masks as specs
	found == {value | value := expected; value}
}

tried(statement, name, probes) := {
	"statement": statement,
	"schema": "public",
	"table": "customers",
	"column": name,
	"probes": probes,
}
