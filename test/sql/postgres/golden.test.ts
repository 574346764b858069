// Facts of statements, chosen by construct (a pair of files each in golden/) and reviewed by reading, and what a real server says of the same.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe as suite, test } from "node:test";
import { analyze, confirm } from "../../../src/sql/postgres/analyze.ts";
import { render } from "./render.ts";
import { describe, SCOPE, startRich } from "./support.ts";

const folder = new URL("./golden/", import.meta.url);
const constructs = readdirSync(folder)
  .filter((file) => file.endsWith(".sql"))
  .map((file) => file.slice(0, -".sql".length))
  .sort();

const rich = await startRich();
const major = Math.floor(Number((await rich.query("SHOW server_version_num"))[0]![0]) / 10000);

/** One statement (or command of several) a line; `-- since 16` above one says which servers have what it names. Other comments are for readers. */
function statementsOf(construct: string, version = major): string[] {
  const statements: string[] = [];
  let since = 0;
  for (const line of readFileSync(new URL(`${construct}.sql`, folder), "utf8").split("\n")) {
    if (line.startsWith("-- since ")) since = Number(line.slice("-- since ".length));
    if (line === "" || line.startsWith("--")) continue;
    if (since <= version) statements.push(line);
    since = 0;
  }
  return statements;
}

const facts = (text: string): string => {
  try {
    return render(analyze(text, rich.catalog, SCOPE, { normalized: false, fingerprint: false }));
  } catch (thrown) {
    return `  ${(thrown as { code?: string }).code}`;
  }
};

suite("golden statements have the facts that were reviewed", () => {
  for (const construct of constructs)
    test(construct, () => {
      const file = new URL(`${construct}.txt`, folder);
      const lines = statementsOf(construct).map((text) => `${text}\n${facts(text)}\n`);
      const later = new Set(statementsOf(construct, Number.POSITIVE_INFINITY));
      for (const text of statementsOf(construct)) later.delete(text);
      const recorded = existsSync(file) ? readFileSync(file, "utf8") : "";
      // After a change that is meant: UPDATE_GOLDEN=1, and read the difference.
      if (process.env.UPDATE_GOLDEN === "1" && recorded !== lines.join("\n")) writeFileSync(file, lines.join("\n"));
      else
        assert.deepEqual(
          lines.map((entry) => entry.trimEnd()),
          recorded
            .split(/\n(?=\S)/)
            .map((entry) => entry.trimEnd())
            .filter((entry) => !later.has(entry.slice(0, entry.indexOf("\n")))),
        );
    });

  test("and none is recorded that has no statements", () => {
    const recorded = readdirSync(folder).filter((file) => file.endsWith(".txt"));
    assert.deepEqual(
      recorded.sort(),
      constructs.map((construct) => `${construct}.txt`),
    );
  });
});

suite("golden statements agree with the server's description", () => {
  let described = 0;
  const refusals: string[] = [];
  for (const construct of constructs)
    test(construct, async () => {
      for (const text of statementsOf(construct)) await agrees(text);
    });

  test("and most are described", () => {
    assert.ok(described > 150, `only ${described} were described\n${refusals.slice(0, 5).join("\n")}`);
  });

  async function agrees(text: string): Promise<void> {
    let analysis: ReturnType<typeof analyze>;
    try {
      analysis = analyze(text, rich.catalog, SCOPE, { normalized: false, fingerprint: false });
    } catch {
      return; // refused by the gate: nothing to agree on
    }
    const statement = analysis.statements[0];
    if (analysis.statements.length !== 1 || statement === undefined || analysis.unresolved) return;
    const fields = await describe(rich.client, text).catch(
      (error: Error) => void refusals.push(`${text}: ${error.message}`),
    );
    if (fields === undefined) return;
    described++;
    assert.ok(statement.returnsRows, `returns rows: ${text}`);
    assert.deepEqual(confirm(statement, fields, rich.catalog), { ok: true }, text);
    if (!statement.outputsKnown) return;
    fields.forEach((field, at) => {
      const output = statement.facts.outputs[at]!;
      assert.equal(output.name, field.name, `name of output ${at} of ${text}`);
      if (output.derivation === "direct") assert.notEqual(field.tableOid, 0, `origin of output ${at} of ${text}`);
      if (output.type !== "")
        assert.equal(output.type, rich.catalog.typeName(field.typeOid), `type of output ${at} of ${text}`);
    });
  }
});
