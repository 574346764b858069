// Functions of users as the server wrote them down: language, text or tree of the body, defaults, and the settings that hold in it.
import type { CreateFunctionStmt, Node, VariableSetStmt } from "libpg-query";
import type { FunctionEntry } from "./model.ts";
import { constantOf, optionOf } from "./nodes.ts";
import { parse } from "./parser.ts";

export type Definition = {
  readonly language: "sql" | "plpgsql";
  /** The text of the body. */
  readonly text: string;
  /** The body as the server has bound it, instead of a text: its names are qualified and mean what they meant when it was made. */
  readonly bound: readonly Node[] | undefined;
  /** SET search_path of the function: schemas in order. */
  readonly searchPath: readonly string[] | undefined;
  /** The expressions of parameters that have a default, by their place among the input parameters. */
  readonly defaults: ReadonlyMap<number, Node>;
};

const MAX_DEFINITION = 4 * 1_048_576;
/** Settings under which a text is read otherwise, or that choose another role. */
const CHANGES_READING: ReadonlySet<string> = new Set([
  "standard_conforming_strings",
  "transform_null_equals",
  "role",
  "session_authorization",
]);

const known = new WeakMap<FunctionEntry, Definition | "unreadable">();

/** Undefined: nothing is known of its body. */
export function definitionOf(entry: FunctionEntry): Definition | undefined {
  if (entry.body === undefined) return undefined;
  let definition = known.get(entry);
  if (definition === undefined) {
    definition = read(entry.body.definition) ?? "unreadable";
    known.set(entry, definition);
  }
  return definition === "unreadable" ? undefined : definition;
}

/** CREATE FUNCTION, as the server writes it. */
export function definitionText(entry: FunctionEntry): string {
  return entry.body?.definition ?? "";
}

function read(text: string): Definition | undefined {
  let statement: Node | undefined;
  try {
    statement = parse(text, { maxBytes: MAX_DEFINITION }).stmts?.[0]?.stmt;
  } catch {
    return undefined;
  }
  if (statement === undefined || !("CreateFunctionStmt" in statement)) return undefined;
  const body = statement.CreateFunctionStmt;
  const language = optionOf(body.options, "language");
  if (language !== "sql" && language !== "plpgsql") return undefined;
  let searchPath: readonly string[] | undefined;
  for (const option of body.options ?? []) {
    if (!("DefElem" in option) || option.DefElem.defname !== "set") continue;
    const set = option.DefElem.arg;
    if (set === undefined || !("VariableSetStmt" in set)) return undefined;
    const name = (set.VariableSetStmt.name ?? "").toLowerCase();
    if (CHANGES_READING.has(name)) return undefined;
    if (name === "search_path") searchPath = schemas(set.VariableSetStmt);
    if (name === "search_path" && searchPath === undefined) return undefined;
  }
  return { language, text: textOf(body), bound: boundOf(body.sql_body), searchPath, defaults: defaultsOf(body) };
}

function textOf(body: CreateFunctionStmt): string {
  for (const option of body.options ?? []) {
    if (!("DefElem" in option) || option.DefElem.defname !== "as") continue;
    const arg = option.DefElem.arg;
    if (arg !== undefined && "List" in arg) return constantOf(arg.List.items?.[0]) ?? "";
  }
  return "";
}

/** RETURN expression, or the statements of BEGIN ATOMIC … END (a list in a list). */
function boundOf(node: Node | undefined): readonly Node[] | undefined {
  if (node === undefined) return undefined;
  if (!("List" in node)) return [node];
  return (node.List.items ?? []).flatMap((item) => ("List" in item ? (item.List.items ?? []) : [item]));
}

/** Undefined: it depends on the role. */
function schemas(set: VariableSetStmt): readonly string[] | undefined {
  const names = (set.args ?? []).map((arg) => constantOf(arg) ?? "$user");
  return names.includes("$user") ? undefined : names.filter((name) => name !== "");
}

function defaultsOf(body: CreateFunctionStmt): ReadonlyMap<number, Node> {
  const defaults = new Map<number, Node>();
  let place = 0;
  for (const node of body.parameters ?? []) {
    if (!("FunctionParameter" in node)) continue;
    const { mode, defexpr } = node.FunctionParameter;
    if (mode === "FUNC_PARAM_OUT" || mode === "FUNC_PARAM_TABLE") continue;
    if (defexpr !== undefined) defaults.set(place, defexpr);
    place++;
  }
  return defaults;
}
