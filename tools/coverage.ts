// How much of what real tools send passes the starter policy: runs the corpora through a gate over tagged tables, and counts. node tools/coverage.ts [CORPUS…]
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
import { corpora, statementsOf } from "../test/sql/postgres/corpora/read.ts";
import { classification, schemaSql } from "../test/sql/postgres/schema.ts";
import { fail, ROOT } from "./run.ts";

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
  psql: classification,
  tools: classification,
};
/** Those that ask about tables which they did not create. */
const OVER_RICH_SCHEMA = new Set(["psql", "tools"]);
/** Reasons of a refusal that say that the gate did not understand, not that the policy forbids. */
const NOT_UNDERSTOOD = /^(opaque-.*|unknown.*|unresolved.*|no-rule|TEXT_.*|CATALOG_.*|UNRESOLVED.*|.*_UNKNOWN)$/;

/** `error`: what the server then said of it, where it was let through. */
type Outcome = {
  readonly kind: "allowed" | "masked" | "refused" | "failed";
  readonly code: string;
  readonly error: string;
};

type Outcomes = {
  readonly results: readonly (readonly [text: string, Outcome])[];
  /** What was refused once because of a changed catalog. */
  readonly again: readonly string[];
};
type Client = pg.Client & { lost(): boolean };
/** The SQLSTATE of a refusal after which the same statement is to be sent again. */
const SEND_AGAIN = "40001";
const REFUSED = "42501";

function tagged(table: string, columns: readonly string[]): { [key: string]: readonly string[] } {
  return Object.fromEntries(columns.map((column) => [`${table}.${column}`, ["pii"]]));
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !corpora.includes(name));
if (unknown.length > 0) fail(`There is no corpus ${unknown.join(", ")}.`, `There are ${corpora.join(", ")}.`);
const names = wanted.length === 0 ? corpora : wanted;

const work = mkdtempSync(join(tmpdir(), "regate-coverage-"));
const bin = process.env.REGATE_TEST_PG;
const server = await startEmbedded({
  dir: join(work, "postgres"),
  setup: () => names.map((name) => ({ database: "postgres", sql: `CREATE DATABASE ${name};\n\n` })),
  settings: { fsync: "off" },
  ...(bin === undefined ? {} : { bin }),
});
const gateway = await start();
let clean = true;
try {
  for (const name of names) clean = report(name, await outcomes(name)) && clean;
} finally {
  await gateway.close(500);
  await server.stop();
  rmSync(work, { recursive: true, force: true });
}
process.exitCode = clean ? 0 : 1;

async function start(): ReturnType<typeof startGateway> {
  const data = join(work, "data");
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
        names.map((name) => [name, { kind: "postgres", url: server.url("postgres", name), environment: "staging" }]),
      ),
    },
    "the configuration of the coverage report",
  );
  return startGateway(config, logger("fatal"));
}

/** Whoever migrates may define and write; nobody may see what is tagged. */
async function connect(name: string): Promise<Client> {
  const { token } = await issueToken(
    {
      subject: "agent:migrator",
      resources: ["*"],
      ttlSeconds: 3600,
      scopes: ["ddl", "write", "settings", "maintenance", "locks"],
    },
    { dataDir: join(work, "regate") },
  );
  const client = new pg.Client({ connectionString: `postgres://agent:${token}@${gateway.postgres}/${name}` });
  let lost = false;
  client.on("error", () => (lost = true));
  await client.connect();
  return Object.assign(client, { lost: () => lost });
}

async function outcomes(name: string): Promise<Outcomes> {
  const direct = new pg.Client({ connectionString: server.url("postgres", name) });
  await direct.connect();
  if (OVER_RICH_SCHEMA.has(name)) await direct.query(schemaSql);
  const major = Math.floor(Number((await direct.query("SHOW server_version_num")).rows[0].server_version_num) / 10000);
  await direct.end();
  let client = await connect(name);
  const results: [string, Outcome][] = [];
  const again: string[] = [];
  let inTransaction = false;
  for (const { text } of statementsOf(name, major)) {
    const parameters = [...text.matchAll(/\$(\d+)/g)].map((match) => Number(match[1]));
    const values = Array.from({ length: Math.max(0, ...parameters) }, () => null);
    let before = 0;
    let error = "";
    for (let attempt = 1; attempt <= 2; attempt++) {
      before = decisions().length;
      error = await errorOf(client, text, values);
      if (!error.startsWith(SEND_AGAIN)) break;
      if (attempt === 2) continue;
      again.push(text);
      await recorded(before);
    }
    if (error.startsWith(REFUSED)) await recorded(before);
    if (/^begin/i.test(text)) inTransaction = true;
    else if (/^(commit|end|rollback)$/i.test(text)) inTransaction = false;
    // Parameters that are NULL fail where a value would not: what comes next in the transaction is asked about all the same.
    if (error !== "" && inTransaction) await client.query("ROLLBACK; BEGIN").catch(() => undefined);
    if (client.lost()) client = await connect(name);
    results.push([text, outcomeOf(decisions().slice(before), error)]);
  }
  await client.end();
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
};

function decisions(): readonly Decision[] {
  const folder = join(work, "regate", "audit");
  return readdirSync(folder)
    .filter((file) => file.endsWith(".jsonl"))
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
    .flatMap((file) => readFileSync(join(folder, file), "utf8").split("\n").slice(0, -1))
    .map((line) => JSON.parse(line) as { path: string; result?: Decision })
    .flatMap((line) => (line.result?.action === undefined ? [] : [line.result]));
}

function refuses({ action }: Decision): boolean {
  return action === "block" || action === "require_approval";
}

/** The record of a refusal is written behind it. */
async function recorded(before: number): Promise<void> {
  for (let waited = 0; !decisions().slice(before).some(refuses) && waited < 50; waited++) await sleep(10);
}

function outcomeOf(made: readonly Decision[], error: string): Outcome {
  const refusal = made.find(refuses);
  if (refusal !== undefined) return { kind: "refused", code: refusal.reasons?.[0]?.code ?? "no-rule", error };
  if (made.some((decision) => decision.action === "mask")) return { kind: "masked", code: "", error };
  return made.length === 0 ? { kind: "failed", code: error, error } : { kind: "allowed", code: "", error };
}

/** One line for the corpus, one for each reason. False where something was not understood. */
function report(name: string, { results, again }: Outcomes): boolean {
  const count = (kind: Outcome["kind"]): number => results.filter(([, outcome]) => outcome.kind === kind).length;
  console.log(
    `${name}: ${results.length} statements, ${count("allowed")} allowed, ${count("masked")} masked, ${count("refused")} refused`,
  );
  const refused = Map.groupBy(
    results.filter(([, outcome]) => outcome.kind === "refused" || outcome.kind === "failed"),
    ([, outcome]) => `${outcome.kind} ${outcome.code}`,
  );
  let understood = true;
  if (again.length > 0) console.log(`  to be sent again: ${again.length}`);
  if (process.env.VERBOSE === "1")
    for (const text of again) console.log(`    ${text.replaceAll(/\s+/g, " ").slice(0, 120)}`);
  for (const [code, list] of refused) {
    const open = NOT_UNDERSTOOD.test(code.split(" ")[1] ?? "") || code.startsWith("failed");
    if (open) understood = false;
    console.log(`  ${code}${open ? " (not understood)" : ""}: ${list.length}`);
    for (const [text] of open || process.env.VERBOSE === "1" ? list : [])
      console.log(`    ${text.replaceAll(/\s+/g, " ").slice(0, 160)}`);
  }
  const errors = results.filter(([, { kind, error }]) => (kind === "allowed" || kind === "masked") && error !== "");
  if (errors.length > 0) console.log(`  let through, and an error of the server: ${errors.length}`);
  if (process.env.VERBOSE === "1")
    for (const [text, { error }] of errors) console.log(`    ${error}: ${text.replaceAll(/\s+/g, " ").slice(0, 120)}`);
  return understood;
}
