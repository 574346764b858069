# METADATA
# title: Notifications
# description: |
#   What a NOTIFY carries was written by another session, or by a trigger, which most often sends whole rows: who listens in a database with
#   tags gets it without. data.notifications[resource] lists the channels whose payloads hold nothing protected.
# scope: package
# schemas:
#   - input: schema.input
package policies.notifications

import data.lib.identity

channels contains channel if {
	input.stage == "connect"
	some channel in data.notifications[input.resource.name]
}

channels contains "*" if {
	input.stage == "connect"
	"notifications" in identity.rights
}
