// Reads the server's own tree of a statement, in the text form of pg_node_tree and of debug_print_parse (readfuncs.c, read.c).

/** A node: its kind in `kind`, its fields as they are named. */
export type TreeNode = { readonly kind: string; readonly [field: string]: Tree };
export type Tree = string | null | TreeNode | readonly Tree[];

export function isNode(tree: Tree | undefined): tree is TreeNode {
  return typeof tree === "object" && tree !== null && !Array.isArray(tree);
}

export function listOf(tree: Tree | undefined): readonly Tree[] {
  return Array.isArray(tree) ? tree : [];
}

/** Nodes of a list, whatever else is in it left out. */
export function nodesOf(tree: Tree | undefined): readonly TreeNode[] {
  return listOf(tree).filter(isNode);
}

export function numberOf(tree: Tree | undefined): number {
  return typeof tree === "string" ? Number(tree) : 0;
}

/** As they were called until PostgreSQL 15. */
const RENAMED: Readonly<Record<string, string>> = {
  CASE: "CASEEXPR",
  WHEN: "CASEWHEN",
  ROW: "ROWEXPR",
  ARRAY: "ARRAYEXPR",
  COALESCE: "COALESCEEXPR",
};

/** @throws Error when it is no such tree */
export function readTree(text: string): Tree {
  const tokens = text.match(/[(){}]|(?:\\[\s\S]|[^\s(){}\\])+/g) ?? [];
  let at = 0;
  const value = (): Tree => {
    const token = tokens[at++];
    if (token === undefined) throw new Error("the tree ends early");
    if (token === "{") return node();
    if (token === "(") return list();
    return token === "<>" ? null : unescaped(token);
  };
  const node = (): TreeNode => {
    const kind = tokens[at++] ?? "";
    const result: Record<string, Tree> = { kind: RENAMED[kind] ?? kind };
    while (tokens[at] !== "}") {
      const field = tokens[at++];
      if (field === undefined || !field.startsWith(":")) throw new Error(`not a field: ${field}`);
      const values: Tree[] = [];
      while (tokens[at] !== "}" && !tokens[at]?.startsWith(":")) values.push(value());
      result[field.slice(1)] = values.length === 1 ? values[0]! : values;
    }
    at++;
    return result as TreeNode;
  };
  const list = (): Tree[] => {
    const result: Tree[] = [];
    // Lists of numbers say what they hold: (i 1 2), (o 23 25), (b 1).
    if (/^[iobx]$/.test(tokens[at] ?? "")) at++;
    while (tokens[at] !== ")") result.push(value());
    at++;
    return result;
  };
  return value();
}

function unescaped(token: string): string {
  const text = token.replace(/\\([\s\S])/g, "$1");
  return text.startsWith('"') && text.endsWith('"') && text.length > 1 ? text.slice(1, -1) : text;
}
