// One loaded bundle that decides: from the cache, inline, or in a worker for what is too large to hold up the event loop.
import { blockFor, checkDecision, type Decision } from "../core/decision.ts";
import type { Input } from "../core/facts.ts";
import { errorText, RegateError } from "../errors.ts";
import { type Bundle, invalid, readBundle } from "./bundle.ts";
import { CACHE_LIMITS, type CacheLimits, DecisionCache } from "./cache.ts";
import { InputPaths } from "./inputs.ts";
import { dataDefects } from "./data.ts";
import type { MaskDefect } from "./masks.ts";
import { tryOut } from "./trial.ts";
import { compile, Evaluator, inspect } from "./wasm.ts";
import { WORKER_LIMITS, Workers } from "./workers.ts";

export type EngineOptions = {
  /** Bytes of input up to which a command is judged on the event loop. */
  readonly inlineLimit: number;
  /** Bytes of input above which a command is not judged at all, but blocked with INPUT_TOO_LARGE. */
  readonly inputLimit: number;
  /** Milliseconds that a large input may take in a worker. */
  readonly timeoutMs: number;
  readonly cache: CacheLimits;
  /** Tells what is wrong with a mask of data.masks; undefined: nobody looks. */
  readonly maskDefect: MaskDefect | undefined;
};
export const ENGINE_DEFAULTS: EngineOptions = {
  inlineLimit: 64 << 10,
  inputLimit: 4 << 20,
  timeoutMs: WORKER_LIMITS.timeoutMs,
  cache: CACHE_LIMITS,
  maskDefect: undefined,
};

/** Never throws from `evaluate`. */
export class Engine {
  readonly bundle: Bundle;
  readonly paths: InputPaths;
  /** Undefined where the same facts may get different decisions. */
  readonly cache: DecisionCache | undefined;
  readonly #options: EngineOptions;
  readonly #evaluator: Evaluator;
  readonly #workers: Workers;
  readonly #pending = new Set<Promise<Decision>>();
  readonly #spelled = new Map<string, boolean>();

  private constructor(
    bundle: Bundle,
    paths: InputPaths,
    options: EngineOptions,
    cacheable: boolean,
    evaluator: Evaluator,
    workers: Workers,
  ) {
    this.bundle = bundle;
    this.paths = paths;
    this.cache = cacheable ? new DecisionCache(options.cache) : undefined;
    this.#options = options;
    this.#evaluator = evaluator;
    this.#workers = workers;
  }

  /**
   * Reads a bundle and tries it in full.
   * @throws RegateError BUNDLE_UNREADABLE, BUNDLE_INVALID, BUNDLE_NO_ENTRYPOINT, BUNDLE_BUILTIN
   */
  static async load(path: string, options: EngineOptions): Promise<Engine> {
    return Engine.of(await readBundle(path), path, options);
  }

  /** As {@link Engine.load}, of a bundle that was read; `where` names it in errors. */
  static async of(bundle: Bundle, where: string, options: EngineOptions): Promise<Engine> {
    const [defect] = options.maskDefect === undefined ? [] : dataDefects(bundle.data, options.maskDefect);
    if (defect !== undefined)
      throw invalid(
        where,
        `${defect.place}: ${defect.message}`,
        "The form of data is in docs/policies.md, the masks and their parameters are in docs/masks.md.",
      );
    const module = await compile(bundle.wasm, where);
    const profile = inspect(module, where);
    const paths = new InputPaths(bundle.inputs);
    const workers = new Workers({ module, data: bundle.dataText }, { ...WORKER_LIMITS, timeoutMs: options.timeoutMs });
    try {
      // In a worker, so that a policy that never ends cannot stop a gate that is running.
      const echoOnly = await tryOut(workers, paths, where);
      const cacheable = !profile.volatile && echoOnly && bundle.echoOnly !== false;
      return new Engine(bundle, paths, options, cacheable, new Evaluator(module, bundle.dataText), workers);
    } catch (error) {
      await workers.close();
      throw error;
    }
  }

  /**
   * Does a rule read this path of input? What lies in the members of a list `opa deps` does not tell: there the rules must at least spell the
   * last name (in WASM every name that they spell is a text of its own).
   */
  reads(path: string): boolean {
    if (!this.paths.reads(path)) return false;
    if (!/^(command\.statements|result\.columns)\./.test(path)) return true;
    let spelled = this.#spelled.get(path);
    if (spelled === undefined) {
      spelled = Buffer.from(this.bundle.wasm.buffer).includes(`${path.slice(path.lastIndexOf(".") + 1)}\0`);
      this.#spelled.set(path, spelled);
    }
    return spelled;
  }

  evaluate(input: Input): Decision | Promise<Decision> {
    try {
      const key = this.cache === undefined ? undefined : this.paths.key(input);
      if (key !== undefined) {
        const known = this.cache!.get(key);
        if (known !== undefined) return { ...known, id: input.id };
      }
      const document = this.paths.document(input);
      // A character is at most three bytes, so most inputs need not be measured.
      const bytes = document.length * 3 <= this.#options.inlineLimit ? document.length : Buffer.byteLength(document);
      if (bytes > this.#options.inputLimit) {
        return blockFor(input.id, "INPUT_TOO_LARGE", `${bytes} bytes, and ${this.#options.inputLimit} is the limit`);
      }
      if (bytes > this.#options.inlineLimit) {
        const pending = this.#evaluateAside(input.id, document, key);
        this.#pending.add(pending);
        void pending.finally(() => this.#pending.delete(pending));
        return pending;
      }
      return this.#keep(key, checkDecision(input.id, this.#evaluator.evaluate(document)));
    } catch (error) {
      return failed(input.id, error);
    }
  }

  /** Ends it; what is under way becomes a block. */
  async close(): Promise<void> {
    await this.#workers.close();
  }

  /** Ends it once all that is under way is judged. */
  async drain(): Promise<void> {
    await Promise.allSettled(this.#pending);
    await this.close();
  }

  async #evaluateAside(id: string, document: string, key: string | undefined): Promise<Decision> {
    try {
      return this.#keep(key, checkDecision(id, await this.#workers.evaluate(document)));
    } catch (error) {
      return failed(id, error);
    }
  }

  #keep(key: string | undefined, decision: Decision): Decision {
    if (key !== undefined) this.cache!.set(key, deepFreeze(decision));
    return decision;
  }
}

function failed(id: string, error: unknown): Decision {
  if (error instanceof RegateError) return blockFor(id, error.code, error.detail);
  return blockFor(id, "POLICY_TRAP", errorText(error));
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}
