// Held commands and what became of them: in memory while they wait, in a journal for who looks later.
import type { Identity } from "../core/facts.ts";
import type { ApprovalEntry, ApprovalRequest, Approvals, ApprovalState } from "../core/ports.ts";
import { RegateError } from "../errors.ts";
import { objection } from "./chain.ts";
import type { Journal } from "./journal.ts";

/** How much of what is settled stays in memory. */
const SETTLED_ENTRIES = 1000;
const SETTLED_CHARACTERS = 16 << 20;
const COMMENT = 1000;
/** setTimeout takes no more. */
const LONGEST_TIMER = 0x7fffffff;

type Waiting = { timer: NodeJS.Timeout; onSettled: (entry: ApprovalEntry) => void };

export type ApprovalsOptions = {
  readonly journal: Journal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
};

/**
 * Each pending approval belongs to a session that waits in this process. One that the journal still shows as pending lost its session
 * with an earlier process: it is canceled.
 */
export class EmbeddedApprovals implements Approvals {
  readonly #entries = new Map<string, ApprovalEntry>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #options: ApprovalsOptions;
  #settledCharacters = 0;
  #settledEntries = 0;
  #closed = false;

  constructor(options: ApprovalsOptions) {
    this.#options = options;
    const journaled = options.journal.entries();
    for (const entry of journaled) {
      if (entry.state === "pending") this.#entries.set(entry.id, entry);
      else this.#keep(entry);
    }
    for (const { id, state } of journaled)
      if (state === "pending") this.#end(id, "canceled", "The gate was restarted while it waited.");
  }

  request(request: ApprovalRequest, onSettled: (entry: ApprovalEntry) => void): { cancel(): void } {
    if (this.#entries.has(request.id))
      throw new RegateError("INTERNAL", { detail: `approval ${request.id} exists already` });
    if (this.#closed) throw new RegateError("SHUTTING_DOWN");
    const entry: ApprovalEntry = { ...request, state: "pending", decided_by: [], decided_at: null, comment: null };
    const timer = this.#timer(request);
    this.#entries.set(entry.id, entry);
    this.#waiting.set(entry.id, { timer, onSettled });
    this.#write(entry);
    return { cancel: () => this.#end(request.id, "canceled") };
  }

  list(): readonly ApprovalEntry[] {
    return [...this.#entries.values()];
  }

  /** @throws RegateError APPROVAL_UNKNOWN, APPROVAL_SETTLED, APPROVAL_NOT_ALLOWED */
  decide(id: string, verdict: "approve" | "deny", approver: Identity, comment?: string): ApprovalEntry {
    const found = this.#entries.get(id);
    if (found === undefined) throw new RegateError("APPROVAL_UNKNOWN", { detail: id });
    // A timer may be late; the time is not.
    if (found.state === "pending" && Date.parse(found.expires_at) <= this.#options.now()) this.#end(id, "expired");
    const entry = this.#entries.get(id) ?? found;
    if (entry.state !== "pending") throw new RegateError("APPROVAL_SETTLED", { detail: `${id} is ${entry.state}` });
    const against = objection(entry, approver, entry.decided_by);
    if (against !== undefined) throw new RegateError("APPROVAL_NOT_ALLOWED", { detail: against });
    const decided = { ...entry, decided_by: [...entry.decided_by, approver.subject] };
    const said = comment === undefined || comment === "" ? entry.comment : [...comment].slice(0, COMMENT).join("");
    if (verdict === "deny") return this.#settle({ ...decided, decided_by: [approver.subject] }, "denied", said);
    if (decided.decided_by.length >= Math.max(1, entry.count)) return this.#settle(decided, "approved", said);
    const pending = { ...decided, comment: said };
    this.#entries.set(id, pending);
    this.#write(pending);
    return pending;
  }

  /** Ends every wait. */
  close(): void {
    this.#closed = true;
    for (const id of [...this.#waiting.keys()]) this.#end(id, "canceled");
  }

  #timer(request: ApprovalRequest): NodeJS.Timeout {
    const left = Math.max(0, Date.parse(request.expires_at) - this.#options.now());
    const expire = (): void => {
      const waiting = this.#waiting.get(request.id);
      if (waiting === undefined) return;
      if (Date.parse(request.expires_at) > this.#options.now()) waiting.timer = this.#timer(request);
      else this.#end(request.id, "expired");
    };
    return setTimeout(expire, Math.min(left, LONGEST_TIMER)).unref();
  }

  #end(id: string, state: "expired" | "canceled", why?: string): void {
    const entry = this.#entries.get(id);
    if (entry?.state === "pending") this.#settle(entry, state, why ?? entry.comment);
  }

  /** The one way out of pending: the state first, then everybody else. */
  #settle(entry: ApprovalEntry, state: Exclude<ApprovalState, "pending">, comment: string | null): ApprovalEntry {
    const settled: ApprovalEntry = {
      ...entry,
      state,
      comment,
      decided_at: new Date(this.#options.now()).toISOString(),
    };
    const waiting = this.#waiting.get(entry.id);
    this.#waiting.delete(entry.id);
    clearTimeout(waiting?.timer);
    this.#entries.delete(entry.id);
    this.#keep(settled);
    this.#write(settled);
    try {
      waiting?.onSettled(settled);
    } catch (error) {
      this.#options.onError(error);
    }
    return settled;
  }

  /** Among the settled, the oldest go first. */
  #keep(entry: ApprovalEntry): void {
    this.#entries.set(entry.id, entry);
    this.#settledEntries++;
    this.#settledCharacters += entry.text.length;
    if (this.#settledEntries <= SETTLED_ENTRIES && this.#settledCharacters <= SETTLED_CHARACTERS) return;
    for (const [id, old] of this.#entries) {
      if (old.state === "pending" || old === entry) continue;
      this.#entries.delete(id);
      this.#settledEntries--;
      this.#settledCharacters -= old.text.length;
      if (this.#settledEntries <= SETTLED_ENTRIES && this.#settledCharacters <= SETTLED_CHARACTERS) return;
    }
  }

  /** The journal is for history; what counts is recorded in the decision log. So its failure is told, and ends nothing. */
  #write(entry: ApprovalEntry): void {
    try {
      this.#options.journal.write(entry, () => this.list());
    } catch (error) {
      this.#options.onError(error);
    }
  }
}
