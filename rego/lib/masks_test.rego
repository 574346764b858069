package lib.masks_test

import data.lib.masks

spec := {
	"a": {"mask": "partial", "keep_last": 4},
	"b": {"mask": "null"},
	"c": {"mask": "partial", "keep_last": 2},
	"d": {"mask": "unheard-of"},
	"e": {"keep_last": 4},
	"f": {"mask": "block"},
}

test_a_tag_gets_its_mask if masks.of("a") == {"mask": "partial", "keep_last": 4} with data.masks as spec

test_a_tag_without_a_mask_is_redacted[tag] if {
	some tag in ["x", "e"]
	masks.of(tag) == {"mask": "redact"} with data.masks as spec
}

test_several_tags_get_the_strongest_mask if masks.strongest({"a", "b"}) == {"mask": "null"} with data.masks as spec

test_masks_that_are_equally_strong_give_way_to_redaction if {
	masks.strongest({"a", "c"}) == {"mask": "redact"} with data.masks as spec
}

test_the_strongest_mask_that_keeps_nothing if {
	masks.whole({"b"}) == {"mask": "null"} with data.masks as spec
	masks.whole({"a"}) == {"mask": "redact"} with data.masks as spec
	masks.whole({"x"}) == {"mask": "redact"} with data.masks as spec
	masks.whole({"a", "d"}) == {"mask": "unheard-of"} with data.masks as spec
}

test_an_unknown_mask_is_never_replaced_by_a_weaker_one if {
	masks.strongest({"a", "d"}) == {"mask": "unheard-of"} with data.masks as spec
}

test_without_data_all_is_redacted if masks.strongest({"a"}) == {"mask": "redact"} with data.masks as {}

test_what_the_data_say_is_never_shown if {
	masks.never_shown == {"f"} with data.masks as spec
	masks.never_shown == set() with data.masks as {}
}

test_what_is_no_parameter_is_no_part_of_a_mask if {
	masks.of("a") == {"mask": "partial", "keep_last": 4} with data.masks.a as {"mask": "partial", "keep_last": 4, "on_derived": "refuse"}
}

test_by_default_what_SQL_can_mask_is_substituted[mask] if {
	some mask, expected in {
		"null": "substitute", "redact": "substitute", "partial": "substitute", "truncate": "substitute", "email": "substitute",
		"hash": "mask", "tokenize": "mask", "detect": "mask", "json": "mask", "unheard-of": "mask",
		"block": "refuse",
	}
	masks.on_derived({"t"}) == expected with data.masks as {"t": {"mask": mask}}
}

test_the_tag_says_what_becomes_of_derived_use[said] if {
	some said, expected in {"substitute": "substitute", "mask": "mask", "refuse": "refuse", "something else": "refuse"}
	masks.on_derived({"t"}) == expected with data.masks as {"t": {"mask": "null", "on_derived": said}}
}

test_the_strictest_of_several_tags_counts if {
	specs := {"s": {"mask": "null"}, "b": {"mask": "block"}, "m": {"mask": "null", "on_derived": "mask"}, "r": {"mask": "null", "on_derived": "refuse"}}
	masks.on_derived({"s", "untold"}) == "substitute" with data.masks as specs
	masks.on_derived({"s", "m"}) == "mask" with data.masks as specs
	masks.on_derived({"s", "m", "r"}) == "refuse" with data.masks as specs
	masks.on_derived({"s", "b"}) == "refuse" with data.masks as specs
	masks.on_derived({"s"}) == "substitute" with data.masks as {}
}

test_whether_it_may_be_written[said] if {
	some said, expected in {"allow": "allow", "refuse": "refuse", "something else": "refuse"}
	masks.writes({"t"}) == expected with data.masks as {"t": {"mask": "null", "writes": said}}
	masks.of("t") == {"mask": "null"} with data.masks as {"t": {"mask": "null", "writes": said}}
}

test_where_nothing_is_said_what_must_be_unique_may_not_be_written if {
	masks.writes({"t"}) == "unless unique" with data.masks as {"t": {"mask": "null"}}
	masks.writes({"t"}) == "unless unique" with data.masks as {}
}

test_by_default_what_keeps_equal_values_equal_may_not_be_written[note] if {
	some note, [spec, expected] in {
		"hash": [{"mask": "hash"}, "refuse by default"],
		"tokenize": [{"mask": "tokenize", "key": "k"}, "refuse by default"],
		"json that keeps some": [{"mask": "json", "paths": [{"path": "$.a", "mask": "redact"}, {"path": "$.b", "mask": "hash"}]}, "refuse by default"],
		"json that keeps none": [{"mask": "json", "paths": [{"path": "$.a", "mask": "redact"}]}, "unless unique"],
		"allowed": [{"mask": "hash", "writes": "allow"}, "allow"],
		"refused": [{"mask": "hash", "writes": "refuse"}, "refuse"],
	}
	masks.writes({"t"}) == expected with data.masks as {"t": spec}
	masks.writes({"t", "o"}) == expected with data.masks as {"t": spec, "o": {"mask": "null", "writes": "allow"}}
}

test_of_several_tags_the_strictest_lookup_counts[note] if {
	some note, [tags, expected] in {
		"any": [{"a"}, true],
		"a budget": [{"b"}, 5],
		"two budgets": [{"b", "c"}, 3],
		"any and a budget": [{"a", "b"}, 5],
		"none": [{"d"}, false],
		"any and none": [{"a", "d"}, false],
		"a budget and what is not told": [{"b", "x"}, false],
		"what is no setting": [{"e"}, false],
	}
	masks.lookup(tags) == expected with data.masks as {
		"a": {"mask": "null", "lookup": true},
		"b": {"mask": "null", "lookup": {"budget": 5}},
		"c": {"mask": "null", "lookup": {"budget": 3}},
		"d": {"mask": "null"},
		"e": {"mask": "null", "lookup": "yes"},
	}
}
