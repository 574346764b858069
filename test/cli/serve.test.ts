// regate serve: its ready line, its end, and every way in which it cannot start.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { temporaryFolder } from "../support/folder.ts";
import { type Running, start, until } from "./regate.ts";

const folder = temporaryFolder("serve");
let made = 0;
/** A configuration file of its own folder; the database need not be there for a gate to start. */
const configured = (more = "", data = "data_dir: data"): string => {
  const dir = join(folder, String(made++));
  mkdirSync(dir);
  const file = join(dir, "regate.yaml");
  const listen = more.includes("listen:") ? "" : 'listen: {postgres: "127.0.0.1:0", http: "127.0.0.1:0"}\n';
  const tls = more.includes("tls:") ? "" : "tls: {allow_plaintext: loopback}\n";
  writeFileSync(
    file,
    `${data}\n${listen}${tls}resources: {shop: {url: "postgres://app:hush@127.0.0.1:1/shop"}}\n${more}\n`,
  );
  return file;
};
const running = new Set<Running>();
const serve = (file: string, ...more: string[]): Running => {
  const started = start(["serve", "--config", file, ...more]);
  running.add(started);
  return started;
};
const ready = async (gate: Running): Promise<{ postgres: string; http: string }> => {
  await until(
    () => gate.stdout().includes("\n") || gate.child.exitCode !== null,
    () => gate.stderr(),
  );
  const match = /^ready postgres=(127\.0\.0\.1:\d+) http=(127\.0\.0\.1:\d+)\n$/.exec(gate.stdout());
  assert.ok(match !== null, `${gate.stdout()}\n${gate.stderr()}`);
  return { postgres: match[1]!, http: match[2]! };
};
after(() => {
  for (const { child } of running) child.kill("SIGKILL");
});

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  test(`says one line when it is ready, and ends with 0 on ${signal}`, async () => {
    const gate = serve(configured());
    const { http } = await ready(gate);
    assert.equal((await fetch(`http://${http}/healthz`)).status, 200);
    gate.child.kill(signal);
    const { code, stdout } = await gate.ended();
    assert.equal(code, 0);
    assert.equal(stdout.split("\n").length, 2);
    await assert.rejects(fetch(`http://${http}/healthz`));
  });
}

test("a signal during the start ends it in order as well", async () => {
  const gate = serve(configured());
  await until(
    () => gate.child.pid !== undefined,
    () => "it was not spawned",
  );
  await new Promise((resolve) => setTimeout(resolve, 600));
  gate.child.kill("SIGTERM");
  const { code, stderr } = await gate.ended();
  // Before it listens for signals, the system ends it.
  assert.ok(code === 0 || code === null, `${code} ${stderr}`);
});

test("it goes on when whoever read its ready line is gone", async () => {
  const gate = serve(configured(), "--log-level", "debug");
  const { http } = await ready(gate);
  gate.child.stdout.destroy();
  gate.child.stderr.destroy();
  for (let at = 0; at < 3; at++) assert.equal((await fetch(`http://${http}/healthz`)).status, 200);
  gate.child.kill("SIGTERM");
  assert.equal((await gate.ended()).code, 0);
});

test("the operators' log is JSON on stderr, as loud as asked, and never has the password", async () => {
  const gate = serve(configured("policy: {mode: observe}\naudit: {durability: write}"));
  await ready(gate);
  gate.child.kill("SIGTERM");
  const { stderr } = await gate.ended();
  const lines = stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.ok(lines.some(({ level, msg }) => level === "warn" && /observe/.test(msg)));
  assert.ok(lines.some(({ level, msg }) => level === "warn" && /durability/.test(msg)));
  assert.doesNotMatch(stderr, /hush/);
  const quiet = serve(configured("policy: {mode: observe}"), "--log-level", "silent");
  await ready(quiet);
  quiet.child.kill("SIGTERM");
  assert.equal((await quiet.ended()).stderr, "");
});

describe("it cannot start, says why, and ends with 3", () => {
  const cannot = async (file: string, code: string, why: RegExp): Promise<void> => {
    const { code: status, stdout, stderr } = await serve(file).ended();
    assert.deepEqual([status, stdout], [3, ""], stderr);
    assert.match(stderr, new RegExp(`\\(${code}\\)`));
    assert.match(stderr, why);
  };
  const file = join(folder, "nothing-useful");
  writeFileSync(file, "nothing useful");

  test("no configuration", () =>
    cannot(join(folder, "none.yaml"), "CONFIG_UNREADABLE", /There is no file .*none\.yaml/));
  test("an unknown key", () =>
    cannot(configured("limts: {}"), "CONFIG_INVALID", /regate\.yaml:5: limts: unknown key; did you mean limits\?/));
  test("a variable that is not set", () =>
    cannot(
      configured('approvals: {timeout: "$' + '{REGATE_NOT_SET}"}'),
      "CONFIG_INVALID",
      /REGATE_NOT_SET is not set/,
    ));
  test("no bundle", () => cannot(configured("policy: {bundle: none.tar.gz}"), "BUNDLE_UNREADABLE", /none\.tar\.gz/));
  test("a bundle that is none", () =>
    cannot(configured(`policy: {bundle: ${file}}`), "BUNDLE_(UNREADABLE|INVALID)", /nothing-useful/));
  test("no certificate", () =>
    cannot(configured("tls: {cert: none.pem, key: none.key}"), "KEY_UNREADABLE", /none\.(pem|key)/));
  test("a data folder that is a file", () => cannot(configured("", `data_dir: ${file}`), "DATA_DIR", /nothing-useful/));

  for (const name of ["postgres", "http"] as const) {
    test(`a port in use (${name})`, async () => {
      const holder = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => holder.once("listening", resolve));
      const { port } = holder.address() as { port: number };
      const other = name === "postgres" ? "http" : "postgres";
      await cannot(
        configured(`listen: {${name}: "127.0.0.1:${port}", ${other}: "127.0.0.1:0"}`),
        "PORT_IN_USE",
        new RegExp(`127\\.0\\.0\\.1:${port}`),
      );
      holder.close();
    });
  }

  test("a data folder that another gate uses, which goes on", async () => {
    const shared = join(folder, "shared");
    const first = serve(configured("", `data_dir: ${shared}`));
    const { http } = await ready(first);
    await cannot(
      configured("", `data_dir: ${shared}`),
      "DATA_DIR",
      new RegExp(`in use by another gate \\(process ${first.child.pid}\\)`),
    );
    assert.equal((await fetch(`http://${http}/healthz`)).status, 200);
    first.child.kill("SIGTERM");
    assert.equal((await first.ended()).code, 0);
  });
});
