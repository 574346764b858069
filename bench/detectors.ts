// What the mask detect costs with all detectors on: cells per second of one core, by kind of cell. Usage: node bench/detectors.ts [--seconds 1] [--rounds 5]
import { createHash } from "node:crypto";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { planMask } from "../src/masking/index.ts";
import { median, table } from "./measure.ts";

const { values: flags } = parseArgs({
  options: { seconds: { type: "string", default: "1" }, rounds: { type: "string", default: "5" } },
});
const seconds = Number(flags.seconds);
const rounds = Number(flags.rounds);
const TEXT = { typeOid: 25, format: 0, modifier: -1 };

const first = ["Anna", "José", "Mary-Jane", "Oğuz", "Wei", "Søren", "Priya", "Łukasz", "Fatima", "John"];
const last = ["García Márquez", "Smith", "Müller", "O'Neill", "Nguyễn", "Kowalska", "van den Berg", "Iyer", "Okafor"];
const city = [
  "Amsterdam",
  "São Paulo",
  "New York",
  "Saint-Étienne",
  "Kraków",
  "Novosibirsk",
  "Reykjavík",
  "Köln",
  "Bern",
];
const clause = [
  "the customer asked for a later delivery",
  "please call back when the part has arrived",
  "was closed without any further action",
  "the invoice of last month is still open",
  "she wants to change her seat to the window",
  "returned as damaged, a new one was sent",
];
const pick = <T>(list: readonly T[], i: number, step: number): T => list[(i * step) % list.length]!;

/** Each kind with how it is made; the last ones have something to find or to look up. */
const kinds: readonly (readonly [string, (i: number) => string])[] = [
  ["names and cities", (i) => `${pick(first, i, 3)} ${pick(last, i, 7)}, ${pick(city, i, 5)}`],
  ["sentences", (i) => `On ${pick(city, i, 3)}: ${pick(clause, i, 5)}`.replace(":", "")],
  ["sentences with figures", (i) => `Order ${10_000 + i} of ${1 + (i % 9)} items, ${pick(clause, i, 5)}.`],
  ["days and times", (i) => `2026-${10 + (i % 3)}-${10 + (i % 19)} 1${i % 10}:2${i % 10}:3${i % 10}.${100_000 + i}`],
  [
    "uuids",
    (i) =>
      createHash("md5")
        .update(String(i))
        .digest("hex")
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"),
  ],
  ["emails", (i) => `${pick(city, i, 3).toLowerCase()}${i}@example.com`],
  ["cards in sentences", (i) => `paid with 4111 1111 1111 1111, ${pick(clause, i, 5)}`],
  ["phone numbers", (i) => `+1 415 555 ${2000 + (i % 7000)}`],
];
const ordinary = 3;

const COUNT = 5000;
const mask = planMask({ mask: "detect" }, TEXT, { key: Buffer.alloc(32, 1) });
const sets = kinds.map(([name, make]) => {
  const cells = Array.from({ length: COUNT }, (_, i) => Buffer.from(make(i)));
  return { name, source: Buffer.concat(cells), lengths: cells.map((cell) => cell.length) };
});

/** Cells of one set, as they lie in a row one after the other, in a second of the processor's time: others run beside. */
function rate({ source, lengths }: (typeof sets)[number]): number {
  const started = process.cpuUsage();
  let cells = 0;
  let bytes = 0;
  for (let used = 0; used < seconds * 1e6; ) {
    let start = 0;
    for (const length of lengths) {
      bytes += mask(source, start, start + length)?.length ?? 0;
      start += length;
    }
    cells += lengths.length;
    const { user, system } = process.cpuUsage(started);
    used = user + system;
    if (used >= seconds * 1e6) return (cells * 1e6) / used;
  }
  throw new Error(`nothing was measured, ${bytes} bytes`);
}

const rates = sets.map(() => [] as number[]);
for (const set of sets) rate(set);
for (let round = 0; round < rounds; round++) for (const [i, set] of sets.entries()) rates[i]!.push(rate(set));
console.log(
  `Node ${process.version}, one core of ${cpus()[0]?.model}; medians of ${rounds} interleaved rounds of ${seconds} s\n`,
);
const rows = [["cells", "mean bytes", "cells/s"]];
for (const [i, { name, source }] of sets.entries())
  rows.push([name, (source.length / COUNT).toFixed(0), median(rates[i]!).toFixed(0)]);
console.log(table(rows));
const mixed = ordinary / rates.slice(0, ordinary).reduce((sum, list) => sum + 1 / median(list), 0);
console.log(`\nordinary cells (the first ${ordinary} kinds, as many of each): ${mixed.toFixed(0)} cells/s`);
