// What psql, drivers, ORMs and dashboards send is understood: nothing of it is opaque or unknown, and the server agrees.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe as suite, test } from "node:test";
import { analyze, confirm } from "../../../src/sql/postgres/analyze.ts";
import { describe, SCOPE, startRich } from "./support.ts";

const rich = await startRich();
const linesOf = (file: string): string[] =>
  readFileSync(new URL(`./corpora/${file}`, import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("--"));

/** Check each statement; returns how many the server described. */
async function check(texts: readonly string[]): Promise<number> {
  let described = 0;
  for (const text of texts) {
    const analysis = analyze(text, rich.catalog, SCOPE, { normalized: false, fingerprint: false });
    const statement = analysis.statements[0]!;
    // Other versions of psql ask for columns that this server does not have: then there is nothing to agree on.
    const fields = await describe(rich.client, text).catch(() => "refused" as const);
    if (fields === "refused") continue;
    assert.equal(analysis.unresolved, false, text);
    assert.notEqual(statement.facts.class, "unknown", text);
    assert.ok(statement.outputsKnown, text);
    assert.deepEqual(
      statement.facts.outputs.filter((output) => output.derivation === "opaque"),
      [],
      text,
    );
    assert.deepEqual(
      statement.facts.functions.filter((use) => use.opaque),
      [],
      text,
    );
    if (fields === undefined) continue;
    described++;
    assert.deepEqual(confirm(statement, fields, rich.catalog), { ok: true }, text);
    assert.deepEqual(
      statement.facts.outputs.map((output) => output.name),
      fields.map((field) => field.name),
      text,
    );
  }
  return described;
}

suite("statements of tools", () => {
  test("drivers, ORMs, dashboards", async () => {
    assert.ok((await check(linesOf("tools.sql"))) > 40);
  });

  test("psql's backslash commands", async () => {
    assert.ok((await check(linesOf("psql.sql"))) > 150);
  });

  test("psql reads no secret, but where it asks for one", () => {
    const secret = linesOf("psql.sql").filter((text) => {
      const { facts } = analyze(text, rich.catalog, SCOPE, { normalized: false, fingerprint: false }).statements[0]!;
      return facts.columns.some((column) => column.tags.includes("secret"));
    });
    assert.ok(
      secret.every((text) => /umoptions|subconninfo/.test(text)),
      secret.join("\n"),
    );
  });
});
