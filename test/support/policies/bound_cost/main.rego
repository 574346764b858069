# METADATA
# title: What the server expects to be expensive is blocked
# description: For tests of estimates. data.costs.most is the limit; what is not known is allowed.
# scope: package
package regate

# METADATA
# entrypoint: true
decision := {
	"id": input.id,
	"action": _action,
	"reasons": [{"code": "too-expensive", "message": "It would cost too much", "statement": i} | some i in _expensive],
	"masks": [],
}

default _action := "allow"

_action := "block" if count(_expensive) > 0

_expensive contains i if {
	some i, statement in input.command.statements
	statement.estimate.cost > data.costs.most
}
