// regate policy try: the facts of a text, and what the policy would decide on it. Nothing is run, nothing is recorded.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Config, loadConfig } from "../config.ts";
import { asksForSubstitutions, blockFor, type Decision, withSubstitutions } from "../core/decision.ts";
import type { CommandFacts, Identity, Input, Resource, SessionFacts } from "../core/facts.ts";
import { inputOf } from "../core/pipeline.ts";
import { errorText, RegateError } from "../errors.ts";
import { resourcesOf } from "../gateway.ts";
import { identityOf } from "../identity/claims.ts";
import { ISSUER } from "../identity/issue.ts";
import { checkMaskSpec } from "../masking/index.ts";
import { type OpenPolicy, openPolicy } from "../policy/index.ts";
import type { Bindings } from "../protocols/postgres/bindings.ts";
import { commandFacts, parameterTypesOf, unjudgedFacts } from "../protocols/postgres/command-facts.ts";
import { Estimates } from "../protocols/postgres/estimate.ts";
import { inspect, type Inspected } from "../protocols/postgres/inspect.ts";
import { Planner } from "../protocols/postgres/planner.ts";
import { askedAgain, rewrite, type Substitutions, widened } from "../protocols/postgres/rewriting.ts";
import { forbiddenSetting } from "../protocols/postgres/settings.ts";
import { parseTarget } from "../protocols/postgres/target.ts";
import { analyze } from "../sql/postgres/analyze.ts";
import { parameterCount } from "../sql/postgres/parameters.ts";
import { JsonStore } from "../state/json-store.ts";
import { print } from "./exit.ts";
import { parsed, usage } from "./options.ts";
import { describeTrial } from "./policy-try-text.ts";

const help = `regate policy try [--resource NAME] [--as agent:bot] [--group G]… [--scope S]… [--json] "SQL"
regate policy try … -            the SQL from standard input
regate policy try … --file FILE

Prints the facts of a text, statement by statement, and what the policy would decide on it. It is read against the database's catalog as the
running gate reads it; the text is not run, and nothing is recorded.
  --resource NAME       which database; needed if the configuration has several
  --as SUBJECT          who asks (default agent:bot); --group, --scope and --actor may be repeated
  --bundle FILE         another policy than the configuration's
  --search-path a,b     as if the session had set it;  --role R  as if it had set that
  --in-transaction      as if a transaction were open
  --estimate            ask the server for its estimate of rows and cost, also where no rule reads it
  --facts               the facts alone: the policy is not asked
  --json                {input, decision} for programs
  --demo                the demo's shop, instead of a configuration;  --config FILE (default: regate.yaml)
Exit codes: 0 allowed or masked (or --facts), 1 failed, 2 not understood, 3 the configuration or the bundle cannot be used, 4 blocked, 5 needs an
approval. A text that cannot be judged (a syntax error) is blocked.
`;

/** What a decision's action makes the command end with. */
const exits = { allow: 0, mask: 0, block: 4, require_approval: 5 } as const satisfies Record<
  Decision["action"],
  number
>;

const many = { type: "string", multiple: true } as const;
const options = {
  config: { type: "string", short: "c" },
  demo: { type: "boolean" },
  resource: { type: "string", short: "r" },
  as: { type: "string" },
  group: many,
  scope: many,
  actor: many,
  bundle: { type: "string" },
  "search-path": { type: "string" },
  role: { type: "string" },
  "in-transaction": { type: "boolean" },
  estimate: { type: "boolean" },
  file: { type: "string", short: "f" },
  facts: { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** What a try found. `error`: why the text could not be judged, with its place in the text. */
export type Trial = {
  readonly input: Input & { readonly command: CommandFacts };
  /** Each statement's own text. */
  readonly texts: readonly string[];
  /** Undefined: the policy was not asked. */
  readonly decision: Decision | undefined;
  readonly error: RegateError | undefined;
  readonly policy: { readonly revision: string; readonly mode: "enforce" | "observe" };
};

/** @returns the exit code. @throws RegateError USAGE, CONFIG_*, BUNDLE_*, UPSTREAM_*, CATALOG_UNAVAILABLE, DATA_DIR */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parsed(args, options, help);
  if (values.help === true) {
    process.stdout.write(help);
    return 0;
  }
  if (values.demo === true && values.config !== undefined)
    throw usage("policy try: --demo has a configuration of its own, leave out --config", help);
  const text = textOf(positionals, values.file);
  const identity = identityFrom(values);
  const source = values.demo === true ? await demo() : { config: loadConfig(values.config, process.env), stop: noStop };
  let policy: OpenPolicy | undefined;
  let planner: Planner | undefined;
  try {
    const { config } = source;
    const resource = resourceFrom(config, values.resource);
    policy = await openPolicy({
      bundle: values.bundle ?? config.policy.bundle,
      mode: config.policy.mode,
      maskDefect: checkMaskSpec,
    });
    const target = parseTarget(resource.url);
    const inspected = await inspect(target, {
      resource: resource.facts.name,
      classification:
        (policy.data("classification") as Record<string, unknown> | undefined)?.[resource.facts.name] ?? {},
      bindings: bindingsOf(config, resource.facts.name),
      searchPath: values["search-path"]?.split(",").map((schema) => schema.trim()),
      role: values.role,
      log: { info: () => undefined, warn: toStderr, error: toStderr },
    });
    const session = sessionFacts(values["in-transaction"] === true);
    if (values.estimate === true || policy.reads("command.statements.estimate")) planner = new Planner(target);
    const around = { policy, inspected, planner, identity, session, resource: resource.facts };
    const trial = await tryText(text, around, values.facts);
    const { input, decision, error } = trial;
    if (values.json === true) await print(JSON.stringify({ input, decision, ...errorMember(error) }));
    else process.stdout.write(describeTrial(trial));
    return decision === undefined ? (error === undefined ? 0 : exits.block) : exits[decision.action];
  } finally {
    planner?.close();
    await policy?.close();
    await source.stop();
  }
}

type Surroundings = {
  readonly policy: OpenPolicy;
  readonly inspected: Inspected;
  /** Undefined: estimates are not asked for. */
  readonly planner: Planner | undefined;
  readonly identity: Identity;
  readonly session: SessionFacts;
  readonly resource: Resource;
};

/** The walk that the gate takes with a command, up to its decision. */
async function tryText(text: string, around: Surroundings, factsOnly = false): Promise<Trial> {
  const { policy, inspected, planner, identity, session, resource } = around;
  const id = `${session.id}-1`;
  const about = { revision: policy.revision, mode: policy.mode };
  const input = (command: CommandFacts): Trial["input"] => ({
    ...inputOf(id, { identity, facts: session, resource }, command),
    command,
  });
  try {
    const read = analyze(text, inspected.catalog, inspected.scope);
    const analysis = planner === undefined ? read : await new Estimates(planner).of(read, [], inspected.scope);
    const forbidden = forbiddenSetting(analysis);
    if (forbidden !== undefined) throw forbidden;
    const count = parameterCount(text);
    // A text with parameters can only be bound; what types a driver would give is not known here.
    const command = commandFacts(analysis, count === 0 ? "query" : "bind", new Array<number>(count).fill(0));
    const asked = input(command);
    const bytes = Buffer.from(text);
    const texts = analysis.locations.map(({ start, length }) => bytes.toString("utf8", start, start + length));
    const trial = { texts, error: undefined, policy: about };
    if (factsOnly) return { ...trial, input: asked, decision: undefined };
    const decision = await policy.evaluate(asked);
    const { substitutions } = decision;
    if (!asksForSubstitutions(decision) || substitutions === undefined || policy.mode === "observe")
      return { ...trial, input: asked, decision };
    for (let all: Substitutions = substitutions; ; ) {
      const made = rewrite(text, all, inspected.catalog, inspected.scope, { revision: policy.revision });
      if (made instanceof RegateError)
        return { ...trial, input: asked, decision: blockFor(id, made.code, made.detail), error: made };
      const again = input(commandFacts(made.analysis, command.message, parameterTypesOf(command), made.rewriting));
      const last = await policy.evaluate(again);
      if (!asksForSubstitutions(last)) return { ...trial, input: again, decision: withSubstitutions(last, all) };
      const more = widened(all, last.substitutions ?? []);
      if (more === undefined) {
        const error = askedAgain(again.command.statements);
        return { ...trial, input: again, decision: blockFor(id, error.code, error.detail), error };
      }
      all = more;
    }
  } catch (thrown) {
    if (!(thrown instanceof RegateError)) throw thrown;
    const decision = factsOnly ? undefined : blockFor(id, thrown.code, thrown.detail);
    return { input: input(unjudgedFacts(text, "query")), texts: [], decision, error: thrown, policy: about };
  }
}

function textOf(positionals: readonly string[], file: string | undefined): string {
  if (file !== undefined && positionals.length > 0) throw usage("policy try: give the SQL or --file, not both", help);
  if (positionals.length > 1)
    throw usage(`policy try: ${positionals[1]} is one word too many; put the SQL in quotes`, help);
  const [given] = positionals;
  if (file === undefined && given !== "-") {
    if (given === undefined) throw usage("policy try: the SQL is missing", help);
    return given;
  }
  try {
    return readFileSync(file ?? 0, "utf8");
  } catch (cause) {
    throw new RegateError("USAGE", { detail: `policy try: ${file ?? "standard input"}: ${errorText(cause)}`, cause });
  }
}

function identityFrom(values: {
  readonly as?: string | undefined;
  readonly group?: readonly string[] | undefined;
  readonly scope?: readonly string[] | undefined;
  readonly actor?: readonly string[] | undefined;
}): Identity {
  const now = Math.floor(Date.now() / 1000);
  const { as: sub = "agent:bot", group: groups = [], scope = [], actor = [] } = values;
  const act = actor.reduceRight<object | undefined>(
    (inner, who) => ({ sub: who, ...(inner && { act: inner }) }),
    undefined,
  );
  const identity = identityOf(ISSUER, {
    sub,
    jti: "try",
    iat: now,
    exp: now + 300,
    resources: ["*"],
    groups: [...groups],
    scope: scope.join(" "),
    ...(act && { act }),
  });
  if (typeof identity !== "string") return identity;
  throw usage(
    `policy try: no token could say this (${identity}); a subject is agent:NAME, human:NAME or service:NAME`,
    help,
  );
}

function resourceFrom(config: Config, name: string | undefined): { readonly facts: Resource; readonly url: string } {
  const resources = resourcesOf(config);
  const names = [...resources.keys()];
  const found = resources.get(name ?? (names.length === 1 ? names[0]! : ""));
  if (found !== undefined) return found;
  const known = `There are: ${names.join(", ")}.`;
  throw new RegateError("USAGE", {
    detail:
      name === undefined ? "policy try: which database? Say --resource" : `policy try: there is no resource ${name}`,
    hint: known,
  });
}

function bindingsOf(config: Config, resource: string): Bindings | undefined {
  const folder = join(config.data_dir, "state", "bindings");
  return existsSync(folder) ? (new JsonStore(folder).read(resource) as Bindings | undefined) : undefined;
}

function sessionFacts(inTransaction: boolean): SessionFacts {
  return {
    id: "try",
    protocol: "postgres",
    client: { address: "127.0.0.1:0", application: "regate policy try" },
    tls: true,
    started_at: new Date().toISOString(),
    in_transaction: inTransaction,
    usage: { commands: 0, rows: 0, bytes: 0, cost: 0 },
    taint: [],
  };
}

const noStop = async (): Promise<void> => {};

async function demo(): Promise<{ readonly config: Config; stop(): Promise<void> }> {
  const { borrowDemo } = await import("../demo/index.ts");
  return borrowDemo((line) => process.stderr.write(`${line}\n`));
}

function toStderr(_: object, message: string): void {
  process.stderr.write(`regate: ${message}\n`);
}

function errorMember(error: RegateError | undefined): object {
  if (error === undefined) return {};
  const { code, message, detail, hint, position } = error;
  return { error: { code, message, detail, hint, position } };
}
