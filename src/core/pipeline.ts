// The walk of one command: facts in, decision, record, permit or refusal out; later its outcome. Start reading here.
import { randomUUID } from "node:crypto";
import { RegateError } from "../errors.ts";
import { bindingOf, waitMilliseconds } from "./approve.ts";
import type { Command, SessionContext } from "./command.ts";
import type { Decision } from "./decision.ts";
import { asksForSubstitutions, blockFor, withSubstitutions } from "./decision.ts";
import type { Refusal } from "./enforce.ts";
import { enforce, enforceApproved, observe, type Permit, prepare, refusalFromError, refusalOf } from "./enforce.ts";
import type { CommandFacts, Input } from "./facts.ts";
import { FACTS_VERSION } from "./facts.ts";
import { inferenceOf, NO_INFERENCE, noteProbes, type Probe, type Probes } from "./inference.ts";
import type { ApprovalEntry, Approvals, AuditLog, Clock, Policy, Ticket, TokenVerifier } from "./ports.ts";
import type { Outcome, RecordHeader } from "./record.ts";
import { approvalLine, decisionLine, outcomeLine } from "./record.ts";

export type Held = { readonly decisionId: string; readonly decision: Decision };
export type Verdict =
  | { readonly kind: "permit"; readonly permit: Permit }
  | { readonly kind: "refuse"; readonly refusal: Refusal }
  | { readonly kind: "hold"; readonly held: Held }
  /** Not this text: the protected columns are to be replaced in it, and what comes of that is to be judged. Nothing is recorded yet. */
  | { readonly kind: "substitute"; readonly decision: Decision };
/** Blocked, if what it was judged by holds: to be made sure of, and judged again. Nothing is recorded yet. */
export type Doubt = { readonly kind: "doubt" };

export type PipelineParts = {
  readonly policy: Policy;
  readonly audit: AuditLog;
  readonly approvals: Approvals;
  readonly verifier: Pick<TokenVerifier, "check">;
  readonly clock: Clock;
  readonly probes: Probes;
  readonly labels: { readonly [name: string]: string };
  readonly approvalTimeoutMs: number;
};

export class Pipeline {
  readonly policy: Policy;
  readonly #parts: PipelineParts;
  readonly #header: RecordHeader;

  constructor(parts: PipelineParts) {
    this.policy = parts.policy;
    this.#parts = parts;
    this.#header = { labels: parts.labels, mode: parts.policy.mode };
  }

  /**
   * Decides and records one command that is about to run. A promise only when the policy needs one (very large facts).
   * `sure` false: what it is judged by may not hold any more, so that a refusal is a doubt.
   */
  judge(session: SessionContext, command: Command): Verdict | Promise<Verdict>;
  judge(session: SessionContext, command: Command, sure: boolean): Verdict | Doubt | Promise<Verdict | Doubt>;
  judge(session: SessionContext, command: Command, sure = true): Verdict | Doubt | Promise<Verdict | Doubt> {
    const probes = this.#infer(session, command, true);
    const { inference } = session.facts;
    const act = (decision: Decision, started: number): Verdict => {
      const verdict = this.#act(session, command, this.#nextId(session), decision, started);
      if (verdict.kind !== "refuse") noteProbes(this.#parts.probes, session, probes);
      return verdict;
    };
    return this.#decide(session, command, sure, act, () => {
      // Other sessions may have tried values while this was decided aside.
      this.#infer(session, command, true);
      const same = JSON.stringify(session.facts.inference) === JSON.stringify(inference);
      return same ? undefined : this.judge(session, command, sure);
    });
  }

  /** A statement that is only prepared: what the policy blocks is refused (and recorded) already here; the rest is recorded when it runs. */
  prepare(session: SessionContext, command: Command): Verdict | Promise<Verdict>;
  prepare(session: SessionContext, command: Command, sure: boolean): Verdict | Doubt | Promise<Verdict | Doubt>;
  prepare(session: SessionContext, command: Command, sure = true): Verdict | Doubt | Promise<Verdict | Doubt> {
    this.#infer(session, command, false);
    return this.#decide(session, command, sure, (decision, started) => {
      const permit = prepare(decision, this.policy.mode === "enforce");
      return permit === undefined
        ? this.#act(session, command, this.#nextId(session), decision, started)
        : { kind: "permit", permit };
    });
  }

  /** What the policy would say of this, if it were sent; undefined where that takes long. Nothing is recorded, and nothing can run of it. */
  consult(session: SessionContext, command: Command): Decision | undefined {
    const decided = this.policy.evaluate(inputOf(this.#provisionalId(session), session, command.facts));
    return decided instanceof Promise ? undefined : decided;
  }

  /** Tells the policy what the command's lookups add up to, where a rule asks for it. */
  #infer(session: SessionContext, command: Command, runs: boolean): readonly Probe[] {
    const probes = command.probes !== undefined && this.policy.reads("session.inference") ? command.probes() : [];
    session.facts.inference =
      probes.length === 0 ? NO_INFERENCE : inferenceOf(this.#parts.probes, session, probes, runs);
    return probes;
  }

  #decide(
    session: SessionContext,
    command: Command,
    sure: boolean,
    act: (decision: Decision, started: number) => Verdict,
    /** Asked once a decision was waited for: what to do in its place, if it is of what was true before. */
    again: () => Verdict | Doubt | Promise<Verdict | Doubt> | undefined = () => undefined,
  ): Verdict | Doubt | Promise<Verdict | Doubt> {
    const ended = this.#ended(session, command.facts);
    if (ended !== undefined) return ended;
    const started = performance.now();
    const decided = this.policy.evaluate(inputOf(this.#provisionalId(session), session, command.facts));
    const next = (decision: Decision): Verdict | Doubt => {
      const enforces = this.policy.mode === "enforce";
      if (enforces && asksForSubstitutions(decision)) return { kind: "substitute", decision };
      if (enforces && !sure && decision.action === "block") return { kind: "doubt" };
      return act(decision, started);
    };
    return decided instanceof Promise ? decided.then((decision) => again() ?? next(decision)) : next(decided);
  }

  /** Decides a session's start. */
  connect(session: SessionContext): Verdict | Promise<Verdict> {
    const id = this.#nextId(session);
    const started = performance.now();
    const decided = this.policy.evaluate(inputOf(id, session, undefined));
    const act = (decision: Decision): Verdict => this.#act(session, undefined, id, decision, started, "connect");
    return decided instanceof Promise ? decided.then(act) : act(decided);
  }

  /** What cannot be judged (unparseable, too long, …) is refused with its own code, and recorded like a decision. */
  refuse(session: SessionContext, facts: CommandFacts | undefined, error: RegateError, fatal = false): Refusal {
    const id = this.#nextId(session);
    const decision = blockFor(id, error.code, error.detail);
    this.#record(session, facts, id, decision, 0);
    return refusalFromError(error, id, fatal);
  }

  /** Asks for approval. `onSettled` is called once: with the permit, or with the refusal that says how it ended. */
  hold(
    session: SessionContext,
    command: Command,
    held: Held,
    onSettled: (verdict: Verdict) => void,
  ): { id: string; expiresAt: string; cancel(): void } {
    const { approvals, clock, approvalTimeoutMs } = this.#parts;
    const { decision, decisionId } = held;
    const now = clock.now();
    const id = randomUUID();
    const binding = bindingOf(session, command.key(), this.policy.revision);
    const expiresAt = new Date(now + waitMilliseconds(decision.approval, approvalTimeoutMs)).toISOString();
    const request = {
      id,
      decision_id: decisionId,
      requested_at: new Date(now).toISOString(),
      expires_at: expiresAt,
      requester: session.identity,
      resource: session.resource.name,
      text: command.facts.text,
      reasons: decision.reasons.map(({ code, message }) => ({ code, message })),
      approvers: decision.approval?.approvers ?? [],
      count: decision.approval?.count ?? 1,
      binding,
    };
    const waiting = approvals.request(request, (entry) => {
      const ticket = this.#recordApproval(session, decisionId, entry);
      if (entry.state !== "approved")
        return onSettled({ kind: "refuse", refusal: refusalFromError(approvalError(entry), decisionId) });
      const ended = this.#ended(session, command.facts);
      if (ended !== undefined) return onSettled(ended);
      if (bindingOf(session, command.key(), this.policy.revision) !== entry.binding) {
        const stale = new RegateError("APPROVAL_STALE", { detail: `approval ${id}` });
        return onSettled({ kind: "refuse", refusal: refusalFromError(stale, decisionId) });
      }
      onSettled({ kind: "permit", permit: enforceApproved(decisionId, decision, ticket) });
    });
    this.#recordApproval(session, decisionId, { id, state: "pending", decided_by: [], comment: null });
    return { id, expiresAt, cancel: () => waiting.cancel() };
  }

  /** Records what became of a permitted command. */
  outcome(session: SessionContext, permit: Permit, outcome: Outcome): void {
    if (permit.decisionId === undefined) return;
    const line = outcomeLine(
      this.#header,
      session,
      permit.decisionId,
      ++session.sequence,
      this.#parts.clock.now(),
      outcome,
    );
    this.#parts.audit.later(line);
  }

  /** `id` is the record's: outcomes may have taken the number that the policy was asked under. */
  #act(
    session: SessionContext,
    command: Command | undefined,
    id: string,
    decided: Decision,
    started: number,
    stage = "command",
  ): Verdict {
    const { audit } = this.#parts;
    const facts = command?.facts;
    const decision = decided.id === id ? decided : { ...decided, id };
    const { substitutions } = command ?? {};
    const elapsed = performance.now() - started;
    if (audit.failure !== undefined) {
      // The log keeps it until it works again: what was refused meanwhile is told, and the session's sequence has no gap.
      this.#record(session, facts, id, blockFor(id, "AUDIT_UNAVAILABLE", audit.failure.message), elapsed, stage);
      return { kind: "refuse", refusal: unrecorded(audit.failure) };
    }
    const told = substitutions === undefined ? decision : withSubstitutions(decision, substitutions);
    const ticket = this.#record(session, facts, id, told, elapsed, stage);
    if (this.policy.mode === "observe") return { kind: "permit", permit: observe(id, decision, ticket) };
    const permit = enforce(id, decision, ticket);
    if (permit !== undefined) return { kind: "permit", permit };
    if (decision.action === "require_approval") return { kind: "hold", held: { decisionId: id, decision } };
    return { kind: "refuse", refusal: refusalOf(id, decision) };
  }

  #record(
    session: SessionContext,
    command: CommandFacts | undefined,
    decisionId: string,
    decision: Decision,
    elapsed: number,
    stage = "command",
  ): Ticket {
    const sequence = Number(decisionId.slice(decisionId.lastIndexOf("-") + 1));
    return this.#parts.audit.append(
      decisionLine(this.#header, {
        decisionId,
        sequence,
        session,
        stage,
        command,
        decision,
        revision: this.policy.revision,
        time: this.#parts.clock.now(),
        evaluationNs: Math.round(elapsed * 1e6),
      }),
    );
  }

  #recordApproval(
    session: SessionContext,
    decisionId: string,
    entry: Pick<ApprovalEntry, "id" | "state" | "decided_by" | "comment">,
  ): Ticket {
    const { id, state, decided_by, comment } = entry;
    const line = approvalLine(this.#header, session, decisionId, ++session.sequence, this.#parts.clock.now(), {
      id,
      state,
      decided_by,
      comment,
    });
    return this.#parts.audit.append(line);
  }

  /** A token that expired or was revoked ends what the session may do next. */
  ended(session: SessionContext, facts: CommandFacts): Refusal | undefined {
    const code = this.#parts.verifier.check(session.identity, Math.floor(this.#parts.clock.now() / 1000));
    return code === undefined ? undefined : this.refuse(session, facts, new RegateError(code), true);
  }

  #ended(session: SessionContext, facts: CommandFacts): Verdict | undefined {
    const refusal = this.ended(session, facts);
    return refusal === undefined ? undefined : { kind: "refuse", refusal };
  }

  #nextId(session: SessionContext): string {
    return `${session.facts.id}-${++session.sequence}`;
  }

  /** What the policy is asked under before it is known whether there will be a record. */
  #provisionalId(session: SessionContext): string {
    return `${session.facts.id}-${session.sequence + 1}`;
  }
}

/** What the policy is asked. */
export function inputOf(
  id: string,
  session: Pick<SessionContext, "identity" | "facts" | "resource">,
  command: CommandFacts | undefined,
): Input {
  const base = {
    version: FACTS_VERSION,
    id,
    identity: session.identity,
    session: session.facts,
    resource: session.resource,
  };
  return command === undefined ? { ...base, stage: "connect" } : { ...base, stage: "command", command };
}

function approvalError(entry: ApprovalEntry): RegateError {
  const detail = `approval ${entry.id}${entry.comment === null ? "" : `: ${entry.comment}`}`;
  if (entry.state === "denied") return new RegateError("APPROVAL_DENIED", { detail });
  if (entry.state === "canceled") return new RegateError("APPROVAL_CANCELED", { detail });
  return new RegateError("APPROVAL_TIMEOUT", { detail });
}

/** The refusal of what could not be recorded. */
export function unrecorded(failure: Error): Refusal {
  return refusalFromError(new RegateError("AUDIT_UNAVAILABLE", { cause: failure }), undefined);
}
