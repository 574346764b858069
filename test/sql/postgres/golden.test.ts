// Facts of some 270 statements, chosen by construct and reviewed by reading, and what a real server says of the same statements.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe as suite, test } from "node:test";
import { analyze, confirm } from "../../../src/sql/postgres/analyze.ts";
import { render } from "./render.ts";
import { describe, SCOPE, startRich } from "./support.ts";

const statementsFile = new URL("./golden/statements.sql", import.meta.url);
const factsFile = new URL("./golden/facts.txt", import.meta.url);
const statements = readFileSync(statementsFile, "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("--"));

const rich = await startRich();

const facts = (text: string): string => {
  try {
    return render(analyze(text, rich.catalog, SCOPE, { normalized: false, fingerprint: false }));
  } catch (thrown) {
    return `  ${(thrown as { code?: string }).code}`;
  }
};

suite("golden statements", () => {
  test("have the facts that were reviewed", () => {
    const lines = statements.map((text) => `${text}\n${facts(text)}\n`);
    // After a change that is meant: UPDATE_GOLDEN=1, and read the difference.
    if (process.env.UPDATE_GOLDEN === "1") writeFileSync(factsFile, lines.join("\n"));
    const expected = readFileSync(factsFile, "utf8")
      .split(/\n(?=\S)/)
      .map((entry) => entry.trimEnd());
    assert.deepEqual(
      lines.map((entry) => entry.trimEnd()),
      expected,
    );
  });

  test("agree with the server's description", async () => {
    let described = 0;
    const refusals: string[] = [];
    for (const text of statements) {
      const analysis = analyze(text, rich.catalog, SCOPE, { normalized: false, fingerprint: false });
      const statement = analysis.statements[0];
      if (analysis.statements.length !== 1 || statement === undefined || analysis.unresolved) continue;
      const fields = await describe(rich.client, text).catch(
        (error: Error) => void refusals.push(`${text}: ${error.message}`),
      );
      if (fields === undefined) continue;
      described++;
      assert.ok(statement.returnsRows, `returns rows: ${text}`);
      const verdict = confirm(statement, fields, rich.catalog);
      assert.deepEqual(verdict, { ok: true }, text);
      if (!statement.outputsKnown) continue;
      fields.forEach((field, at) => {
        const output = statement.facts.outputs[at]!;
        assert.equal(output.name, field.name, `name of output ${at} of ${text}`);
        if (output.derivation === "direct") assert.notEqual(field.tableOid, 0, `origin of output ${at} of ${text}`);
        if (output.type !== "")
          assert.equal(output.type, rich.catalog.typeName(field.typeOid), `type of output ${at} of ${text}`);
      });
    }
    assert.ok(described > 150, `only ${described} were described\n${refusals.slice(0, 5).join("\n")}`);
  });
});
