// The tables of statements and of nodes against the grammar: none is missing, none is made up, and trees hold only what may stand in them.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { before, describe, test } from "node:test";
import { walk } from "../../../src/sql/postgres/ddl.ts";
import { NODE_KINDS, type Place } from "../../../src/sql/postgres/node-kinds.ts";
import { parse, ready } from "../../../src/sql/postgres/parser.ts";
import { Recorder } from "../../../src/sql/postgres/recorder.ts";
import { STATEMENTS } from "../../../src/sql/postgres/statements.ts";

before(() => ready());

/** The kinds of nodes that the parser can give, from its own types. */
function grammarKinds(): string[] {
  const require = createRequire(import.meta.url);
  const types = join(dirname(require.resolve("@pgsql/types")), "types.d.ts");
  const union = /export type Node = ([\s\S]*?);\nexport/.exec(readFileSync(types, "utf8"))![1]!;
  return [...union.matchAll(/^\s{4}(\w+): \w+;$/gm)].map((match) => match[1]!);
}
const kindsAt = (place: Place): string[] =>
  [...NODE_KINDS].flatMap(([kind, where]) => (where === place ? [kind] : [])).sort();

describe("kinds of nodes", () => {
  test("every kind of the grammar has a place, and no other has", () => {
    const kinds = grammarKinds();
    assert.ok(kinds.length > 250, `only ${kinds.length} kinds were read`);
    assert.deepEqual([...NODE_KINDS.keys()].sort(), kinds.sort());
  });

  test("every statement has a row, and every row is a statement", () => {
    assert.deepEqual(Object.keys(STATEMENTS).sort(), kindsAt("statement"));
    assert.ok(kindsAt("statement").length > 110);
  });

  test("every expression has a case, and every item of FROM", () => {
    const source = (name: string) =>
      readFileSync(new URL(`../../../src/sql/postgres/${name}`, import.meta.url), "utf8");
    const expressions = source("expressions.ts");
    assert.deepEqual(
      kindsAt("expression").filter((kind) => !expressions.includes(`case "${kind}":`)),
      [],
    );
    const from = source("from.ts");
    assert.deepEqual(
      kindsAt("from").filter((kind) => !from.includes(`case "${kind}":`)),
      [],
    );
  });
});

function kindsIn(tree: unknown, into: Set<string>): void {
  if (typeof tree !== "object" || tree === null) return;
  for (const [name, value] of Object.entries(tree)) {
    if (/^[A-Z]/.test(name)) into.add(name);
    kindsIn(value, into);
  }
}

test("raw trees hold nothing that only the server's analysis makes", () => {
  const found = new Set<string>();
  for (const folder of ["golden/", "corpora/"]) {
    const at = new URL(`./${folder}`, import.meta.url);
    for (const file of readdirSync(at).filter((name) => name.endsWith(".sql")))
      for (const line of readFileSync(new URL(file, at), "utf8").split("\n")) {
        try {
          if (line !== "" && !line.startsWith("--")) kindsIn(parse(line), found);
        } catch {
          // A statement over several lines, or one that is refused.
        }
      }
  }
  assert.ok(found.size > 80, `only ${found.size} kinds occur`);
  const allowed: readonly (Place | undefined)[] = ["statement", "expression", "from", "clause", "value", "body"];
  assert.deepEqual(
    [...found].filter((kind) => !allowed.includes(NODE_KINDS.get(kind))),
    [],
  );
});

test("a node of a kind that is not listed makes a definition opaque", () => {
  const recorder = new Recorder({} as never, []);
  walk(recorder, [{ DefElem: { arg: { Integer: {} } } }], "ddl");
  assert.equal(recorder.opaque, false);
  walk(recorder, [{ DefElem: { arg: { NewerClause: {} } } }], "ddl");
  assert.equal(recorder.opaque, true);
});
