// What is known of the tokens that were issued: one file of lines for each day on which they end. Never the tokens.
import { closeSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errorText, RegateError } from "../errors.ts";
import { appendLine, openAppend, parseLines } from "./files.ts";

/** Times are seconds since the epoch. */
export type TokenEntry = {
  readonly id: string;
  readonly subject: string;
  readonly resources: readonly string[];
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  readonly issued_at: number;
  readonly expires_at: number;
};

/** Days that ended tokens stay in the list. */
const KEEP_DAYS = 7;
const folder = (dir: string): string => join(dir, "tokens");
const dayOf = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);
const isDay = (name: string): boolean => /^\d{4}-\d{2}-\d{2}\.jsonl$/.test(name);

/** Notes that a token was issued; `dir` is data_dir/state. @throws RegateError DATA_DIR */
export function rememberToken(dir: string, entry: TokenEntry): void {
  try {
    mkdirSync(folder(dir), { recursive: true, mode: 0o700 });
    const file = openAppend(join(folder(dir), `${dayOf(entry.expires_at)}.jsonl`));
    try {
      appendLine(file, JSON.stringify(entry));
    } finally {
      closeSync(file);
    }
    forgetOld(folder(dir));
  } catch (cause) {
    throw new RegateError("DATA_DIR", {
      detail: `${folder(dir)}: ${errorText(cause)}`,
      hint: "Issue tokens as the user that the gate runs as, with the gate's data_dir.",
      cause,
    });
  }
}

/** All that are remembered, the latest issued first. @throws RegateError DATA_DIR */
export function rememberedTokens(dir: string): readonly TokenEntry[] {
  let names: string[];
  try {
    names = readdirSync(folder(dir)).filter(isDay);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new RegateError("DATA_DIR", { detail: `${folder(dir)}: ${errorText(cause)}`, cause });
  }
  const entries = names.flatMap((name) => parseLines(readFileSync(join(folder(dir), name), "utf8")) as TokenEntry[]);
  return entries.sort((a, b) => b.issued_at - a.issued_at);
}

function forgetOld(path: string): void {
  const oldest = dayOf(Date.now() / 1000 - KEEP_DAYS * 86_400);
  for (const name of readdirSync(path))
    if (isDay(name) && name.slice(0, 10) < oldest) rmSync(join(path, name), { force: true });
}
