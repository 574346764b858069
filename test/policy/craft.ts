// Makes bundles for tests by opa alone (so that what our build would refuse can be made, too), and inputs to decide on.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CommandFacts, Input, StatementFacts } from "../../src/core/facts.ts";
import { archive } from "../../src/policy/build.ts";
import { unpack } from "../../src/policy/bundle.ts";
import { opa } from "../../src/policy/opa.ts";
import { scratch } from "../support/policies/build.ts";

/** Writes files into a fresh folder. */
export function folderOf(files: { readonly [name: string]: string }): string {
  const folder = scratch();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** Builds rego (a whole module) by plain opa, without Regate's metadata. */
export async function plainBundle(rego: string, entrypoint = "regate/decision"): Promise<string> {
  const folder = folderOf({ "main.rego": rego });
  const out = join(scratch(), "bundle.tar.gz");
  const ran = await opa(["build", "-t", "wasm", "-O", "0", "-e", entrypoint, "-b", folder, "-o", out]);
  if (ran.code !== 0) throw new Error(ran.stderr);
  return out;
}

/** A bundle with some of its files replaced, or removed (null). */
export async function altered(
  bundle: string,
  changes: { readonly [name: string]: string | Uint8Array | null },
): Promise<string> {
  const files: Map<string, Uint8Array> = await unpack(readFileSync(bundle), bundle);
  for (const [name, content] of Object.entries(changes)) {
    if (content === null) files.delete(name);
    else files.set(name, typeof content === "string" ? Buffer.from(content) : content);
  }
  const out = join(scratch(), "altered.tar.gz");
  writeFileSync(out, await archive([...files]));
  return out;
}

/** A module whose decision is allow, but for what `rules` say. */
export const module = (rules: string): string => `package regate

# METADATA
# entrypoint: true
decision := {"id": input.id, "action": _action, "reasons": _reasons, "masks": []}

default _action := "allow"

default _reasons := []

${rules}
`;

export function statement(fields: Partial<StatementFacts> = {}): StatementFacts {
  return {
    verb: "select",
    class: "read",
    relations: [],
    columns: [],
    outputs: [],
    writes: [],
    functions: [],
    scoped: true,
    limit: null,
    settings: [],
    locks: [],
    external: [],
    estimate: null,
    ...fields,
  };
}

export function commandOf(text: string, ...statements: readonly StatementFacts[]): CommandFacts {
  return {
    text,
    normalized: text,
    fingerprint: "",
    message: "query",
    parameters: { count: 0, types: [] },
    statements: statements.length === 0 ? [statement()] : statements,
  };
}

let next = 0;

/** An input about a command text (or whole command facts), by an agent without any right. */
export function inputOf(command: string | CommandFacts, fields: Partial<Input> = {}): Input {
  return {
    version: 1,
    id: `n-${++next}`,
    stage: "command",
    identity: {
      subject: "agent:bot",
      kind: "agent",
      issuer: "regate",
      actors: [],
      groups: ["support"],
      scopes: [],
      token: { id: "t", issued_at: 0, expires_at: 0 },
      claims: {},
    },
    session: {
      id: "n",
      protocol: "postgres",
      client: { address: "127.0.0.1", application: "test" },
      tls: false,
      started_at: "2026-11-01T00:00:00Z",
      in_transaction: false,
      usage: { commands: 0, rows: 0, bytes: 0, cost: 0 },
      taint: [],
    },
    resource: { name: "shop", kind: "postgres", database: "shop", environment: "production", labels: {} },
    command: typeof command === "string" ? commandOf(command) : command,
    ...fields,
  };
}

/** The code of what refuses a promise, and its text for the person. */
export async function refusal(promise: Promise<unknown>): Promise<{ code: string; detail: string; hint: string }> {
  try {
    await promise;
  } catch (error) {
    const { code, detail = "", hint = "" } = error as { code: string; detail?: string; hint?: string };
    return { code, detail, hint };
  }
  throw new Error("it was not refused");
}
