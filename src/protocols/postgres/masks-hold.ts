// Whether the masks that were written into a prepared statement or a cursor are still those that the policy asks for.
import { RegateError } from "../../errors.ts";
import { analyze } from "../../sql/postgres/analyze.ts";
import type { Rewriting, Substitutions } from "./rewriting.ts";
import type { Session } from "./session.ts";

/** By the revision that was asked last. */
const answers = new WeakMap<Rewriting, { readonly revision: string; holds: boolean }>();

/**
 * A text in which protected columns are replaced is judged by what is left to see, so that a policy with other masks would not be asked about
 * them again. What the client sent is put to it instead, once for each revision.
 */
export function masksHold(session: Session, rewriting: Rewriting | undefined): boolean {
  const { policy } = session.options.pipeline;
  if (rewriting === undefined || rewriting.revision === policy.revision || policy.mode !== "enforce") return true;
  const known = answers.get(rewriting);
  if (known?.revision === policy.revision) return known.holds;
  // A text may name what it made itself.
  const answer = { revision: policy.revision, holds: false };
  answers.set(rewriting, answer);
  answer.holds = sameAsked(session, rewriting);
  return answer.holds;
}

function sameAsked(session: Session, { original, parameterTypes, substitutions }: Rewriting): boolean {
  const { reading, settled, context, options } = session;
  const catalog = session.catalog ?? session.lastCatalog;
  if (catalog === undefined) return false;
  try {
    const analysis = analyze(original, catalog, settled.scope, { ...reading.options, parameterTypes });
    const command = reading.command(analysis, "parse", parameterTypes, undefined);
    const decision = options.pipeline.consult(context, command);
    if (decision === undefined || decision.action === "block") return false;
    return inOrder(decision.substitutions ?? []) === inOrder(substitutions);
  } catch (thrown) {
    if (thrown instanceof RegateError) return false;
    throw thrown;
  }
}

function inOrder(substitutions: Substitutions): string {
  return substitutions
    .map((one) => JSON.stringify(Object.entries(one).sort(([left], [right]) => (left < right ? -1 : 1))))
    .sort()
    .join("\n");
}
