// Completes package-lock.json: node tools/lock.ts [--check]. A registry that lacks a package of another platform makes npm leave it out of the
// lock, and then `npm ci` refuses the lock everywhere. The entry added here has no digest; npm asks for the package on that platform only.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./run.ts";

type Entry = {
  version?: string;
  optional?: boolean;
  dev?: boolean;
  optionalDependencies?: Record<string, string>;
  [member: string]: unknown;
};
type Lock = { packages: Record<string, Entry> };

const file = join(ROOT, "package-lock.json");
const lock = JSON.parse(readFileSync(file, "utf8")) as Lock;
const systems = ["linux", "darwin", "win32", "android", "freebsd", "openbsd"];
const processors = ["x64", "arm64", "arm", "ia32"];

const missing: string[] = [];
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`;
    if (lock.packages[path] !== undefined) continue;
    missing.push(name);
    const words = name.split(/[/-]/);
    const os = systems.find((system) => words.includes(system));
    const cpu = processors.find((processor) => words.includes(processor));
    lock.packages[path] = {
      version,
      ...(cpu === undefined ? {} : { cpu: [cpu] }),
      ...(entry.dev === true ? { dev: true } : {}),
      ...(os === "linux" ? { libc: [words.includes("musl") ? "musl" : "glibc"] } : {}),
      optional: true,
      ...(os === undefined ? {} : { os: [os] }),
    };
  }
}

if (process.argv.includes("--check")) {
  const addresses = Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined);
  for (const [path] of addresses)
    console.error(
      `${path} names the registry that it was fetched from: keep .npmrc as it is, and run npm install again`,
    );
  for (const name of missing) console.error(`${name} is missing from package-lock.json`);
  process.exitCode = missing.length + addresses.length === 0 ? 0 : 1;
} else {
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, "en")));
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(missing.length === 0 ? "package-lock.json is complete" : `added ${missing.join(", ")}`);
}
