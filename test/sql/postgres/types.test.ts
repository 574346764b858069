// The types that are derived for operators, calls and casts are those that the server describes, over columns and literals of every type.
import assert from "node:assert/strict";
import { describe as suite, test } from "node:test";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { presentValues } from "./nasty.ts";
import { describe, SCOPE, startRich } from "./support.ts";

const rich = await startRich();
const { client, query } = rich;
const types = [...(await presentValues(query)).keys()].filter((type) => !/^unknown$|cstring$/.test(type));
await client.query("CREATE DOMAIN d_text AS text; CREATE DOMAIN d_num AS numeric CHECK (VALUE > 0)");
await client.query(
  `CREATE TABLE every_type (${types.map((type) => `c_${type} pg_catalog."${type}"`).join(", ")},
    dtext d_text, dnum d_num, vc varchar(10), n numeric(5, 2), moody mood, moods mood[])`,
);
const catalog = await rich.load();
const columns = [...types.map((type) => `c_${type}`), "dtext", "dnum", "vc", "n", "moody", "moods"];
const literals = ["'1'", "NULL", "1", "1.5", "true", "10000000000"];
const operands = [...columns, ...literals];

const seed = Number(process.env.REGATE_TEST_SEED ?? 20_261_125);
let state = seed;
/** A linear congruential generator: the same run for the same seed. */
function pick<T>(list: readonly T[]): T {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return list[Math.floor((state / 2 ** 32) * list.length)]!;
}

type Tally = { accepted: number; known: number };

/** Compares the type of an expression's value with the server's, where the server takes it. */
async function compare(expression: string, tally: Tally): Promise<string | undefined> {
  const text = `SELECT ${expression} FROM every_type`;
  const fields = await describe(client, text).catch(() => undefined);
  const output = analyze(text, catalog, SCOPE).statements[0]!.facts.outputs;
  if (fields === undefined) return undefined;
  tally.accepted++;
  if (output[0]!.type === "") return undefined;
  tally.known++;
  const type = catalog.typeName(fields[0]!.typeOid);
  return output[0]!.type === type ? undefined : `${expression} is ${type}, not ${output[0]!.type}`;
}

async function compareAll(make: () => string, count: number, share: number): Promise<void> {
  const tally: Tally = { accepted: 0, known: 0 };
  const wrong: string[] = [];
  for (let i = 0; i < count; i++) {
    const difference = await compare(make(), tally);
    if (difference !== undefined) wrong.push(difference);
  }
  assert.deepEqual(wrong, [], `seed ${seed}`);
  assert.ok(tally.known / tally.accepted > share, `known: ${tally.known} of ${tally.accepted}, seed ${seed}`);
}

const operators = (await query("SELECT DISTINCT oprname FROM pg_operator WHERE oprleft <> 0 ORDER BY 1")).map(
  ([name]) => name!,
);
const prefixes = (await query("SELECT DISTINCT oprname FROM pg_operator WHERE oprleft = 0 ORDER BY 1")).map(
  ([name]) => name!,
);
const sided = await query(
  "SELECT oprname, l.typname, r.typname FROM pg_operator JOIN pg_type l ON l.oid = oprleft JOIN pg_type r ON r.oid = oprright ORDER BY pg_operator.oid",
);
const functions = await query(
  `SELECT p.proname, p.pronargs FROM pg_proc p WHERE prokind = 'f' AND pronamespace = 'pg_catalog'::regnamespace AND pronargs BETWEEN 1 AND 3
   AND NOT 'internal'::regtype = ANY (proargtypes::oid[]) ORDER BY oid`,
);
const signatures = await query(
  `SELECT p.proname, array_to_string(ARRAY(SELECT t.typname FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY u(o, i) JOIN pg_type t ON t.oid = o ORDER BY i), ',')
   FROM pg_proc p WHERE prokind IN ('f', 'a') AND pronamespace = 'pg_catalog'::regnamespace AND pronargs BETWEEN 1 AND 3
   AND NOT 'internal'::regtype = ANY (proargtypes::oid[]) ORDER BY oid`,
);
/** An operand of exactly this type, or of any. */
const operandOf = (type: string): string => (types.includes(type) ? `c_${type}` : pick(operands));

suite("types are the server's", () => {
  test("of operators over any operands", () =>
    compareAll(
      () => {
        const left = pick(operands);
        return `${left} ${pick(operators)} ${pick([left, pick(operands), pick(literals)])}`;
      },
      3_000,
      0.9,
    ));
  test("of every operator over its own operands, and beside literals", async () => {
    let at = 0;
    await compareAll(
      () => {
        const [name, left, right] = sided[at++ >> 1]!;
        const sides = [operandOf(left!), operandOf(right!)];
        if (at % 2 === 0) sides[at % 4 === 0 ? 0 : 1] = pick(literals);
        return `${sides[0]} ${name} ${sides[1]}`;
      },
      sided.length * 2,
      0.95,
    );
  });
  test("of prefix operators", () => compareAll(() => `${pick(prefixes)} ${pick(operands)}`, 300, 0.9));
  test("of functions over any arguments", () =>
    compareAll(
      () => {
        const [name, count] = pick(functions);
        return `pg_catalog."${name}"(${Array.from({ length: Number(count) }, () => pick(operands)).join(", ")})`;
      },
      2_000,
      0.8,
    ));
  test("of every function over its own arguments, and beside literals", async () => {
    let at = 0;
    await compareAll(
      () => {
        const [name, list] = signatures[at++]!;
        const args = list!.split(",").map((type) => (pick([1, 2, 3]) === 1 ? pick(literals) : operandOf(type)));
        return `pg_catalog."${name}"(${args.join(", ")})`;
      },
      signatures.length,
      0.85,
    );
  });
  test("of casts", () => compareAll(() => `${pick(columns)}::pg_catalog."${pick(types)}"`, 1_000, 0.99));
  test("of what unites values", () =>
    compareAll(
      () =>
        pick([
          () => `coalesce(${pick(operands)}, ${pick(operands)}, ${pick(operands)})`,
          () => `CASE WHEN true THEN ${pick(operands)} WHEN false THEN ${pick(operands)} ELSE ${pick(operands)} END`,
          () => `greatest(${pick(operands)}, ${pick(operands)})`,
          () => `nullif(${pick(operands)}, ${pick(operands)})`,
          () => `ARRAY[${pick(operands)}, ${pick(operands)}]`,
          () => `${pick(operands)} IN (${pick(operands)}, ${pick(operands)})`,
          () => `${pick(operands)} BETWEEN ${pick(operands)} AND ${pick(operands)}`,
          () => `${pick(operands)} IS DISTINCT FROM ${pick(operands)}`,
          () => `${pick(operands)} = ANY (${pick(operands)})`,
        ])(),
      3_000,
      0.9,
    ));
});
