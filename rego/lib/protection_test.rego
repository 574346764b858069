package lib.protection_test

import data.lib.protection
import data.lib.samples_test as samples

specs := {
	"pii": {"mask": "redact"},
	"pci": {"mask": "hash", "on_derived": "refuse", "writes": "refuse"},
	"mine": {"mask": "null"},
	"asked": {"mask": "redact", "lookup": true},
}

grants := {"mine": ["us"]}

# A column with these tags is used by a member of these groups: what protects it.
found(tags, groups) := specs_of(tags, groups)[tags]

specs_of(tags, groups) := by if {
	asked := samples.command([samples.statement({"columns": [samples.column("email", tags, ["output"])]})], groups, [])
	by := protection.by_tags with input as asked with data.masks as specs with data.grants as grants
}

test_a_column_has_what_its_tags_say if {
	found(["pii"], []) == {
		"tags": {"pii"},
		"mask": {"mask": "redact"},
		"code": "tag-pii",
		"on_derived": "substitute",
		"lookup": false,
		"writes": "unless unique",
		"nullness": true,
	}
}

test_of_several_tags_the_strictest_counts if {
	spec := found(["pci", "pii"], [])
	spec.mask == {"mask": "redact"}
	spec.code == "tag-pci-pii"
	spec.on_derived == "refuse"
	spec.writes == "refuse"
}

test_nothing_protects_it_from_who_is_cleared if {
	specs_of(["mine"], ["us"]) == {}
	found(["mine"], ["them"]).tags == {"mine"}
	found(["mine", "pii"], ["us"]).tags == {"pii"}
}

test_what_the_gate_masked_is_for_everybody if specs_of(["masked"], []) == {}

test_of_what_is_computed_nothing_is_kept if {
	found(["computed", "pci"], []).mask == {"mask": "null"}
	found(["computed", "pci"], []).nullness == false
	found(["computed", "pci"], []).tags == {"pci"}
	found(["computed", "mine"], []).mask == {"mask": "null"}
	specs_of(["computed", "mine"], ["us"]) == {}
	found(["asked"], []).lookup == true
	found(["asked", "computed"], []).lookup == false
	specs_of(["computed"], []) == {}
}

test_a_value_is_null_where_a_part_of_it_is_computed[note] if {
	some note, [lists, groups, expected] in {
		"one of several": [{["pci"], ["computed", "pci"]}, [], {"mask": "null"}],
		"none": [{["pci"], []}, [], {"mask": "hash"}],
		"of what is cleared": [{["pci"], ["computed", "mine"]}, ["us"], {"mask": "hash"}],
		"of what is not": [{["pci"], ["computed", "mine"]}, [], {"mask": "null"}],
	}
	mask := protection.mask(lists) with input as samples.command([], groups, []) with data.masks as specs with data.grants as grants
	mask == expected
}

test_of_columns_with_different_masks_nothing_is_kept[note] if {
	some note, [lists, expected] in {
		"of two that each keep a part": [{["last"], ["first"]}, {"mask": "redact"}],
		"the stronger is no mask of the other": [{["last"], ["pci"]}, {"mask": "redact"}],
		"one of them hides all": [{["last"], ["mine"]}, {"mask": "null"}],
		"the same": [{["last"], ["last", "last_too"]}, {"mask": "partial", "keep_last": 4}],
		"beside what is not protected": [{["last"], []}, {"mask": "partial", "keep_last": 4}],
	}
	parts := {
		"last": {"mask": "partial", "keep_last": 4},
		"last_too": {"mask": "partial", "keep_last": 4},
		"first": {"mask": "email"},
	}
	mask := protection.mask(lists) with input as samples.command([], [], [])
		with data.masks as object.union(specs, parts)
		with data.grants as {}
	mask == expected
}

test_no_tags_protect_nothing if specs_of([], []) == {}

test_a_bare_output_is_direct if {
	email := samples.column("email", ["pii"], ["output"])
	name := samples.column("name", [], ["output"])
	both := object.union(samples.output("verbatim", email), {"sources": [email, name]})
	asked := samples.command([samples.statement({"columns": [email, name], "outputs": [both]})], [], [])
	protection.direct(samples.output("direct", email))
	protection.direct(samples.output("verbatim", email)) with input as asked with data.masks as specs
	not protection.direct(both) with input as asked with data.masks as specs
	not protection.direct(samples.output("expression", email))
	not protection.direct({"name": "x"})
}
