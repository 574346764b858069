// Event triggers: code that DDL runs, whatever it is about.
import { runFunction } from "./bodies.ts";
import type { Recorder } from "./recorder.ts";

/** What runs event triggers: definitions, rights, and some of what maintains. */
const CLASSES: ReadonlySet<string> = new Set(["ddl", "dcl", "maintenance"]);

/**
 * Notes what the event triggers do that a statement may run. `verb` is that of the facts (`create_table`); its first word is enough to rule
 * out a trigger that waits for other commands.
 */
export function runEventTriggers(recorder: Recorder, verb: string): void {
  const { eventTriggers } = recorder.catalog;
  if (eventTriggers.length === 0 || !CLASSES.has(recorder.class)) return;
  const [first = ""] = verb.toUpperCase().split("_");
  for (const { event, use, tags } of eventTriggers) {
    if (event === "login" || use.kind === "builtin") continue;
    if (KNOWN_WORDS.has(first) && tags !== undefined && !tags.some((tag) => tag.startsWith(first))) continue;
    const entry = recorder.catalog.functionOf(use);
    if (entry !== undefined) runFunction(recorder, entry, { values: [] });
    else {
      recorder.functions.add(use);
      recorder.opaque = true;
    }
  }
}

/** First words of verbs that are the server's own for the command; others (`rename`) stand for several. */
const KNOWN_WORDS: ReadonlySet<string> = new Set(["CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE"]);
