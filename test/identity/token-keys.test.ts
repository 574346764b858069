// Keys of tokenize: read by name, by version, anew when their file changes, and refused when they are not what they should be.
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { TokenKeys } from "../../src/identity/token-keys.ts";
import { temporaryFolder } from "../support/folder.ts";

const key = (kid: string, bytes = 32): object => ({
  kty: "oct",
  kid,
  k: Buffer.alloc(bytes, kid).toString("base64url"),
});

function keyFolder(): { keys: TokenKeys; path: string; write(content: unknown): void } {
  const dir = temporaryFolder("token-keys");
  mkdirSync(join(dir, "keys", "tokenize"), { recursive: true });
  const path = join(dir, "keys", "tokenize", "cards.json");
  const write = (content: unknown): void => {
    writeFileSync(`${path}.new`, typeof content === "string" ? content : JSON.stringify(content), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };
  return { keys: new TokenKeys(dir), path, write };
}

test("the first key of a set is the current one, and each has its version", () => {
  const { keys, write } = keyFolder();
  write({ keys: [key("2"), key("1", 16)] });
  assert.deepEqual(keys.current("cards"), Buffer.alloc(32, "2"));
  assert.deepEqual(keys.version("cards", "1"), { version: "1", key: Buffer.alloc(16, "1") });
  assert.deepEqual(keys.version("cards")?.key, keys.current("cards"));
  assert.equal(keys.version("cards", "3"), undefined);
  assert.equal(keys.current("other"), undefined);
});

test("a rotated key is seen at once, and so is one that was taken away", () => {
  const { keys, path, write } = keyFolder();
  assert.equal(keys.current("cards"), undefined);
  write({ keys: [key("1")] });
  assert.deepEqual(keys.current("cards"), Buffer.alloc(32, "1"));
  write({ keys: [key("2"), key("1")] });
  assert.deepEqual(keys.current("cards"), Buffer.alloc(32, "2"));
  rmSync(path);
  assert.equal(keys.current("cards"), undefined);
  write({ keys: [key("1")] });
  assert.deepEqual(keys.current("cards"), Buffer.alloc(32, "1"));
});

const damaged: readonly [name: string, content: unknown, detail: RegExp][] = [
  ["no JSON", "secret words", /cards\.json: no JSON$/],
  ["of another form", { keys: 5 }, /no JWK set/],
  ["without a key", { keys: [] }, /no key in it/],
  ["of another kind", { keys: [{ kty: "RSA", kid: "1", k: "AA" }] }, /kty oct/],
  ["without a version", { keys: [{ kty: "oct", k: Buffer.alloc(32).toString("base64url") }] }, /kid/],
  ["of an odd length", { keys: [key("1", 31)] }, /expected 16, 24 or 32 bytes/],
  ["not in base64url", { keys: [{ kty: "oct", kid: "1", k: `${"/".repeat(42)}8=` }] }, /base64url/],
  ["twice of one version", { keys: [key("1"), key("1")] }, /stands twice/],
];
for (const [name, content, detail] of damaged) {
  test(`a key that is ${name} is refused, and told nothing of`, () => {
    const { keys, write } = keyFolder();
    write({ keys: [key("1")] });
    keys.current("cards");
    write(content);
    assert.throws(() => keys.current("cards"), { code: "KEY_UNREADABLE", detail });
    assert.throws(() => keys.current("cards"), { code: "KEY_UNREADABLE", detail });
  });
}

test("a key that everybody may read is refused", () => {
  const { keys, path, write } = keyFolder();
  write({ keys: [key("1")] });
  assert.ok(keys.current("cards"));
  chmodSync(path, 0o644);
  assert.throws(() => keys.current("cards"), { code: "KEY_UNREADABLE", detail: /mode 644/ });
});
