package policies.detect_test

import data.lib.samples_test as samples
import data.policies.detect

asked(groups) := samples.command([samples.statement({})], groups, [])

specs(groups, searched) := found if {
	found := detect.detect with input as asked(groups)
		with data.detect as searched
		with data.rights as {"undetected": {"groups": ["dba"], "scopes": []}}
}

test_a_database_is_searched_for_everything if specs([], {"shop": "all"}) == {{"detectors": "all"}}

test_or_for_what_the_data_say if {
	spec := {"detectors": ["card"], "with": "redact"}
	specs([], {"shop": spec}) == {spec}
}

test_others_are_not if {
	specs([], {"other": "all"}) == set()
	specs([], {}) == set()
}

test_a_right_shows_texts_as_they_are if specs(["dba"], {"shop": "all"}) == set()
