import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { debianBin, PGJDBC, VENV } from "../../tools/setup.ts";
import { bothWays, client } from "./twice.ts";

const here = import.meta.dirname;
const both = await bothWays({ bin: process.env.REGATE_TEST_PG ?? debianBin() });

/** The driver, how its session is started, and a line that only its end prints. */
const DRIVERS: readonly (readonly [string, string, readonly string[], RegExp])[] = [
  ["node-postgres", process.execPath, [join(here, "node", "pg.ts")], /^settings: /m],
  ["postgres.js", process.execPath, [join(here, "node", "postgres-js.ts")], /^large: 2000000$/m],
  [
    "psycopg 3",
    join(VENV, "bin", "python"),
    [join(here, "psycopg", "session.py")],
    /^implicit transaction: 'INTRANS'$/m,
  ],
  ["pgx", join(here, "..", "..", ".cache", "pgx-session"), [], /^large: 5000000$/m],
  ["pgjdbc", "java", ["-cp", join(PGJDBC, "postgresql.jar"), join(here, "pgjdbc", "Session.java")], /^large: /m],
];

for (const [name, program, args, end] of DRIVERS) {
  test(`${name} sees the same through the gate as directly`, async () => {
    const direct = await client(both.direct, program, args);
    assert.equal(direct.code, 0, direct.stderr);
    assert.match(direct.stdout, end);
    const through = await client(both.through, program, args);
    // Line by line: the first difference is the one to read.
    assert.deepEqual(through.stdout.split("\n"), direct.stdout.split("\n"), through.stderr);
    assert.equal(through.code, 0, through.stderr);
  });
}
