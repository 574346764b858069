# METADATA
# title: Texts that are searched
# description: |
#   data.detect[resource] has every text of that database searched for cards, addresses, keys and the like on its way to whoever asks, whatever
#   column it is of: "all", or the parameters of the mask detect, such as {"detectors": ["card"], "with": "redact"}. A column whose tag
#   has a mask of its own gets that one.
# scope: package
# schemas:
#   - input: schema.input
package policies.detect

import data.lib.identity

detect contains {"detectors": "all"} if {
	data.detect[input.resource.name] == "all"
	not _sees_all
}

detect contains data.detect[input.resource.name] if {
	is_object(data.detect[input.resource.name])
	not _sees_all
}

_sees_all if "undetected" in identity.rights
