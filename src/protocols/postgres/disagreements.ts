// Facts that the server contradicts: counted, told to the operator, stored for reproduction, and refused from then on where that is asked for.
import { createHash } from "node:crypto";
import type { CommandFacts, StatementFacts } from "../../core/facts.ts";
import type { ErrorCode } from "../../errors.ts";
import type { ShimLog } from "../shim.ts";

export type OnDisagreement = "alarm" | "refuse";

/** What was found. Parameters and rows are never part of it; the text is as the client sent it, as it is in the decision log. */
export type Disagreement = {
  readonly code: Extract<ErrorCode, "CATALOG_MISMATCH" | "PLAN_MISMATCH">;
  readonly findings: readonly string[];
  readonly command: CommandFacts;
  /** Which of its statements. */
  readonly statement: number;
  readonly searchPath: readonly string[];
  readonly user: string;
  readonly catalogVersion: string;
  readonly serverVersion: number;
  /** The server's side: its description of the result, or its plans. */
  readonly server: { readonly fields: readonly object[] } | { readonly plans: readonly object[] };
};

export type DisagreementCounts = { readonly descriptions: number; readonly plans: number };

/** Different facts that are remembered; beyond these nothing new is stored or refused. */
const most = 1000;

export class Disagreements {
  #descriptions = 0;
  #plans = 0;
  readonly #known = new Set<string>();
  readonly #refused = new Set<string>();
  readonly #keys = new WeakMap<StatementFacts, string>();
  readonly #resource: string;
  readonly #on: OnDisagreement;
  readonly #store: (report: object) => string | undefined;
  readonly #log: ShimLog;

  constructor(options: {
    readonly resource: string;
    readonly on: OnDisagreement;
    readonly store: (report: object) => string | undefined;
    readonly log: ShimLog;
  }) {
    this.#resource = options.resource;
    this.#on = options.on;
    this.#store = options.store;
    this.#log = options.log;
  }

  get counts(): DisagreementCounts {
    return { descriptions: this.#descriptions, plans: this.#plans };
  }

  /** Does the command have facts that a plan contradicted, where such are refused? Costs nothing while there are none. */
  refuses(command: CommandFacts): boolean {
    return this.#refused.size > 0 && command.statements.some((facts) => this.#refused.has(this.#keyOf(facts)));
  }

  /** Takes note of one. Each is counted; the same is told and stored once. */
  add(found: Disagreement): void {
    if (found.code === "PLAN_MISMATCH") this.#plans++;
    else this.#descriptions++;
    const facts = found.command.statements[found.statement];
    const key = facts === undefined ? "" : this.#keyOf(facts);
    const same = `${found.code} ${key} ${found.findings.join("\n")}`;
    if (this.#known.has(same) || this.#known.size >= most) return;
    this.#known.add(same);
    if (this.#on === "refuse" && found.code === "PLAN_MISMATCH" && key !== "") this.#refused.add(key);
    const file = this.#store({ resource: this.#resource, at: new Date().toISOString(), ...found });
    const fields = { code: found.code, resource: this.#resource, findings: found.findings.slice(0, 5), file };
    // A catalog that was changed elsewhere a moment ago is described otherwise, too: the command was refused, and is read anew.
    if (found.code === "PLAN_MISMATCH") this.#log.error(fields, "the server's plan names what the facts do not");
    else this.#log.warn(fields, "the server described a result otherwise than derived; it was refused");
  }

  /** What facts say, whatever text they are of. */
  #keyOf(facts: StatementFacts): string {
    let key = this.#keys.get(facts);
    if (key === undefined) {
      const { limit: _, estimate: __, ...rest } = facts;
      key = createHash("sha256").update(JSON.stringify(rest)).digest("base64");
      this.#keys.set(facts, key);
    }
    return key;
  }
}
