// The gate's own connection, against a real PostgreSQL.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { FRONTEND } from "../../../src/protocols/postgres/codes.ts";
import { OwnConnection } from "../../../src/protocols/postgres/connection.ts";
import { bindParameters, decodeBind } from "../../../src/protocols/postgres/decode.ts";
import { encodeBind, encodeDescribe, encodeParse, encodeSync } from "../../../src/protocols/postgres/encode.ts";
import { connectUpstream, parseTarget, type UpstreamTarget } from "../../../src/protocols/postgres/upstream.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { type RealServer, startServer } from "./server.ts";

const folder = temporaryFolder("connection");
let server: RealServer;
let target: UpstreamTarget;

before(async () => {
  server = await startServer(folder, {
    hba: "host all all 127.0.0.1/32 trust",
    configuration: "",
    sql: `CREATE ROLE odd LOGIN; ALTER ROLE odd SET search_path = evil; ALTER ROLE odd SET client_encoding = 'LATIN1';
      ALTER ROLE odd SET DateStyle = 'German'; ALTER ROLE odd SET bytea_output = escape; ALTER ROLE odd SET statement_timeout = '1ms';
      CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO odd;
      CREATE VIEW evil.pg_class AS SELECT 'evil'::name AS relname; GRANT SELECT ON evil.pg_class TO odd;`,
  });
  target = parseTarget(`postgres://odd@127.0.0.1:${server.port}/postgres`);
});
after(() => server.stop());

async function using<T>(act: (own: OwnConnection) => Promise<T>): Promise<T> {
  const own = await OwnConnection.open(target);
  try {
    return await act(own);
  } finally {
    own.close();
  }
}

describe("the gate's own connection", () => {
  it("reads rows as text, NULL as null", () =>
    using(async (own) => {
      assert.deepEqual(await own.query("SELECT 1, NULL, '', 'üñ😀', '\\x00ff'::bytea, date '2026-11-05'"), [
        ["1", null, "", "üñ😀", "\\x00ff", "2026-11-05"],
      ]);
      assert.deepEqual(await own.query("SELECT WHERE false"), []);
      assert.deepEqual(await own.query("SELECT"), [[]]);
      assert.deepEqual(await own.query("SELECT 1; SELECT 2"), [["1"], ["2"]]);
      assert.deepEqual(await own.query(""), []);
    }));
  it("means the catalog by its names, whatever the role is set up with", () =>
    using(async (own) => {
      assert.deepEqual(await own.query("SHOW search_path"), [["pg_catalog"]]);
      assert.deepEqual(await own.query("SELECT count(*) FROM pg_class WHERE relname = 'evil'"), [["0"]]);
      assert.deepEqual(await own.query("SELECT pg_sleep(0.05)::text"), [[""]]);
    }));
  it("runs in turn what is asked at once", () =>
    using(async (own) => {
      const answers = Array.from({ length: 200 }, (_, i) => own.query(`SELECT ${i}`));
      assert.deepEqual(
        await Promise.all(answers),
        answers.map((_, i) => [[String(i)]]),
      );
    }));
  it("reads a large result", () =>
    using(async (own) => {
      const rows = await own.query("SELECT i, repeat('x', 500) FROM generate_series(1, 50000) i");
      assert.equal(rows.length, 50_000);
      assert.deepEqual(rows[49_999], ["50000", "x".repeat(500)]);
    }));
  it("cannot write", () =>
    using(async (own) => {
      await assert.rejects(own.query("CREATE TEMP SEQUENCE s; CREATE TABLE evil.t ()"), {
        code: "CATALOG_UNAVAILABLE",
      });
    }));
  it("goes on after an error, which says what the server said", () =>
    using(async (own) => {
      const failed = own.query("SELECT nonsense");
      const next = own.query("SELECT 2");
      await assert.rejects(failed, (error: { code: string; detail: string }) => {
        assert.equal(error.code, "CATALOG_UNAVAILABLE");
        assert.match(error.detail, /42703 column "nonsense" does not exist/);
        return true;
      });
      assert.deepEqual(await next, [["2"]]);
      assert.equal(own.closed, false);
    }));
  it("fails what quotes a large value, which it does not hold, and goes on", () =>
    using(async (own) => {
      const failed = own.query("SELECT repeat('x', 1000000)::int");
      const next = own.query("SELECT 2");
      await assert.rejects(failed, { code: "CATALOG_UNAVAILABLE", detail: /^a message of 10\d{5} bytes$/ });
      assert.deepEqual(await next, [["2"]]);
      assert.equal(own.closed, false);
    }));
  it("fails all that waits when the server ends it, and says that it is closed", () =>
    using(async (own) => {
      const waiting = [own.query("SELECT pg_sleep(60)"), own.query("SELECT 1")];
      const settled = Promise.allSettled(waiting);
      const admin = await OwnConnection.open(parseTarget(`postgres://postgres@127.0.0.1:${server.port}/postgres`));
      await admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'odd'");
      admin.close();
      for (const one of await settled) {
        assert.ok(one.status === "rejected");
        assert.equal((one.reason as { code: string }).code, "CATALOG_UNAVAILABLE");
      }
      assert.equal(own.closed, true);
      await assert.rejects(own.query("SELECT 1"), { code: "CATALOG_UNAVAILABLE" });
    }));
  it("does not hang on a COPY", async () => {
    const own = await OwnConnection.open(target);
    await assert.rejects(own.query("COPY (SELECT 1) TO STDOUT"), { code: "CATALOG_UNAVAILABLE" });
    assert.equal(own.closed, true);
  });
  it("lets the server's process go when it is closed", async () => {
    const own = await OwnConnection.open(target);
    const [[pid = ""] = []] = (await own.query("SELECT pg_backend_pid()")) as string[][];
    own.close();
    own.close();
    await using(async (other) => {
      for (let tries = 0; tries < 100; tries++) {
        const rows = await other.query(`SELECT 1 FROM pg_stat_activity WHERE pid = ${pid}`);
        if (rows.length === 0) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.fail("the process is still there");
    });
  });
});

describe("the server's own reading", () => {
  it("takes names for one that agree in their first 63 bytes, as the decoders do", async () => {
    const upstream = await connectUpstream(target, { parameters: new Map([["options", "-c statement_timeout=0"]]) });
    const [made, asked] = [`${"n".repeat(63)}a`, `${"n".repeat(63)}b`];
    let answer = "";
    const done = new Promise<void>((resolve) => {
      upstream.socket.on("data", (chunk: Buffer) => {
        answer += chunk.toString("latin1");
        if (answer.includes("Z\0\0\0\x05")) resolve();
      });
    });
    upstream.socket.resume();
    const bind = encodeBind("", asked, [Buffer.from("7")]);
    upstream.socket.write(
      Buffer.concat([encodeParse(made, "SELECT $1::int"), bind, encodeDescribe("portal", ""), encodeSync()]),
    );
    await done;
    assert.match(answer, /^1\0\0\0\x042\0\0\0\x04T/, "ParseComplete, BindComplete, RowDescription");
    assert.equal(bind[0], FRONTEND.bind);
    const read = decodeBind(bind.subarray(5));
    assert.equal(read.statement, "n".repeat(63));
    assert.deepEqual(bindParameters(bind.subarray(5), read), [Buffer.from("7")]);
    upstream.socket.destroy();
  });
});
