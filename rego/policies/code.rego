# METADATA
# title: Code, functions, and what reaches outside of the tables
# scope: package
# schemas:
#   - input: schema.input
package policies.code

import data.lib.identity
import data.lib.reasons

# METADATA
# title: Whoever has the right for it may run code
# custom:
#   code: right
allow contains reasons.allowing(rego.metadata.rule(), i) if {
	"code" in identity.rights
	some i, statement in input.command.statements
	statement.class == "code"
}

# METADATA
# title: Code blocks and procedures may not be run
# custom:
#   code: code
#   hint: Send the statements themselves, or ask for a token with the scope code.
block contains reasons.refusing(rego.metadata.rule(), i) if {
	some i, statement in input.command.statements
	statement.class == "code"
	not "code" in identity.rights
}

# METADATA
# title: Programs, server files and large objects are out of bounds
# custom:
#   code: external
#   hint: In the place of files and programs, COPY … TO STDOUT and FROM STDIN go through the connection. For the rest, ask for a token with the scope external, or a member of the group dba.
block contains reasons.refusing_thing(rego.metadata.rule(), i, external) if {
	some i, statement in input.command.statements
	some external in statement.external
	not external in _within
	not "external" in identity.rights
}

# METADATA
# title: What reaches files, other processes or the server itself may not be called
# custom:
#   code: external
#   hint: Do without it, or ask a member of the group dba.
block contains reasons.refusing_thing(rego.metadata.rule(), i, name) if {
	some i, statement in input.command.statements
	some used in statement.functions
	used.effect == "outside"
	name := _name(used)
	not _vouched_for(name)
	not "external" in identity.rights
}

# METADATA
# title: It cannot be told what this function does
# description: data.functions.allowed names ("schema.name") those that the policy vouches for.
# custom:
#   code: opaque-function
#   hint: Do without it, have the policy name it in data.functions.allowed, or ask for a token with the scope functions.
block contains reasons.refusing_thing(rego.metadata.rule(), i, name) if {
	some i, statement in input.command.statements
	some used in statement.functions
	_opaque(used)
	name := _name(used)
	not _vouched_for(name)
	not "functions" in identity.rights
}

# A notification reaches only sessions of the same database.
_within := {"notify"}

_name(used) := $"{used.schema}.{used.name}" if used.schema != ""

else := used.name

_vouched_for(name) if name in data.functions.allowed

_opaque(used) if used.opaque

_opaque(used) if used.kind == "unknown"

# What runs the SQL in its arguments does whatever that says.
_opaque(used) if used.effect in {"sql", "unknown"}
