// The facts of what has no text to analyse: the function-call message, and a text that could not be read.
import type { FunctionUse, StatementFacts } from "../../core/facts.ts";
import type { Analysis, StatementAnalysis } from "./analysis.ts";
import type { Catalog } from "./catalog.ts";
import { unknownFunction } from "./model.ts";

/** It is `code` whatever the function: no text shows what it is given, and its result has no description. */
export function analyzeFunctionCall(oid: number, catalog: Catalog): Analysis {
  const entry = catalog.functionByOid(oid);
  const use: FunctionUse = entry?.use ?? unknownFunction("", String(oid));
  const text = `function call ${use.schema === "" ? use.name : `${use.schema}.${use.name}`}`;
  const statement = unread(catalog, {
    verb: "function_call",
    class: "code",
    functions: [use],
    external: /^(lo_|lo(read|write)$|be_lo_)/.test(use.name) ? ["large_object"] : [],
  });
  return { ...analysisOf(text, statement), unresolved: entry === undefined };
}

/** A text that could not be read, in a mode that sends it all the same: everything is possible. */
export function analyzeUnread(text: string, catalog: Catalog): Analysis {
  return analysisOf(text, unread(catalog, { verb: "unknown", class: "unknown" }));
}

function analysisOf(text: string, statement: StatementAnalysis): Analysis {
  return {
    command: { text, normalized: "", fingerprint: "", statements: [statement.facts] },
    statements: [statement],
    locations: [{ start: 0, length: Buffer.byteLength(text) }],
    unresolved: false,
  };
}

function unread(catalog: Catalog, known: Partial<StatementFacts>): StatementAnalysis {
  return {
    facts: {
      verb: "unknown",
      class: "unknown",
      relations: [],
      columns: [],
      outputs: [],
      writes: [],
      functions: [],
      scoped: false,
      limit: null,
      settings: [],
      locks: [],
      external: [],
      estimate: null,
      ...known,
    },
    returnsRows: false,
    outputsKnown: false,
    copy: undefined,
    kept: [],
    touchesTagged: catalog.hasTags,
    effects: { settings: true, transaction: undefined, catalog: true, temp: true, opaque: true },
  };
}
