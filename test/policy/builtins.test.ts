// The gate's host functions give what OPA gives, are undefined where OPA fails, and never throw.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Decision } from "../../src/core/decision.ts";
import { HOST_BUILTINS, VOLATILE_BUILTINS } from "../../src/policy/builtins.ts";
import { openPolicy } from "../../src/policy/index.ts";
import { opa } from "../../src/policy/opa.ts";
import { bundleOf, scratch } from "../support/policies/build.ts";
import { folderOf, inputOf, module } from "./craft.ts";

const texts = ["", "a", "abc", "ünïcödé ✓ 👍", "aaa", "\u0000", " x "];
const strings = texts.map((text) => [text]);
const pairs = texts.flatMap((a) => ["", "a", "b", "✓"].map((b) => [a, b]));
const moments = [0, 1_000_000_000, 1_790_000_000_123_456_789n, -62_000_000_000_000_000n, 951_782_399_999_999_000n];
const zones = ["UTC", "", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Nowhere/Atlantis"];
const times = moments.flatMap((ns) => [[ns], ...zones.map((zone) => [[ns, zone]])]);

/** For each builtin that is not volatile: arguments to compare. */
const cases: { readonly [name: string]: readonly (readonly unknown[])[] } = {
  "base64url.encode_no_pad": strings,
  "hex.encode": strings,
  "hex.decode": [["6162"], ["6G"], ["616"], [""], ["C3BC"], ["EFBBBF61"]],
  "crypto.md5": strings,
  "crypto.sha1": strings,
  "crypto.sha256": strings,
  "crypto.hmac.md5": pairs,
  "crypto.hmac.sha1": pairs,
  "crypto.hmac.sha256": pairs,
  "crypto.hmac.sha512": pairs,
  "crypto.hmac.equal": pairs,
  "strings.reverse": strings,
  "strings.count": pairs,
  "strings.any_prefix_match": [
    ...pairs,
    [
      ["ab", "cd"],
      ["x", "c"],
    ],
    [[], ["a"]],
    [["ab"], []],
    ["ab", ["", "z"]],
    [["ab", 1], "a"],
  ],
  "strings.any_suffix_match": [
    ...pairs,
    [
      ["ab", "cd"],
      ["x", "d"],
    ],
    [[], ["a"]],
    [["ab"], []],
    ["ab", ["", "z"]],
    [["ab", 1], "a"],
  ],
  "time.clock": times,
  "time.date": times,
  "time.weekday": times,
  "time.parse_rfc3339_ns": [
    "2026-11-01T12:34:56Z",
    "2026-11-01T12:34:56.123456789Z",
    "2026-11-01T12:34:56.1+02:00",
    "2026-11-01t12:34:56z",
    "2026-02-30T00:00:00Z",
    "2026-11-01T24:00:00Z",
    "2026-11-01T12:34:60Z",
    "2026-11-01 12:34:56Z",
    "2026-11-01T12:34:56",
    "2026-11-01",
    "1960-11-01T12:34:56.5Z",
    "",
  ].map((text) => [text]),
};

const json = (value: unknown): string =>
  typeof value === "bigint"
    ? String(value)
    : Array.isArray(value)
      ? `[${value.map(json).join(",")}]`
      : JSON.stringify(value);

test("every host function that is not volatile is compared with OPA's", () => {
  const compared = Object.keys(HOST_BUILTINS).filter((name) => !VOLATILE_BUILTINS.has(name));
  assert.deepEqual(Object.keys(cases).sort(), compared.sort());
});

for (const [name, argumentLists] of Object.entries(cases)) {
  test(`${name} gives what OPA gives`, async () => {
    const module = join(scratch(), "compare.rego");
    const calls = argumentLists.map((args, i) => `results[${i}] := ${name}(${args.map(json).join(", ")})`);
    writeFileSync(module, `package compare\n\n${calls.join("\n\n")}\n`);
    // What OPA's checker refuses to compile (a number among strings) is undefined here, too.
    const checked = await opa(["check", module]);
    const kept = argumentLists.filter((_, i) => !new RegExp(`compare\\.rego:${3 + 2 * i}:`).test(checked.stderr));
    writeFileSync(
      module,
      `package compare\n\n${kept.map((args, i) => `results[${i}] := ${name}(${args.map(json).join(", ")})`).join("\n\n")}\n`,
    );
    const ran = await opa([
      "eval",
      "--format",
      "json",
      "--data",
      module,
      "[[i, v] | some i, v in data.compare.results]",
    ]);
    assert.equal(ran.code, 0, ran.stderr || ran.stdout);
    const rows = JSON.parse(ran.stdout).result[0].expressions[0].value as [number, unknown][];
    const expected = new Map(rows);
    assert.ok(expected.size > 0);
    kept.forEach((args, i) => {
      // As opa-wasm does: arguments come through JSON, and the result goes back through it.
      const given = JSON.parse(`[${args.map(json).join(",")}]`) as never[];
      const result = HOST_BUILTINS[name]!(...given);
      const seen = result === undefined ? undefined : JSON.parse(JSON.stringify(result));
      assert.deepEqual(seen, expected.get(i), `${name}(${args.map(json).join(", ")})`);
    });
  });
}

test("no host function throws, whatever it is given", () => {
  const odd = [undefined, null, true, 0, -1, 1.5, 1e300, "", "x", [], {}, [1], [[]], ["x", 1]] as never[];
  for (const host of Object.values(HOST_BUILTINS)) {
    for (const a of odd) for (const b of odd) host(a, b);
    host();
  }
});

test("in a policy they work, and one that fails is undefined, as in OPA", async () => {
  const rules = `_action := "block" if crypto.sha256(input.command.text) == "${"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}"

_reasons := [{"code": "hour", "message": $"{time.clock([time.now_ns(), "UTC"])[0]} {time.weekday(time.now_ns())}"}] if hex.decode(input.command.text) == "a"

_reasons := [{"code": "later", "message": "m"}] if {
	input.command.text == "later"
	time.now_ns() > time.parse_rfc3339_ns("2020-01-01T00:00:00Z")
	time.now_ns() < time.parse_rfc3339_ns("2262-01-01T00:00:00Z")
}`;
  const policy = await openPolicy({
    bundle: await bundleOf(folderOf({ "main.rego": module(rules) })),
    mode: "enforce",
  });
  assert.equal((policy.evaluate(inputOf("abc")) as Decision).action, "block");
  assert.equal((policy.evaluate(inputOf("not hex")) as Decision).action, "allow");
  const now = new Date();
  const [reason] = (policy.evaluate(inputOf("61")) as Decision).reasons;
  assert.ok(
    reason!.message.endsWith(now.toLocaleDateString("en-US", { weekday: "long", timeZone: "UTC" })),
    reason!.message,
  );
  assert.equal((policy.evaluate(inputOf("later")) as Decision).reasons[0]?.code, "later");
  await policy.close();
});
