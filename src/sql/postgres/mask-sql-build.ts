// Pieces of the SQL of masks: only the server's own functions and operators, each by its full name, so that no search_path changes it.

/** A text that the server reads back as it is: strings are sent with standard_conforming_strings on. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
export const name = (text: string): string => `"${text.replaceAll('"', '""')}"`;

export const call = (fn: string, ...args: readonly string[]): string => `pg_catalog.${fn}(${args.join(", ")})`;
export const op = (left: string, operator: string, right: string): string =>
  `(${left} OPERATOR(pg_catalog.${operator}) ${right})`;
export const cast = (value: string, type: string): string => `CAST(${value} AS ${type})`;

const own = (type: string) => (value: string) => cast(value, `pg_catalog.${type}`);
export const asText = own("text");
export const asInteger = own("int4");
export const asBigint = own("int8");
export const asNumeric = own("numeric");
export const asDouble = own("float8");

export const concat = (...parts: readonly string[]): string => parts.reduce((left, right) => op(left, "||", right));

/** Conditions in order: none is computed before those above it have failed. */
export function when(cases: readonly (readonly [condition: string, result: string])[], otherwise: string): string {
  const parts = cases.map(([condition, result]) => `WHEN ${condition} THEN ${result}`);
  return `CASE ${parts.join(" ")} ELSE ${otherwise} END`;
}

/** For comparing and searching: a column's own collation may be one for which the server refuses to search. */
export const plainly = (value: string): string => `${value} COLLATE pg_catalog."C"`;
/** Where a character first stands, from 1; 0 where it does not. */
export const position = (value: string, character: string): string =>
  call("strpos", plainly(value), literal(character));
