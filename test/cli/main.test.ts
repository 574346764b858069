// The command `regate`: help, versions, misuse, exit codes, and readers that go away.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { temporaryFolder } from "../support/folder.ts";
import { main, regate } from "./regate.ts";

const folder = temporaryFolder("cli");
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"));
const commands = ["serve", "token", "approvals", "policy", "log", "config"];

test("without a command it shows its help on stderr, and ends with 2", async () => {
  const { code, stdout, stderr } = await regate([]);
  assert.deepEqual([code, stdout], [2, ""]);
  for (const command of commands) assert.match(stderr, new RegExp(`^  ${command} `, "m"));
});

for (const asked of ["--help", "-h", "help"]) {
  test(`${asked} shows all commands and the exit codes`, async () => {
    const { code, stdout, stderr } = await regate([asked]);
    assert.deepEqual([code, stderr], [0, ""]);
    for (const command of commands) assert.match(stdout, new RegExp(`^  ${command} `, "m"));
    assert.match(stdout, /Exit codes: 0 done/);
  });
}

test("--version is the package's", async () => {
  assert.deepEqual(await regate(["--version"]), { code: 0, stdout: `${version}\n`, stderr: "" });
});

for (const command of commands) {
  test(`${command} --help tells its forms and exit codes, as help ${command} does`, async () => {
    const { code, stdout, stderr } = await regate([command, "--help"]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, new RegExp(`^regate ${command}`));
    assert.match(stdout, /Exit codes:/);
    assert.equal((await regate(["help", command])).stdout, stdout);
  });
}

describe("misuse ends with 2, and says the remedy", () => {
  const cases: [string[], RegExp][] = [
    [["confg", "check"], /There is no command confg\.\n {2}Did you mean config\?/],
    [["constructor"], /There is no command constructor/],
    [["frobnicate"], /See: regate --help/],
    [["help", "sreve"], /Did you mean serve\?/],
    [["serve", "--confg", "x"], /Unknown option '--confg'/],
    [["serve", "now"], /one word too many/],
    [["serve", "--demo", "--config", "x"], /--demo has a configuration of its own/],
    [["serve", "--reset"], /--reset goes with --demo/],
    [["serve", "--log-level", "loud"], /no log level loud/],
    [["serve", "--config"], /argument missing/],
    [["config"], /a word is missing/],
    [["config", "chekc"], /config chekc/],
    [["config", "check", "twice"], /one word too many/],
    [["log"], /a word is missing/],
    [["log", "tial"], /log tial/],
    [["log", "tail", "-n", "many"], /takes a whole number/],
    [["log", "query"], /the SELECT is missing/],
    [["log", "query", "SELECT", "1"], /put the SELECT in quotes/],
  ];
  for (const [args, why] of cases) {
    test(args.join(" "), async () => {
      const { code, stdout, stderr } = await regate(args);
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, /^regate: The command line is not understood \(USAGE\)/);
      assert.match(stderr, why);
    });
  }
});

test("with --json an error is one JSON document on stderr", async () => {
  const { code, stdout, stderr } = await regate(["config", "check", "--json", "--config", "/none.yaml"]);
  assert.deepEqual([code, stdout], [3, ""]);
  const { error } = JSON.parse(stderr);
  assert.deepEqual([error.code, error.detail], ["CONFIG_UNREADABLE", "There is no file /none.yaml."]);
  assert.match(error.hint, /--config/);
});

test("a reader that goes away ends the command quietly", async () => {
  const child = spawn(
    "bash",
    ["-c", `"${process.execPath}" "${main}" --help 2>err.txt | true; echo "\${PIPESTATUS[0]}"`],
    {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const [status] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  assert.equal(status, "0\n");
  assert.equal(readFileSync(join(folder, "err.txt"), "utf8"), "");
});

describe("config check", () => {
  const file = join(folder, "regate.yaml");
  const yaml =
    'tls: {allow_plaintext: loopback}\nresources: {shop: {url: "postgres://app:hush@db/shop?password=hush"}}\n';

  test("says what a right configuration means, from the working folder", async () => {
    writeFileSync(file, yaml);
    const { code, stdout, stderr } = await regate(["config", "check"], { cwd: folder });
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(stdout, "The configuration is right: shop on 127.0.0.1:6432, HTTP on 127.0.0.1:6080, mode enforce.\n");
  });

  test("--json shows every value with its default, and no password", async () => {
    writeFileSync(file, yaml);
    const { code, stdout } = await regate(["config", "check", "--json", "-c", file]);
    const config = JSON.parse(stdout);
    assert.deepEqual(
      [code, config.limits.connections, config.resources.shop.url],
      [0, 1000, "postgres://app:***@db/shop?password=***"],
    );
    assert.doesNotMatch(stdout, /hush/);
  });

  test("shows every defect with its line, and ends with 3", async () => {
    writeFileSync(file, `${yaml}limts: {}\naudit: {durability: fsnc}\n`);
    const { code, stdout, stderr } = await regate(["config", "check", "-c", file]);
    assert.deepEqual([code, stdout], [3, ""]);
    assert.match(stderr, /regate\.yaml:3: limts: unknown key; did you mean limits\?/);
    assert.match(stderr, /regate\.yaml:4: audit\.durability: expected fsync or write; did you mean fsync\?/);
  });
});
