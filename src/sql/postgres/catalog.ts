// The catalog of one database: its relations, columns, types and functions with the bundle's tags, as the server reported them.
import type { FunctionUse, Source } from "../../core/facts.ts";
import { buildCatalog } from "./catalog-load.ts";
import { readStore, type Where } from "./catalog-read.ts";
import type { CatalogStore } from "./catalog-store.ts";
import { taggedColumns } from "./column-tags.ts";
import type { Column, EventTrigger, FunctionEntry, Relation } from "./model.ts";
import { NO_TAGS } from "./model.ts";
import { isOwnName } from "./own-settings.ts";
import type { Declared } from "./tags.ts";

export type { Column, FunctionEntry, Relation } from "./model.ts";

/** Rows of text values (NULL as null), in order. All calls of one load go to the same connection, one after the other. */
export type CatalogQuery = (sql: string) => Promise<readonly (readonly (string | null)[])[]>;

export type TypeEntry = {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** As the server writes it: `integer`, `character varying`, `public.mood[]`. */
  readonly display: string;
  readonly element: number;
  readonly base: number;
  /** pg_type.typtype: b, c, d, e, m, p, r. */
  readonly kind: string;
  readonly category: string;
  readonly preferred: boolean;
};
/** An operator, of whomever. Type 0: none on that side. */
export type Operator = {
  readonly schema: string;
  readonly left: number;
  readonly right: number;
  readonly result: number;
  /** The OID of its function. */
  readonly code: number;
  /** Its function, where users made it: using the operator runs that. */
  readonly use: FunctionUse | undefined;
};
/** A cast, of whomever. */
export type Cast = {
  /** i: applied wherever it helps, a: in assignments, e: where it is written. */
  readonly context: string;
  /** f: a function, b: the same bytes, i: through the text form. */
  readonly method: string;
  /** The OID of its function, 0 without. */
  readonly code: number;
};
/** An operator over a user's function. */
export type UserOperator = Operator & { readonly use: FunctionUse };
export type UserCast = {
  readonly source: number;
  readonly target: number;
  readonly use: FunctionUse;
  readonly implicit: boolean;
};

/** What was read, before anything is derived from it. */
export type CatalogContent = {
  readonly version: string;
  readonly schemaRights: string;
  readonly serverVersion: number;
  readonly declared: Declared;
  /** schema → name → relation (TOAST tables and indexes too) */
  readonly relations: ReadonlyMap<string, ReadonlyMap<string, Relation>>;
  readonly byOid: ReadonlyMap<number, Relation>;
  readonly byRowType: ReadonlyMap<number, Relation>;
  readonly types: ReadonlyMap<number, TypeEntry>;
  readonly typesByName: ReadonlyMap<string, readonly TypeEntry[]>;
  /** element → array */
  readonly arrays: ReadonlyMap<number, number>;
  functionsNamed(name: string): readonly FunctionEntry[];
  functionByOid(oid: number): FunctionEntry | undefined;
  functionOf(use: FunctionUse): FunctionEntry | undefined;
  schemas(): readonly string[];
  /** Every operator by name. */
  readonly allOperators: ReadonlyMap<string, readonly Operator[]>;
  /** Every cast: source → target → cast. */
  readonly allCasts: ReadonlyMap<number, ReadonlyMap<number, Cast>>;
  /** range type → type of its bounds */
  readonly ranges: ReadonlyMap<number, number>;
  readonly operators: ReadonlyMap<string, readonly UserOperator[]>;
  readonly casts: readonly UserCast[];
  /** Types to which users made implicit casts of any kind. */
  readonly implicitTargets: ReadonlySet<number>;
  /** Types whose values pass through code of users when they are made. */
  readonly domains: ReadonlyMap<number, readonly FunctionUse[]>;
  /** Domains whose defaults run code of users. */
  readonly domainDefaults: ReadonlyMap<number, readonly FunctionUse[]>;
  readonly eventTriggers: readonly EventTrigger[];
  /** Definitions were locked away. */
  readonly incomplete: boolean;
  /** Something that users made reads settings, or may. */
  readonly readsSettings: boolean;
};

export class Catalog {
  /** A digest of the content: it changes when anything that facts depend on changes. */
  readonly version: string;
  /** A digest of the schemas, and of who may use them: what a path finds depends on no more of it. */
  readonly schemaRights: string;
  /** server_version_num: 180004. */
  readonly serverVersion: number;
  /** Does the bundle's data tag anything in this database? */
  readonly hasTags: boolean;
  /** Keys of the classification that name nothing here. */
  readonly unmatched: readonly string[];
  readonly operators: CatalogContent["operators"];
  readonly casts: CatalogContent["casts"];
  readonly implicitTargets: CatalogContent["implicitTargets"];
  readonly domains: CatalogContent["domains"];
  readonly domainDefaults: CatalogContent["domainDefaults"];
  readonly eventTriggers: CatalogContent["eventTriggers"];
  readonly #content: CatalogContent;
  #schemas: readonly string[] | undefined;

  constructor(content: CatalogContent, unmatched: readonly string[]) {
    this.#content = content;
    this.version = content.version;
    this.schemaRights = content.schemaRights;
    this.serverVersion = content.serverVersion;
    this.hasTags = content.declared.any;
    this.unmatched = unmatched;
    this.operators = content.operators;
    this.casts = content.casts;
    this.implicitTargets = content.implicitTargets;
    this.domains = content.domains;
    this.domainDefaults = content.domainDefaults;
    this.eventTriggers = content.eventTriggers;
  }

  get relationCount(): number {
    return this.#content.byOid.size;
  }

  /** Were definitions locked away when it was read? Then what they define is opaque, and it is worth reading again. */
  get incomplete(): boolean {
    return this.#content.incomplete;
  }

  /** Does a setting (in lower case) mean something to its client alone? No module has it, and nothing in the database reads settings. */
  isOwnSetting(name: string): boolean {
    return isOwnName(name) && !this.#content.readsSettings;
  }

  relationByOid(oid: number): Relation | undefined {
    return this.#content.byOid.get(oid);
  }

  /** Views whose definition names the relation: found by looking at all. */
  viewsOver({ oid }: Relation): Relation[] {
    const views: Relation[] = [];
    for (const relation of this.#content.byOid.values())
      if (relation.dependencies.some(([named]) => named === oid)) views.push(relation);
    return views;
  }

  /** Tables that CLUSTER puts in order where it names none: found by looking at all. */
  clustered(): Relation[] {
    return [...this.#content.byOid.values()].filter((relation) => relation.clusteredOn !== undefined);
  }

  /** Stored columns of a domain, or of domains over it: found by looking at all. (Of arrays and rows of it the server checks nothing, but refuses.) */
  columnsOfDomain(domain: number): Column[] {
    const over = new Set<number>();
    for (const { oid } of this.#content.types.values())
      for (let type = this.type(oid); type?.kind === "d"; type = this.type(type.base))
        if (type.oid === domain) over.add(oid);
    if (over.size === 0) return [];
    return [...this.#content.byOid.values()].flatMap((relation) =>
      relation.stores(over) ? relation.columns.filter((column) => over.has(column.type)) : [],
    );
  }

  /** The relation whose rows have this type (tables, views, stand-alone composite types). */
  relationByRowType(type: number): Relation | undefined {
    return this.#content.byRowType.get(this.baseType(type));
  }

  /** What a RowDescription's table OID and attribute number mean. Attribute 0 is the whole row. Undefined: not in this catalog. */
  columnByOrigin(oid: number, attnum: number): Source | undefined {
    const relation = this.#content.byOid.get(oid);
    if (relation === undefined) return undefined;
    if (attnum > 0) return relation.columns.find((column) => column.attnum === attnum)?.source;
    const tags = attnum === 0 ? relation.tags : NO_TAGS;
    return { schema: relation.factSchema, table: relation.name, column: attnum === 0 ? "*" : "ctid", tags };
  }

  /** As the server would find it: `schema` if given (pg_temp is the session's own), else along the path. */
  resolveRelation(schema: string | undefined, name: string, searchPath: readonly string[]): Relation | undefined {
    const relations = this.#content.relations;
    if (schema !== undefined) {
      const actual = schema === "pg_temp" ? searchPath.find(isTemporary) : schema;
      return actual === undefined ? undefined : relations.get(actual)?.get(name);
    }
    for (const entry of searchPath) {
      const found = relations.get(entry)?.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Every function of that name that the server may consider: of the schema, or of all schemas in the path (never of pg_temp). */
  functions(schema: string | undefined, name: string, searchPath: readonly string[]): readonly FunctionEntry[] {
    const named = this.#content.functionsNamed(name);
    if (named.length === 0) return named;
    if (schema !== undefined) {
      const actual = schema === "pg_temp" ? searchPath.find(isTemporary) : schema;
      return named.filter((entry) => entry.schema === actual);
    }
    if (named.every((entry) => entry.schema === "pg_catalog")) return named;
    return named.filter((entry) => searchPath.includes(entry.schema) && !isTemporary(entry.schema));
  }

  functionByOid(oid: number): FunctionEntry | undefined {
    return this.#content.functionByOid(oid);
  }

  /** The function that a use is of; undefined for a rule, and for what the catalog does not have. */
  functionOf(use: FunctionUse): FunctionEntry | undefined {
    return this.#content.functionOf(use);
  }

  /** Every schema in which there is something. */
  get schemas(): readonly string[] {
    this.#schemas ??= this.#content.schemas();
    return this.#schemas;
  }

  type(oid: number): TypeEntry | undefined {
    return this.#content.types.get(oid);
  }

  /** Every operator of that name that the path leads to (never to pg_temp), or of the schema. In the order of the path. */
  operatorsNamed(schema: string | undefined, name: string, searchPath: readonly string[]): readonly Operator[] {
    const named = this.#content.allOperators.get(name) ?? [];
    if (schema !== undefined) {
      const actual = schema === "pg_temp" ? searchPath.find(isTemporary) : schema;
      return named.filter((operator) => operator.schema === actual);
    }
    if (named.every((operator) => operator.schema === "pg_catalog")) return named;
    return named
      .filter((operator) => searchPath.includes(operator.schema) && !isTemporary(operator.schema))
      .sort((left, right) => searchPath.indexOf(left.schema) - searchPath.indexOf(right.schema));
  }

  /** The cast of pg_cast between exactly these types. */
  castBetween(source: number, target: number): Cast | undefined {
    return this.#content.allCasts.get(source)?.get(target);
  }

  /** The implicit casts from a type: target, and the OID of the function (0: the same bytes, -1: through the text form). */
  castsFrom(source: number): readonly (readonly [target: number, code: number])[] {
    const casts: [number, number][] = [];
    for (const [target, cast] of this.#content.allCasts.get(this.baseType(source)) ?? [])
      if (cast.context === "i") casts.push([target, cast.method === "i" ? -1 : cast.code]);
    return casts;
  }

  /** The functions of the implicit casts to a type, as above. */
  castsTo(target: number): readonly number[] {
    const base = this.baseType(target);
    const codes: number[] = [];
    for (const targets of this.#content.allCasts.values()) {
      const cast = targets.get(base);
      if (cast?.context === "i") codes.push(cast.method === "i" ? -1 : cast.code);
    }
    return codes;
  }

  /** The type of a range's bounds, 0 for what is no range. */
  boundsOf(range: number): number {
    return this.#content.ranges.get(range) ?? 0;
  }

  /** Of what the ranges are that did not come with the server. */
  userBounds(): readonly number[] {
    return [...this.#content.ranges].flatMap(([range, bounds]) =>
      this.type(range)?.schema === "pg_catalog" ? [] : [bounds],
    );
  }

  /** What a domain is made of; any other type is itself. */
  baseType(oid: number): number {
    // A domain over a composite ends at a type that is only a relation's.
    let type = this.#content.types.get(oid);
    let base = oid;
    for (; type !== undefined && type.kind === "d"; type = this.#content.types.get(base)) base = type.base;
    return base;
  }

  /** The OID of the array type over an element; 0 where there is none. */
  arrayOf(element: number): number {
    return this.#content.arrays.get(element) ?? 0;
  }

  /** The name of a type for people; "" where it is not known. */
  typeName(oid: number): string {
    if (oid === 0) return "";
    // A domain is described by what it is made of, as the server does in results.
    const base = this.baseType(oid);
    return this.#content.types.get(base)?.display ?? this.#content.byRowType.get(base)?.qualified ?? "";
  }

  /** The OID of a named type along the path; 0 where it is not known. */
  typeByName(schema: string | undefined, name: string, searchPath: readonly string[]): number {
    const named = this.#content.typesByName.get(name);
    const relation = this.resolveRelation(schema, name, searchPath);
    if (schema !== undefined) {
      return named?.find((type) => type.schema === schema)?.oid ?? relation?.rowType ?? 0;
    }
    for (const entry of searchPath) {
      const type = named?.find((candidate) => candidate.schema === entry);
      if (type !== undefined) return type.oid;
      if (relation !== undefined && relation.schema === entry) return relation.rowType;
    }
    return 0;
  }
}

function isTemporary(schema: string): boolean {
  return schema.startsWith("pg_temp_");
}

/**
 * Reads the catalog of the database that `query` is connected to. `classification` is `data.classification[resource]`: from
 * `schema.table.column`, `schema.table` or `schema` to tags.
 * "within a transaction": the transaction that is open, and its search_path (which must begin with pg_catalog), are somebody else's and stay.
 * @throws RegateError CATALOG_UNAVAILABLE
 */
export async function loadCatalog(query: CatalogQuery, classification: unknown, where?: Where): Promise<Catalog> {
  return catalogOf((await readStore(query, undefined, where)).store, classification);
}

/** The catalog that the rows of a store make. `looked` is told of the relations whose columns are asked for. @throws RegateError CATALOG_UNAVAILABLE */
export function catalogOf(
  store: CatalogStore,
  classification: unknown,
  looked: (oid: number) => void = () => undefined,
): Catalog {
  const columns = (relation: Relation): readonly Column[] => taggedColumns(relation, content.declared, catalog);
  const { content, unmatched } = buildCatalog(store, classification, { columns, looked });
  const catalog = new Catalog(content, unmatched);
  return catalog;
}
