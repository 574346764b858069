// What ships is what its sources build, byte for byte; and every rule of it says what a refused person needs.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { buildBundle, parseAll } from "../../src/policy/build.ts";
import { readBundle } from "../../src/policy/bundle.ts";
import { opa, OPA_VERSION } from "../../src/policy/opa.ts";
import { readSource } from "../../src/policy/source.ts";
import { scratch } from "../support/policies/build.ts";
import { folderOf, module, refusal } from "./craft.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const rego = join(root, "rego");

test("two builds give the same bytes, wherever they are built from", async () => {
  const [a, b] = [join(scratch(), "a.tar.gz"), join(scratch(), "b.tar.gz")];
  await buildBundle(rego, [], a);
  const copy = folderOf({});
  spawnSync("cp", ["-r", `${rego}/.`, copy]);
  await buildBundle(copy, [], b);
  assert.ok(readFileSync(a).equals(readFileSync(b)));
});

test("the default bundle is what rego/ builds", async () => {
  const fresh = join(scratch(), "fresh.tar.gz");
  await buildBundle(rego, [], fresh);
  assert.ok(gunzipSync(readFileSync(fresh)).equals(gunzipSync(readFileSync(join(root, "bundles/default.tar.gz")))));
});

test("the schema that Rego is checked against is the facts' own", () => {
  const ran = spawnSync(process.execPath, [join(root, "tools/schema.ts"), "--check"], { encoding: "utf8" });
  assert.equal(ran.status, 0, ran.stderr);
});

test("the pinned opa is the one of tools/go.mod, and the one that runs", async () => {
  assert.match(
    readFileSync(join(root, "tools/go.mod"), "utf8"),
    new RegExp(`open-policy-agent/opa v${OPA_VERSION.replaceAll(".", "\\.")}\\b`),
  );
  assert.match((await opa(["version"])).stdout, new RegExp(`^Version: ${OPA_VERSION}$`, "m"));
});

test("the manifest names what the starter policy reads, and nothing that changes with each command", async () => {
  const { inputs, echoOnly } = await readBundle(join(root, "bundles/default.tar.gz"));
  assert.deepEqual(inputs, [
    "command.statements",
    "id",
    "identity.groups",
    "identity.scopes",
    "resource.environment",
    "resource.name",
    "result.columns",
    // Empty but for look-ups within a budget, which change it.
    "session.inference",
    "stage",
  ]);
  assert.equal(echoOnly, true);
});

type Annotated = {
  head: { ref: { value: string }[] };
  annotations?: { scope: string; title?: string; custom?: { code?: string; hint?: string } }[];
};

test("every rule that refuses has a title, a code and a hint, every one that allows a title and a code", async () => {
  const source = await readSource([rego]);
  const modules = (await parseAll(rego, source)) as { package: { path: { value: string }[] }; rules: Annotated[] }[];
  let judged = 0;
  for (const { package: named, rules } of modules) {
    const path = named.path.map((term) => term.value).join(".");
    if (!path.startsWith("data.policies.")) continue;
    for (const rule of rules) {
      const name = rule.head.ref[0]!.value;
      if (!["allow", "block", "require_approval"].includes(name)) continue;
      judged++;
      const meta = rule.annotations?.find(({ scope }) => scope === "rule");
      assert.ok(meta?.title, `${path}.${name}: title`);
      assert.match(meta.custom?.code ?? "", /^[a-z]+(-[a-z]+)*$/, `${path}.${name}: code`);
      if (name !== "allow") assert.match(meta.custom?.hint ?? "", /^\S.*\.$/, `${path}.${name} (${meta.title}): hint`);
    }
  }
  assert.ok(judged > 20, `${judged} rules`);
});

test("every policy and library has its tests beside it", () => {
  for (const folder of ["lib", "policies"]) {
    const files = readdirSync(join(rego, folder));
    for (const file of files.filter((name) => !name.endsWith("_test.rego"))) {
      assert.ok(files.includes(file.replace(/\.rego$/, "_test.rego")), `${folder}/${file}`);
    }
  }
});

test("a later folder's data replace an earlier one's key by key, and the build says so", async () => {
  const rules = folderOf({
    "main.rego": module(""),
    "data/masks/data.json": '{"pii": {"mask": "partial", "keep_last": 4}, "pci": {"mask": "redact"}}',
  });
  const mine = folderOf({ "masks/data.json": '{"pii": {"mask": "null"}}', "data.json": '{"grants": {"pii": ["hr"]}}' });
  const out = join(scratch(), "mine.tar.gz");
  const built = await buildBundle(rules, [mine], out);
  assert.deepEqual(built.source.replaced, ["masks.pii"]);
  const { data } = await readBundle(out);
  assert.deepEqual(data, { grants: { pii: ["hr"] }, masks: { pci: { mask: "redact" }, pii: { mask: "null" } } });
});

test("sources that cannot be built are refused with their place", async () => {
  const out = join(scratch(), "never.tar.gz");
  for (const [files, expected] of [
    [{ "main.rego": "package regate\ndecision :=" }, /main\.rego:2/],
    [{ "main.rego": "package other\nx := 1" }, /regate\/decision/],
    [{ "main.rego": module(""), "data/masks.json": "{}" }, /masks\.json: data files are named data\.json/],
    [{ "main.rego": module(""), "data/data.yaml": "a: 1" }, /data\.yaml: data files are named data\.json/],
    [{ "main.rego": module(""), "data/data.json": "{" }, /data\.json/],
    [{ "main.rego": module(""), "data/data.json": '{"masks": []}' }, /data\.masks is not an object/],
  ] as const) {
    const { code, detail } = await refusal(buildBundle(folderOf(files), [], out));
    assert.equal(code, "POLICY_SOURCE");
    assert.match(detail, expected);
  }
  assert.equal((await refusal(buildBundle("/nowhere", [], out))).code, "POLICY_SOURCE");
  const same = folderOf({ "main.rego": module("") });
  assert.match(
    (await refusal(buildBundle(same, [folderOf({ "main.rego": module("") })], out))).detail,
    /have the same place/,
  );
  const unwritable = await refusal(buildBundle(same, [], "/proc/bundle.tar.gz"));
  assert.equal(unwritable.code, "BUNDLE_UNREADABLE");
});

test("a build that needs a builtin which the gate does not have is refused", async () => {
  const folder = folderOf({ "main.rego": module('_action := "block" if io.jwt.decode(input.command.text)[0].x') });
  const { code, detail } = await refusal(buildBundle(folder, [], join(scratch(), "never.tar.gz")));
  assert.equal(code, "BUNDLE_BUILTIN");
  assert.match(detail, /io\.jwt\.decode/);
});
