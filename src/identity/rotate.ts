// What lies in data_dir/keys, and a new key in front of the old ones: told by name and version, never by content.
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { JWK } from "jose";
import { errorText, RegateError } from "../errors.ts";
import { MASK_BYTES, MASK_FILE, newSigningKey, SIGNING_FILE } from "./keys.ts";

export type KeyFile = {
  /** `issuer`, `mask`, or `tokenize/NAME`. */
  readonly name: string;
  readonly use: "signs tokens" | "hash" | "tokenize";
  /** The first one is in use; of the others, what they made is still understood. */
  readonly versions: readonly string[];
  readonly changed_at: string;
};

const TOKENIZE = "tokenize/";
/** As the mask `tokenize` takes it. */
const keyName = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const TOKEN_KEY_BYTES = 32;

/** @throws RegateError KEY_UNREADABLE */
export function listKeys(dataDir: string): KeyFile[] {
  const dir = join(dataDir, "keys");
  const names = ["issuer", "mask"];
  for (const file of entries(join(dir, "tokenize")))
    if (file.endsWith(".json")) names.push(`${TOKENIZE}${file.slice(0, -5)}`);
  return names.flatMap((name) => {
    const path = pathOf(dir, name);
    const changed = statSync(path, { throwIfNoEntry: false })?.mtime.toISOString();
    if (changed === undefined) return [];
    const use = name === "issuer" ? "signs tokens" : name === "mask" ? "hash" : "tokenize";
    return [{ name, use, versions: versionsOf(path, name), changed_at: changed }];
  });
}

/**
 * Puts a new key in front; of `mask` it takes the old one's place, since hashes tell no version.
 * @param create make the file where there is none (of `tokenize/NAME`; the gate makes the others by itself)
 * @throws RegateError KEY_UNREADABLE, MASK_KEY_MISSING, USAGE
 */
export async function rotateKey(dataDir: string, name: string, create: boolean): Promise<KeyFile> {
  const dir = join(dataDir, "keys");
  const tokenize = name.startsWith(TOKENIZE);
  if (name !== "issuer" && name !== "mask" && !(tokenize && keyName.test(name.slice(TOKENIZE.length))))
    throw new RegateError("USAGE", {
      detail: `${name}: expected issuer, mask or tokenize/NAME (small letters, digits, - and _)`,
    });
  const path = pathOf(dir, name);
  const exists = statSync(path, { throwIfNoEntry: false }) !== undefined;
  if (!exists && !(create && tokenize))
    throw new RegateError("MASK_KEY_MISSING", {
      message: "There is no such key",
      detail: path,
      hint: tokenize ? "Add --create to make it." : "The gate makes it when it starts.",
    });
  if (exists && create)
    throw new RegateError("USAGE", {
      detail: `${name}: it is there already`,
      hint: "Leave out --create to rotate it.",
    });
  if (!exists) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // What is there must be readable: else it would be lost with what it made.
  const old = exists && name !== "mask" ? setOf(path) : [];
  const bytes = name === "mask" ? randomBytes(MASK_BYTES) : written([await newKey(name, old), ...old]);
  replace(path, bytes);
  return listKeys(dataDir).find((key) => key.name === name)!;
}

async function newKey(name: string, old: readonly JWK[]): Promise<JWK> {
  if (name === "issuer") return newSigningKey();
  // Versions count up, so that people can tell them.
  const last = old.map(({ kid }) => Number(kid)).filter((kid) => Number.isSafeInteger(kid));
  return { kty: "oct", kid: String(Math.max(0, ...last) + 1), k: randomBytes(TOKEN_KEY_BYTES).toString("base64url") };
}

/** In one step, with the owner that the old one had: whoever reads it meets the old or the new one whole. */
function replace(path: string, bytes: Buffer): void {
  // Of two that rotate at once the second one fails, instead of losing the key of the first.
  const draft = `${path}.new`;
  try {
    writeFileSync(draft, bytes, { flag: "wx", mode: 0o600, flush: true });
  } catch (cause) {
    const busy = (cause as NodeJS.ErrnoException).code === "EEXIST";
    throw unreadable(
      draft,
      cause,
      busy ? "Another rotation is under way, or broke off: then delete this file." : undefined,
    );
  }
  try {
    const owner = statSync(path, { throwIfNoEntry: false }) ?? statSync(dirname(path));
    if (process.getuid?.() === 0) chownSync(draft, owner.uid, owner.gid);
    chmodSync(draft, 0o600);
    renameSync(draft, path);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw unreadable(path, cause);
  }
}

const written = (keys: readonly JWK[]): Buffer => Buffer.from(`${JSON.stringify({ keys }, undefined, 2)}\n`, "utf8");

function pathOf(dir: string, name: string): string {
  if (name === "issuer") return join(dir, SIGNING_FILE);
  return name === "mask" ? join(dir, MASK_FILE) : join(dir, `${name}.json`);
}

function versionsOf(path: string, name: string): string[] {
  if (name !== "mask") return setOf(path).map(({ kid = "" }) => kid);
  try {
    // Tells one secret from another, and nothing of it.
    return [createHash("sha256").update("regate mask key ").update(readFileSync(path)).digest("hex").slice(0, 16)];
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function setOf(path: string): JWK[] {
  try {
    const { keys } = JSON.parse(readFileSync(path, "utf8")) as { keys: JWK[] };
    if (!Array.isArray(keys) || keys.some((key) => typeof key?.kid !== "string"))
      throw new Error("no JWK set with kid");
    return keys;
  } catch (cause) {
    // What could not be read is a secret all the same: no word of it.
    throw unreadable(path, cause instanceof SyntaxError ? new Error("no JSON") : cause);
  }
}

function entries(dir: string): string[] {
  try {
    return readdirSync(dir).sort();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw unreadable(dir, cause);
  }
}

function unreadable(path: string, cause: unknown, hint?: string): RegateError {
  return new RegateError("KEY_UNREADABLE", {
    detail: `${path}: ${errorText(cause)}`,
    hint: hint ?? "Run the command as the user that the gate runs as, with the gate's data_dir.",
  });
}
