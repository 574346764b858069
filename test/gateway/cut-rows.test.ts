// Masked rows, under every mask and in both formats, however the server's bytes are cut: a proxy that hands them on in pieces changes nothing.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import pg from "pg";
import { maskNames } from "../../src/masking/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";
import { bind, describe, execute, parse, shape, sync, Wire } from "../support/wire.ts";

/** How many bytes of each of the server's chunks go in one piece, by their place in the chunk. */
let piece: (at: number) => number = () => 1 << 20;
const server = await startServer();
const proxy = createServer((client: Socket) => {
  const upstream = connect({ host: "127.0.0.1", port: server.port });
  client.on("data", (chunk) => upstream.write(chunk));
  upstream.on("data", async (chunk: Buffer) => {
    upstream.pause();
    for (let at = 0; at < chunk.length; ) {
      const end = Math.min(chunk.length, at + piece(at));
      client.write(chunk.subarray(at, end));
      at = end;
      // One turn of the loop each, so that the pieces arrive as pieces.
      await new Promise((resolve) => setImmediate(resolve));
    }
    upstream.resume();
  });
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.on("close", () => other.destroy());
    one.on("error", () => other.destroy());
  }
});

/** Values in which each mask finds something to do, in types of each kind of cell. */
const COLUMNS: readonly (readonly [string, string])[] = [
  ["text", "mail alice@example.com, 4111 1111 1111 1111 ünï"],
  ["varchar(30)", "4111111111111111"],
  ["numeric", "12345678.901234"],
  ["jsonb", '{"a": "secret", "b": ["4111111111111111"]}'],
  ["text[]", '{"4111111111111111",NULL,"a \\"b\\""}'],
  ["timestamptz", "1987-11-23 12:34:56.789+00"],
  ["bytea", "\\x736563726574"],
  ["int4range", "[4111,5222)"],
];
const parameters: { readonly [mask: string]: object } = {
  partial: { keep_last: 4 },
  truncate: { to: "decade", digits: 1 },
  tokenize: { key: "cards", tweak: "t" },
  json: { paths: [{ path: "$.a", mask: "redact" }] },
};

const owner = new pg.Client(server.url("postgres", "shop"));
await owner.connect();
await owner.query("CREATE SCHEMA cut; GRANT USAGE ON SCHEMA cut TO app");
const classification: { [column: string]: string[] } = {};
for (const mask of maskNames) {
  await owner.query(
    `CREATE TABLE cut.${mask} (id int, ${COLUMNS.map(([type], i) => `c${i} ${type}`).join(", ")}, last int)`,
  );
  const values = COLUMNS.map(([, value]) => owner.escapeLiteral(value)).join(", ");
  await owner.query(
    `INSERT INTO cut.${mask} SELECT 1, ${values}, 77; INSERT INTO cut.${mask} (id, last) VALUES (2, 78); GRANT SELECT ON cut.${mask} TO app`,
  );
  for (const i of COLUMNS.keys()) classification[`cut.${mask}.c${i}`] = [mask];
}
await owner.end();
await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
const { port } = proxy.address() as { port: number };
const dataDir = join(temporaryFolder("cut-rows"), "data");
mkdirSync(join(dataDir, "keys", "tokenize"), { recursive: true, mode: 0o700 });
const key = { kty: "oct", kid: "1", k: Buffer.alloc(32, 7).toString("base64url") };
writeFileSync(join(dataDir, "keys", "tokenize", "cards.json"), JSON.stringify({ keys: [key] }), { mode: 0o600 });
const gate = await startGate({
  policy: "mask_tagged",
  data: {
    masks: Object.fromEntries(maskNames.map((mask) => [mask, { mask, ...parameters[mask] }])),
    classification: { shop: classification },
  },
  resources: { shop: `${server.url("app", "shop").replace(`:${server.port}/`, `:${port}/`)}?sslmode=disable` },
  dataDir,
});
const token = await gate.token();
after(() => proxy.close());

/** All that a client gets of a table, in text and in binary, as one: rows and what stands between them. */
async function read(client: Wire, table: string, format: number): Promise<string> {
  client.send(
    parse("", `SELECT * FROM cut.${table} ORDER BY id`),
    bind("", "", [], [], [format]),
    describe("P", ""),
    execute(""),
    sync(),
  );
  const seen = await client.until("Z", 1, 60_000);
  assert.equal(shape(seen), "1 2 T D D C ZI");
  return seen.map(({ type, body }) => `${type}${body.toString("hex")}`).join("\n");
}

/** What no client may find in the bytes of a row, in either format. */
const secrets = [
  "alice@example.com",
  "4111111111111111",
  "4111 1111 1111 1111",
  "12345678.901234",
  "736563726574",
  "[4111,",
];

test("rows are masked the same however they are cut", { timeout: 300_000 }, async () => {
  piece = () => 1 << 20;
  const client = await Wire.login(gate.postgres, "agent", "shop", token);
  const expected = new Map<string, string>();
  for (const mask of maskNames) {
    for (const format of [0, 1]) {
      const seen = await read(client, mask, format);
      expected.set(`${mask} ${format}`, seen);
      for (const secret of secrets) {
        const hidden = !seen.includes(Buffer.from(secret).toString("hex"));
        // These two leave what they do not look for.
        assert.ok(hidden || mask === "json" || mask === "detect", `${mask} ${format}: ${secret}`);
      }
    }
  }
  for (const size of [1, 2, 3, 5, 7, 11]) {
    piece = () => size;
    for (const [which, whole] of expected) {
      const [mask, format] = which.split(" ") as [string, string];
      assert.equal(await read(client, mask, Number(format)), whole, `${which} in pieces of ${size}`);
    }
  }
  // One cut, at every byte of the result in turn, in text and in binary.
  const bytes = expected.get("partial 0")!.length / 2;
  for (let at = 1; at < bytes; at++) {
    piece = (from) => (from === 0 ? at : 1 << 20);
    for (const format of [0, 1])
      assert.equal(await read(client, "partial", format), expected.get(`partial ${format}`), `cut at ${at}`);
  }
  client.end();
  // However often a row was looked at, it counts once.
  const counted = gate.records().flatMap(({ path, result }) => (path === "regate/outcome" ? [result.rows] : []));
  assert.ok(counted.length > 400);
  assert.deepEqual([...new Set(counted)], [2]);
});
