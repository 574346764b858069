package lib.identity_test

import data.lib.identity

rights := {"ddl": {"groups": ["dba"], "scopes": ["ddl"]}, "code": {"groups": ["dba"], "scopes": []}}

test_a_group_gives_its_rights if {
	identity.rights == {"ddl", "code"} with input.identity as {"groups": ["x", "dba"], "scopes": []} with data.rights as rights
}

test_a_scope_gives_its_right if {
	identity.rights == {"ddl"} with input.identity as {"groups": [], "scopes": ["ddl"]} with data.rights as rights
}

test_nobody_has_a_right_that_the_data_do_not_name if {
	identity.rights == set() with input.identity as {"groups": ["dba"], "scopes": ["ddl"]} with data.rights as {}
}

test_a_scope_is_not_a_group if {
	identity.rights == set() with input.identity as {"groups": ["ddl"], "scopes": ["dba"]} with data.rights as rights
}

test_a_group_is_cleared_for_its_tags if {
	identity.cleared == {"pii"} with input.identity.groups as ["hr"] with data.grants as {"pii": ["hr"], "pci": ["pay"]}
}
