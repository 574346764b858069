// The starter policy as it ships decides each kind of command as its documentation says, and its WASM decides as OPA itself does.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Decision } from "../../src/core/decision.ts";
import { type Input, input as schema, type StatementFacts } from "../../src/core/facts.ts";
import { openPolicy } from "../../src/policy/index.ts";
import { opa } from "../../src/policy/opa.ts";
import { bundleOf, scratch } from "../support/policies/build.ts";
import { commandOf, inputOf, statement } from "./craft.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
// What is held is that it is bounded, not how fast this machine is today.
const policy = await openPolicy({ bundle: join(root, "bundles/default.tar.gz"), mode: "enforce", timeoutMs: 60_000 });
after(() => policy.close());

type Facts = Partial<StatementFacts>;
type Who = { groups?: string[]; scopes?: string[]; environment?: string };

function asked(
  statements: readonly Facts[],
  { groups = [], scopes = [], environment = "production" }: Who = {},
): Input {
  const made = commandOf("(made up)", ...statements.map((facts) => statement(facts)));
  const input = inputOf(statements.length === 0 ? { ...made, statements: [] } : made);
  return { ...input, identity: { ...input.identity, groups, scopes }, resource: { ...input.resource, environment } };
}

const column = (table: string, name: string, ...tags: string[]) => ({ schema: "public", table, column: name, tags });
const email = column("customers", "email", "pii");
const id = column("customers", "id");
const password = column("pg_authid", "rolpassword", "secret");
const used = (source: typeof email, ...uses: StatementFacts["columns"][number]["uses"]) => ({
  ...source,
  uses,
  operators: [],
});
const output = (derivation: "direct" | "expression" | "aggregate" | "opaque", ...sources: (typeof email)[]) => ({
  name: sources[0]?.column ?? "?",
  type: "text",
  derivation,
  total: true,
  sources,
});
const relation = (name: string, ...access: string[]) => ({
  schema: "public",
  name,
  kind: "table",
  access,
  via: [],
  tags: [] as string[],
});
const tableLock = (mode: string) => ({ level: "relation" as const, schema: "public", name: "orders", mode });
const fn = (name: string, kind: "builtin" | "known" | "unknown", opaque: boolean) => ({
  schema: "public",
  name,
  language: "sql",
  volatility: "volatile" as const,
  kind,
  effect: opaque ? ("unknown" as const) : ("pure" as const),
  opaque,
  reads: [],
});
const set = (name: string): Facts => ({
  verb: "set",
  class: "session",
  settings: [{ name, value: "x", local: false, own: false }],
});
const reading: Facts = {
  columns: [used(id, "output"), used(email, "output")],
  outputs: [output("direct", id), output("direct", email)],
};

const selecting: Facts = { relations: [relation("customers", "select")] };
const changing: Facts = {
  verb: "update",
  class: "write",
  relations: [relation("customers", "update", "select")],
  columns: [used(email, "filter")],
};

const table: readonly (readonly [
  what: string,
  statements: readonly Facts[],
  who: Who,
  action: Decision["action"],
  ...codes: string[],
])[] = [
  [
    "SELECT of untagged columns",
    [{ columns: [used(id, "output", "filter")], outputs: [output("direct", id)] }],
    {},
    "allow",
    "read",
  ],
  ["SELECT 1", [{}], {}, "allow", "read"],
  ["an empty text", [], {}, "allow", "empty"],
  [
    "BEGIN; SELECT; COMMIT",
    [{ class: "transaction", verb: "begin" }, {}, { class: "transaction", verb: "commit" }],
    {},
    "allow",
    "read",
    "transaction",
  ],
  ["LISTEN", [{ class: "session", verb: "listen" }], {}, "allow", "session"],
  ["NOTIFY", [{ class: "session", verb: "notify", external: ["notify"] }], {}, "allow", "session"],
  ["RESET ALL", [{ ...set("*"), verb: "reset" }], {}, "allow", "session"],
  ["SHOW", [{ class: "session", verb: "show" }], {}, "allow", "session"],
  ["SET timezone", [set("TimeZone")], {}, "allow", "session"],
  ["SET role", [set("role")], {}, "block", "setting"],
  ["SET role by a dba", [set("role")], { groups: ["dba"] }, "allow", "session"],
  [
    "set_config in a SELECT",
    [{ settings: [{ name: "session_authorization", value: null, local: false, own: false }] }],
    {},
    "block",
    "setting",
  ],
  ["INSERT", [{ verb: "insert", class: "write", relations: [relation("orders", "insert")] }], {}, "allow", "write"],
  [
    "COPY FROM STDIN",
    [{ verb: "copy", class: "write", scoped: false, relations: [relation("orders", "insert")] }],
    {},
    "allow",
    "write",
  ],
  [
    "COPY TO STDOUT",
    [{ verb: "copy", columns: [used(id, "output")], relations: [relation("customers", "select")] }],
    {},
    "allow",
    "read",
  ],
  [
    "UPDATE with a key",
    [{ verb: "update", class: "write", relations: [relation("orders", "update")] }],
    {},
    "allow",
    "write",
  ],
  ["UPDATE without", [{ verb: "update", class: "write", scoped: false }], {}, "block", "unscoped-write"],
  ["DELETE without", [{ verb: "delete", class: "write", scoped: false }], {}, "block", "unscoped-write"],
  [
    "DELETE without, by a dba",
    [{ verb: "delete", class: "write", scoped: false }],
    { groups: ["dba"] },
    "block",
    "unscoped-write",
  ],
  ["TRUNCATE", [{ verb: "truncate", class: "write", scoped: false }], {}, "block", "unscoped-write"],
  [
    "DELETE in a WITH",
    [{ class: "write", scoped: false, relations: [relation("orders", "delete")] }],
    {},
    "block",
    "unscoped-write",
  ],
  ["DELETE with a key", [{ verb: "delete", class: "write" }], {}, "require_approval", "production-delete"],
  ["DELETE with a key, by a dba", [{ verb: "delete", class: "write" }], { groups: ["dba"] }, "allow", "write"],
  ["DELETE with a key, in staging", [{ verb: "delete", class: "write" }], { environment: "staging" }, "allow", "write"],
  ["CREATE TABLE", [{ verb: "create_table", class: "ddl" }], {}, "block", "ddl"],
  ["CREATE TABLE with the scope", [{ verb: "create_table", class: "ddl" }], { scopes: ["ddl"] }, "allow", "right"],
  ["GRANT", [{ verb: "grant", class: "dcl" }], { scopes: ["ddl"] }, "block", "dcl"],
  ["GRANT by a dba", [{ verb: "grant", class: "dcl" }], { groups: ["dba"] }, "allow", "right"],
  ["VACUUM", [{ verb: "vacuum", class: "maintenance" }], {}, "block", "maintenance"],
  ["VACUUM by a dba", [{ verb: "vacuum", class: "maintenance" }], { groups: ["dba"] }, "allow", "right"],
  ["DO", [{ verb: "do", class: "code" }], {}, "block", "code"],
  ["DO by a dba", [{ verb: "do", class: "code" }], { groups: ["dba"] }, "allow", "right"],
  ["CALL with the scope", [{ verb: "call", class: "code" }], { scopes: ["code"] }, "allow", "right"],
  ["what is not understood", [{ verb: "unknown", class: "unknown" }], {}, "block", "unknown-statement"],
  ["COPY TO PROGRAM", [{ verb: "copy", external: ["program"] }], {}, "block", "external"],
  [
    "pg_read_file",
    [{ external: ["file"], functions: [fn("pg_read_file", "builtin", true)] }],
    {},
    "block",
    "external",
    "opaque-function",
  ],
  ["an opaque function", [{ functions: [fn("f", "known", true)] }], {}, "block", "opaque-function"],
  ["an unknown function", [{ functions: [fn("f", "unknown", true)] }], {}, "block", "opaque-function"],
  [
    "an opaque function with the scope",
    [{ functions: [fn("f", "known", true)] }],
    { scopes: ["functions"] },
    "allow",
    "read",
  ],
  ["a known function", [{ functions: [fn("lower", "builtin", false)] }], {}, "allow", "read"],
  ["SELECT of a tagged column", [reading], {}, "mask", "read"],
  ["SELECT of a tagged column by whoever is cleared", [reading], { groups: ["privacy"] }, "allow", "read"],
  ["SELECT of a tagged column by a dba", [reading], { groups: ["dba"] }, "mask", "read"],
  ...(["expression", "aggregate", "opaque"] as const).map(
    (derivation) =>
      [
        `${derivation} over it`,
        [{ ...selecting, outputs: [output(derivation, id, email)] }],
        {},
        "mask",
        "read",
      ] as const,
  ),
  ...(["filter", "join", "sort", "group", "distinct", "window", "write_source", "lock", "expression"] as const).map(
    (use) => [`it as ${use}`, [{ ...selecting, columns: [used(email, use)] }], {}, "mask", "read"] as const,
  ),
  ["it as filter of what changes", [changing], {}, "block", "protected-use"],
  ["it as filter of what changes, by whoever is cleared", [changing], { groups: ["privacy"] }, "allow", "write"],
  ["writing it", [{ verb: "update", class: "write", columns: [used(email, "write_target")] }], {}, "allow", "write"],
  [
    "COPY of it",
    [{ ...selecting, verb: "copy", columns: [used(email, "output")], outputs: [output("direct", email)] }],
    {},
    "mask",
    "read",
  ],
  ...(["column", "sequence", "setting", "large_object", "notification", "file", "server"] as const).flatMap(
    (target) => {
      const written = { target, schema: "public", table: "notes", column: "text", sources: [email], opaque: false };
      return [
        [`writing it to a ${target}`, [{ ...selecting, writes: [written] }], {}, "mask", "read"],
        [`writing it to a ${target}, from who knows where`, [{ writes: [written] }], {}, "block", "protected-write"],
      ] as const;
    },
  ),
  ["LOCK TABLE", [{ verb: "lock", class: "session", locks: [tableLock("access exclusive")] }], {}, "block", "lock"],
  [
    "LOCK TABLE with the scope",
    [{ verb: "lock", class: "session", locks: [tableLock("access exclusive")] }],
    { scopes: ["locks"] },
    "allow",
    "session",
  ],
  [
    "LOCK TABLE IN ROW EXCLUSIVE MODE",
    [{ verb: "lock", class: "session", locks: [tableLock("row exclusive")] }],
    {},
    "allow",
    "session",
  ],
  [
    "the number of rows beside the server's secrets",
    [{ relations: [{ ...relation("pg_authid", "select"), tags: ["secret"] }] }],
    {},
    "allow",
    "read",
  ],
  [
    "the server's secrets",
    [
      {
        relations: [{ ...relation("pg_authid", "select"), tags: ["secret"] }],
        columns: [used(password, "output")],
        outputs: [output("direct", password)],
      },
    ],
    {},
    "mask",
    "read",
  ],
  ["the server's secrets in a filter", [{ columns: [used(password, "filter")] }], {}, "block", "protected-use"],
  [
    "the server's secrets by a dba",
    [{ columns: [used(password, "output")], outputs: [output("direct", password)] }],
    { groups: ["dba"] },
    "allow",
    "read",
  ],
  ["one bad statement among good ones", [{}, reading, { verb: "create_table", class: "ddl" }], {}, "block", "ddl"],
  [
    "a held DELETE beside a masked SELECT",
    [{ verb: "delete", class: "write" }, reading],
    {},
    "require_approval",
    "production-delete",
  ],
];

for (const [what, statements, who, action, ...codes] of table) {
  test(`${what}${who.groups || who.scopes ? ` (${[...(who.groups ?? []), ...(who.scopes ?? [])].join()})` : ""}: ${action} ${codes.join(", ")}`, async () => {
    const input = asked(statements, who);
    assert.equal(schema.check(input, "input"), undefined);
    const decision = await policy.evaluate(input);
    assert.equal(decision.action, action);
    assert.deepEqual([...new Set(decision.reasons.map(({ code }) => code))].sort(), codes.sort());
    if (action === "block") for (const { hint } of decision.reasons) assert.ok(hint);
    if (action === "require_approval") assert.deepEqual(decision.approval, { approvers: ["group:dba"], count: 1 });
    if (action === "block" || action === "allow") assert.deepEqual(decision.masks, []);
  });
}

test("a mask names its output, its kind and its parameters", async () => {
  const number = column("cards", "number", "pci");
  const salary = column("employees", "salary", "salary");
  const both = column("x", "y", "pci", "salary");
  const untold = column("x", "z", "something-new");
  const outputs = [
    output("direct", id),
    ...[email, number, salary, both, untold].map((source) => output("direct", source)),
  ];
  const decision = await policy.evaluate(asked([{}, { outputs }]));
  assert.deepEqual(
    [...decision.masks].sort((a, b) => a.output - b.output),
    [
      { statement: 1, output: 1, mask: "redact", code: "tag-pii" },
      { statement: 1, output: 2, mask: "partial", keep_last: 4, code: "tag-pci" },
      { statement: 1, output: 3, mask: "null", code: "tag-salary" },
      { statement: 1, output: 4, mask: "null", code: "tag-pci-salary" },
      { statement: 1, output: 5, mask: "redact", code: "tag-something-new" },
    ],
  );
});

test("a substitution names its column, its kind and its parameters, once", async () => {
  const number = column("cards", "number", "pci");
  const masked = column("cards", "number", "masked");
  const facts: Facts = {
    relations: [relation("cards", "select"), relation("customers", "select")],
    columns: [used(number, "output", "filter", "sort"), used(email, "output"), used(masked, "expression")],
    outputs: [output("direct", email), output("expression", number, masked)],
  };
  const { action, masks, substitutions } = await policy.evaluate(asked([{}, facts]));
  assert.equal(action, "mask");
  assert.deepEqual(masks, [{ statement: 1, output: 0, mask: "redact", code: "tag-pii" }]);
  const { tags: _, ...place } = number;
  assert.deepEqual(substitutions, [{ statement: 1, ...place, mask: "partial", keep_last: 4, code: "tag-pci" }]);
  assert.equal((await policy.evaluate(asked([reading]))).substitutions, undefined);
});

test("a held command keeps the masks of its results", async () => {
  const returning: Facts = { verb: "delete", class: "write", outputs: [output("direct", email)] };
  const decision = await policy.evaluate(asked([returning]));
  assert.equal(decision.action, "require_approval");
  assert.equal(decision.masks.length, 1);
});

test("a session may start, an unknown stage may not", async () => {
  const { command: _, ...start } = asked([]);
  assert.equal((await policy.evaluate({ ...start, stage: "connect" } as Input)).action, "allow");
  assert.equal((await policy.evaluate({ ...start, stage: "later" } as never)).action, "block");
  assert.equal((await policy.evaluate({ ...start, stage: "command" } as Input)).action, "block");
});

test("the WASM decides as OPA does, for every row and for the policies of the tests", async () => {
  for (const folder of [
    join(root, "rego"),
    join(root, "test/support/policies/allow_all"),
    join(root, "test/support/policies/mask_tagged"),
  ]) {
    const data = folder.endsWith("rego") ? {} : { masks: { pii: { mask: "partial", keep_last: 2 } } };
    const opened = await openPolicy({ bundle: await bundleOf(folder, data), mode: "enforce" });
    const inputs = table.map(([, statements, who]) => asked(statements, who));
    const at = scratch();
    const cases = join(at, "cases.json");
    writeFileSync(cases, JSON.stringify({ cases: inputs }));
    writeFileSync(join(at, "data.json"), JSON.stringify(folder.endsWith("rego") ? {} : data));
    const loaded = folder.endsWith("rego")
      ? [
          "--data",
          join(folder, "main.rego"),
          "--data",
          join(folder, "lib"),
          "--data",
          join(folder, "policies"),
          "--data",
          join(folder, "data"),
        ]
      : ["--data", join(folder, "main.rego"), "--data", join(at, "data.json")];
    const ran = await opa([
      "eval",
      "--format",
      "json",
      ...loaded,
      "--data",
      cases,
      "[d | some input_case in data.cases; d := data.regate.decision with input as input_case]",
    ]);
    assert.equal(ran.code, 0, ran.stderr || ran.stdout);
    const expected = JSON.parse(ran.stdout).result[0].expressions[0].value as Decision[];
    assert.equal(expected.length, inputs.length);
    for (const [i, input] of inputs.entries()) {
      const decision = await opened.evaluate(input);
      assert.deepEqual(ordered(decision), ordered(expected[i]!), table[i]![0]);
    }
    await opened.close();
  }
});

/** Masks and substitutions come in no order. */
function ordered({ masks, substitutions = [], ...decision }: Decision): Decision {
  const text = (item: object): string => JSON.stringify(Object.entries(item).sort());
  const sorted = <T extends object>(list: readonly T[]): T[] => list.toSorted((a, b) => (text(a) < text(b) ? -1 : 1));
  return { ...decision, masks: sorted(masks), substitutions: sorted(substitutions) };
}

for (const [what, action, facts] of [
  ["masked", "mask", (source: typeof email) => ({ outputs: [output("direct", source)] })],
  ["blocked", "block", (source: typeof email) => ({ columns: [used(source, "output", "filter")] })],
  ["of harmless uses", "allow", (source: typeof email) => ({ columns: [used(source, "output", "nullness")] })],
] as const) {
  test(`the largest input is judged in time where all of it is ${what}`, async () => {
    const one = facts(column("wide", "c10000", "pii"));
    // As much as is judged at all, but for what else is in an input.
    const n = Math.floor((3.9 * 2 ** 20) / JSON.stringify(Object.values(one)[0]![0]).length);
    const [part] = Object.keys(one);
    const all = {
      [part!]: Array.from({ length: n }, (_, i) => Object.values(facts(column("wide", `c${i}`, "pii")))[0]![0]),
    };
    const input = asked([all]);
    assert.ok(JSON.stringify(input).length > 3 << 20);
    const decision = await policy.evaluate(input);
    assert.equal(decision.action, action, JSON.stringify(decision).slice(0, 300));
    if (action === "mask") assert.equal(decision.masks.length, n);
    if (action === "block") assert.equal(decision.reasons.length, 20);
  });
}
