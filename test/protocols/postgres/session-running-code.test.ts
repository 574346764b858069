// Functions in a cursor or a portal that is open look names up as they run: under the path and the catalog of then, not of its opening.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import pg from "pg";
import { maskProtected, startTestGate, type TestGate } from "./gate.ts";
import { cells, errorOf, extended as x, type Reply, WireClient } from "./wire-client.ts";

let gate: TestGate;
let client: WireClient;

before(async () => {
  gate = await startTestGate(`CREATE SCHEMA a;

CREATE SCHEMA b;

CREATE TABLE a.t AS SELECT 'open' AS v;

CREATE TABLE b.t AS SELECT 'secret' AS v;

CREATE TABLE a.sink (v text);

SET search_path = a;

CREATE FUNCTION a.first() RETURNS text LANGUAGE sql VOLATILE AS 'SELECT max(v) FROM t';

CREATE FUNCTION a.firstp() RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT max(v) FROM t); END';

CREATE FUNCTION a.pinned() RETURNS text LANGUAGE plpgsql STABLE SET search_path = b AS 'BEGIN RETURN (SELECT max(v) FROM t); END';

GRANT ALL ON SCHEMA a TO app;

GRANT ALL ON a.sink TO app;

ALTER ROLE app SET search_path = a;

`);
  gate.classification = { "b.t.v": ["pii"] };
  gate.decide = maskProtected;
});
after(() => gate.close());
beforeEach(async () => {
  client?.end();
  client = await WireClient.open(gate.port, "good");
});
after(() => client.end());

type Told = (string | null | undefined)[];
const told = (replies: readonly Reply[]): Told =>
  replies.flatMap((reply) => (reply.type === "D" ? [cells(reply)[0]] : reply.type === "E" ? [errorOf(reply).M] : []));
const run = async (sql: string): Promise<Told> => told(await client.run(sql));
const send = async (...messages: Buffer[]): Promise<Told> => {
  client.socket.write(Buffer.concat([...messages, x.sync()]));
  return told(await client.until("Z"));
};
const all = (sql: string): Buffer => Buffer.concat([x.parse("", sql), x.bind("", ""), x.execute("")]);
const safe = (rows: Told): void => {
  assert.ok(rows.length > 0);
  for (const row of rows) assert.notEqual(row, "secret");
};

for (const call of ["a.first()", "a.firstp()"])
  describe(`${call} finds its table along the path of then`, () => {
    const declare = `DECLARE c CURSOR FOR SELECT ${call}`;

    it("in a cursor, by one text and by several", async () => {
      safe(await run(`BEGIN; ${declare}; SET LOCAL search_path = b; FETCH ALL FROM c`));
      await run("ROLLBACK");
      await run("BEGIN");
      await run(declare);
      await run("SET LOCAL search_path = b");
      safe(await run("FETCH ALL FROM c"));
    });

    it("in a cursor WITH HOLD at COMMIT", async () => {
      await run("BEGIN");
      await run(`DECLARE c CURSOR WITH HOLD FOR SELECT ${call}`);
      await run("SET LOCAL search_path = b");
      await run("COMMIT");
      safe(await run("FETCH ALL FROM c"));
      const text = `BEGIN; DECLARE d CURSOR WITH HOLD FOR SELECT ${call}; SET LOCAL search_path = b; COMMIT`;
      safe(await run(`${text}; FETCH ALL FROM d`));
      await run("ROLLBACK");
      await run(`DECLARE e CURSOR WITH HOLD FOR SELECT ${call}; SET search_path = b`);
      await run("SET search_path = a");
      safe(await run("FETCH ALL FROM e"));
    });

    it("in a portal", async () => {
      await run("BEGIN");
      await send(x.parse("", `SELECT ${call}`), x.bind("p", ""));
      await run("SET LOCAL search_path = b");
      safe(await send(x.execute("p")));
      await run("ROLLBACK");
      safe(await send(x.parse("s", `SELECT ${call}`), x.bind("p", "s"), all("SET search_path = b"), x.execute("p")));
    });

    it("in what a change returns", async () => {
      await run("BEGIN");
      await send(x.parse("", `INSERT INTO a.sink SELECT ${call} RETURNING v`), x.bind("p", ""));
      await run("SET LOCAL search_path = b");
      safe(await send(x.execute("p")));
    });
  });

it("what a step of the plan keeps was found along the path of its first row", async () => {
  for (const moved of ["SET LOCAL search_path = b; MOVE 1 FROM c", "SET LOCAL search_path = b"]) {
    await run("BEGIN");
    await run("DECLARE c CURSOR FOR SELECT a.firstp() || i FROM generate_series(1, 3) i ORDER BY 1");
    await run(moved);
    await run("MOVE 1 FROM c");
    await run("SET LOCAL search_path = a");
    for (const row of await run("FETCH ALL FROM c")) assert.doesNotMatch(row!, /secret/);
    await run("ROLLBACK");
  }
});

it("what a function has found stays found behind a temporary table that is made later", async () => {
  await run("SET search_path = b");
  await run("CREATE TEMP TABLE other (v text)");
  const calls = async (): Promise<void> => {
    for (const call of ["a.firstp()", "a.pinned()"]) safe(await run(`SELECT ${call}`));
  };
  await calls();
  await run("CREATE TEMP TABLE t AS SELECT 'mine' AS v");
  await calls();
  await run("DROP TABLE pg_temp.t");
  await calls();
});

describe("a change of the catalog", () => {
  it("counts: a table that is no longer there for the function to find", async () => {
    await run("SET search_path = b");
    await run("CREATE TEMP TABLE t (v text)");
    await run("BEGIN");
    await run("DECLARE c CURSOR FOR SELECT a.firstp()");
    await run("ALTER TABLE pg_temp.t RENAME TO o");
    safe(await run("FETCH ALL FROM c"));
  });

  it("counts: another body", async () => {
    const body = (what: string): string =>
      `CREATE OR REPLACE FUNCTION a.h() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN ${what}; END'`;
    await run(body("''x''"));
    await run("BEGIN");
    await run("DECLARE c CURSOR FOR SELECT a.h()");
    await send(x.parse("", "SELECT a.h()"), x.bind("p", ""));
    await run(body("(SELECT max(v) FROM b.t)"));
    safe(await run("FETCH ALL FROM c"));
    safe(await send(x.execute("p")));
    await run("ROLLBACK");
    safe(
      await send(x.parse("", "SELECT a.h()"), x.bind("p", ""), all(body("(SELECT max(v) FROM b.t)")), x.execute("p")),
    );
  });
});

it("another body that was made past the gate counts for the next FETCH", async () => {
  const past = new pg.Client({ connectionString: gate.server.url("app", "shop") });
  await past.connect();
  const body = (what: string): string =>
    `CREATE OR REPLACE FUNCTION a.g() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN ${what}; END'`;
  await past.query(body("''x''"));
  await run("BEGIN");
  await run("DECLARE c CURSOR FOR SELECT a.g()");
  await past.query(body("(SELECT max(v) FROM b.t)"));
  await past.end();
  safe(await run("SELECT v FROM b.t; FETCH ALL FROM c"));
});

it("what means the same goes on, whatever else changes", async () => {
  await run("BEGIN");
  await run("DECLARE h CURSOR WITH HOLD FOR SELECT a.first() FROM generate_series(1, 3)");
  await run("DECLARE c CURSOR FOR SELECT a.firstp() FROM generate_series(1, 3)");
  await send(x.parse("", "SELECT a.first() FROM generate_series(1, 4)"), x.bind("p", ""));
  assert.deepEqual(await send(x.execute("p", 1)), ["open"]);
  await run("CREATE TEMP TABLE mine (i int)");
  await run("SELECT * FROM mine");
  assert.deepEqual(await run("FETCH 1 FROM c"), ["open"]);
  assert.deepEqual(await send(x.execute("p", 1)), ["open"]);
  await run("SET LOCAL search_path = a, b");
  assert.deepEqual(await run("FETCH 1 FROM c; FETCH 1 FROM c"), ["open", "open"]);
  assert.deepEqual(await send(x.execute("p", 1)), ["open"]);
  assert.deepEqual(await run("SELECT 'x' FROM mine; FETCH 1 FROM p"), ["open"]);
  assert.deepEqual(await run("FETCH 1 FROM h"), ["open"]);
  await run("COMMIT");
  await run("CREATE TEMP TABLE more (i int)");
  for (let i = 0; i < 2; i++) assert.deepEqual(await run("FETCH 1 FROM h"), ["open"]);
});
