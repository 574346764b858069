// Generated statements through gates before two servers whose protected cells differ: node tools/noninterference.ts [--statements N] [--seconds N] [--seed S] [--lanes N]
import { join } from "node:path";
import { test } from "node:test";
import { parseArgs } from "node:util";
import { described, summary } from "../test/noninterference/report.ts";
import { nothing, NonInterference } from "../test/noninterference/run.ts";
import { startGates, startServers } from "../test/noninterference/sides.ts";
import { ROOT } from "./run.ts";

const { values } = parseArgs({
  options: {
    statements: { type: "string" },
    seconds: { type: "string" },
    seed: { type: "string" },
    lanes: { type: "string" },
  },
});
const statements = Number(values.statements ?? 200_000);
const seconds = Number(values.seconds ?? Infinity);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
/** Pairs of servers of their own, side by side: one alone mostly waits for its servers. */
const lanes = Number(values.lanes ?? 2);
const MAX_LEAKS = 10;
/** After so many statements a lane's gates are started anew, so that their records do not fill the disk. */
const ROUND = 5_000;

// As a test, whose servers end with it.
test(`${statements} statements, from seed ${seed}`, async () => {
  const start = performance.now();
  const elapsed = (): number => (performance.now() - start) / 1_000;
  const report = nothing();
  const seeds = { next: seed };
  const goOn = (): boolean => report.statements < statements && elapsed() < seconds && report.leaks.length < MAX_LEAKS;
  const lane = async (): Promise<void> => {
    const servers = await startServers();
    const run = await NonInterference.start(servers, {
      maxLeaks: MAX_LEAKS,
      onLeak: (leak) => console.error(described(leak)),
    });
    while (goOn()) {
      const gates = await startGates(servers, { policy: join(ROOT, "rego") });
      const until = report.statements + ROUND * lanes;
      await run.run(gates, seeds, () => goOn() && report.statements < until, report);
      await Promise.all([gates.left.close(), gates.right.close()]);
      report.outcomes.records(gates.left.records());
      console.log(`\nfrom seed ${seed}, after ${Math.round(elapsed())} s:\n${summary(report, elapsed())}`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  if (report.leaks.length > 0) process.exitCode = 1;
});
