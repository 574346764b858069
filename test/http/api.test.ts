// The HTTP API: who is let in, what is shown to whom, and what a request may look like.
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import type { ApprovalEntry, ApprovalRequest } from "../../src/core/ports.ts";
import { RegateError } from "../../src/errors.ts";
import { type Http, startHttp } from "../../src/http/index.ts";
import { openVerifier } from "../../src/identity/index.ts";
import { issueToken, type TokenRequest } from "../../src/identity/issue.ts";
import { openState } from "../../src/state/index.ts";
import { revoke } from "../../src/state/revocations.ts";
import { request } from "../state/requests.ts";
import { temporaryFolder } from "../support/folder.ts";

const dataDir = join(temporaryFolder("http"), "data");
const stateDir = join(dataDir, "state");
const state = await openState({ dir: stateDir });
const verifier = await openVerifier({ dataDir, resources: ["shop", "hr"], revocations: state.revocations });
const logged: string[] = [];
const note = (fields: object, message: string): void => void logged.push(JSON.stringify({ ...fields, message }));
const log = { info: note, warn: note, error: note };
let health: object = { status: "ok", mode: "enforce", policy: { revision: "abc" }, audit: "ok", sessions: 0 };
const detokenize = (): Promise<never> => Promise.reject(new RegateError("DETOKENIZE_REFUSED"));
const options = { host: "127.0.0.1", verifier, approvals: state.approvals, detokenize, health: () => health, log };
const http = await startHttp({ ...options, port: 0 });
after(async () => {
  await http.close();
  await state.close();
});

const issue = async (subject: string, more: Partial<TokenRequest> = {}): Promise<string> =>
  (await issueToken({ subject, resources: ["shop"], ttlSeconds: 60, ...more }, { dataDir })).token;
const dba = await issue("human:carol", { groups: ["dba"] });

type Body = Partial<ApprovalEntry> & {
  readonly approvals?: ApprovalEntry[];
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
  readonly audit?: string;
};
type Answer = { readonly status: number; readonly body: Body; readonly headers: Headers };
async function call(
  method: string,
  path: string,
  token?: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`http://${http.address}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, body: (await response.json()) as Body, headers: response.headers };
}

function hold(more: Partial<ApprovalRequest> = {}): { id: string; settled: ApprovalEntry[] } {
  const asked = request(more);
  const settled: ApprovalEntry[] = [];
  state.approvals.request(asked, (entry) => settled.push(entry));
  return { id: asked.id, settled };
}

test("health is for everybody, and is 503 when the gate does not work", async () => {
  const good = await call("GET", "/healthz");
  assert.equal(good.status, 200);
  assert.deepEqual(good.body, health);
  const before = health;
  health = { ...before, status: "failing", audit: "ENOSPC" };
  const bad = await call("GET", "/healthz");
  health = before;
  assert.equal(bad.status, 503);
  assert.equal(bad.body.audit, "ENOSPC");
});

test("an approver lists, looks, approves; the waiting command is told", async () => {
  const { id, settled } = hold();
  const list = await call("GET", "/v1/approvals?state=pending", dba);
  assert.equal(list.status, 200);
  const entry = list.body.approvals?.find((one) => one.id === id);
  assert.ok(entry !== undefined);
  assert.equal(entry.text, "DELETE FROM orders WHERE id = 7");
  assert.equal(entry.requester.subject, "agent:bot");
  assert.equal("binding" in entry, false, "what only binds an approval is not shown");
  assert.deepEqual((await call("GET", `/v1/approvals/${id}`, dba)).body, entry);
  const approved = await call("POST", `/v1/approvals/${id}/approve`, dba, '{"comment":"fine"}');
  assert.equal(approved.status, 200);
  assert.equal(approved.body.state, "approved");
  assert.deepEqual(approved.body.decided_by, ["human:carol"]);
  assert.equal(settled[0]?.state, "approved");
  assert.equal(settled[0]?.comment, "fine");
  const again = await call("POST", `/v1/approvals/${id}/deny`, dba, "{}");
  assert.equal(again.status, 409);
  assert.equal(again.body.code, "APPROVAL_SETTLED");
});

test("a denial needs no body", async () => {
  const { id, settled } = hold();
  assert.equal((await call("POST", `/v1/approvals/${id}/deny`, dba)).body.state, "denied");
  assert.equal(settled[0]?.state, "denied");
});

const paths: readonly [string, string][] = [
  ["GET", "/v1/approvals"],
  ["GET", "/v1/approvals/x"],
  ["POST", "/v1/approvals/x/approve"],
  ["POST", "/v1/approvals/x/deny"],
];
for (const [method, path] of paths) {
  test(`${method} ${path} without a good token is refused before anything else, always in the same words`, async () => {
    const expired = (
      await issueToken(
        { subject: "human:carol", groups: ["dba"], resources: ["*"], ttlSeconds: 10 },
        { dataDir, nowSeconds: Math.floor(Date.now() / 1000) - 60 },
      )
    ).token;
    const headers: Record<string, string>[] = [
      {},
      { authorization: "Bearer" },
      { authorization: `Basic ${Buffer.from(`a:${dba}`).toString("base64")}` },
      { authorization: `Bearer ${expired}` },
      { authorization: `Bearer ${dba}x` },
      { authorization: dba },
    ];
    const bodies = new Set<string>();
    for (const header of headers) {
      const answer = await call(method, path, undefined, method === "POST" ? "this is no JSON" : undefined, header);
      assert.equal(answer.status, 401);
      assert.match(answer.headers.get("www-authenticate") ?? "", /^Bearer /);
      bodies.add(JSON.stringify(answer.body));
    }
    assert.equal(bodies.size, 1);
    assert.match([...bodies][0] ?? "", /"code":"TOKEN_INVALID"/);
  });
}

test("the operator's log says why a token was refused, and never holds one", async () => {
  assert.ok(logged.some((line) => line.includes("TOKEN_EXPIRED")));
  assert.ok(logged.every((line) => !line.includes(dba.slice(-20)) && !line.includes("DELETE FROM")));
});

test("a revoked token is out within a second", async () => {
  const { token, issued } = await issueToken(
    { subject: "human:mallory", groups: ["dba"], resources: ["shop"], ttlSeconds: 60 },
    { dataDir },
  );
  assert.equal((await call("GET", "/v1/approvals", token)).status, 200);
  revoke(stateDir, { id: issued.id, until: issued.expires_at, revoked_at: "", by: "test" });
  const end = Date.now() + 1000;
  while (Date.now() < end && (await call("GET", "/v1/approvals", token)).status === 200);
  assert.equal((await call("GET", "/v1/approvals", token)).status, 401);
});

const unseen: readonly [string, string, Partial<TokenRequest>][] = [
  ["a token for another resource", "human:carol", { groups: ["dba"], resources: ["hr"] }],
  ["somebody who is no approver", "human:erin", {}],
  ["another agent", "agent:other", {}],
  ["the scope, on another resource", "human:erin", { scopes: ["approve"], resources: ["hr"] }],
];
for (const [name, subject, more] of unseen) {
  test(`${name} sees nothing of an approval, not even that it exists`, async () => {
    const { id, settled } = hold();
    const token = await issue(subject, more);
    assert.deepEqual((await call("GET", "/v1/approvals", token)).body, { approvals: [] });
    const unknown = await call("GET", `/v1/approvals/${"0".repeat(id.length)}`, token);
    for (const [method, path] of [
      ["GET", ""],
      ["POST", "/approve"],
      ["POST", "/deny"],
    ] as const) {
      const answer = await call(method, `/v1/approvals/${id}${path}`, token);
      assert.equal(answer.status, 404);
      assert.deepEqual({ ...answer.body, detail: "" }, { ...unknown.body, detail: "" });
    }
    assert.deepEqual(settled, []);
  });
}

const seenOnly: readonly [string, string, Partial<TokenRequest>][] = [
  ["the requester", "agent:bot", { groups: ["dba"] }],
  ["the bearer of the scope who is not named by the policy", "human:erin", { scopes: ["approve"] }],
  ["an approver through whom the requester acts", "human:carol", { groups: ["dba"], actors: ["agent:bot"] }],
];
for (const [name, subject, more] of seenOnly) {
  test(`${name} may look, and not decide`, async () => {
    const { id, settled } = hold();
    const token = await issue(subject, more);
    assert.equal((await call("GET", `/v1/approvals/${id}`, token)).status, 200);
    for (const verdict of ["approve", "deny"]) {
      const answer = await call("POST", `/v1/approvals/${id}/${verdict}`, token);
      assert.equal(answer.status, 403);
      assert.equal(answer.body.code, "APPROVAL_NOT_ALLOWED");
    }
    assert.deepEqual(settled, []);
  });
}

const malformed: readonly [string, string, number][] = [
  ["no JSON", "{", 400],
  ["another type", "[]", 400],
  ["an unknown member", '{"comment":"x","force":true}', 400],
  ["a comment that is no text", '{"comment":5}', 400],
  ["a comment that is too long", JSON.stringify({ comment: "x".repeat(1001) }), 400],
  ["a prototype", '{"__proto__":{"comment":"x"}}', 400],
  ["a body that is too large", JSON.stringify({ comment: "x".repeat(20_000) }), 413],
];
for (const [name, body, status] of malformed) {
  test(`a body with ${name} is refused, and decides nothing`, async () => {
    const { id, settled } = hold();
    const answer = await call("POST", `/v1/approvals/${id}/approve`, dba, body);
    assert.equal(answer.status, status);
    assert.equal(answer.body.code, "REQUEST_INVALID");
    assert.ok(answer.body.message && answer.body.hint);
    assert.deepEqual(settled, []);
  });
}

test("a form, which any web page may send, is refused", async () => {
  const { id, settled } = hold();
  const answer = await call("POST", `/v1/approvals/${id}/approve`, dba, "comment=x", {
    "content-type": "application/x-www-form-urlencoded",
  });
  assert.equal(answer.status, 415);
  assert.deepEqual(settled, []);
});

test("an unknown state, an unknown query and an unknown address are refused", async () => {
  assert.equal((await call("GET", "/v1/approvals?state=open", dba)).status, 400);
  assert.equal((await call("GET", "/v1/approvals?limit=5", dba)).status, 400);
  const nowhere = await call("GET", "/v1/approvals/a/b/c", dba);
  assert.equal(nowhere.status, 404);
  assert.equal(nowhere.body.code, "NOT_FOUND");
  assert.equal((await call("POST", "/healthz")).status, 404);
});

test("answers are not stored, and no other origin may read them", async () => {
  const { headers } = await call("GET", "/v1/approvals", dba, undefined, { origin: "https://evil.example" });
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal(headers.get("access-control-allow-origin"), null);
  assert.equal(headers.get("x-content-type-options"), "nosniff");
});

/** The status for a Host header, which fetch does not let anybody set. */
function withHost(server: Http, host: string | undefined): Promise<number> {
  const [name, port] = server.address.split(/:(?=\d+$)/);
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      {
        host: name!.replace(/[[\]]/g, ""),
        port: Number(port),
        path: "/healthz",
        setHost: false,
        headers: host === undefined ? {} : { host },
      },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}

for (const host of ["127.0.0.1:6080", "127.0.0.1", "localhost:6080", "LOCALHOST", "[::1]:6080", "127.1.2.3:80"]) {
  test(`on loopback, the host ${host} is served`, async () => assert.equal(await withHost(http, host), 200));
}
for (const host of [
  "evil.example",
  "evil.example:6080",
  "127.0.0.1.evil.example",
  "localhost.evil.example",
  "10.0.0.1",
  "[::2]",
  "localhost@evil.example",
  "",
]) {
  test(`on loopback, the host ${JSON.stringify(host)} is refused`, async () =>
    assert.ok([400, 421].includes(await withHost(http, host))));
}

test("beyond loopback, the host is whatever the network calls the gate", async () => {
  const open = await startHttp({ ...options, host: "0.0.0.0", port: 0 });
  try {
    assert.equal(
      await withHost({ ...open, address: open.address.replace("0.0.0.0", "127.0.0.1") }, "gate.internal:6080"),
      200,
    );
  } finally {
    await open.close();
  }
});

test("a port in use is named, with a remedy", async () => {
  const port = Number(http.address.split(":").at(-1));
  await assert.rejects(startHttp({ ...options, port }), (error: unknown) => {
    assert.ok(error instanceof RegateError);
    assert.equal(error.code, "PORT_IN_USE");
    assert.match(error.detail ?? "", new RegExp(`listen\\.http: 127\\.0\\.0\\.1:${port}`));
    return true;
  });
});

test("an address that is not this machine's is named", async () => {
  await assert.rejects(
    startHttp({ ...options, host: "192.0.2.1", port: 0 }),
    (error: unknown) =>
      error instanceof RegateError && error.code === "CONFIG_INVALID" && /192\.0\.2\.1/.test(error.detail ?? ""),
  );
});

test("a silent connection and garbage keep nobody from being served, nor the end", async () => {
  const extra = await startHttp({ ...options, port: 0 });
  const port = Number(extra.address.split(":").at(-1));
  const sockets = Array.from({ length: 50 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
  sockets[0]!.write("GET /healthz HTTP/1.1\r\nHost: loc");
  sockets[1]!.write(Buffer.alloc(100_000, 0xff));
  assert.equal((await fetch(`http://${extra.address}/healthz`)).status, 200);
  const started = Date.now();
  await extra.close();
  assert.ok(Date.now() - started < 2000, "closed at once");
  for (const socket of sockets) socket.destroy();
});

test("a token of the largest size fits into a header", async () => {
  const groups = Array.from({ length: 46 }, (_, i) => `${"x".repeat(250)}${i}`);
  const token = await issue("human:frank", { groups });
  assert.ok(token.length > 15_000);
  assert.equal((await call("GET", "/v1/approvals", token)).status, 200);
});

test("names in a token count whatever their composition in the policy", async () => {
  const { id } = hold({ approvers: ["group:équipe".normalize("NFD")] });
  const token = await issue("human:gil", { groups: ["équipe"] });
  assert.equal((await call("POST", `/v1/approvals/${id}/approve`, token)).body.state, "approved");
});
