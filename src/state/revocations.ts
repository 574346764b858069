// Revoked tokens: one file each, named by the token's id, so that any process can revoke and the gate sees it at its next look.
import { mkdirSync, readdirSync, readFileSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { Revocations } from "../core/ports.ts";
import { errorText, RegateError } from "../errors.ts";
import { createFile } from "./files.ts";

/** `until`: when the token ends by itself, in seconds since the epoch; the file is deleted some time after. */
export type Revocation = {
  readonly id: string;
  readonly until: number;
  readonly revoked_at: string;
  readonly by: string;
};

const folder = (dir: string): string => join(dir, "revoked");
const isId = (id: string): boolean => /^[A-Za-z0-9_-]{1,128}$/.test(id);

/** How often the gate looks, in milliseconds: a revocation works within a second. */
const LOOK_MS = 250;
/** A folder's time is coarse: something may be added to it unseen, for this long after it last changed. */
const SETTLE_MS = 2000;
const SWEEP_MS = 60_000;
/** Kept beyond the token's end, for clocks that differ. */
const KEEP_SECONDS = 3600;

/**
 * Revokes a token; false if it was revoked already. `dir` is data_dir/state.
 * @throws RegateError TOKEN_REQUEST (not the id of a token), DATA_DIR
 */
export function revoke(dir: string, revocation: Revocation): boolean {
  if (!isId(revocation.id)) {
    throw new RegateError("TOKEN_REQUEST", {
      message: "No such token can be revoked",
      detail: `${JSON.stringify(revocation.id)} is not the id of a token`,
      hint: "See the ids with: regate token list.",
    });
  }
  try {
    mkdirSync(folder(dir), { recursive: true, mode: 0o700 });
    return createFile(join(folder(dir), revocation.id), `${JSON.stringify(revocation)}\n`);
  } catch (cause) {
    throw new RegateError("DATA_DIR", {
      detail: `${folder(dir)}: ${errorText(cause)}`,
      hint: "Revoke as the user that the gate runs as, with the gate's data_dir.",
      cause,
    });
  }
}

/** The ids of all tokens that are revoked now. */
export function revokedIds(dir: string): Set<string> {
  try {
    return new Set(readdirSync(folder(dir)).filter(isId));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return new Set();
    throw new RegateError("DATA_DIR", { detail: `${folder(dir)}: ${errorText(cause)}`, cause });
  }
}

export type OpenRevocations = Revocations & { close(): void };

/**
 * Follows the revocations in `dir`. `onState` is told when they cannot be read (what was known stays), and when they can again.
 * @throws RegateError DATA_DIR
 */
export function followRevocations(
  dir: string,
  onState: (failure: Error | undefined) => void = () => undefined,
): OpenRevocations {
  const path = folder(dir);
  let known: ReadonlySet<string>;
  let failure: Error | undefined;
  let changed = -1;
  let changedAt = 0;
  let sweptAt = 0;

  const look = (): void => {
    const now = Date.now();
    const { mtimeMs } = statSync(path);
    if (mtimeMs !== changed) changedAt = now;
    else if (now - changedAt > SETTLE_MS) return;
    changed = mtimeMs;
    known = new Set(readdirSync(path).filter(isId));
  };
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    look();
  } catch (cause) {
    throw new RegateError("DATA_DIR", { detail: `${path}: ${errorText(cause)}`, cause });
  }
  const timer = setInterval(() => {
    const before = failure;
    try {
      look();
      failure = undefined;
      if (Date.now() - sweptAt > SWEEP_MS) {
        sweptAt = Date.now();
        sweep(path, known);
      }
    } catch (cause) {
      failure = new RegateError("DATA_DIR", { detail: `${path}: ${errorText(cause)}`, cause });
      changed = -1;
    }
    if ((before === undefined) !== (failure === undefined)) onState(failure);
  }, LOOK_MS);
  timer.unref();
  return {
    get failure() {
      return failure;
    },
    revoked: (id) => known.has(id),
    close: () => clearInterval(timer),
  };
}

/** Deletes what concerns tokens that ended long ago. What cannot be read or deleted stays: it only takes room. */
function sweep(path: string, ids: ReadonlySet<string>): void {
  for (const id of ids) {
    try {
      const { until } = JSON.parse(readFileSync(join(path, id), "utf8")) as Revocation;
      if (Number.isFinite(until) && until + KEEP_SECONDS < Date.now() / 1000) unlinkSync(join(path, id));
    } catch {}
  }
}
