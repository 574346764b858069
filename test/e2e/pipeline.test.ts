import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bind,
  close,
  copyData,
  copyDone,
  copyFail,
  describe,
  execute,
  flush,
  parse,
  query,
  shape,
  sync,
  Wire,
} from "../support/wire.ts";
import { bothWays, type Way } from "./twice.ts";

const both = await bothWays({ auth: "password" });

/** A sequence of messages, given all at once: what the server and the gate answer, message by message. */
const SEQUENCES: Readonly<Record<string, () => Buffer[]>> = {
  "a batch that fails in the middle, inside a transaction": () => [
    query("BEGIN"),
    parse("s", "INSERT INTO wire VALUES ($1, 'batch')", [23]),
    ...["5000", "5001", "1", "5002"].flatMap((id) => [bind("", "s", [id]), describe("P", ""), execute("")]),
    sync(),
    query("ROLLBACK"),
  ],
  "a batch that fails in the middle, in its own transaction": () => [
    parse("s", "INSERT INTO wire VALUES ($1, 'batch')", [23]),
    ...["6000", "1", "6001"].flatMap((id) => [bind("", "s", [id]), execute("")]),
    sync(),
    query("SELECT count(*) FROM wire WHERE id >= 6000"),
  ],
  "a batch that fails at its last": () => [
    parse("s", "INSERT INTO wire VALUES ($1, 'last')", [23]),
    ...["7000", "7001", "1"].flatMap((id) => [bind("", "s", [id]), execute("")]),
    sync(),
  ],
  "several units, of which every second one fails": () =>
    Array.from({ length: 6 }, (_, i) => [
      parse("", "SELECT 1 / $1::int"),
      bind("", "", [String(i % 2)]),
      execute(""),
      sync(),
    ]).flat(),
  "simple and extended, mixed": () => [
    query("SELECT 1"),
    parse("", "SELECT 2"),
    bind("", ""),
    describe("P", ""),
    execute(""),
    sync(),
    query("SELECT 3; SELECT 1/0; SELECT 4"),
    query(""),
  ],
  "a portal that is read in parts": () => [
    query("BEGIN"),
    parse("", "SELECT i FROM generate_series(1, 5) i"),
    bind("p", ""),
    execute("p", 2),
    execute("p", 2),
    execute("p", 2),
    close("P", "p"),
    sync(),
    query("COMMIT"),
  ],
  "parse, describe and flush without executing": () => [
    parse("d", "SELECT $1::int AS i, 'x' AS x"),
    describe("S", "d"),
    flush(),
    sync(),
    close("S", "d"),
    sync(),
  ],
  "a statement that does not exist": () => [
    bind("", "nowhere"),
    execute(""),
    sync(),
    parse("", "SELECT 1"),
    bind("", ""),
    execute(""),
    sync(),
  ],
  "an empty statement": () => [parse("", ""), bind("", ""), describe("P", ""), execute(""), sync()],
  "an error in Parse, in a failed transaction": () => [
    query("BEGIN; SELECT 1/0"),
    parse("", "SELECT 1"),
    bind("", ""),
    execute(""),
    sync(),
    query("ROLLBACK"),
  ],
  "a statement is prepared twice": () => [
    parse("t", "SELECT 1"),
    parse("t", "SELECT 2"),
    sync(),
    close("S", "t"),
    sync(),
  ],
  "copy in by the extended protocol": () => [
    parse("", "COPY wire FROM STDIN"),
    bind("", ""),
    execute(""),
    copyData("8000\tcopied\n"),
    copyDone(),
    sync(),
  ],
  "copy that the client gives up": () => [query("COPY wire FROM STDIN"), copyData("8100\tx\n"), copyFail("no more")],
  "copy of a line that the server refuses": () => [
    query("COPY wire FROM STDIN"),
    copyData("not a number\tx\n"),
    copyDone(),
    query("SELECT 1"),
  ],
  "binary results": () => [
    parse("", "SELECT 1::int, 'x'::text, 1.5::numeric"),
    bind("", "", [], [], [1]),
    execute(""),
    sync(),
  ],
};

/** Notices and settings that are reported aside, which may come at any place. */
async function answer(way: Way, frames: Buffer[]): Promise<string> {
  const wire = await session(way);
  const ready = frames.filter((one) => one[0] === 0x53 || one[0] === 0x51).length;
  wire.send(...frames);
  const seen = shape((await wire.until("Z", ready)).filter(({ type }) => type !== "S" && type !== "N"));
  wire.end();
  return seen;
}

async function session(way: Way): Promise<Wire> {
  return await Wire.login(`${way.PGHOST}:${way.PGPORT}`, way.PGUSER, way.PGDATABASE, way.PGPASSWORD);
}

test("the answers to a pipeline are the server's own, in the same order", async (t) => {
  const setup = await session(both.through);
  assert.equal(
    shape(await setup.query("CREATE TABLE wire (id int PRIMARY KEY, v text); INSERT INTO wire VALUES (1, 'one')")),
    "C C ZI",
  );
  setup.end();
  for (const [name, frames] of Object.entries(SEQUENCES)) {
    await t.test(name, async () => {
      const empty = async (): Promise<void> => {
        const undo = await session(both.direct);
        await undo.query("DELETE FROM wire WHERE id <> 1");
        undo.end();
      };
      await empty();
      const expected = await answer(both.direct, frames());
      // Again and again: what the gate holds back for a moment must not change what comes out.
      for (let i = 0; i < 15; i++) {
        await empty();
        assert.equal(await answer(both.through, frames()), expected);
      }
    });
  }
});
