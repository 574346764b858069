// What several sessions try at once adds up, also where each decision is waited for.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command, SessionContext } from "../../src/core/command.ts";
import { noTicket } from "../../src/core/enforce.ts";
import { Pipeline } from "../../src/core/pipeline.ts";
import { ProbeCounts } from "../../src/state/probes.ts";

const BUDGET = 2;

function pipeline(): Pipeline {
  return new Pipeline({
    policy: {
      revision: "r",
      mode: "enforce",
      data: () => undefined,
      onChange: () => () => undefined,
      reads: () => true,
      evaluate: async ({ id, session }) => {
        const within = session.inference!.every(({ probes }) => probes <= BUDGET);
        await new Promise((resolve) => setImmediate(resolve));
        return {
          id,
          action: within ? "allow" : "block",
          reasons: within ? [] : [{ code: "lookup-budget", message: "No more values may be looked up" }],
          masks: [],
        };
      },
    },
    audit: { failure: undefined, append: () => noTicket, later: () => undefined },
    approvals: { request: () => ({ cancel: () => undefined }), list: () => [], decide: () => assert.fail() },
    verifier: { check: () => undefined },
    clock: { now: () => 0 },
    probes: new ProbeCounts(() => 0),
    labels: {},
    approvalTimeoutMs: 1,
  });
}

const session = (id: string): SessionContext =>
  ({
    identity: { issuer: "regate", subject: "agent:bot" },
    resource: { name: "shop" },
    facts: { id, inference: [], client: {}, usage: {}, taint: [] },
    usage: {},
    sequence: 0,
  }) as unknown as SessionContext;
const looksUp = (value: string): Command => ({
  facts: { text: "", statements: [], parameters: { values: [] } } as unknown as Command["facts"],
  key: () => "",
  probes: () => [{ statement: 0, schema: "public", table: "t", column: "c", value }],
});

test("lookups that are decided at the same time share one budget", async () => {
  const judging = pipeline();
  const values = ["a", "b", "c", "d", "a"];
  const verdicts = await Promise.all(values.map((value, at) => judging.judge(session(`s${at}`), looksUp(value), true)));
  const passed = values.filter((_, at) => verdicts[at]!.kind === "permit");
  assert.deepEqual(passed, ["a", "b", "a"]);
});
