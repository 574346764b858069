# METADATA
# title: Settings
# description: data.settings.allowed names those that whoever asks may change for the session.
# scope: package
# schemas:
#   - input: schema.input
package policies.settings

import data.lib.identity
import data.lib.reasons

# METADATA
# title: This setting may not be changed
# custom:
#   code: setting
#   hint: Leave it as it is; data.settings.allowed in the policy names those that may be changed.
block contains reasons.refusing_thing(rego.metadata.rule(), i, setting.name) if {
	some i, statement in input.command.statements
	some setting in statement.settings
	not _free(statement, setting)
	not "settings" in identity.rights
}

_free(_, setting) if lower(setting.name) in data.settings.allowed

# It means nothing to anybody else.
_free(_, setting) if setting.own

# Taking a setting back is harmless. RESET ALL names it *, as does a set_config whose name cannot be told, which is not a reset.
_free(statement, _) if statement.verb in {"reset", "discard"}
