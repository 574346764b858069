// What the starter policy lets a protected column be used for beside being shown, tag by tag, through a gate and on a real server.
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { startGate } from "../support/gate.ts";
import { extended as x, types, WireClient } from "../protocols/postgres/wire-client.ts";
import { startServer } from "../support/server.ts";

const server = await startServer({ auth: "trust" });
const direct = new pg.Client(server.url("postgres", "shop"));
direct.on("error", () => undefined);
await direct.connect();
await direct.query(`
  CREATE TABLE staff (id int PRIMARY KEY, name text, mail text UNIQUE, badge text, pay numeric, room text, note text);
  INSERT INTO staff VALUES (1, 'ann', 'ann@x.example', 'b1', 10, 'r1', 'n1'), (2, 'bob', 'bob@x.example', 'b2', NULL, 'r2', 'n2'),
    (3, 'cat', 'cat@x.example', 'b3', 30, 'r3', 'n3');
  CREATE TABLE sizes (id int PRIMARY KEY, size int);
  INSERT INTO sizes VALUES (1, 170), (2, NULL);
  CREATE VIEW failing AS SELECT id, 1 / (size - 170) AS f FROM sizes;
  CREATE VIEW more_of AS SELECT s.id, (SELECT z.size / length(s.mail) FROM sizes z WHERE z.id = s.id) AS of FROM staff s WHERE s.mail LIKE '%';
  GRANT SELECT ON sizes, failing, more_of TO app;
  CREATE TABLE b1 ();
  CREATE TABLE visits (id int PRIMARY KEY, seen timestamptz, day date, at timestamp, mood money);
  INSERT INTO visits VALUES (1, '2024-01-01 05:00+00', '2024-01-02', '2024-01-01 05:00', 1);
  CREATE TABLE twins (id int PRIMARY KEY, code text, free text);
  INSERT INTO twins VALUES (1, 'same', 'same');
  GRANT SELECT ON visits TO app;
  GRANT SELECT, INSERT ON twins TO app;
  GRANT SELECT, INSERT, UPDATE ON staff TO app`);
after(() => direct.end());
const gate = await startGate({
  policy: fileURLToPath(new URL("../../rego", import.meta.url)),
  data: {
    classification: {
      shop: {
        "public.staff.mail": ["pii"],
        "public.staff.badge": ["badge"],
        "public.staff.pay": ["pay"],
        "public.staff.room": ["room"],
        "public.staff.note": ["note"],
        "public.twins.code": ["twin"],
        "public.twins.free": ["free"],
        "public.sizes.size": ["pii"],
        "public.visits.seen": ["moment"],
        "public.visits.day": ["moment"],
        "public.visits.at": ["moment"],
        "public.visits.mood": ["moment"],
      },
    },
    masks: {
      pii: { mask: "redact" },
      badge: { mask: "redact", lookup: { budget: 2 } },
      moment: { mask: "null", lookup: { budget: 2 } },
      twin: { mask: "hash" },
      free: { mask: "hash", writes: "allow" },
      pay: { mask: "null", on_derived: "mask" },
      room: { mask: "redact", on_derived: "refuse", writes: "refuse" },
      note: { mask: "redact", on_derived: "refuse", lookup: true },
    },
    grants: { pii: ["privacy"] },
  },
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
});

const clients: pg.Client[] = [];
after(() => Promise.all(clients.map((each) => each.end())));
let opened = 0;
/** A subject of its own each time: nothing was looked up before. */
async function session(subject = `agent:${++opened}`, groups: string[] = []): Promise<pg.Client> {
  const client = new pg.Client(await gate.url("shop", { subject, groups }));
  await client.connect();
  // The gate is closed first.
  client.on("error", () => undefined);
  clients.push(client);
  return client;
}
const client = await session();

async function rows(text: string, values?: unknown[], by = client): Promise<unknown[][]> {
  return (await by.query<unknown[]>({ text, ...(values === undefined ? {} : { values }), rowMode: "array" })).rows;
}
async function refused(text: string, code: string, by = client, values?: unknown[]): Promise<void> {
  await assert.rejects(by.query(text, values), ({ detail }: pg.DatabaseError) => {
    assert.ok(detail?.startsWith(code), `${text}: ${detail}`);
    return true;
  });
}

describe("on_derived", () => {
  it("whether a value is there is told of what is stored, also where its mask is NULL", async () => {
    assert.deepEqual(await rows("SELECT count(size)::int, count(*)::int FROM sizes"), [[1, 2]]);
    assert.deepEqual(await rows("SELECT id, size IS NULL FROM sizes ORDER BY 1"), [
      [1, false],
      [2, true],
    ]);
    assert.deepEqual(await rows("SELECT id FROM sizes s WHERE s IS NULL OR size IS NOT NULL"), [[1]]);
  });
  it("how many rows there are is told whatever is in them", async () => {
    for (const counted of ["s", "s.*"])
      assert.deepEqual(await rows(`SELECT count(${counted})::int FROM staff s`), [[3]]);
    assert.deepEqual(
      await rows("SELECT v.id, count(s)::int FROM visits v LEFT JOIN staff s ON s.id = v.id + 2 GROUP BY v.id"),
      [[1, 1]],
    );
    await refused("SELECT count(CASE WHEN s.room = 'r1' THEN s END) FROM staff s", "protected-derived");
    await refused("SELECT count(DISTINCT s) FROM staff s", "protected-");
    // What is computed for the row may fail.
    assert.deepEqual(await rows("SELECT count(v)::int, count(*)::int FROM failing v"), [[2, 2]]);
  });
  it("substitute: what the definition of a view brings is replaced as well", async () => {
    assert.deepEqual(await rows("SELECT id FROM more_of ORDER BY id"), [[1], [2], [3]]);
    assert.deepEqual(await rows("SELECT id FROM more_of WHERE id = $1", [2]), [[2]]);
  });
  it("substitute: the statement sees masked values", async () => {
    assert.deepEqual(await rows("SELECT upper(mail), count(*)::int FROM staff GROUP BY mail"), [["[REDACTED]", 3]]);
    assert.deepEqual(await rows("SELECT id FROM staff WHERE mail = 'ann@x.example'"), []);
  });

  it("substitute: what is shown beside masked values is replaced, too", async () => {
    const text = "SELECT id, mail FROM staff UNION ALL SELECT id, badge FROM staff WHERE badge > ''";
    for (const whole of [text, `SELECT id, mail FROM (${text}) x ORDER BY id`]) {
      const shown = await rows(whole);
      assert.equal(shown.length, 6);
      assert.deepEqual(new Set(shown.map(([, value]) => value)), new Set(["[redacted]"]));
    }
  });

  it("mask: what cannot fail is NULL, and whether it is there may be told", async () => {
    assert.deepEqual(await rows("SELECT id, pay > 20, pay::text || 'x' FROM staff WHERE pay IS NOT NULL ORDER BY id"), [
      [1, null, null],
      [3, null, null],
    ]);
    assert.deepEqual(await rows("SELECT count(pay)::int, count(*)::int FROM staff"), [[2, 3]]);
    assert.deepEqual(await rows("SELECT max(pay), count(*)::int FROM staff"), [[null, 3]]);
  });

  it("mask: anything else is refused", async () => {
    await refused("SELECT 1 / pay FROM staff", "protected-derived");
    for (const text of ["WHERE pay > 20", "ORDER BY pay", "GROUP BY pay", "WHERE pay = 10"])
      await refused(`SELECT count(*) FROM staff ${text}`, "protected-use");
    await refused("SELECT generate_series(1, pay) FROM staff", "protected-derived");
    await refused("SELECT id, unnest(array_fill(1, ARRAY[pay::int])) FROM staff", "protected-derived");
  });

  for (const query of [
    "SELECT pay FROM staff WHERE pay IS NULL",
    "SELECT count(pay) FROM staff",
    "SELECT s.id FROM staff s JOIN staff o ON s.pay IS NULL OR o.id > 1",
  ])
    it(`mask: a plan does not tell how wide the column is: ${query}`, async () => {
      await refused(`EXPLAIN ${query}`, "protected-derived");
      await refused(`EXPLAIN (ANALYZE) ${query}`, "protected-derived");
      assert.match(String(await rows(`EXPLAIN (COSTS off) ${query}`)), /Seq Scan/);
    });

  it("mask: nothing of it is shown behind columns that only the server knows", async () => {
    const unknown = "((NULL::staff[])[1]).*";
    const nulls = [null, null, null, null, null, null, null];
    assert.deepEqual(await rows(`SELECT ${unknown}, pay, pay::text || 'x', id FROM staff WHERE id = 1`), [
      [...nulls, null, null, null],
    ]);
    assert.deepEqual(await rows(`SELECT id, pay::text || 'x', ${unknown}, pay FROM staff WHERE id = 1`), [
      [1, null, ...nulls, null],
    ]);
  });

  it("refuse: all but the column itself", async () => {
    assert.deepEqual(await rows("SELECT room FROM staff WHERE id = 1"), [["[redacted]"]]);
    await refused("SELECT lower(room) FROM staff", "protected-derived");
    await refused("SELECT id FROM staff WHERE room IS NULL", "protected-use");
  });

  it("of what a statement changes the rows are not chosen by it", async () => {
    await refused("UPDATE staff SET name = 'x' WHERE mail = 'ann@x.example'", "protected-use");
    assert.deepEqual(await rows("UPDATE staff SET name = 'ann' WHERE id = 1 RETURNING mail, lower(mail)"), [
      ["[redacted]", null],
    ]);
  });

  it("of what a statement inserts the same holds", async () => {
    await client.query("BEGIN");
    const text = "INSERT INTO staff (id, name) SELECT 10 * id, 'x' FROM staff WHERE id = 1";
    assert.deepEqual(await rows(`${text} RETURNING mail, mail IS NULL, lower(badge)`), [[null, true, null]]);
    const copied =
      "INSERT INTO staff (id, name) SELECT 100 + id, upper(mail) FROM staff WHERE mail IS NOT NULL ORDER BY id";
    assert.deepEqual((await rows(`${copied} RETURNING name`))[0], ["[REDACTED]"]);
    await client.query("ROLLBACK");
    await refused(`${copied} RETURNING lower(mail)`, "the statement adds rows to public.staff");
  });
});

describe("writes", () => {
  it("what must be unique may not be written by who may not see it, unless cleared", async () => {
    await refused("INSERT INTO staff (id, mail) VALUES (9, 'ann@x.example')", "protected-target");
    await refused("UPDATE staff SET mail = 'ann@x.example' WHERE id = 2", "protected-target");
    await refused("COPY staff (id, mail) FROM STDIN", "protected-target");
    const cleared = await session("human:p", ["privacy"]);
    await assert.rejects(rows("INSERT INTO staff (id, mail) VALUES (9, 'ann@x.example')", [], cleared), {
      code: "23505",
    });
  });

  it("other protected columns may be, unless the tag refuses", async () => {
    await rows("UPDATE staff SET badge = 'b1' WHERE id = 1");
    await refused("UPDATE staff SET room = 'r9' WHERE id = 1", "protected-target");
  });

  it("what keeps equal values equal may not be, since values could be tried out, unless the author allows it", async () => {
    const hint = /"writes" = "allow" beside the mask in data\.masks would allow it; then .* can try out/;
    const guess = "INSERT INTO twins (id, code) VALUES (2, 'same') RETURNING code";
    await assert.rejects(rows(guess), { detail: /^protected-target/, hint });
    const [[stored]] = (await rows("SELECT free FROM twins")) as [[string]];
    assert.deepEqual(await rows("INSERT INTO twins (id, free) VALUES (3, 'same') RETURNING free"), [[stored]]);
  });

  it("a masked value is not written over a protected one", async () => {
    await refused("UPDATE staff s SET badge = (SELECT lower(mail) FROM staff t WHERE t.id = 1) WHERE id = 2", "");
    await refused("INSERT INTO staff (id, badge) SELECT 10, lower(badge) FROM staff WHERE id = 1", "masked-write");
  });
});

describe("lookup", () => {
  it("finds the real values, each of which counts once", async () => {
    const by = await session();
    const look = (badge: string) => rows("SELECT id, badge FROM staff WHERE badge = $1", [badge], by);
    assert.deepEqual(await look("b1"), [[1, "[redacted]"]]);
    assert.deepEqual(await look("b1"), [[1, "[redacted]"]]);
    assert.deepEqual(await look("none"), []);
    await refused("SELECT id FROM staff WHERE badge = $1", "lookup-budget", by, ["b2"]);
    assert.deepEqual(await look("b1"), [[1, "[redacted]"]], "what was tried before is known already");
  });

  it("by literals, parameters and several statements of a text add up, over sessions of a subject", async () => {
    const by = await session("agent:one");
    await by.query("SELECT id FROM staff WHERE badge = 'b1'; SELECT id FROM staff WHERE badge = 'b2'");
    await refused("SELECT id FROM staff WHERE badge = 'b3'", "lookup-budget", await session("agent:one"));
    assert.deepEqual(await rows("SELECT id FROM staff WHERE badge = 'b3'", undefined, await session()), [[3]]);
    await refused(
      "SELECT 1 FROM staff WHERE badge = '1'; SELECT 2 FROM staff WHERE badge = '2'; SELECT 3 FROM staff WHERE badge = '3'",
      "lookup-budget",
      await session(),
    );
  });

  it("by a prepared statement counts each execution", async () => {
    const by = await session();
    const named = (badge: string) =>
      by.query({ name: "look", text: "SELECT id FROM staff WHERE badge = $1", values: [badge] });
    assert.equal((await named("b1")).rowCount, 1);
    assert.equal((await named("b2")).rowCount, 1);
    await assert.rejects(named("b3"), /No more values/);
    assert.equal((await named("b2")).rowCount, 1);
  });

  it("does not pass where the values are not known: EXECUTE, FETCH, parameters of another type", async () => {
    const by = await session();
    await refused("PREPARE p AS SELECT id FROM staff WHERE badge = $1", "lookup-budget", by);
    await by.query("PREPARE q AS SELECT id FROM staff WHERE badge = 'b1'");
    await refused("EXECUTE q", "lookup-budget", by);
    await by.query("BEGIN; DECLARE c CURSOR FOR SELECT id FROM staff WHERE badge = 'b1'");
    await refused("FETCH c", "lookup-budget", by);
    await by.query("ROLLBACK");
    const wire = await WireClient.open(
      Number(gate.postgres.split(":").at(-1)),
      await gate.token({ subject: "agent:w" }),
    );
    after(() => wire.end());
    // Into another type (here name) the column's values might have to be turned, which may fail on them.
    for (const [type, expected] of [
      [25, "1 2 D C Z"],
      [19, "1 E Z"],
    ] as const) {
      const text = "SELECT id FROM staff WHERE id = 1 AND badge = $1";
      wire.socket.write(Buffer.concat([x.parse("", text, [type]), x.bind("", "", ["b1"]), x.execute(""), x.sync()]));
      assert.equal(types(await wire.until("Z")), expected);
    }
    // What SQL prepared, bound by the protocol.
    await wire.run("PREPARE q AS SELECT id FROM staff WHERE badge = 'b1'");
    wire.socket.write(Buffer.concat([x.bind("", "q"), x.execute(""), x.sync()]));
    assert.equal(types(await wire.until("Z")), "E Z");
  });

  it("of moments counts what means the same under all settings; other texts find masked values", async () => {
    const by = await session();
    const look = (text: string, values?: unknown[]) => rows(`SELECT id FROM visits WHERE ${text}`, values, by);
    assert.deepEqual(await look("seen = '2024-01-01 05:00:00+00'"), [[1]]);
    assert.deepEqual(await look("day = '2024-01-02'"), [[1]]);
    assert.deepEqual(await look("day = DATE '2024-01-02'"), [[1]]);
    assert.deepEqual(await look("at = '2024-01-01T05:00'"), [[1]]);
    for (const [text, setting] of [
      ["seen = '2024-01-01 00:00'", "timezone = '<X>5'"],
      ["seen = '2024-01-01 00:00X'", "timezone = '<X>5'"],
      ["seen = '2024-01-01 00:00Z'", "timezone = '<Z>5'"],
      ["seen = '2024-01-01 00:00'::timestamp", "timezone = '<X>5'"],
      ["day = '02/01/2024'", "datestyle = 'ISO, DMY'"],
      ["day = '2024-01-02'::timestamptz", "timezone = 'UTC'"],
      ["mood = '1'", "timezone = 'UTC'"],
    ] as const) {
      await by.query(`SET ${setting}`);
      assert.deepEqual(await look(text), [], text);
    }
    await by.query("SET timezone = '<X>5'");
    assert.deepEqual(await look("seen = $1", ["2024-01-01 05:00:00+00"]), [[1]]);
    await refused("SELECT id FROM visits WHERE seen = $1", "lookup-budget", by, ["2024-01-01 00:00"]);
    await refused("SELECT id FROM visits WHERE day = $1", "lookup-budget", by, ["today"]);
    // The parameter is a date there, and what it stands for in the other place depends on the zone.
    const twice = "SELECT $1::date, id FROM visits WHERE seen = $1";
    await refused(twice, "lookup-budget", await session(), ["2024-01-01 00:00+00"]);
    // The first place says that it is a name, and so cut to 63 bytes.
    await refused("SELECT $1::name, id FROM staff WHERE badge = $1", "lookup-budget", await session(), ["b1"]);
  });

  it("by what a cast writes under some setting finds masked values", async () => {
    for (const cast of ["'b1'::regclass::text", "$1::regclass::text"])
      assert.deepEqual(
        await rows(`SELECT id FROM staff WHERE badge = ${cast}`, cast.startsWith("$") ? ["b1"] : [], await session()),
        [],
        cast,
      );
  });

  it("by what a cast makes of one constant counts each value, and finds masked ones where a length cuts it", async () => {
    const by = await session();
    for (const text of ["'b11'::varchar(2)", "'b22'::char(2)", "CAST('b33' AS varchar(2))::text"])
      assert.deepEqual(await rows(`SELECT id FROM staff WHERE badge = ${text}`, undefined, by), [], text);
    await rows("SELECT id FROM staff WHERE badge = 'b1 '", undefined, by);
    assert.deepEqual(await rows("SELECT id FROM staff WHERE badge = 'b1 '::bpchar", undefined, by), [[1]]);
    await refused("SELECT id FROM staff WHERE badge = 'b1 '::name", "lookup-budget", by);
  });

  it("with another use the masked values are looked up", async () => {
    const by = await session();
    assert.deepEqual(await rows("SELECT id FROM staff WHERE badge = 'b1' ORDER BY badge", undefined, by), []);
  });

  it("without a budget passes, beside a mask that refuses all else", async () => {
    for (const note of ["n1", "n2", "n3", "n4"])
      assert.equal((await rows("SELECT id FROM staff WHERE note = $1", [note])).length, note === "n4" ? 0 : 1);
    await refused("SELECT id FROM staff WHERE note > 'n1'", "protected-use");
    await refused("SELECT lower(note) FROM staff WHERE note = 'n1'", "protected-derived");
  });

  it("is recorded with what was tried by then, and without the values", () => {
    const records = gate.records().filter((line) => line.input?.session?.inference !== undefined);
    assert.ok(records.some((line) => line.input.session.inference[0].probes === 3 && line.result.action === "block"));
  });
});
