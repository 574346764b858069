// Approvals: who may decide, what a decision does, and what remains of it.
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Identity } from "../../src/core/facts.ts";
import type { ApprovalEntry, ApprovalRequest } from "../../src/core/ports.ts";
import { type ErrorCode, RegateError } from "../../src/errors.ts";
import { EmbeddedApprovals } from "../../src/state/approvals.ts";
import { openState, type State } from "../../src/state/index.ts";
import { Journal } from "../../src/state/journal.ts";
import { temporaryFolder } from "../support/folder.ts";
import { request, someone } from "./requests.ts";

const root = temporaryFolder("state");
let folders = 0;
const opened: State[] = [];
async function state(
  dir = join(root, String(++folders)),
  now: () => number = Date.now,
): Promise<State & { dir: string; errors: unknown[] }> {
  const errors: unknown[] = [];
  const made = await openState({ dir, now, onError: (error) => errors.push(error) });
  opened.push(made);
  return { ...made, dir, errors };
}
after(() => Promise.all(opened.map((each) => each.close())));

const code = (expected: ErrorCode) => (error: unknown) => {
  assert.ok(error instanceof RegateError, String(error));
  assert.equal(error.code, expected, error.detail);
  return true;
};
const dba = someone("human:carol", { groups: ["dba"] });

/** A held command, and how it ended. */
async function held(more: Partial<ApprovalRequest> = {}) {
  const { approvals } = await state();
  const settled: ApprovalEntry[] = [];
  const asked = request(more);
  const { cancel } = approvals.request(asked, (entry) => settled.push(entry));
  const decide = (who: Identity, verdict: "approve" | "deny" = "approve", comment?: string) =>
    approvals.decide(asked.id, verdict, who, comment);
  return { approvals, settled, asked, cancel, decide };
}

test("an approval settles the request once, with who and why", async () => {
  const { settled, decide, approvals, asked } = await held();
  assert.deepEqual(
    approvals.list().map((entry) => entry.state),
    ["pending"],
  );
  const entry = decide(dba, "approve", "looks right");
  assert.equal(entry.state, "approved");
  assert.deepEqual(settled, [entry]);
  assert.deepEqual(entry.decided_by, ["human:carol"]);
  assert.equal(entry.comment, "looks right");
  assert.equal(entry.binding, asked.binding);
  assert.throws(() => decide(dba), code("APPROVAL_SETTLED"));
  assert.throws(() => decide(dba, "deny"), code("APPROVAL_SETTLED"));
  assert.equal(settled.length, 1);
});

test("a denial settles it, whoever approved before", async () => {
  const { settled, decide } = await held({ count: 2 });
  decide(dba);
  assert.equal(settled.length, 0);
  decide(someone("human:dave", { groups: ["dba"] }), "deny", "no");
  assert.deepEqual(
    settled.map(({ state: was, decided_by, comment }) => ({ was, decided_by, comment })),
    [{ was: "denied", decided_by: ["human:dave"], comment: "no" }],
  );
});

const may: readonly [string, Identity, readonly string[]][] = [
  ["a member of the group", dba, ["group:dba"]],
  ["the subject that is named", someone("service:bridge"), ["group:dba", "subject:service:bridge"]],
  ["any human, for *", someone("human:erin"), ["*"]],
  ["a name in another composition", someone("human:josé"), ["subject:human:jose\u0301"]],
];
for (const [name, who, approvers] of may) {
  test(`${name} may approve`, async () => {
    const { decide, settled } = await held({ approvers });
    decide(who);
    assert.equal(settled[0]?.state, "approved");
  });
}

const jose = someone("human:josé", { groups: ["dba"] });
const mayNot: readonly [string, Identity, Partial<ApprovalRequest>][] = [
  ["the requester", someone("agent:bot", { groups: ["dba"] }), {}],
  [
    "the requester, by another issuer's token",
    someone("agent:bot", { groups: ["dba"], issuer: "https://login.example.com" }),
    {},
  ],
  ["the requester in capital letters", someone("agent:BOT", { groups: ["dba"] }), {}],
  ["the requester with a space at the end", someone("agent:bot ", { groups: ["dba"] }), {}],
  ["the requester in wide letters", someone("agent:ｂｏｔ", { groups: ["dba"] }), {}],
  ["the requester with an invisible character", someone("agent:b\u200bot", { groups: ["dba"] }), {}],
  ["the requester in another composition", jose, { requester: someone("human:jose\u0301") }],
  ["who acts for the requester", dba, { requester: someone("human:alice", { actors: ["human:carol"] }) }],
  [
    "whom the requester acts through, further down the chain",
    dba,
    { requester: someone("human:alice", { actors: ["agent:x", "human:carol"] }) },
  ],
  ["somebody through whom the requester acts", someone("human:carol", { groups: ["dba"], actors: ["agent:bot"] }), {}],
  [
    "somebody with an actor of the requester's",
    someone("human:carol", { groups: ["dba"], actors: ["agent:x"] }),
    { requester: someone("agent:bot", { actors: ["agent:x"] }) },
  ],
  ["who is in no named group", someone("human:erin", { groups: ["dev"] }), {}],
  ["a group in capital letters", someone("human:erin", { groups: ["DBA"] }), {}],
  ["a subject that only starts like a named one", someone("human:carol2"), { approvers: ["subject:human:carol"] }],
  [
    "a group of a subject's name",
    someone("human:erin", { groups: ["human:carol"] }),
    { approvers: ["subject:human:carol"] },
  ],
  ["an agent, for *", someone("agent:other"), { approvers: ["*"] }],
  ["an agent in a human's name, for *", someone("human:erin", { actors: ["agent:other"] }), { approvers: ["*"] }],
  ["anybody, when nobody is named", dba, { approvers: [] }],
  [
    "anybody, for an entry of an unknown form",
    someone("human:dba", { groups: ["dba"] }),
    { approvers: ["dba", "role:dba", "group:*"] },
  ],
];
for (const [name, who, more] of mayNot) {
  test(`${name} may neither approve nor deny`, async () => {
    const { decide, settled, approvals } = await held(more);
    assert.throws(() => decide(who), code("APPROVAL_NOT_ALLOWED"));
    assert.throws(() => decide(who, "deny"), code("APPROVAL_NOT_ALLOWED"));
    assert.deepEqual(settled, []);
    assert.equal(approvals.list()[0]?.state, "pending");
  });
}

test("several approvals come from different people", async () => {
  const { decide, settled, approvals } = await held({ count: 2 });
  assert.deepEqual(decide(dba).decided_by, ["human:carol"]);
  assert.throws(() => decide(dba), code("APPROVAL_NOT_ALLOWED"));
  assert.throws(() => decide(someone("human:Carol", { groups: ["dba"] })), code("APPROVAL_NOT_ALLOWED"));
  assert.throws(
    () => decide(someone("human:dave", { groups: ["dba"], actors: ["human:carol"] })),
    code("APPROVAL_NOT_ALLOWED"),
  );
  assert.equal(approvals.list()[0]?.state, "pending");
  decide(someone("human:dave", { groups: ["dba"] }));
  assert.deepEqual(settled[0]?.decided_by, ["human:carol", "human:dave"]);
});

test("a count below one needs one", async () => {
  const { decide, settled } = await held({ count: 0 });
  assert.equal(settled.length, 0, "nothing is approved by itself");
  decide(dba);
  assert.equal(settled[0]?.state, "approved");
});

test("nobody knows an approval that was never asked for", async () => {
  const { approvals } = await state();
  assert.throws(() => approvals.decide("x", "approve", dba), code("APPROVAL_UNKNOWN"));
});

test("the requester's cancel ends it, and comes too late after a decision", async () => {
  const first = await held();
  first.cancel();
  first.cancel();
  assert.deepEqual(
    first.settled.map((entry) => entry.state),
    ["canceled"],
  );
  assert.throws(() => first.decide(dba), code("APPROVAL_SETTLED"));
  const second = await held();
  second.decide(dba);
  second.cancel();
  assert.deepEqual(
    second.settled.map((entry) => entry.state),
    ["approved"],
  );
});

test("nobody in time: it expires by itself", async () => {
  const { settled, decide } = await held({ expires_at: new Date(Date.now() + 40).toISOString() });
  await sleep(200);
  assert.deepEqual(
    settled.map((entry) => entry.state),
    ["expired"],
  );
  assert.throws(() => decide(dba), code("APPROVAL_SETTLED"));
});

test("a decision after the end is too late even before the timer fires", async () => {
  let now = Date.now();
  const { approvals } = await state(undefined, () => now);
  const settled: string[] = [];
  const asked = request({}, now);
  approvals.request(asked, (entry) => settled.push(entry.state));
  now += 60_000;
  assert.throws(() => approvals.decide(asked.id, "approve", dba), code("APPROVAL_SETTLED"));
  assert.deepEqual(settled, ["expired"]);
});

test("a waiter that throws spoils neither the decision nor the state", async () => {
  const { approvals, errors } = await state();
  const asked = request();
  approvals.request(asked, () => {
    throw new Error("the session's own trouble");
  });
  assert.equal(approvals.decide(asked.id, "approve", dba).state, "approved");
  assert.match(String(errors[0]), /own trouble/);
});

test("the end of the gate ends every wait", async () => {
  const made = await state();
  const settled: string[] = [];
  for (let i = 0; i < 3; i++) made.approvals.request(request(), (entry) => settled.push(entry.state));
  await made.close();
  assert.deepEqual(settled, ["canceled", "canceled", "canceled"]);
  assert.throws(() => made.approvals.request(request(), () => undefined), code("SHUTTING_DOWN"));
});

test("a restarted gate shows what was decided; what was pending lost its session", async () => {
  const dir = join(root, "restarted");
  const first = await state(dir);
  const done = request();
  const lost = request();
  first.approvals.request(done, () => undefined);
  first.approvals.request(lost, () => undefined);
  first.approvals.decide(done.id, "approve", dba, "fine");
  // As after a SIGKILL: nothing is closed, and the last line is torn.
  appendFileSync(join(dir, "approvals.jsonl"), '{"id":"torn","state":"appr');
  const second = await state(dir);
  const entries = new Map(second.approvals.list().map((entry) => [entry.id, entry]));
  assert.equal(entries.size, 2);
  assert.equal(entries.get(done.id)?.state, "approved");
  assert.equal(entries.get(done.id)?.comment, "fine");
  assert.equal(entries.get(lost.id)?.state, "canceled");
  assert.throws(() => second.approvals.decide(lost.id, "approve", dba), code("APPROVAL_SETTLED"));
  const third = await state(dir);
  assert.deepEqual(
    third.approvals
      .list()
      .map((entry) => [entry.id, entry.state])
      .sort(),
    [
      [done.id, "approved"],
      [lost.id, "canceled"],
    ].sort(),
  );
});

test("the journal holds statements, so it is the owner's alone", async () => {
  const { approvals, dir } = await state();
  approvals.request(request(), () => undefined);
  assert.equal(statSync(join(dir, "approvals.jsonl")).mode & 0o777, 0o600);
});

test("the journal is rewritten when it has grown, and keeps what is pending", () => {
  const path = join(root, "grown", "approvals.jsonl");
  const journal = new Journal(path, 4000);
  const approvals = new EmbeddedApprovals({ journal, now: Date.now, onError: (error) => assert.fail(String(error)) });
  const waiting = request();
  approvals.request(waiting, () => undefined);
  for (let i = 0; i < 1500; i++) {
    const asked = request({ text: "x".repeat(i % 50) });
    approvals.request(asked, () => undefined).cancel();
  }
  assert.equal(approvals.list().length, 1001);
  assert.ok(approvals.list().some((entry) => entry.id === waiting.id && entry.state === "pending"));
  approvals.close();
  journal.close();
  const again = new Journal(path);
  const latest = again.entries();
  again.close();
  assert.equal(latest.find((entry) => entry.id === waiting.id)?.state, "canceled");
  assert.ok(latest.length >= 1000 && latest.length <= 1502, String(latest.length));
});

test("large statements do not pile up in memory", async () => {
  const { approvals } = await state();
  for (let i = 0; i < 40; i++) approvals.request(request({ text: "x".repeat(1 << 20) }), () => undefined).cancel();
  const kept = approvals.list();
  assert.ok(kept.length <= 16, String(kept.length));
  assert.ok(kept.length >= 1);
});

test("a journal that cannot be written is told, and the wait goes on", async () => {
  const dir = join(root, "unwritable");
  const journal = new Journal(join(dir, "approvals.jsonl"));
  const errors: unknown[] = [];
  const approvals = new EmbeddedApprovals({ journal, now: Date.now, onError: (error) => errors.push(error) });
  journal.close();
  const asked = request();
  const settled: string[] = [];
  approvals.request(asked, (entry) => settled.push(entry.state));
  approvals.decide(asked.id, "approve", dba);
  assert.deepEqual(settled, ["approved"]);
  assert.equal(errors.length, 2);
});

test("a state folder that cannot be used is refused with its place", async () => {
  mkdirSync(join(root, "blocked", "approvals.jsonl"), { recursive: true });
  await assert.rejects(openState({ dir: join(root, "blocked") }), (error: unknown) => {
    assert.ok(error instanceof RegateError);
    assert.equal(error.code, "DATA_DIR");
    assert.match(error.detail ?? "", /approvals\.jsonl/);
    return true;
  });
});

test("comments are cut, not refused", async () => {
  const { decide } = await held();
  assert.equal([...(decide(dba, "deny", "é".repeat(5000)).comment ?? "")].length, 1000);
});

test("every line of the journal is one whole document", async () => {
  const { approvals, dir } = await state();
  const asked = request({ text: 'SELECT "\n\u2028" FROM t' });
  approvals.request(asked, () => undefined);
  approvals.decide(asked.id, "approve", dba);
  const lines = readFileSync(join(dir, "approvals.jsonl"), "utf8").trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as ApprovalEntry).state),
    ["pending", "approved"],
  );
});
