// How a server would run a statement: asked by EXPLAIN over connections of the gate's own, so that nothing runs and no session is touched.
import type { PlanNode } from "../../sql/postgres/plan.ts";
import { readPlans } from "../../sql/postgres/plan.ts";
import { OwnConnection } from "./connection.ts";
import type { UpstreamTarget } from "./target.ts";

/** One statement, and the state of the session that it is of: as which role and along which schemas its names resolve. */
export type PlanQuestion = {
  /** One statement's bytes. */
  readonly text: Uint8Array;
  /** As the client gave them; fewer than there are is fine. */
  readonly parameterTypes: readonly number[];
  readonly parameterCount: number;
  readonly searchPath: readonly string[];
  readonly user: string;
  /** Row-level security adds what its policies read; off, a statement that it would change has no plan. */
  readonly rowSecurity: boolean;
  /** Names in what is shown are qualified, outputs are listed. */
  readonly verbose: boolean;
};

/** Of one upstream database. More would only take the server's time from those who work. */
const connections = 2;
const name = "regate_plan";
/** A plan that takes longer is not known; nor is one for which a lock would be waited for. A plan for any parameters, whatever these will be. */
const settings = "SET statement_timeout = 1000; SET lock_timeout = 100; SET plan_cache_mode = force_generic_plan";

type Line = { connection: OwnConnection | undefined; state: string; last: Promise<unknown>; waiting: number };

export class Planner {
  readonly #target: UpstreamTarget;
  readonly #lines: Line[] = [];
  #closed = false;

  constructor(target: UpstreamTarget) {
    this.#target = target;
    for (let i = 0; i < connections; i++)
      this.#lines.push({ connection: undefined, state: "", last: Promise.resolve(), waiting: 0 });
  }

  /** How many questions wait or are being asked. */
  get waiting(): number {
    return this.#lines.reduce((sum, line) => sum + line.waiting, 0);
  }

  /** The plans that the server would run (several where rules make several of it). @throws RegateError CATALOG_UNAVAILABLE where it has none, UPSTREAM_* */
  plans(question: PlanQuestion): Promise<readonly PlanNode[]> {
    const line = this.#lines.reduce((least, other) => (other.waiting < least.waiting ? other : least));
    line.waiting++;
    const answer = line.last.then(() => this.#ask(line, question));
    line.last = answer.catch(() => undefined).finally(() => line.waiting--);
    return answer;
  }

  async #ask(line: Line, question: PlanQuestion): Promise<readonly PlanNode[]> {
    if (line.connection === undefined || line.connection.closed) {
      line.connection = await OwnConnection.open(this.#target);
      line.state = "";
      if (this.#closed) line.connection.close();
      await line.connection.query(settings);
    }
    const { connection } = line;
    const state = stateSql(question);
    if (line.state !== state) {
      line.state = "";
      await connection.query(state);
      line.state = state;
    }
    await connection.prepare(name, question.text, question.parameterTypes);
    const values =
      question.parameterCount === 0 ? "" : `(${new Array(question.parameterCount).fill("NULL").join(", ")})`;
    const options = question.verbose ? "VERBOSE, FORMAT JSON" : "FORMAT JSON";
    const rows = await connection.query(`EXPLAIN (${options}) EXECUTE ${name}${values}`);
    return readPlans(rows[0]?.[0] ?? "");
  }

  close(): void {
    this.#closed = true;
    for (const { connection } of this.#lines) connection?.close();
  }
}

function stateSql({ searchPath, user, rowSecurity }: PlanQuestion): string {
  // A session's own schema is nobody else's.
  const path = searchPath.filter((schema) => !schema.startsWith("pg_temp_")).map(quoted);
  const role = `SET ROLE NONE; SET ROLE ${quoted(user)}`;
  return `${user === "" ? "" : `${role}; `}SET row_security = ${rowSecurity ? "on" : "off"}; SET search_path = ${path.length === 0 ? "''" : path.join(", ")}`;
}

function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}
