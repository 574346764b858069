// Where the gate's own time goes for one statement: each stage of the walk, timed alone in this process.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAuditLog } from "../src/audit/index.ts";
import type { CommandFacts, Input } from "../src/core/facts.ts";
import { decisionLine } from "../src/core/record.ts";
import { openPolicy } from "../src/policy/index.ts";
import { OwnConnection } from "../src/protocols/postgres/connection.ts";
import { clientLimits, MessageBuffer } from "../src/protocols/postgres/frame.ts";
import { encodeQuery } from "../src/protocols/postgres/message.ts";
import { parseTarget } from "../src/protocols/postgres/upstream.ts";
import { analyze, type NameScope } from "../src/sql/postgres/analyze.ts";
import { loadCatalog } from "../src/sql/postgres/catalog.ts";
import * as parser from "../src/sql/postgres/parser.ts";
import { median, table } from "./measure.ts";

const warm = 3000;
const batches = 41;
const perBatch = 200;

/** Median microseconds of one call. */
function time(work: (i: number) => void): number {
  for (let i = 0; i < warm; i++) work(i);
  const figures: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    const started = performance.now();
    for (let i = 0; i < perBatch; i++) work(i);
    figures.push(((performance.now() - started) * 1000) / perBatch);
  }
  return median(figures);
}

/** A table of the stages for pgbench's select, each time with another literal, as the simple protocol brings it. */
export async function stages(url: string, bundle: string): Promise<string> {
  await parser.ready();
  const connection = await OwnConnection.open(parseTarget(url));
  const catalog = await loadCatalog((sql) => connection.query(sql), { "public.wide.secret": ["pii"] });
  connection.close();
  const policy = await openPolicy({ bundle, mode: "enforce" });
  const dir = mkdtempSync(join(tmpdir(), "regate-stages-"));
  const audit = await openAuditLog({ dir, durability: "write" });
  const scope: NameScope = { searchPath: ["pg_catalog", "public"], user: "app", prepared: () => [], cursor: () => [] };
  const text = (i: number): string => `SELECT abalance FROM pgbench_accounts WHERE aid = ${100000 + i};`;
  const identity: Input["identity"] = {
    subject: "service:bench",
    kind: "service",
    issuer: "regate",
    actors: [],
    groups: [],
    scopes: [],
    token: { id: "1", issued_at: 0, expires_at: 2 ** 31 },
    claims: {},
  };
  const resource: Input["resource"] = {
    name: "bench",
    kind: "postgres",
    database: "postgres",
    environment: "test",
    labels: {},
  };
  const session: Input["session"] = {
    id: "s",
    protocol: "postgres",
    client: { address: "127.0.0.1:1", application: "bench" },
    tls: false,
    started_at: "2026-01-01T00:00:00.000Z",
    in_transaction: false,
    usage: { commands: 0, rows: 0, bytes: 0, cost: 0 },
    taint: [],
  };
  const facts = (i: number): CommandFacts => ({
    ...analyze(text(i), catalog, scope).command,
    message: "query",
    parameters: { count: 0, types: [] },
  });
  const input = (i: number, command: CommandFacts): Input => ({
    version: 1,
    id: `s-${i}`,
    stage: "command",
    identity,
    session,
    resource,
    command,
  });
  const prepared = facts(0);
  const distinct = Array.from({ length: warm + batches * perBatch }, (_, i) => facts(i));
  const frames = Array.from({ length: 64 }, (_, i) => encodeQuery(text(i)));
  const buffer = new MessageBuffer(clientLimits());
  const header = { labels: { id: "bench" }, mode: "enforce" };
  const decided = await policy.evaluate(input(0, prepared));
  const context = { identity, resource, facts: session, usage: { ...session.usage }, sequence: 0 };
  let next = 0;
  const record = (command: CommandFacts): string =>
    decisionLine(header, {
      decisionId: "s-1",
      sequence: 1,
      session: context,
      stage: "command",
      command,
      decision: decided,
      revision: policy.revision,
      time: Date.now(),
      evaluationNs: 1,
    });
  const figures: [string, number, number][] = [
    [
      "frame",
      time((i) => {
        buffer.push(frames[i % 64]!);
        buffer.next();
      }),
      time((i) => {
        buffer.push(frames[i % 64]!);
        buffer.next();
      }),
    ],
    ["parse", time((i) => void parser.parse(text(i))), 0],
    ["facts (parse included)", time((i) => void analyze(text(i), catalog, scope)), 0],
    [
      "decision",
      time(() => void policy.evaluate(input(1, distinct[next++ % distinct.length]!))),
      time((i) => void policy.evaluate(input(i, prepared))),
    ],
    [
      "record",
      time((i) => void audit.append(record(distinct[i % distinct.length]!))),
      time(() => void audit.append(record(prepared))),
    ],
  ];
  await audit.close();
  await policy.close();
  rmSync(dir, { recursive: true, force: true });
  return table([
    ["stage", "a new text", "a prepared statement"],
    ...figures.map(([name, fresh, again]) => [name, fresh.toFixed(1), again.toFixed(1)]),
  ]);
}
