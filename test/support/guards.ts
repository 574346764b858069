// The lists of guards in test/guards: what each is called, where it stands, and what it looks like when it is off.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** `from` occurs once in `file`; with `to` in its place, one of `tests` must fail. `list` is where the entry stands. */
export type Guard = {
  readonly guard: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly tests: readonly string[];
  readonly list: string;
};

/** All of them, list by list. */
export function readGuards(root: string): readonly Guard[] {
  return globSync("test/guards/*.json", { cwd: root })
    .sort()
    .flatMap((list) =>
      (JSON.parse(readFileSync(join(root, list), "utf8")) as Omit<Guard, "list">[]).map((guard) => ({
        ...guard,
        list,
      })),
    );
}

/** Does the text that is switched off occur exactly once? */
export function fits(root: string, { file, from }: Guard): boolean {
  return readFileSync(join(root, file), "utf8").split(from).length === 2;
}
