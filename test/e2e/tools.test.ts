import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import pg from "pg";
import { debianBin } from "../../tools/setup.ts";
import { temporaryFolder } from "../support/folder.ts";
import { bothWays, client, same, type Way } from "./twice.ts";

// pg_dump refuses a server that is newer than itself: server and tools are the distribution's own.
const bin = debianBin();
assert.ok(bin !== undefined, "the distribution's PostgreSQL is missing: make setup");
const both = await bothWays({ bin });
const folder = temporaryFolder("tools");
const ways = { direct: both.direct, through: both.through } as const;
const tool = (name: string): string => join(bin, name);

async function run(way: Way, name: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await client(way, tool(name), args);
  assert.equal(code, 0, `${name}: ${stderr}`);
  return stdout + stderr;
}

async function rows(sql: string): Promise<unknown[]> {
  const connection = new pg.Client({ connectionString: both.server.url("app", "shop") });
  await connection.connect();
  const result = await connection.query({ text: sql, rowMode: "array" });
  await connection.end();
  return result.rows as unknown[];
}

/** A dump's bytes without what differs from one dump to the next of the same data. */
const dumped = (text: string): string =>
  text.replaceAll(/^\\(un)?restrict .*$/gm, "").replaceAll(/^-- (Started|Completed) on .*$/gm, "");

test("pg_dump gives the same bytes in each format, and pg_restore the same tables", async () => {
  const [direct, through] = [
    dumped(await run(ways.direct, "pg_dump", [])),
    dumped(await run(ways.through, "pg_dump", [])),
  ];
  assert.match(direct, /COPY public.customers/);
  assert.equal(through, direct);
  assert.equal(
    dumped(await run(ways.through, "pg_dump", ["--inserts", "--rows-per-insert=50"])),
    dumped(await run(ways.direct, "pg_dump", ["--inserts", "--rows-per-insert=50"])),
  );

  const archive = join(folder, "shop.dump");
  await run(ways.through, "pg_dump", ["-Fc", "-f", archive]);
  const before = await rows("SELECT count(*), md5(string_agg(o::text, ',' ORDER BY id)) FROM orders o");
  await run(ways.through, "pg_restore", ["--clean", "--if-exists", "--no-owner", "-d", "shop", archive]);
  assert.deepEqual(await rows("SELECT count(*), md5(string_agg(o::text, ',' ORDER BY id)) FROM orders o"), before);
  assert.equal(
    dumped(await run(ways.direct, "pg_dump", ["--no-owner"])),
    dumped(await run(ways.through, "pg_dump", ["--no-owner"])),
  );

  await run(ways.through, "pg_dump", ["-Fd", "-j", "2", "-f", join(folder, "parallel")]);
  await run(ways.through, "pg_restore", [
    "-j",
    "2",
    "--clean",
    "--if-exists",
    "--no-owner",
    "-d",
    "shop",
    join(folder, "parallel"),
  ]);
  assert.deepEqual(await rows("SELECT count(*), md5(string_agg(o::text, ',' ORDER BY id)) FROM orders o"), before);
});

test("pgbench initializes and runs, simple, extended and prepared", async () => {
  await run(ways.through, "pgbench", ["-i", "-q", "-s", "1"]);
  assert.deepEqual(await rows("SELECT count(*)::int FROM pgbench_accounts"), [[100_000]]);
  for (const mode of ["simple", "extended", "prepared"]) {
    const output = await run(ways.through, "pgbench", ["-n", "-c", "4", "-t", "50", "-M", mode]);
    assert.match(output, /number of transactions actually processed: 200\/200/);
    assert.match(output, /number of failed transactions: 0/);
  }
  assert.deepEqual(await rows("SELECT count(*)::int FROM pgbench_history"), [[600]]);
  assert.deepEqual(
    await rows("SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history)"),
    [[true]],
  );
});

test("vacuumdb and reindexdb do their work", async () => {
  const maintain = ["--analyze", "-d", "shop", "-t", "orders", "-v"];
  assert.match(await run(ways.through, "vacuumdb", maintain), /vacuuming/);
  assert.match(await run(ways.direct, "vacuumdb", maintain), /vacuuming/);
  await run(ways.through, "reindexdb", ["-d", "shop", "-t", "orders"]);
  const [[counted]] = (await rows(
    "SELECT n_live_tup > 0 OR vacuum_count >= 0 FROM pg_stat_user_tables WHERE relname = 'orders'",
  )) as [[boolean]];
  assert.equal(counted, true);
});

test("a million rows are copied out and in with the same bytes", { timeout: 300_000 }, async () => {
  const digests: string[] = [];
  for (const [name, way] of Object.entries(ways)) {
    const file = join(folder, `${name}.txt`);
    const made = `\\copy (SELECT i, md5(i::text), i * 0.5, CASE WHEN i % 7 = 0 THEN NULL ELSE 'row ' || i END FROM generate_series(1, 1000000) i) TO '${file}'`;
    const { code, stdout, stderr } = await client(way, "psql", ["-X", "-c", made]);
    assert.equal(code, 0, stderr);
    assert.equal(stdout.trim(), "COPY 1000000");
    digests.push(createHash("sha256").update(readFileSync(file)).digest("hex"));
  }
  assert.equal(digests[1], digests[0]);

  const load = (name: string): string[] => [
    "-X",
    "-c",
    `CREATE TABLE million_${name} (i int, h text, n numeric, t text)`,
    "-c",
    `\\copy million_${name} FROM '${join(folder, "direct.txt")}'`,
  ];
  for (const [name, way] of Object.entries(ways)) assert.equal((await client(way, "psql", load(name))).code, 0);
  const [[direct], [through]] = [
    await rows("SELECT md5(string_agg(md5(m::text), '' ORDER BY i)) FROM million_direct m"),
    await rows("SELECT md5(string_agg(md5(m::text), '' ORDER BY i)) FROM million_through m"),
  ] as [[unknown], [unknown]];
  assert.deepEqual(through, direct);
  await same(both, "psql", ["-X", "-A", "-t", "-c", "SELECT * FROM million_direct ORDER BY i LIMIT 100000"]);
});
