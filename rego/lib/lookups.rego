# METADATA
# title: Lookups
# description: |
#   A read that asks for the rows in which a column equals a literal or a parameter tells of each row only whether it has that value. A tag may
#   allow that, within a budget of different values for each subject, column and day (input.session.inference).
# scope: package
# schemas:
#   - input: schema.input
package lib.lookups

import data.lib.protection

# METADATA
# title: Does the statement do no more with the column than to show it and to look it up, where its tags have that?
only(i, column) if {
	input.command.statements[i].class == "read"
	protection.by_tags[column.tags].lookup != false
	"lookup" in column.uses
	every use in column.uses {
		use in {"output", "lookup"}
	}
}

# METADATA
# title: Are so many values allowed?
within(_, column) if protection.by_tags[column.tags].lookup == true

within(i, column) if {
	some tried in input.session.inference
	tried.statement == i
	tried.schema == column.schema
	tried.table == column.table
	tried.column == column.column
	tried.probes <= protection.by_tags[column.tags].lookup
}
