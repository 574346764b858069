// `regate policy check` finds what would silently have no effect; `test` and `build` say how they ended.
import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../../src/cli/policy.ts";
import { checkMaskSpec } from "../../src/masking/index.ts";
import { readBundle } from "../../src/policy/bundle.ts";
import { checkPolicy } from "../../src/policy/check.ts";
import { maskDefects } from "../../src/policy/masks.ts";
import { scratch } from "../support/policies/build.ts";
import { folderOf, refusal } from "./craft.ts";

const rego = fileURLToPath(new URL("../../rego", import.meta.url));

const main = `# METADATA
# scope: package
# schemas:
#   - input: schema.input
package regate

import data.policies.a

policies := [a]

# METADATA
# entrypoint: true
decision := {
	"id": input.id,
	"action": _action,
	"reasons": [reason | some policy in policies; some reason in policy.block],
	"masks": [],
}

default _action := "allow"

_action := "block" if count(a.block) > 0
`;

const policy = (rules: string): string => `# METADATA
# scope: package
# schemas:
#   - input: schema.input
package policies.a

${rules}
`;

const good = policy(`block contains {"code": "x", "message": "m"} if input.command.text == "x"`);

async function defects(files: { readonly [name: string]: string }): Promise<string[]> {
  const report = await checkPolicy([folderOf(files)], checkMaskSpec);
  return report.defects.map(({ place, message }) => `${place}: ${message}`);
}

test("a policy without defects has none", async () => {
  assert.deepEqual(await defects({ "main.rego": main, "policies/a.rego": good }), []);
  const report = await checkPolicy([rego], checkMaskSpec);
  assert.deepEqual(report.defects, []);
  assert.deepEqual(report.warnings, []);
  assert.ok(report.rules > 10 && report.tests > 10);
});

const wrongMasks: readonly [masks: unknown, defect: string][] = [
  [{ pii: "redact" }, 'data.masks.pii: expected an object with a mask, as {"mask": "redact"}'],
  [{ pii: { mask: "blur" } }, 'data.masks.pii: mask "blur": unknown; known are '],
  [{ pii: { mask: "partial", keep: 4 } }, "data.masks.pii: mask partial: unknown parameter keep; it has keep_first,"],
  [{ pii: { mask: "truncate" } }, "data.masks.pii: mask truncate: expected to"],
  [{ pii: { mask: "block", hard: true } }, "data.masks.pii: mask block: unknown parameter hard"],
  [{ pii: { mask: "null", on_derived: "allow" } }, 'data.masks.pii: on_derived: expected "substitute"'],
  [
    { pii: { mask: "hash", on_derived: "substitute" } },
    "data.masks.pii: on_derived: substitute is possible with null,",
  ],
  [{ pii: { mask: "partial", on_derived: "mask", keep: 4 } }, "data.masks.pii: mask partial: unknown parameter keep;"],
  [{ pii: { mask: "null", writes: "never" } }, 'data.masks.pii: writes: expected "allow" or "refuse"'],
  [{ pii: { mask: "null", lookup: { budget: 0 } } }, 'data.masks.pii: lookup: expected true or {"budget": N}'],
  [{ pii: { mask: "null", lookup: { budget: 5, per: "hour" } } }, "data.masks.pii: lookup: expected true"],
  [{ masked: { mask: "null" } }, "data.masks.masked: the tag is the gate's own"],
  [{ computed: { mask: "null" } }, "data.masks.computed: the tag is the gate's own"],
];
test("masks that are no object are a defect, none are none", () => {
  assert.deepEqual(maskDefects([], checkMaskSpec), [
    { place: "data.masks", message: "expected an object: tag to mask" },
  ]);
  assert.deepEqual(maskDefects(undefined, checkMaskSpec), []);
  assert.deepEqual(maskDefects({ a: { mask: "block" }, b: { mask: "redact" } }, checkMaskSpec), []);
  const derived = { a: { mask: "hash", on_derived: "mask" }, b: { mask: "email", on_derived: "substitute" } };
  assert.deepEqual(maskDefects(derived, checkMaskSpec), []);
});
for (const [masks, defect] of wrongMasks) {
  test(`masks ${JSON.stringify(masks)} are a defect`, async () => {
    const found = await defects({
      "main.rego": main,
      "policies/a.rego": good,
      "data/masks/data.json": JSON.stringify(masks),
    });
    assert.ok(
      found.some((line) => line.startsWith(defect)),
      found.join("\n"),
    );
  });
}

for (const [what, files, expected] of [
  [
    "a file that is not named",
    { "policies/b.rego": good.replace("policies.a", "policies.b") },
    /policies\/b\.rego: unused: .*data\.policies\.b/,
  ],
  [
    "a rule that nothing reaches",
    { "main.rego": `${main}\nlonely := 1\n` },
    /main\.rego: unused rule: .*data\.regate\.lonely/,
  ],
  [
    "a set whose name is no verdict",
    { "policies/a.rego": `${good}\nblocks contains "x" if input.command.text == "y"\n` },
    /data\.policies\.a\.blocks is no verdict/,
  ],
  [
    "a fact that does not exist",
    { "policies/a.rego": good.replace("command.text", "command.txt") },
    /a\.rego:7: rego_type_error: undefined ref: input\.command\.txt/,
  ],
  [
    "a fact compared with another type",
    { "policies/a.rego": good.replace('input.command.text == "x"', "input.command.text == 1") },
    /rego_type_error: match error/,
  ],
  [
    "a file that is not formatted",
    { "policies/a.rego": good.replace("block contains", "block  contains") },
    /a\.rego: not formatted/,
  ],
  [
    "sprintf",
    { "policies/a.rego": good.replace('"message": "m"', '"message": sprintf("%v", [input.id])') },
    /a\.rego: sprintf is refused\. .*template string/,
  ],
  [
    "a builtin that the gate does not have",
    { "policies/a.rego": good.replace('input.command.text == "x"', "io.jwt.decode(input.command.text)[0].x") },
    /io\.jwt\.decode/,
  ],
  [
    "data that nobody reads",
    { "data/mask/data.json": '{"pii": {"mask": "redact"}}' },
    /data\.mask: unused: .*they read classification, detect, masks, notifications/,
  ],
  [
    "a name of no column",
    { "data/classification/data.json": '{"shop": {"customers email": ["pii"]}}' },
    /data\.classification\.shop\["customers email"\]: a name has a dot between its parts/,
  ],
  [
    "a name of too many parts",
    { "data/classification/data.json": '{"shop": {"a.b.c.d": ["pii"]}}' },
    /data\.classification\.shop\["a\.b\.c\.d"\]: expected "schema"/,
  ],
  [
    "a tag that is no list",
    { "data/classification/data.json": '{"shop": {"public.customers.email": "pii"}}' },
    /expected a list of tags/,
  ],
  [
    "a tag that the gate gives",
    { "data/classification/data.json": '{"shop": {"public.customers.email": ["masked"]}}' },
    /the tag masked is the gate's own/,
  ],
  [
    "names without a resource",
    { "data/classification/data.json": '{"public.customers.email": ["pii"]}' },
    /data\.classification\.public\.customers\.email: expected an object/,
  ],
  [
    "data that nobody has",
    {
      "policies/a.rego": good.replace('== "x"', "in data.settings.alowed"),
      "data/data.json": '{"settings": {"allowed": ["x"]}}',
    },
    /data\.settings\.alowed: it is read, but/,
  ],
  [
    "a rule of another policy that does not exist",
    { "main.rego": main.replace("count(a.block)", "count(a.blok)") },
    /data\.policies\.a\.blok: it is read, but/,
  ],
  [
    "a variable that is never used",
    { "policies/a.rego": good.replace("if input", "if {\n\tx := 1\n\tinput").replace(/\n$/, "}\n") },
    /rego_(compile|parse)_error/,
  ],
  ["a module that does not parse", { "policies/a.rego": "package policies.a\nblock contains" }, /a\.rego/],
] as const) {
  test(`it finds ${what}`, async () => {
    const found = await defects({
      "main.rego": main,
      "policies/a.rego": good,
      ...files,
    });
    assert.ok(
      found.some((line) => expected.test(line)),
      found.join("\n") || "nothing was found",
    );
  });
}

test("the rule that the documentation shows is one", async () => {
  const docs = readFileSync(fileURLToPath(new URL("../../docs/policies.md", import.meta.url)), "utf8");
  const [smallest, example] = [...docs.matchAll(/```rego\n(.*?)```/gs)].map((match) => match[1]!);
  assert.deepEqual(await defects({ "main.rego": smallest! }), []);
  const folder = folderOf({});
  cpSync(rego, folder, { recursive: true });
  writeFileSync(join(folder, "policies/exports.rego"), example!);
  assert.match((await checkPolicy([folder], checkMaskSpec)).defects[0]!.message, /unused/);
  const main = readFileSync(join(rego, "main.rego"), "utf8");
  writeFileSync(
    join(folder, "main.rego"),
    main
      .replace("import data.policies.flows\n", "import data.policies.exports\n$&")
      .replace("\tflows,\n", "\texports,\n$&"),
  );
  assert.deepEqual((await checkPolicy([folder], checkMaskSpec)).defects, []);
});

test("it warns where all of input is read", async () => {
  const report = await checkPolicy(
    [
      folderOf({
        "main.rego": main,
        "policies/a.rego": good.replace("input.command.text", 'object.get(input, ["command", "text"], "")'),
      }),
    ],
    checkMaskSpec,
  );
  assert.match(report.warnings[0]?.message ?? "", /all of input/);
});

test("a library may offer more than is asked of it", async () => {
  const lib = "package lib.more\n\nf(x) := x + 1\n";
  assert.deepEqual(await defects({ "main.rego": main, "policies/a.rego": good, "lib/more.rego": lib }), []);
});

test("a folder without rules is refused", async () => {
  assert.equal((await refusal(checkPolicy([scratch()], checkMaskSpec))).code, "POLICY_SOURCE");
});

/** Runs the command with its output caught. */
async function cli(...args: string[]): Promise<{ code: number; out: string }> {
  let out = "";
  const { write } = process.stdout;
  const { log } = console;
  console.log = (line: string) => {
    out += `${line}\n`;
  };
  process.stdout.write = ((text: string) => {
    out += text;
    return true;
  }) as typeof write;
  try {
    return { code: await run(args), out };
  } finally {
    process.stdout.write = write;
    console.log = log;
  }
}

test("the commands end with 0, and with 1 where something is wrong", async () => {
  assert.equal((await cli("check", rego)).code, 0);
  const bad = folderOf({
    "main.rego": main,
    "policies/a.rego": good,
    "policies/b.rego": good.replace("policies.a", "policies.b"),
  });
  const checked = await cli("check", bad, "--json");
  assert.equal(checked.code, 1);
  assert.match(JSON.parse(checked.out).defects[0].message, /unused/);
  const tested = await cli("test", rego, "--threshold", "90");
  assert.equal(tested.code, 0);
  const failing = folderOf({ "main_test.rego": "package x_test\n\ntest_fails if 1 == 2\n" });
  assert.equal((await cli("test", failing)).code, 1);
  assert.equal((await cli("test", folderOf({ "main.rego": main }))).code, 1);
});

test("build writes a bundle and says what it reads", async () => {
  const out = join(scratch(), "new", "bundle.tar.gz");
  const built = await cli("build", rego, "-o", out, "--revision", "r1");
  assert.equal(built.code, 0);
  assert.match(built.out, /revision r1/);
  assert.match(built.out, /input\.command\.statements/);
  assert.equal((await readBundle(out)).revision, "r1");
});

test("build refuses what no gate would load", async () => {
  const data = folderOf({ "masks/data.json": '{"pii": {"mask": "partal"}, "x": {}}' });
  const out = join(scratch(), "bundle.tar.gz");
  const { code, detail } = await refusal(run(["build", rego, data, "-o", out]));
  assert.equal(code, "POLICY_SOURCE");
  assert.match(detail ?? "", /data\.masks\.pii: .*partal.*; and 1 more/);
  assert.equal(existsSync(out), false);
});

test("what is not understood is refused with what there is", async () => {
  assert.equal((await refusal(run(["bild"]))).code, "USAGE");
  assert.equal((await refusal(run(["build", rego]))).code, "USAGE");
  assert.equal((await refusal(run(["check", "--jsn"]))).code, "USAGE");
  assert.equal((await cli()).code, 2);
  assert.match((await cli("--help")).out, /policy build/);
  assert.equal(existsSync("undefined"), false);
});
