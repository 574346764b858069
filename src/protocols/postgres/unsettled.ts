// Commands of a segment without BEGIN: an error behind them, or at its Sync (a deferred constraint), takes back what they did.
import { TRANSACTION } from "./codes.ts";
import type { Run } from "./pending.ts";
import type { Session } from "./session.ts";

/** Those that are over, and whose outcome is known only when their segment's transaction has ended. */
export class Unsettled {
  readonly #session: Session;
  #runs: Run[] = [];
  /** The SQLSTATE of the error that ended the segment. */
  #failed: string | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Must the outcome of what has just succeeded wait? Not in a transaction of the client's own: what ends that has a record of its own. */
  takes(run: Run): boolean {
    const session = this.#session;
    if (session.status !== TRANSACTION.idle || run.sqlstate !== null || session.backend.late !== undefined)
      return false;
    for (const { facts, effects } of run.statements) {
      // What commits within the segment by itself: COMMIT, what may not run in a transaction (VACUUM, CREATE DATABASE, …), a procedure.
      if (effects.transaction !== undefined && effects.transaction !== "begin") return this.#commits();
      if (facts.class === "ddl" || facts.class === "maintenance" || facts.class === "code") return this.#commits();
    }
    if (run.statements.every(({ facts }) => facts.class !== "write")) return false;
    this.#session.count(run);
    this.#runs.push(run);
    return true;
  }

  #commits(): false {
    this.ended(TRANSACTION.open);
    return false;
  }

  /** An error in the segment, or at its end. */
  fails(sqlstate: string): void {
    if (this.#runs.length > 0) this.#failed ??= sqlstate;
  }

  /** The segment is over, with this status: in a transaction that the client began, what ran has run. */
  ended(status: number): void {
    const failed = status === TRANSACTION.idle ? this.#failed : undefined;
    this.#failed = undefined;
    for (const run of this.#runs.splice(0)) {
      if (failed !== undefined) run.sqlstate = failed;
      this.#session.recordOutcome(run, failed === undefined ? "ok" : "error");
    }
  }

  /** The connection is gone before its end was told. */
  lost(): void {
    for (const run of this.#runs.splice(0)) this.#session.recordOutcome(run, "lost");
  }
}
