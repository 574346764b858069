// PostgreSQL's own grammar, as WASM instances that are replaced whenever one may have been harmed.
import type { ParseResult } from "libpg-query";
// @ts-expect-error: the package types its wrapper only, and the wrapper shares one instance for ever
import createModule from "libpg-query/wasm/libpg-query.js";
import { RegateError } from "../../errors.ts";
import { checkComplexity } from "./complexity.ts";

export type { ParseResult } from "libpg-query";

/** What emscripten gives: a heap, and the functions of libpg_query's C API. */
type Module = {
  _malloc(size: number): number;
  _free(pointer: number): void;
  _wasm_parse_query_raw(text: number): number;
  _wasm_free_parse_result(result: number): void;
  _wasm_fingerprint(text: number): number;
  _wasm_normalize_query(text: number): number;
  _wasm_parse_plpgsql(text: number): number;
  _wasm_scan(text: number): number;
  _wasm_free_string(pointer: number): void;
  lengthBytesUTF8(text: string): number;
  stringToUTF8(text: string, pointer: number, size: number): void;
  UTF8ToString(pointer: number): string;
  HEAPU32: Uint32Array;
};

export type ParseOptions = { readonly maxBytes?: number };
export const DEFAULT_MAX_BYTES = 1_048_576;
/** Instances that wait to replace a harmed one: instantiation is asynchronous, parsing is not. */
const SPARES = 2;

const spares: Module[] = [];
let current: Module | undefined;
let making = 0;

async function makeSpare(): Promise<void> {
  making++;
  try {
    spares.push((await createModule()) as Module);
  } finally {
    making--;
  }
}

function refill(): void {
  for (let missing = SPARES - spares.length - making; missing > 0; missing--) {
    // A failure here leaves no instance, and then every text is refused.
    makeSpare().catch(() => undefined);
  }
}

/** Instantiates the parser. Call once before the first {@link parse}. */
export async function ready(): Promise<void> {
  if (current !== undefined) return;
  await makeSpare();
  current ??= spares.pop();
  refill();
}

function instance(): Module {
  current ??= spares.pop();
  refill();
  if (current === undefined) {
    throw new RegateError("TEXT_TOO_COMPLEX", {
      detail: "the parser is being replaced",
      hint: "Send the command again.",
    });
  }
  return current;
}

/** An exception out of WASM may leave its stack and heap harmed (about forty stack overflows end an instance): never use it again. */
function discard(): void {
  current = undefined;
  refill();
}

function withText<T>(text: string, use: (module: Module, pointer: number) => T): T {
  const module = instance();
  let refusal: RegateError | undefined;
  try {
    const size = module.lengthBytesUTF8(text) + 1;
    const pointer = module._malloc(size);
    module.stringToUTF8(text, pointer, size);
    const result = use(module, pointer);
    module._free(pointer);
    return result;
  } catch (thrown) {
    if (thrown instanceof RegateError) refusal = thrown;
    if (refusal !== undefined && refusal.code === "TEXT_UNPARSEABLE") throw refusal;
    discard();
    throw refusal ?? new RegateError("TEXT_TOO_COMPLEX", { cause: thrown });
  }
}

/**
 * Parses a command's text; offsets in the result are bytes. `""` and `";"` give no statements.
 * @throws RegateError TEXT_TOO_LONG, TEXT_NOT_UTF8, TEXT_UNPARSEABLE, TEXT_TOO_COMPLEX
 */
export function parse(text: string, options: ParseOptions = {}): ParseResult {
  return JSON.parse(parseToJson(text, options)) as ParseResult;
}

/** The same, as the JSON text of the tree. */
export function parseToJson(text: string, options: ParseOptions = {}): string {
  checkText(text, options.maxBytes ?? DEFAULT_MAX_BYTES);
  if (text === "") return '{"stmts":[]}';
  return withText(text, (module, pointer) => {
    const result = module._wasm_parse_query_raw(pointer);
    if (result === 0) throw new Error("out of memory");
    // struct PgQueryParseResult { char *parse_tree; char *stderr_buffer; PgQueryError *error; }
    const heap = module.HEAPU32;
    const error = heap[(result + 8) >> 2]!;
    if (error !== 0) {
      const refusal = unparseable(module, error, text);
      module._wasm_free_parse_result(result);
      module._free(pointer);
      throw refusal;
    }
    const json = module.UTF8ToString(heap[result >> 2]!);
    module._wasm_free_parse_result(result);
    return json;
  });
}

/** Literals replaced by `$n`, for people to read. Only for texts that parse: for others the library returns its error as the result. */
export function normalize(text: string): string {
  return text === "" ? "" : stringResult(text, "_wasm_normalize_query");
}

/** A short hash for grouping in logs. It collides for different objects: nothing may be decided by it. */
export function fingerprint(text: string): string {
  return text === "" ? "" : stringResult(text, "_wasm_fingerprint");
}

/** A node of PL/pgSQL's tree: one member for its kind, or the members of a body. */
export type PlpgsqlNode = { readonly [member: string]: unknown };

/**
 * Parses the one CREATE FUNCTION (PROCEDURE) or DO in PL/pgSQL that the text is.
 * @throws RegateError as {@link parse}
 */
export function parsePlpgsql(text: string, options: { maxBytes?: number } = {}): PlpgsqlNode {
  checkText(text, options.maxBytes ?? DEFAULT_MAX_BYTES);
  const result = stringResult(text, "_wasm_parse_plpgsql");
  // What cannot be parsed gives a message instead of a tree.
  let tree: { plpgsql_funcs?: readonly { PLpgSQL_function?: PlpgsqlNode }[] };
  try {
    tree = JSON.parse(result) as typeof tree;
  } catch {
    throw new RegateError("TEXT_UNPARSEABLE", { message: result.slice(0, 200) });
  }
  const body = tree?.plpgsql_funcs?.length === 1 ? tree.plpgsql_funcs[0]?.PLpgSQL_function : undefined;
  if (body === undefined) throw new RegateError("TEXT_UNPARSEABLE", { message: "not one body in PL/pgSQL" });
  return body;
}

/** A lexical token; offsets in bytes. */
export type Token = { readonly start: number; readonly end: number; readonly text: string; readonly tokenName: string };

/** @throws RegateError as {@link parse} */
export function scan(text: string): readonly Token[] {
  checkText(text, DEFAULT_MAX_BYTES);
  const result = stringResult(text, "_wasm_scan");
  try {
    return (JSON.parse(result) as { tokens: readonly Token[] }).tokens;
  } catch {
    throw new RegateError("TEXT_UNPARSEABLE", { message: result.slice(0, 200) });
  }
}

type StringFunction = "_wasm_normalize_query" | "_wasm_fingerprint" | "_wasm_parse_plpgsql" | "_wasm_scan";

function stringResult(text: string, name: StringFunction): string {
  return withText(text, (module, pointer) => {
    const result = module[name](pointer);
    if (result === 0) throw new Error("out of memory");
    const string = module.UTF8ToString(result);
    module._wasm_free_string(result);
    return string;
  });
}

/** What can be said of a text before it is parsed. @throws RegateError TEXT_TOO_LONG, TEXT_NOT_UTF8, TEXT_TOO_COMPLEX */
export function checkText(text: string, maxBytes: number): void {
  // A UTF-16 unit is at most three bytes of UTF-8, so short texts need no count.
  if (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes) {
    throw new RegateError("TEXT_TOO_LONG", { detail: `more than ${maxBytes} bytes` });
  }
  // The library would cut at NUL and replace lone surrogates: what it reads would not be what the server reads.
  if (text.includes("\0")) throw new RegateError("TEXT_NOT_UTF8", { detail: "a NUL character" });
  if (!text.isWellFormed()) throw new RegateError("TEXT_NOT_UTF8", { detail: "a lone surrogate" });
  checkComplexity(text);
}

function unparseable(module: Module, error: number, text: string): RegateError {
  // struct PgQueryError { char *message; char *funcname; char *filename; int lineno; int cursorpos; char *context; }
  const heap = module.HEAPU32;
  const pointer = heap[error >> 2]!;
  const message = pointer === 0 ? "syntax error" : module.UTF8ToString(pointer);
  const position = heap[(error + 16) >> 2]! | 0;
  if (/memory exhausted|stack depth/.test(message)) return new RegateError("TEXT_TOO_COMPLEX", { detail: message });
  // The parser is the server's own: its message and position are what the server would have said.
  if (position <= 0) return new RegateError("TEXT_UNPARSEABLE", { message });
  const at = Math.min(position, text.length + 1);
  return new RegateError("TEXT_UNPARSEABLE", { message, detail: `at character ${at}`, position: at });
}
