// Makes a statement smaller that shows something, by leaving out and pulling up parts of its text.
import { parse } from "../../../../src/sql/postgres/parser.ts";

const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\d+\.\d+|[A-Za-z_0-9$]+|[()[\],;.]|[^\sA-Za-z_0-9$()[\],;.'"]+/g;
/** What the server is asked. */
const MAX_ASKED = 1_500;

/** The smallest text that is found for which `shows` still holds. */
export async function shrink(text: string, shows: (text: string) => Promise<boolean>): Promise<string> {
  let tokens: readonly string[] = text.match(TOKEN) ?? [];
  let asked = 0;
  const accept = async (candidate: readonly string[]): Promise<boolean> => {
    const smaller = candidate.join(" ");
    if (candidate.length === 0 || asked >= MAX_ASKED || !parses(smaller)) return false;
    asked++;
    if (!(await shows(smaller))) return false;
    tokens = candidate;
    return true;
  };
  if (!(await accept(tokens))) return text;
  for (let better = true; better && asked < MAX_ASKED; ) {
    better = false;
    for (let size = tokens.length >> 1; size >= 1; size = size > 24 ? size >> 1 : size - 1) {
      for (let at = 0; at + size <= tokens.length; at++) {
        if (!balanced(tokens, at, at + size)) continue;
        if (await accept([...tokens.slice(0, at), ...tokens.slice(at + size)])) {
          better = true;
          at--;
        } else if (size > 2 && (await accept([...tokens.slice(0, at), "NULL", ...tokens.slice(at + size)])))
          better = true;
      }
    }
    for (const [from, to] of brackets(tokens)) {
      // What is in brackets, in the place of what is around it.
      if (await accept(tokens.slice(from + 1, to))) {
        better = true;
        break;
      }
    }
  }
  return tokens
    .join(" ")
    .replaceAll(" . ", ".")
    .replaceAll(" ,", ",")
    .replaceAll("( ", "(")
    .replaceAll(" )", ")")
    .replaceAll(" :: ", "::");
}

function parses(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

function balanced(tokens: readonly string[], from: number, to: number): boolean {
  let depth = 0;
  for (let at = from; at < to; at++) {
    if (tokens[at] === "(" || tokens[at] === "[") depth++;
    else if ((tokens[at] === ")" || tokens[at] === "]") && --depth < 0) return false;
  }
  return depth === 0;
}

function brackets(tokens: readonly string[]): (readonly [number, number])[] {
  const found: (readonly [number, number])[] = [];
  const open: number[] = [];
  tokens.forEach((token, at) => {
    if (token === "(") open.push(at);
    else if (token === ")") found.push([open.pop() ?? 0, at]);
  });
  return found.sort((left, right) => left[1] - left[0] - (right[1] - right[0]));
}
