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

test_an_unknown_mask_is_never_replaced_by_a_weaker_one if {
	masks.strongest({"a", "d"}) == {"mask": "unheard-of"} with data.masks as spec
}

test_without_data_all_is_redacted if masks.strongest({"a"}) == {"mask": "redact"} with data.masks as {}

test_secrets_and_what_the_data_say_is_never_shown if {
	masks.never_shown == {"secret", "f"} with data.masks as spec
	masks.never_shown == {"secret"} with data.masks as {}
}
