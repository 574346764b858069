// What became of the statements: counted from what the client saw and from the gate's own records.
import { errorFields, type WireMessage } from "../support/wire.ts";
import type { LogLine } from "../support/gate.ts";

export class Outcomes {
  /** Of the decisions: action, with "substituted" for those whose text was replaced. */
  readonly actions = new Map<string, number>();
  /** Reason codes of refusals by the policy or by the gate. */
  readonly refusals = new Map<string, number>();
  /** SQLSTATE classes of the server's own errors. */
  readonly errors = new Map<string, number>();
  /** Statements that the server ignored, because an earlier one of their transaction had failed: 25P02. */
  ignored = 0;
  rows = 0;

  answer(messages: readonly WireMessage[]): void {
    for (const message of messages) {
      if (message.type === "D" || message.type === "d") this.rows++;
      if (message.type !== "E") continue;
      const { C = "", F } = errorFields(message);
      // The server names the file of its sources that the error comes from; refusals of the gate are counted by its records.
      if (F === undefined) continue;
      if (C === "25P02") this.ignored++;
      else add(this.errors, C);
    }
  }

  records(lines: Iterable<LogLine>): void {
    for (const { path, result } of lines) {
      if (path !== "regate/decision") continue;
      add(this.actions, result.substitutions?.length > 0 ? "substituted" : result.action);
      if (result.action === "block") for (const { code } of result.reasons) add(this.refusals, code);
    }
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
