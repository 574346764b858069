// A changed bundle is swapped in without an interruption; a bad one is refused, reported, and the old one stays.
import assert from "node:assert/strict";
import { copyFileSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Decision } from "../../src/core/decision.ts";
import type { RegateError } from "../../src/errors.ts";
import { buildBundle } from "../../src/policy/build.ts";
import { openPolicy, type OpenPolicy } from "../../src/policy/index.ts";
import { scratch } from "../support/policies/build.ts";
import { commandOf, folderOf, inputOf, module, plainBundle, statement } from "./craft.ts";

async function bundle(rules: string, revision: string, data = "{}"): Promise<string> {
  const out = join(scratch(), "bundle.tar.gz");
  await buildBundle(folderOf({ "main.rego": module(rules), "data/data.json": data }), [], out, revision);
  return out;
}

type Watched = {
  policy: OpenPolicy;
  file: string;
  errors: RegateError[];
  changes: string[];
  until(what: () => boolean): Promise<void>;
};

async function watched(first: string, work: (watched: Watched) => Promise<void>): Promise<void> {
  const file = join(scratch(), "live.tar.gz");
  copyFileSync(first, file);
  const errors: RegateError[] = [];
  const changes: string[] = [];
  const policy = await openPolicy({
    bundle: file,
    mode: "enforce",
    watch: true,
    onError: (error) => errors.push(error),
  });
  policy.onChange(() => changes.push(policy.revision));
  const until = async (what: () => boolean): Promise<void> => {
    for (let i = 0; i < 400 && !what(); i++) await new Promise((resolve) => setTimeout(resolve, 25));
    assert.ok(what(), `it did not come: ${what}`);
  };
  try {
    await new Promise((resolve) => setTimeout(resolve, 50));
    await work({ policy, file, errors, changes, until });
  } finally {
    await policy.close();
  }
}

const action = (policy: OpenPolicy): string => (policy.evaluate(inputOf("x")) as Decision).action;
const allowing = bundle("", "one", '{"classification": {"shop": {"a.b.c": ["pii"]}}}');
const blocking = bundle('_action := "block"', "two", '{"classification": {"shop": {}}}');

test("a bundle that is replaced by rename is swapped in, with its data, and listeners hear of it once", async () => {
  await watched(await allowing, async ({ policy, file, changes, errors, until }) => {
    assert.equal(action(policy), "allow");
    assert.equal(policy.revision, "one");
    assert.deepEqual(policy.data("classification.shop"), { "a.b.c": ["pii"] });
    copyFileSync(await blocking, `${file}.new`);
    renameSync(`${file}.new`, file);
    await until(() => policy.revision === "two");
    assert.equal(action(policy), "block");
    assert.deepEqual(policy.data("classification.shop"), {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.deepEqual(changes, ["two"]);
    assert.deepEqual(errors, []);
  });
});

test("a bundle that is written slowly in place is not taken for a bad one", async () => {
  await watched(await allowing, async ({ policy, file, errors, until }) => {
    const bytes = readFileSync(await blocking);
    const third = Math.ceil(bytes.length / 3);
    writeFileSync(file, bytes.subarray(0, third));
    await new Promise((resolve) => setTimeout(resolve, 40));
    writeFileSync(file, bytes.subarray(0, 2 * third));
    await new Promise((resolve) => setTimeout(resolve, 40));
    writeFileSync(file, bytes);
    await until(() => policy.revision === "two");
    assert.deepEqual(errors, []);
  });
});

test("a bad bundle is refused and reported once, the old one decides on, and a good one heals it", async () => {
  await watched(await allowing, async ({ policy, file, errors, changes, until }) => {
    truncateSync(file, 1000);
    await until(() => errors.length > 0);
    assert.equal(errors[0]!.code, "BUNDLE_UNREADABLE");
    assert.equal(action(policy), "allow");
    assert.equal(policy.revision, "one");
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(errors.length, 1);
    copyFileSync(
      await plainBundle('package regate\ndecision := {"id": "x", "action": "allow", "reasons": [], "masks": []}'),
      file,
    );
    await until(() => errors.length > 1);
    assert.equal(errors[1]!.code, "BUNDLE_INVALID");
    assert.equal(policy.revision, "one");
    copyFileSync(await blocking, file);
    await until(() => policy.revision === "two");
    assert.deepEqual(changes, ["two"]);
  });
});

test("a bundle that is gone leaves the old one in force until there is one again", async () => {
  await watched(await allowing, async ({ policy, file, until }) => {
    rmSync(file);
    await new Promise((resolve) => setTimeout(resolve, 600));
    assert.equal(action(policy), "allow");
    copyFileSync(await blocking, file);
    await until(() => policy.revision === "two");
  });
});

test("the same content written again changes nothing", async () => {
  await watched(await allowing, async ({ policy, file, changes }) => {
    writeFileSync(file, readFileSync(await allowing));
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.deepEqual(changes, []);
    assert.equal(await policy.reload(), false);
  });
});

test("reload says what is wrong to who asked", async () => {
  const file = join(scratch(), "asked.tar.gz");
  copyFileSync(await allowing, file);
  const policy = await openPolicy({ bundle: file, mode: "observe" });
  assert.equal(policy.mode, "observe");
  rmSync(file);
  await assert.rejects(policy.reload(), { code: "BUNDLE_UNREADABLE" });
  copyFileSync(await blocking, file);
  assert.equal(await policy.reload(), true);
  assert.equal(policy.revision, "two");
  await policy.close();
});

test("what is under way while a bundle is swapped in is decided by the one that it began with", async () => {
  const slow = await bundle(
    `_action := "block" if {
	count([1 | some a in input.command.statements; some b in input.command.statements; a.limit == b.limit]) < 0
}`,
    "slow",
  );
  await watched(slow, async ({ policy, file }) => {
    const many = Array.from({ length: 600 }, (_, i) => statement({ limit: i }));
    const pending = policy.evaluate(inputOf(commandOf("x", ...many)));
    assert.ok(pending instanceof Promise);
    copyFileSync(await blocking, file);
    const reloading = policy.reload();
    assert.equal((await pending).action, "allow");
    await reloading;
    assert.equal(action(policy), "block");
  });
});

test("a listener that was removed hears nothing", async () => {
  await watched(await allowing, async ({ policy, file, changes }) => {
    let heard = 0;
    policy.onChange(() => heard++)();
    copyFileSync(await blocking, file);
    await policy.reload();
    assert.equal(heard, 0);
    assert.deepEqual(changes, ["two"]);
  });
});
