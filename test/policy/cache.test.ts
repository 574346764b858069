// A kept decision is given again only where the policy would be asked the very same; and the memory that it takes is bounded.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkDecision, type Decision } from "../../src/core/decision.ts";
import type { Input } from "../../src/core/facts.ts";
import { readBundle } from "../../src/policy/bundle.ts";
import { DecisionCache } from "../../src/policy/cache.ts";
import { Engine, ENGINE_DEFAULTS } from "../../src/policy/engine.ts";
import { InputPaths } from "../../src/policy/inputs.ts";
import { compile, Evaluator } from "../../src/policy/wasm.ts";
import { bundleOf } from "../support/policies/build.ts";
import { commandOf, folderOf, inputOf, module, plainBundle, statement } from "./craft.ts";

async function engineOf(bundle: string | Promise<string>): Promise<Engine> {
  return Engine.load(await bundle, ENGINE_DEFAULTS);
}
const built = (rules: string): Promise<string> => bundleOf(folderOf({ "main.rego": module(rules) }));

test("what the policy does not read does not matter, what it reads does", async () => {
  const engine = await engineOf(
    built(`_action := "block" if {
	"bad" in input.identity.groups
	some s in input.command.statements
	s.verb == "delete"
	input.session.in_transaction
}`),
  );
  assert.deepEqual(engine.bundle.inputs, ["command.statements", "id", "identity.groups", "session.in_transaction"]);
  const cache = engine.cache!;
  const at = (fields: Partial<Input> = {}, text = "a"): Input =>
    inputOf(commandOf(text, statement({ verb: "delete" })), fields);
  const base = at();
  const asked = (input: Input): boolean => {
    const before = cache.entries;
    const decision = engine.evaluate(input) as Decision;
    assert.equal(decision.id, input.id);
    return cache.entries > before;
  };
  assert.equal(asked(base), true);
  assert.equal(asked(base), false);
  assert.equal(asked(at({}, "another text")), false);
  assert.equal(asked(at({ identity: { ...base.identity, subject: "agent:other", scopes: ["x"] } })), false);
  assert.equal(
    asked(at({ session: { ...base.session, id: "other", usage: { commands: 9, rows: 9, bytes: 9, cost: 9 } } })),
    false,
  );
  assert.equal(asked(at({ identity: { ...base.identity, groups: ["bad"] } })), true);
  assert.equal(asked(at({ session: { ...base.session, in_transaction: true } })), true);
  const blocked = at({
    identity: { ...base.identity, groups: ["bad"] },
    session: { ...base.session, in_transaction: true },
  });
  assert.equal((engine.evaluate(blocked) as Decision).action, "block");
  assert.equal((engine.evaluate({ ...blocked, id: "again" }) as Decision).action, "block");
  await engine.close();
});

test("a session that changes is asked anew, although its object stays the same", async () => {
  const engine = await engineOf(built(`_action := "block" if input.session.in_transaction`));
  const input = inputOf("x");
  assert.equal((engine.evaluate(input) as Decision).action, "allow");
  (input.session as { in_transaction: boolean }).in_transaction = true;
  assert.equal((engine.evaluate(input) as Decision).action, "block");
  await engine.close();
});

test("decisions with and without the cache are the same over random facts", async () => {
  const bundle = await readBundle(await bundleOf(new URL("../../rego", import.meta.url).pathname));
  const engine = await Engine.of(bundle, "starter", ENGINE_DEFAULTS);
  const evaluator = new Evaluator(await compile(bundle.wasm, "starter"), bundle.dataText);
  const seed = Date.now() % 1_000_000;
  let state = seed;
  const pick = <T>(...values: readonly T[]): T => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return values[Math.floor((state / 2147483648) * values.length)]!;
  };
  const random = (): Input => {
    const source = {
      schema: "public",
      table: "customers",
      column: pick("email", "id"),
      tags: pick<string[]>([], ["pii"], ["secret"]),
    };
    const base = inputOf(
      commandOf(
        pick("a", "b"),
        ...Array.from({ length: pick(1, 2) }, () =>
          statement({
            verb: pick("select", "delete", "copy"),
            class: pick("read", "write", "ddl", "code"),
            scoped: pick(true, false),
            columns: [{ ...source, uses: [pick("output" as const, "filter" as const)], operators: [] }],
            outputs: [
              {
                name: "x",
                type: "text",
                derivation: pick("direct" as const, "opaque" as const),
                total: true,
                sources: [source],
              },
            ],
            external: pick<string[]>([], ["program"]),
          }),
        ),
      ),
    );
    const groups = pick<string[]>([], ["dba"], ["privacy"], ["dba", "privacy"]);
    return {
      ...base,
      identity: { ...base.identity, groups },
      resource: { ...base.resource, environment: pick("production", "test") },
    };
  };
  let kept = 0;
  for (let i = 0; i < 3000; i++) {
    const input = random();
    const before = engine.cache!.entries;
    const decision = engine.evaluate(input) as Decision;
    if (engine.cache!.entries > before) continue;
    kept++;
    // Judged by an instance of its own, without any cache.
    const fresh = checkDecision(input.id, evaluator.evaluate(JSON.stringify(input)));
    assert.deepEqual(fresh, decision, `seed ${seed}, round ${i}`);
  }
  assert.ok(kept >= 300, `seed ${seed}: only ${kept} were kept`);
  await engine.close();
});

for (const [name, rules] of [
  ["time", `_action := "block" if time.now_ns() < 0`],
  ["chance", `_action := "block" if rand.intn("x", 10) > 10`],
  ["a made-up id", `_action := "block" if uuid.rfc4122("x") == ""`],
] as const) {
  test(`a policy that depends on ${name} is asked each time`, async () => {
    const engine = await engineOf(built(rules));
    assert.equal(engine.cache, undefined);
    assert.equal((engine.evaluate(inputOf("x")) as Decision).action, "allow");
    await engine.close();
  });
}

test("a policy whose decision depends on the id is asked each time", async () => {
  for (const rules of [
    `_action := "block" if startswith(input.id, "zz")`,
    `_action := "block" if {\n\techo := {"id": input.id}\n\tstartswith(echo.id, "zz")\n\tstartswith(input.id, "zz")\n}`,
    `_action := "block" if {\n\tsome key in ["id"]\n\tinput[key] == "zz"\n}`,
    `_action := "block" if count([x | walk(input, [_, x]); x == "zz"]) > 1`,
    `_action := "block" if {\n\tall := input\n\tall.id == "zz"\n}`,
  ]) {
    const engine = await engineOf(built(rules));
    assert.equal(engine.cache, undefined, rules);
    await engine.close();
  }
  // Without metadata the trial notices.
  const engine = await engineOf(plainBundle(module('_reasons := [{"code": "x", "message": input.id}]')));
  assert.equal(engine.cache, undefined);
  await engine.close();
});

test("without metadata everything but the id is in the key", async () => {
  const engine = await engineOf(plainBundle(module(`_action := "block" if input.session.usage.rows > 5`)));
  const base = inputOf("x");
  const spent = { ...base.session, usage: { commands: 0, rows: 6, bytes: 0, cost: 0 } };
  assert.equal((engine.evaluate(base) as Decision).action, "allow");
  assert.equal((engine.evaluate({ ...base, session: spent }) as Decision).action, "block");
  const before = engine.cache!.entries;
  assert.equal((engine.evaluate({ ...base, id: "other" }) as Decision).id, "other");
  assert.equal(engine.cache!.entries, before);
  await engine.close();
});

test("a kept decision cannot be changed by who got it", async () => {
  const engine = await engineOf(bundleOf("mask_tagged", { masks: {} }));
  const source = { schema: "public", table: "t", column: "c", tags: ["pii"] };
  const outputs = [{ name: "c", type: "text", derivation: "direct" as const, total: true, sources: [source] }];
  const command = commandOf("x", statement({ outputs }));
  const first = engine.evaluate(inputOf(command)) as Decision;
  assert.throws(() => ((first.masks[0] as { mask: string }).mask = "none"), TypeError);
  assert.throws(() => (first.masks as unknown[]).pop(), TypeError);
  const second = engine.evaluate(inputOf(command)) as Decision;
  assert.equal(second.masks[0]!.mask, "redact");
  await engine.close();
});

test("the cache stays within its limits, and keeps what is used", () => {
  const cache = new DecisionCache({ entries: 100, bytes: 1 << 20 });
  const decision: Decision = { id: "x", action: "allow", reasons: [], masks: [] };
  cache.set("hot", decision);
  for (let i = 0; i < 10_000; i++) {
    cache.set(`key ${i}`, decision);
    assert.equal(cache.get("hot"), decision);
    assert.ok(cache.entries <= 101);
  }
  assert.equal(cache.get("key 1"), undefined);
  assert.equal(cache.get("key 9999"), decision);
  const large: Decision = { ...decision, reasons: [{ code: "x", message: "m".repeat(20_000) }] };
  for (let i = 0; i < 1000; i++) {
    cache.set(`large ${i}`, large);
    cache.set(`large ${i}`, large);
    assert.ok(cache.bytes <= 1 << 20, `${cache.bytes}`);
  }
  cache.set("huge", { ...decision, reasons: [{ code: "x", message: "m".repeat(2 << 20) }] });
  assert.equal(cache.get("huge"), undefined);
});

test("a million distinct statements leave the cache flat", () => {
  const cache = new DecisionCache({ entries: 1000, bytes: 1 << 20 });
  const decision: Decision = { id: "x", action: "allow", reasons: [], masks: [] };
  for (let i = 0; i < 1_000_000; i++) cache.set(`statement ${i}`, decision);
  assert.ok(cache.entries <= 1001 && cache.bytes <= 1 << 20);
});

test("reads answers for a path, its parts and what it is a part of", () => {
  const paths = new InputPaths(["command.statements", "id", "identity.groups"]);
  for (const path of ["command", "command.statements", "command.statements.0.verb", "identity", "identity.groups"]) {
    assert.equal(paths.reads(path), true, path);
  }
  for (const path of ["session", "command.text", "command.parameters.values", "identity.subject", "commands"]) {
    assert.equal(paths.reads(path), false, path);
  }
  assert.equal(new InputPaths(undefined).reads("anything.at.all"), true);
  assert.equal(new InputPaths([""]).reads("anything.at.all"), true);
});

test("the document holds just what is read, and a path into a list takes the whole list", () => {
  const input = inputOf(commandOf("SELECT 1"));
  const paths = new InputPaths([
    "id",
    "identity.groups.0",
    "session.client.address",
    "resource.labels.absent",
    "command.text",
  ]);
  assert.deepEqual(JSON.parse(paths.document(input)), {
    id: input.id,
    session: { client: { address: "127.0.0.1" } },
    identity: { groups: ["support"] },
    resource: { labels: {} },
    command: { text: "SELECT 1" },
  });
  assert.deepEqual(JSON.parse(new InputPaths(undefined).document(input)), input);
});

test("keys differ wherever the documents do", () => {
  const paths = new InputPaths(["session.id", "session.protocol", "identity.groups", "resource.name", "command.text"]);
  const base = inputOf("x");
  const variants: Input[] = [
    base,
    { ...base, session: { ...base.session, id: "1", protocol: "23" } },
    { ...base, session: { ...base.session, id: "12", protocol: "3" } },
    { ...base, session: { ...base.session, id: '","protocol":"' } },
    { ...base, identity: { ...base.identity, groups: ["a,b"] } },
    { ...base, identity: { ...base.identity, groups: ["a", "b"] } },
    { ...base, command: commandOf("y") },
    { ...base, resource: { ...base.resource, name: "x" } },
  ];
  const { command: _, ...connect } = base;
  variants.push(connect as Input);
  const keys = new Set(variants.map((input) => paths.key(input)));
  assert.equal(keys.size, variants.length);
  assert.equal(paths.key({ ...base, id: "other" }), paths.key(base));
});
