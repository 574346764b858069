import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { debianBin } from "../../tools/setup.ts";
import { temporaryFolder } from "../support/folder.ts";
import { bothWays, client, type RunOptions, same } from "./twice.ts";

const both = await bothWays({ bin: process.env.REGATE_TEST_PG ?? debianBin() });
const folder = temporaryFolder("psql");
const psql = (input: string, options: RunOptions & { normalize?: (text: string) => string } = {}) =>
  same(both, "psql", ["-X", "-v", "VERBOSITY=verbose", "-f", "-"], { input, ...options });

test("backslash commands describe the same database", async () => {
  const commands = [
    "\\d",
    "\\d orders",
    "\\d+ customers",
    "\\d+ order_totals",
    "\\dt",
    "\\dv+",
    "\\di",
    "\\dn",
    "\\du",
    "\\df",
    "\\dT",
    "\\dp",
    "\\ddp",
    "\\dx",
    "\\l shop",
    "\\sv order_totals",
    "\\dFd",
    "\\dC",
    "\\do +",
    "\\dA",
    "\\dconfig work_mem",
    "\\encoding",
    "\\dRp",
    "\\db",
  ];
  const { stdout, stderr } = await psql(commands.join("\n"));
  assert.match(stdout, /Table "public.orders"/);
  assert.match(stdout, /order_items_order_id_fkey/);
  // An older psql asks a newer server for what it no longer has: then the errors are the same, too.
  if (process.env.REGATE_TEST_PG === undefined) assert.equal(stderr, "");
});

test("errors carry every field, and the session goes on", async () => {
  const { stderr, stdout } = await psql(`
    SELECT 1/0;
    SELECT * FROM ordrs;
    INSERT INTO orders VALUES (1, 1, now(), 'x', 1);
    INSERT INTO order_items VALUES (99999, 1, 1, 1);
    INSERT INTO products VALUES (999, NULL, 'x', 1);
    INSERT INTO products VALUES (999, 'x', 'x', -1);
    SELECT substr('x', 1, -1), 'ü'::int;
    SELECT 'the session goes on';
    \\errverbose
  `);
  assert.match(stderr, /ERROR: {2}22012: division by zero/);
  assert.match(stderr, /HINT:|DETAIL:/);
  assert.match(stdout, /the session goes on/);
});

test("transactions, savepoints and their failures keep their status", async () => {
  const { stdout } = await psql(`
    \\set PROMPT1 '%x'
    BEGIN; SELECT 1/0; SELECT 2; COMMIT;
    BEGIN; CREATE TABLE gone (i int); SAVEPOINT a; SELECT 1/0; ROLLBACK TO a; INSERT INTO gone VALUES (1); SELECT * FROM gone; ROLLBACK;
    SELECT count(*) FROM pg_class WHERE relname = 'gone';
    BEGIN ISOLATION LEVEL SERIALIZABLE; SET TRANSACTION READ ONLY; SHOW transaction_isolation; SHOW transaction_read_only; COMMIT AND CHAIN; COMMIT;
    \\set ON_ERROR_ROLLBACK on
    BEGIN; SELECT 1/0; SELECT 'still alive'; COMMIT;
    SELECT 1 \\; SELECT 2 \\; SELECT 3;
    BEGIN \\; SELECT 1 \\; COMMIT;
  `);
  assert.match(stdout, /still alive/);
});

test("cursors, prepared statements, gset, gexec, gdesc, crosstabview and single-row fetches work", async () => {
  const { stdout } = await psql(
    `
    BEGIN; DECLARE c SCROLL CURSOR FOR SELECT id, status FROM orders ORDER BY id; FETCH 3 FROM c; MOVE 5 IN c; FETCH BACKWARD 2 FROM c; FETCH ALL FROM c \\g /dev/null
    CLOSE c; COMMIT;
    DECLARE h CURSOR WITH HOLD FOR SELECT id FROM products ORDER BY id; FETCH 2 FROM h; CLOSE h;
    PREPARE p (int) AS SELECT title FROM products WHERE id = $1; EXECUTE p(1); EXECUTE p(2); DEALLOCATE p; EXECUTE p(3);
    SELECT count(*) AS n, max(id) AS m FROM orders \\gset
    \\echo :n :m
    SELECT format('SELECT %s AS generated', i) FROM generate_series(1, 3) i \\gexec
    SELECT id, total, placed_at FROM orders \\gdesc
    SELECT status, id % 2 AS odd, count(*) FROM orders GROUP BY 1, 2 ORDER BY 1, 2 \\crosstabview
    \\set FETCH_COUNT 50
    SELECT id, status FROM orders ORDER BY id;
    \\bind 4
    \\x on
    SELECT * FROM products ORDER BY id LIMIT 2;
    TABLE employees LIMIT 1;
    SELECT $$dollar$$ AS a, E'e\\n' AS b, U&'\\00fc' AS c, NULL AS d, '' AS e;
  `,
    // A name that stands for nothing is refused by the gate, in the server's words; it says more.
    { normalize: (text) => text.replace(/(ERROR: {2}26000:.*\n)(?:(?:DETAIL|HINT|LOCATION):.*\n)*/g, "$1") },
  );
  assert.match(stdout, /600 600/);
});

test("copy in and out, of rows and files, in every format", async () => {
  mkdirSync(join(folder, "copy"), { recursive: true });
  writeFileSync(join(folder, "copy", "in.csv"), 'id,note\n1,"a, ""quoted"" ü"\n2,\n3,"two\nlines"\n');
  const files: string[][] = [];
  for (const [index, way] of [both.direct, both.through].entries()) {
    const cwd = join(folder, "copy", String(index));
    mkdirSync(cwd);
    const { code, stderr, stdout } = await client(way, "psql", ["-X", "-v", "ON_ERROR_STOP=0", "-f", "-"], {
      cwd,
      input: `
        CREATE TABLE copied (id int PRIMARY KEY, note text);
        \\copy copied FROM '../in.csv' WITH (FORMAT csv, HEADER)
        \\copy copied TO 'out.txt'
        \\copy copied TO 'out.csv' WITH (FORMAT csv, HEADER, FORCE_QUOTE *)
        \\copy (SELECT * FROM copied ORDER BY id DESC) TO 'out.bin' WITH (FORMAT binary)
        TRUNCATE copied;
        \\copy copied FROM 'out.bin' WITH (FORMAT binary)
        SELECT * FROM copied ORDER BY id;
        COPY copied FROM STDIN;
10	ten
11	eleven \\\\ \\N
\\.
        COPY copied (id) FROM STDIN;
x
\\.
        COPY copied TO STDOUT;
        COPY copied FROM STDIN \\; SELECT 'after copy';
12	twelve
\\.
        \\copy copied FROM '../none.csv'
        SELECT count(*) FROM copied;
        DROP TABLE copied;
      `,
    });
    files.push([
      String(code),
      stdout,
      stderr,
      ...["out.txt", "out.csv", "out.bin"].map((name) => readFileSync(join(cwd, name), "latin1")),
    ]);
  }
  assert.match(files[0]![1]!, /COPY 3/);
  assert.match(files[0]![1]!, /after copy/);
  assert.deepEqual(files[1], files[0]);
});

test("Ctrl-C cancels a running statement, and the next one runs", async () => {
  const { stderr, stdout } = await same(both, "psql", ["-X", "-c", "SELECT pg_sleep(30)"], { interruptAfterMs: 800 });
  assert.match(stderr, /canceling statement due to user request/);
  assert.equal(stdout, "");
});

test("watch repeats a statement until it is interrupted", async () => {
  for (const way of [both.direct, both.through]) {
    const { stdout } = await client(way, "psql", ["-X", "-f", "-"], {
      input: "SELECT count(*) FROM orders \\watch 0.2\n",
      interruptAfterMs: 1500,
    });
    assert.ok(stdout.split("\n").filter((line) => line.trim() === "600").length >= 3, stdout);
  }
});

test("LISTEN and NOTIFY, notices, settings and large objects behave the same", async () => {
  writeFileSync(join(folder, "object"), Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 256)));
  const { stdout, stderr } = await psql(
    `
    LISTEN "a channel"; NOTIFY "a channel", 'hello'; SELECT 1; UNLISTEN *;
    DO $$ BEGIN RAISE NOTICE 'a notice'; RAISE WARNING USING MESSAGE = 'a warning', HINT = 'a hint', ERRCODE = '01234'; END $$;
    SET client_min_messages = debug1; SET work_mem = '8MB'; SHOW work_mem; RESET ALL; SHOW work_mem;
    SET search_path = pg_catalog, public; SHOW search_path; SET LOCAL work_mem = '1MB';
    SET TIME ZONE 'Asia/Tokyo'; SELECT '2026-01-01 00:00:00+00'::timestamptz; SET datestyle = 'German'; SELECT '2026-01-31'::date;
    SELECT set_config('application_name', 'from psql', false); SHOW application_name; DISCARD ALL;
    \\lo_import '${join(folder, "object")}'
    SELECT md5(lo_get(:LASTOID)); \\lo_export :LASTOID /dev/null
    \\lo_unlink :LASTOID
    \\conninfo
  `,
    {
      normalize: (text) =>
        text
          .replaceAll(/lo_(import|unlink|export)( \\d+)?.*/g, "lo_$1")
          .replaceAll(/process with PID \d+|server process \d+/gi, "PID")
          .replaceAll(/ at port "\d+"/g, "")
          .replaceAll(/database "\w+"/g, ""),
    },
  );
  assert.match(stdout, /Asynchronous notification "a channel" with payload "hello"/);
  assert.match(stderr, /01234: a warning/);
});

test("a result and a statement of many megabytes pass", async () => {
  const { stdout } = await same(both, "psql", [
    "-X",
    "-A",
    "-t",
    "-c",
    "SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 50000) i",
  ]);
  assert.equal(stdout.split("\n").length, 50_001);
  await same(both, "psql", ["-X", "-f", "-"], {
    input: `SELECT length('${"x".repeat(900_000)}');\nSELECT '${"🦉".repeat(50_000)}' AS owls;`,
  });
});

test("a wrong password and a wrong database are refused, and say nothing but that", async () => {
  for (const way of [
    { ...both.through, PGPASSWORD: "guess" },
    { ...both.through, PGDATABASE: "nowhere" },
  ]) {
    const { code, stderr } = await client(way, "psql", ["-X", "-c", "SELECT 1"]);
    assert.equal(code, 2);
    assert.match(stderr, /FATAL/);
    assert.ok(!stderr.includes(both.server.passwords.app));
  }
});
