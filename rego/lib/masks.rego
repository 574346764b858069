# METADATA
# title: Masks
# description: |
#   data.masks[tag] = {mask, …parameters} says how a tag is masked; a tag that it does not name is redacted. Beside these, on_derived says what
#   becomes of a statement that uses such a column otherwise than to show it, and writes whether it may be written.
# scope: package
package lib.masks

# Strongest first: what carries several tags gets the strongest of their masks.
_strength := {"null": 0, "redact": 1, "hash": 2, "tokenize": 3, "detect": 4, "json": 5, "truncate": 6, "email": 7, "partial": 8}

_redact := {"mask": "redact"}

# What is no parameter of the mask itself.
_settings := {"on_derived", "lookup", "writes"}

_specs[tag] := object.remove(spec, _settings) if {
	some tag, spec in data.masks
	is_string(spec.mask)
}

# METADATA
# title: How a tag is masked
of(tag) := object.get(_specs, tag, _redact)

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

# METADATA
# title: The strongest mask of some tags that keeps nothing of a value
whole(tags) := spec if {
	spec := strongest(tags)
	_rank(spec) <= _strength.redact
} else := _redact

# An unknown mask counts as the strongest: the gate refuses it rather than applying a weaker one.
_rank(spec) := object.get(_strength, spec.mask, -1)

# METADATA
# title: Tags that no mask makes fit to be shown
# description: What carries one is refused to whoever is not cleared for it.
never_shown contains tag if {
	some tag, spec in data.masks
	spec.mask == "block"
}

# METADATA
# title: What becomes of a statement that uses a column with these tags otherwise than to show it
# description: |
#   substitute: it sees the masked values in place of the real ones. mask: an expression that cannot fail is shown as NULL, anything else is
#   refused. refuse: it is refused. Of several tags the strictest counts.
on_derived(tags) := "refuse" if {
	some tag in tags
	_on_derived(tag) == "refuse"
} else := "mask" if {
	some tag in tags
	_on_derived(tag) == "mask"
} else := "substitute"

# Masks that SQL can make of a column.
_in_sql := {"null", "redact", "partial", "truncate", "email"}

_on_derived(tag) := "refuse" if {
	tag in never_shown
} else := data.masks[tag].on_derived if {
	data.masks[tag].on_derived in {"substitute", "mask"}
} else := "refuse" if {
	"on_derived" in object.keys(data.masks[tag])
} else := "substitute" if {
	of(tag).mask in _in_sql
} else := "mask"

# METADATA
# title: May a column with these tags be written?
# description: |
#   allow, or refuse. Where a tag says nothing, "refuse by default" if its mask keeps equal values equal: what somebody writes comes back under the
#   same mask, so that values could be tried out. Else "unless unique": of a column that must be unique the error tells whether a value is there. Of
#   several tags the strictest counts.
writes(tags) := "refuse" if {
	some tag in tags
	_writes(tag) == "refuse"
} else := "refuse by default" if {
	some tag in tags
	_writes(tag) == "refuse by default"
} else := "unless unique" if {
	some tag in tags
	_writes(tag) == "unless unique"
} else := "allow"

_writes(tag) := "allow" if {
	data.masks[tag].writes == "allow"
} else := "refuse" if {
	"writes" in object.keys(data.masks[tag])
} else := "refuse by default" if {
	_keeps_equal(of(tag))
} else := "unless unique"

_equal := {"hash", "tokenize"}

_keeps_equal(spec) if spec.mask in _equal

_keeps_equal(spec) if {
	spec.mask == "json"
	some path in spec.paths
	path.mask in _equal
}

# METADATA
# title: May a column with these tags be looked up by a value that the statement gives?
# description: |
#   false; true; or how many different values whoever asks may try in a day. Of several tags the strictest counts.
lookup(tags) := min(budgets) if {
	every tag in tags {
		_lookup(tag)
	}
	budgets := {data.masks[tag].lookup.budget | some tag in tags}
	count(budgets) > 0
} else if {
	every tag in tags {
		_lookup(tag)
	}
} else := false

_lookup(tag) if data.masks[tag].lookup == true

_lookup(tag) if is_number(data.masks[tag].lookup.budget)
