# METADATA
# title: Protected columns in filters, joins, orders and expressions
# description: |
#   There they would tell what the mask hides. What becomes of the statement is said by data.masks[tag].on_derived.
# scope: package
# schemas:
#   - input: schema.input
package policies.derived

import data.lib.identity
import data.lib.lookups
import data.lib.protection
import data.lib.reasons
import data.lib.substitution

# METADATA
# title: The statement sees masked values in place of the real ones
substitute contains substitution.of(i, column) if {
	some i, _ in input.command.statements
	some column in _replaced[i]
}

# What one output shows beside masked values could not be masked by itself: those are masked already.
substitute contains substitution.of(i, source) if {
	some i, statement in input.command.statements
	some output in statement.outputs
	output.derivation == "verbatim"
	some source in output.sources
	protection.place(source) in _beside[i]
	substitution.possible(i, source)
}

# METADATA
# title: What is computed of a protected column is NULL
mask contains {
	"statement": i,
	"output": j,
	"mask": "null",
	"code": protection.code(tags),
} if {
	input.stage == "command"
	some i, statement in input.command.statements
	some j, output in statement.outputs
	not protection.direct(output)
	tags := {tag |
		some source in output.sources
		not substitution.possible(i, source)
		protection.place(source) in _computing[i]
		some tag in protection.by_tags[source.tags].tags
	}
	count(tags) > 0
}

# METADATA
# title: A result may not be computed from a protected column
# custom:
#   code: protected-derived
#   hint: Select the column itself, which is then masked, or leave it out.
block contains reasons.refusing_column(rego.metadata.rule(), i, source) if {
	some i, _ in input.command.statements
	some source in _refused_source[i]
	protection.by_tags[source.tags].on_derived != "mask"
}

# METADATA
# title: A result may not be computed from a protected column by what may fail
# custom:
#   code: protected-derived
#   hint: Select the column itself, count(column) or column IS NULL; an expression that cannot fail for any value is shown as NULL.
block contains reasons.refusing_column(rego.metadata.rule(), i, source) if {
	some i, _ in input.command.statements
	some source in _refused_source[i]
	protection.by_tags[source.tags].on_derived == "mask"
}

# METADATA
# title: A protected column may only be selected as it is
# custom:
#   code: protected-use
#   hint: Filter, join, sort and group by other columns, such as the primary key.
block contains reasons.refusing_column(rego.metadata.rule(), i, column) if {
	some i, statement in input.command.statements
	some column in statement.columns
	protection.by_tags[column.tags].on_derived == "refuse"
	_telling(column)
	_deciding(column)
	not lookups.only(i, column)
	not _refreshes(statement)
	not _constrains(statement, column)
}

# METADATA
# title: A protected column may not decide which rows are shown, nor in which order
# custom:
#   code: protected-use
#   hint: Filter, join, sort and group by other columns, such as the primary key; column IS NULL and count(column) pass.
block contains reasons.refusing_column(rego.metadata.rule(), i, column) if {
	some i, statement in input.command.statements
	some column in statement.columns
	protection.by_tags[column.tags].on_derived == "mask"
	_telling(column)
	_deciding(column)
	not lookups.only(i, column)
	not _refreshes(statement)
	not _constrains(statement, column)
}

# METADATA
# title: No more values of this column may be looked up today
# custom:
#   code: lookup-budget
#   hint: Look up values that were looked up before, find the rows by other columns, or wait for tomorrow. EXECUTE and FETCH look nothing up; send the statement itself.
block contains reasons.refusing_column(rego.metadata.rule(), i, column) if {
	some i, statement in input.command.statements
	some column in statement.columns
	lookups.only(i, column)
	not lookups.within(i, column)
}

# METADATA
# title: A protected column of what the statement changes may not be used
# description: The rows that change are the real ones, which no masked values can stand for.
# custom:
#   code: protected-use
#   hint: Choose the rows by other columns, such as the primary key. Where a trigger, a check, a policy or a key of the table asks for the column, somebody who may see it has to run the statement. A unique index over it needs a token with the scope constraints.
block contains reasons.refusing_column(rego.metadata.rule(), i, column) if {
	some i, statement in input.command.statements
	some column in statement.columns
	protection.by_tags[column.tags].on_derived == "substitute"
	not substitution.possible(i, column)
	_telling(column)
	_deciding(column)
	not lookups.only(i, column)
	not _refreshes(statement)
	not _constrains(statement, column)
}

# METADATA
# title: A protected column may not be read for what is written
# custom:
#   code: protected-write
#   hint: Leave the column out of what is written, or write a value of your own.
block contains reasons.refusing_column(rego.metadata.rule(), i, column) if {
	some i, statement in input.command.statements
	some column in statement.columns
	_telling(column)
	not _deciding(column)
	not substitution.possible(i, column)
	not lookups.only(i, column)
	not _refreshes(statement)
	not _constrains(statement, column)
}

_replaced[i] contains column if {
	some i, _ in input.command.statements
	count(_needed[i]) > 0
	some column in _used[i]
}

# What is used beyond asking whether it is NULL, which is not hidden. Then all is replaced: what reads two of them must see one state of both.
_needed[i] contains column if {
	some i, _ in input.command.statements
	some column in _used[i]
	not _only_nullness(i, column)
}

_only_nullness(i, source) if {
	statement := input.command.statements[i]
	some column in statement.columns
	protection.place(column) == protection.place(source)
	"nullness" in column.uses
	_kept("nullness", protection.by_tags[column.tags])
	not _planned(statement, column)
	every use in column.uses {
		use in (_bare_uses | {"nullness"})
	}
}

_used[i] contains column if {
	some i, statement in input.command.statements
	some column in statement.columns
	substitution.possible(i, column)
	not _bare(column)
	not lookups.only(i, column)
	not _refreshes(statement)
}

_used[i] contains source if {
	some i, statement in input.command.statements
	some output in statement.outputs
	not protection.direct(output)
	some source in output.sources
	substitution.possible(i, source)
}

# All that is reached from what is replaced by way of outputs that show one of several columns.
_beside[i] := graph.reachable(_shown[i], {protection.place(column) | some column in _replaced[i]}) if {
	some i, _ in input.command.statements
}

# Each such output leads to its sources, and they to it.
_shown[i][j] contains protection.place(source) if {
	some i, statement in input.command.statements
	some j, output in statement.outputs
	output.derivation == "verbatim"
	some source in output.sources
}

_shown[i][protection.place(source)] contains j if {
	some i, statement in input.command.statements
	some j, output in statement.outputs
	output.derivation == "verbatim"
	some source in output.sources
}

_refused_source[i] contains source if {
	some i, statement in input.command.statements
	some output in statement.outputs
	not protection.direct(output)
	some source in output.sources
	protection.by_tags[source.tags]
	not substitution.possible(i, source)
	not _harmless(i, source)
}

# It is only shown as it is, or written into.
_bare(column) if {
	every use in column.uses {
		use in _bare_uses
	}
}

_bare_uses := {"output", "write_target", "unique"}

# A use that tells something, of a column that is not substituted.
_telling(column) if {
	spec := protection.by_tags[column.tags]
	some use in column.uses
	not use in _bare_uses
	not _kept(use, spec)
}

# A use that tells something in another way than by what is written.
_deciding(column) if {
	spec := protection.by_tags[column.tags]
	some use in column.uses
	not use in _bare_uses
	use != "write_source"
	not _kept(use, spec)
}

# An output that is computed of it is masked as a whole.
_kept("computed", spec) if spec.on_derived != "refuse"

# Whether a stored value is there is shown by every mask but null, and by a tag's own choice.
_kept("nullness", spec) if {
	spec.on_derived == "mask"
	spec.nullness
}

_kept("nullness", spec) if {
	spec.nullness
	spec.on_derived == "substitute"
	spec.mask.mask != "null"
}

# All that the statement does with the column tells nothing, or is masked as a whole.
_harmless(i, source) if {
	place := protection.place(source)
	place in _accounted[i]
	not place in _told[i]
}

_accounted[i] := {protection.place(column) |
	some column in statement.columns
	some use in column.uses
	use in {"computed", "nullness"}
	not _planned(statement, column)
} if {
	some i, statement in input.command.statements
}

# A plan tells how wide is what would be shown, and what is held on the way, also where only NULL or not is asked.
_planned(statement, column) if {
	statement.verb == "explain"
	"output" in column.uses
	not "computed" in column.uses
}

_computing[i] := {protection.place(column) |
	some column in statement.columns
	"computed" in column.uses
} if {
	some i, statement in input.command.statements
}

_told[i] := {protection.place(column) |
	some column in statement.columns
	_telling(column)
} if {
	some i, statement in input.command.statements
}

# The view's owner decided what it holds, and its columns carry the tags.
_refreshes(statement) if statement.verb == "refresh_materialized_view"

# A unique key over it tells which values are equal: where the holder of a right of its own asks for it.
_constrains(statement, column) if {
	"constraints" in identity.rights
	statement.class == "ddl"
	statement.verb in {"create_index", "alter_table"}
	every use in column.uses {
		use in {"distinct", "unique"}
	}
}
