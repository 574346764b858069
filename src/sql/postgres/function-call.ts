// The facts of the protocol's function-call message: one function, named by its OID.
import type { FunctionUse } from "../../core/facts.ts";
import type { Analysis, StatementAnalysis } from "./analysis.ts";
import type { Catalog } from "./catalog.ts";

/** It is `code` whatever the function: no text shows what it is given, and its result has no description. */
export function analyzeFunctionCall(oid: number, catalog: Catalog): Analysis {
  const entry = catalog.functionByOid(oid);
  const use: FunctionUse = entry?.use ?? {
    schema: "",
    name: String(oid),
    language: "",
    volatility: "unknown",
    kind: "unknown",
    opaque: true,
    reads: [],
  };
  const text = `function call ${use.schema === "" ? use.name : `${use.schema}.${use.name}`}`;
  const statement: StatementAnalysis = {
    facts: {
      verb: "function_call",
      class: "code",
      relations: [],
      columns: [],
      outputs: [],
      writes: [],
      functions: [use],
      scoped: true,
      limit: null,
      settings: [],
      external: /^(lo_|lo(read|write)$|be_lo_)/.test(use.name) ? ["large_object"] : [],
      estimate: null,
      location: { start: 0, length: text.length },
    },
    returnsRows: false,
    outputsKnown: false,
    copy: undefined,
    touchesTagged: catalog.hasTags,
    effects: { settings: true, transaction: undefined, catalog: use.opaque, temp: use.opaque },
  };
  return {
    command: { text, normalized: "", fingerprint: "", statements: [statement.facts] },
    statements: [statement],
    unresolved: entry === undefined,
  };
}
