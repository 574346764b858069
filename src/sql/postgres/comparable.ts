// Facts in a form in which they can be compared.
import type { StatementFacts } from "../../core/facts.ts";

/** All but what the server estimates: that is no fact about names. */
export function comparable(statements: readonly StatementFacts[]): string {
  return JSON.stringify(statements, (key, value: unknown) => (key === "estimate" ? undefined : value));
}
