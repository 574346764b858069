// The small model, tried out whole: node tools/model.ts [DEPTH [SECONDS [SEED]]]. All sequences of session steps up to that length, of few
// of them one more, with each change of the catalog before, between and behind; then longer ones at random for so many seconds.
import { startModel, tryAll } from "../test/protocols/postgres/small-model.ts";
import { around, between, randomFrom, samples, sequences } from "../test/protocols/postgres/small-model-sequences.ts";
import { CATALOG_STEPS, CORE_STEPS, SESSION_STEPS, type Step } from "../test/protocols/postgres/small-model-steps.ts";

const [depth = 2, seconds = 120, seed = Math.floor(Math.random() * 1e9)] = process.argv.slice(2).map(Number);
const model = await startModel(4);
let failed = 0;
const run = async (
  what: string,
  of: Iterable<readonly Step[]>,
  workers = model.workers,
  limit = Number.MAX_SAFE_INTEGER,
) => {
  const began = Date.now();
  const { tried, wrong } = await tryAll(workers, of, limit);
  failed += wrong.length;
  for (const one of wrong) console.log(`${one}\n`);
  console.log(`${what}: ${tried} sequences, ${wrong.length} wrong, ${((Date.now() - began) / 1000).toFixed(0)} s`);
};
console.log(`seed ${seed}`);
await run(`all sequences of up to ${depth} of ${SESSION_STEPS.length} steps`, sequences(SESSION_STEPS, depth));
await run(`all of up to ${depth + 1} of ${CORE_STEPS.length} steps`, sequences(CORE_STEPS, depth + 1));
// Changes of the catalog are everybody's: one worker alone.
await run("each change of the catalog before and behind each step", around(SESSION_STEPS, CATALOG_STEPS), [model.run]);
await run("each change between two steps", between(CORE_STEPS, CATALOG_STEPS), [model.run]);
await run("longer ones at random", samples(SESSION_STEPS, 7, randomFrom(seed)), model.workers, seconds * 500);
const withCatalog = [...SESSION_STEPS, ...CATALOG_STEPS, ...CATALOG_STEPS];
await run("with changes of the catalog", samples(withCatalog, 5, randomFrom(seed)), [model.run], seconds * 500);
await model.close();
process.exit(failed === 0 ? 0 : 1);
