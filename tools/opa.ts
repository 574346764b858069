// Runs opa of the pinned version: node tools/opa.ts ARGS…
import { spawnSync } from "node:child_process";
import { findOpa } from "../src/policy/opa.ts";

const { status } = spawnSync(await findOpa(), process.argv.slice(2), { stdio: "inherit" });
process.exitCode = status ?? 1;
