// A policy that fails while it decides blocks, with its own code; what is too large never holds up the event loop.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Decision } from "../../src/core/decision.ts";
import type { Input } from "../../src/core/facts.ts";
import { openPolicy, type OpenPolicy, type PolicyOptions } from "../../src/policy/index.ts";
import { bundleOf } from "../support/policies/build.ts";
import { commandOf, inputOf, module, plainBundle, statement } from "./craft.ts";

async function withPolicy(
  bundle: string | Promise<string>,
  work: (policy: OpenPolicy) => Promise<void>,
  options: Partial<PolicyOptions> = {},
): Promise<void> {
  const policy = await openPolicy({ bundle: await bundle, mode: "enforce", ...options });
  try {
    await work(policy);
  } finally {
    await policy.close();
  }
}

const codeOf = (decision: Decision): string | undefined => decision.reasons[0]?.code;

/** Misbehaves for some texts, so that it passes its trial. */
const moody = plainBundle(`package regate

# METADATA
# entrypoint: true
decision := object.union({"id": _id, "action": "allow", "reasons": [], "masks": []}, _more) if {
	not input.command.text == "undefined"
}

default _id := ""

_id := "another" if input.command.text == "echo"

else := input.id

default _more := {}

_more := {"action": "perhaps"} if input.command.text == "shape"

_more := {"reasons": [{"code": 7, "message": "m"}]} if input.command.text == "reason"

_more := {"extra": 1} if input.command.text == "extra"

_more := {"masks": [{"statement": 0}]} if input.command.text == "mask"

_more := {"action": x} if {
	input.command.text == "trap"
	some x in ["allow", "block"]
}
`);

for (const [text, code] of [
  ["undefined", "POLICY_UNDEFINED"],
  ["echo", "POLICY_ECHO"],
  ["shape", "POLICY_SHAPE"],
  ["reason", "POLICY_SHAPE"],
  ["extra", "POLICY_SHAPE"],
  ["mask", "POLICY_SHAPE"],
  ["trap", "POLICY_TRAP"],
] as const) {
  test(`a policy that goes wrong by ${text} blocks with ${code}, and decides the next command`, async () => {
    await withPolicy(moody, async (policy) => {
      const input = inputOf(text);
      const decision = await policy.evaluate(input);
      assert.equal(decision.action, "block");
      assert.equal(codeOf(decision), code);
      assert.equal(decision.id, input.id);
      assert.deepEqual(decision.masks, []);
      for (let i = 0; i < 3; i++) assert.equal((await policy.evaluate(inputOf("fine"))).action, "allow");
    });
  });
}

test("the same goes wrong in the same way in a worker", async () => {
  await withPolicy(
    moody,
    async (policy) => {
      for (const [text, code] of [
        ["undefined", "POLICY_UNDEFINED"],
        ["echo", "POLICY_ECHO"],
        ["trap", "POLICY_TRAP"],
      ] as const) {
        const pending = policy.evaluate(inputOf(text));
        assert.ok(pending instanceof Promise);
        assert.equal(codeOf(await pending), code);
      }
      assert.equal((await policy.evaluate(inputOf("fine"))).action, "allow");
    },
    { inlineLimit: 100 },
  );
});

test("input that JSON cannot carry faithfully is a block, never an allow without input", async () => {
  await withPolicy(bundleOf("mask_tagged", { masks: {} }), async (policy) => {
    const lone = policy.evaluate(inputOf(commandOf("x", statement({ verb: "\ud800" })), { id: "\ud800" }));
    assert.equal((lone as Decision).action, "block");
    const circular: { [key: string]: unknown } = {};
    circular.self = circular;
    const odd = inputOf({ ...commandOf("x"), statements: circular as never });
    assert.equal(codeOf((await policy.evaluate(odd)) as Decision), "POLICY_TRAP");
  });
});

/** Texts of "s…" take time that grows with the square of the number of statements. */
const slow = plainBundle(
  module(`_action := "block" if {
	startswith(input.command.text, "slow")
	count([1 | some a in input.command.statements; some b in input.command.statements; a.verb == b.verb; a.limit != b.limit]) < 0
}`),
);

const large = (text: string, statements: number): Input =>
  inputOf(commandOf(text, ...Array.from({ length: statements }, (_, i) => statement({ limit: i }))));

test("a large input is judged in a worker while the event loop goes on", async () => {
  await withPolicy(
    slow,
    async (policy) => {
      const started = performance.now();
      let longest = 0;
      let last = started;
      const timer = setInterval(() => {
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      }, 5);
      const pending = policy.evaluate(large("slow", 1000));
      assert.ok(pending instanceof Promise);
      const small = policy.evaluate(inputOf("SELECT 1"));
      assert.ok(!(small instanceof Promise));
      const decision = await pending;
      const took = performance.now() - started;
      clearInterval(timer);
      assert.equal(decision.action, "allow");
      assert.ok(took > 300, `it took only ${took} ms: too little to show anything`);
      assert.ok(longest < took / 2, `the event loop stood still for ${longest} of ${took} ms`);
    },
    { timeoutMs: 60_000 },
  );
});

test("what takes too long in a worker is ended and blocked, and others are judged on", async () => {
  await withPolicy(
    slow,
    async (policy) => {
      const started = performance.now();
      const endless = policy.evaluate(large("slow", 4500));
      const another = policy.evaluate(large("quick", 500));
      assert.equal((await another).action, "allow");
      const decision = await endless;
      assert.equal(decision.action, "block");
      assert.equal(codeOf(decision), "POLICY_TIMEOUT");
      assert.ok(performance.now() - started < 10_000);
      assert.equal((await policy.evaluate(large("quick", 501))).action, "allow");
    },
    { timeoutMs: 1_500 },
  );
});

test("what is larger than the cap is refused without being judged", async () => {
  await withPolicy(slow, async (policy) => {
    const decision = policy.evaluate(large("x", 30_000));
    assert.ok(!(decision instanceof Promise));
    assert.equal(codeOf(decision), "INPUT_TOO_LARGE");
    assert.equal(decision.action, "block");
  });
});

test("the cap counts what the policy reads, not what is known", async () => {
  await withPolicy(bundleOf("allow_all"), async (policy) => {
    const decision = policy.evaluate(inputOf("x".repeat(8 << 20)));
    assert.ok(!(decision instanceof Promise));
    assert.equal(decision.action, "allow");
  });
});

test("a queue that is full refuses rather than grows", async () => {
  await withPolicy(
    slow,
    async (policy) => {
      const asked = Array.from({ length: 300 }, (_, i) => policy.evaluate(inputOf(`quick ${i}`)));
      const codes = (await Promise.all(asked)).map((decision) => codeOf(decision));
      assert.ok(codes.includes("POLICY_TIMEOUT"));
      assert.ok(codes.filter((code) => code === undefined).length >= 256);
    },
    { inlineLimit: 10 },
  );
});

test("closing ends what is under way as a block", async () => {
  const policy = await openPolicy({ bundle: await slow, mode: "enforce" });
  const pending = policy.evaluate(large("slow", 3000));
  await policy.close();
  assert.equal((await pending).action, "block");
});

test("memory stays bounded over many large and trapping evaluations", async () => {
  await withPolicy(
    moody,
    async (policy) => {
      const big = "y".repeat(1 << 20);
      const run = (rounds: number): void => {
        for (let i = 0; i < rounds; i++) {
          assert.equal((policy.evaluate(inputOf(`${big}${i}`)) as Decision).action, "allow");
          assert.equal(codeOf(policy.evaluate(inputOf("trap")) as Decision), "POLICY_TRAP");
        }
      };
      run(20);
      const before = process.memoryUsage.rss();
      run(150);
      const grown = process.memoryUsage.rss() - before;
      assert.ok(grown < 200 << 20, `${grown >> 20} MiB more`);
    },
    { inlineLimit: 4 << 20 },
  );
});
