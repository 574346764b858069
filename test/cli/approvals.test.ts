// regate approvals, run as a program against a real API.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, test } from "node:test";
import type { ApprovalEntry, ApprovalRequest } from "../../src/core/ports.ts";
import { startHttp } from "../../src/http/index.ts";
import { openVerifier } from "../../src/identity/index.ts";
import { issueToken } from "../../src/identity/issue.ts";
import { openState } from "../../src/state/index.ts";
import { request } from "../state/requests.ts";
import { temporaryFolder } from "../support/folder.ts";
import { regate } from "./run.ts";

const root = temporaryFolder("approvals");
const dataDir = join(root, "data");
const state = await openState({ dir: join(dataDir, "state") });
const verifier = await openVerifier({ dataDir, resources: ["shop"], revocations: state.revocations });
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const http = await startHttp({
  host: "127.0.0.1",
  port: 0,
  verifier,
  approvals: state.approvals,
  detokenize: () => Promise.reject(new Error("nobody asks for it here")),
  health: () => ({}),
  log: silent,
});
after(async () => {
  await http.close();
  await state.close();
});
const gate = ["--url", `http://${http.address}`];
const carol = ["--as", "human:carol", "--group", "dba", "--data-dir", dataDir];
const { token } = await issueToken(
  { subject: "human:dave", groups: ["dba"], resources: ["shop"], ttlSeconds: 300 },
  { dataDir },
);

function hold(more: Partial<ApprovalRequest> = {}): { id: string; settled: ApprovalEntry[] } {
  const asked = request(more);
  const settled: ApprovalEntry[] = [];
  state.approvals.request(asked, (entry) => settled.push(entry));
  return { id: asked.id, settled };
}

test("list shows what waits, approve and deny decide it", async () => {
  const first = hold();
  const second = hold({ text: "DELETE FROM orders\nWHERE id = 8" });
  const list = await regate(root, ["approvals", "list", ...carol, ...gate]);
  assert.equal(list.code, 0, list.stderr);
  assert.match(
    list.stdout,
    new RegExp(`${first.id} .*left .*agent:bot .*shop .*group:dba .*DELETE FROM orders WHERE id = 7\n`),
  );
  assert.match(list.stdout, /DELETE FROM orders WHERE id = 8\n/, "on one line");
  const approved = await regate(root, ["approvals", "approve", first.id, "--comment", "fine", ...carol, ...gate]);
  assert.equal(approved.code, 0, approved.stderr);
  assert.match(approved.stdout, /^approved/);
  assert.deepEqual(
    [first.settled[0]?.state, first.settled[0]?.decided_by, first.settled[0]?.comment],
    ["approved", ["human:carol"], "fine"],
  );
  const denied = await regate(root, ["approvals", "deny", second.id, "--json", ...carol, ...gate]);
  assert.equal(JSON.parse(denied.stdout).state, "denied");
  assert.equal(second.settled[0]?.state, "denied");
  assert.match((await regate(root, ["approvals", "list", ...carol, ...gate])).stdout, /Nothing waits/);
  assert.match((await regate(root, ["approvals", "list", "--all", ...carol, ...gate])).stdout, /denied/);
});

test("a token may come by the environment or the command line", async () => {
  const { id, settled } = hold({ count: 2 });
  const shown = await regate(root, ["approvals", "show", id, ...gate], { REGATE_TOKEN: `${token}\n` });
  assert.match(shown.stdout, /2 of them/);
  const one = await regate(root, ["approvals", "approve", id, "--token", token, ...gate]);
  assert.match(one.stdout, /missing {4}1 more/);
  assert.equal(settled.length, 0);
  await regate(root, ["approvals", "approve", id, ...carol, ...gate]);
  assert.deepEqual(settled[0]?.decided_by, ["human:dave", "human:carol"]);
});

test("a decision that is not one's own to make is exit code 1, with the gate's reason", async () => {
  const { id, settled } = hold({
    approvers: ["group:dba", "subject:human:alice"],
    requester: { ...request().requester, subject: "human:alice" },
  });
  const own = await regate(root, ["approvals", "approve", id, "--as", "human:alice", "--data-dir", dataDir, ...gate]);
  assert.equal(own.code, 1);
  assert.match(own.stderr, /APPROVAL_NOT_ALLOWED/);
  const unknown = await regate(root, ["approvals", "approve", "nothing", ...carol, ...gate]);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /APPROVAL_UNKNOWN/);
  assert.deepEqual(settled, []);
});

test("what a statement holds cannot steer the approver's terminal", async () => {
  const { id } = hold({ text: "SELECT 1; -- \u001b[2K\u001b[1A\u202Eharmless\u0007\r" });
  for (const args of [["list"], ["show", id]]) {
    const { stdout } = await regate(root, ["approvals", ...args, ...carol, ...gate]);
    assert.match(stdout, /SELECT 1/);
    assert.doesNotMatch(stdout, /[\u001b\u202e\u0007\r]/);
    assert.match(stdout, /\\u\{1b\}/);
  }
});

const misused: readonly [string, string[], RegExp][] = [
  ["nobody", ["approvals", "list"], /REGATE_TOKEN/],
  ["no ID", ["approvals", "approve", ...carol], /ID is missing/],
  ["two IDs", ["approvals", "deny", "a", "b", ...carol], /too many/],
  ["a token and a name", ["approvals", "list", "--token", "x", ...carol], /exclude/],
  ["a group without a name", ["approvals", "list", "--group", "dba"], /--as/],
  ["plain HTTP to elsewhere", ["approvals", "list", "--token", "x", "--url", "http://gate.example:6080"], /in clear/],
  ["another protocol", ["approvals", "list", "--token", "x", "--url", "ftp://127.0.0.1"], /http/],
];
for (const [name, args, message] of misused) {
  test(`${name} is a misuse: exit code 2`, async () => {
    const { code, stderr } = await regate(root, args, { REGATE_TOKEN: "" });
    assert.equal(code, 2);
    assert.match(stderr, message);
  });
}

test("a gate that is not there, and a server that is none, are named", async () => {
  const gone = await regate(root, ["approvals", "list", ...carol, "--url", "http://127.0.0.1:9"]);
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /API_UNREACHABLE[\s\S]*127\.0\.0\.1:9/);
  const other = createServer((_, response) => response.end("<html>")).listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port } = other.address() as { port: number };
  const stranger = await regate(root, ["approvals", "list", ...carol, "--url", `http://127.0.0.1:${port}`]);
  other.close();
  assert.equal(stranger.code, 1);
  assert.match(stranger.stderr, /not a gate's/);
});
