// What counts as this machine.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopback } from "../src/loopback.ts";

for (const host of [
  "localhost",
  "LocalHost",
  "127.0.0.1",
  "127.255.3.4",
  "::1",
  "::ffff:127.0.0.1",
  "::FFFF:127.9.9.9",
])
  test(`${host} is this machine`, () => assert.ok(isLoopback(host)));

const others = [
  "127.example.com",
  "127.0.0.1.example.com",
  "localhost.example.com",
  "127.1",
  "0.0.0.0",
  "::",
  "::2",
  "::ffff:10.0.0.1",
  "::ffff:127.example.com",
  "[::1]",
  "10.127.0.1",
  "",
  undefined,
];
for (const host of others) test(`${JSON.stringify(host)} is not`, () => assert.ok(!isLoopback(host)));
