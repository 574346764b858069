// The entry to the facts: one text, a catalog and a scope of names give an Analysis.
import type { ParseResult } from "libpg-query";
import type { Missing } from "../../core/command.ts";
import { RegateError } from "../../errors.ts";
import type { Analysis, NameScope, ScopeNames, StatementAnalysis } from "./analysis.ts";
import type { Catalog } from "./catalog.ts";
import { type Analysed, FactsCache } from "./facts-cache.ts";
import { withLiterals } from "./literals.ts";
import { fingerprint, normalize } from "./parser.ts";
import type { MaskedForms } from "./masked-forms.ts";
import type { Reads } from "./reads.ts";
import { Recorder } from "./recorder.ts";
import { type Shape, shapeOf, treeOf, wholeTreeOf } from "./shape.ts";
import { TextState } from "./text-state.ts";
import { judge } from "./statements.ts";
import { checksOf } from "./type-code.ts";
import { checksRun } from "./user-code.ts";
import { CONSTANT } from "./value.ts";

export type {
  Analysis,
  Confirmation,
  DescribedField,
  Effects,
  NameScope,
  SchemaSet,
  ScopeNames,
  SessionNames,
  StatementAnalysis,
} from "./analysis.ts";
export { confirm } from "./confirm.ts";

export type AnalyzeOptions = {
  readonly maxBytes?: number;
  /** Texts beside the statements, each at the cost of another parse. Off gives "". Default on. */
  readonly normalized?: boolean;
  readonly fingerprint?: boolean;
  /** Names may mean something else than the catalog says (DDL of a transaction that is still open): statements that name any are unknown. */
  readonly uncertain?: boolean;
  /** What the gate has put into the text: see {@link MaskedForms}. */
  readonly masked?: MaskedForms | undefined;
  /** Of which types the client says that its parameters are, as OIDs: they become so by code of users, too. */
  readonly parameterTypes?: readonly number[];
};

/** What such statements mean, the session decides: their facts are made anew each time, from the whole tree. */
const OF_THE_SESSION = /"(?:(?:Prepare|Execute|Deallocate|DeclareCursor|Fetch|ClosePortal)Stmt|CurrentOfExpr)":/;

/**
 * Facts of every statement of a text, in the state in which the session is before it. Later statements see what earlier ones prepare,
 * declare and set.
 * @throws RegateError TEXT_TOO_LONG, TEXT_NOT_UTF8, TEXT_UNPARSEABLE, TEXT_TOO_COMPLEX
 */
export function analyze(text: string, catalog: Catalog, scope: NameScope, options: AnalyzeOptions = {}): Analysis {
  return analyzeShape(shapeOf(text, options), text, catalog, scope, options);
}

/** {@link analyze} of a text whose shape is known. */
export function analyzeShape(
  shape: Shape,
  text: string,
  catalog: Catalog,
  scope: NameScope,
  options: AnalyzeOptions = {},
): Analysis {
  const uncertain = options.uncertain === true;
  const cache = FactsCache.of(catalog);
  const { masked } = options;
  // A digest cannot be imitated by a user's name: of a text without masked forms the key has nothing in its place.
  const made = (options.parameterTypes ?? NO_TYPES).filter((type) => checksOf(catalog, type).length > 0);
  const key = `${masked?.key ?? ""}${made.length === 0 ? "" : `,${made.join(",")}`}\0${uncertain ? "?" : ""}${scope.user}\0${scope.searchPath.join("\0")}\0\0${shape.json}`;
  let analysed = cache.get(key, shape.literals);
  if (analysed === undefined) {
    if (OF_THE_SESSION.test(shape.json))
      analysed = judgeAll(wholeTreeOf(shape), catalog, scope, { uncertain, masked, made });
    else {
      const { result, read } = withLiterals(shape.literals, () =>
        judgeAll(treeOf(shape), catalog, scope, { uncertain, masked, made }),
      );
      if (!result.ofSession) cache.set(key, shape.literals, read, result);
      analysed = result;
    }
  }
  return {
    command: {
      text,
      normalized: options.normalized === false ? "" : normalize(text),
      fingerprint: options.fingerprint === false ? "" : fingerprint(text),
      statements: analysed.facts,
    },
    statements: analysed.statements,
    locations: shape.locations,
    unresolved: analysed.unresolved,
    missing: analysed.missing,
  };
}

/** How a tree is judged: see {@link AnalyzeOptions}. `reads` is told what the names in it stand for. */
export type JudgeOptions = {
  readonly uncertain: boolean;
  readonly masked?: MaskedForms | undefined;
  readonly reads?: Reads;
  /** Types of parameters that code of users checks. */
  readonly made?: readonly number[];
};
const NO_TYPES: readonly number[] = Object.freeze([]);

/** Judges each statement of a tree in the state in which the ones before leave the session. @throws RegateError TEXT_TOO_COMPLEX */
export function judgeAll(tree: ParseResult, catalog: Catalog, scope: NameScope, options: JudgeOptions): Analysed {
  const { uncertain, masked, reads, made = NO_TYPES } = options;
  const recorderFor = (current: Catalog, { searchPath: path, user }: ScopeNames): Recorder => {
    const own = uncertain ? {} : { user };
    const recorder = new Recorder(current, path, { running: path, masked, reads, ...own });
    recorder.lookups = [];
    for (const type of made) checksRun(recorder, CONSTANT, type);
    return recorder;
  };
  const raws = tree.stmts ?? [];
  const state = new TextState(scope, uncertain);
  const statements: StatementAnalysis[] = [];
  let unresolved = false;
  let missing: Missing | undefined;
  try {
    for (const raw of raws) {
      const node = raw.stmt ?? ({} as never);
      const recorder = recorderFor(catalog, state);
      const analysis = state.certain(judge({ recorder, scope: state }, node), catalog);
      if (recorder.unresolved) unresolved = true;
      // Where names may have come to mean something else meanwhile, it may be there.
      if (analysis.facts.class !== "unknown") missing ??= recorder.missing;
      statements.push(analysis);
      if (raws.length === 1) break;
      state.after(analysis, (current, at) => {
        const again = recorderFor(current, at);
        const found = judge({ recorder: again, scope: { ...scope, ...at } }, node);
        if (again.unresolved) unresolved = true;
        return found;
      });
    }
  } catch (thrown) {
    // The tree nests deeper than the stack: nothing was judged, so nothing may run.
    if (thrown instanceof RangeError) throw new RegateError("TEXT_TOO_COMPLEX", { cause: thrown });
    throw thrown;
  }
  const facts = statements.map((statement) => statement.facts);
  return { statements, facts, unresolved, missing, ofSession: state.ofSession };
}
