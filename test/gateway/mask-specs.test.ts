// Masks that could not be applied: refused with the bundle, or at the latest before a row; and keys that change under a running session.
import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { detokenize } from "../../src/masking/index.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startGate, type TestGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";
import { bind, cells, errorFields, execute, parse, query, shape, sync, Wire } from "../support/wire.ts";

const rego = fileURLToPath(new URL("../../rego", import.meta.url));
const server = await startServer();
const resources = { shop: `${server.url("app", "shop")}?sslmode=disable` };
const direct = new pg.Client(server.url("postgres", "shop"));
await direct.connect();
const numbers = (await direct.query<{ number: string }>("SELECT number FROM cards ORDER BY id")).rows;
await direct.end();

const key = (kid: string): object => ({ kty: "oct", kid, k: Buffer.alloc(32, kid).toString("base64url") });
function writeKeys(dataDir: string, ...kids: readonly string[]): void {
  mkdirSync(join(dataDir, "keys", "tokenize"), { recursive: true, mode: 0o700 });
  const content = JSON.stringify({ keys: kids.map(key) });
  writeFileSync(join(dataDir, "keys", "tokenize", "cards.json"), content, { mode: 0o600 });
}
const withMask = (pci: object, dataDir: string): Promise<TestGate> =>
  startGate({
    policy: rego,
    data: {
      classification: {
        shop: { "public.cards.number": ["pci"] },
      },
      masks: { pci },
    },
    resources,
    dataDir,
  });
const fresh = (): string => join(temporaryFolder("mask-specs"), "data");

test("a gate does not start with a mask whose parameters are wrong", async () => {
  await assert.rejects(withMask({ mask: "truncate", digits: "2" }, fresh()), {
    code: "BUNDLE_INVALID",
    detail: /data\.masks\.pci: mask truncate: digits: expected a whole number/,
  });
});

test("a gate does not start without a key that a mask needs, or with one that is damaged", async () => {
  const mask = { mask: "json", paths: [{ path: "$.a", mask: "tokenize", key: "cards" }] };
  await assert.rejects(withMask(mask, fresh()), { code: "MASK_KEY_MISSING", detail: /key cards/ });
  const dataDir = fresh();
  writeKeys(dataDir);
  await assert.rejects(withMask(mask, dataDir), { code: "KEY_UNREADABLE" });
});

test("tokens are those of the column, follow a rotation within a session, and stop with their key", async () => {
  const dataDir = fresh();
  writeKeys(dataDir, "1");
  const gate = await withMask({ mask: "tokenize", key: "cards" }, dataDir);
  const client = new pg.Client(await gate.url());
  await client.connect();
  const shown = async (sql = "SELECT number AS id FROM cards ORDER BY id"): Promise<string[]> =>
    (await client.query<{ id: string }>(sql)).rows.map(({ id }) => id);
  const back = (tokens: readonly string[], kid: string): (string | null)[] =>
    tokens.map((token) => detokenize(token, Buffer.alloc(32, kid), "public.cards.number"));
  const expected = numbers.map(({ number }) => number).sort();
  const sql = "SELECT number AS id FROM cards";
  const first = await shown(sql);
  assert.equal(first.length, expected.length);
  for (const token of first) assert.ok(!expected.includes(token));
  assert.deepEqual(back(first, "1").sort(), expected);
  writeKeys(dataDir, "2", "1");
  const second = await shown(sql);
  assert.notDeepEqual(second, first);
  assert.deepEqual(back(second, "2").sort(), expected);
  rmSync(join(dataDir, "keys", "tokenize", "cards.json"));
  await assert.rejects(shown(sql), /A key that a mask of the policy needs is missing/);
  assert.deepEqual(await shown("SELECT 1 AS id"), [1]);
  writeKeys(dataDir, "1");
  assert.deepEqual(await shown(sql), first);
  await client.end();
});

test("a portal whose key goes away between two parts of its rows shows none of the second", async () => {
  const dataDir = fresh();
  writeKeys(dataDir, "1");
  const gate = await withMask({ mask: "tokenize", key: "cards" }, dataDir);
  const client = await Wire.login(gate.postgres, "agent", "shop", await gate.token());
  client.send(query("BEGIN"), parse("", "SELECT number FROM cards"), bind("p", ""), execute("p", 2), sync());
  const first = [...(await client.until()), ...(await client.until())];
  assert.equal(shape(first), "C ZT 1 2 D D s ZT");
  rmSync(join(dataDir, "keys", "tokenize", "cards.json"));
  client.send(execute("p", 2), sync());
  const second = await client.until();
  assert.equal(shape(second), "E:42501 ZE");
  assert.equal(errorFields(second[0]!).R, "MASK_KEY_MISSING");
  await client.query("ROLLBACK");
  // With another key: tokens of that one.
  client.send(query("BEGIN"), sync());
  await client.until("Z", 2);
  writeKeys(dataDir, "1");
  client.send(parse("", "SELECT number FROM cards"), bind("p", ""), execute("p", 2), sync());
  await client.until();
  writeKeys(dataDir, "2", "1");
  client.send(execute("p", 2), sync());
  const tokens = (await client.until()).filter(({ type }) => type === "D").map((row) => cells(row)[0]!);
  assert.equal(tokens.length, 2);
  const known = numbers.map(({ number }) => number);
  for (const token of tokens) {
    assert.ok(!known.includes(token));
    assert.ok(known.includes(detokenize(token, Buffer.alloc(32, "2"), "public.cards.number")!));
  }
  client.end();
});

test("a mask that a rule made up is refused before a row of its result is shown", async () => {
  const folder = join(temporaryFolder("mask-specs"), "rego");
  mkdirSync(folder);
  writeFileSync(
    join(folder, "main.rego"),
    `package regate

# METADATA
# entrypoint: true
decision := {"id": input.id, "action": _action, "reasons": [], "masks": _masks}

default _action := "allow"

_action := "mask" if input.stage == "command"

default _masks := []

_masks := [{"statement": 0, "output": 0, "mask": "truncate", "to": "yesterday", "code": "x"}] if input.stage == "command"
`,
  );
  const gate = await startGate({ policy: folder, resources });
  const client = new pg.Client(await gate.url());
  await client.connect();
  await assert.rejects(client.query("SELECT number FROM cards"), (error: { message: string; detail?: string }) => {
    assert.match(error.message, /cannot be masked/);
    assert.match(error.detail ?? "", /truncate: to: expected one of/);
    return true;
  });
  await client.end();
});
