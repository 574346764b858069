package policies.settings_test

import data.lib.samples_test as samples
import data.policies.settings

changing(name, groups) := samples.command(
	[samples.statement({
		"verb": "set",
		"class": "session",
		"settings": [{"name": name, "value": "x", "local": false}],
	})],
	groups,
	[],
)

test_a_setting_that_is_named_may_be_changed[name] if {
	some name in ["timezone", "TimeZone"]
	count(settings.block) == 0 with input as changing(name, []) with data.settings.allowed as ["timezone"]
}

test_others_may_not[name] if {
	some name in ["role", "session_authorization", "session_replication_role", "?"]
	samples.codes(settings.block) == {"setting"} with input as changing(name, []) with data.settings.allowed as ["timezone"]
}

test_any_setting_may_be_taken_back[note] if {
	some note, [verb, name] in {"reset": ["reset", "role"], "reset all": ["reset", "*"], "discard": ["discard", "*"]}
	statement := samples.statement({"verb": verb, "class": "session", "settings": [{"name": name}]})
	count(settings.block) == 0 with input as samples.command([statement], [], [])
}

test_a_setting_whose_name_cannot_be_told_is_blocked if {
	statement := samples.statement({"settings": [{"name": "*"}]})
	count(settings.block) == 1 with input as samples.command([statement], [], [])
}

test_the_right_lets_it_pass if {
	count(settings.block) == 0 with input as changing("role", ["dba"])
		with data.settings.allowed as []
		with data.rights as {"settings": {"groups": ["dba"], "scopes": []}}
}

test_a_setting_of_the_clients_own_may_be_changed if {
	own := {"name": "app.user_id", "value": "7", "local": true, "own": true}
	free := samples.statement({"verb": "set", "class": "session", "settings": [own]})
	count(settings.block) == 0 with input as samples.command([free], [], [])
	read := samples.statement({"verb": "set", "class": "session", "settings": [object.union(own, {"own": false})]})
	samples.codes(settings.block) == {"setting"} with input as samples.command([read], [], [])
}

test_without_data_no_setting_may_be_changed if {
	samples.codes(settings.block) == {"setting"} with input as changing("timezone", []) with data.settings as {}
}
