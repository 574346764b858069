// The operators' log: whatever is logged, no SQL, token, password or value shows.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { RegateError } from "../src/errors.ts";
import { type Logger, logger } from "../src/log.ts";

const jwt = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhZ2VudDpib3QiLCJhdWQiOiJyZWdhdGUifQ.c2lnbmF0dXJlLXRoYXQtaXMtbG9uZw";
const logged = (write: (log: Logger) => void): { text: string; lines: Record<string, unknown>[] } => {
  let text = "";
  const collect = (line: string): void => {
    text += line;
  };
  write(logger("debug", { write: collect }));
  return {
    text,
    lines: text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  };
};

test("a line has time, level, message and fields", () => {
  const { lines } = logged((log) => log.info({ address: "127.0.0.1:6432", sessions: 3 }, "listening"));
  const { time, ...rest } = lines[0]!;
  assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(rest, { level: "info", address: "127.0.0.1:6432", sessions: 3, msg: "listening" });
});

const secrets: [string, (log: Logger) => void, RegExp][] = [
  ["a token in a field", (log) => log.info({ token: jwt }, "x"), /eyJ/],
  ["a token under another name", (log) => log.info({ given: jwt }, "x"), /eyJ/],
  ["a token in the message", (log) => log.warn({}, `refused ${jwt}`), /eyJ/],
  ["a token deep inside", (log) => log.info({ a: { b: [{ c: jwt }] } }, "x"), /eyJ/],
  ["a bearer header", (log) => log.info({ headers: ["Authorization: Bearer abcdefgh1234"] }, "x"), /abcdefgh/],
  ["a password in a URL", (log) => log.error({ url: "postgres://app:s3cret@db/shop" }, "x"), /s3cret/],
  ["a password with an @ in a URL", (log) => log.error({}, "postgres://app:s3@cret@db/shop failed"), /s3|cret/],
  ["a password in a connection string", (log) => log.error({}, "host=db password=s3cret user=app"), /s3cret/],
  ["a password field", (log) => log.info({ upstream: { password: "s3cret" } }, "x"), /s3cret/],
  ["SQL in a field", (log) => log.info({ sql: "SELECT ssn FROM employees" }, "x"), /ssn/],
  ["a command's text", (log) => log.info({ command: { text: "SELECT ssn", normalized: "select ssn" } }, "x"), /ssn/],
  ["values of a row", (log) => log.info({ row: ["123-45-6789"] }, "x"), /6789/],
  ["bytes", (log) => log.info({ body: Buffer.from("123-45-6789") }, "x"), /6789|49,50/],
  [
    "a library's error with its query",
    (log) => log.error({ error: Object.assign(new Error("failed"), { query: "SELECT ssn" }) }, "x"),
    /ssn/,
  ],
  [
    "an error as the only argument",
    (log) => log.error(Object.assign(new Error("failed"), { query: "SELECT ssn" }), "x"),
    /ssn/,
  ],
  [
    "an error's cause",
    (log) => log.error({ error: new RegateError("UPSTREAM_AUTH", { cause: new Error(`password=s3cret`) }) }, "x"),
    /s3cret/,
  ],
  ["a private key", (log) => log.error({}, "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----"), /MC4CAQ/],
];
for (const [what, write, secret] of secrets) {
  test(`${what} is not shown`, () => {
    const { text, lines } = logged(write);
    assert.equal(lines.length, 1);
    assert.doesNotMatch(text, secret);
  });
}

test("an error shows its code, detail and cause", () => {
  const error = new RegateError("DATA_DIR", {
    detail: "/data: EACCES",
    cause: Object.assign(new Error("denied"), { code: "EACCES" }),
  });
  const { lines } = logged((log) => log.error({ error }, "cannot start"));
  assert.deepEqual(lines[0]!.error, {
    code: "DATA_DIR",
    message: "The data folder cannot be used",
    detail: "/data: EACCES",
    cause: { name: "Error", code: "EACCES", message: "denied" },
  });
});

test("cycles and depth end", () => {
  const ring: { self?: unknown } = {};
  ring.self = ring;
  assert.match(logged((log) => log.info({ ring }, "x")).text, /too deep/);
});

test("lines go to stderr, and stdout stays clean", () => {
  const script = `import { logger } from ${JSON.stringify(new URL("../src/log.ts", import.meta.url).href)}; logger("info").info({}, "hello");`;
  const run = execFileSync(process.execPath, ["--input-type=module", "-e", `${script}`], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  assert.equal(run, "");
});
