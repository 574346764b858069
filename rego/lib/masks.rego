# METADATA
# title: Masks
# description: data.masks[tag] = {mask, …parameters} says how a tag is masked; a tag that it does not name is redacted.
# scope: package
package lib.masks

# Strongest first: what carries several tags gets the strongest of their masks.
_strength := {"null": 0, "redact": 1, "hash": 2, "tokenize": 3, "detect": 4, "json": 5, "truncate": 6, "email": 7, "partial": 8}

_redact := {"mask": "redact"}

# METADATA
# title: How a tag is masked
of(tag) := data.masks[tag] if is_string(data.masks[tag].mask)

else := _redact

# METADATA
# title: The strongest mask of some tags
# description: Masks that are equally strong but not the same give way to redaction.
strongest(tags) := spec if {
	specs := {of(tag) | some tag in tags}
	least := min({_rank(spec) | some spec in specs})
	best := {spec | some spec in specs; _rank(spec) == least}
	count(best) == 1
	some spec in best
} else := _redact

# An unknown mask counts as the strongest: the gate refuses it rather than applying a weaker one.
_rank(spec) := object.get(_strength, spec.mask, -1)

# METADATA
# title: Tags that no mask makes fit to be shown
# description: What carries one is refused to whoever is not cleared for it. "secret" marks the server's own secrets.
never_shown contains "secret"

never_shown contains tag if {
	some tag, spec in data.masks
	spec.mask == "block"
}
