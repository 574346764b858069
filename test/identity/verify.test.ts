// Tokens: what is accepted, and with which code each kind of bad one is refused.
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import type { ErrorCode } from "../../src/errors.ts";
import { RegateError } from "../../src/errors.ts";
import { openVerifier, type Verifier } from "../../src/identity/index.ts";
import { issueToken, type TokenRequest } from "../../src/identity/issue.ts";
import { signingKeys } from "../../src/identity/keys.ts";
import { temporaryFolder } from "../support/folder.ts";

const dataDir = join(temporaryFolder("identity"), "data");
mkdirSync(dataDir);
const now = 1_800_000_000;
const revoked = new Set<string>();
const revocations = { failure: undefined as Error | undefined, revoked: (id: string) => revoked.has(id) };
let verifier: Verifier;
let own: { kid: string; key: KeyObject };

before(async () => {
  verifier = await openVerifier({ dataDir, resources: ["shop", "hr"], revocations, nowSeconds: () => now });
  const [jwk] = (JSON.parse(readFileSync(join(dataDir, "keys", "issuer.json"), "utf8")) as { keys: [{ kid: string }] })
    .keys;
  const { createPrivateKey } = await import("node:crypto");
  own = { kid: jwk.kid, key: createPrivateKey({ key: jwk as never, format: "jwk" }) };
});

const issue = async (request: Partial<TokenRequest> = {}, at = now): Promise<string> =>
  (
    await issueToken(
      { subject: "agent:bot", resources: ["shop"], ttlSeconds: 300, ...request },
      { dataDir, nowSeconds: at },
    )
  ).token;

const part = (value: object | string): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A token made by hand, so that the issuer does not check itself. */
function crafted(claims: object, header: object = {}, key: KeyObject = own.key): string {
  const signed = `${part({ alg: "EdDSA", kid: own.kid, typ: "JWT", ...header })}.${part({
    iss: "regate",
    aud: "regate",
    sub: "agent:bot",
    jti: randomUUID(),
    iat: now,
    nbf: now,
    exp: now + 60,
    resources: ["shop"],
    ...claims,
  })}`;
  return `${signed}.${sign(null, Buffer.from(signed), key).toString("base64url")}`;
}

const refused = (token: string, code: ErrorCode, resource = "shop"): Promise<void> =>
  assert.rejects(verifier.verify(token, resource), (error: unknown) => {
    assert.ok(error instanceof RegateError);
    assert.equal(error.code, code, `${error.code}: ${error.detail}`);
    // Whoever reads the operators' log must not be able to use the token.
    const signature = token.split(".")[2] ?? "";
    assert.ok(signature.length < 8 || !`${error.message}${error.detail}${error.hint}`.includes(signature));
    return true;
  });

test("an issued token gives its identity", async () => {
  const identity = await verifier.verify(
    await issue({
      subject: "human:alice",
      groups: ["dba"],
      scopes: ["approve", "ddl"],
      resources: ["shop", "hr"],
      actors: ["agent:bot", "service:ci"],
    }),
    "hr",
  );
  const { token, ...rest } = identity;
  assert.deepEqual(rest, {
    subject: "human:alice",
    kind: "human",
    issuer: "regate",
    actors: ["agent:bot", "service:ci"],
    groups: ["dba"],
    scopes: ["approve", "ddl"],
    claims: { resources: ["shop", "hr"] },
  });
  assert.equal(token.issued_at, now);
  assert.equal(token.expires_at, now + 300);
  assert.match(token.id, /^[0-9a-f-]{36}$/);
});

test("a token by hand that is like the issuer's passes: the cases below fail for their one difference", async () => {
  assert.equal((await verifier.verify(crafted({}), "shop")).kind, "agent");
});

const foreign = generateKeyPairSync("ed25519").privateKey;
const bad: readonly [string, () => string, ErrorCode][] = [
  ["nothing", () => "", "TOKEN_INVALID"],
  ["a password", () => "hunter2", "TOKEN_INVALID"],
  ["dots alone", () => "..", "TOKEN_INVALID"],
  ["more than 16 KiB", () => crafted({ pad: "x".repeat(16_384) }), "TOKEN_INVALID"],
  [
    "a changed signature",
    () => crafted({}).replace(/.....$/, (end) => (end === "AAAAA" ? "BBBBB" : "AAAAA")),
    "TOKEN_INVALID",
  ],
  ["no signature", () => crafted({}).replace(/[^.]+$/, ""), "TOKEN_INVALID"],
  [
    "changed claims",
    () =>
      crafted({}).replace(
        /\.[^.]+\./,
        `.${part({ iss: "regate", aud: "regate", sub: "human:root", jti: "1", iat: now, exp: now + 60, resources: ["*"] })}.`,
      ),
    "TOKEN_INVALID",
  ],
  ["another key under our kid", () => crafted({}, {}, foreign), "TOKEN_INVALID"],
  ["an unknown kid", () => crafted({}, { kid: "other" }), "TOKEN_INVALID"],
  ["no kid", () => crafted({}, { kid: undefined }), "TOKEN_INVALID"],
  ["alg none", () => crafted({}, { alg: "none" }), "TOKEN_INVALID"],
  ["alg HS256", () => crafted({}, { alg: "HS256" }), "TOKEN_INVALID"],
  ["the same algorithm under its other name", () => crafted({}, { alg: "Ed25519" }), "TOKEN_INVALID"],
  ["a critical extension", () => crafted({}, { crit: ["exp"], exp: 1 }), "TOKEN_INVALID"],
  [
    "an embedded key",
    () => crafted({}, { kid: undefined, jwk: foreign.export({ format: "jwk" }) }, foreign),
    "TOKEN_INVALID",
  ],
  ["another issuer", () => crafted({ iss: "https://login.example.com" }), "TOKEN_WRONG_ISSUER"],
  ["no issuer", () => crafted({ iss: undefined }), "TOKEN_INVALID"],
  ["an issuer that objects inherit", () => crafted({ iss: "constructor" }), "TOKEN_WRONG_ISSUER"],
  ["another audience", () => crafted({ aud: "vault" }), "TOKEN_WRONG_AUDIENCE"],
  ["other audiences", () => crafted({ aud: ["vault", "regate2"] }), "TOKEN_WRONG_AUDIENCE"],
  ["no audience", () => crafted({ aud: undefined }), "TOKEN_INVALID"],
  ["expired", () => crafted({ exp: now - 6 }), "TOKEN_EXPIRED"],
  ["no end", () => crafted({ exp: undefined }), "TOKEN_INVALID"],
  ["an end that is no number", () => crafted({ exp: "never" }), "TOKEN_INVALID"],
  ["not valid yet", () => crafted({ nbf: now + 6 }), "TOKEN_NOT_YET_VALID"],
  [
    "issued in the future, by a clock that is ahead",
    () => crafted({ nbf: undefined, iat: now + 6 }),
    "TOKEN_NOT_YET_VALID",
  ],
  ["another resource", () => crafted({ resources: ["hr"] }), "TOKEN_WRONG_RESOURCE"],
  ["no resource", () => crafted({ resources: [] }), "TOKEN_WRONG_RESOURCE"],
  [
    "a resource in another spelling",
    () => crafted({ resources: ["Shop", "SHOP", "shop2", "sho"] }),
    "TOKEN_WRONG_RESOURCE",
  ],
  ["resources as a text", () => crafted({ resources: "shop" }), "TOKEN_INVALID"],
  ["resources missing", () => crafted({ resources: undefined }), "TOKEN_INVALID"],
  ["no subject", () => crafted({ sub: undefined }), "TOKEN_INVALID"],
  ["an empty subject", () => crafted({ sub: "" }), "TOKEN_INVALID"],
  ["a subject with invisible characters", () => crafted({ sub: "human:al\u200bice" }), "TOKEN_INVALID"],
  ["a subject that is not composed", () => crafted({ sub: "human:jose\u0301" }), "TOKEN_INVALID"],
  ["a subject without its kind", () => crafted({ sub: "bot" }), "TOKEN_INVALID"],
  ["a kind that is not the subject's", () => crafted({ kind: "human" }), "TOKEN_INVALID"],
  ["groups as a text", () => crafted({ groups: "dba" }), "TOKEN_INVALID"],
  ["groups of objects", () => crafted({ groups: [{ name: "dba" }] }), "TOKEN_INVALID"],
  ["scopes as a list", () => crafted({ scope: ["ddl"] }), "TOKEN_INVALID"],
  ["an actor without a subject", () => crafted({ act: { act: { sub: "agent:x" } } }), "TOKEN_INVALID"],
  [
    "a chain of actors without an end",
    () =>
      crafted({
        act: Array.from({ length: 40 }).reduce<object>((act) => ({ sub: "agent:x", act }), { sub: "agent:x" }),
      }),
    "TOKEN_INVALID",
  ],
  ["no id", () => crafted({ jti: undefined }), "TOKEN_INVALID"],
];
for (const [name, token, code] of bad) test(`${name}: ${code}`, () => refused(token(), code));

test("clocks may be five seconds apart, either way", async () => {
  await verifier.verify(crafted({ exp: now - 4 }), "shop");
  await verifier.verify(crafted({ nbf: now + 5, iat: now + 5 }), "shop");
});

test("* covers every resource that there is, and no other", async () => {
  const token = await issue({ resources: ["*"] });
  assert.equal((await verifier.verify(token, "hr")).subject, "agent:bot");
  await refused(token, "RESOURCE_UNKNOWN", "payroll");
  await refused(await issue({ resources: ["payroll"] }), "RESOURCE_UNKNOWN", "payroll");
});

test("a revoked token is refused, and a session of it is ended", async () => {
  const token = await issue();
  const identity = await verifier.verify(token, "shop");
  assert.equal(verifier.check(identity, now), undefined);
  revoked.add(identity.token.id);
  assert.equal(verifier.check(identity, now), "TOKEN_REVOKED");
  await refused(token, "TOKEN_REVOKED");
});

test("a session's token ends with the same leeway as at its start", async () => {
  const identity = await verifier.verify(await issue({ ttlSeconds: 60 }), "shop");
  assert.equal(verifier.check(identity, now + 64), undefined);
  assert.equal(verifier.check(identity, now + 65), "TOKEN_EXPIRED");
});

test("while revocations cannot be read, nobody new is let in", async () => {
  const token = await issue();
  const identity = await verifier.verify(token, "shop");
  revocations.failure = new Error("EIO");
  try {
    await refused(token, "TOKEN_REVOKED");
    assert.equal(verifier.check(identity, now), undefined, "who is in goes on");
  } finally {
    revocations.failure = undefined;
  }
});

const unissuable: readonly [string, Partial<TokenRequest>][] = [
  ["a subject without its kind", { subject: "bot" }],
  ["a subject that is empty", { subject: "" }],
  ["a subject with a line break", { subject: "agent:a\nb" }],
  ["a kind that the subject denies", { subject: "agent:bot", kind: "human" }],
  ["no resource", { resources: [] }],
  ["a longer life than max_ttl", { ttlSeconds: 3601 }],
  ["no life", { ttlSeconds: 0 }],
  ["a scope of two words", { scopes: ["a b"] }],
  ["a group with space around it", { groups: [" dba"] }],
  [
    "a token that would be too large to verify",
    { groups: Array.from({ length: 100 }, (_, i) => `${"x".repeat(250)}${i}`) },
  ],
];
for (const [name, request] of unissuable) {
  test(`${name} is not issued`, () =>
    assert.rejects(issue(request), (error: unknown) => error instanceof RegateError && error.code === "TOKEN_REQUEST"));
}

test("only the public half verifies", async () => {
  const { verifying, signing } = await signingKeys(dataDir);
  assert.deepEqual(
    [...verifying.values()].map((key) => key.type),
    ["public"],
  );
  assert.equal(signing.key.extractable, false);
});
