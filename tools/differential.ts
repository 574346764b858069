// Generated statements against the server's own analysis of them, for as long as it may take: node tools/differential.ts [--seconds N] [--seed S]
import { test } from "node:test";
import { parseArgs } from "node:util";
import { failures, summary } from "../test/sql/postgres/generator/report.ts";
import { Differential } from "../test/sql/postgres/generator/run.ts";
import { wideSql } from "../test/sql/postgres/generator/schema.ts";
import { startRich } from "../test/sql/postgres/support.ts";

const { values } = parseArgs({ options: { seconds: { type: "string" }, seed: { type: "string" } } });
const seconds = Number(values.seconds ?? 60);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));

// As a test, whose server ends with it.
test(`generated statements, from seed ${seed}, for ${seconds} s`, async () => {
  const rich = await startRich(wideSql, {});
  const differential = await Differential.start(rich);
  console.log(`PostgreSQL ${differential.world.version}, from seed ${seed}`);
  const start = performance.now();
  const report = await differential.run(seed, () => performance.now() < start + seconds * 1_000);
  console.log(summary(report, (performance.now() - start) / 1_000));
  if (report.failures.length > 0) {
    console.error(failures(report));
    process.exitCode = 1;
  }
});
