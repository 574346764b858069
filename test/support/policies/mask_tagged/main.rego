# METADATA
# title: Everything is allowed, and tagged columns are masked
# description: For tests of masking. data.masks[tag] says how.
# scope: package
package regate

# METADATA
# entrypoint: true
decision := {
	"id": input.id,
	"action": _action,
	"reasons": [],
	"masks": [mask | some mask in _masks],
}

default _action := "allow"

_action := "mask" if count(_masks) > 0

_masks contains mask if {
	some i, statement in input.command.statements
	some j, output in statement.outputs
	tags := {tag | some source in output.sources; some tag in source.tags}
	mask := object.union(_spec(min(tags)), {"statement": i, "output": j, "code": $"tag-{min(tags)}"})
}

_spec(tag) := data.masks[tag] if data.masks[tag]

else := {"mask": "redact"}
