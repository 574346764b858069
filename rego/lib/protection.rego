# METADATA
# title: Protected columns
# description: |
#   A column is protected from whoever is not cleared for one of its tags. What the gate masked itself, in a statement that it rewrote, carries
#   the tag "masked" in place of the column's own, and is for everybody.
# scope: package
package lib.protection

import data.lib.identity
import data.lib.masks

# METADATA
# title: The tags of a column or a source for which whoever asks is not cleared
sealed_tags(column) := {tag |
	some tag in column.tags
	not _open(tag)
}

# METADATA
# title: Is the column protected from whoever asks?
sealed(column) if {
	some tag in column.tags
	not _open(tag)
}

# METADATA
# title: Is there a tag that keeps it from being shown in any form?
never_shown(tags) if {
	some tag in tags
	tag in masks.never_shown
	not _open(tag)
}

# METADATA
# title: Does the output show the bare column?
# description: Named positively and negated where it counts, since what has no derivation is not direct.
direct(output) if output.derivation == "direct"

# METADATA
# title: A column without what a statement does with it
place(column) := {"schema": column.schema, "table": column.table, "column": column.column}

# METADATA
# title: The code of a mask for some tags
code(tags) := $"tag-{concat("-", sort(tags))}"

_open(tag) if tag in identity.cleared

_open("masked")
