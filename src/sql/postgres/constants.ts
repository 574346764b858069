// Constants in expressions, as the server reads them: through casts that leave the value as it is, and as nothing through any other.
import type { Node } from "libpg-query";
import { typeOf } from "./casts.ts";
import { constantOf } from "./nodes.ts";
import type { Recorder } from "./recorder.ts";

/** text, varchar */
const TEXTS: ReadonlySet<number> = new Set([25, 1043]);
/** regclass is made of a name, too. */
const NAMES: ReadonlySet<number> = new Set([...TEXTS, 2205]);
const BOOLEANS: ReadonlySet<number> = new Set([...TEXTS, 16]);
/** bigint, smallint, integer, from a text as well. */
const INTEGERS: ReadonlySet<number> = new Set([20, 21, 23, ...TEXTS]);

/** The value of a constant text; undefined for anything else, null for NULL. */
export function textOf(recorder: Recorder, node: Node | undefined): string | null | undefined {
  const bare = below(recorder, node, TEXTS);
  // As a text, `1e3` is 1000, and `B'1'` is 1.
  if (bare !== undefined && "A_Const" in bare && (bare.A_Const.fval ?? bare.A_Const.bsval) !== undefined)
    return undefined;
  return constantOf(bare);
}

/** The name of a relation, as functions of sequences take it. */
export function relationNameOf(recorder: Recorder, node: Node | undefined): string | null | undefined {
  return constantOf(below(recorder, node, NAMES));
}

/** A constant number, as it is written; of what is cast to an integer only what is one. */
export function numberOf(recorder: Recorder, node: Node | undefined): string | null | undefined {
  const bare = below(recorder, node, INTEGERS);
  const text = constantOf(bare);
  return bare === node || text === null || /^-?\d+$/.test(text ?? "") ? text : undefined;
}

/** A constant truth value; undefined for anything else, and for what the server does not take for one. */
export function truthOf(recorder: Recorder, node: Node | undefined): boolean | null | undefined {
  const text = constantOf(below(recorder, node, BOOLEANS));
  if (typeof text !== "string") return text;
  // parse_bool_with_len of bool.c, with the blanks around it that boolin takes away.
  const word = text.replaceAll(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, "").toLowerCase();
  if (/^(t(r(ue?)?)?|y(es?)?|on|1)$/.test(word)) return true;
  if (/^(f(a(l(se?)?)?)?|no?|off?|0)$/.test(word)) return false;
  return undefined;
}

/** What stands below casts to these types, without a length. */
function below(recorder: Recorder, node: Node | undefined, types: ReadonlySet<number>): Node | undefined {
  if (node === undefined || !("TypeCast" in node)) return node;
  const { arg, typeName } = node.TypeCast;
  const keeps = (typeName?.typmods ?? []).length === 0 && types.has(typeOf(recorder, typeName));
  return keeps ? below(recorder, arg, types) : undefined;
}
