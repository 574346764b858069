// The demo's session: an agent is allowed, masked, blocked, and held until a human approves.
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { RegateError } from "../errors.ts";
import { issueToken } from "../identity/issue.ts";
import { runStatement } from "./client.ts";
import { COMMAND } from "./index.ts";
import { type Shown, recordsSince, recordTable } from "./records.ts";

export type SessionPlace = {
  readonly dataDir: string;
  readonly postgres: string;
  readonly http: string;
  readonly interactive: boolean;
  readonly print: (text: string) => void;
};
type Step = {
  readonly action: "allow" | "mask" | "block" | "require_approval";
  readonly title: string;
  readonly sql: string;
  readonly remark: string;
};

const STEPS: readonly Step[] = [
  {
    action: "allow",
    title: "ALLOWED",
    sql: "SELECT id, status, total FROM orders ORDER BY id LIMIT 4",
    remark: "reading what nobody has to protect",
  },
  {
    action: "mask",
    title: "MASKED",
    sql: "SELECT id, name, email, phone FROM customers ORDER BY id LIMIT 4",
    remark: "the same agent, over columns that are tagged as personal",
  },
  {
    action: "mask",
    title: "MASKED JOIN",
    sql: "SELECT o.id, c.name, c.email, o.total FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.total DESC, o.id LIMIT 3",
    remark: "the same columns, through a join, an alias, a view, a cursor: where a value comes from is what counts",
  },
  {
    action: "mask",
    title: "SUBSTITUTED",
    sql: "SELECT right(number, 1) AS ends_in, count(*) FROM cards GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 3",
    remark: "computed of protected numbers: it runs on the masked ones, of which the last four digits are left",
  },
  {
    action: "block",
    title: "BLOCKED, WITH A WAY OUT",
    sql: "SELECT title, count(*), avg(salary) FROM employees GROUP BY title",
    remark: "an average of salaries would tell them: the hint is a statement that was tried",
  },
  {
    action: "block",
    title: "BLOCKED",
    sql: "DELETE FROM orders",
    remark: "no WHERE: nothing of it reaches the database, and the session goes on",
  },
  {
    action: "require_approval",
    title: "HELD",
    sql: "DELETE FROM orders WHERE id = 7",
    remark: "one row, but in production: a human decides",
  },
];
const COLOURS = { allow: 32, mask: 36, block: 31, require_approval: 33 } as const;
export const AGENT = "agent:bot";
const APPROVER = { subject: "human:alice", groups: ["dba"], scopes: ["approve"] };

/**
 * Runs the session and prints it. @returns whether all four actions were seen and recorded as they should be
 */
export async function runSession(place: SessionPlace): Promise<boolean> {
  const { print } = place;
  const started = Date.now();
  const token = await tokenFor(place, { subject: AGENT });
  const client = hasPsql() ? "psql" : "a built-in client (there is no psql on this machine)";
  print(
    `\n${AGENT} connects with ${client} to the database shop on ${place.postgres}; its password is a token that lives for an hour.\n`,
  );
  for (const [index, step] of STEPS.entries()) {
    print(
      `\n${bold(`${index + 1}  `)}${colour(COLOURS[step.action], step.title)}  ${dim(step.remark)}\n${bold(`shop=> ${step.sql};`)}\n`,
    );
    const running = runClient(place, token, step.sql);
    if (step.action === "require_approval") await approve(place, running);
    await running;
  }
  // The outcome of a command is recorded right behind it.
  await sleep(150);
  const records = recordsSince(place.dataDir, started);
  print(
    `\n${bold("The decision log")} ${dim(`(${place.dataDir}/audit; regate log tail, regate log query "SELECT …")`)}\n${recordTable(records)}\n`,
  );
  return complete(records, print);
}

/** A line that can be pasted into another terminal. */
export async function psqlLine(place: Pick<SessionPlace, "dataDir" | "postgres">): Promise<string> {
  const [host, port] = place.postgres.split(":");
  return `PGPASSWORD=${await tokenFor(place, { subject: AGENT })} psql -h ${host} -p ${port} -U agent shop`;
}

function complete(records: readonly Shown[], print: (text: string) => void): boolean {
  const missing = STEPS.filter(
    ({ action, sql }) => !records.some((record) => record.action === action && record.text.startsWith(sql)),
  );
  for (const { title, sql } of missing) print(`${colour(31, "unexpected:")} no record says ${title} for ${sql}\n`);
  return missing.length === 0;
}

async function tokenFor(
  place: Pick<SessionPlace, "dataDir">,
  who: { subject: string; groups?: string[]; scopes?: string[] },
): Promise<string> {
  return (await issueToken({ ...who, resources: ["shop"], ttlSeconds: 3600 }, { dataDir: place.dataDir })).token;
}

/** Runs one statement as the agent would, by itself in a connection. What it prints is printed indented. */
async function runClient(place: SessionPlace, token: string, sql: string): Promise<void> {
  const indented = (text: string): void => place.print(text.replaceAll(/^(?=.)/gm, "   "));
  if (!hasPsql()) {
    await runStatement(`postgres://agent:${token}@${place.postgres}/shop?sslmode=disable`, sql, indented);
    return;
  }
  const [host, port] = place.postgres.split(":") as [string, string];
  const env = {
    ...process.env,
    PGPASSWORD: token,
    PGSSLMODE: "disable",
    PGGSSENCMODE: "disable",
    PGCONNECT_TIMEOUT: "10",
    PAGER: "",
    PSQLRC: "/dev/null",
  };
  const child = spawn("psql", ["-X", "-h", host, "-p", port, "-U", "agent", "-d", "shop", "-c", sql], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.on("data", (chunk: Buffer) => indented(chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => indented(chunk.toString()));
  await new Promise((resolve) => child.on("close", resolve));
}

let psql: boolean | undefined;
const hasPsql = (): boolean => (psql ??= spawnSync("psql", ["--version"]).status === 0);

/** Waits until the command is held, then decides as human:alice: as the person at the terminal says, or by itself where there is none. */
async function approve(place: SessionPlace, running: Promise<void>): Promise<void> {
  let over = false;
  running.finally(() => {
    over = true;
  });
  const token = await tokenFor(place, APPROVER);
  const id = await held(place, token, () => over);
  if (id === undefined) return;
  place.print(
    dim(
      `   in another terminal, a human could say: ${COMMAND} approvals approve ${id} --url http://${place.http} --as ${APPROVER.subject} --group dba\n`,
    ),
  );
  const verdict = place.interactive ? await asked(() => over) : "approve";
  if (verdict === undefined) return;
  await api(place, token, "POST", `/v1/approvals/${id}/${verdict}`, { comment: "from the demo" });
  place.print(
    `   ${colour(verdict === "approve" ? 32 : 31, `${APPROVER.subject} ${verdict === "approve" ? "approves" : "denies"}`)}\n`,
  );
}

async function held(place: SessionPlace, token: string, over: () => boolean): Promise<string | undefined> {
  for (let waited = 0; waited < 15_000 && !over(); waited += 50) {
    const { approvals } = (await api(place, token, "GET", "/v1/approvals?state=pending")) as {
      approvals: { id: string; requester: { subject: string } }[];
    };
    const found = approvals.find(({ requester }) => requester.subject === AGENT);
    // The client has had the time to print its notice.
    if (found !== undefined) return await sleep(150, found.id);
    await sleep(50);
  }
  return undefined;
}

/** The answer of the person at the terminal; undefined when the command was decided elsewhere meanwhile. */
async function asked(over: () => boolean): Promise<"approve" | "deny" | undefined> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const ended = new AbortController();
  const watch = setInterval(() => over() && ended.abort(), 100);
  try {
    const answer = await lines.question(`   approve as ${APPROVER.subject}? [y/N] `, { signal: ended.signal });
    return /^y(es)?$/i.test(answer.trim()) ? "approve" : "deny";
  } catch {
    process.stdout.write("\n");
    return undefined;
  } finally {
    clearInterval(watch);
    lines.close();
  }
}

async function api(place: SessionPlace, token: string, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`http://${place.http}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok)
    throw new RegateError("APPROVAL_UNKNOWN", {
      message: `The approval could not be asked for (${response.status})`,
      detail: await response.text(),
    });
  return await response.json();
}

const colourful = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
const colour = (code: number, text: string): string => (colourful ? `\x1b[1;${code}m${text}\x1b[0m` : text);
export const bold = (text: string): string => (colourful ? `\x1b[1m${text}\x1b[0m` : text);
export const dim = (text: string): string => (colourful ? `\x1b[2m${text}\x1b[0m` : text);
