// Tokens are turned back for whom the policy clears for the column, and for nobody else; the log keeps who asked, and no value.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { regate } from "../cli/run.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

const rego = fileURLToPath(new URL("../../rego", import.meta.url));
const server = await startServer();
const direct = new pg.Client(server.url("postgres", "shop"));
await direct.connect();
const numbers = (await direct.query<{ number: string }>("SELECT number FROM cards ORDER BY id LIMIT 3")).rows.map(
  (row) => row.number,
);
await direct.end();

const dataDir = join(temporaryFolder("detokenize"), "data");
mkdirSync(dataDir, { recursive: true });
const root = temporaryFolder("detokenize-cli");
const keys = (...args: string[]) => regate(root, ["keys", ...args, "--data-dir", dataDir]);
const made = await keys("rotate", "tokenize/cards", "--create");
assert.equal(made.code, 0, made.stderr);

const masks = {
  pci: { mask: "tokenize", key: "cards" },
  pii: { mask: "redact" },
};
const resources = { shop: `${server.url("app", "shop")}?sslmode=disable` };
const data = {
  classification: { shop: { "public.cards.number": ["pci"], "public.cards.holder": ["pii"] } },
  masks,
  grants: { pci: ["payments"], pii: ["privacy"] },
};
const gate = await startGate({ policy: rego, data, resources, dataDir });

async function tokensOf(): Promise<string[]> {
  const client = new pg.Client(await gate.url());
  await client.connect();
  const { rows } = await client.query<{ number: string }>("SELECT number FROM cards ORDER BY id LIMIT 3");
  await client.end();
  return rows.map((row) => row.number);
}
const first = await tokensOf();

type Answer = { readonly status: number; readonly body: { readonly [member: string]: any } };
async function ask(
  groups: readonly string[],
  more: object = {},
  allowed: readonly string[] = ["shop"],
): Promise<Answer> {
  const token = await gate.token({ subject: "human:ann", groups: [...groups], resources: [...allowed] });
  const response = await fetch(`http://${gate.http}/v1/detokenize`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ resource: "shop", column: "public.cards.number", tokens: first, ...more }),
  });
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

test("whoever is cleared for the column's tag gets the values, and the record has no value", async () => {
  const { status, body } = await ask(["payments"]);
  assert.equal(status, 200);
  assert.deepEqual([body.values, body.version, body.column], [numbers, "1", "public.cards.number"]);
  const decided = gate
    .records()
    .find(({ decision_id, path }) => path === "regate/decision" && decision_id === body.decision_id);
  assert.equal(decided?.input.identity.subject, "human:ann");
  assert.equal(decided?.input.command.statements[0].verb, "detokenize");
  for (const token of first) assert.ok(decided?.input.command.text.includes(token));
  const log = JSON.stringify(gate.records());
  for (const number of numbers) assert.equal(log.includes(number), false, "a value is in the log");
});

test("the outcome tells how many", async () => {
  const { body } = await ask(["payments"]);
  for (let waited = 0; waited < 2000; waited += 50) {
    const outcome = gate
      .records()
      .find(({ decision_id, path }) => path === "regate/outcome" && decision_id === body.decision_id);
    if (outcome !== undefined)
      return assert.deepEqual([outcome.result.status, outcome.result.tag], ["ok", "DETOKENIZE 3"]);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail("no outcome");
});

const refusals: readonly [string, readonly string[], object, number, string][] = [
  ["nobody's groups", [], {}, 403, "DETOKENIZE_REFUSED"],
  ["the groups of another tag", ["privacy", "dba"], {}, 403, "DETOKENIZE_REFUSED"],
  ["a column without tokens", ["payments", "privacy"], { column: "public.cards.holder" }, 404, "DETOKENIZE_UNKNOWN"],
  ["a column without tags", ["payments"], { column: "public.cards.id" }, 404, "DETOKENIZE_UNKNOWN"],
  ["a column that is not there", ["payments"], { column: "public.cards.pin" }, 404, "DETOKENIZE_UNKNOWN"],
  ["a name of another form", ["payments"], { column: "public..number" }, 404, "DETOKENIZE_UNKNOWN"],
  ["a version of the key that is not there", ["payments"], { version: "9" }, 409, "MASK_KEY_MISSING"],
  ["a key of the caller's choice", ["payments"], { key: "cards" }, 400, "REQUEST_INVALID"],
  ["no tokens", ["payments"], { tokens: [] }, 400, "REQUEST_INVALID"],
];
for (const [name, groups, more, status, code] of refusals)
  test(`refused: ${name}`, async () => {
    const answer = await ask(groups, more);
    assert.deepEqual([answer.status, answer.body.code], [status, code]);
    assert.equal(answer.body.values, undefined);
  });

test("refused, and recorded: the masked decision of who is not cleared", async () => {
  await ask([], { tokens: ["0000000000000000"] });
  const decided = gate
    .records()
    .filter(({ path, input }) => path === "regate/decision" && input.command?.message === "detokenize")
    .at(-1);
  assert.equal(decided?.result.action, "mask");
});

test("a token for other resources, and no token, are no caller's", async () => {
  assert.equal((await ask(["payments"], {}, ["hr"])).status, 401);
  const response = await fetch(`http://${gate.http}/v1/detokenize`, {
    method: "POST",
    body: "{}",
    headers: { "content-type": "application/json" },
  });
  assert.equal(response.status, 401);
});

test("what cannot be a token gives null", async () => {
  assert.deepEqual((await ask(["payments"], { tokens: ["12", first[0]!] })).body.values, [null, numbers[0]]);
});

test("after a rotation new tokens come at once, and old ones are turned back by their version", async () => {
  const rotated = await keys("rotate", "tokenize/cards", "--json");
  assert.equal(rotated.code, 0, rotated.stderr);
  const { versions, restart_needed: restart } = JSON.parse(rotated.stdout) as {
    versions: string[];
    restart_needed: boolean;
  };
  assert.deepEqual([versions, restart], [["2", "1"], false]);
  const second = await tokensOf();
  assert.notDeepEqual(second, first);
  assert.deepEqual((await ask(["payments"], { tokens: second })).body.values, numbers);
  assert.deepEqual((await ask(["payments"], { version: "1" })).body.values, numbers);
  assert.notDeepEqual((await ask(["payments"])).body.values, numbers);
});

test("the command prints the values, and exits with 1 where it is refused", async () => {
  const who = ["--as", "human:ann", "--data-dir", dataDir, "--url", `http://${gate.http}`];
  const run = (...args: string[]) => regate(root, ["detokenize", "shop", "public.cards.number", ...args, ...who]);
  const shown = await run(...first, "--key-version", "1", "--group", "payments");
  assert.deepEqual([shown.code, shown.stdout], [0, `${numbers.join("\n")}\n`], shown.stderr);
  const json = await run(first[0]!, "--key-version", "1", "--group", "payments", "--json");
  assert.deepEqual((JSON.parse(json.stdout) as { values: string[] }).values, [numbers[0]]);
  const refused = await run(first[0]!);
  assert.deepEqual([refused.code, refused.stdout], [1, ""]);
  assert.match(refused.stderr, /DETOKENIZE_REFUSED/);
  assert.equal((await regate(root, ["detokenize", "shop"])).code, 2);
});

test("in mode observe nothing is turned back", async () => {
  const observing = await startGate({
    policy: rego,
    data,
    resources,
    dataDir: join(temporaryFolder("observing"), "data"),
    config: { policy: { mode: "observe" } },
  }).catch((error: unknown) => error);
  // It has no key of its own, so it does not even start with this mask; with one it starts.
  assert.equal((observing as { code?: string }).code, "MASK_KEY_MISSING");
  const place = join(temporaryFolder("observing"), "data");
  await regate(root, ["keys", "rotate", "tokenize/cards", "--create", "--data-dir", place]);
  const other = await startGate({
    policy: rego,
    data,
    resources,
    dataDir: place,
    config: { policy: { mode: "observe" } },
  });
  const token = await other.token({ groups: ["payments"] });
  const response = await fetch(`http://${other.http}/v1/detokenize`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ resource: "shop", column: "public.cards.number", tokens: first }),
  });
  assert.equal(response.status, 403);
});

test("keys are listed by name and version, and never shown", async () => {
  const listed = await keys("list", "--json");
  assert.equal(listed.code, 0, listed.stderr);
  const found = JSON.parse(listed.stdout) as { name: string; versions: string[] }[];
  assert.deepEqual(
    found.map(({ name }) => name),
    ["issuer", "mask", "tokenize/cards"],
  );
  assert.deepEqual(found[2]?.versions, ["2", "1"]);
  const { keys: secrets } = JSON.parse(readFileSync(join(dataDir, "keys", "tokenize", "cards.json"), "utf8")) as {
    keys: { k: string }[];
  };
  const shown = `${listed.stdout}${(await keys("list")).stdout}`;
  for (const { k } of secrets) assert.equal(shown.includes(k), false);
});

test("issuer and mask are rotated for the next start; the old issuer's tokens stay good", async () => {
  const before = JSON.parse((await keys("list", "--json")).stdout) as { name: string; versions: string[] }[];
  const issuer = JSON.parse((await keys("rotate", "issuer", "--json")).stdout) as {
    versions: string[];
    restart_needed: boolean;
  };
  assert.deepEqual([issuer.versions.slice(1), issuer.restart_needed], [before[0]?.versions, true]);
  const mask = JSON.parse((await keys("rotate", "mask", "--json")).stdout) as { versions: string[] };
  assert.equal(mask.versions.length, 1);
  assert.notDeepEqual(mask.versions, before[1]?.versions);
});

const misuse: readonly [string, readonly string[], number, RegExp][] = [
  ["an unknown name", ["rotate", "cards"], 2, /expected issuer, mask or tokenize\/NAME/],
  ["a name that is a path", ["rotate", "tokenize/../issuer", "--create"], 2, /expected/],
  ["a key that is not there", ["rotate", "tokenize/none"], 1, /--create/],
  ["a key that is there already", ["rotate", "tokenize/cards", "--create"], 2, /already/],
  ["no command", [], 2, /list or rotate/],
];
for (const [name, args, code, text] of misuse)
  test(`keys: ${name}`, async () => {
    const ran = await keys(...args);
    assert.equal(ran.code, code, ran.stderr);
    assert.match(ran.stderr, text);
  });

test("a damaged set, and a rotation under way, are left as they are", async () => {
  const path = join(dataDir, "keys", "tokenize", "cards.json");
  const whole = readFileSync(path);
  writeFileSync(`${path}.new`, "");
  const busy = await keys("rotate", "tokenize/cards");
  assert.equal(busy.code, 3);
  assert.match(busy.stderr, /under way/);
  rmSync(`${path}.new`);
  writeFileSync(path, "{");
  const damaged = await keys("rotate", "tokenize/cards");
  assert.deepEqual([damaged.code, readFileSync(path, "utf8")], [3, "{"]);
  writeFileSync(path, whole);
});
