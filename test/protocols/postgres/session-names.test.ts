// Ways in which a name could stand for something else than the gate judged: each would show a protected value, or refuse a harmless one.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import pg from "pg";
import { allow, maskProtected, startTestGate, type TestGate } from "./gate.ts";
import { callOf, cells, extended as x, frame, type Reply, refusal, types, WireClient } from "./wire-client.ts";

let gate: TestGate;
let client: WireClient;
const read = "SELECT upper(v) FROM t";

before(async () => {
  gate = await startTestGate(`CREATE SCHEMA a;

CREATE SCHEMA b;

CREATE TABLE a.t AS SELECT 'open' AS v;

CREATE TABLE b.t AS SELECT 'secret' AS v;

CREATE TABLE b.lone AS SELECT 'secret' AS v;

CREATE TABLE b.pair AS SELECT 'open' AS o, 'secret' AS s;

CREATE ROLE r;

GRANT r TO app;

GRANT USAGE ON SCHEMA b TO r;

GRANT SELECT ON ALL TABLES IN SCHEMA a, b TO r;

ALTER ROLE app SET search_path = a;

`);
  gate.classification = { "b.t.v": ["pii"], "b.lone.v": ["pii"], "b.pair.s": ["pii"] };
});
after(() => gate.close());
beforeEach(async () => {
  client?.end();
  gate.decide = maskProtected;
  client = await WireClient.open(gate.port, "good");
});
after(() => client.end());

const values = (replies: readonly Reply[]): (string | null)[] =>
  replies.filter((reply) => reply.type === "D").map((reply) => cells(reply)[0]!);
const run = async (sql: string): Promise<(string | null)[]> => values(await client.run(sql));
const send = async (...messages: Buffer[]): Promise<Reply[]> => {
  client.socket.write(Buffer.concat([...messages, x.sync()]));
  return client.until("Z");
};
const all = (sql: string): Buffer => Buffer.concat([x.parse("", sql), x.bind("", ""), x.execute("")]);

describe("a change of the path", () => {
  it("counts within a pipeline", async () => {
    assert.deepEqual(values(await send(all("SET search_path = b"), all(read))), ["[redacted]"]);
    assert.deepEqual(values(await send(all("SET search_path = a"), all(read))), ["OPEN"]);
  });

  it("counts within a text, and its transaction's end takes it back", async () => {
    assert.deepEqual(await run(`BEGIN; SET LOCAL search_path = b; ${read}; COMMIT; ${read}`), ["[redacted]", "OPEN"]);
    assert.deepEqual(await run(`SET search_path = b; ${read}`), ["[redacted]"]);
  });

  it("counts from a statement that was only suspended", async () => {
    const sql = "SELECT set_config('search_path', 'b', false) FROM generate_series(1, 2)";
    await send(x.parse("", sql), x.bind("", ""), x.execute("", 1));
    assert.deepEqual(await run(read), ["[redacted]"]);
  });

  it("counts from a parameter of EXECUTE, from a function call, and from DO", async () => {
    await run("PREPARE p(text) AS SELECT $1");
    await run("EXECUTE p(set_config('search_path', 'b', false))");
    assert.deepEqual(await run(read), ["[redacted]"]);
    await run("SET search_path = a; DO $$ BEGIN PERFORM set_config('search_path', 'b', false); END $$");
    assert.deepEqual(await run(read), ["[redacted]"]);
  });

  it("counts under a name that is computed", async () => {
    await run("SELECT set_config('search_' || 'path', 'b', false)");
    assert.deepEqual(await run(read), ["[redacted]"]);
    await run("RESET ALL");
    assert.deepEqual(await run(read), ["OPEN"]);
  });

  // Of the role the server tells nothing by itself; under it the first schema of the path is not found.
  it("by the role counts as well: suspended, computed, and from a function call", async () => {
    await run("SET search_path = a, b");
    const suspended = "SELECT set_config('role', 'r', false) FROM generate_series(1, 2)";
    await send(x.parse("", suspended), x.bind("", ""), x.execute("", 1));
    assert.deepEqual(await run(read), ["[redacted]"]);
    await run("RESET ROLE");
    assert.deepEqual(await run(read), ["OPEN"]);
    await run("SELECT set_config('ro' || 'le', 'r', false)");
    assert.deepEqual(await run(read), ["[redacted]"]);
    await run("RESET ROLE");
    assert.deepEqual(await run(read), ["OPEN"]);
    client.socket.write(callOf(2078, ["role", "r", "f"]));
    await client.until("Z");
    assert.deepEqual(await run(read), ["[redacted]"]);
  });

  it("is taken back by a ROLLBACK at the begin of a text", async () => {
    await run("SET search_path = b");
    await run("SELECT 1 FROM t");
    await run("BEGIN; SET search_path = a");
    assert.deepEqual(await run(`ROLLBACK; ${read}`), ["[redacted]"]);
  });

  it("is taken back to where its own transaction began, not one before it", async () => {
    await run("BEGIN");
    await run("SET search_path = b");
    await run("COMMIT AND CHAIN");
    assert.deepEqual(await run(`ROLLBACK; ${read}`), ["[redacted]"]);
    await run("RESET ALL");
    await run("SELECT 1 FROM t");
    await run("BEGIN; SET search_path = b; COMMIT; BEGIN; SET search_path = a");
    assert.deepEqual(await run(`ROLLBACK; ${read}`), []);
    await run("ROLLBACK");
    assert.deepEqual(await run(read), ["[redacted]"]);
  });

  it("for a transaction ends with the Sync of a pipeline without BEGIN", async () => {
    await run("SET search_path = b");
    for (const local of ["SET LOCAL search_path = a", "SELECT set_config('search_path', 'a', true)"]) {
      await send(all(local), all(read));
      assert.deepEqual(await run(read), ["[redacted]"], local);
      client.socket.write(Buffer.concat([all(local), all(read), x.sync()]));
      assert.deepEqual(values(await send(all(read))).slice(-1), ["OPEN"], local);
      assert.deepEqual(values(await client.until("Z")), ["[redacted]"], local);
    }
  });

  it("finds no schema that the role may not use", async () => {
    await run("BEGIN");
    await run("SET LOCAL ROLE r");
    await run("SET LOCAL search_path = a, b");
    assert.deepEqual(await run(read), ["[redacted]"]);
    await run("ROLLBACK");
    assert.deepEqual(await run(`SET ROLE r; SET search_path = a, b; ${read}`), ["[redacted]"]);
  });

  it("may hold what is a comment elsewhere", async () => {
    await run("BEGIN");
    await run("SELECT set_config('search_path', 'b--,a', true)");
    await run("CREATE TABLE a.made (i int)");
    assert.deepEqual(await run(read), ["OPEN"]);
    assert.deepEqual(await run("SHOW search_path"), ["b--,a"]);
    await run("ROLLBACK");
  });

  it("leaves SET TRANSACTION possible", async () => {
    await run("BEGIN");
    await run("SET LOCAL search_path = b");
    assert.equal(types(await client.run("LOCK TABLE t IN ACCESS SHARE MODE")), "C Z");
    assert.equal(types(await client.run("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")), "C Z");
    assert.deepEqual(await run(read), ["[redacted]"]);
    await run("ROLLBACK");
  });
});

describe("a prepared statement", () => {
  it("means what its names mean when it is executed, whoever prepared it", async () => {
    await run(`PREPARE p AS ${read}`);
    await send(x.parse("q", read));
    await run("SET search_path = b");
    assert.deepEqual(await run("EXECUTE p"), ["[redacted]"]);
    assert.deepEqual(await run("EXECUTE q"), ["[redacted]"]);
    assert.deepEqual(values(await send(x.bind("", "p"), x.execute(""))), ["[redacted]"]);
    assert.deepEqual(values(await send(x.bind("", "q"), x.execute(""))), ["[redacted]"]);
  });

  it("keeps its reading although a temporary table now shadows its own", async () => {
    await run("SET search_path = b; CREATE TEMP TABLE other (i int)");
    await run("PREPARE p AS SELECT upper(v) FROM lone");
    await run("EXECUTE p");
    await run("CREATE TEMP TABLE lone AS SELECT 'open' AS v");
    assert.deepEqual(await run("EXECUTE p"), ["[redacted]"]);
    assert.deepEqual(await run("SELECT upper(v) FROM lone"), ["OPEN"]);
  });

  it("is looked up by EXECUTE in a portal when that is executed", async () => {
    await run(`BEGIN; PREPARE p AS ${read}`);
    await send(x.parse("e", "EXECUTE p"), x.bind("e", "e"));
    await run("DEALLOCATE p");
    await run("PREPARE p AS SELECT upper(v) FROM b.t");
    assert.deepEqual(values(await send(x.execute("e"))), ["[redacted]"]);
  });

  it("has SQL's EXECUTE run what the protocol prepared, if it has a plan", async () => {
    await send(x.parse("s", read), x.parse("v", "VALUES ('one')"), x.parse("p", "SELECT $1::text"));
    assert.deepEqual(await run("EXECUTE s"), ["OPEN"]);
    assert.deepEqual(await run("SET search_path = b; EXECUTE s; EXECUTE v; EXECUTE p('two')"), [
      "[redacted]",
      "one",
      "two",
    ]);
    await run("SET search_path = a");
    assert.match((await run("EXPLAIN EXECUTE s"))[0]!, /^Seq Scan/);
  });

  for (const utility of ["SET search_path = a", "EXECUTE x", "COPY (SELECT v FROM b.t) TO STDOUT", "EXPLAIN SELECT 1"])
    it(`has SQL's EXECUTE run nothing else: ${utility}`, async () => {
      gate.decide = () => allow();
      await run("SET search_path = b; PREPARE x AS SELECT v FROM t");
      await send(x.parse("s", utility));
      for (const sql of [
        "EXECUTE s",
        "EXPLAIN EXECUTE s",
        "EXECUTE x; EXECUTE s",
        "CREATE TEMP TABLE z AS EXECUTE s",
      ]) {
        const refused = refusal(await client.run(sql));
        assert.equal(refused.R, "EXECUTE_UTILITY", sql);
        assert.match(refused.H!, /bind it by the protocol/);
      }
      await send(x.closeStatement("s"), x.parse("s", "SELECT 'again'"));
      assert.deepEqual(await run("EXECUTE s"), ["again"]);
    });

  it("that stood for a query when an EXECUTE of it was bound is not known when it stands for anything else", async () => {
    await send(x.parse("s", "SELECT 'x'"), x.parse("l", "EXECUTE s"));
    await run("SET search_path = b");
    await run("DEALLOCATE s");
    await send(x.parse("s", "SET search_path = a"));
    assert.equal(refusal(await send(x.bind("", "l"), x.execute(""))).R, "unknown");
    assert.deepEqual(await run(read), ["[redacted]"]);
  });

  it("that code gave another meaning is not what it was", async () => {
    await send(x.parse("s", read));
    await run("DO $$ BEGIN EXECUTE 'DEALLOCATE s'; EXECUTE 'PREPARE s AS SELECT upper(v) FROM b.t'; END $$");
    assert.deepEqual(values(await send(x.bind("", "s"), x.execute(""))), []);
    assert.deepEqual(await run("EXECUTE s"), []);
    await send(x.parse("k", read));
    await run("DO $$ BEGIN END $$");
    assert.deepEqual(values(await send(x.bind("", "k"), x.execute(""))), ["OPEN"]);
  });

  it("has the first 63 bytes of its name", async () => {
    const name = "n".repeat(63);
    await send(x.parse(`${name}1`, read));
    await send(x.closeStatement(`${name}2`), x.parse(`${name}2`, "SELECT upper(v) FROM b.t"));
    assert.deepEqual(values(await send(x.bind("", `${name}1`), x.execute(""))), ["[redacted]"]);
    const wide = `${"n".repeat(62)}é`;
    await run(`PREPARE "${wide}" AS ${read}`);
    assert.deepEqual(values(await send(x.bind("", "n".repeat(62)), x.execute(""))), ["OPEN"]);
  });

  it("that is closed and parsed anew at once is the new one", async () => {
    await send(x.parse("s", read));
    await send(x.closeStatement("s"), x.parse("s", "SELECT 'new'"));
    assert.deepEqual(values(await send(x.bind("", "s"), x.execute(""))), ["new"]);
  });
});

describe("a cursor", () => {
  it("and a portal of one name are one", async () => {
    await run(`BEGIN; DECLARE c CURSOR FOR ${read}`);
    await run("COMMIT");
    await run("BEGIN");
    await send(x.parse("", "SELECT upper(v) FROM b.t"), x.bind("c", ""));
    assert.deepEqual(await run("FETCH ALL FROM c"), ["[redacted]"]);
    await run("CLOSE c");
    await run(`DECLARE c CURSOR FOR ${read}`);
    assert.deepEqual(values(await send(x.execute("c"))), ["OPEN"]);
    await send(frame("C", "Pc\0"));
    await run("DECLARE c CURSOR FOR SELECT upper(v) FROM b.t");
    assert.deepEqual(values(await send(x.execute("c"))), ["[redacted]"]);
  });

  it("of an EXECUTE in a portal is for the protocol alone", async () => {
    await run(`BEGIN; PREPARE p AS ${read}`);
    await send(x.parse("e", "EXECUTE p"), x.bind("e", "e"));
    await run("DEALLOCATE p");
    await run("PREPARE p AS SELECT upper(v) FROM b.t");
    assert.equal(refusal(await client.run("FETCH ALL FROM e")).R, "EXECUTE_UTILITY");
    await run("ROLLBACK; BEGIN");
    await send(x.parse("q", read), x.bind("q", "q"), x.parse("s", "SHOW search_path"), x.bind("s", "s"));
    assert.deepEqual(await run("FETCH ALL FROM q; FETCH ALL FROM s"), ["OPEN", "a"]);
  });

  it("stays what it was opened on", async () => {
    await run(`DECLARE c CURSOR WITH HOLD FOR SELECT upper(v) FROM b.t`);
    await run("ALTER TABLE b.t RENAME v TO was");
    await run("ALTER TABLE a.t RENAME TO elsewhere");
    assert.deepEqual(await run("FETCH ALL FROM c"), ["[redacted]"]);
    await run("ALTER TABLE b.t RENAME was TO v");
    await run("ALTER TABLE a.elsewhere RENAME TO t");
  });
});

describe("a change of the catalog", () => {
  const swap = "ALTER TABLE a.t RENAME TO s; ALTER TABLE b.t SET SCHEMA a";

  it("that a ROLLBACK TO takes back is taken back", async () => {
    await run("BEGIN; SAVEPOINT s");
    await run(swap);
    assert.deepEqual(await run(read), ["[redacted]"]);
    await run("ROLLBACK TO s");
    assert.deepEqual(await run(read), ["OPEN"]);
    await run("ROLLBACK");
  });

  it("in a pipeline is not passed over", async () => {
    const replies = await send(all("ALTER TABLE a.t RENAME TO s"), all("ALTER TABLE b.t SET SCHEMA a"), all(read));
    assert.equal(refusal(replies).R, "SESSION_STATE_UNSURE");
    assert.deepEqual(await run(read), ["OPEN"]);
  });

  it("by its own transaction is seen within a segment, whatever came before", async () => {
    const first = [x.flush(), all("SAVEPOINT s"), all("SET application_name = 'x'"), frame("C", "Pc\0")];
    await run("SET search_path = b; CREATE TEMP TABLE t AS SELECT 'open' AS v");
    assert.deepEqual(await run(read), ["OPEN"]);
    for (const message of first) {
      await run("BEGIN");
      await run("DROP TABLE pg_temp.t");
      assert.deepEqual(values(await send(message, all(read))), ["[redacted]"]);
      await run("ROLLBACK");
    }
    client.socket.write(Buffer.concat([all("BEGIN"), all("DROP TABLE pg_temp.t"), all("SELECT 1"), x.sync()]));
    assert.deepEqual(values(await send(x.flush(), all(read))), ["1"]);
    assert.deepEqual(values(await client.until("Z")), ["[redacted]"]);
    assert.deepEqual(values(await send(all("ROLLBACK"), all(read))), ["OPEN"]);
  });

  it("that a pipeline commits is not passed over", async () => {
    await run("SET search_path = b");
    for (const behind of ["COMMIT", "COMMIT; BEGIN"]) {
      await run("CREATE TEMP TABLE t AS SELECT 'open' AS v");
      assert.deepEqual(await run(read), ["OPEN"]);
      const ends = behind.split("; ").map(all);
      const replies = await send(all("DROP TABLE pg_temp.t"), ...ends, all(read));
      assert.equal(refusal(replies).R, "SESSION_STATE_UNSURE");
      await run("ROLLBACK");
      assert.deepEqual(await run(read), ["[redacted]"]);
    }
    await run("CREATE TEMP TABLE t AS SELECT 'open' AS v");
    await run("BEGIN");
    await run("DROP TABLE pg_temp.t");
    assert.deepEqual(values(await send(all("COMMIT"), all(read))), ["[redacted]"]);
  });

  it("by somebody else is seen by a transaction that changed it itself", async () => {
    const direct = new pg.Client({ connectionString: gate.server.url("app", "shop") });
    await direct.connect();
    const other = await WireClient.open(gate.port, "good");
    await run("BEGIN");
    await run("CREATE TEMP TABLE other (i int)");
    assert.deepEqual(await run(read), ["OPEN"]);
    const swap = "ALTER TABLE b.pair RENAME o TO x; ALTER TABLE b.pair RENAME s TO o; ALTER TABLE b.pair RENAME x TO s";
    await direct.query(swap);
    await other.run("SELECT 1 FROM t");
    assert.deepEqual(await run("SELECT upper(o) FROM b.pair"), ["[redacted]"]);
    await run("ROLLBACK");
    await direct.query(swap);
    await direct.end();
    other.end();
  });

  it("that a ROLLBACK takes back at the begin of a text makes the rest unknown", async () => {
    await run("BEGIN");
    await run("ALTER TABLE b.t RENAME TO s; CREATE TABLE b.t AS SELECT 'open' AS v");
    assert.deepEqual(await run("ROLLBACK; SELECT upper(v) FROM b.t"), []);
    await run("ROLLBACK");
  });
});

describe("settings", () => {
  it("under which statements mean something else are refused", async () => {
    for (const sql of [
      "SET transform_null_equals = on",
      "SELECT set_config('plpgsql.variable_conflict', 'use_column', false)",
      "SET extra_float_digits = -1",
    ])
      assert.equal(refusal(await client.run(sql)).R, "SETTING_CHANGES_MEANING", sql);
    assert.equal(types(await client.run("SET transform_null_equals = off")), "C Z");
    for (const value of ["0", "3", "DEFAULT"])
      assert.equal(types(await client.run(`SET extra_float_digits = ${value}`)), "C Z");
  });

  it("whose value nobody sees are asked for, and nothing in the same text is judged by them", async () => {
    const text = await client.run(`SELECT set_config('extra_float_digits', '-' || '1', false); ${read}`);
    assert.notEqual(refusal(text).R, undefined);
    await client.run("SELECT set_config('extra_float_digits', '-' || '1', false)");
    client.query(read);
    assert.equal(refusal(await client.until("E")).R, "SETTING_CHANGES_MEANING");
  });

  it("that code made so end the session", async () => {
    await run("DO $$ BEGIN PERFORM set_config('transform_' || 'null_equals', 'on', false); END $$");
    client.query(read);
    const replies = await client.until("E");
    assert.equal(refusal(replies).R, "SETTING_CHANGES_MEANING");
  });
});

it("what runs in the place of a refused command is no portal of the client's", async () => {
  gate.decide = (input) =>
    (input.command?.statements[0]?.verb === "delete"
      ? { action: "block", reasons: [{ code: "no", message: "no", hint: null }] }
      : allow()) as never;
  const insert = [x.parse("", "INSERT INTO a.t VALUES ('taken')"), x.bind("refused by the gate", ""), x.flush()];
  assert.notEqual(refusal(await send(...insert, x.parse("", "DELETE FROM a.t"))).C, undefined);
  assert.deepEqual(await run("SELECT count(*) FROM a.t WHERE v = 'taken'"), ["0"]);
});

it("no name of the gate's own can be taken", async () => {
  assert.equal(refusal(await send(x.parse("regate: a question of the gate", "SELECT 1"))).C, "08P01");
});
