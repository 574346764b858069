// The policy's answer: its schema, and the blocks that stand in for an answer that never came.
import type { ErrorCode } from "../errors.ts";
import { ERRORS } from "../errors.ts";
import type { Infer, Schema } from "./schema.ts";
import { anything, array, integer, nullable, object, oneOf, optional, record, string } from "./schema.ts";

export const reason = object({
  code: string,
  message: string,
  hint: optional(string),
  statement: optional(nullable(integer)),
  column: optional(nullable(string)),
});

/** Which output of which statement, and how; further members are the mask's parameters (`keep_last`, …). */
export const maskSpec: Schema<
  { statement: number; output: number; mask: string; code: string } & { readonly [parameter: string]: unknown }
> = object({ statement: integer, output: integer, mask: string, code: string }, { open: true }) as never;

/**
 * Which column of which relation, in which statement: every reference to the relation becomes one to a sub-select in which the column is masked,
 * and the new text is judged again. Further members are the mask's parameters.
 */
export const substitution: Schema<
  { statement: number; schema: string; table: string; column: string; mask: string; code: string } & {
    readonly [parameter: string]: unknown;
  }
> = object(
  { statement: integer, schema: string, table: string, column: string, mask: string, code: string },
  { open: true },
) as never;
/** That every text of a result is searched by the mask `detect`: its parameters. */
export const detectSpec: Schema<{ readonly [parameter: string]: unknown }> = record(anything);

export const decision = object({
  /** The echo of `input.id`. */
  id: string,
  action: oneOf("allow", "block", "mask", "require_approval"),
  reasons: array(reason),
  masks: array(maskSpec),
  /** Not empty: the text may not run as it is. */
  substitutions: optional(array(substitution)),
  detect: optional(detectSpec),
  /** To a session's start: the channels whose payloads are shown although the database has tags; "*" is all. */
  channels: optional(array(string)),
  limits: optional(object({ rows: optional(integer), bytes: optional(integer), timeout: optional(integer) })),
  approval: optional(nullable(object({ approvers: array(string), count: integer, ttl: optional(string) }))),
});

export type Reason = Infer<typeof reason>;
export type MaskSpec = Infer<typeof maskSpec>;
export type Substitution = Infer<typeof substitution>;
export type DetectSpec = Infer<typeof detectSpec>;
export type Decision = Infer<typeof decision>;

/** The block that takes the place of a decision that failed: fail closed, with the failure's own code. */
export function blockFor(id: string, code: ErrorCode, detail?: string): Decision {
  const message = ERRORS[code].message;
  return {
    id,
    action: "block",
    reasons: [{ code, message: detail === undefined ? message : `${message}: ${detail}` }],
    masks: [],
  };
}

/** Checks an evaluator's result: the decision, or the block with the code that says what was wrong. */
export function checkDecision(id: string, result: unknown): Decision {
  if (result === undefined || result === null) return blockFor(id, "POLICY_UNDEFINED");
  const defect = decision.check(result, "decision");
  if (defect !== undefined) return blockFor(id, "POLICY_SHAPE", defect);
  const checked = result as Decision;
  if (asksForSubstitutions(checked) && checked.action !== "mask" && checked.action !== "require_approval")
    return blockFor(id, "POLICY_SHAPE", `decision.substitutions: must be empty where the action is ${checked.action}`);
  return checked.id === id ? checked : blockFor(id, "POLICY_ECHO");
}

/** The text may not run as it is, but another one in its place. */
export function asksForSubstitutions(decision: Decision): boolean {
  return decision.substitutions !== undefined && decision.substitutions.length > 0;
}

/** What is recorded of a command whose protected columns were replaced: with masks, even if nothing of its result needs any more. */
export function withSubstitutions(decision: Decision, substitutions: NonNullable<Decision["substitutions"]>): Decision {
  return { ...decision, action: decision.action === "allow" ? "mask" : decision.action, substitutions };
}
