// What the facts leave out decides nothing that can be seen: rows, their number and order, errors, notices, and what is written.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe as suite, test } from "node:test";
import { Influence, INFLUENCE_SQL } from "./influence.ts";
import { startRich } from "./support.ts";

const rich = await startRich();
await rich.client.query(INFLUENCE_SQL);
const influence = new Influence(rich.client, await rich.load());
await influence.start();

const folder = new URL("./golden/", import.meta.url);

suite("columns that the facts do not name decide nothing", () => {
  let asked = 0;
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".sql")))
    test(file, async () => {
      const misses: string[] = [];
      for (const text of readFileSync(new URL(file, folder), "utf8").split("\n")) {
        if (text === "" || text.startsWith("--")) continue;
        let miss: Awaited<ReturnType<Influence["miss"]>>;
        try {
          miss = await influence.miss(text);
        } catch (thrown) {
          if ((thrown as { name: string }).name !== "RegateError") throw thrown;
          continue; // refused by the gate
        }
        if (miss === "not asked") continue;
        asked++;
        if (miss !== undefined) misses.push(`${text}\n  ${miss.columns.join(", ")} (${miss.variant})`);
      }
      assert.deepEqual(misses, []);
    });

  test("most statements can be asked about", () => {
    assert.ok(asked > 350, `only ${asked}`);
  });
});
