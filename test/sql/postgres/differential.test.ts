// Generated statements: what the facts say of each, against what the server itself makes of it. Longer runs: node tools/differential.ts
import assert from "node:assert/strict";
import { describe as suite, test } from "node:test";
import { failures, summary } from "./generator/report.ts";
import type { Report } from "./generator/run.ts";
import { Differential } from "./generator/run.ts";
import { wideSql } from "./generator/schema.ts";
import { startRich } from "./support.ts";

const rich = await startRich(wideSql, {});
const differential = await Differential.start(rich);

const run = async (seed: number, goOn: (report: Report) => boolean): Promise<Report> => {
  const start = performance.now();
  const report = await differential.run(seed, goOn, 5);
  console.log(`from seed ${seed}:\n${summary(report, (performance.now() - start) / 1_000)}`);
  return report;
};

suite("generated statements", () => {
  test("have facts that lack nothing of what the server reads, from a fixed seed", async () => {
    const report = await run(1, ({ statements }) => statements < 1_500);
    assert.equal(failures(report), "");
    assert.ok(report.accepted > 900, `only ${report.accepted} were accepted`);
    assert.ok(report.exact > 0.85 * report.outputs, "what is more than the server reads has grown");
  });

  // Other seeds each time are for make differential: what is found there is mended, and must not stop somebody else's work.
  test("have facts that lack nothing of what the server reads, from a second seed", async () => {
    const report = await run(Number(process.env.SEED ?? 300_000), ({ statements }) => statements < 1_000);
    assert.equal(failures(report), "");
  });
});
