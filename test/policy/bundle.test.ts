// A bundle that is not whole, not a policy, or needs what the gate does not have is refused, each with its own code.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { archive, buildBundle } from "../../src/policy/build.ts";
import { BUNDLE_LIMITS, parseBundle, readBundle } from "../../src/policy/bundle.ts";
import { openPolicy } from "../../src/policy/index.ts";
import { bundleOf, scratch } from "../support/policies/build.ts";
import { altered, folderOf, module, plainBundle, refusal } from "./craft.ts";

const open = (bundle: string) => openPolicy({ bundle, mode: "enforce" });

test("a missing file is refused with the way to build one", async () => {
  const { code, detail, hint } = await refusal(open("/nowhere/bundle.tar.gz"));
  assert.equal(code, "BUNDLE_UNREADABLE");
  assert.match(detail, /\/nowhere\/bundle\.tar\.gz.*ENOENT/);
  assert.match(hint, /regate policy build/);
});

test("a folder instead of a file is refused", async () => {
  assert.equal((await refusal(open(scratch()))).code, "BUNDLE_UNREADABLE");
});

test("every cut of a bundle and every kind of garbage is refused", async () => {
  const whole = readFileSync(await bundleOf("allow_all"));
  const cases: Uint8Array[] = [
    Buffer.alloc(0),
    Buffer.from("garbage"),
    gzipSync("no tar at all"),
    gzipSync(Buffer.alloc(5000, 7)),
  ];
  for (let length = 0; length < whole.length; length += 997) cases.push(whole.subarray(0, length));
  for (const bytes of cases) {
    const { code } = await refusal(parseBundle(bytes, "x"));
    assert.match(code, /^BUNDLE_(UNREADABLE|INVALID)$/, `${bytes.length} bytes`);
  }
});

test("a bundle that unpacks to more than the limit is refused before it is held", async () => {
  const bomb = gzipSync(Buffer.alloc(50 << 20));
  const limits = { ...BUNDLE_LIMITS, bytes: 1 << 20 };
  assert.equal((await refusal(parseBundle(bomb, "bomb", limits))).code, "BUNDLE_UNREADABLE");
});

test("a file larger than the limit is refused without being read", async () => {
  const file = join(scratch(), "large.tar.gz");
  writeFileSync(file, Buffer.alloc(4096));
  const { code, detail } = await refusal(readBundle(file, { ...BUNDLE_LIMITS, compressedBytes: 4095 }));
  assert.equal(code, "BUNDLE_UNREADABLE");
  assert.match(detail, /4096 bytes/);
});

test("too many files and a file that is there twice are refused", async () => {
  const many = await archive(Array.from({ length: 11 }, (_, i) => [`/f${i}`, Buffer.from("x")] as const));
  assert.match((await refusal(parseBundle(many, "x", { ...BUNDLE_LIMITS, files: 10 }))).detail, /more than 10 files/);
  const twice = await archive([
    ["/policy.wasm", Buffer.from("a")],
    ["policy.wasm", Buffer.from("b")],
  ]);
  assert.match((await refusal(parseBundle(twice, "x"))).detail, /policy\.wasm is in it twice/);
});

test("a bundle without WASM is refused with how to build it", async () => {
  const { code, hint } = await refusal(open(await altered(await bundleOf("allow_all"), { "policy.wasm": null })));
  assert.equal(code, "BUNDLE_INVALID");
  assert.match(hint, /regate policy build/);
});

test("WASM that does not compile, and WASM that is no policy, are refused", async () => {
  const broken = await altered(await bundleOf("allow_all"), { "policy.wasm": "not wasm" });
  assert.match((await refusal(open(broken))).detail, /does not compile/);
  const empty = await altered(await bundleOf("allow_all"), { "policy.wasm": Buffer.from("0061736d01000000", "hex") });
  const { code, detail } = await refusal(open(empty));
  assert.equal(code, "BUNDLE_INVALID");
  assert.match(detail, /not an OPA policy/);
});

test("a manifest or data that cannot be read is refused by name", async () => {
  const good = await bundleOf("allow_all");
  for (const [name, text, expected] of [
    [".manifest", "{", /\.manifest/],
    [".manifest", "[]", /\.manifest is not an object/],
    ["data.json", "{", /data\.json/],
    ["data.json", "[1]", /data\.json is not an object/],
    ["data.json", Buffer.from([0x22, 0xff, 0x22]), /data\.json/],
    ["x/data.yaml", "a: 1", /x\/data\.yaml: data must be JSON/],
    ["data.json", '{"__proto__": {"a": 1}}', /__proto__/],
  ] as const) {
    const { code, detail } = await refusal(open(await altered(good, { [name]: text })));
    assert.equal(code, "BUNDLE_INVALID", `${name} ${text}`);
    assert.match(detail, expected);
  }
  const clash = await altered(good, { "data.json": '{"a":{"b":1}}', "a/data.json": '{"b":2}' });
  assert.match((await refusal(open(clash))).detail, /b is said twice/);
});

test("data files are put together by their folders", async () => {
  const bundle = await altered(await bundleOf("allow_all"), { "data.json": '{"a":{"b":1}}', "a/c/data.json": "[2]" });
  const policy = await open(bundle);
  assert.deepEqual(policy.data("a"), { b: 1, c: [2] });
  assert.deepEqual(policy.data("a.c"), [2]);
  assert.equal(policy.data("a.b.c"), undefined);
  assert.equal(policy.data("constructor"), undefined);
  await policy.close();
});

test("a bundle with another entrypoint is refused, and says which it has", async () => {
  const other = await plainBundle('package regate\nverdict := "allow"', "regate/verdict");
  const { code, detail, hint } = await refusal(open(other));
  assert.equal(code, "BUNDLE_NO_ENTRYPOINT");
  assert.match(detail, /regate\/verdict/);
  assert.match(hint, /-e regate\/decision/);
  // Without what the manifest says of it, the WASM itself is asked.
  assert.equal((await refusal(open(await altered(other, { ".manifest": "{}" })))).code, "BUNDLE_NO_ENTRYPOINT");
});

for (const [call, name] of [
  ['http.send({"method": "get", "url": "http://127.0.0.1:1/"}).status_code == 200', "http.send"],
  ['sprintf("%d", [1]) == "1"', "sprintf"],
  ['regex.split("a+", "b") == ["b"]', "regex.split"],
  ['net.lookup_ip_addr("localhost") != set()', "net.lookup_ip_addr"],
  ['io.jwt.decode("x") != []', "io.jwt.decode"],
  ["opa.runtime().x", "opa.runtime"],
] as const) {
  test(`a bundle that needs ${name} is refused at load, also where nothing reaches it`, async () => {
    const { code, detail, hint } = await refusal(
      open(await plainBundle(module(`_action := "block" if {\n\tinput.command.text == "never"\n\t${call}\n}`))),
    );
    assert.equal(code, "BUNDLE_BUILTIN");
    assert.ok(detail.endsWith(`: ${name}`), detail);
    assert.notEqual(hint, "");
  });
}

test("a policy that gives no whole decision for some stage is refused by its trial", async () => {
  for (const [rego, expected] of [
    [
      'package regate\ndecision := {"id": input.id, "action": "allow", "reasons": [], "masks": []} if input.stage == "command"',
      /stage connect.*no decision/,
    ],
    [
      'package regate\ndecision := {"id": input.id, "action": "allow", "reasons": [], "masks": []} if input.stage != "result"',
      /stage result.*no decision/,
    ],
    [
      'package regate\ndecision := {"id": "x", "action": "allow", "reasons": [], "masks": []}',
      /did not decide on this command/,
    ],
    [
      'package regate\ndecision := {"id": input.id, "action": "permit", "reasons": [], "masks": []}',
      /wrong form.*action/,
    ],
    ["package regate\ndecision := true", /wrong form/],
    ["package regate\ndecision := x if { some x in [1, 2] }", /trial of stage connect/],
  ] as const) {
    const { code, detail } = await refusal(open(await plainBundle(rego)));
    assert.equal(code, "BUNDLE_INVALID");
    assert.match(detail, expected);
  }
});

test("what a manifest says the policy reads counts only for the WASM that it was said of", async () => {
  const good = await bundleOf("mask_tagged", { masks: {} });
  const bundle = await readBundle(good);
  assert.deepEqual(bundle.inputs, ["command.statements", "id"]);
  const other = await readBundle(await plainBundle(module("")));
  const swapped = await readBundle(await altered(good, { "policy.wasm": other.wasm }));
  assert.equal(swapped.inputs, undefined);
  assert.equal(other.inputs, undefined);
});

test("the revision is the manifest's, or else the content's digest", async () => {
  const out = join(scratch(), "named.tar.gz");
  await buildBundle(folderOf({ "main.rego": module("") }), [], out, "2026-11-01");
  assert.equal((await readBundle(out)).revision, "2026-11-01");
  const plain = await readBundle(await plainBundle(module("")));
  assert.equal(plain.revision, `sha256:${plain.digest}`);
});
