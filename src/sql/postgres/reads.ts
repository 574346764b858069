// What a rewriter has to know of the names in a text, told while they are resolved.
import type { CopyStmt, Node, RangeVar } from "libpg-query";
import type { FunctionEntry, Relation } from "./model.ts";
import type { Value } from "./value.ts";

/** The nodes may be of another tree, too: of a body or a definition that the statement runs. */
export type Reads = {
  /** The name in FROM (or USING, or TABLE) stands for this relation, and not for a common table expression. */
  relation(range: RangeVar, relation: Relation): void;
  /** COPY relation TO. */
  copied(body: CopyStmt, relation: Relation): void;
  /** `schema.table.column` or `schema.table.*`. `bare`: without the schema the name would stand for the same. */
  qualified(fields: readonly Node[], relation: Relation, bare: boolean): void;
  /** A name stands for this value, and nothing else. */
  named(fields: readonly Node[], value: Value): void;
  /** `*` or a row of it as a whole stands somewhere. */
  whole(relation: Relation): void;
  /** The functions of which the server calls one with these arguments. */
  passed(entries: readonly FunctionEntry[], args: readonly Value[]): void;
};
