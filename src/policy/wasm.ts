// Runs the policy's WASM: the only place that knows opa-wasm, and that it throws strings and bare objects.
import { createRequire } from "node:module";
import { errorText, RegateError } from "../errors.ts";
import { HOST_BUILTINS, REFUSED_BUILTINS, SDK_BUILTINS, VOLATILE_BUILTINS } from "./builtins.ts";
import { ENTRYPOINT, entrypointHint, invalid } from "./bundle.ts";

/** A compiled module. (Node's types leave out WebAssembly, which it has.) */
export type WasmModule = object & { readonly wasm: "module" };
type WebAssemblyApi = {
  compile(wasm: Uint8Array): Promise<WasmModule>;
  readonly Module: { exports(module: WasmModule): { readonly name: string }[] };
};
const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

/** The parts of opa-wasm's LoadedPolicy that are used; its own types leave out the instance and the memory. */
type Loaded = {
  readonly entrypoints: { readonly [name: string]: number };
  readonly mem: { readonly buffer: ArrayBuffer };
  readonly wasmInstance: { readonly exports: { builtins(): number; opa_json_dump(address: number): number } };
  setData(data: ArrayBuffer): void;
  evaluate(input: ArrayBuffer, entrypoint: number): unknown;
};
type Sdk = {
  loadPolicySync(module: WasmModule, memory: { initial: number; maximum: number }, builtins: object): Loaded;
};
const sdk = createRequire(import.meta.url)("@open-policy-agent/opa-wasm") as Sdk;

/** 64 KiB each. The most that an evaluation may use: beyond it traps. */
const PAGES = { initial: 5, maximum: 8192 };
/** An instance never gives memory back, so one that grew by more than this is replaced. */
const GROWTH = 16 << 20;

const encoder = new TextEncoder();

/** Compiles off the event loop. @throws RegateError BUNDLE_INVALID */
export async function compile(wasm: Uint8Array<ArrayBuffer>, where: string): Promise<WasmModule> {
  try {
    return await webAssembly.compile(wasm);
  } catch (error) {
    throw invalid(where, `policy.wasm does not compile: ${errorText(error)}`);
  }
}

/** What the module needs and has. */
export type Profile = { readonly builtins: readonly string[]; readonly volatile: boolean };

/**
 * Instantiates once, to see that it is a policy, has the entrypoint and needs nothing that the gate does not have.
 * @throws RegateError BUNDLE_INVALID, BUNDLE_NO_ENTRYPOINT, BUNDLE_BUILTIN
 */
export function inspect(module: WasmModule, where: string): Profile {
  let loaded: Loaded;
  let builtins: string[];
  const exported = new Set(webAssembly.Module.exports(module).map(({ name }) => name));
  for (const name of ["opa_wasm_abi_version", "opa_wasm_abi_minor_version", "opa_eval", "builtins", "entrypoints"]) {
    if (!exported.has(name)) throw invalid(where, `policy.wasm is not an OPA policy: it has no ${name}`);
  }
  try {
    loaded = sdk.loadPolicySync(module, PAGES, HOST_BUILTINS);
    builtins = Object.keys(readJson(loaded, loaded.wasmInstance.exports.builtins()) as object).sort();
  } catch (error) {
    throw invalid(where, `policy.wasm is not an OPA policy: ${errorText(error)}`);
  }
  if (!Object.hasOwn(loaded.entrypoints, ENTRYPOINT)) {
    const known = Object.keys(loaded.entrypoints).join(", ");
    throw new RegateError("BUNDLE_NO_ENTRYPOINT", { detail: `${where} has: ${known}`, hint: entrypointHint });
  }
  for (const name of builtins) {
    const refusal = REFUSED_BUILTINS.get(name);
    if (refusal !== undefined) throw new RegateError("BUNDLE_BUILTIN", { detail: `${where}: ${name}`, hint: refusal });
    if (Object.hasOwn(HOST_BUILTINS, name) || SDK_BUILTINS.has(name)) continue;
    throw new RegateError("BUNDLE_BUILTIN", {
      detail: `${where}: ${name}`,
      hint: "Say it without this builtin; docs/policies.md lists those that policies may use.",
    });
  }
  return { builtins, volatile: builtins.some((name) => VOLATILE_BUILTINS.has(name)) };
}

/** What is thrown by an evaluation that did not end by itself. */
export class Trap extends Error {
  override readonly name = "Trap";
}

/** One instance with the bundle's data in it. */
export class Evaluator {
  readonly #module: WasmModule;
  readonly #data: ArrayBuffer;
  #loaded: Loaded | undefined;
  #entrypoint = 0;
  #baseline = 0;

  /** @param data the JSON text of the bundle's data */
  constructor(module: WasmModule, data: ArrayBuffer) {
    this.#module = module;
    this.#data = data;
  }

  /**
   * The value of the entrypoint for this input (JSON text), or undefined where it has none.
   * @throws Trap whatever went wrong; the next call gets a fresh instance
   */
  evaluate(input: string): unknown {
    try {
      const loaded = this.#loaded ?? this.#load();
      const bytes = encoder.encode(input);
      const buffer = bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
      const results = loaded.evaluate(buffer, this.#entrypoint) as readonly { readonly result: unknown }[];
      if (loaded.mem.buffer.byteLength > this.#baseline + GROWTH) this.#loaded = undefined;
      return results[0]?.result;
    } catch (thrown) {
      this.#loaded = undefined;
      throw new Trap(errorText(thrown), { cause: thrown });
    }
  }

  #load(): Loaded {
    const loaded = sdk.loadPolicySync(this.#module, PAGES, HOST_BUILTINS);
    loaded.setData(this.#data);
    this.#entrypoint = loaded.entrypoints[ENTRYPOINT]!;
    this.#baseline = loaded.mem.buffer.byteLength;
    this.#loaded = loaded;
    return loaded;
  }
}

function readJson(loaded: Loaded, address: number): unknown {
  const memory = Buffer.from(loaded.mem.buffer);
  const start = loaded.wasmInstance.exports.opa_json_dump(address);
  return JSON.parse(memory.toString("utf8", start, memory.indexOf(0, start)));
}
