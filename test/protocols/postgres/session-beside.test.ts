// What the gate does beside the client's commands leaves no trace in the session: its own questions, names, masks, and ends.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Decision } from "../../../src/core/decision.ts";
import type { Input } from "../../../src/core/facts.ts";
import { allow, startTestGate, type TestGate } from "./gate.ts";
import { cells, errorOf, extended as x, refusal, status, types, WireClient } from "./wire-client.ts";

let gate: TestGate;
let client: WireClient;

const setup = `
CREATE TABLE orders (id int PRIMARY KEY, status text);

INSERT INTO orders SELECT i, 'open' FROM generate_series(1, 10) i;

CREATE TABLE big AS SELECT i, repeat('x', 100) AS t FROM generate_series(1, 300000) i;

`;

const blockDeletes = (input: Input) =>
  /\bdelete\b|\bp_del\b/i.test(input.command?.text ?? "")
    ? {
        action: "block" as const,
        reasons: [{ code: "no-delete", message: "Deletes are not allowed", hint: "Use status." }],
      }
    : allow();

async function orders(): Promise<number> {
  const direct = await WireClient.open(gate.port, "good");
  const saved = gate.decide;
  gate.decide = allow;
  const replies = await direct.run("SELECT count(*) FROM orders");
  gate.decide = saved;
  direct.end();
  return Number(cells(replies.find((reply) => reply.type === "D")!)[0]);
}

before(async () => {
  gate = await startTestGate(setup);
});
after(() => gate.close());
beforeEach(async () => {
  client?.end();
  gate.decide = blockDeletes;
  gate.logFailure = undefined;
  gate.logDelayMs = 0;
  gate.expired = false;
  gate.lines.length = 0;
  client = await WireClient.open(gate.port, "good");
});
after(() => client.end());

describe("what the gate asks the server", () => {
  const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const all = (sql: string): Buffer => Buffer.concat([x.parse("", sql), x.bind("", ""), x.execute("")]);

  it("does not end the client's implicit transaction", async () => {
    gate.decide = allow;
    client.socket.write(
      Buffer.concat([all("INSERT INTO orders VALUES (500, 'kept')"), all("SET search_path = public"), x.flush()]),
    );
    await pause(200);
    client.socket.write(x.sync());
    assert.match(types(await client.until("Z")), /^1 2 C 1 2 C (S )?Z$/);
    assert.equal(types(await client.run("SELECT 1")), "T D C Z");
    assert.equal(await orders(), 11);
    await client.run("DELETE FROM orders WHERE id = 500");
  });

  it("does not come while the server skips to Sync", async () => {
    await client.run("BEGIN");
    await client.run("SET LOCAL search_path = public");
    client.socket.write(Buffer.concat([x.parse("", "SELECT nosuch"), x.describeStatement(""), x.flush()]));
    await pause(200);
    client.socket.write(x.sync());
    const replies = await client.until("Z");
    assert.match(types(replies), /^E (S )?Z$/);
    assert.equal(status(replies), "E");
    assert.match(types(await client.run("ROLLBACK")), /^C (S )?Z$/);
    assert.equal(types(await client.run("SELECT 1")), "T D C Z");
  });

  it("leaves the unnamed statement alone", async () => {
    client.socket.write(Buffer.concat([all("SET search_path = public, pg_catalog"), x.sync()]));
    await client.until("Z");
    await pause(100);
    client.socket.write(Buffer.concat([x.bind("", ""), x.execute(""), x.sync()]));
    assert.equal(types(await client.until("Z")), "2 C Z");
  });

  it("keeps out of a pipeline that makes a temporary table", async () => {
    client.socket.write(Buffer.concat([all("CREATE TEMP TABLE z9 (a int)"), x.flush()]));
    await pause(200);
    client.socket.write(Buffer.concat([all("SELECT 1"), x.sync()]));
    assert.equal(types(await client.until("Z")), "1 2 C 1 2 D C Z");
    assert.equal(types(await client.run("INSERT INTO z9 VALUES (1); SELECT * FROM z9")), "C T D C Z");
  });
});

describe("names", () => {
  it("that SQL took away stand for what SQL gave them next", async () => {
    client.socket.write(Buffer.concat([x.parse("p", "SELECT 1"), x.sync()]));
    await client.until("Z");
    gate.decide = allow;
    await client.run("DEALLOCATE p");
    await client.run("PREPARE p AS DELETE FROM orders WHERE id = 9");
    gate.lines.length = 0;
    client.socket.write(Buffer.concat([x.bind("", "p"), x.execute(""), x.sync()]));
    await client.until("Z");
    const judged = gate.lines.find((line) => line.path === "regate/decision");
    assert.equal(judged?.input.command.statements[0].class, "write");
    await client.run("INSERT INTO orders VALUES (9, 'open') ON CONFLICT DO NOTHING");
  });

  it("that nothing has are refused as the server would", async () => {
    for (const [messages, code] of [
      [[x.bind("", "nosuch")], "26000"],
      [[x.bind("", "")], "26000"],
      [[x.execute("nosuch")], "34000"],
    ] as const) {
      const fresh = await WireClient.open(gate.port, "good");
      fresh.socket.write(Buffer.concat([...messages, x.sync()]));
      const replies = await fresh.until("Z");
      assert.equal(types(replies), "E Z");
      assert.equal(refusal(replies).C, code);
      fresh.end();
    }
  });
});

describe("a client that has sent everything", () => {
  it("still gets its answers", async () => {
    client.query("SELECT pg_sleep(0.2)");
    client.socket.end();
    assert.equal(types(await client.until("Z")), "T D C Z");
    await assert.rejects(client.next());
  });
});

describe("a mask", () => {
  const redactFirst = (): Partial<Decision> => ({
    action: "mask",
    masks: [{ statement: 0, output: 0, mask: "redact", code: "m" }],
  });

  it("that only the policy knows of is applied in every way", async () => {
    gate.decide = redactFirst;
    const seen = [...(await client.run("SELECT status FROM orders WHERE id = 1"))];
    client.socket.write(
      Buffer.concat([
        x.parse("m", "SELECT status FROM orders WHERE id = 1"),
        x.bind("", "m", [], 1),
        x.execute(""),
        x.sync(),
      ]),
    );
    seen.push(...(await client.until("Z")));
    const rows = seen.filter((reply) => reply.type === "D").map(cells);
    assert.deepEqual(rows, [["[redacted]"], ["[redacted]"]]);
  });

  it("of a COPY is applied, or refused before it is sent", async () => {
    gate.decide = redactFirst;
    const copied = await client.run("COPY (SELECT status, 1 FROM orders LIMIT 1) TO STDOUT");
    assert.equal(types(copied), "H d c C Z");
    assert.equal(copied[1]!.body.toString(), "[redacted]\t1\n");
    for (const [mask, code] of [
      [{ mask: "tokenize", key: "gone", statement: 0, output: 0, code: "x" }, "MASK_KEY_MISSING"],
      [{ mask: "redact", statement: 0, output: 7, code: "x" }, "MASK_IMPOSSIBLE"],
    ] as const) {
      gate.decide = () => ({ action: "mask", masks: [mask] });
      const replies = await client.run("COPY (SELECT status, 1 FROM orders) TO STDOUT");
      assert.equal(types(replies), "E Z");
      assert.equal(refusal(replies).R, code);
    }
  });

  it("of a COPY keeps to the limits, whatever the server sends beside rows", async () => {
    for (const format of ["text", "csv, HEADER", "binary"]) {
      for (const [rows, expected] of [
        [3, "C"],
        [2, "E"],
      ] as const) {
        gate.decide = () => ({ ...redactFirst(), limits: { rows } });
        const replies = await client.run(`COPY (SELECT status FROM orders LIMIT 3) TO STDOUT (FORMAT ${format})`);
        assert.equal(replies.at(-2)!.type, expected);
        if (expected === "E") assert.equal(refusal(replies).R, "LIMIT_EXCEEDED");
      }
    }
  });
});

describe("a limit", () => {
  const rowsOf = (replies: readonly { readonly type: string }[]): number =>
    replies.filter(({ type }) => type === "D").length;
  for (const [name, decision] of [
    ["passed on", {}],
    ["masked", { action: "mask", masks: [{ statement: 0, output: 0, mask: "redact", code: "m" }] }],
  ] as const) {
    it(`of rows that are ${name} lets as many out, and then says so`, async () => {
      gate.decide = () => ({ ...allow(), ...decision, limits: { rows: 3 } });
      const simple = await client.run("SELECT status FROM orders WHERE id < 9");
      assert.deepEqual([types(simple), rowsOf(simple)], ["T D E Z", 3]);
      client.socket.write(
        Buffer.concat([
          x.parse("", "SELECT status FROM orders WHERE id < 9"),
          x.bind("", ""),
          x.describePortal(""),
          x.execute(""),
          x.sync(),
        ]),
      );
      const extended = await client.until("Z");
      assert.deepEqual([types(extended), rowsOf(extended)], ["1 2 T D E Z", 3]);
      assert.equal(refusal(extended).R, "LIMIT_EXCEEDED");
    });
  }
});

describe("an approval", () => {
  it("does not outlive a change of the catalog", async () => {
    gate.decide = (input) =>
      /delete/i.test(input.command?.text ?? "")
        ? {
            action: "require_approval",
            reasons: [{ code: "ask", message: "ask" }],
            approval: { approvers: ["*"], count: 1 },
          }
        : allow();
    client.query("DELETE FROM orders WHERE id = 1");
    const notice = await client.next();
    const id = /approval ([0-9a-f-]{36})/.exec(errorOf(notice).M ?? "")?.[1] ?? "";
    const other = await WireClient.open(gate.port, "good");
    await other.run("ALTER TABLE orders RENAME TO orders_before; CREATE VIEW orders AS SELECT * FROM orders_before");
    gate.approvals.pending.get(id)!("approved");
    assert.equal(refusal(await client.until("Z")).R, "APPROVAL_STALE");
    await other.run("DROP VIEW orders; ALTER TABLE orders_before RENAME TO orders");
    other.end();
    assert.equal(await orders(), 10);
  });
});
