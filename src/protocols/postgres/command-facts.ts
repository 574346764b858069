// The facts of one command, as the policy is given them: what its analysis says, and how it was sent.
import type { Command } from "../../core/command.ts";
import type { CommandFacts } from "../../core/facts.ts";
import type { Analysis } from "../../sql/postgres/analyze.ts";
import type { Rewriting } from "./rewriting.ts";

export type ReadCommand = Command & { readonly rewriting?: Rewriting | undefined };

/** `message` is the protocol's (query, parse, bind, execute, …); `parameterTypes` are the OIDs that the client gave with its text. */
export function commandFacts(
  analysis: Analysis,
  message: string,
  parameterTypes: readonly number[],
  rewriting?: Rewriting,
): CommandFacts {
  return {
    ...analysis.command,
    ...(rewriting === undefined ? {} : { text: rewriting.original, sent: rewriting.sent }),
    message,
    parameters: { count: parameterTypes.length, types: parameterTypes.map(String) },
    statements: analysis.statements.map((statement) => statement.facts),
  };
}

/** The OIDs of the types that the client gave for its parameters. */
export function parameterTypesOf({ parameters }: CommandFacts): number[] {
  return parameters.types.map(Number);
}

/** The facts of a text that could not be judged: the text alone. */
export function unjudgedFacts(text: string, message: string): CommandFacts {
  return { text, normalized: "", fingerprint: "", message, parameters: { count: 0, types: [] }, statements: [] };
}
