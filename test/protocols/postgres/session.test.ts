// How a session looks to its client: refusals in every place, order, transaction status, cancel, COPY, and what is recorded.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import pg from "pg";
import type { Input } from "../../../src/core/facts.ts";
import { allow, startTestGate, type TestGate } from "./gate.ts";
import { cells, errorOf, extended as x, frame, type Reply, refusal, status, types, WireClient } from "./wire-client.ts";

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

const decisions = (action: string): number =>
  gate.lines.filter((line) => line.path === "regate/decision" && line.result.action === action).length;

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

describe("a simple query", () => {
  it("gives the server's answer when it is allowed", async () => {
    const replies = await client.run("SELECT id FROM orders WHERE id < 3 ORDER BY id");
    assert.equal(types(replies), "T D C Z");
    assert.deepEqual(replies.filter((reply) => reply.type === "D").map(cells), [["1"], ["2"]]);
  });

  it("that is refused looks like a server error, and the session goes on", async () => {
    const replies = await client.run("DELETE FROM orders");
    assert.equal(types(replies), "E Z");
    const error = refusal(replies);
    assert.equal(error.C, "42501");
    assert.match(error.M ?? "", /Deletes are not allowed/);
    assert.equal(error.H, "Use status.");
    assert.match(error.D ?? "", /no-delete/);
    assert.equal(status(replies), "I");
    assert.equal(types(await client.run("SELECT 1")), "T D C Z");
    assert.equal(await orders(), 10);
    assert.equal(decisions("block"), 1);
  });

  it("of several statements is refused whole", async () => {
    const replies = await client.run("INSERT INTO orders VALUES (99, 'x'); DELETE FROM orders; SELECT 1");
    assert.equal(types(replies), "E Z");
    assert.equal(await orders(), 10);
  });

  it("that is refused fails an open transaction, on the server, too", async () => {
    await client.run("BEGIN");
    await client.run("INSERT INTO orders VALUES (98, 'x')");
    const replies = await client.run("DELETE FROM orders");
    assert.equal(status(replies), "E");
    const next = await client.run("SELECT 1");
    assert.equal(refusal(next).C, "25P02");
    assert.equal(status(await client.run("COMMIT")), "I");
    assert.equal(await orders(), 10);
  });

  it("that does not parse, is too long or is not UTF-8 is refused, recorded, and not sent", async () => {
    assert.equal(refusal(await client.run("SELEC 1")).C, "42601");
    assert.equal(refusal(await client.run(`/*${" ".repeat(2 << 20)}*/ DELETE FROM orders`)).C, "54000");
    client.send("Q", Buffer.from([0x53, 0xff, 0xfe, 0]));
    assert.equal(refusal(await client.until("Z")).C, "22021");
    assert.equal(types(await client.run("SELECT 1")), "T D C Z");
    assert.equal(decisions("block"), 3);
    assert.equal(await orders(), 10);
  });

  it("that does not parse gets the server's own message and position", async () => {
    for (const sql of ["SELEC 1", "SELECT 'ü' FROM FROM x", "SELECT 1 +", "SELECT 'open"]) {
      const error = refusal(await client.run(sql));
      const direct = new pg.Client(gate.server.url("app", "shop"));
      await direct.connect();
      const expected = await direct.query(sql).then(
        () => assert.fail(),
        (thrown: pg.DatabaseError) => thrown,
      );
      await direct.end();
      assert.deepEqual([error.M, error.C, error.P], [expected.message, expected.code, expected.position]);
    }
  });

  it("may be empty", async () => {
    assert.equal(types(await client.run("")), "I Z");
    assert.equal(types(await client.run(";")), "I Z");
  });

  it("shows the server's own errors", async () => {
    const replies = await client.run("SELECT 1/0");
    assert.equal(refusal(replies).C, "22012");
    assert.equal(types(await client.run("SELECT 1")), "T D C Z");
  });
});

describe("the extended protocol", () => {
  it("prepares once, executes many times, and decides each time", async () => {
    client.socket.write(Buffer.concat([x.parse("s", "SELECT status FROM orders WHERE id = $1::int"), x.sync()]));
    assert.equal(types(await client.until("Z")), "1 Z");
    for (let i = 1; i <= 5; i++) {
      client.socket.write(Buffer.concat([x.bind("", "s", [String(i)]), x.execute(""), x.sync()]));
      assert.equal(types(await client.until("Z")), "2 D C Z");
    }
    assert.equal(decisions("allow") >= 5, true);
  });

  it("refuses at Parse, skips to Sync, and keeps step", async () => {
    client.socket.write(
      Buffer.concat([
        x.parse("", "INSERT INTO orders VALUES (97, 'x')"),
        x.bind("", ""),
        x.execute(""),
        x.parse("", "DELETE FROM orders"),
        x.bind("", ""),
        x.describePortal(""),
        x.execute(""),
        x.parse("", "SELECT 1"),
        x.bind("", ""),
        x.execute(""),
        x.sync(),
        x.parse("", "SELECT 2"),
        x.bind("", ""),
        x.execute(""),
        x.sync(),
      ]),
    );
    const first = await client.until("Z");
    assert.equal(types(first), "1 2 C E Z");
    assert.equal(status(first), "I");
    assert.equal(types(await client.until("Z")), "1 2 D C Z");
    // The implicit transaction failed as a whole, as after a server error.
    assert.equal(await orders(), 10);
  });

  it("refuses at Bind what was prepared under another policy, inside of a transaction", async () => {
    gate.decide = allow;
    client.socket.write(Buffer.concat([x.parse("d", "DELETE FROM orders"), x.sync()]));
    await client.until("Z");
    await client.run("BEGIN");
    gate.decide = blockDeletes;
    client.socket.write(Buffer.concat([x.bind("", "d"), x.execute(""), x.sync()]));
    const replies = await client.until("Z");
    assert.equal(types(replies), "E Z");
    assert.equal(status(replies), "E");
    assert.equal(status(await client.run("ROLLBACK")), "I");
    assert.equal(await orders(), 10);
  });

  it("answers Describe and Flush before Sync", async () => {
    client.socket.write(Buffer.concat([x.parse("", "SELECT id FROM orders"), x.describeStatement(""), x.flush()]));
    assert.equal(types(await client.until("T")), "1 t T");
    client.socket.write(Buffer.concat([x.bind("", ""), x.execute("", 3), x.flush()]));
    assert.equal(types(await client.until("s")), "2 D s");
    client.socket.write(Buffer.concat([x.execute("", 0), x.sync()]));
    assert.equal(types(await client.until("Z")), "D C Z");
  });

  it("ends with the server's skip after the server's own error", async () => {
    client.socket.write(
      Buffer.concat([x.parse("", "SELECT 1/0"), x.bind("", ""), x.execute(""), x.parse("", "SELECT 1"), x.sync()]),
    );
    // Constant folding fails at Bind.
    assert.equal(types(await client.until("Z")), "1 E Z");
    assert.equal(types(await client.run("SELECT 1")), "T D C Z");
  });

  it("binds a statement that a failed Parse did not replace", async () => {
    client.socket.write(
      Buffer.concat([
        x.parse("p", "SELECT 1"),
        x.sync(),
        x.parse("p", "SELECT 2"),
        x.sync(),
        x.bind("", "p"),
        x.execute(""),
        x.sync(),
      ]),
    );
    assert.equal(types(await client.until("Z")), "1 Z");
    assert.equal(refusal(await client.until("Z")).C, "42P05");
    const replies = await client.until("Z");
    assert.deepEqual(replies.filter((reply) => reply.type === "D").map(cells), [["1"]]);
  });

  it("runs 200 pipelined commands in order", async () => {
    const parts: Buffer[] = [];
    for (let i = 0; i < 200; i++) parts.push(x.parse("", `SELECT ${i}`), x.bind("", ""), x.execute(""), x.sync());
    client.socket.write(Buffer.concat(parts));
    for (let i = 0; i < 200; i++)
      assert.deepEqual((await client.until("Z")).filter((reply) => reply.type === "D").map(cells), [[String(i)]]);
  });
});

describe("COPY", () => {
  it("goes in and out", async () => {
    client.query("COPY orders FROM STDIN");
    assert.equal(types(await client.until("G")), "G");
    client.socket.write(Buffer.concat([frame("d", "50\tnew\n51\tne"), frame("d", "w\n"), frame("c")]));
    assert.equal(types(await client.until("Z")), "C Z");
    assert.match(types(await client.run("COPY orders TO STDOUT")), /^H (d )+c C Z$/);
    gate.decide = allow;
    await client.run("DELETE FROM orders WHERE id >= 50");
  });

  it("goes in through the extended protocol with an early Sync", async () => {
    client.socket.write(
      Buffer.concat([
        x.parse("", "COPY orders FROM STDIN"),
        x.bind("", ""),
        x.describePortal(""),
        x.execute(""),
        x.sync(),
      ]),
    );
    assert.equal(types(await client.until("G")), "1 2 n G");
    client.socket.write(Buffer.concat([frame("d", "52\tnew\n"), frame("c"), x.sync()]));
    assert.equal(types(await client.until("Z")), "C Z");
    gate.decide = allow;
    await client.run("DELETE FROM orders WHERE id >= 50");
  });

  it("that is refused ignores the data that the client sends anyway", async () => {
    gate.decide = () => ({ action: "block", reasons: [{ code: "no", message: "no" }] });
    client.query("COPY orders FROM STDIN");
    client.socket.write(Buffer.concat([frame("d", "53\tnew\n"), frame("c")]));
    assert.equal(types(await client.until("Z")), "E Z");
    gate.decide = allow;
    assert.equal(types(await client.run("SELECT 1")), "T D C Z");
    assert.equal(await orders(), 10);
  });

  it("that fails in the middle leaves the session in step", async () => {
    client.query("COPY orders FROM STDIN");
    await client.until("G");
    client.socket.write(Buffer.concat([frame("d", "x\ty\n"), frame("c")]));
    assert.equal(types(await client.until("Z")), "E Z");
    assert.equal(types(await client.run("SELECT 1")), "T D C Z");
  });
});

describe("an approval", () => {
  const hold = (input: Input) =>
    /delete/i.test(input.command?.text ?? "")
      ? {
          action: "require_approval" as const,
          reasons: [{ code: "ask", message: "ask first" }],
          approval: { approvers: ["*"], count: 1 },
        }
      : allow();

  async function asked(): Promise<(state: "approved" | "denied" | "expired") => void> {
    const notice = await client.next();
    assert.equal(notice.type, "N");
    const id = /approval ([0-9a-f-]{36})/.exec(errorOf(notice).M ?? "")?.[1] ?? "";
    return gate.approvals.pending.get(id)!;
  }

  it("holds the command, tells the client at once, and runs it when granted", async () => {
    gate.decide = hold;
    client.query("DELETE FROM orders WHERE id = 10");
    (await asked())("approved");
    assert.equal(types(await client.until("Z")), "C Z");
    assert.equal(await orders(), 9);
    gate.decide = allow;
    await client.run("INSERT INTO orders VALUES (10, 'open')");
    assert.deepEqual(
      gate.lines.filter((line) => line.path === "regate/approval").map((line) => line.result.state),
      ["pending", "approved"],
    );
  });

  it("that is denied, or times out, is a refusal", async () => {
    gate.decide = hold;
    for (const state of ["denied", "expired"] as const) {
      client.query("DELETE FROM orders");
      (await asked())(state);
      const replies = await client.until("Z");
      assert.equal(types(replies), "E Z");
      assert.match(refusal(replies).R ?? "", /^APPROVAL_/);
    }
    assert.equal(await orders(), 10);
  });

  it("waits in the extended protocol, too", async () => {
    gate.decide = hold;
    client.socket.write(
      Buffer.concat([x.parse("", "DELETE FROM orders WHERE id = 999"), x.bind("", ""), x.execute(""), x.sync()]),
    );
    assert.equal((await client.next()).type, "1");
    (await asked())("approved");
    assert.equal(types(await client.until("Z")), "2 C Z");
  });

  it("ends with the client's cancel request", async () => {
    gate.decide = hold;
    client.query("DELETE FROM orders");
    await asked();
    const canceler = new WireClient(gate.port);
    const packet = Buffer.alloc(16);
    packet.writeInt32BE(16, 0);
    packet.writeInt32BE(80877102, 4);
    packet.writeInt32BE(client.key!.pid, 8);
    client.key!.secret.copy(packet, 12);
    canceler.socket.write(packet);
    assert.equal(refusal(await client.until("Z")).C, "57014");
    canceler.end();
    assert.equal(gate.approvals.pending.size, 0);
  });

  it("ends with the client's disconnect", async () => {
    gate.decide = hold;
    client.query("DELETE FROM orders");
    await asked();
    client.end();
    for (let i = 0; i < 50 && gate.approvals.pending.size > 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(gate.approvals.pending.size, 0);
    assert.equal(await orders(), 10);
  });

  it("is not waited for inside a transaction", async () => {
    gate.decide = hold;
    await client.run("BEGIN");
    const replies = await client.run("DELETE FROM orders");
    assert.equal(refusal(replies).R, "APPROVAL_IN_TRANSACTION");
    assert.equal(status(replies), "E");
  });

  it("is not waited for behind a path that its Sync would take back", async () => {
    gate.decide = hold;
    const local = "SELECT set_config('search_path', 'public', true) FROM generate_series(1, 1)";
    const all = (sql: string): Buffer => Buffer.concat([x.parse("", sql), x.bind("", ""), x.execute("")]);
    client.socket.write(Buffer.concat([all(local), all("DELETE FROM orders"), x.sync()]));
    const replies = await client.until("Z");
    assert.equal(refusal(replies).R, "APPROVAL_IN_TRANSACTION");
    assert.equal(await orders(), 10);
  });
});

describe("the log", () => {
  it("holds back a result until its record is durable", async () => {
    gate.logDelayMs = 150;
    const started = Date.now();
    assert.equal(types(await client.run("SELECT 1")), "T D C Z");
    assert.ok(Date.now() - started >= 140);
  });

  it("that fails refuses the command", async () => {
    gate.logFailure = new Error("no space left on device");
    const replies = await client.run("INSERT INTO orders VALUES (96, 'x')");
    assert.equal(refusal(replies).R, "AUDIT_UNAVAILABLE");
    gate.logFailure = undefined;
    assert.equal(types(await client.run("SELECT 1")), "T D C Z");
    assert.equal(await orders(), 10);
  });

  it("has the outcome of each command", async () => {
    await client.run("SELECT id FROM orders");
    await client.run("SELECT 1/0");
    const outcomes = gate.lines
      .filter((line) => line.path === "regate/outcome")
      .map((line) => [line.result.status, line.result.rows, line.result.sqlstate]);
    assert.deepEqual(outcomes, [
      ["ok", 10, null],
      ["error", 0, "22012"],
    ]);
    const sequence = gate.lines.filter((line) => line.path !== "regate/approval").map((line) => line.custom.sequence);
    assert.deepEqual(
      sequence,
      sequence.map((_, i) => sequence[0] + i),
    );
  });
});

describe("the session's state", () => {
  it("ends with a clear error when client_encoding or standard_conforming_strings change by any route", async () => {
    for (const [sql, code] of [
      ["SET client_encoding = 'SJIS'", "CLIENT_ENCODING"],
      ["SET standard_conforming_strings = off", "STANDARD_CONFORMING_STRINGS"],
      ["SELECT set_config('standard_conforming_' || 'strings', 'off', false)", "STANDARD_CONFORMING_STRINGS"],
      ["DO $$ BEGIN EXECUTE 'set client_encoding to latin1'; END $$", "CLIENT_ENCODING"],
    ] as const) {
      const one = await WireClient.open(gate.port, "good");
      one.query(sql);
      let seen: Reply;
      do seen = await one.next();
      while (seen.type !== "E");
      assert.equal(errorOf(seen).R, code, sql);
      one.end();
    }
    await assert.rejects(
      WireClient.open(gate.port, "good", { options: "-c standard_conforming_strings=off" }),
      /standard_conforming_strings/,
    );
    // Later it would end the session with the first statement.
    for (const setting of ["extra_float_digits=-3", "transform_null_equals=on"])
      await assert.rejects(WireClient.open(gate.port, "good", { options: `-c ${setting}` }), /would change what/);
    (await WireClient.open(gate.port, "good", { extra_float_digits: "3" })).end();
    await assert.rejects(WireClient.open(gate.port, "good", { client_encoding: "LATIN1" }), /client_encoding/);
  });

  it("that ended its token refuses and ends", async () => {
    gate.expired = true;
    client.query("SELECT 1");
    const reply = await client.next();
    assert.equal(errorOf(reply).R, "TOKEN_EXPIRED");
    await assert.rejects(client.next());
  });

  it("can be canceled while it runs", async () => {
    client.query("SELECT pg_sleep(30)");
    await new Promise((resolve) => setTimeout(resolve, 200));
    const canceler = new WireClient(gate.port);
    const packet = Buffer.alloc(16);
    packet.writeInt32BE(16, 0);
    packet.writeInt32BE(80877102, 4);
    packet.writeInt32BE(client.key!.pid, 8);
    client.key!.secret.copy(packet, 12);
    canceler.socket.write(packet);
    assert.equal(refusal(await client.until("Z")).C, "57014");
    canceler.end();
  });

  it("stops the server when the client stops reading", async () => {
    const before = process.memoryUsage().rss;
    client.socket.pause();
    client.query("SELECT i, t FROM big a, generate_series(1, 20)");
    await new Promise((resolve) => setTimeout(resolve, 2000));
    assert.ok(process.memoryUsage().rss - before < 100 * 1024 * 1024);
    client.end();
  });

  it("ends when the client breaks the protocol", async () => {
    for (const garbage of [
      frame("?"),
      Buffer.from([0x51, 0, 0, 0, 1]),
      Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff]),
      frame("B", "x"),
      frame("Q", "no end"),
    ]) {
      const one = await WireClient.open(gate.port, "good");
      one.socket.write(garbage);
      const reply = await one.next();
      assert.equal(errorOf(reply).C, "08P01");
      assert.equal(errorOf(reply).S, "FATAL");
      await assert.rejects(one.next());
    }
  });

  it("relays NOTIFY to a listener", async () => {
    await client.run("LISTEN jobs");
    const other = await WireClient.open(gate.port, "good");
    await other.run("NOTIFY jobs, 'hello'");
    const reply = await client.next();
    assert.equal(reply.type, "A");
    assert.match(reply.body.toString(), /jobs\0hello/);
    other.end();
  });
});
