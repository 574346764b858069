// The gate's keys: made once, by whoever comes first, and for nobody else's eyes.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { RegateError } from "../../src/errors.ts";
import { issueToken } from "../../src/identity/issue.ts";
import { maskKey, signingKeys } from "../../src/identity/keys.ts";
import { temporaryFolder } from "../support/folder.ts";

const root = temporaryFolder("keys");
const fresh = (name: string): string => join(root, name);
const unreadable = (detail: RegExp) => (error: unknown) => {
  assert.ok(error instanceof RegateError);
  assert.equal(error.code, "KEY_UNREADABLE");
  assert.match(error.detail ?? "", detail);
  assert.ok((error.hint ?? "").length > 0, "says a remedy");
  return true;
};

test("keys are made on first use, closed to everybody else, and stay", async () => {
  const dir = fresh("first");
  const first = await signingKeys(dir);
  const mask = await maskKey(dir);
  assert.equal(mask.length, 32);
  assert.equal((await signingKeys(dir)).signing.kid, first.signing.kid);
  assert.deepEqual(await maskKey(dir), mask);
  assert.equal(statSync(join(dir, "keys")).mode & 0o777, 0o700);
  for (const name of readdirSync(join(dir, "keys")))
    assert.equal(statSync(join(dir, "keys", name)).mode & 0o777, 0o600, name);
  assert.deepEqual(readdirSync(join(dir, "keys")).sort(), ["issuer.json", "mask.key"], "no drafts are left");
});

test("processes that race for the first use agree on the key", async () => {
  const dir = fresh("race");
  const code = `import { signingKeys, maskKey } from ${JSON.stringify(new URL("../../src/identity/keys.ts", import.meta.url).href)};
    const [keys, mask] = await Promise.all([signingKeys(${JSON.stringify(dir)}), maskKey(${JSON.stringify(dir)})]);
    console.log(keys.signing.kid, mask.toString("hex"));`;
  const ran = await Promise.all(
    Array.from({ length: 4 }, () => promisify(execFile)(process.execPath, ["--input-type=module", "-e", code])),
  );
  assert.equal(new Set(ran.map(({ stdout }) => stdout)).size, 1);
  assert.deepEqual(readdirSync(join(dir, "keys")).sort(), ["issuer.json", "mask.key"]);
});

test("many at once in one process agree, too", async () => {
  const dir = fresh("many");
  const all = await Promise.all(Array.from({ length: 20 }, () => maskKey(dir)));
  assert.equal(new Set(all.map((key) => key.toString("hex"))).size, 1);
});

const damaged: readonly [string, string, RegExp][] = [
  ["no JSON", "not json", /issuer\.json/],
  ["cut off", '{"keys": [{"kty": "OK', /issuer\.json/],
  ["empty", "", /issuer\.json/],
  ["without a key", '{"keys": []}', /no key/],
  ["of another form", '{"keys": 5}', /issuer\.json/],
  [
    "a public key",
    '{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}',
    /Ed25519/,
  ],
  [
    "another algorithm",
    '{"keys": [{"kty": "EC", "crv": "P-256", "kid": "a", "d": "AA", "x": "AA", "y": "AA"}]}',
    /Ed25519/,
  ],
];
for (const [name, text, detail] of damaged) {
  test(`a key file that is ${name} is refused, and left as it is`, async () => {
    const dir = fresh(`damaged-${name.replaceAll(" ", "-")}`);
    mkdirSync(join(dir, "keys"), { recursive: true });
    const path = join(dir, "keys", "issuer.json");
    writeFileSync(path, text, { mode: 0o600 });
    await assert.rejects(signingKeys(dir), unreadable(detail));
    assert.equal(readFileSync(path, "utf8"), text);
  });
}

test("a mask key of the wrong length is refused", async () => {
  const dir = fresh("short");
  mkdirSync(join(dir, "keys"), { recursive: true });
  writeFileSync(join(dir, "keys", "mask.key"), "short", { mode: 0o600 });
  await assert.rejects(maskKey(dir), unreadable(/5 bytes instead of 32/));
});

test("a key that everybody may read is refused", async () => {
  const dir = fresh("open");
  await signingKeys(dir);
  chmodSync(join(dir, "keys", "issuer.json"), 0o644);
  await assert.rejects(signingKeys(dir), unreadable(/mode 644/));
});

test("a folder in the key's place is refused", async () => {
  const dir = fresh("folder");
  mkdirSync(join(dir, "keys", "issuer.json"), { recursive: true });
  await assert.rejects(signingKeys(dir), unreadable(/issuer\.json/));
});

test("a data folder below a file is refused", async () => {
  writeFileSync(fresh("file"), "");
  await assert.rejects(signingKeys(join(fresh("file"), "data")), unreadable(/ENOTDIR/));
});

test("a request that is refused makes no key", async () => {
  const dir = fresh("untouched");
  await assert.rejects(issueToken({ subject: "nobody", resources: ["shop"], ttlSeconds: 60 }, { dataDir: dir }));
  assert.equal(existsSync(dir), false);
});
