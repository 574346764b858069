// Defaults of records: the parser's tree leaves them out, so they are found in the text of the body.
import { converted, fieldsMeet } from "./plpgsql-conversions.ts";
import { expressionText } from "./plpgsql-expressions.ts";
import type { Walk } from "./plpgsql-expressions.ts";
import type { PlpgsqlNode, Token } from "./parser.ts";
import { scan } from "./parser.ts";

/**
 * `name type := expression;` where `name` is a record's: a statement that starts with a name goes on with `:=`, `=`, `.` or `[`, a
 * declaration with a type, and either stands behind `;` or DECLARE.
 */
export function recordDefaults(walk: Walk, text: string): void {
  const { store, datums } = walk;
  const records = new Set<string>();
  for (const datum of datums) {
    const body = datum.PLpgSQL_rec as PlpgsqlNode | undefined;
    if (body?.lineno !== undefined) records.add(String(body.refname));
  }
  if (records.size === 0) return;
  const bytes = Buffer.from(text);
  const tokens = scan(text).filter((token) => !/COMMENT/.test(token.tokenName));
  tokens.forEach((token, at) => {
    const name = nameOf(token);
    const next = tokens[at + 1];
    if (!records.has(name) || next === undefined || !isWord(next)) return;
    // In `FOR r IN` and `INTO r FROM` it is no declaration's.
    if (!/^(;|declare)$/i.test(tokens[at - 1]?.text ?? "")) return;
    let depth = 0;
    for (let i = at + 1; i < tokens.length; i++) {
      const { text: symbol } = tokens[i]!;
      if (symbol === "(" || symbol === "[") depth++;
      else if (symbol === ")" || symbol === "]") depth--;
      else if (symbol === ";" && depth <= 0) return;
      else if (depth === 0 && (symbol === ":=" || symbol === "=" || symbol.toLowerCase() === "default")) {
        const end = tokens.findIndex((other, place) => place > i && other.text === ";");
        const from = tokens[i]!.end;
        const to = end < 0 ? bytes.length : tokens[end]!.start;
        const value = expressionText(walk, bytes.subarray(from, to).toString());
        walk.assigned.push(value);
        const variable = store.declare(name);
        // Without a default there is no NOT NULL.
        if (/^null$/i.test(tokens[i - 1]!.text)) variable.notNull = true;
        if (value.row !== undefined) fieldsMeet(walk.recorder, variable, value.row);
        store.assign(variable, converted(walk.recorder, variable, value));
        return;
      }
    }
  });
}

function isWord(token: Token): boolean {
  return /^["\p{L}_]/u.test(token.text);
}

/** As the server folds it. */
function nameOf(token: Token): string {
  const { text } = token;
  if (text.startsWith('"')) return text.slice(1, -1).replaceAll('""', '"');
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
