// regate policy: check, test and build the rules and data of a policy, and try it on SQL.
import { parseArgs } from "node:util";
import { RegateError } from "../errors.ts";
import { checkMaskSpec } from "../masking/index.ts";
import { buildBundle } from "../policy/build.ts";
import { checkPolicy } from "../policy/check.ts";
import { testPolicy } from "../policy/check-tests.ts";

export const HELP = `regate policy check [FOLDER…] [--json]          format, types, unused files, builtins that the gate does not have
regate policy test  [FOLDER…] [--coverage] [--threshold N] [--run REGEX] [--verbose]
regate policy build FOLDER… -o FILE [--revision NAME]
regate policy try   [--resource NAME] [--as agent:bot] "SQL"       facts and decision of a text that is not run; more: regate policy try --help

FOLDER defaults to rego. Its rules are all of its .rego files; its data are the data.json files below FOLDER/data (or below FOLDER where there
is no data folder). Of several folders, a later one replaces data.<section>.<key> of an earlier one. Needs opa (see docs/policies.md).
Exit codes: 0 done, 1 defects or failed tests, 2 not understood.
`;

/** @returns the exit code. @throws RegateError USAGE, POLICY_SOURCE, OPA_MISSING, BUNDLE_* */
export async function run(args: string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case "check":
      return check(rest);
    case "test":
      return test(rest);
    case "build":
      return build(rest);
    case "try":
      return (await import("./policy-try.ts")).run(rest);
    case undefined:
    case "help":
    case "-h":
    case "--help":
      process.stdout.write(HELP);
      return command === undefined ? 2 : 0;
    default:
      throw new RegateError("USAGE", {
        detail: `policy ${command}`,
        hint: "There are: policy check, policy test, policy build, policy try.",
      });
  }
}

async function check(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, { json: { type: "boolean" } });
  const report = await checkPolicy(folders(positionals), checkMaskSpec);
  if (values.json === true) {
    console.log(JSON.stringify(report));
  } else {
    for (const { place, message } of report.defects) console.log(`${place}: ${message}`);
    for (const { place, message } of report.warnings) console.log(`${place}: warning: ${message}`);
    const found = report.defects.length === 0 ? "no defects" : `${report.defects.length} defects`;
    console.log(`${report.rules} rule files, ${report.tests} test files: ${found}`);
  }
  return report.defects.length === 0 ? 0 : 1;
}

async function test(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, {
    coverage: { type: "boolean" },
    threshold: { type: "string" },
    run: { type: "string" },
    verbose: { type: "boolean", short: "v" },
  });
  const flags: string[] = [];
  if (values.verbose === true) flags.push("--verbose");
  if (values.coverage === true) flags.push("--coverage");
  if (typeof values.threshold === "string") flags.push(`--threshold=${values.threshold}`);
  if (typeof values.run === "string") flags.push(`--run=${values.run}`);
  const ran = await testPolicy(folders(positionals), flags);
  process.stdout.write(ran.stdout);
  process.stderr.write(ran.stderr);
  return ran.code === 0 ? 0 : 1;
}

async function build(args: string[]): Promise<number> {
  const { values, positionals } = parse(args, {
    output: { type: "string", short: "o" },
    revision: { type: "string" },
    json: { type: "boolean" },
  });
  const { output } = values;
  if (typeof output !== "string") throw new RegateError("USAGE", { detail: "policy build: -o FILE is missing" });
  const [rules, ...data] = folders(positionals);
  const built = await buildBundle(
    rules!,
    data,
    output,
    typeof values.revision === "string" ? values.revision : undefined,
    checkMaskSpec,
  );
  const { replaced } = built.source;
  if (values.json === true) {
    console.log(
      JSON.stringify({
        output,
        revision: built.revision,
        bytes: built.bytes,
        inputs: built.dependencies.inputs,
        replaced,
      }),
    );
    return 0;
  }
  console.log(`wrote ${output} (${built.bytes} bytes, revision ${built.revision})`);
  if (replaced.length > 0)
    console.log(`replaced by a later folder: ${replaced.map((path) => `data.${path}`).join(", ")}`);
  console.log(
    `the policy reads: ${built.dependencies.inputs.map((path) => (path === "" ? "all of input" : `input.${path}`)).join(", ")}`,
  );
  return 0;
}

function folders(positionals: readonly string[]): readonly string[] {
  return positionals.length === 0 ? ["rego"] : positionals;
}

type Options = { [name: string]: { type: "string" | "boolean"; short?: string } };

function parse(args: string[], options: Options): { values: { [name: string]: unknown }; positionals: string[] } {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new RegateError("USAGE", { detail: (error as Error).message, hint: HELP.trimEnd() });
  }
}
