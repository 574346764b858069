// Reproductions: a file each, for the gate alone, only so many; and a folder that cannot be written is no failure.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Reproductions } from "../../src/state/reproductions.ts";
import { temporaryFolder } from "../support/folder.ts";

test("each is a file of its own that only the gate may read", () => {
  const folder = join(temporaryFolder("reproductions"), "disagreements");
  const kept = new Reproductions(folder);
  const paths = [kept.write({ a: 1 }), kept.write({ a: 2 })];
  assert.deepEqual(
    paths.map((path) => JSON.parse(readFileSync(path!, "utf8"))),
    [{ a: 1 }, { a: 2 }],
  );
  assert.equal(statSync(paths[0]!).mode & 0o777, 0o600);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
});

test("there are a hundred at most", () => {
  const folder = temporaryFolder("many");
  const kept = new Reproductions(folder);
  const paths = Array.from({ length: 105 }, (_, at) => kept.write({ at }));
  assert.deepEqual([paths.filter((path) => path !== undefined).length, readdirSync(folder).length], [100, 100]);
});

test("a folder that cannot be made is no failure", () => {
  const file = join(temporaryFolder("blocked"), "file");
  writeFileSync(file, "");
  assert.equal(new Reproductions(join(file, "below")).write({}), undefined);
});
