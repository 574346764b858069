// From a recorded decision to what may happen: a Permit or a Refusal. The only maker of Permit.
import type { ErrorCode, RegateError } from "../errors.ts";
import { ERRORS } from "../errors.ts";
import { asksForSubstitutions, type Decision, type DetectSpec, type MaskSpec } from "./decision.ts";
import type { Ticket } from "./ports.ts";

const key = Symbol("permit");

/**
 * The right to send one command upstream. Only {@link enforce}, {@link prepare} and {@link observe} make one, and only from a decision;
 * the upstream writer takes nothing else. A permit to prepare lets a statement be parsed, which neither runs nor returns data.
 */
export class Permit {
  /** Names the record; undefined for a permit to prepare, which the record of its execution covers. */
  readonly decisionId: string | undefined;
  readonly masks: readonly MaskSpec[];
  /** Set: all texts that are shown are searched, but for those with a mask of their own. */
  readonly detect: DetectSpec | undefined;
  readonly limits: Decision["limits"];
  readonly enforced: boolean;
  #ticket: Ticket;
  // Makes the type nominal: nothing that merely looks alike is a permit.
  readonly #key: symbol;

  constructor(
    made: symbol,
    decisionId: string | undefined,
    decision: Decision | undefined,
    ticket: Ticket,
    enforced: boolean,
  ) {
    if (made !== key) throw new TypeError("a permit is made by enforce alone");
    this.#key = made;
    this.decisionId = decisionId;
    this.masks = enforced && decision !== undefined ? decision.masks : [];
    this.detect = enforced ? decision?.detect : undefined;
    this.limits = enforced ? decision?.limits : undefined;
    this.#ticket = ticket;
    this.enforced = enforced;
  }

  /** What must be settled before an effect is let happen or a result is shown: the record, and what else was added. */
  get ticket(): Ticket {
    return this.#ticket;
  }

  /** Must the columns of a result be known before a row of it is shown? */
  get rewritesRows(): boolean {
    return this.masks.length > 0 || this.detect !== undefined;
  }

  /** Lets it wait for something more. */
  after(other: Ticket): this {
    if (!other.durable) this.#ticket = both(this.#ticket, other);
    return this;
  }

  /** True for what enforce made: a check for the writer, beyond the type. */
  static is(value: Permit): boolean {
    return value.#key === key;
  }
}

/** Why a command is not sent: what the protocol's error fields need. */
export type Refusal = {
  readonly code: string;
  readonly sqlstate: string;
  readonly message: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  /** In characters of the command's text, from 1. */
  readonly position?: number | undefined;
  readonly decisionId: string | undefined;
  /** What the first reason is about: the statement's number from 0, and the column if it names one. */
  readonly about?: { readonly statement: number; readonly column: string | undefined } | undefined;
  /** The session ends with it: for a token that is no longer good. */
  readonly fatal: boolean;
};

function both(first: Ticket, second: Ticket): Ticket {
  return {
    get durable() {
      return first.durable && second.durable;
    },
    settled: (callback) => first.settled((error) => (error === undefined ? second.settled(callback) : callback(error))),
  };
}

/** A ticket for what needs no record of its own. */
export const noTicket: Ticket = { durable: true, settled: (callback) => callback(undefined) };

/** The permit of a recorded decision that allows or masks; undefined for one that does not, or that is about another text. */
export function enforce(decisionId: string, decision: Decision, ticket: Ticket): Permit | undefined {
  if (asksForSubstitutions(decision)) return undefined;
  return decision.action === "allow" || decision.action === "mask"
    ? new Permit(key, decisionId, decision, ticket, true)
    : undefined;
}

/** The permit of a command that a human approved: `decision` is the recorded require_approval, `ticket` the record of the grant. */
export function enforceApproved(decisionId: string, decision: Decision, ticket: Ticket): Permit {
  return new Permit(key, decisionId, decision, ticket, true);
}

/** In mode observe every recorded decision permits, and masks nothing. */
export function observe(decisionId: string | undefined, decision: Decision, ticket: Ticket): Permit {
  return new Permit(key, decisionId, decision, ticket, false);
}

/** The permit to prepare what the policy does not block. */
export function prepare(decision: Decision, enforced: boolean): Permit | undefined {
  return (decision.action !== "block" && !asksForSubstitutions(decision)) || !enforced
    ? new Permit(key, undefined, undefined, noTicket, enforced)
    : undefined;
}

/** The refusal that says why the policy blocked: the first reason speaks, the others follow in the detail. */
export function refusalOf(decisionId: string, decision: Decision): Refusal {
  const first = decision.reasons[0];
  const listed = first !== undefined && Object.hasOwn(ERRORS, first.code) ? ERRORS[first.code as ErrorCode] : undefined;
  const where = first?.statement != null ? `statement ${first.statement + 1}` : undefined;
  const places = [where, first?.column ?? undefined].filter((place) => place !== undefined).join(", column ");
  const others = decision.reasons.slice(1).map((other) => `${other.code}: ${other.message}`);
  const detail = [
    `${first?.code ?? "POLICY_BLOCKED"}${places === "" ? "" : ` (${places})`}; decision ${decisionId}.`,
    ...(others.length === 0 ? [] : [`Also: ${others.join("; ")}.`]),
  ].join(" ");
  return {
    code: first?.code ?? "POLICY_BLOCKED",
    sqlstate: listed?.sqlstate ?? ERRORS.POLICY_BLOCKED.sqlstate,
    message: `blocked by policy: ${first?.message ?? ERRORS.POLICY_BLOCKED.message}`,
    detail,
    hint: first?.hint ?? (listed as { hint?: string } | undefined)?.hint,
    about: first?.statement == null ? undefined : { statement: first.statement, column: first.column ?? undefined },
    decisionId,
    fatal: false,
  };
}

export function refusalFromError(error: RegateError, decisionId: string | undefined, fatal = false): Refusal {
  const named = decisionId === undefined ? error.code : `${error.code}; decision ${decisionId}.`;
  return {
    code: error.code,
    sqlstate: error.sqlstate,
    message: error.message,
    detail: error.detail === undefined ? named : `${error.detail} (${named})`,
    hint: error.hint,
    position: error.position,
    decisionId,
    fatal,
  };
}
