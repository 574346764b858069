// Small tools of the bench: medians, ratios, the CPU time of a process, a table, and a client that only counts.
import { readFileSync } from "node:fs";
import { connect } from "node:net";

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const ticksPerSecond = 100;
/** Microseconds of user and system CPU that a process has used (proc(5), fields 14 and 15). */
export function cpuMicroseconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond;
}

/** Resident memory of a process in MiB. */
export function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
}

export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join("  "),
    )
    .join("\n");
}

/** Runs one simple query and counts what comes back, with next to no cost of its own. Password authentication in the clear, or trust. */
export function countRows(options: {
  port: number;
  user: string;
  database: string;
  password: string;
  sql: string;
}): Promise<{ seconds: number; bytes: number }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: options.port, noDelay: true });
    let ready = false;
    let bytes = 0;
    let started = 0;
    let tail = Buffer.alloc(0);
    const message = (type: string, body: string): Buffer => {
      const payload = Buffer.from(`${body}\0`);
      const header = Buffer.alloc(type === "" ? 4 : 5);
      if (type !== "") header.write(type, 0, "latin1");
      header.writeInt32BE(payload.length + 4, type === "" ? 0 : 1);
      return Buffer.concat([header, payload]);
    };
    socket.on("connect", () =>
      socket.write(message("", `\0\x03\0\0user\0${options.user}\0database\0${options.database}\0`)),
    );
    socket.on("error", reject);
    socket.on("data", (chunk: Buffer) => {
      if (!ready) {
        const seen = Buffer.concat([tail, chunk]);
        tail = seen;
        if (seen[0] === 0x45) reject(new Error(seen.toString("latin1")));
        if (seen[0] === 0x52 && seen.readInt32BE(5) === 3) {
          tail = Buffer.alloc(0);
          socket.write(message("p", options.password));
        } else if (seen.length > 6 && seen[seen.length - 6] === 0x5a) {
          ready = true;
          tail = Buffer.alloc(0);
          started = performance.now();
          socket.write(message("Q", options.sql));
        }
        return;
      }
      bytes += chunk.length;
      // ReadyForQuery ends the stream: Z, length 5, status.
      const end = chunk.length >= 6 ? chunk.subarray(chunk.length - 6) : Buffer.concat([tail, chunk]).subarray(-6);
      tail = Buffer.from(end);
      if (end[0] === 0x5a && end.readInt32BE(1) === 5) {
        socket.destroy();
        resolve({ seconds: (performance.now() - started) / 1000, bytes });
      }
    });
  });
}
