// Who may import whom, and where each runtime package lives: read from the import lines of src.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative } from "node:path";
import { describe, test } from "node:test";

const src = join(import.meta.dirname, "../src");
const files = globSync("**/*.ts", { cwd: src }).sort();
const text = (file: string): string => readFileSync(join(src, file), "utf8");

/** What a part of src may import, beside itself and errors.ts. "*" is everything. */
const allowed: { readonly [part: string]: readonly string[] | "*" } = {
  "index.ts": "*",
  "gateway.ts": "*",
  cli: "*",
  demo: "*",
  "errors.ts": [],
  "config.ts": ["config", "loopback.ts"],
  config: [],
  "log.ts": [],
  "threads.ts": [],
  "loopback.ts": [],
  core: [],
  policy: ["core", "threads.ts"],
  audit: ["core"],
  identity: ["core"],
  state: ["core"],
  masking: ["core"],
  sql: ["core", "threads.ts"],
  http: ["core", "loopback.ts"],
  "protocols/shim.ts": ["core"],
  "protocols/*": ["core", "sql", "masking", "protocols/shim.ts", "loopback.ts"],
};

/** Where each runtime package may be imported. */
const homes: { readonly [name: string]: string } = {
  "@open-policy-agent/opa-wasm": "policy/",
  "tar-stream": "policy/",
  jose: "identity/",
  fastify: "http/",
  pino: "log.ts",
  "@duckdb/node-api": "audit/",
  "libpg-query": "sql/postgres/",
  "pgsql-deparser": "sql/postgres/",
  "libphonenumber-js": "masking/detectors/",
  "pg-protocol": "protocols/postgres/",
  yaml: "config/",
};
/** Installed, and never imported: the Node that runs everything. */
const notImported = ["node"];

/** "policy", "config.ts", "protocols/postgres", … */
function partOf(file: string): string {
  const [first, second] = file.split("/");
  return first === "protocols" && second !== undefined ? `${first}/${second}` : first!;
}

function ruleOf(part: string): readonly string[] | "*" | undefined {
  return allowed[part] ?? (part.startsWith("protocols/") ? allowed["protocols/*"] : undefined);
}

type Import = { readonly file: string; readonly specifier: string };

function importsOf(source: string): string[] {
  const statements =
    /^\s*(?:import|export)\b[^;"'`]*?\bfrom\s*["']([^"']+)["']|^\s*import\s*["']([^"']+)["']|\b(?:import|require|createRequire\(import\.meta\.url\))\(\s*["']([^"']+)["']/gm;
  return [...source.matchAll(statements)].map((match) => (match[1] ?? match[2] ?? match[3])!);
}

const imports: Import[] = files.flatMap((file) => importsOf(text(file)).map((specifier) => ({ file, specifier })));
const packageOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
const isBuiltin = (specifier: string): boolean => specifier.startsWith("node:") || builtinModules.includes(specifier);
const local = imports.filter(({ specifier }) => specifier.startsWith("."));
const foreign = imports.filter(({ specifier }) => !specifier.startsWith(".") && !isBuiltin(specifier));

/** What breaks the table, as lines; takes files so that the rule itself can be tried. */
function offences(found: readonly Import[]): string[] {
  return found.flatMap(({ file, specifier }) => {
    const target = relative(src, join(src, dirname(file), specifier));
    const [from, to] = [partOf(file), partOf(target)];
    const rule = ruleOf(from);
    if (rule === undefined) return [`${file}: ${from} is not in the table`];
    const fine = rule === "*" || from === to || to === "errors.ts" || rule.includes(to);
    return fine ? [] : [`${file} imports ${target}: ${from} may import only ${["errors.ts", ...rule].join(", ")}`];
  });
}

test("the import lines are found", () => {
  assert.ok(imports.length > 200, String(imports.length));
  const forms = `import a from "./a.ts";\nimport {\n  b,\n  type C,\n} from './b.ts';\nexport * from "./c.ts";\nexport type { D } from "./d.ts";\nimport "./e.ts";\nconst f = await import("./f.ts");\nimport type G from "./g.ts";\nrequire("./h.ts");`;
  assert.deepEqual(importsOf(forms), ["./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e.ts", "./f.ts", "./g.ts", "./h.ts"]);
});

describe("the table", () => {
  test("is held by every import", () => assert.deepEqual(offences(local), []));

  const breaks: [string, string][] = [
    ["core/pipeline.ts", "../policy/index.ts"],
    ["core/facts.ts", "../config.ts"],
    ["policy/index.ts", "../identity/index.ts"],
    ["http/index.ts", "../state/index.ts"],
    ["protocols/postgres/session.ts", "../mysql/session.ts"],
    ["protocols/postgres/session.ts", "../../policy/index.ts"],
    ["protocols/shim.ts", "./postgres/session.ts"],
    ["audit/index.ts", "../log.ts"],
    ["novel/index.ts", "../core/facts.ts"],
  ];
  for (const [file, specifier] of breaks) {
    test(`is broken by ${file} importing ${specifier}`, () => assert.equal(offences([{ file, specifier }]).length, 1));
  }
  test("lets a protocol import core, sql and masking", () => {
    const fine = [
      "../../core/facts.ts",
      "../../sql/postgres/analyze.ts",
      "../../masking/index.ts",
      "../shim.ts",
      "./frame.ts",
      "../../errors.ts",
    ];
    assert.deepEqual(offences(fine.map((specifier) => ({ file: "protocols/postgres/session.ts", specifier }))), []);
  });
});

test("local imports name a file that is there, with its ending", () => {
  for (const { file, specifier } of local) {
    assert.ok(files.includes(relative(src, join(src, dirname(file), specifier))), `${file} imports ${specifier}`);
  }
});

test("core knows no sockets and no files", () => {
  const outside = /^node:(net|tls|http|https|http2|dgram|dns|fs|child_process|cluster|worker_threads|sqlite)/;
  assert.deepEqual(
    imports.filter(({ file, specifier }) => file.startsWith("core/") && outside.test(specifier)),
    [],
  );
});

describe("each runtime package has one home", () => {
  const { dependencies } = JSON.parse(readFileSync(join(src, "../package.json"), "utf8")) as { dependencies: object };

  test("and all of them are listed here", () => {
    assert.deepEqual(Object.keys(dependencies).sort(), [...Object.keys(homes), ...notImported].sort());
  });

  for (const [name, home] of Object.entries(homes)) {
    test(`${name} in ${home}`, () => {
      const importers = foreign.filter(({ specifier }) => packageOf(specifier) === name).map(({ file }) => file);
      assert.ok(importers.length > 0, "nothing imports it");
      assert.deepEqual(
        importers.filter((file) => !file.startsWith(home)),
        [],
      );
    });
  }

  test("and nothing imports what is not a dependency", () => {
    assert.deepEqual(
      foreign.filter(({ specifier }) => !Object.hasOwn(dependencies, packageOf(specifier))),
      [],
    );
  });
});

describe("every file", () => {
  for (const file of files) {
    test(`${file} says its purpose in its first line, and is not long`, () => {
      const lines = text(file).split("\n");
      assert.match(lines[0]!, /^\/\/ \S.{10,}/);
      assert.ok(lines.length <= 501, `${lines.length} lines`);
    });
  }
});
