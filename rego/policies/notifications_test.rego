package policies.notifications_test

import data.lib.samples_test as samples
import data.policies.notifications

connecting(groups) := object.union(samples.connect, {
	"identity": {"groups": groups, "scopes": []},
	"resource": {"name": "shop", "environment": "production"},
})

shown(groups, listed) := found if {
	found := notifications.channels with input as connecting(groups)
		with data.notifications as listed
		with data.rights as {"notifications": {"groups": ["dba"], "scopes": []}}
}

test_no_channel_is_shown_by_itself if shown([], {}) == set()

test_those_that_the_data_list_are if shown([], {"shop": ["jobs"], "other": ["all"]}) == {"jobs"}

test_a_right_shows_all if shown(["dba"], {}) == {"*"}

test_commands_have_none if {
	notifications.channels == set() with input as samples.command([samples.statement({})], [], [])
		with data.notifications as {"shop": ["jobs"]}
}
