import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { startEmbedded } from "../../src/demo/embedded.ts";
import { SIZES, shopSetup, withLuhn } from "../../src/demo/shop.ts";
import { readPidFile } from "../../src/demo/stale.ts";
import { RegateError } from "../../src/errors.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder("embedded");
const isDataDir = (error: unknown): error is RegateError => error instanceof RegateError && error.code === "DATA_DIR";

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: "array" })).rows as unknown[];
  } finally {
    await client.end();
  }
}

test("the shop is there, complete, and belongs to the role of the gate", async () => {
  const lines: string[] = [];
  const server = await startEmbedded({ dir: join(folder, "shop"), setup: shopSetup, say: (line) => lines.push(line) });
  const url = server.url("app", "shop");
  for (const [table, count] of Object.entries(SIZES)) {
    assert.deepEqual(await query(url, `SELECT count(*)::int FROM public.${table}`), [[count]], table);
  }
  const wrong =
    "SELECT count(*)::int FROM orders o WHERE total <> (SELECT sum(quantity * price) FROM order_items i WHERE i.order_id = o.id)";
  assert.deepEqual(await query(url, wrong), [[0]]);
  for (const [number] of (await query(url, "SELECT number FROM cards")) as [string][])
    assert.equal(withLuhn(number.slice(0, -1)), number);
  assert.match(lines[0]!, /creating a PostgreSQL/);
  await server.stop();
  assert.equal(readPidFile(server.data), undefined);
});

test("what was changed is kept from run to run, and is gone after a reset", async () => {
  const dir = join(folder, "shop");
  let server = await startEmbedded({ dir });
  await query(server.url("app", "shop"), "DELETE FROM orders WHERE id = 7");
  await server.stop();
  server = await startEmbedded({ dir });
  assert.deepEqual(await query(server.url("app", "shop"), "SELECT count(*)::int FROM orders"), [[SIZES.orders - 1]]);
  await server.stop();
  server = await startEmbedded({ dir, setup: shopSetup, reset: true });
  assert.deepEqual(await query(server.url("app", "shop"), "SELECT count(*)::int FROM orders"), [[SIZES.orders]]);
  await server.stop();
});

test("nobody gets in without the password, and the passwords are for the owner's eyes only", async () => {
  const dir = join(folder, "closed");
  const server = await startEmbedded({ dir, setup: shopSetup });
  await assert.rejects(
    query(`postgres://app:guess@127.0.0.1:${server.port}/shop`, "SELECT 1"),
    /password authentication failed/,
  );
  assert.equal(statSync(join(dir, "cluster.json")).mode & 0o077, 0);
  assert.ok(!readdirSync(dir).includes("secret"));
  await server.stop();
});

test("the server ends when its gate is killed, and the next gate starts on the same data", async () => {
  const dir = join(folder, "killed");
  const child = spawn(process.execPath, [join(import.meta.dirname, "hold-embedded.ts"), dir], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { data } = JSON.parse(String(await new Promise((resolve) => child.stdout.once("data", resolve)))) as {
    data: string;
  };
  const { pid } = readPidFile(data)!;
  await assert.rejects(startEmbedded({ dir }), (error) => isDataDir(error) && /Another gate/.test(error.message));
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("close", resolve));
  const server = await startEmbedded({ dir });
  assert.notEqual(readPidFile(data)?.pid, pid);
  assert.deepEqual(await query(server.url("postgres", "postgres"), "SELECT 1"), [[1]]);
  await server.stop();
});

test("a lock file whose process number belongs to somebody else now does not hinder the start", async () => {
  const dir = join(folder, "killed");
  writeFileSync(join(dir, "data", "postmaster.pid"), `${process.pid}\n${join(dir, "data")}\n`);
  const server = await startEmbedded({ dir });
  await server.stop();
});

test("a server that ends by itself is reported with the end of its log", async () => {
  const server = await startEmbedded({ dir: join(folder, "died") });
  process.kill(readPidFile(server.data)!.pid, "SIGQUIT");
  assert.match(await server.died, /immediate shutdown/);
});

test("a taken port, foreign files, a missing program and data of another version are refused with a remedy", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  await sleep(20);
  const { port } = holder.address() as { port: number };
  await assert.rejects(
    startEmbedded({ dir: join(folder, "died"), port }),
    (error) => isDataDir(error) && error.hint!.includes(String(port)),
  );
  holder.close();

  mkdirSync(join(folder, "foreign"));
  writeFileSync(join(folder, "foreign", "thesis.txt"), "do not delete");
  await assert.rejects(
    startEmbedded({ dir: join(folder, "foreign") }),
    (error) => isDataDir(error) && /not the gate's/.test(error.detail!),
  );
  assert.ok(existsSync(join(folder, "foreign", "thesis.txt")));

  await assert.rejects(
    startEmbedded({ dir: join(folder, "none"), bin: "/nowhere" }),
    (error) => isDataDir(error) && /npm install/.test(error.hint!),
  );

  const marker = join(folder, "died", "cluster.json");
  const { readFile, writeFile } = await import("node:fs/promises");
  await writeFile(marker, (await readFile(marker, "utf8")).replace(/"major":"\d+"/, '"major":"9"'));
  await assert.rejects(
    startEmbedded({ dir: join(folder, "died") }),
    (error) => isDataDir(error) && /rm -rf/.test(error.hint!),
  );
});

const asRoot = process.getuid?.() === 0 ? test : undefined;
asRoot?.("as root, data and programs go to where the server's user can reach them", async () => {
  const closed = join(folder, "closed-parent");
  mkdirSync(closed);
  chmodSync(closed, 0o700);
  const lines: string[] = [];
  const server = await startEmbedded({ dir: join(closed, ".regate", "postgres"), say: (line) => lines.push(line) });
  assert.match(lines[0]!, /only root may enter/);
  assert.deepEqual(await query(server.url("postgres", "postgres"), "SELECT 1"), [[1]]);
  await server.stop();
  rmSync(join(server.data, ".."), { recursive: true });
  const anew = await startEmbedded({ dir: join(closed, ".regate", "postgres") });
  await anew.stop();
  rmSync(join(anew.data, ".."), { recursive: true });
});
