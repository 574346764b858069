// What the server still owes an answer to, in order: the other half of pipelining.
import type { Refusal } from "../../core/enforce.ts";
import type { CommandFacts } from "../../core/facts.ts";
import type { Permit } from "../../core/enforce.ts";
import type { Analysis, StatementAnalysis } from "../../sql/postgres/analyze.ts";
import type { Rewriting } from "./rewriting.ts";
import type { Portal, Prepared } from "./registry.ts";
import type { RowPlan } from "./rows.ts";
import type { CopyMasker } from "./copy-masker.ts";
import type { Field } from "./message.ts";

/** What is known of a COPY … TO STDOUT before it runs. */
export type CopyPlan = {
  readonly columns: number;
  readonly binary: boolean;
  /** Undefined where nothing of it is masked. */
  readonly masker: CopyMasker | undefined;
};

/** One permitted command while it runs, and what is counted for its outcome. */
export type Run = {
  readonly permit: Permit;
  readonly statements: readonly StatementAnalysis[];
  /** Undefined for what never runs. */
  readonly command: CommandFacts | undefined;
  /** Where each statement is in the command's text. */
  readonly locations: Analysis["locations"];
  /** What became of the client's text before it was sent, if anything. */
  readonly rewriting: Rewriting | undefined;
  readonly started: number;
  rows: number;
  bytes: number;
  maskedCells: number;
  sqlstate: string | null;
  tag: string | null;
  /** The masks of the result that is under way. */
  plan: RowPlan | undefined;
  /** By statement. */
  readonly copies: Map<number, CopyPlan>;
  /** The COPY that is under way: what masks it, or that it passes. Undefined: nothing is copied out. */
  copying: CopyMasker | "passes" | undefined;
  /** What it used is a part of the session's usage. */
  counted: boolean;
  done: boolean;
};

export function newRun(
  permit: Permit,
  statements: readonly StatementAnalysis[],
  command?: CommandFacts,
  locations: Analysis["locations"] = [],
  rewriting?: Rewriting,
): Run {
  return {
    permit,
    statements,
    command,
    locations,
    rewriting,
    started: performance.now(),
    rows: 0,
    bytes: 0,
    maskedCells: 0,
    sqlstate: null,
    tag: null,
    plan: undefined,
    copies: new Map(),
    copying: undefined,
    counted: false,
    done: false,
  };
}

/** `segment` counts Syncs: what lies between two of them fails together. `silent`: the gate asked, the client is not told. */
export type Op = { readonly segment: number } & (
  | { readonly kind: "parse"; readonly prepared: Prepared }
  /** One that may change something by itself. */
  | { readonly kind: "parse"; readonly prepared: Prepared; readonly run: Run }
  | { readonly kind: "bind"; readonly portal: Portal; readonly run: Run }
  | { readonly kind: "close"; readonly target: "statement" | "portal"; readonly name: string }
  | { readonly kind: "describe"; readonly portal: Portal | undefined; readonly silent: boolean }
  | { readonly kind: "execute"; readonly portal: Portal; readonly run: Run }
  | { readonly kind: "query"; readonly run: Run; statement: number }
  | { readonly kind: "call"; readonly run: Run }
  | { readonly kind: "sync"; readonly silent: boolean }
  /** What a COPY is about to show is described: one query for each. Undefined for what has no columns. */
  | {
      readonly kind: "outline";
      readonly run: Run;
      left: number;
      readonly fields: (readonly Field[] | undefined)[];
      readonly done: (fields: readonly (readonly Field[] | undefined)[]) => void;
    }
  /** Stands where a refused command would have been: the server is made to fail there, and the client is told the refusal. */
  | { readonly kind: "fail"; readonly refusal: Refusal | undefined }
  /** Questions of the gate's own. `left`: how many are unanswered where they stand within the client's segment; undefined: they have a Sync of their own. */
  | {
      readonly kind: "probe";
      readonly rows: (string | null)[][];
      left: number | undefined;
      failed: boolean;
      readonly done: (rows: (string | null)[][] | undefined) => void;
    }
);

/** A queue that is cheap at both ends: ops come and go for every message. */
export class PendingQueue {
  #items: (Op | undefined)[] = [];
  #head = 0;
  #pushed = 0;

  /** The number that the next op will have. */
  get next(): number {
    return this.#pushed + 1;
  }

  /** The number of the first op, which is answered next. */
  get current(): number {
    return this.#pushed - this.length + 1;
  }

  /** Is the op of this number unanswered? */
  waits(serial: number): boolean {
    return serial >= this.current && serial <= this.#pushed;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  first(): Op | undefined {
    return this.#items[this.#head];
  }

  push(op: Op): void {
    this.#items.push(op);
    this.#pushed++;
  }

  shift(): Op | undefined {
    const op = this.#items[this.#head];
    if (op === undefined) return undefined;
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return op;
  }

  some(test: (op: Op) => boolean): boolean {
    for (let i = this.#head; i < this.#items.length; i++) if (test(this.#items[i]!)) return true;
    return false;
  }
}
