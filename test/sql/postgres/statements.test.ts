// The table of statements against the grammar: none is missing, and none is made up.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { NOT_STATEMENTS, STATEMENTS } from "../../../src/sql/postgres/statements.ts";

/** The kinds of nodes that the parser can give, from its own types. */
function grammarKinds(): string[] {
  const require = createRequire(import.meta.url);
  const types = join(dirname(require.resolve("@pgsql/types")), "types.d.ts");
  const union = /export type Node = ([\s\S]*?);\nexport/.exec(readFileSync(types, "utf8"))![1]!;
  return [...union.matchAll(/^\s{4}(\w+): \w+;$/gm)].map((match) => match[1]!);
}

test("every statement of the grammar has a row", () => {
  const kinds = grammarKinds();
  assert.ok(kinds.length > 250, `only ${kinds.length} kinds were read`);
  const statements = kinds.filter((kind) => kind.endsWith("Stmt"));
  assert.ok(statements.length > 110, `only ${statements.length} statements were read`);
  const missing = statements.filter((kind) => !(kind in STATEMENTS) && !NOT_STATEMENTS.has(kind));
  assert.deepEqual(missing, []);
});

test("every row is a statement of the grammar", () => {
  const kinds = new Set(grammarKinds());
  assert.deepEqual(
    Object.keys(STATEMENTS).filter((kind) => !kinds.has(kind)),
    [],
  );
  assert.deepEqual(
    [...NOT_STATEMENTS].filter((kind) => !kinds.has(kind)),
    [],
  );
});
