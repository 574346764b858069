// The corpora of what real tools send, each over tables of its own that are tagged, behind a gate with the starter policy: what becomes of each statement.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { checkConfig } from "../src/config.ts";
import { startEmbedded } from "../src/demo/embedded.ts";
import { startGateway } from "../src/gateway.ts";
import { issueToken } from "../src/identity/issue.ts";
import { logger } from "../src/log.ts";
import { buildBundle } from "../src/policy/build.ts";
import { statementsOf } from "../test/sql/postgres/corpora/read.ts";
import { classification, schemaSql } from "../test/sql/postgres/schema.ts";
import { ROOT } from "./run.ts";

/** What a deployment would tag: whom a row is about, how to reach them, and what they own. */
const TAGS: { readonly [corpus: string]: { readonly [key: string]: readonly string[] } } = {
  tpch: tagged("public.customer", ["c_name", "c_address", "c_phone", "c_acctbal"]),
  django: { ...tagged("public.blog_author", ["email", "phone"]), ...tagged("public.auth_user", ["password", "email"]) },
  rails: tagged("public.users", ["email", "phone", "encrypted_password"]),
  prisma: tagged('public."User"', ["email", "phone"]),
  sqlalchemy: tagged("public.account", ["email", "phone", "balance"]),
  hibernate: { ...tagged("public.person", ["email", "birth"]), ...tagged("public.phone", ["number"]) },
  metabase: tagged("public.people", ["name", "email", "address", "phone", "birth_date"]),
  bi: { ...tagged("public.sales", ["customer_name", "customer_phone"]), ...tagged("public.metrics", ["owner_email"]) },
  ordinary: {
    ...tagged("public.customers", ["name", "email", "phone"]),
    ...tagged("public.users", ["email", "phone"]),
    ...tagged("public.cards", ["number", "holder"]),
    ...tagged("public.employees", ["name", "email", "phone", "salary"]),
  },
  psql: classification,
  tools: classification,
};
/** Those that ask about tables which they did not create. */
const OVER_RICH_SCHEMA = new Set(["psql", "tools"]);

/** `substituted`: it ran on masked values. `error`: what the client was told, by the gate or the server. */
export type Outcome = {
  readonly kind: "allowed" | "masked" | "substituted" | "refused" | "failed";
  readonly code: string;
  readonly error: string;
};

export type Outcomes = {
  readonly results: readonly (readonly [text: string, Outcome])[];
  /** What was refused once because of a changed catalog. */
  readonly again: readonly string[];
};

/** Who sends them. `refusedRuns`: codes of refusals after which the statement is run past the gate all the same, by whoever has the right. */
export type Sender = {
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly refusedRuns?: ReadonlySet<string>;
};

export type CorporaGate = {
  readonly outcomes: (corpus: string) => Promise<Outcomes>;
  readonly close: () => Promise<void>;
};

type Client = pg.Client & { lost(): boolean };
/** The SQLSTATE of a refusal after which the same statement is to be sent again. */
const SEND_AGAIN = "40001";
const REFUSED = "42501";
const NOTICES = "SELECT 1 FROM pg_catalog.pg_class LIMIT 1";

function tagged(table: string, columns: readonly string[]): { [key: string]: readonly string[] } {
  return Object.fromEntries(columns.map((column) => [`${table}.${column}`, ["pii"]]));
}

/** A server with a database for each, and a gate before it. */
export async function startCorpora(names: readonly string[], sender: Sender): Promise<CorporaGate> {
  const work = mkdtempSync(join(tmpdir(), "regate-corpora-"));
  const bin = process.env.REGATE_TEST_PG;
  const server = await startEmbedded({
    dir: join(work, "postgres"),
    setup: () => names.map((name) => ({ database: "postgres", sql: `CREATE DATABASE ${name};\n\n` })),
    settings: { fsync: "off" },
    ...(bin === undefined ? {} : { bin }),
  });
  const urls = Object.fromEntries(names.map((name) => [name, server.url("postgres", name)]));
  const gateway = await start(work, urls);
  return {
    outcomes: (corpus) => outcomesOf(work, gateway.postgres, urls[corpus]!, corpus, sender),
    close: async () => {
      await gateway.close(500);
      await server.stop();
      rmSync(work, { recursive: true, force: true });
    },
  };
}

async function start(work: string, urls: { readonly [name: string]: string }): ReturnType<typeof startGateway> {
  const data = join(work, "data");
  const names = Object.keys(urls);
  mkdirSync(data);
  writeFileSync(
    join(data, "data.json"),
    JSON.stringify({ classification: Object.fromEntries(names.map((name) => [name, TAGS[name] ?? {}])) }),
  );
  const bundle = join(work, "bundle.tar.gz");
  await buildBundle(join(ROOT, "rego"), [data], bundle);
  const config = checkConfig(
    {
      data_dir: join(work, "regate"),
      listen: { postgres: "127.0.0.1:0", http: "127.0.0.1:0" },
      tls: { allow_plaintext: "loopback" },
      policy: { bundle },
      resources: Object.fromEntries(
        // What is run past the gate is seen by the next statement.
        names.map((name) => [
          name,
          { kind: "postgres", url: urls[name]!, environment: "staging", catalog_check: "command" },
        ]),
      ),
    },
    "the configuration of the corpora's gate",
  );
  return startGateway(config, logger("fatal"));
}

async function connect(work: string, address: string, name: string, { subject, scopes }: Sender): Promise<Client> {
  const { token } = await issueToken(
    { subject, resources: ["*"], ttlSeconds: 3600, scopes: [...scopes] },
    { dataDir: join(work, "regate") },
  );
  const client = new pg.Client({ connectionString: `postgres://agent:${token}@${address}/${name}` });
  let lost = false;
  client.on("error", () => (lost = true));
  await client.connect();
  return Object.assign(client, { lost: () => lost });
}

async function outcomesOf(work: string, address: string, url: string, name: string, sender: Sender): Promise<Outcomes> {
  const direct = new pg.Client({ connectionString: url });
  await direct.connect();
  if (OVER_RICH_SCHEMA.has(name)) await direct.query(schemaSql);
  const major = Math.floor(Number((await direct.query("SHOW server_version_num")).rows[0].server_version_num) / 10000);
  let client = await connect(work, address, name, sender);
  const results: [string, Outcome][] = [];
  const again: string[] = [];
  let inTransaction = false;
  for (const { text } of statementsOf(name, major)) {
    const parameters = [...text.matchAll(/\$(\d+)/g)].map((match) => Number(match[1]));
    const values = Array.from({ length: Math.max(0, ...parameters) }, () => null);
    let before = 0;
    let error = "";
    for (let attempt = 1; attempt <= 2; attempt++) {
      before = decisions(work).length;
      error = await errorOf(client, text, values);
      if (!error.startsWith(SEND_AGAIN)) break;
      if (attempt === 2) continue;
      again.push(text);
      await recorded(work, before);
    }
    if (error.startsWith(REFUSED)) await recorded(work, before);
    if (/^begin/i.test(text)) inTransaction = true;
    else if (/^(commit|end|rollback)$/i.test(text)) inTransaction = false;
    // Parameters that are NULL fail where a value would not: what comes next in the transaction is asked about all the same.
    if (error !== "" && inTransaction) await client.query("ROLLBACK; BEGIN").catch(() => undefined);
    if (client.lost()) client = await connect(work, address, name, sender);
    const outcome = outcomeOf(decisions(work).slice(before), error);
    results.push([text, outcome]);
    if (sender.refusedRuns?.has(outcome.code) !== true) continue;
    await direct.query(text).catch(() => undefined);
    // The gate notices with the next command that names something.
    for (let attempt = 1; attempt <= 2; attempt++) await client.query(NOTICES).catch(() => undefined);
    if (inTransaction) await client.query("ROLLBACK; BEGIN").catch(() => undefined);
  }
  await client.end();
  await direct.end();
  return { results, again };
}

async function errorOf(client: Client, text: string, values: readonly null[]): Promise<string> {
  try {
    await client.query({ text, ...(values.length > 0 ? { values: [...values] } : {}) });
    return "";
  } catch (thrown) {
    return `${(thrown as { code?: string }).code ?? ""} ${(thrown as Error).message}`;
  }
}

type Decision = {
  readonly action: string;
  readonly reasons?: readonly { readonly code: string }[];
  readonly masks?: readonly unknown[];
  readonly substitutions?: readonly unknown[];
};

/** Of each folder, what was read of its log so far: it only grows. */
const logs = new Map<string, { readonly read: Map<string, number>; readonly made: Decision[] }>();

function decisions(work: string): readonly Decision[] {
  const folder = join(work, "regate", "audit");
  const log = logs.get(work) ?? { read: new Map<string, number>(), made: [] };
  logs.set(work, log);
  const files = readdirSync(folder).filter((file) => file.endsWith(".jsonl"));
  for (const file of files.sort((a, b) => a.localeCompare(b, "en", { numeric: true }))) {
    const from = log.read.get(file) ?? 0;
    const added = readFileSync(join(folder, file)).subarray(from);
    const whole = added.subarray(0, added.lastIndexOf(0x0a) + 1);
    log.read.set(file, from + whole.length);
    for (const line of whole.toString("utf8").split("\n").slice(0, -1)) {
      const { result } = JSON.parse(line) as { readonly result?: Decision };
      if (result?.action !== undefined) log.made.push(result);
    }
  }
  return log.made;
}

function refuses({ action }: Decision): boolean {
  return action === "block" || action === "require_approval";
}

/** The record of a refusal is written behind it. */
async function recorded(work: string, before: number): Promise<void> {
  for (let waited = 0; !decisions(work).slice(before).some(refuses) && waited < 50; waited++) await sleep(10);
}

function outcomeOf(made: readonly Decision[], error: string): Outcome {
  const refusal = made.find(refuses);
  if (refusal !== undefined) return { kind: "refused", code: refusal.reasons?.[0]?.code ?? "no-rule", error };
  if (made.length === 0) return { kind: "failed", code: error, error };
  const replaced = made.some(({ substitutions }) => (substitutions ?? []).length > 0);
  if (replaced) return { kind: "substituted", code: "", error };
  return { kind: made.some(({ action }) => action === "mask") ? "masked" : "allowed", code: "", error };
}
