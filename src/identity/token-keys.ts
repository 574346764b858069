// The named keys of the mask `tokenize`, in data_dir/keys/tokenize: JWK sets, read again when their files change.
import { readFileSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { errorText, RegateError } from "../errors.ts";

type KeySet = {
  /** Tells one content of the file from another. */
  readonly stamp: string;
  readonly current: Buffer;
  readonly versions: ReadonlyMap<string, Buffer>;
};

/** AES-128, -192 or -256. */
const KEY_BYTES = [16, 24, 32];

export class TokenKeys {
  readonly #dir: string;
  readonly #sets = new Map<string, KeySet>();

  constructor(dataDir: string) {
    this.#dir = join(dataDir, "keys", "tokenize");
  }

  /**
   * The key that encrypts now: the first of `NAME.json`. Undefined where there is no such file.
   * @throws RegateError KEY_UNREADABLE
   */
  current(name: string): Buffer | undefined {
    return this.#set(name)?.current;
  }

  /**
   * One key by its version (`kid`), for tokens from before a rotation; without one that which encrypts now.
   * @throws RegateError KEY_UNREADABLE
   */
  version(name: string, asked?: string): { readonly version: string; readonly key: Buffer } | undefined {
    const versions = this.#set(name)?.versions;
    const version = asked ?? versions?.keys().next().value;
    const key = version === undefined ? undefined : versions?.get(version);
    return version === undefined || key === undefined ? undefined : { version, key };
  }

  #set(name: string): KeySet | undefined {
    const path = join(this.#dir, `${name}.json`);
    // A look at the file for each result is cheap, and a key that was taken away counts no longer.
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) {
      this.#sets.delete(name);
      return undefined;
    }
    const stamp = `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
    const known = this.#sets.get(name);
    if (known?.stamp === stamp) return known;
    this.#sets.delete(name);
    const set = read(path, stats, stamp);
    this.#sets.set(name, set);
    return set;
  }
}

function read(path: string, { mode }: Stats, stamp: string): KeySet {
  if (process.platform !== "win32" && (mode & 0o007) !== 0)
    throw new RegateError("KEY_UNREADABLE", {
      detail: `${path}: everybody may open it (mode ${(mode & 0o777).toString(8)})`,
      hint: `Close it with: chmod 600 ${path}. Whoever may have read it can turn tokens back: put a new key in front.`,
    });
  try {
    const { keys } = JSON.parse(readFileSync(path, "utf8")) as { keys: unknown };
    if (!Array.isArray(keys)) throw new Error("no JWK set");
    const versions = new Map<string, Buffer>();
    for (const jwk of keys as { [member: string]: unknown }[]) {
      if (jwk?.kty !== "oct" || typeof jwk.kid !== "string" || typeof jwk.k !== "string")
        throw new Error("expected keys with kty oct, kid and k");
      const bytes = Buffer.from(jwk.k, "base64url");
      if (!KEY_BYTES.includes(bytes.length) || bytes.toString("base64url") !== jwk.k)
        throw new Error(`key ${jwk.kid}: k: expected 16, 24 or 32 bytes in base64url`);
      if (versions.has(jwk.kid)) throw new Error(`kid ${jwk.kid} stands twice`);
      versions.set(jwk.kid, bytes);
    }
    const [current] = versions.values();
    if (current === undefined) throw new Error("no key in it");
    return { stamp, current, versions };
  } catch (cause) {
    throw new RegateError("KEY_UNREADABLE", {
      // What could not be read is a secret all the same: no word of it.
      detail: `${path}: ${cause instanceof SyntaxError ? "no JSON" : errorText(cause)}`,
      hint: "Restore it from a backup: without the key, tokens cannot be turned back. docs/masks.md has its form.",
    });
  }
}
