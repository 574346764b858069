// Opens a policy bundle as core's Policy, and swaps in a new one when its file changes.
import type { Decision } from "../core/decision.ts";
import type { Input } from "../core/facts.ts";
import type { Policy } from "../core/ports.ts";
import { errorText, RegateError } from "../errors.ts";
import { isObject, readBundle } from "./bundle.ts";
import { Engine, ENGINE_DEFAULTS, type EngineOptions } from "./engine.ts";
import { watchFile } from "./reload.ts";

export type PolicyOptions = Partial<EngineOptions> & {
  /** The bundle file (tar.gz). */
  readonly bundle: string;
  readonly mode: "enforce" | "observe";
  /** Swap in the bundle when its file changes. Default: false. */
  readonly watch?: boolean;
  /** Told when a changed bundle is refused (the old one stays in force), once for each content. */
  readonly onError?: (error: RegateError) => void;
};

export type OpenPolicy = Policy & {
  /** Reads the bundle file now. True if another one is in force from now on. @throws RegateError BUNDLE_*; the old one stays */
  reload(): Promise<boolean>;
  close(): Promise<void>;
};

/**
 * Loads a bundle and tries it in full before anything is decided with it.
 *
 * `evaluate` takes facts whose `identity`, `resource`, `command` and `result` are never changed once they were given: their part of the cache
 * key is kept by object. `session` may change. A decision is frozen and may be shared between calls.
 * @throws RegateError BUNDLE_UNREADABLE, BUNDLE_INVALID, BUNDLE_NO_ENTRYPOINT, BUNDLE_BUILTIN, and what `maskDefect` throws
 */
export async function openPolicy(options: PolicyOptions): Promise<OpenPolicy> {
  const engineOptions: EngineOptions = {
    inlineLimit: options.inlineLimit ?? ENGINE_DEFAULTS.inlineLimit,
    inputLimit: options.inputLimit ?? ENGINE_DEFAULTS.inputLimit,
    timeoutMs: options.timeoutMs ?? ENGINE_DEFAULTS.timeoutMs,
    cache: options.cache ?? ENGINE_DEFAULTS.cache,
    maskDefect: options.maskDefect,
  };
  const policy = new SwappablePolicy(options, engineOptions, await Engine.load(options.bundle, engineOptions));
  if (options.watch === true) policy.watch();
  return policy;
}

class SwappablePolicy implements OpenPolicy {
  readonly mode: "enforce" | "observe";
  readonly #options: PolicyOptions;
  readonly #engineOptions: EngineOptions;
  readonly #listeners = new Set<() => void>();
  #engine: Engine;
  #reloading: Promise<unknown> = Promise.resolve();
  /** Digest (or message) of what was refused last, so that it is reported once. */
  #refused: string | undefined;
  #unwatch: (() => void) | undefined;
  #closed = false;

  constructor(options: PolicyOptions, engineOptions: EngineOptions, engine: Engine) {
    this.mode = options.mode;
    this.#options = options;
    this.#engineOptions = engineOptions;
    this.#engine = engine;
  }

  get revision(): string {
    return this.#engine.bundle.revision;
  }

  data(path: string): unknown {
    let value: unknown = this.#engine.bundle.data;
    for (const segment of path === "" ? [] : path.split(".")) {
      value = isObject(value) && Object.hasOwn(value, segment) ? value[segment] : undefined;
    }
    return value;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  reads(path: string): boolean {
    return this.#engine.reads(path);
  }

  evaluate(input: Input): Decision | Promise<Decision> {
    return this.#engine.evaluate(input);
  }

  reload(): Promise<boolean> {
    // One at a time, so that an older file cannot overtake a newer one.
    const turn = this.#reloading.then(() => this.#swap());
    this.#reloading = turn.catch(() => undefined);
    return turn;
  }

  watch(): void {
    this.#unwatch = watchFile(this.#options.bundle, async () => {
      try {
        await this.reload();
        this.#refused = undefined;
      } catch (error) {
        const refusal =
          error instanceof RegateError
            ? error
            : new RegateError("BUNDLE_INVALID", { detail: errorText(error), cause: error });
        const what = `${refusal.code} ${refusal.detail}`;
        if (what === this.#refused) return;
        this.#refused = what;
        this.#options.onError?.(refusal);
      }
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch?.();
    this.#listeners.clear();
    await this.#reloading;
    await this.#engine.close();
  }

  async #swap(): Promise<boolean> {
    const bundle = await readBundle(this.#options.bundle);
    if (this.#closed || bundle.digest === this.#engine.bundle.digest) return false;
    const next = await Engine.of(bundle, this.#options.bundle, this.#engineOptions);
    if (this.#closed) {
      await next.close();
      return false;
    }
    const previous = this.#engine;
    this.#engine = next;
    for (const listener of this.#listeners) listener();
    // What the previous one is still judging, it judges to its end.
    await previous.drain();
    return true;
  }
}
