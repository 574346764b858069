# METADATA
# title: Everything is allowed
# description: For tests of the wire, where no policy may stand in the way.
# scope: package
package regate

# METADATA
# entrypoint: true
decision := {
	"id": input.id,
	"action": "allow",
	"reasons": [],
	"masks": [],
}
