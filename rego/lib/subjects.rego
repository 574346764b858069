# METADATA
# title: What must be allowed
# description: |
#   Each statement of a command by its number; a session's start is "connect", a described result "result", a command without a statement
#   "nothing". A stage that is not known has no subject, and what has no subject is blocked.
# scope: package
# schemas:
#   - input: schema.input
package lib.subjects

all contains "connect" if input.stage == "connect"

all contains "result" if {
	input.stage == "result"
	is_array(input.result.columns)
}

all contains "nothing" if {
	input.stage == "command"
	count(input.command.statements) == 0
}

all contains i if {
	input.stage == "command"
	some i, _ in input.command.statements
}
