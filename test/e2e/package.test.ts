import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../support/folder.ts";

const root = join(import.meta.dirname, "..", "..");
const folder = temporaryFolder("package");
// As on another machine: nothing of this repository is on the PATH.
const PATH = process.env
  .PATH!.split(":")
  .filter((entry) => !entry.startsWith(root))
  .join(":");
const env = { ...process.env, PATH, NODE_OPTIONS: "", npm_config_loglevel: "error" };

test("the package, installed elsewhere, serves the demo and issues tokens for it", { timeout: 280_000 }, async () => {
  execFileSync("npm", ["pack", "--pack-destination", folder], { cwd: root, env: process.env, stdio: "pipe" });
  const [archive] = readdirSync(folder);
  const home = join(folder, "elsewhere");
  mkdirSync(home);
  writeFileSync(join(home, "package.json"), JSON.stringify({ private: true }));
  execFileSync("npm", ["install", "--prefer-offline", join(folder, archive!)], { cwd: home, env, stdio: "pipe" });

  const serve = spawn("npx", ["regate", "serve", "--demo"], {
    cwd: home,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  const ready = new Promise<string>((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      output += chunk;
      const found = /^ready postgres=(\S+) http=\S+$/m.exec(output);
      if (found !== null) resolve(found[1]!);
    };
    serve.stdout.on("data", take);
    serve.stderr.on("data", take);
    serve.on("close", () => reject(new Error(output)));
  });
  try {
    const [host, port] = (await ready).split(":") as [string, string];
    const token = execFileSync(
      "npx",
      ["regate", "token", "issue", "--subject", "agent:bot", "--resource", "shop", "--ttl", "5m"],
      { cwd: home, env, encoding: "utf8" },
    ).trim();
    const args = [
      "-X",
      "-A",
      "-t",
      "-h",
      host,
      "-p",
      port,
      "-U",
      "agent",
      "-d",
      "shop",
      "-c",
      "SELECT name, email FROM customers WHERE id = 1",
    ];
    assert.equal(
      execFileSync("psql", args, { env: { ...env, PGPASSWORD: token }, encoding: "utf8" }),
      "Ada Abara|[redacted]\n",
    );
  } finally {
    const ended = new Promise((resolve) => serve.once("close", resolve));
    process.kill(-serve.pid!, "SIGTERM");
    await ended;
  }
});

test("on an older Node the command says what it needs", () => {
  const old = execFileSync("sh", ["-c", "node --version"], { env, encoding: "utf8" });
  const main = join(folder, "elsewhere", "node_modules", "regate", "dist", "cli", "main.js");
  if (Number(/\d+/.exec(old)?.[0]) >= 24) {
    assert.match(execFileSync("node", [main, "--version"], { env, encoding: "utf8" }), /^\d+\.\d+\.\d+/);
    return;
  }
  assert.throws(() => execFileSync("node", [main, "--version"], { env, stdio: "pipe" }), /needs Node 24/);
});
