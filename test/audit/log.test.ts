// The decision log: group commit, order, segments, the lock, and what happens to it under a crash or a full disk.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type AuditOptions, type OpenAuditLog, openAuditLog } from "../../src/audit/index.ts";
import type { Ticket } from "../../src/core/ports.ts";
import { RegateError } from "../../src/errors.ts";
import { smallDisk } from "./disk.ts";

const folders: string[] = [];
const opened: OpenAuditLog[] = [];
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), "regate-audit-"));
  folders.push(made);
  return made;
};
const open = async (dir: string, more: Partial<AuditOptions> = {}): Promise<OpenAuditLog> => {
  const log = await openAuditLog({ dir, durability: "write", ...more });
  opened.push(log);
  return log;
};
after(async () => {
  for (const log of opened) await log.close();
  for (const made of folders) rmSync(made, { recursive: true, force: true });
});

type Event = { path: string; n?: number; result?: { status: string; [key: string]: unknown } };
const settled = (ticket: Ticket): Promise<Error | undefined> => new Promise((resolve) => ticket.settled(resolve));
const segments = (dir: string): string[] =>
  readdirSync(dir)
    .filter((name) => name.endsWith(".jsonl"))
    .sort();
const events = (dir: string): Event[] =>
  segments(dir).flatMap((name) =>
    readFileSync(join(dir, name), "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  );
const numbers = (dir: string): (number | undefined)[] =>
  events(dir)
    .filter(({ path }) => path === "regate/decision")
    .map(({ n }) => n);
const notes = (dir: string): Event["result"][] =>
  events(dir)
    .filter(({ path }) => path === "regate/log")
    .map(({ result }) => result);
const record = (n: number, size = 0): string => JSON.stringify({ path: "regate/decision", n, text: "x".repeat(size) });
const until = async (condition: () => boolean): Promise<void> => {
  for (let waited = 0; !condition(); waited += 20) {
    if (waited > 10_000) throw new Error("waited too long");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

for (const durability of ["fsync", "write"] as const) {
  test(`with ${durability}, what a settled ticket stands for is in the file, in order`, async () => {
    const dir = folder();
    const log = await open(dir, { durability });
    const order: number[] = [];
    const all = Array.from({ length: 1000 }, (_, n) => {
      const ticket = log.append(record(n));
      return new Promise<void>((resolve) =>
        ticket.settled((error) => {
          assert.equal(error, undefined);
          assert.equal(ticket.durable, true);
          order.push(n);
          resolve();
        }),
      );
    });
    await Promise.all(all);
    assert.deepEqual(
      order,
      Array.from({ length: 1000 }, (_, n) => n),
    );
    assert.deepEqual(numbers(dir), order);
  });
}

test("a ticket is not durable before its batch is written, and calls back at once afterwards", async () => {
  const log = await open(folder());
  const ticket = log.append(record(1));
  assert.equal(ticket.durable, false);
  await settled(ticket);
  let called = false;
  ticket.settled(() => {
    called = true;
  });
  assert.equal(called, true);
});

test("appends of one turn share one ticket", async () => {
  const log = await open(folder());
  const first = log.append(record(1));
  assert.equal(log.append(record(2)), first);
  await settled(first);
  assert.notEqual(log.append(record(3)), first);
});

test("files are private to the gate's user", async () => {
  const dir = join(folder(), "audit");
  const log = await open(dir);
  await settled(log.append(record(1)));
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  for (const name of readdirSync(dir)) assert.equal(statSync(join(dir, name)).mode & 0o077, 0, name);
});

test("a full segment is followed by the next, and a reopened log goes on where it was", async () => {
  const dir = folder();
  const log = await open(dir, { segmentBytes: 10_000 });
  for (let n = 0; n < 50; n++) await settled(log.append(record(n, 1000)));
  await log.close();
  assert.ok(segments(dir).length >= 4, String(segments(dir)));
  const again = await open(dir, { segmentBytes: 10_000 });
  await settled(again.append(record(50)));
  assert.deepEqual(
    numbers(dir),
    Array.from({ length: 51 }, (_, n) => n),
  );
});

test("close writes what waits, and a closed log takes nothing", async () => {
  const dir = folder();
  const log = await open(dir);
  const ticket = log.append(record(1));
  await log.close();
  assert.equal(ticket.durable, true);
  assert.deepEqual(numbers(dir), [1]);
  assert.ok((await settled(log.append(record(2)))) instanceof RegateError);
});

test("a record with a line break is refused, and counted", async () => {
  const dir = folder();
  const log = await open(dir);
  assert.match(String(await settled(log.append('{\n"path":1}'))), /line break/);
  await settled(log.append(record(1)));
  assert.deepEqual(numbers(dir), [1]);
  assert.deepEqual(notes(dir), [{ status: "lost", lost: 1 }]);
});

test("a callback that throws keeps no other from being called, and is not swallowed", () => {
  const script = `
    import { Batch } from ${JSON.stringify(new URL("../../src/audit/batch.ts", import.meta.url).href)};
    process.on("uncaughtException", (error) => console.log(error.message));
    const batch = new Batch();
    batch.settled(() => { throw new Error("thrown"); });
    batch.settled(() => console.log("called"));
    batch.settle(undefined);`;
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  assert.deepEqual(said, "called\nthrown\n");
});

describe("the lock", () => {
  test("two gates cannot share a folder; the second is told who holds it", async () => {
    const dir = folder();
    const log = await open(dir);
    await assert.rejects(openAuditLog({ dir, durability: "write" }), (error: RegateError) => {
      assert.equal(error.code, "DATA_DIR");
      assert.match(error.detail ?? "", new RegExp(`in use by another gate \\(process ${process.pid}\\)`));
      return true;
    });
    await log.close();
    await open(dir);
  });

  test("another process is refused as well, and a killed one leaves no lock", async () => {
    const dir = folder();
    const child = spawn(process.execPath, [join(import.meta.dirname, "appender.ts"), dir, "write"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    await assert.rejects(openAuditLog({ dir, durability: "write" }), { code: "DATA_DIR" });
    child.kill("SIGKILL");
    await once(child, "exit");
    await open(dir);
  });

  test("a folder that cannot be made is a clear error", async () => {
    const file = join(folder(), "file");
    writeFileSync(file, "");
    await assert.rejects(openAuditLog({ dir: join(file, "audit"), durability: "write" }), {
      code: "DATA_DIR",
      hint: /data_dir/,
    });
  });
});

describe("a crash", () => {
  for (const durability of ["fsync", "write"] as const) {
    test(`SIGKILL loses no acknowledged record (${durability})`, async () => {
      const dir = folder();
      const child = spawn(process.execPath, [join(import.meta.dirname, "appender.ts"), dir, durability], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let said = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
      await until(() => said.length > 4000);
      child.kill("SIGKILL");
      await once(child, "close");
      await (await open(dir)).close();
      const acknowledged = said.split("\n").slice(0, -1).map(Number);
      const written = new Set(
        events(dir).map((event) => (event as unknown as { custom?: { sequence: number } }).custom?.sequence),
      );
      assert.ok(acknowledged.length > 100);
      for (const number of acknowledged)
        assert.ok(written.has(number), `record ${number} was acknowledged and is gone`);
    });
  }

  const torn: [string, string][] = [
    ["half a record", '{"path":"regate/decision","n":3,"te'],
    ["a record without its newline", '{"path":"regate/decision","n":3}'],
    ["zeros, as a power failure leaves them", `${"\0".repeat(5000)}\n`],
    ["a torn record longer than a block", `{"path":"regate/decision","text":"${"y".repeat(200_000)}`],
  ];
  for (const [what, tail] of torn) {
    test(`${what} at the end is moved aside and reported; the records before it stay`, async () => {
      const dir = folder();
      const before = await open(dir);
      for (let n = 0; n < 3; n++) await settled(before.append(record(n)));
      await before.close();
      appendFileSync(join(dir, segments(dir)[0]!), tail);
      const reported: string[] = [];
      const log = await open(dir, { onNotice: (notice) => reported.push(notice) });
      await settled(log.append(record(3)));
      assert.deepEqual(numbers(dir), [0, 1, 2, 3]);
      const side = readdirSync(dir).filter((name) => name.endsWith(".part"));
      assert.equal(side.length, 1);
      assert.equal(readFileSync(join(dir, side[0]!), "utf8"), tail);
      assert.match(reported.join(), new RegExp(`${tail.length} bytes`));
      assert.equal(notes(dir)[0]?.status, "torn");
    });
  }

  test("a file that is nothing but torn becomes an empty segment", async () => {
    const dir = folder();
    writeFileSync(join(dir, "decisions-000001.jsonl"), "no record at all");
    const log = await open(dir);
    await settled(log.append(record(0)));
    assert.deepEqual(numbers(dir), [0]);
  });
});

describe("somebody else changes the segment", () => {
  const changes: [string, (path: string) => void][] = [
    ["removed", (path) => unlinkSync(path)],
    ["cut short", (path) => truncateSync(path, 10)],
    ["written to", (path) => appendFileSync(path, "{}\n")],
  ];
  for (const [what, change] of changes) {
    test(`${what}: the log goes on in a new segment, and says so`, async () => {
      const dir = folder();
      const reported: string[] = [];
      const log = await open(dir, { onNotice: (notice) => reported.push(notice) });
      await settled(log.append(record(0)));
      change(join(dir, "decisions-000001.jsonl"));
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.equal(await settled(log.append(record(1))), undefined);
      const last = readFileSync(join(dir, "decisions-000002.jsonl"), "utf8");
      assert.match(last, /"n":1/);
      assert.match(last, /"status":"tampered"/);
      assert.equal(reported.length, 1);
    });
  }
});

test("a file that may not grow fails tickets, and works again once it may", async () => {
  const dir = folder();
  const log = await open(dir);
  await settled(log.append(record(0)));
  const limit = (bytes: string): Buffer => execFileSync("prlimit", [`--pid=${process.pid}`, `--fsize=${bytes}:`]);
  limit("2000");
  const error = await settled(log.append(record(1, 5000)));
  limit("unlimited");
  assert.match(String(error), /EFBIG/);
  await until(() => log.failure === undefined);
  await settled(log.append(record(2)));
  assert.deepEqual(numbers(dir), [0, 1, 2]);
});

describe("a full disk", () => {
  const disk = smallDisk();
  after(() => disk.remove());

  test("fails tickets, leaves whole records only, works again by itself, and loses nothing", async () => {
    const dir = join(disk.dir, "audit");
    const states: (RegateError | undefined)[] = [];
    const log = await open(dir, { durability: "fsync", onState: (failure) => states.push(failure) });
    assert.equal(await settled(log.append(record(0))), undefined);
    const makeRoom = disk.fill();
    const tickets = Array.from({ length: 20 }, (_, n) => log.append(record(n + 1, 3000)));
    for (const ticket of tickets) {
      const error = await settled(ticket);
      assert.ok(error instanceof RegateError);
      assert.equal(error.code, "AUDIT_UNAVAILABLE");
      assert.match(error.message, disk.error);
      assert.equal(ticket.durable, false);
    }
    assert.match(log.failure?.message ?? "", disk.error);
    assert.equal(states.length, 1);
    assert.deepEqual(numbers(dir), [0]);
    const meanwhile = log.append(record(21));
    assert.ok((await settled(meanwhile)) instanceof RegateError);
    // It stays failed as long as the disk is full.
    await new Promise((resolve) => setTimeout(resolve, 1200));
    assert.notEqual(log.failure, undefined);
    makeRoom();
    await until(() => log.failure === undefined);
    assert.deepEqual([states.length, states.at(-1)], [2, undefined]);
    assert.equal(await settled(log.append(record(22))), undefined);
    assert.deepEqual(
      numbers(dir),
      Array.from({ length: 23 }, (_, n) => n),
    );
    const [note] = notes(dir);
    assert.deepEqual([note?.status, note?.refused, note?.lost], ["failed", 21, 0]);
    await log.close();
  });

  test("at the end of the gate what could not be written is said", async () => {
    const dir = join(disk.dir, "other");
    const reported: string[] = [];
    const log = await open(dir, { onNotice: (notice) => reported.push(notice) });
    const makeRoom = disk.fill();
    await settled(log.append(record(0, 5000)));
    await log.close();
    makeRoom();
    assert.deepEqual(reported, ["the decision log was closed with 1 records unwritten"]);
  });
});
