// Small JSON documents by name, each a file of its own, replaced as a whole.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export class JsonStore {
  readonly #dir: string;

  constructor(dir: string) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.#dir = dir;
  }

  /** Undefined where there is none. @throws SyntaxError, NodeJS.ErrnoException for one that cannot be read: it is never taken for absent */
  read(name: string): unknown {
    try {
      return JSON.parse(readFileSync(this.#path(name), "utf8"));
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw thrown;
    }
  }

  write(name: string, value: object): void {
    const path = this.#path(name);
    writeFileSync(`${path}.new`, JSON.stringify(value), { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
  }

  #path(name: string): string {
    return join(this.#dir, `${encodeURIComponent(name)}.json`);
  }
}
