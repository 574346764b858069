# METADATA
# title: How verdicts combine
# description: A block wins, then an approval; a mask only refines what is allowed; what no rule allows is blocked.
# scope: package
package lib.decision

# More reasons than this help nobody.
_most := 20

# Sorting takes time that grows with the square of the number, so no more than these are sorted.
_sortable := 100

# METADATA
# title: The decision but for its id
# description: |
#   subjects: what must be allowed, each of it (see lib.subjects).
#   verdicts: {allow, block, require_approval, mask, substitute, detect, channels}, each a set. allow and block hold reasons (see lib.reasons), an
#   allowing one with its subject; require_approval holds reasons with approvers and count; mask holds {statement, output, mask, code},
#   substitute {statement, schema, table, column, mask, code}, both with the mask's parameters; detect, which may be left out, holds
#   parameters of the mask detect; channels, which may be left out, names of channels. A part that cannot be made leaves the whole undefined, which the gate takes as a block.
verdict(subjects, verdicts) := decision if {
	action := _action(subjects, verdicts)
	decision := object.union_n([
		_substitutions(action, verdicts.substitute),
		_detect(action, object.get(verdicts, "detect", set())),
		_channels(action, object.get(verdicts, "channels", set())),
		{
			"action": action,
			"reasons": array.slice(sort(_stripped(_reasons(action, subjects, verdicts))), 0, _most),
			"masks": _masks(action, verdicts.mask),
			"approval": _approval(action, verdicts.require_approval),
		},
	])
}

_action(subjects, verdicts) := "block" if count(verdicts.block) > 0

else := "block" if count(verdicts.allow) == 0

else := "block" if count(_missing(subjects, verdicts)) > 0

else := "block" if _unapprovable(verdicts)

else := "require_approval" if count(verdicts.require_approval) > 0

else := "mask" if count(verdicts.mask | verdicts.substitute) > 0

else := "allow"

_missing(subjects, verdicts) := subjects - {reason.subject | some reason in verdicts.allow}

_masks("block", _) := []

_masks("allow", _) := []

_masks("mask", masks) := [mask | some mask in masks]

_masks("require_approval", masks) := [mask | some mask in masks]

# The text may not run as it is: where no rule asks for that, nothing is said of it.
_substitutions(action, substitute) := {"substitutions": [column | some column in substitute]} if {
	action in {"mask", "require_approval"}
	count(substitute) > 0
} else := {}

# Searched in several ways: for everything.
_detect(action, specs) := {} if {
	action == "block"
} else := {} if {
	count(specs) == 0
} else := {"detect": spec} if {
	count(specs) == 1
	some spec in specs
} else := {"detect": {"detectors": "all"}}

_channels(action, channels) := {"channels": sort(channels)} if {
	action != "block"
	count(channels) > 0
} else := {}

_approval("block", _) := null

_approval("allow", _) := null

_approval("mask", _) := null

_approval("require_approval", rules) := {
	"approvers": sort(_approvers(rules)),
	"count": max({rule.count | some rule in rules}),
}

# Only who is named by every rule may approve: whom one rule names must not stand in for those that another names.
_approvers(rules) := intersection({{approver | some approver in rule.approvers} | some rule in rules})

_unapprovable(verdicts) if {
	count(verdicts.require_approval) > 0
	count(_approvers(verdicts.require_approval)) == 0
}

_reasons("allow", _, verdicts) := verdicts.allow

_reasons("mask", _, verdicts) := verdicts.allow

_reasons("require_approval", _, verdicts) := verdicts.require_approval

_reasons("block", subjects, verdicts) := verdicts.block if {
	count(verdicts.block) > 0
} else := {_not_allowed(subject) | some subject in _missing(subjects, verdicts)} if {
	count(_missing(subjects, verdicts)) > 0
} else := {_no_common_approver} if {
	_unapprovable(verdicts)
} else := {_not_allowed(null)}

_stripped(reasons) := {object.remove(reason, ["subject", "approvers", "count"]) |
	some reason in array.slice([reason | some reason in reasons], 0, _sortable)
}

_not_allowed(subject) := {
	"code": "not-allowed",
	"message": "No rule allows this",
	"hint": "Ask for a right that covers it, or for a rule in the policy.",
	"statement": _number(subject),
}

_number(subject) := subject if is_number(subject)

else := null

_no_common_approver := {
	"code": "no-common-approver",
	"message": "Several rules need an approval, and nobody may give them all",
	"hint": "Send the statements one by one.",
}
