// A model that is small enough to be tried out whole: sequences of steps, run through the gate and on the server, and what must come out.
import pg from "pg";
import type { Input, StatementFacts } from "../../../src/core/facts.ts";
import { startTestGate, type TestGate } from "./gate.ts";
import { MASKED, OBSERVERS, query, reset, role, schema, SECRET, type Step, undo } from "./small-model-steps.ts";
import { cells, errorOf, extended as x, type Reply, WireClient } from "./wire-client.ts";

const END = "the end of the sequence";

export type Model = {
  readonly gate: TestGate;
  /** Undefined if all is well; else what went wrong. */
  run(sequence: readonly Step[], how: "at once" | "step by step"): Promise<string | undefined>;
  close(): Promise<void>;
};

/** Whatever may depend on a protected column is masked; a statement whose columns are not known is blocked. */
function policy(input: Input): ReturnType<TestGate["decide"]> {
  const masks: object[] = [];
  for (const [statement, facts] of (input.command?.statements ?? []).entries()) {
    if (facts.class === "unknown")
      return {
        action: "block",
        reasons: [{ code: "unknown", message: "It is not known what this does", hint: null }],
      } as never;
    for (const [output, { sources, derivation }] of outputsOf(facts).entries()) {
      if (derivation === "opaque" || sources.some(({ tags }) => tags.length > 0))
        masks.push({ statement, output, mask: "redact", code: "m" });
    }
  }
  return (masks.length === 0 ? { action: "allow" } : { action: "mask", masks }) as never;
}
const outputsOf = (facts: StatementFacts) =>
  ["prepare", "declare", "move", "call", "do"].includes(facts.verb) || facts.class === "ddl" ? [] : facts.outputs;

export async function startModel(workers = 1): Promise<Model & { readonly workers: readonly Model["run"][] }> {
  const gate = await startTestGate(schema + role, { trust: true });
  gate.classification = { "b.t.v": ["pii"] };
  gate.decide = policy;
  const admin = new pg.Client({ connectionString: gate.server.url("app", "postgres") });
  await admin.connect();
  await admin.query("CREATE DATABASE mirror TEMPLATE shop");
  await admin.end();
  const elsewhere = await Promise.all(
    ["shop", "mirror"].map(async (database) => {
      const client = new pg.Client({ connectionString: gate.server.url("app", database) });
      await client.connect();
      await client.query("SET lock_timeout = '30ms'; SET search_path = pg_catalog");
      return client;
    }),
  );
  const sessions: WireClient[] = [];
  const worker = async (): Promise<Model["run"]> => {
    const open = async (): Promise<[WireClient, WireClient]> => {
      const pair: [WireClient, WireClient] = [
        await WireClient.open(gate.port, "good"),
        await WireClient.open(gate.server.port, "", { user: "app", database: "mirror" }),
      ];
      sessions.push(...pair);
      return pair;
    };
    let pair = await open();
    return async (sequence, how) => {
      // What comes between needs a place between.
      if (how === "at once" && sequence.some((step) => step.other !== undefined)) return undefined;
      const steps = [...sequence, ...OBSERVERS];
      const lasts = sequence.some((step) => step.lasting === true);
      const [through, direct] = await Promise.all(
        pair.map((client, at) =>
          answers(client, steps, how, async (sql) => {
            // What the other connection is locked out of does not happen, on either side.
            await elsewhere[at]!.query(sql).catch(() => elsewhere[at]!.query("ROLLBACK"));
            if (at === 0) gate.changed();
          }),
        ),
      );
      const wrong = compare(steps, through!, direct!);
      const broken = through!.at(-1)?.type !== "end" || direct!.at(-1)?.type !== "end";
      const fresh = broken || sequence.some((step) => step.fresh === true);
      for (const client of pair) if (!fresh) await client.run(reset);
      if (fresh) {
        for (const client of pair) client.end();
        pair = await open();
      }
      if (lasts) {
        for (const client of elsewhere) await client.query(undo);
        gate.changed();
        // Tags hang on objects that the gate has seen under their names.
        await pair[0].run("SELECT v FROM b.t");
      }
      return wrong === undefined ? undefined : `${how}: ${sequence.map(({ name }) => name).join(" | ")}\n${wrong}`;
    };
  };
  const runs = [];
  for (let i = 0; i < workers; i++) runs.push(await worker());
  return {
    gate,
    workers: runs,
    run: runs[0]!,
    close: async () => {
      for (const client of sessions) client.end();
      for (const client of elsewhere) await client.end();
      await gate.close();
    },
  };
}

type Answer = { readonly type: string; readonly text: string };

/** What came back, in order; ends with "end" if the connection lived. */
async function answers(
  client: WireClient,
  steps: readonly Step[],
  how: "at once" | "step by step",
  other: (sql: string) => Promise<void>,
): Promise<Answer[]> {
  const seen: Answer[] = [];
  const until = async (end: string): Promise<void> => {
    for (;;) {
      const reply = await client.next();
      const answer = answerOf(reply);
      if (answer === undefined) continue;
      if (answer.text === end) {
        await client.until("Z");
        return;
      }
      seen.push(answer);
    }
  };
  try {
    let waiting: Buffer[] = [];
    const flush = async (): Promise<void> => {
      if (waiting.length === 0) return;
      client.socket.write(Buffer.concat(waiting));
      waiting = [];
    };
    for (const { send, other: sql } of steps) {
      waiting.push(...(send ?? [x.sync()]));
      const ends = sql !== undefined || send?.at(-1)?.[0] === 0x53 || send?.at(-1)?.[0] === 0x51;
      if (how === "step by step") {
        await flush();
        await quiet(client, seen, ends);
      }
      if (sql !== undefined) await other(sql);
    }
    client.socket.write(Buffer.concat([...waiting, x.sync(), query("ROLLBACK"), query(`SELECT '${END}'`)]));
    await until(END);
    seen.push({ type: "end", text: "" });
  } catch (error) {
    seen.push({ type: "closed", text: String(error) });
  }
  return seen;
}

/** Waits for the answer to a command, or a moment where none need come. */
async function quiet(client: WireClient, seen: Answer[], ends: boolean): Promise<void> {
  for (;;) {
    const reply = await client.next(ends ? 1000 : 4).catch(() => undefined);
    if (reply === undefined) {
      if (client.closed) throw new Error("connection closed");
      return;
    }
    const answer = answerOf(reply);
    if (answer !== undefined) seen.push(answer);
    if (ends && reply.type === "Z") return;
  }
}

function answerOf(reply: Reply): Answer | undefined {
  switch (reply.type) {
    case "S":
    case "N":
      return undefined;
    case "D":
      return { type: "D", text: cells(reply).join(" ") };
    case "E": {
      const { C, M, R } = errorOf(reply);
      return { type: "E", text: `${C} ${R?.toUpperCase() === R ? R : ""} ${M}` };
    }
    case "Z":
      return { type: "Z", text: reply.body.toString() };
    case "C":
      return { type: "C", text: reply.body.toString("utf8", 0, reply.body.length - 1) };
    case "T":
      return { type: "T", text: String(reply.body.readInt16BE(0)) };
    default:
      return { type: reply.type, text: "" };
  }
}

function compare(steps: readonly Step[], through: readonly Answer[], direct: readonly Answer[]): string | undefined {
  const moves = steps.some((step) => step.lasting === true || step.shadows === true);
  const may = steps.flatMap((step) => step.may ?? []);
  const shown = (answers: readonly Answer[]) => answers.map(({ type, text }) => `${type}(${text})`).join(" ");
  const leak = through.find(({ text }) => text.includes(SECRET));
  if (leak !== undefined)
    return `LEAK ${leak.type}(${leak.text})\n  gate   ${shown(through)}\n  server ${shown(direct)}`;
  let begun = false;
  for (let at = 0; at < Math.max(through.length, direct.length); at++) {
    const [gate, server] = [through[at], direct[at]];
    // A simple query within a pipeline leaves the server out of step, in a transaction that nobody began: only that nothing leaks matters.
    if (server?.text === "BEGIN") begun = true;
    if (server?.type === "Z" && server.text === "I") begun = false;
    if (server?.type === "Z" && server.text === "T" && !begun) return undefined;
    if (server?.text.startsWith("XX000") === true || gate?.text.startsWith("XX000") === true) return undefined;
    if (gate?.type === "E" && may.some(({ code }) => gate.text.includes(code))) return undefined;
    if (gate?.type === server?.type) {
      if (gate!.type === "E" && gate!.text.slice(0, 5) === server!.text.slice(0, 5)) continue;
      // A transaction that has failed runs nothing: which error says so does not matter.
      if (gate!.type === "E" && server!.text.startsWith("25P02")) continue;
      // A name that means another object than before protects both.
      if (moves && gate!.text.includes(MASKED)) continue;
      if (gate!.text === server!.text.replaceAll(/SECRET-\S+|SECRET-B\d/g, MASKED)) continue;
    }
    return `at ${at}\n  gate   ${shown(through)}\n  server ${shown(direct)}`;
  }
  return undefined;
}

/** Runs sequences in both ways until they end or time is up. Those that leave lasting traces must come to one worker alone. */
export async function tryAll(
  workers: readonly Model["run"][],
  given: Iterable<readonly Step[]>,
  milliseconds: number,
): Promise<{ readonly tried: number; readonly wrong: readonly string[] }> {
  const until = Date.now() + milliseconds;
  const left = given[Symbol.iterator]();
  const wrong: string[] = [];
  let tried = 0;
  await Promise.all(
    workers.map(async (run) => {
      while (Date.now() < until && wrong.length < 20) {
        const next = left.next();
        if (next.done === true) return;
        for (const how of ["at once", "step by step"] as const) {
          const found = await run(next.value, how);
          tried++;
          if (found !== undefined) wrong.push(found);
        }
      }
    }),
  );
  return { tried, wrong };
}
