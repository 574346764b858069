// Statements in which protected columns are replaced by their masks: what is sent, what is told, what is recorded, and when it is refused.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import pg from "pg";
import type { Input } from "../../../src/core/facts.ts";
import { allow, startTestGate, type TestGate } from "./gate.ts";
import { cells, errorOf, extended as x, type Reply, refusal, types, WireClient } from "./wire-client.ts";

let gate: TestGate;
let client: WireClient;

before(async () => {
  gate =
    await startTestGate(`CREATE TABLE t AS SELECT i AS id, 'SECRET' || i AS v, 'open' || i AS w FROM generate_series(1, 3) i;

CREATE TABLE copied (id int, v text);

`);
  gate.classification = { "public.t.v": ["pii"] };
});
after(() => gate.close());

type Asked = { statement: number; schema: string; table: string; column: string; mask: string; code: string };

/** Asks for what is protected to be replaced wherever it is used otherwise than as it is, and masks it there. */
function decide(input: Input): ReturnType<TestGate["decide"]> {
  const substitutions: Asked[] = [];
  const masks: object[] = [];
  for (const [statement, { columns, outputs, writes }] of (input.command?.statements ?? []).entries()) {
    const derived = outputs.some(({ derivation, sources }) => derivation !== "direct" && sources.some(sealed));
    for (const column of columns.filter(sealed))
      if (derived || writes.length > 0 || column.uses.some((use) => use !== "output"))
        substitutions.push({ statement, ...named(column), mask: "redact", code: "c" });
    for (const [output, { sources }] of outputs.entries())
      if (!derived && sources.some(sealed)) masks.push({ statement, output, mask: "redact", code: "c" });
  }
  if (substitutions.length > 0) return { action: "mask", masks: [], substitutions };
  return masks.length > 0 ? ({ action: "mask", masks } as never) : allow();
}
const sealed = ({ tags }: { readonly tags: readonly string[] }): boolean => tags.includes("pii");
const named = ({ schema, table, column }: { schema: string; table: string; column: string }) => ({
  schema,
  table,
  column,
});

beforeEach(async () => {
  client?.end();
  gate.decide = decide;
  gate.lines.length = 0;
  client = await WireClient.open(gate.port, "good");
});
after(() => client.end());

const rows = (replies: readonly Reply[]): string[] =>
  replies.filter((reply) => reply.type === "D").map((reply) => cells(reply).join(","));
const run = async (sql: string): Promise<string[]> => {
  const replies = await client.run(sql);
  const failed = replies.find((reply) => reply.type === "E");
  if (failed !== undefined) throw new Error(errorOf(failed).M);
  return rows(replies);
};
const decisions = (): Record<string, any>[] =>
  gate.lines.filter((line) => line.path === "regate/decision" && line.input.stage === "command");

describe("a simple query", () => {
  it("sees masked values", async () => {
    assert.deepEqual(await run("SELECT upper(v) || id FROM t WHERE v LIKE '[red%' ORDER BY v, id"), [
      "[REDACTED]1",
      "[REDACTED]2",
      "[REDACTED]3",
    ]);
    assert.deepEqual(await run("SELECT id FROM t WHERE v = 'SECRET1'"), []);
    assert.deepEqual(await run("SELECT max(v), count(*) FROM t GROUP BY v"), ["[redacted],3"]);
  });

  it("is recorded once, with both texts and what was replaced", async () => {
    const text = "SELECT id FROM t WHERE v = 'SECRET1'";
    await run(text);
    const [record, ...others] = decisions();
    assert.deepEqual(others, []);
    assert.equal(record!.input.command.text, text);
    assert.match(record!.input.command.sent, /\[redacted\]/);
    assert.deepEqual(record!.result.substitutions, [
      { statement: 0, schema: "public", table: "t", column: "v", mask: "redact", code: "c" },
    ]);
    const sequences = gate.lines.map((line) => line.custom.sequence as number);
    assert.deepEqual(
      sequences.toSorted((a, b) => a - b),
      sequences.map((_, at) => at + 1),
    );
  });

  it("is told once a session, by a notice that names the columns", async () => {
    const first = await client.run("SELECT id FROM t WHERE v = '1'");
    const notice = errorOf(first.find((reply) => reply.type === "N")!);
    assert.match(notice.M!, /public\.t\.v/);
    const second = await client.run("SELECT id FROM t WHERE v = '2'");
    assert.equal(types(second), "T C Z");
  });

  it("is told behind the answers to what was sent before, and not where the server ignores it", async () => {
    const piped = async (...texts: string[]): Promise<string> => {
      const frames = texts.flatMap((text) => [x.parse("", text), x.bind("", ""), x.execute("")]);
      client.socket.write(Buffer.concat([...frames, x.sync()]));
      return types(await client.until("Z"));
    };
    const told = "SELECT id FROM t WHERE v = '1'";
    assert.equal(await piped("SELECT 1/0", told), "1 E Z");
    assert.equal(await piped("SELECT pg_sleep(0.1)", told), "1 2 D C N 1 2 C Z");
    assert.equal(await piped(told), "1 2 C Z");
  });

  it("keeps the statements beside it", async () => {
    const replies = await client.run("SELECT 1; SELECT id FROM t WHERE v = 'SECRET1'; SELECT w FROM t WHERE id = 2");
    assert.equal(types(replies.filter((reply) => reply.type !== "N")), "T D C T C T D C Z");
    assert.deepEqual(rows(replies), ["1", "open2"]);
  });

  it("gets the position of an error in its own text", async () => {
    const replies = await client.run("SELECT nothere, upper(v) FROM t");
    const { C, P } = refusal(replies);
    assert.equal(C, "42703");
    assert.equal(P, "8");
    const behind = "SELECT upper(v) FROM t WHERE nothere = 1";
    assert.equal(refusal(await client.run(behind)).P, String(behind.indexOf("nothere") + 1));
  });

  it("writes masked copies", async () => {
    await run("BEGIN");
    await run("INSERT INTO copied SELECT id, v FROM t");
    assert.deepEqual(await run("SELECT v FROM copied LIMIT 1"), ["[redacted]"]);
    await run("ROLLBACK");
  });

  it("copies out masked values", async () => {
    const replies = await client.run("COPY (SELECT lower(v) FROM t WHERE id = 1) TO STDOUT");
    assert.equal(replies.find((reply) => reply.type === "d")!.body.toString(), "[redacted]\n");
  });
});

describe("what cannot be rewritten", () => {
  it("is refused, and says why", async () => {
    const { C, M, R, D } = refusal(await client.run("DELETE FROM t WHERE v = 'SECRET1'"));
    assert.equal(C, "42501");
    assert.equal(R, "SUBSTITUTION_IMPOSSIBLE");
    assert.match(M!, /public\.t\.v/);
    assert.ok((D ?? "").length > 20, D);
    assert.deepEqual(await run("SELECT count(*) FROM t"), ["3"]);
    assert.equal(decisions()[0]!.result.action, "block");
  });

  it("is refused when the policy asks again", async () => {
    gate.decide = (input) =>
      input.command?.statements[0]?.verb === "select"
        ? {
            action: "mask",
            masks: [],
            substitutions: [{ statement: 0, schema: "public", table: "t", column: "v", mask: "redact", code: "c" }],
          }
        : allow();
    assert.equal(refusal(await client.run("SELECT id FROM t WHERE v = '1'")).R, "SUBSTITUTION_IMPOSSIBLE");
  });
});

describe("a prepared statement", () => {
  const prepare = (name: string, sql: string) => [x.parse(name, sql), x.sync()];
  const execute = (name: string) => [x.bind("", name), x.execute(""), x.sync()];
  const send = async (messages: readonly Buffer[]): Promise<Reply[]> => {
    client.socket.write(Buffer.concat(messages));
    return client.until("Z");
  };

  it("sees masked values each time", async () => {
    assert.equal(
      types((await send(prepare("s", "SELECT upper(v) FROM t WHERE id = 1"))).filter(({ type }) => type !== "N")),
      "1 Z",
    );
    for (let i = 0; i < 3; i++) assert.deepEqual(rows(await send(execute("s"))), ["[REDACTED]"]);
    const [record] = decisions();
    assert.equal(record!.input.command.text, "SELECT upper(v) FROM t WHERE id = 1");
    assert.match(record!.input.command.sent, /redacted/);
  });

  it("keeps its parameters", async () => {
    await send([x.parse("s", "SELECT id, v || $1 FROM t WHERE id = $2 AND v <> $3"), x.sync()]);
    const replies = await send([x.bind("", "s", ["!", "2", "SECRET2"]), x.execute(""), x.sync()]);
    assert.deepEqual(rows(replies), ["2,[redacted]!"]);
  });

  it("of SQL does, too, and EXECUTE and its cursor", async () => {
    await run("PREPARE p AS SELECT upper(v) FROM t WHERE id = 1");
    assert.deepEqual(await run("EXECUTE p"), ["[REDACTED]"]);
    assert.deepEqual(rows(await send(execute("p"))), ["[REDACTED]"]);
    await run("BEGIN; DECLARE c CURSOR FOR SELECT lower(v) FROM t ORDER BY id");
    assert.deepEqual(await run("FETCH 1 FROM c"), ["[redacted]"]);
    assert.deepEqual(rows(await send([x.execute("c", 1), x.sync()])), ["[redacted]"]);
    await run("ROLLBACK");
  });

  it("and a cursor may be run in the text that makes them", async () => {
    assert.deepEqual(await run("PREPARE q AS SELECT upper(v) FROM t WHERE id = 1; EXECUTE q; EXPLAIN EXECUTE q"), [
      "[REDACTED]",
      "Seq Scan on t",
      "  Filter: (id = 1)",
    ]);
    const text =
      "BEGIN; DECLARE d CURSOR FOR SELECT lower(v) FROM t; FETCH 1 FROM d; MOVE 1 FROM d; FETCH ALL FROM d; COMMIT";
    assert.deepEqual(await run(text), ["[redacted]", "[redacted]"]);
  });

  it("that was made before its column was protected is refused when it is run", async () => {
    await send(prepare("s", "SELECT upper(w) FROM t WHERE id = 1"));
    assert.deepEqual(rows(await send(execute("s"))), ["OPEN1"]);
    gate.classification = { "public.t.v": ["pii"], "public.t.w": ["pii"] };
    gate.changed();
    const { R, H } = refusal(await send(execute("s")));
    gate.classification = { "public.t.v": ["pii"] };
    gate.changed();
    assert.equal(R, "SUBSTITUTION_IMPOSSIBLE");
    assert.match(H!, /again/);
  });

  it("shows no other table's values when tables change places behind it", async () => {
    await run("CREATE TABLE u AS SELECT id, w AS v, v AS w FROM t WHERE false");
    await run("INSERT INTO u VALUES (1, 'a', 'SECRETu')");
    await send(prepare("s", "SELECT upper(v) FROM t WHERE id = 1"));
    await run("ALTER TABLE t RENAME TO t2; ALTER TABLE u RENAME TO t");
    const replies = await send(execute("s"));
    await run("ALTER TABLE t RENAME TO u; ALTER TABLE t2 RENAME TO t; DROP TABLE u");
    assert.ok(!Buffer.concat(replies.map(({ body }) => body)).includes("SECRET"));
  });
});

describe("a change of the catalog that somebody else makes", () => {
  it("is noticed before the text is sent that was rewritten without it", async () => {
    const sql = "SELECT upper(v) FROM t WHERE id = 1";
    assert.deepEqual(await run(sql), ["[REDACTED]"]);
    const direct = new pg.Client({ connectionString: gate.server.url("app", "shop") });
    await direct.connect();
    await direct.query("ALTER TABLE t ADD COLUMN more int");
    assert.equal(refusal(await client.run(sql)).R, "CATALOG_CHANGED");
    assert.deepEqual(await run(sql), ["[REDACTED]"]);
    await direct.query("ALTER TABLE t DROP COLUMN more");
    await direct.end();
    gate.changed();
    await run(sql);
  });
});

describe("an approval", () => {
  it("is for the text that runs", async () => {
    gate.decide = (input) => {
      const decision = decide(input);
      const verb = input.command?.statements[0]?.verb;
      return verb === "select"
        ? { ...decision, action: "require_approval", approval: { approvers: ["dba"], count: 1 } }
        : decision;
    };
    client.query("SELECT upper(v) FROM t WHERE id = 1");
    assert.match(errorOf(await client.next()).M!, /^approval .* is needed/);
    for (const settle of [...gate.approvals.pending.values()]) settle("approved");
    assert.deepEqual(rows(await client.until("Z")), ["[REDACTED]"]);
  });
});
