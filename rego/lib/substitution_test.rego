package lib.substitution_test

import data.lib.samples_test as samples
import data.lib.substitution

specs := {"pii": {"mask": "partial", "keep_last": 4}, "pci": {"mask": "hash"}}

relation(name, access) := {"schema": "public", "name": name, "kind": "table", "access": access, "via": [], "tags": ["pii"]}

# A column of customers with these tags, in a statement that does that with the table.
asked(tags, access) := samples.command(
	[samples.statement({
		"relations": [relation("customers", access), relation("others", ["delete"])],
		"columns": [samples.column("email", tags, ["filter"])],
	})],
	[],
	[],
)

possible(tags, access) if {
	substitution.possible(0, samples.column("email", tags, ["filter"])) with input as asked(tags, access)
		with data.masks as specs
}

test_of_a_relation_that_is_only_read if {
	possible(["pii"], ["select"])
	not possible(["pii"], ["insert"])
	not possible(["pii"], ["select", "update"])
	not possible(["pii"], ["select", "delete"])
	not possible(["pii"], ["select", "merge"])
}

# A column of customers that a statement with this verb, which reads and inserts into it, uses so.
returned(verb, uses) if {
	statement := samples.statement({
		"verb": verb,
		"relations": [relation("customers", ["insert", "select"])],
		"columns": [samples.column("email", ["pii"], uses)],
	})
	not substitution.possible(0, samples.column("email", ["pii"], uses)) with input as samples.command([statement], [], [])
		with data.masks as specs
}

test_not_of_the_rows_that_an_insert_returns if {
	returned("insert", ["output", "computed", "write_target"])
	returned("insert", ["output", "nullness", "unique"])
	not returned("insert", ["output", "filter", "write_target"])
	not returned("insert", ["computed", "write_source"])
	not returned("insert", ["computed"])
	not returned("select", ["output", "computed"])
}

test_of_what_sql_can_mask if not possible(["pci"], ["select"])

test_of_what_is_protected if not possible(["masked"], ["select"])

test_it_names_column_mask_and_code if {
	column := samples.column("email", ["pii"], ["filter"])
	made := substitution.of(0, column) with input as asked(["pii"], ["select"]) with data.masks as specs
	made == {
		"statement": 0,
		"schema": "public",
		"table": "customers",
		"column": "email",
		"mask": "partial",
		"keep_last": 4,
		"code": "tag-pii",
	}
}
