// regate token, run as a program: issue, list, revoke.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openVerifier } from "../../src/identity/index.ts";
import { followRevocations } from "../../src/state/revocations.ts";
import { temporaryFolder } from "../support/folder.ts";
import { regate } from "./run.ts";

const root = temporaryFolder("token");
const dataDir = join(root, "data");
const here = ["--data-dir", dataDir];

test("issue prints the token alone, and the gate takes it", async () => {
  const { code, stdout, stderr } = await regate(root, [
    "token",
    "issue",
    "--subject",
    "agent:bot",
    "--resource",
    "shop",
    "--ttl",
    "5m",
    "--group",
    "dev",
    "--group",
    "ops",
    "--scope",
    "ddl",
    ...here,
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  assert.equal(stderr, "");
  const revocations = followRevocations(join(dataDir, "state"));
  const verifier = await openVerifier({ dataDir, resources: ["shop"], revocations });
  const identity = await verifier.verify(stdout.trim(), "shop");
  assert.deepEqual(
    [identity.subject, identity.groups, identity.scopes, identity.token.expires_at - identity.token.issued_at],
    ["agent:bot", ["dev", "ops"], ["ddl"], 300],
  );

  const listed = JSON.parse((await regate(root, ["token", "list", "--json", ...here])).stdout);
  assert.deepEqual(
    listed.map((entry: { id: string; state: string }) => [entry.id, entry.state]),
    [[identity.token.id, "good"]],
  );
  const table = (await regate(root, ["token", "list", ...here])).stdout;
  assert.match(table, new RegExp(`${identity.token.id} .*agent:bot .*shop .*group dev, group ops, scope ddl`));

  assert.equal(verifier.check(identity, identity.token.issued_at), undefined);
  const revoked = await regate(root, ["token", "revoke", identity.token.id, ...here]);
  assert.equal(revoked.stdout, `revoked: ${identity.token.id} of agent:bot\n`);
  const end = Date.now() + 1000;
  while (verifier.check(identity, identity.token.issued_at) === undefined && Date.now() < end)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(verifier.check(identity, identity.token.issued_at), "TOKEN_REVOKED", "within a second");
  revocations.close();
  assert.match((await regate(root, ["token", "list", ...here])).stdout, /No tokens are good now/);
  assert.match((await regate(root, ["token", "list", "--all", ...here])).stdout, /revoked/);
  assert.match((await regate(root, ["token", "revoke", identity.token.id, ...here])).stdout, /was revoked before/);
});

test("no token is kept anywhere in the data folder", async () => {
  const dir = join(root, "kept");
  const { stdout } = await regate(root, [
    "token",
    "issue",
    "--subject",
    "agent:bot",
    "--resource",
    "shop",
    "--json",
    "--data-dir",
    dir,
  ]);
  const made = JSON.parse(stdout) as { token: string; id: string; expires_at: number };
  assert.ok(made.expires_at > Date.now() / 1000 + 290, "ttl is identity.tokens.ttl");
  const signature = made.token.split(".")[2]!;
  for (const name of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
    const path = join(dir, name);
    if (statSync(path).isFile()) assert.ok(!readFileSync(path, "latin1").includes(signature), name);
  }
});

test("revoke takes all tokens of a subject", async () => {
  const dir = ["--data-dir", join(root, "subject")];
  for (const subject of ["agent:a", "agent:a", "agent:b"])
    await regate(root, ["token", "issue", "--subject", subject, "--resource", "shop", ...dir]);
  const revoked = JSON.parse(
    (await regate(root, ["token", "revoke", "--subject", "agent:a", "--json", ...dir])).stdout,
  );
  assert.deepEqual(
    revoked.map((one: { subject: string; revoked: string }) => [one.subject, one.revoked]),
    [
      ["agent:a", "now"],
      ["agent:a", "now"],
    ],
  );
  const left = JSON.parse((await regate(root, ["token", "list", "--json", ...dir])).stdout);
  assert.deepEqual(
    left.map((entry: { subject: string }) => entry.subject),
    ["agent:b"],
  );
});

test("the configuration says where the keys are and how long a token may live", async () => {
  const dir = join(root, "configured");
  mkdirSync(dir);
  writeFileSync(
    join(dir, "gate.yaml"),
    `data_dir: here\nidentity: {tokens: {ttl: 30s, max_ttl: 1m}}\nresources: {shop: {url: "postgres://app:\${NO_SUCH_VARIABLE}@db/shop"}}\n`,
  );
  const config = ["--config", join(dir, "gate.yaml")];
  const issued = await regate(root, [
    "token",
    "issue",
    "--subject",
    "agent:bot",
    "--resource",
    "shopp",
    "--json",
    ...config,
  ]);
  assert.equal(issued.code, 0, issued.stderr);
  const { issued_at, expires_at } = JSON.parse(issued.stdout);
  assert.equal(expires_at - issued_at, 30);
  assert.match(issued.stderr, /no resource shopp/);
  assert.ok(statSync(join(dir, "here", "keys", "issuer.json")).isFile());
  const long = await regate(root, [
    "token",
    "issue",
    "--subject",
    "agent:bot",
    "--resource",
    "shop",
    "--ttl",
    "2m",
    ...config,
  ]);
  assert.equal(long.code, 1);
  assert.match(long.stderr, /max_ttl/);
  assert.equal(long.stdout, "");
});

const misused: readonly [string, string[], RegExp][] = [
  ["no word", ["token"], /token issue/],
  ["an unknown word", ["token", "make"], /token make/],
  ["no subject", ["token", "issue", "--resource", "shop"], /--subject/],
  ["no resource", ["token", "issue", "--subject", "agent:bot"], /--resource/],
  [
    "a ttl without its unit",
    ["token", "issue", "--subject", "agent:bot", "--resource", "shop", "--ttl", "300"],
    /--ttl 300/,
  ],
  ["an unknown option", ["token", "issue", "--sub", "agent:bot"], /--sub/],
  ["a word too many", ["token", "issue", "shop", "--subject", "agent:bot", "--resource", "shop"], /too many/],
  ["nothing to revoke", ["token", "revoke"], /ids/],
];
for (const [name, args, message] of misused) {
  test(`${name} is a misuse: exit code 2, nothing on the disk`, async () => {
    const dir = join(root, "misused");
    const { code, stdout, stderr } = await regate(root, [...args, ...(args.length > 1 ? ["--data-dir", dir] : [])]);
    assert.equal(code, 2);
    assert.match(`${stdout}${stderr}`, message);
    assert.throws(() => statSync(dir));
  });
}

test("a subject without its kind is refused with the remedy", async () => {
  const { code, stdout, stderr } = await regate(root, [
    "token",
    "issue",
    "--subject",
    "bot",
    "--resource",
    "shop",
    ...here,
  ]);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /agent:NAME/);
});

test("a key that cannot be used is exit code 3, with its path", async () => {
  const dir = join(root, "broken");
  mkdirSync(join(dir, "keys"), { recursive: true });
  writeFileSync(join(dir, "keys", "issuer.json"), "{", { mode: 0o600 });
  const { code, stderr } = await regate(root, [
    "token",
    "issue",
    "--subject",
    "agent:bot",
    "--resource",
    "shop",
    "--data-dir",
    dir,
  ]);
  assert.equal(code, 3);
  assert.match(stderr, /keys\/issuer\.json/);
});

test("an id that is none is refused", async () => {
  assert.equal((await regate(root, ["token", "revoke", "../../x", ...here])).code, 1);
});
