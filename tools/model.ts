// The small model, tried out whole: node tools/model.ts [DEPTH [SECONDS [SEED]]]. All sequences of session steps up to that length, then longer ones
// and changes of the catalog at random for so many seconds.
import {
  CATALOG_STEPS,
  randomFrom,
  samples,
  SESSION_STEPS,
  sequences,
  startModel,
  tryAll,
} from "../test/protocols/postgres/small-model.ts";

const [depth = 2, seconds = 120, seed = Math.floor(Math.random() * 1e9)] = process.argv.slice(2).map(Number);
const model = await startModel(4);
let failed = 0;
const run = async (
  what: string,
  of: ReturnType<typeof sequences>,
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
await run(`all sequences of up to ${depth} steps`, sequences(SESSION_STEPS, depth));
await run("longer ones at random", samples(SESSION_STEPS, 7, randomFrom(seed)), model.workers, seconds * 500);
const withCatalog = [...SESSION_STEPS, ...CATALOG_STEPS, ...CATALOG_STEPS];
await run("with changes of the catalog", samples(withCatalog, 5, randomFrom(seed)), [model.run], seconds * 500);
await model.close();
process.exit(failed === 0 ? 0 : 1);
