// Tries a bundle in full before it is used: one made-up input for each stage must get a whole decision.
import { randomUUID } from "node:crypto";
import { checkDecision } from "../core/decision.ts";
import { type CommandFacts, FACTS_VERSION, type Input, type Output, type StatementFacts } from "../core/facts.ts";
import { errorText } from "../errors.ts";
import { invalid } from "./bundle.ts";
import type { InputPaths } from "./inputs.ts";
import type { Workers } from "./workers.ts";

const TRIAL_MS = 20_000;

/**
 * @returns true where the decisions did not depend on the id beyond echoing it
 * @throws RegateError BUNDLE_INVALID
 */
export async function tryOut(workers: Workers, paths: InputPaths, where: string): Promise<boolean> {
  let echoOnly = true;
  for (const sample of samples()) {
    const [first, second] = [await once(sample), await once({ ...sample, id: randomUUID() })];
    if (first !== second) echoOnly = false;
  }
  return echoOnly;

  async function once(input: Input): Promise<string> {
    const stage = input.stage === "command" ? `command ${input.command!.text}` : input.stage;
    let result: unknown;
    try {
      result = await workers.evaluate(paths.document(input), TRIAL_MS);
    } catch (error) {
      throw invalid(where, `trial of stage ${stage}: ${errorText(error)}`, hint);
    }
    const { id: _, ...decision } = checkDecision(input.id, result);
    const defect = decision.reasons.find((reason) => reason.code.startsWith("POLICY_"));
    if (defect !== undefined) throw invalid(where, `trial of stage ${stage}: ${defect.message}`, hint);
    return JSON.stringify(decision);
  }
}

const hint =
  "data.regate.decision must be an object {id, action, reasons, masks} for every input; see docs/policies.md.";

function samples(): Input[] {
  const source = { schema: "public", table: "trial", column: "email", tags: ["pii"] };
  const direct: Output = { name: "email", type: "text", derivation: "direct", total: true, sources: [source] };
  const statement: StatementFacts = {
    verb: "select",
    class: "read",
    relations: [{ schema: "public", name: "trial", kind: "table", access: ["select"], via: [], tags: [] }],
    columns: [{ schema: "public", table: "trial", column: "email", tags: ["pii"], uses: ["output"], operators: [] }],
    outputs: [direct, { name: "n", type: "int8", derivation: "aggregate", total: true, sources: [] }],
    writes: [],
    functions: [
      {
        schema: "pg_catalog",
        name: "count",
        language: "internal",
        volatility: "immutable",
        kind: "builtin",
        effect: "total",
        opaque: false,
        reads: [],
      },
    ],
    scoped: true,
    limit: null,
    settings: [],
    locks: [],
    external: [],
    estimate: null,
  };
  const command = (text: string, statements: readonly StatementFacts[]): CommandFacts => ({
    text,
    normalized: text,
    fingerprint: "",
    message: "query",
    parameters: { count: 0, types: [] },
    statements,
  });
  const base = {
    version: FACTS_VERSION,
    identity: {
      subject: "agent:trial",
      kind: "agent" as const,
      issuer: "regate",
      actors: [],
      groups: [],
      scopes: [],
      token: { id: "trial", issued_at: 0, expires_at: 0 },
      claims: {},
    },
    session: {
      id: "trial",
      protocol: "postgres",
      client: { address: "127.0.0.1", application: "trial" },
      tls: false,
      started_at: "1970-01-01T00:00:00Z",
      in_transaction: false,
      usage: { commands: 0, rows: 0, bytes: 0, cost: 0 },
      taint: [],
    },
    resource: { name: "trial", kind: "postgres", database: "trial", environment: "production", labels: {} },
  };
  const of = (stage: Input["stage"], rest: Partial<Input> = {}): Input => ({
    ...base,
    id: randomUUID(),
    stage,
    ...rest,
  });
  const write: StatementFacts = {
    ...statement,
    verb: "delete",
    class: "write",
    scoped: false,
    columns: [],
    outputs: [],
  };
  const unknown: StatementFacts = { ...write, verb: "unknown", class: "unknown", relations: [], functions: [] };
  const read = command("(a read)", [statement]);
  return [
    of("connect"),
    of("command", { command: read }),
    of("command", { command: command("(several)", [write, statement, unknown]) }),
    of("command", { command: command("(nothing)", []) }),
    of("result", { command: read, result: { columns: statement.outputs } }),
  ];
}
