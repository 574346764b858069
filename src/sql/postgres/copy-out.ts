// What COPY … TO STDOUT will send: the form of its rows, and the query whose columns these are.
import type { CopyStmt, DefElem, Node } from "libpg-query";
import { namesOf } from "./nodes.ts";
import { parse, scan } from "./parser.ts";

/** The form of the rows, in the words of COPY's options. Characters are single bytes. */
export type CopyFormat =
  | { readonly format: "binary" }
  | { readonly format: "text"; readonly delimiter: number; readonly null: Buffer; readonly header: boolean }
  | {
      readonly format: "csv";
      readonly delimiter: number;
      readonly null: Buffer;
      readonly header: boolean;
      readonly quote: number;
      readonly escape: number;
      /** The names of columns whose values are always quoted, `*` for all. */
      readonly forceQuote: readonly string[];
    };

export type CopyOut = {
  /** A query with the same columns, to be described; its parts stand where they stand in the text. Or why there is none. */
  readonly query: string | { readonly impossible: string };
  /** Or why rows of this form cannot be rewritten. */
  readonly format: CopyFormat | { readonly impossible: string };
};

/** Options that say nothing of how rows look on their way out: those of COPY FROM, which the server refuses, or ignores. */
const WITHOUT_EFFECT = new Set([
  "freeze",
  "force_not_null",
  "force_null",
  "default",
  "on_error",
  "log_verbosity",
  "reject_limit",
]);
const KNOWN = new Set(["format", "delimiter", "null", "header", "quote", "escape", "force_quote", "encoding"]);

/** Statements before COPY in its text that change nothing of what its names mean. */
const HARMLESS_BEFORE = new Set(["SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "CopyStmt"]);
/** Settings that the description would meet otherwise than the COPY. */
const SETS_MEANING = /^(search_path|role|session_authorization|transaction_.*|default_transaction_.*)$/;

/**
 * `columns`: the columns of a table that is copied whole.
 * @throws RegateError as {@link parse}
 */
export function copyOut(text: string, statement: number, columns: readonly string[]): CopyOut {
  const raw = parse(text).stmts ?? [];
  const node = raw[statement]?.stmt;
  if (node === undefined || !("CopyStmt" in node)) throw new TypeError("not a COPY statement");
  const body = node.CopyStmt;
  const before = raw.slice(0, statement).every((one) => changesNoMeaning(one.stmt));
  const start = raw[statement]!.stmt_location ?? 0;
  return {
    query: before
      ? queryOf(text, start, body, columns)
      : { impossible: "a statement before it may change what it means" },
    format: formatOf(body.options ?? []),
  };
}

function changesNoMeaning(node: Node | undefined): boolean {
  if (node === undefined) return false;
  if ("TransactionStmt" in node) {
    const { kind, options } = node.TransactionStmt;
    return (kind === "TRANS_STMT_BEGIN" || kind === "TRANS_STMT_START") && options === undefined;
  }
  if ("VariableSetStmt" in node) {
    const { kind, name } = node.VariableSetStmt;
    return kind === "VAR_SET_VALUE" && name !== undefined && !SETS_MEANING.test(name.toLowerCase());
  }
  return Object.keys(node).every((kind) => HARMLESS_BEFORE.has(kind));
}

function queryOf(text: string, start: number, body: CopyStmt, columns: readonly string[]): CopyOut["query"] {
  if (body.query !== undefined) return innerText(text, start) ?? { impossible: "its query cannot be told" };
  const { relation, attlist } = body;
  if (relation?.relname === undefined) return { impossible: "its table cannot be told" };
  const names = attlist === undefined ? columns : namesOf(attlist);
  const table = [relation.catalogname, relation.schemaname, relation.relname].filter((name) => name !== undefined);
  return `SELECT ${names.map(quoted).join(", ")} FROM ONLY ${table.map(quoted).join(".")}`;
}

/** What stands in the first parentheses of the statement, behind as many spaces as the text has characters before it: errors keep their place. */
function innerText(text: string, start: number): string | undefined {
  const bytes = Buffer.from(text);
  let depth = 0;
  let from = 0;
  for (const token of scan(text)) {
    if (token.start < start) continue;
    const width = token.end - token.start;
    const byte = width === 1 ? bytes[token.start] : undefined;
    if (byte === 0x28 && depth++ === 0) from = token.end;
    else if (byte === 0x29 && --depth === 0) {
      const before = bytes.toString("utf8", 0, from);
      return `${" ".repeat([...before].length)}${bytes.toString("utf8", from, token.start)}`;
    }
  }
  return undefined;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** As ProcessCopyOptions reads them (copy.c). What it would refuse needs no answer here. */
function formatOf(nodes: readonly Node[]): CopyOut["format"] {
  const options = new Map<string, DefElem>();
  for (const node of nodes) {
    if (!("DefElem" in node)) return { impossible: "an option cannot be read" };
    const name = node.DefElem.defname ?? "";
    if (WITHOUT_EFFECT.has(name)) continue;
    if (!KNOWN.has(name)) return { impossible: `option ${name} is not known` };
    if (options.has(name)) return { impossible: `option ${name} is given twice` };
    options.set(name, node.DefElem);
  }
  const text = (name: string): string | undefined => textOf(options.get(name)?.arg);
  const encoding = text("encoding");
  if (options.has("encoding") && !/^(utf-?8|unicode)$/i.test(encoding ?? ""))
    return { impossible: "rows can be rewritten in UTF8 only" };
  const format = options.has("format") ? text("format") : "text";
  if (format === "binary") return { format };
  if (format !== "text" && format !== "csv") return { impossible: `format ${format} is not known` };
  const csv = format === "csv";
  const character = (name: string, otherwise: string): number | undefined => {
    const value = options.has(name) ? text(name) : otherwise;
    // One that is the end of a line would hide where rows end.
    return value !== undefined && /^[^\n\r\u0080-\uffff]$/.test(value) ? value.charCodeAt(0) : undefined;
  };
  const delimiter = character("delimiter", csv ? "," : "\t");
  const header = headerOf(options.get("header"));
  const nothing = options.has("null") ? text("null") : csv ? "" : "\\N";
  if (delimiter === undefined) return { impossible: "its delimiter cannot be told" };
  if (header === undefined) return { impossible: "option header cannot be told" };
  if (nothing === undefined) return { impossible: "what stands for NULL cannot be told" };
  if (!csv) {
    if (["quote", "escape", "force_quote"].some((name) => options.has(name)))
      return { impossible: "options of csv cannot be told in format text" };
    // A backslash at its end would hide the delimiter behind it.
    if (/(?<!\\)(\\\\)*\\$/.test(nothing)) return { impossible: "what stands for NULL ends with a backslash" };
    return { format, delimiter, null: Buffer.from(nothing), header };
  }
  const quote = character("quote", '"');
  const escaper = quote === undefined ? undefined : character("escape", String.fromCharCode(quote));
  if (quote === undefined || escaper === undefined) return { impossible: "its quotes cannot be told" };
  const forced = options.get("force_quote")?.arg;
  const forceQuote =
    forced === undefined ? [] : "A_Star" in forced ? ["*"] : "List" in forced ? namesOf(forced.List.items) : undefined;
  if (forceQuote === undefined) return { impossible: "option force_quote cannot be told" };
  return { format, delimiter, null: Buffer.from(nothing), header, quote, escape: escaper, forceQuote };
}

/** As defGetString does. */
function textOf(arg: Node | undefined): string | undefined {
  if (arg === undefined) return undefined;
  if ("String" in arg) return arg.String.sval ?? "";
  if ("Integer" in arg) return String(arg.Integer.ival ?? 0);
  if ("Float" in arg) return arg.Float.fval ?? "";
  if ("Boolean" in arg) return String(arg.Boolean.boolval ?? false);
  return undefined;
}

/** As defGetCopyHeaderOption does; undefined where the server would refuse it. */
function headerOf(option: DefElem | undefined): boolean | undefined {
  if (option === undefined) return false;
  if (option.arg === undefined) return true;
  if ("Integer" in option.arg) {
    const value = option.arg.Integer.ival ?? 0;
    return value === 0 ? false : value === 1 ? true : undefined;
  }
  const value = textOf(option.arg)?.toLowerCase();
  if (value === "true" || value === "on") return true;
  return value === "false" || value === "off" ? false : undefined;
}
