// Lineage from the server's own analysed tree (struct Query): names are resolved in it already, so it only has to follow numbers.
import type { Tree, TreeNode } from "./node-tree.ts";
import { isNode, listOf, nodesOf, numberOf } from "./node-tree.ts";

/** `relation OID:attribute number`. */
export type Origin = string;
type Origins = ReadonlySet<Origin>;

export type ServerLineage = {
  /** For each shown column: what its value is made of. */
  readonly outputs: readonly Origins[];
  /** What decides which rows there are, and in which order. */
  readonly deciding: Origins;
  /** Every column that is read for either, or written from. */
  readonly used: Origins;
  /** Relations that are named in it. */
  readonly relations: ReadonlySet<number>;
};

/** What the tree does not say of a relation: its attribute numbers, for whole rows, and those of its primary key. */
export type Known = {
  attributes(oid: number): readonly number[];
  primaryKey(oid: number): readonly number[] | undefined;
};

/** Of a RangeTblEntry (RTEKind). */
const Kind = {
  relation: 0,
  subquery: 1,
  join: 2,
  function: 3,
  tableFunction: 4,
  values: 5,
  cte: 6,
  group: 9,
} as const;

/** array_agg(anynonarray) in pg_proc.dat. */
const ARRAY_AGG = 2335;
/** unnest(anyarray) */
const UNNEST = 2331;

const FIRST_NORMAL_OID = 16_384;

type Frame = { readonly query: TreeNode; readonly outer: Frame | undefined; readonly lineage: Map<string, Part> };
/** `fields`: for each output that is a row put together in the query, the origins of its fields. */
type Part = { outputs: Set<Origin>[]; deciding: Set<Origin>; fields?: (Set<Origin>[] | undefined)[] };

export function serverLineage(query: TreeNode, known: Known): ServerLineage {
  const relations = new Set<number>();
  const reader = new Reader(known, relations);
  const part = reader.query(query, undefined);
  const used = new Set(part.deciding);
  for (const output of part.outputs) for (const origin of output) used.add(origin);
  return { ...part, used, relations };
}

class Reader {
  readonly #known: Known;
  readonly #relations: Set<number>;

  constructor(known: Known, relations: Set<number>) {
    this.#known = known;
    this.#relations = relations;
  }

  query(query: TreeNode, outer: Frame | undefined): Part {
    const frame: Frame = { query, outer, lineage: new Map() };
    const deciding = new Set<Origin>();
    for (const [at, entry] of nodesOf(query.rtable).entries()) this.#entry(frame, at + 1, entry, deciding);
    for (const cte of nodesOf(query.cteList)) this.#modifyingCte(frame, cte, deciding);
    for (const field of [
      "jointree",
      "havingQual",
      "limitOffset",
      "limitCount",
      "mergeActionList",
      "mergeJoinCondition",
      "onConflict",
      "windowClause",
    ])
      add(deciding, this.origins(query[field], frame));
    add(deciding, this.#groups(query, frame));
    for (const field of ["distinctClause", "sortClause"]) add(deciding, this.#clauses(query[field], frame));
    for (const window of nodesOf(query.windowClause)) add(deciding, this.#window(window, frame));
    const targets = nodesOf(query.targetList).filter((target) => target.resjunk !== "true");
    if (isNode(query.setOperations))
      return { outputs: this.#setOperation(query.setOperations, frame, deciding), deciding };
    const shown =
      query.commandType === "1" ? targets : nodesOf(query.returningList).filter((target) => target.resjunk !== "true");
    if (shown !== targets) for (const target of targets) add(deciding, this.origins(target, frame));
    return {
      outputs: shown.map((target) => this.origins(target.expr, frame)),
      deciding,
      fields: shown.map((target) => this.#fields(target.expr, frame)),
    };
  }

  /** The fields of a row, where it is one that can be taken apart. */
  #fields(tree: Tree | undefined, frame: Frame): Set<Origin>[] | undefined {
    if (!isNode(tree)) return undefined;
    switch (tree.kind) {
      case "ROWEXPR":
        return listOf(tree.args).map((field) => this.origins(field, frame));
      case "VAR":
        return this.#fieldsOfVariable(tree, frame);
      case "CASEEXPR": {
        const branches = nodesOf(tree.args);
        const results = [...branches.map((branch) => branch.result), tree.defresult];
        const conditions = this.origins([tree.arg ?? null, ...branches.map((branch) => branch.expr ?? null)], frame);
        return together(
          results.map((result) => this.#alternative(result, frame)),
          conditions,
        );
      }
      case "COALESCEEXPR":
        return together(
          listOf(tree.args).map((value) => this.#alternative(value, frame)),
          new Set(),
        );
      case "SUBLINK": {
        if (tree.subLinkType !== "4" || !isNode(tree.subselect)) return undefined;
        const part = this.query(tree.subselect, frame);
        return together([part.fields?.[0]], part.deciding);
      }
      case "SUBSCRIPTINGREF": {
        const isSlice = listOf(tree.reflowerindexpr).length > 0;
        const indices = this.origins([tree.refupperindexpr ?? null, tree.reflowerindexpr ?? null], frame);
        return isSlice ? undefined : together([this.#elements(tree.refexpr, frame)], indices);
      }
      default:
        return undefined;
    }
  }

  /** "null": a NULL, which is a row of any shape. */
  #alternative(tree: Tree | undefined, frame: Frame): Set<Origin>[] | undefined | "null" {
    if (!isNode(tree)) return undefined;
    const inner = tree.kind === "COERCEVIAIO" || tree.kind === "RELABELTYPE" ? tree.arg : tree;
    return isNode(inner) && inner.kind === "CONST" ? "null" : this.#fields(tree, frame);
  }

  /** The fields of an array's elements. */
  #elements(tree: Tree | undefined, frame: Frame): Set<Origin>[] | undefined {
    if (!isNode(tree)) return undefined;
    switch (tree.kind) {
      case "ARRAYEXPR":
        return together(
          listOf(tree.elements).map((value) => this.#alternative(value, frame)),
          new Set(),
        );
      case "SUBLINK": {
        if (tree.subLinkType !== "6" || !isNode(tree.subselect)) return undefined;
        const part = this.query(tree.subselect, frame);
        return together([part.fields?.[0]], part.deciding);
      }
      case "SUBSCRIPTINGREF": {
        if (listOf(tree.reflowerindexpr).length === 0) return undefined;
        return together(
          [this.#elements(tree.refexpr, frame)],
          this.origins([tree.refupperindexpr ?? null, tree.reflowerindexpr ?? null], frame),
        );
      }
      case "AGGREF": {
        const args = nodesOf(tree.args);
        if (numberOf(tree.aggfnoid) !== ARRAY_AGG) return undefined;
        const others = this.origins([tree.aggfilter ?? null, ...args.slice(1)], frame);
        return together([this.#fields(args[0]?.expr, frame)], others);
      }
      default:
        return undefined;
    }
  }

  #fieldsOfVariable(tree: TreeNode, frame: Frame): Set<Origin>[] | undefined {
    let at: Frame | undefined = frame;
    for (let up = numberOf(tree.varlevelsup); up > 0; up--) at = at?.outer;
    const number = numberOf(tree.varno);
    const entry = nodesOf(at?.query.rtable)[number - 1];
    if (at === undefined || entry === undefined) return undefined;
    const attribute = numberOf(tree.varattno);
    const kind = numberOf(entry.rtekind);
    if (attribute === 0) {
      const columns =
        kind === Kind.relation
          ? this.#known.attributes(numberOf(entry.relid))
          : listOf(isNode(entry.eref) ? entry.eref.colnames : undefined).map((_, index) => index + 1);
      return columns.map((column) => this.#column(at, number, entry, column));
    }
    if (kind === Kind.subquery) return this.#part(at, `r${number}`, entry.subquery, at).fields?.[attribute - 1];
    if (kind === Kind.cte) return this.#cte(at, entry).fields?.[attribute - 1];
    if (kind === Kind.join) return this.#fields(listOf(entry.joinaliasvars)[attribute - 1], at);
    if (kind === Kind.group) return this.#fields(listOf(entry.groupexprs)[attribute - 1], at);
    return undefined;
  }

  /** What an entry of FROM decides, whether or not a column of it is shown. */
  #entry(frame: Frame, number: number, entry: TreeNode, deciding: Set<Origin>): void {
    switch (numberOf(entry.rtekind)) {
      case Kind.relation:
        this.#relations.add(numberOf(entry.relid));
        add(deciding, this.origins(entry.tablesample, frame));
        break;
      case Kind.subquery:
        add(deciding, this.#part(frame, `r${number}`, entry.subquery, frame).deciding);
        break;
      case Kind.function:
      case Kind.tableFunction:
        add(deciding, this.origins(entry.functions, frame));
        add(deciding, this.origins(entry.tablefunc, frame));
        break;
      case Kind.cte:
        add(deciding, this.#cte(frame, entry).deciding);
        break;
      default:
    }
  }

  /** One that changes rows runs whether or not it is named. */
  #modifyingCte(frame: Frame, cte: TreeNode, deciding: Set<Origin>): void {
    const query = cte.ctequery;
    if (!isNode(query) || query.commandType === "1") {
      if (isNode(query)) this.#part(frame, `c${String(cte.ctename)}`, query, frame, cte.cterecursive === "true");
      return;
    }
    add(deciding, this.#part(frame, `c${String(cte.ctename)}`, query, frame).deciding);
  }

  /** A sub-query's lineage, made once; while a recursive one is being made, as far as it is known. */
  #part(frame: Frame, key: string, query: Tree | undefined, outer: Frame, recursive = false): Part {
    const known = frame.lineage.get(key);
    if (known !== undefined) return known;
    if (!isNode(query)) return { outputs: [], deciding: new Set() };
    let part: Part = { outputs: [], deciding: new Set() };
    for (let before = -1; ; ) {
      frame.lineage.set(key, part);
      part = this.query(query, outer);
      const size = part.outputs.reduce((sum, output) => sum + output.size, part.deciding.size);
      if (size === before || !recursive) break;
      before = size;
    }
    frame.lineage.set(key, part);
    return part;
  }

  #cte(frame: Frame, entry: TreeNode): Part {
    let owner: Frame | undefined = frame;
    for (let up = numberOf(entry.ctelevelsup); up > 0; up--) owner = owner?.outer;
    const cte = nodesOf(owner?.query.cteList).find((candidate) => candidate.ctename === entry.ctename);
    if (owner === undefined || cte === undefined)
      throw new Error(`no common table expression ${String(entry.ctename)}`);
    const part = this.#part(owner, `c${String(cte.ctename)}`, cte.ctequery, owner, cte.cterecursive === "true");
    if (cte.search_clause === null && cte.cycle_clause === null) return part;
    // SEARCH and CYCLE append columns that are made of those that they name.
    const all = new Set<Origin>();
    for (const output of part.outputs) add(all, output);
    return { outputs: [...part.outputs, ...Array.from({ length: 3 }, () => all)], deciding: part.deciding };
  }

  /** Any tree: everything that its variables stand for. */
  origins(tree: Tree | undefined, frame: Frame): Set<Origin> {
    const found = new Set<Origin>();
    this.#collect(tree, frame, found);
    return found;
  }

  #collect(tree: Tree | undefined, frame: Frame, found: Set<Origin>): void {
    if (Array.isArray(tree)) for (const item of tree) this.#collect(item, frame, found);
    if (!isNode(tree)) return;
    switch (tree.kind) {
      case "VAR":
        add(found, this.#variable(tree, frame));
        return;
      case "SUBLINK": {
        this.#collect(tree.testexpr, frame, found);
        if (!isNode(tree.subselect)) return;
        const part = this.query(tree.subselect, frame);
        add(found, part.deciding);
        if (tree.subLinkType !== "0") for (const output of part.outputs) add(found, output);
        return;
      }
      case "SUBSCRIPTINGREF":
        // An assignment to an element keeps the others: nothing is shown of them by that.
        for (const field in tree)
          if (field !== "kind" && !(field === "refexpr" && tree.refassgnexpr !== null))
            this.#collect(tree[field], frame, found);
        return;
      case "FUNCEXPR":
        // What a user's function makes of its arguments is said by its body, which the facts look into and this does not.
        if (numberOf(tree.funcid) < FIRST_NORMAL_OID) this.#collect(tree.args, frame, found);
        return;
      case "FIELDSELECT": {
        const field = this.#fields(tree.arg, frame)?.[numberOf(tree.fieldnum) - 1];
        if (field === undefined) this.#collect(tree.arg, frame, found);
        else add(found, field);
        return;
      }
      case "WINDOWFUNC": {
        const window = nodesOf(frame.query.windowClause).find((clause) => clause.winref === tree.winref);
        if (window !== undefined) add(found, this.#window(window, frame));
        this.#collect(tree.args, frame, found);
        this.#collect(tree.aggfilter, frame, found);
        return;
      }
      case "ONCONFLICTEXPR":
        for (const field in tree) if (field !== "exclRelTlist") this.#collect(tree[field], frame, found);
        return;
      case "GROUPINGFUNC":
      case "SORTGROUPCLAUSE":
        return;
      default:
        for (const field in tree) if (field !== "kind") this.#collect(tree[field], frame, found);
    }
  }

  /** The planner leaves out what stands beside a table's whole primary key (remove_useless_groupby_columns): it divides no group. */
  #groups(query: TreeNode, frame: Frame): Set<Origin> {
    const clauses = nodesOf(query.groupClause);
    if (nodesOf(query.groupingSets).length > 0) return this.#clauses(query.groupClause, frame);
    const found = new Set<Origin>();
    const columns = clauses.map((clause) => this.#tableColumn(this.#targetOf(clause, frame), frame));
    for (const [at, clause] of clauses.entries()) {
      const column = columns[at];
      const key = column === undefined ? undefined : this.#known.primaryKey(column.oid);
      const isBeside =
        key?.every((attribute) =>
          columns.some((one) => one?.entry === column!.entry && one.attribute === attribute),
        ) === true;
      if (!isBeside || key!.includes(column!.attribute)) add(found, this.origins(this.#targetOf(clause, frame), frame));
    }
    return found;
  }

  #tableColumn(tree: Tree | undefined, frame: Frame): { entry: TreeNode; oid: number; attribute: number } | undefined {
    if (!isNode(tree) || tree.kind !== "VAR" || numberOf(tree.varlevelsup) > 0) return undefined;
    const entry = nodesOf(frame.query.rtable)[numberOf(tree.varno) - 1];
    const attribute = numberOf(tree.varattno);
    if (entry === undefined || attribute < 1) return undefined;
    const kind = numberOf(entry.rtekind);
    if (kind === Kind.group) return this.#tableColumn(listOf(entry.groupexprs)[attribute - 1], frame);
    return kind === Kind.relation ? { entry, oid: numberOf(entry.relid), attribute } : undefined;
  }

  #window(window: TreeNode, frame: Frame): Set<Origin> {
    const found = this.#clauses(window.partitionClause, frame);
    add(found, this.#clauses(window.orderClause, frame));
    add(found, this.origins([window.startOffset ?? null, window.endOffset ?? null], frame));
    return found;
  }

  /** SortGroupClauses stand for entries of the target list. */
  #clauses(tree: Tree | undefined, frame: Frame): Set<Origin> {
    const found = new Set<Origin>();
    for (const clause of nodesOf(tree)) {
      add(found, this.origins(this.#targetOf(clause, frame), frame));
    }
    return found;
  }

  #targetOf(clause: TreeNode, frame: Frame): Tree | undefined {
    return nodesOf(frame.query.targetList).find((entry) => entry.ressortgroupref === clause.tleSortGroupRef)?.expr;
  }

  #variable(variable: TreeNode, from: Frame): Set<Origin> {
    let frame: Frame | undefined = from;
    for (let up = numberOf(variable.varlevelsup); up > 0; up--) frame = frame?.outer;
    const entry = frame === undefined ? undefined : nodesOf(frame.query.rtable)[numberOf(variable.varno) - 1];
    if (frame === undefined || entry === undefined) throw new Error("a variable of nothing");
    return this.#column(frame, numberOf(variable.varno), entry, numberOf(variable.varattno));
  }

  /** One column of an entry of FROM; attribute 0 is its whole row. */
  #column(frame: Frame, number: number, entry: TreeNode, attribute: number): Set<Origin> {
    const one = (columns: readonly ReadonlySet<Origin>[]): Set<Origin> => {
      if (attribute > 0) return new Set(columns[attribute - 1]);
      const all = new Set<Origin>();
      for (const column of columns) add(all, column);
      return all;
    };
    const conflict = frame.query.onConflict;
    if (isNode(conflict) && numberOf(conflict.exclRelIndex) === number) {
      // `excluded` is what was to be inserted.
      const proposed = nodesOf(frame.query.targetList).filter(
        (target) => attribute === 0 || numberOf(target.resno) === attribute,
      );
      return this.origins(proposed, frame);
    }
    switch (numberOf(entry.rtekind)) {
      case Kind.relation: {
        const oid = numberOf(entry.relid);
        return new Set(
          attribute === 0 ? this.#known.attributes(oid).map((each) => `${oid}:${each}`) : [`${oid}:${attribute}`],
        );
      }
      case Kind.subquery:
        return one(this.#part(frame, `r${number}`, entry.subquery, frame).outputs);
      case Kind.join:
        return one(listOf(entry.joinaliasvars).map((variable) => this.origins(variable, frame)));
      case Kind.group:
        return one(listOf(entry.groupexprs).map((expression) => this.origins(expression, frame)));
      case Kind.function: {
        const columns: Set<Origin>[] = [];
        for (const call of nodesOf(entry.functions)) {
          const origins = this.origins(call.funcexpr, frame);
          const unnested = isNode(call.funcexpr) && numberOf(call.funcexpr.funcid) === UNNEST;
          const fields = unnested ? this.#elements(nodesOf((call.funcexpr as TreeNode).args)[0], frame) : undefined;
          if (fields?.length === numberOf(call.funccolcount)) {
            columns.push(...fields);
            continue;
          }
          for (let count = numberOf(call.funccolcount); count > 0; count--) columns.push(origins);
        }
        return one(columns);
      }
      case Kind.tableFunction:
        return this.origins(entry.tablefunc, frame);
      case Kind.values: {
        const rows = listOf(entry.values_lists).map((row) => listOf(row).map((value) => this.origins(value, frame)));
        return one(
          (rows[0] ?? []).map((_, at) => rows.reduce((all, row) => add(all, row[at] ?? new Set()), new Set<Origin>())),
        );
      }
      case Kind.cte:
        return one(this.#cte(frame, entry).outputs);
      default:
        return new Set();
    }
  }

  #setOperation(tree: TreeNode, frame: Frame, deciding: Set<Origin>): Set<Origin>[] {
    if (tree.kind === "RANGETBLREF") {
      const number = numberOf(tree.rtindex);
      const entry = nodesOf(frame.query.rtable)[number - 1]!;
      return this.#part(frame, `r${number}`, entry.subquery, frame).outputs.map((output) => new Set(output));
    }
    const left = isNode(tree.larg) ? this.#setOperation(tree.larg, frame, deciding) : [];
    const right = isNode(tree.rarg) ? this.#setOperation(tree.rarg, frame, deciding) : [];
    const union = tree.op === "1";
    if (!union || tree.all !== "true") for (const output of [...left, ...right]) add(deciding, output);
    // EXCEPT shows what is on the left.
    if (tree.op === "3") return left;
    return left.map((output, at) => add(output, right[at] ?? new Set()));
  }
}

function add(to: Set<Origin>, from: ReadonlySet<Origin>): Set<Origin> {
  for (const origin of from) to.add(origin);
  return to;
}

/** Field by field; undefined where one cannot be taken apart. */
function together(
  rows: readonly (Set<Origin>[] | undefined | "null")[],
  also: ReadonlySet<Origin>,
): Set<Origin>[] | undefined {
  let all: Set<Origin>[] | undefined;
  for (const row of rows) {
    if (row === "null") continue;
    if (row === undefined || (all !== undefined && all.length !== row.length)) return undefined;
    all = row.map((field, at) => add(add(new Set(field), all?.[at] ?? new Set()), also));
  }
  return all;
}
