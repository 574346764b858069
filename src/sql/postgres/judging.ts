// What it takes to judge a statement, and what a judgement says.
import type { Node } from "libpg-query";
import type { Effects, NameScope, StatementAnalysis } from "./analysis.ts";
import type { Recorder, Result } from "./recorder.ts";
import { Scope } from "./scope.ts";

/** What judging needs beside the node. */
export type Judging = {
  readonly recorder: Recorder;
  readonly scope: NameScope;
};

/** What a row says of one statement; the recorder holds the rest. */
export type Judged = {
  readonly verb: string;
  readonly result?: Result;
  readonly returnsRows?: boolean;
  /** Facts that are another statement's (EXECUTE, FETCH, EXPLAIN …). */
  readonly instead?: StatementAnalysis;
  readonly outputsKnown?: boolean;
  readonly copy?: "in" | "out";
} & Partial<Omit<Effects, "settings" | "catalog" | "temp" | "opaque">>;

// biome-ignore lint/suspicious/noExplicitAny: each row reads the body of its own kind
export type Judge = (judging: Judging, body: any, node: Node) => Judged;

/** Nothing is in scope: the expressions of utility statements. */
export const NO_SCOPE = new Scope(undefined, [], undefined);
