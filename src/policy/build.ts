// Builds a bundle from rules and data: the same bytes for the same sources, with what the policy reads in its manifest.
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { pack } from "tar-stream";
import { errorText, RegateError } from "../errors.ts";
import { ENTRYPOINT, unpack } from "./bundle.ts";
import { type Dependencies, dependencies, echoesOnly } from "./dependencies.ts";
import { dataDefects } from "./data.ts";
import type { MaskDefect } from "./masks.ts";
import { opa } from "./opa.ts";
import { readSource, type Source } from "./source.ts";
import { compile, inspect } from "./wasm.ts";

const zip = promisify(gzip);

export type Built = {
  readonly revision: string;
  readonly bytes: number;
  readonly dependencies: Dependencies;
  readonly source: Source;
};

/**
 * Builds the rules and data of `regoDir` and `dataDirs` (later ones win, see readSource) into the file `out`.
 * @param revision default: a digest of rules and data
 * @param maskDefect tells what is wrong with a mask; with it, data that no gate would load are refused
 * @throws RegateError OPA_MISSING, POLICY_SOURCE (what opa says about the sources), BUNDLE_BUILTIN, BUNDLE_UNREADABLE (`out` cannot be written)
 */
export async function buildBundle(
  regoDir: string,
  dataDirs: readonly string[],
  out: string,
  revision?: string,
  maskDefect?: MaskDefect,
): Promise<Built> {
  const source = await readSource([regoDir, ...dataDirs]);
  const [defect, ...more] = maskDefect === undefined ? [] : dataDefects(source.data, maskDefect);
  if (defect !== undefined)
    throw new RegateError("POLICY_SOURCE", {
      detail: `${defect.place}: ${defect.message}${more.length === 0 ? "" : `; and ${more.length} more`}`,
      hint: "regate policy check names all defects.",
    });
  return staged(source, async (folder) => {
    const file = join(folder, "..", "bundle.tar.gz");
    const ran = await opa(
      ["build", "--target", "wasm", "--optimize", "0", "--entrypoint", ENTRYPOINT, "--bundle", ".", "--output", file],
      {
        cwd: folder,
      },
    );
    if (ran.code !== 0) throw new RegateError("POLICY_SOURCE", { detail: ran.stderr.trim() || ran.stdout.trim() });
    const files = await unpack(await readFile(file), out);
    const wasm = files.get("policy.wasm");
    if (wasm === undefined) throw new RegateError("POLICY_SOURCE", { detail: "opa built no policy.wasm" });
    inspect(await compile(wasm, regoDir), regoDir);
    const reached = await dependencies(folder);
    const data = Buffer.from(`${JSON.stringify(sorted(source.data))}\n`);
    const manifest = {
      revision: revision ?? `sha256:${createHash("sha256").update(wasm).update(data).digest("hex")}`,
      roots: [""],
      wasm: [{ entrypoint: ENTRYPOINT, module: "/policy.wasm" }],
      rego_version: 1,
      metadata: {
        regate: {
          inputs: reached.inputs,
          echo_only: echoesOnly(await parseAll(folder, source)),
          wasm: createHash("sha256").update(wasm).digest("hex"),
        },
      },
    };
    const members: [string, Uint8Array][] = [["/.manifest", Buffer.from(`${JSON.stringify(manifest)}\n`)]];
    members.push(["/data.json", data], ["/policy.wasm", wasm]);
    // The rules travel along, for people and for tools that compare; what decides is the WASM.
    for (const name of [...source.rules.keys()].sort()) members.push([`/${name}`, await readFile(join(folder, name))]);
    const bytes = await archive(members);
    await writeWhole(out, bytes);
    return { revision: manifest.revision, bytes: bytes.length, dependencies: reached, source };
  });
}

/** Runs `work` with a folder that holds the rules and data alone, as a bundle's root. */
export async function staged<T>(source: Source, work: (folder: string) => Promise<T>, tests = false): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), "regate-policy-"));
  const folder = join(root, "policy");
  try {
    await mkdir(folder);
    for (const [name, path] of [...source.rules, ...(tests ? source.tests : [])]) {
      await cp(path, join(folder, name), { recursive: true });
    }
    await writeFile(join(folder, "data.json"), JSON.stringify(sorted(source.data)));
    return await work(folder);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Each rule file as `opa parse` sees it. @throws RegateError POLICY_SOURCE */
export async function parseAll(folder: string, source: Source): Promise<unknown[]> {
  const modules: unknown[] = [];
  for (const name of [...source.rules.keys()].sort()) {
    const ran = await opa(["parse", "--format", "json", name], { cwd: folder });
    if (ran.code !== 0) throw new RegateError("POLICY_SOURCE", { detail: ran.stderr.trim() || ran.stdout.trim() });
    modules.push(JSON.parse(ran.stdout));
  }
  return modules;
}

/** A tar.gz without times, owners and the name of the system that packed it. */
export async function archive(members: readonly (readonly [string, Uint8Array])[]): Promise<Buffer> {
  const tar = pack();
  for (const [name, bytes] of members)
    tar.entry({ name, mtime: new Date(0), mode: 0o644, uid: 0, gid: 0 }, Buffer.from(bytes));
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  const bytes = await zip(Buffer.concat(chunks), { level: 9 });
  bytes[9] = 255;
  return bytes;
}

/** Replaces by rename, so that a gate which watches the file never sees a part of it. */
async function writeWhole(out: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${out}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(out), { recursive: true });
    await writeFile(temporary, bytes);
    await rename(temporary, out);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new RegateError("BUNDLE_UNREADABLE", {
      message: "The policy bundle could not be written",
      detail: `${out}: ${errorText(error)}`,
      cause: error,
    });
  }
}

/** Members in order, so that the text does not depend on who wrote them in which order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
