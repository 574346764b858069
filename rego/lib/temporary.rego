# METADATA
# title: Temporary tables
# description: They are the session's own, gone with it, and seen by nobody else.
# scope: package
package lib.temporary

# METADATA
# title: Is a temporary table what a statement is about?
# description: Other relations have at most the access that is given.
alone(statement, beside) if {
	some relation in statement.relations
	_own(relation)
	every other in statement.relations {
		_own_or_beside(other, beside)
	}
}

_own(relation) if relation.schema == "pg_temp"

_own_or_beside(relation, _) if _own(relation)

_own_or_beside(relation, beside) if {
	every access in relation.access {
		access in beside
	}
}
