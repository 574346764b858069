// The lines of the decision log: OPA decision-log events, built from fragments that are serialized once.
import type { SessionContext } from "./command.ts";
import type { Decision } from "./decision.ts";
import type { CommandFacts } from "./facts.ts";
import { FACTS_VERSION } from "./facts.ts";

/** What then happened to a permitted command. Counts are of what the client was shown; `digest` is over those bytes, where it was asked for. */
export type Outcome = {
  readonly status: "ok" | "error" | "refused" | "canceled" | "skipped" | "lost";
  readonly rows: number;
  readonly bytes: number;
  readonly masked_cells: number;
  readonly sqlstate: string | null;
  readonly tag: string | null;
  readonly duration_us: number;
};

const fragments = new WeakMap<object, string>();

/** JSON of a long-lived, frozen-by-convention object, serialized once. */
function fragment(value: object): string {
  let text = fragments.get(value);
  if (text === undefined) {
    text = JSON.stringify(value);
    fragments.set(value, text);
  }
  return text;
}

/** What every event of one gate says: set once. */
export type RecordHeader = { readonly labels: { readonly [name: string]: string }; readonly mode: string };

export type DecisionRecord = {
  readonly decisionId: string;
  readonly sequence: number;
  readonly session: SessionContext;
  readonly stage: string;
  readonly command: CommandFacts | undefined;
  readonly decision: Decision;
  readonly revision: string;
  readonly time: number;
  readonly evaluationNs: number;
};

export function decisionLine(header: RecordHeader, record: DecisionRecord): string {
  const { session } = record;
  const command = record.command === undefined ? "" : `,"command":${commandJson(record.command)}`;
  return (
    `{"decision_id":"${record.decisionId}","path":"regate/decision","timestamp":"${timestamp(record.time)}","labels":${fragment(header.labels)}` +
    `,"bundles":{"regate":{"revision":${JSON.stringify(record.revision)}}},"requested_by":${JSON.stringify(session.facts.client.address)}` +
    `,"input":{"version":${FACTS_VERSION},"id":"${record.decisionId}","stage":"${record.stage}","identity":${fragment(session.identity)}` +
    `,"session":${sessionJson(session)},"resource":${fragment(session.resource)}${command}}` +
    `,"result":${decisionJson(record.decision)},"metrics":{"timer_rego_query_eval_ns":${record.evaluationNs}}` +
    `,"custom":{"session":"${session.facts.id}","sequence":${record.sequence},"mode":"${header.mode}"}}`
  );
}

export function outcomeLine(
  header: RecordHeader,
  session: SessionContext,
  decisionId: string,
  sequence: number,
  time: number,
  outcome: Outcome,
): string {
  return (
    `{"decision_id":"${decisionId}","path":"regate/outcome","timestamp":"${timestamp(time)}","labels":${fragment(header.labels)}` +
    `,"result":${JSON.stringify(outcome)},"custom":{"session":"${session.facts.id}","sequence":${sequence},"mode":"${header.mode}"}}`
  );
}

/** A held command's fate: the approval that was asked for, granted, denied, … `approval` is what the approvers saw and said. */
export function approvalLine(
  header: RecordHeader,
  session: SessionContext,
  decisionId: string,
  sequence: number,
  time: number,
  approval: {
    readonly id: string;
    readonly state: string;
    readonly decided_by: readonly string[];
    readonly comment: string | null;
  },
): string {
  return (
    `{"decision_id":"${decisionId}","path":"regate/approval","timestamp":"${timestamp(time)}","labels":${fragment(header.labels)}` +
    `,"result":${JSON.stringify(approval)},"custom":{"session":"${session.facts.id}","sequence":${sequence},"mode":"${header.mode}"}}`
  );
}

/** The facts of statements are one object for all texts of a shape. */
function commandJson(command: CommandFacts): string {
  let text = fragments.get(command);
  if (text === undefined) {
    const { statements, ...own } = command;
    text = `${JSON.stringify(own).slice(0, -1)},"statements":${fragment(statements)}}`;
    fragments.set(command, text);
  }
  return text;
}

/** What never changes in a session is serialized once. */
function sessionJson(context: SessionContext): string {
  const { in_transaction, usage, taint, inference = [] } = context.facts;
  let prefix = fragments.get(context);
  if (prefix === undefined) {
    const { in_transaction: _, usage: __, taint: ___, inference: ____, ...fixed } = context.facts;
    prefix = JSON.stringify(fixed).slice(0, -1);
    fragments.set(context, prefix);
  }
  const { commands, rows, bytes, cost } = usage;
  return `${prefix},"in_transaction":${in_transaction},"usage":{"commands":${commands},"rows":${rows},"bytes":${bytes},"cost":${cost}},"taint":${taint.length === 0 ? "[]" : JSON.stringify(taint)}${inference.length === 0 ? "" : `,"inference":${JSON.stringify(inference)}`}}`;
}

/** A decision from the cache is a new object around parts that are shared: these are serialized once. */
function decisionJson(decision: Decision): string {
  const { id, action, reasons, masks, substitutions, detect, channels, limits, approval } = decision;
  return (
    `{"id":${JSON.stringify(id)},"action":"${action}","reasons":${fragment(reasons)},"masks":${fragment(masks)}` +
    `${substitutions === undefined ? "" : `,"substitutions":${fragment(substitutions)}`}` +
    `${detect === undefined ? "" : `,"detect":${fragment(detect)}`}` +
    `${channels === undefined ? "" : `,"channels":${fragment(channels)}`}` +
    `${limits === undefined ? "" : `,"limits":${fragment(limits)}`}${approval == null ? "" : `,"approval":${fragment(approval)}`}}`
  );
}

let lastMillisecond = Number.NaN;
let lastTimestamp = "";
/** RFC 3339; formatted once per millisecond. */
function timestamp(time: number): string {
  if (time !== lastMillisecond) {
    lastMillisecond = time;
    lastTimestamp = new Date(time).toISOString();
  }
  return lastTimestamp;
}
