// Revocations: made by any process, noticed by a running gate within a second, and the list of issued tokens.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { RegateError } from "../../src/errors.ts";
import { followRevocations, revoke, revokedIds } from "../../src/state/revocations.ts";
import { rememberedTokens, rememberToken } from "../../src/state/tokens.ts";
import { temporaryFolder } from "../support/folder.ts";

const root = temporaryFolder("revocations");
const revocation = (id: string, until = Math.floor(Date.now() / 1000) + 300) => ({
  id,
  until,
  revoked_at: new Date().toISOString(),
  by: "test",
});

/** Waits until it holds; fails after a second. */
async function withinASecond(holds: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 1000; Date.now() < end; await sleep(10)) if (holds()) return;
  assert.fail(`${what}: not within a second`);
}

test("a running gate notices what another process revokes", async () => {
  const dir = join(root, "noticed");
  const following = followRevocations(dir);
  try {
    assert.equal(following.revoked("one"), false);
    const code = `import { revoke } from ${JSON.stringify(new URL("../../src/state/revocations.ts", import.meta.url).href)};
      revoke(${JSON.stringify(dir)}, ${JSON.stringify(revocation("one"))});`;
    execFileSync(process.execPath, ["--input-type=module", "-e", code]);
    await withinASecond(() => following.revoked("one"), "the first");
    revoke(dir, revocation("two"));
    await withinASecond(() => following.revoked("two"), "the second");
    assert.equal(following.revoked("three"), false);
  } finally {
    following.close();
  }
});

test("revocations that come close together are all noticed", async () => {
  const dir = join(root, "burst");
  const following = followRevocations(dir);
  try {
    const ids = Array.from({ length: 300 }, (_, i) => `id-${i}`);
    for (const id of ids) {
      revoke(dir, revocation(id));
      // Between two looks of the gate, and in the same tick of the folder's clock.
      if (Number(id.slice(3)) % 60 === 0) await sleep(250);
    }
    await withinASecond(() => ids.every((id) => following.revoked(id)), "all");
  } finally {
    following.close();
  }
});

test("a gate that starts later knows them, and a second revocation changes nothing", () => {
  const dir = join(root, "later");
  assert.equal(revoke(dir, revocation("one", 5)), true);
  assert.equal(revoke(dir, revocation("one", 6)), false);
  assert.equal(JSON.parse(readFileSync(join(dir, "revoked", "one"), "utf8")).until, 5);
  assert.deepEqual([...revokedIds(dir)], ["one"]);
  const following = followRevocations(dir);
  assert.equal(following.revoked("one"), true);
  following.close();
  assert.deepEqual(readdirSync(join(dir, "revoked")), ["one"], "no drafts are left");
});

test("when the folder is lost, what was known stays and the failure is told; when it is back, all is well", async () => {
  const dir = join(root, "lost");
  const states: (Error | undefined)[] = [];
  revoke(dir, revocation("one"));
  const following = followRevocations(dir, (failure) => states.push(failure));
  try {
    renameSync(join(dir, "revoked"), join(dir, "away"));
    writeFileSync(join(dir, "revoked"), "");
    await withinASecond(() => following.failure !== undefined, "the failure");
    assert.equal(following.revoked("one"), true);
    rmSync(join(dir, "revoked"));
    revoke(join(dir, "elsewhere"), revocation("two"));
    renameSync(join(dir, "elsewhere", "revoked"), join(dir, "revoked"));
    await withinASecond(() => following.failure === undefined && following.revoked("two"), "the return");
    assert.deepEqual(
      states.map((state) => state === undefined),
      [false, true],
    );
  } finally {
    following.close();
  }
});

test("revocations of tokens that ended long ago are swept, others and unreadable ones stay", async () => {
  const dir = join(root, "swept");
  revoke(dir, revocation("old", 1000));
  revoke(dir, revocation("new"));
  writeFileSync(join(dir, "revoked", "torn"), '{"unt');
  const following = followRevocations(dir);
  try {
    await withinASecond(() => !existsSync(join(dir, "revoked", "old")), "the sweep");
    assert.deepEqual(readdirSync(join(dir, "revoked")).sort(), ["new", "torn"]);
    await withinASecond(() => !following.revoked("old"), "the next look");
    assert.equal(following.revoked("new") && following.revoked("torn"), true);
  } finally {
    following.close();
  }
});

for (const id of ["", "../../../etc/passwd", "a/b", ".hidden", "a b", "x".repeat(200)]) {
  test(`${JSON.stringify(id.slice(0, 20))} is no token's id`, () => {
    assert.throws(
      () => revoke(join(root, "ids"), revocation(id)),
      (error: unknown) => error instanceof RegateError && error.code === "TOKEN_REQUEST",
    );
    assert.equal(existsSync(join(root, "ids")), false);
  });
}

test("the list remembers what was issued, the latest first, over torn lines, and forgets old days", () => {
  const dir = join(root, "list");
  const now = Math.floor(Date.now() / 1000);
  const entry = (id: string, issued_at: number, expires_at: number) => ({
    id,
    subject: "agent:bot",
    resources: ["shop"],
    groups: [],
    scopes: [],
    issued_at,
    expires_at,
  });
  mkdirSync(join(dir, "tokens"), { recursive: true });
  writeFileSync(join(dir, "tokens", "2020-01-01.jsonl"), `${JSON.stringify(entry("ancient", 1, 2))}\n`);
  rememberToken(dir, entry("a", now - 20, now + 60));
  const [day] = readdirSync(join(dir, "tokens"));
  appendFileSync(join(dir, "tokens", day!), '{"id":"torn","sub');
  rememberToken(dir, entry("b", now - 10, now + 60));
  assert.deepEqual(
    rememberedTokens(dir).map(({ id }) => id),
    ["b", "a"],
  );
  assert.deepEqual(rememberedTokens(join(root, "nothing")), []);
});
