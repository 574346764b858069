# METADATA
# title: Rights
# description: |
#   data.rights[right] = {groups, scopes} says who has a right: the members of a group, and the holders of a token with a scope.
#   A right that the data do not name is nobody's.
# scope: package
# schemas:
#   - input: schema.input
package lib.identity

# METADATA
# title: The rights of whoever asks
rights contains right if {
	some right, holders in data.rights
	some group in holders.groups
	group in input.identity.groups
}

rights contains right if {
	some right, holders in data.rights
	some scope in holders.scopes
	scope in input.identity.scopes
}

# METADATA
# title: The tags that whoever asks may see in clear
# description: data.grants[tag] is the list of groups.
cleared contains tag if {
	some tag, groups in data.grants
	some group in groups
	group in input.identity.groups
}
