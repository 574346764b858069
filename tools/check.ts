// Everything that a machine can check without running the product: node tools/check.ts
import { capture, fail, onPath } from "./run.ts";

type Step = { readonly name: string; readonly command: readonly string[]; readonly remedy: string };

const SOURCES = ["src", "test", "bench", "tools"];
const STEPS: readonly Step[] = [
  { name: "types", command: ["tsc", "--noEmit"], remedy: "correct the errors above" },
  {
    name: "lint",
    command: ["biome", "lint", "--error-on-warnings", ...SOURCES],
    remedy: "correct what is shown above",
  },
  { name: "format", command: ["biome", "format", ...SOURCES], remedy: "make format" },
  {
    name: "import rules and error codes",
    command: ["node", "--test", "test/imports.test.ts", "test/errors.test.ts"],
    remedy: "docs/development.md says who may import whom",
  },
  {
    name: "package-lock.json is complete",
    command: ["node", "tools/lock.ts", "--check"],
    remedy: "node tools/lock.ts",
  },
  {
    name: "the facts' schema is up to date",
    command: ["node", "tools/schema.ts", "--check"],
    remedy: "node tools/schema.ts",
  },
  { name: "rego: format", command: ["node", "tools/opa.ts", "fmt", "--fail", "--list", "rego"], remedy: "make format" },
  {
    name: "rego: check",
    command: ["node", "src/cli/main.ts", "policy", "check", "rego"],
    remedy: "correct the errors above",
  },
  {
    name: "rego: test",
    command: ["node", "src/cli/main.ts", "policy", "test", "rego"],
    remedy: "correct the errors above",
  },
  { name: "the default bundle is up to date", command: ["node", "tools/bundle.ts", "--check"], remedy: "make bundle" },
];

if (!onPath("opa") && process.env.REGATE_OPA === undefined) {
  if (!onPath("go"))
    fail(
      "The Rego cannot be checked: there is neither opa nor Go.",
      "Install Go 1.24 or newer (the pinned opa is built with it), or opa 1.22.2.",
    );
  console.log("preparing opa (built once by Go from tools/go.mod, about a minute; then from Go's cache)");
  const { code, output } = capture("go", ["tool", "opa", "version"], { cwd: "tools" });
  if (code !== 0) fail(`go tool opa failed:\n${output}`, "Is the Go module proxy reachable (go env GOPROXY)?");
}

let failures = 0;
for (const { name, command, remedy } of STEPS) {
  const started = performance.now();
  const [program, ...args] = command;
  const { code, output } = capture(program!, args);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (code !== 0) {
    failures++;
    console.log(`${output.trim().slice(-8000)}\n  → ${remedy}`);
  }
}
console.log(`${STEPS.length - failures} passed, ${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
