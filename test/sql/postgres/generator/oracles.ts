// Holds the facts of one statement against the server's own analysis of it.
import type { Source, StatementFacts } from "../../../../src/core/facts.ts";
import type { StatementAnalysis } from "../../../../src/sql/postgres/analyze.ts";
import { analyze, confirm } from "../../../../src/sql/postgres/analyze.ts";
import type { Catalog } from "../../../../src/sql/postgres/catalog.ts";
import { SCOPE } from "../support.ts";
import type { Origin } from "./server-lineage.ts";
import type { Asked, ServerSide } from "./server-side.ts";
import type { World } from "./world.ts";

/** A statement that the server accepts and the facts are wrong about. */
export type Miss = { readonly kind: string; readonly detail: string };

export type Measure = {
  outputs: number;
  /** Outputs whose sources are exactly those of the server. */
  exact: number;
  opaque: number;
  unknown: number;
  extraSources: number;
  extraColumns: number;
  extraRelations: number;
};

export const nothingMeasured = (): Measure => ({
  outputs: 0,
  exact: 0,
  opaque: 0,
  unknown: 0,
  extraSources: 0,
  extraColumns: 0,
  extraRelations: 0,
});

/** More than this for one statement's facts is a miss of its own. */
const SLOW_MS = 1_000;

export class Oracles {
  readonly #catalog: Catalog;
  readonly #server: ServerSide;
  readonly #oids = new Map<string, number>();
  readonly #names = new Map<Origin, string>();
  readonly #origins = new Map<string, Origin>();

  constructor(catalog: Catalog, server: ServerSide, world: World) {
    this.#catalog = catalog;
    this.#server = server;
    for (const table of world.tables) {
      this.#oids.set(JSON.stringify([table.schema, table.name]), table.oid);
      for (const field of table.fields) {
        const origin = `${table.oid}:${field.attnum}`;
        this.#names.set(origin, `${table.schema}.${table.name}.${field.name}`);
        this.#origins.set(JSON.stringify([table.schema, table.name, field.name]), origin);
      }
    }
  }

  /** The facts, or the miss that they cannot be had. */
  facts(text: string): StatementAnalysis | Miss {
    const start = performance.now();
    try {
      const { statements } = analyze(text, this.#catalog, SCOPE, { normalized: false, fingerprint: false });
      const took = performance.now() - start;
      if (took > SLOW_MS) return { kind: "slow", detail: `${Math.round(took)} ms` };
      return statements[0]!;
    } catch (thrown) {
      return { kind: "refused", detail: String((thrown as { code?: string }).code ?? (thrown as Error).stack) };
    }
  }

  judge(analysis: StatementAnalysis, asked: Asked, measure: Measure): Miss[] {
    const { facts } = analysis;
    return [
      ...this.#description(analysis, asked),
      ...this.#sources(analysis, asked, measure),
      ...this.#columns(facts, asked, measure),
      ...this.#relations(facts, asked, measure),
    ];
  }

  /** RowDescription: count, names, types, and origins in both directions. */
  #description(analysis: StatementAnalysis, { fields }: Asked): Miss[] {
    const { outputs } = analysis.facts;
    const verdict = confirm(analysis, fields, this.#catalog);
    if (!verdict.ok) return [{ kind: "confirmation", detail: verdict.why }];
    if (!analysis.outputsKnown) return [];
    const misses: Miss[] = [];
    fields.forEach((field, at) => {
      const output = outputs[at]!;
      const where = `output ${at + 1} (${field.name})`;
      if (output.name !== field.name) misses.push({ kind: "name", detail: `${where} is named ${output.name}` });
      const type = this.#catalog.typeName(field.typeOid);
      if (output.type !== "" && output.type !== type)
        misses.push({ kind: "type", detail: `${where} is ${type}, not ${output.type}` });
      if (output.derivation === "direct" && field.tableOid === 0)
        misses.push({ kind: "direct", detail: `${where} has no origin for the server` });
      if (
        output.derivation !== "direct" &&
        output.derivation !== "opaque" &&
        field.attribute > 0 &&
        this.#server.isBare(`${field.tableOid}:${field.attribute}`)
      )
        misses.push({ kind: "origin", detail: `${where} has an origin for the server, and is ${output.derivation}` });
    });
    return misses;
  }

  #sources(analysis: StatementAnalysis, { lineage }: Asked, measure: Measure): Miss[] {
    const { outputs } = analysis.facts;
    measure.outputs += lineage.outputs.length;
    if (!analysis.outputsKnown) {
      measure.unknown += lineage.outputs.length;
      // The last stands for all from its place on.
      return lineage.outputs.flatMap((origins, at) => {
        const derived = this.#closed(outputs[Math.min(at, outputs.length - 1)]?.sources ?? []);
        return this.#missing("output", `output ${at + 1}`, [...origins], derived);
      });
    }
    return lineage.outputs.flatMap((origins, at) => {
      const output = outputs[at];
      if (output === undefined) return [{ kind: "count", detail: `no output ${at + 1}` }];
      const derived = this.#closed(output.sources);
      const known = this.#server.closure(origins);
      const extra = [...derived].filter((origin) => !known.has(origin)).length;
      measure.extraSources += extra;
      if (output.derivation === "opaque") measure.opaque++;
      if (extra === 0) measure.exact++;
      return this.#missing("output", `output ${at + 1} (${output.name})`, known, derived);
    });
  }

  #columns(facts: StatementFacts, { lineage }: Asked, measure: Measure): Miss[] {
    const derived = this.#closed(facts.columns);
    const behind = this.#server.behind(lineage.relations);
    const known = this.#server.closure([...lineage.used, ...behind.deciding]);
    for (const origin of derived) if (!known.has(origin)) measure.extraColumns++;
    return this.#missing("column", "the statement", known, derived);
  }

  #relations(facts: StatementFacts, { lineage }: Asked, measure: Measure): Miss[] {
    const derived = new Set(
      facts.relations.map((relation) => this.#oids.get(JSON.stringify([relation.schema, relation.name])) ?? 0),
    );
    const known = this.#server.behind(lineage.relations).relations;
    for (const oid of derived) if (!known.has(oid)) measure.extraRelations++;
    return [...lineage.relations]
      .filter((oid) => !derived.has(oid))
      .map((oid) => ({ kind: "relation", detail: `relation ${oid}` }));
  }

  /** Relations and columns that the server records for a view of the statement; of the columns those that are not read count for nothing. */
  dependencies(facts: StatementFacts, { lineage }: Asked, recorded: readonly Origin[]): Miss[] {
    const columns = this.#closed(facts.columns);
    const relations = new Set(
      facts.relations.map(({ schema, name }) => this.#oids.get(JSON.stringify([schema, name])) ?? 0),
    );
    const lacking = recorded.filter((origin) => {
      const [oid, attribute] = origin.split(":").map(Number) as [number, number];
      return attribute === 0 ? !relations.has(oid) : lineage.used.has(origin) && !columns.has(origin);
    });
    return lacking.length === 0 ? [] : [{ kind: "dependency", detail: `a view depends on ${lacking.join(", ")}` }];
  }

  #missing(kind: string, where: string, known: Iterable<Origin>, derived: ReadonlySet<Origin>): Miss[] {
    const missing = [...known].filter((origin) => !derived.has(origin) && this.#names.has(origin));
    return missing.length === 0
      ? []
      : [{ kind, detail: `${where} lacks ${missing.map((origin) => this.#names.get(origin)).join(", ")}` }];
  }

  #closed(sources: readonly Pick<Source, "schema" | "table" | "column">[]): Set<Origin> {
    return new Set(
      sources.map(
        ({ schema, table, column }) =>
          this.#origins.get(JSON.stringify([schema, table, column])) ?? `? ${schema}.${table}.${column}`,
      ),
    );
  }
}
