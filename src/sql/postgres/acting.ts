// The server's own functions that do something beside giving a value. In what is stored (a default, a check), where nobody sees them, they
// do it in the statements of others.
import type { FunctionUse } from "../../core/facts.ts";
import { classified } from "./builtins.ts";

/** Defaults are made of these. */
const ORDINARY: ReadonlySet<string> = new Set(["nextval", "txid_current", "pg_current_xact_id"]);
const ACTS: ReadonlySet<FunctionUse["effect"]> = new Set(["state", "outside", "sql"]);

export function acts({ kind, name, effect }: FunctionUse): boolean {
  return kind === "builtin" && ACTS.has(effect) && !ORDINARY.has(name);
}

/** Their names in pg_catalog. */
export function actingNames(): string[] {
  const names = new Set<string>();
  for (const [signature, { behaviour }] of classified()) {
    const name = signature.slice(0, signature.indexOf("("));
    if (ACTS.has(behaviour.effect) && !ORDINARY.has(name) && !name.includes(".")) names.add(name);
  }
  return [...names];
}

let named: RegExp | undefined;

/** Might a text call one? */
export function namesActing(text: string): boolean {
  named ??= new RegExp(`\\b(${actingNames().join("|")})\\b`);
  return named.test(text);
}
