// What is needed to reproduce a disagreement: a JSON file each, readable by the gate alone, and only so many of them.
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** More would tell nothing new: who has so many looks at the first ones. */
const most = 100;

export class Reproductions {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** @returns the file's path; undefined where there are too many already, or it cannot be written: an alarm must not fail for that */
  write(report: object): string | undefined {
    try {
      mkdirSync(this.#dir, { recursive: true, mode: 0o700 });
      if (readdirSync(this.#dir).length >= most) return undefined;
      const moment = new Date()
        .toISOString()
        .replaceAll(/[^0-9T]/g, "")
        .slice(0, 15);
      const path = join(this.#dir, `${moment}-${randomBytes(4).toString("hex")}.json`);
      writeFileSync(path, `${JSON.stringify(report, undefined, 2)}\n`, { mode: 0o600, flag: "wx" });
      return path;
    } catch {
      return undefined;
    }
  }
}
