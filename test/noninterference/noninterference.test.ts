// Non-interference: whatever a client sends, on two servers that differ in protected cells alone it gets the same bytes. Longer: make noninterference
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { planted, STARTER } from "./planted.ts";
import { described, summary } from "./report.ts";
import { type Leak, NonInterference, nothing } from "./run.ts";
import { startGates, startServers } from "./sides.ts";
import { ways } from "./ways.ts";

const SEED = 1;
/** Some twenty seconds. */
const EXCHANGES = 192;
/** A planted leak must be found before so many exchanges, which takes seconds. */
const SOON = 256;

const servers = await startServers();

describe("two servers that differ in protected cells alone", () => {
  test("look the same to a client, from a fixed seed", async () => {
    const leaks: Leak[] = [];
    const run = await NonInterference.start(servers, { maxLeaks: 3, onLeak: (leak) => leaks.push(leak) });
    const gates = await startGates(servers, { policy: STARTER });
    const report = nothing();
    const start = performance.now();
    const elapsed = (): number => (performance.now() - start) / 1_000;
    await run.run(gates, { next: SEED }, ({ exchanges }) => exchanges < EXCHANGES && leaks.length < 3, report);
    await Promise.all([gates.left.close(), gates.right.close()]);
    report.outcomes.records(gates.left.records());
    console.log(`from seed ${SEED}:\n${summary(report, elapsed())}`);
    assert.equal(leaks.map(described).join("\n"), "");
    // That nothing differs says something only of what ran, was masked and was refused.
    assert.ok(report.outcomes.rows > 100, `only ${report.outcomes.rows} rows came`);
    for (const action of ["allow", "mask", "block"]) assert.ok(report.outcomes.actions.has(action), action);
    assert.deepEqual(
      ways.map(({ name }) => name).filter((name) => !report.ways.has(name)),
      [],
    );
  });

  for (const { defect, options } of planted) {
    test(`are told apart soon when ${defect}`, async () => {
      const found: Leak[] = [];
      const run = await NonInterference.start(servers, { maxLeaks: 1, onLeak: (leak) => found.push(leak) });
      const gates = await startGates(servers, options());
      const report = nothing();
      const start = performance.now();
      await run.run(gates, { next: SEED }, ({ exchanges }) => found.length === 0 && exchanges < SOON, report);
      await Promise.all([gates.left.close(), gates.right.close()]);
      const seconds = ((performance.now() - start) / 1_000).toFixed(1);
      assert.equal(found.length, 1, `not among ${report.exchanges} exchanges`);
      console.log(`${defect}: found and made small in ${seconds} s: ${described(found[0]!)}`);
      assert.ok(found[0]!.steady, "it is there when sent alone, too");
    });
  }
});
