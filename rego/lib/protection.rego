# METADATA
# title: Protected columns
# description: |
#   A column is protected from whoever is not cleared for one of its tags. What the gate masked itself, in a statement that it rewrote, carries
#   the tag "masked" in place of the column's own, and is for everybody. What is computed of tagged columns has "computed" beside their tags:
#   a mask that keeps a part of a value, or equality, was chosen for the column itself, and would tell another part of it there.
# scope: package
# schemas:
#   - input: schema.input
package lib.protection

import data.lib.identity
import data.lib.masks

# METADATA
# title: What protects columns with these tags, for each list of tags that the input has
# description: |
#   tags: those for which whoever asks is not cleared; mask and code: how the column is masked; on_derived: what becomes of other use than
#   to show it; lookup: whether it may be compared with a value; writes: whether it may be written (see lib.masks); nullness: whether it may be
#   told that it is NULL, where the statement sees the real values. A list of tags that is not here protects nothing.
by_tags[tags] := {
	"tags": sealed,
	"mask": mask([tags]),
	"code": code(sealed),
	"on_derived": masks.on_derived(sealed),
	"lookup": _lookup(tags),
	"writes": masks.writes(sealed),
	"nullness": _nullness(tags),
} if {
	some tags in _tags
	sealed := _sealed(tags)
	count(sealed) > 0
}

# METADATA
# title: How the value of columns with these lists of tags is masked
# description: |
#   Where one of the columns is computed, by NULL: its expression may be NULL by the value (nullif). As a whole where they have different
#   masks: that of one would show of another what its own hides.
mask(lists) := {"mask": "null"} if {
	some tags in lists
	"computed" in tags
	count(_sealed(tags)) > 0
} else := spec if {
	specs := {masks.strongest(sealed) |
		some tags in lists
		sealed := _sealed(tags)
		count(sealed) > 0
	}
	count(specs) == 1
	some spec in specs
} else := masks.whole(_sealed_of(lists))

# METADATA
# title: Does the output show the bare column?
# description: |
#   Named positively and negated where it counts, since what has no derivation is not direct. What shows one of several columns counts where all
#   of them are protected: beside one that anybody may write, a mask that keeps equal values equal would tell where the other holds the same.
direct(output) if output.derivation == "direct"

direct(output) if {
	output.derivation == "verbatim"
	every source in output.sources {
		by_tags[source.tags]
	}
}

# METADATA
# title: A column without what a statement does with it
place(column) := {"schema": column.schema, "table": column.table, "column": column.column}

# METADATA
# title: The code of a mask for some tags
code(tags) := $"tag-{concat("-", sort(tags))}"

# By a column that is computed of it, such as its first digit, it could be found piece by piece.
_lookup(tags) := false if "computed" in tags

else := masks.lookup(_sealed(tags))

# That a value is missing is not hidden, but what is computed of one may be NULL by what it is.
_nullness(tags) := false if "computed" in tags

else := true

_sealed(tags) := {tag |
	some tag in tags
	not _open(tag)
}

_sealed_of(lists) := {tag |
	some tags in lists
	some tag in _sealed(tags)
}

_open(tag) if tag in identity.cleared

_open("masked")

_open("computed")

_tags contains column.tags if {
	some statement in input.command.statements
	some column in statement.columns
}

_tags contains source.tags if {
	some statement in input.command.statements
	some output in statement.outputs
	some source in output.sources
}

_tags contains source.tags if {
	some statement in input.command.statements
	some written in statement.writes
	some source in written.sources
}

_tags contains source.tags if {
	some output in input.result.columns
	some source in output.sources
}

_tags contains relation.tags if {
	some statement in input.command.statements
	some relation in statement.relations
}
