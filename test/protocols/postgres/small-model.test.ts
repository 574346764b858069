// Whatever a session does with its names, what comes out is the server's, with everything protected masked: short sequences, and longer ones at random.
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { startModel, tryAll } from "./small-model.ts";
import { randomFrom, samples, sequences } from "./small-model-sequences.ts";
import { CATALOG_STEPS, SESSION_STEPS } from "./small-model-steps.ts";

let model: Awaited<ReturnType<typeof startModel>>;
before(async () => {
  model = await startModel(2);
});
after(() => model.close());

const seed = Number(process.env.REGATE_TEST_SEED ?? Math.floor(Math.random() * 1e9));
const shown = (wrong: readonly string[]): string => `seed ${seed}\n${wrong.join("\n\n")}`;

it("after every single step", async () => {
  const { tried, wrong } = await tryAll(model.workers, sequences(SESSION_STEPS, 1), 60_000);
  assert.deepEqual(wrong, [], shown(wrong));
  assert.ok(tried > SESSION_STEPS.length, String(tried));
});

it("after steps of the session, at random", async () => {
  const { wrong } = await tryAll(model.workers, samples(SESSION_STEPS, 5, randomFrom(seed)), 9000);
  assert.deepEqual(wrong, [], shown(wrong));
});

it("after steps that change the catalog, at random", async () => {
  const steps = samples([...SESSION_STEPS, ...CATALOG_STEPS, ...CATALOG_STEPS], 4, randomFrom(seed));
  const { wrong } = await tryAll([model.run], steps, 9000);
  assert.deepEqual(wrong, [], shown(wrong));
});
