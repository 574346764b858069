package policies.reads_test

import data.lib.samples_test as samples
import data.policies.reads

test_it_allows[note] if {
	some note, class in {"reads": "read", "transactions": "transaction", "sessions": "session"}
	statement := samples.statement({"class": class})
	reasons := reads.allow with input as samples.command([samples.statement({"class": "other"}), statement], [], [])
	{reason.subject | some reason in reasons} == {1}
}

test_it_allows_a_session_to_start if {
	samples.codes(reads.allow) == {"connect"} with input as samples.connect
}

test_it_allows_an_empty_command if {
	samples.codes(reads.allow) == {"empty"} with input as samples.command([], [], [])
}

test_it_allows_a_described_result if {
	samples.codes(reads.allow) == {"result"} with input as {"stage": "result", "result": {"columns": []}}
}

test_it_allows_nothing_else[class] if {
	some class in ["write", "ddl", "dcl", "code", "maintenance", "unknown", ""]
	count(reads.allow) == 0 with input as samples.command([samples.statement({"class": class})], [], [])
}

test_replication_is_blocked if {
	statement := samples.statement({"verb": "start_replication"})
	samples.codes(reads.block) == {"replication"} with input as samples.command([statement], [], [])
}
