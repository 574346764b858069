// The configuration: defaults, every kind of defect with its place, and variables of the environment.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is what the configuration has
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { type Config, checkConfig, loadConfig } from "../src/config.ts";
import { RegateError } from "../src/errors.ts";
import { temporaryFolder } from "./support/folder.ts";

const folder = temporaryFolder("config");
const least = 'tls: {allow_plaintext: loopback}\nresources: {shop: {url: "postgres://app@db/shop"}}\n';
const write = (yaml: string | Buffer): string => {
  const file = join(folder, "regate.yaml");
  writeFileSync(file, yaml);
  return file;
};
const load = (yaml: string | Buffer, env: NodeJS.ProcessEnv = {}): Config => loadConfig(write(yaml), env);
/** The lines that say what is wrong, without the file's name. */
const defects = (yaml: string | Buffer, env: NodeJS.ProcessEnv = {}): string[] => {
  const file = write(yaml);
  try {
    loadConfig(file, env);
  } catch (error) {
    assert.ok(error instanceof RegateError, String(error));
    assert.equal(error.code, "CONFIG_INVALID");
    assert.ok(error.hint !== undefined);
    return (error.detail ?? "").split("\n").map((line) => line.replace(`${file}:`, ""));
  }
  throw new Error("the configuration was accepted");
};

describe("defaults", () => {
  test("are those of the design, with paths below the file's folder", () => {
    const config = load(least);
    assert.equal(config.data_dir, join(folder, ".regate"));
    assert.deepEqual({ ...config.listen }, { postgres: "127.0.0.1:6432", mysql: undefined, http: "127.0.0.1:6080" });
    assert.equal(config.policy.mode, "enforce");
    assert.deepEqual({ ...config.identity.tokens }, { ttl: 300_000, max_ttl: 3_600_000 });
    assert.equal(config.approvals.timeout, 600_000);
    assert.equal(config.audit.durability, "fsync");
    assert.deepEqual(
      { ...config.limits },
      {
        command_bytes: 1 << 20,
        message_bytes: 64 << 20,
        row_bytes: 16 << 20,
        startup_timeout: 10_000,
        connections: 1000,
      },
    );
    assert.deepEqual(
      { ...config.resources.shop, labels: {}, plan_check: { ...config.resources.shop?.plan_check } },
      {
        kind: "postgres",
        url: "postgres://app@db/shop",
        environment: "production",
        labels: {},
        catalog_check: "auto",
        plan_check: { rate: 0.01, on_mismatch: "alarm" },
      },
    );
    assert.deepEqual(config.notices, []);
  });

  test("name the bundle that ships", () => {
    assert.equal(readFileSync(load(least).policy.bundle).subarray(0, 2).toString("hex"), "1f8b");
  });

  test("never allow a token without TLS", () => {
    assert.deepEqual(defects('resources: {shop: {url: "postgres://app@db/shop"}}'), [
      " tls: nobody could connect: give cert and key, or set allow_plaintext: loopback for clients on this machine",
    ]);
  });

  test("are the whole configuration of a command that never connects, where there is no file", () => {
    const config = loadConfig(undefined, {}, { offline: true });
    assert.equal(config.data_dir, join(process.cwd(), ".regate"));
  });
});

test("the configuration cannot be changed", () => {
  const config = load(least) as { data_dir: string; limits: { connections: number } };
  assert.throws(() => (config.data_dir = "x"), TypeError);
  assert.throws(() => (config.limits.connections = 0), TypeError);
});

test("every value that can be set is taken", () => {
  const config = load(`
data_dir: /var/lib/regate
listen: {postgres: "0.0.0.0:1", http: "[::1]:65535"}
tls: {cert: tls/cert.pem, key: /k.pem, allow_plaintext: never}
policy: {bundle: my.tar.gz, mode: observe}
identity: {tokens: {ttl: 90s, max_ttl: 2h}}
resources:
  shop: {kind: postgres, url: "postgresql://app:x@db:5432/shop?sslmode=verify-full", environment: staging, labels: {team: core}, catalog_check: 1s, plan_check: {rate: 1, on_mismatch: refuse}}
  "weird name": {url: "postgres:///shop?host=/run/postgresql"}
approvals: {timeout: 1h}
audit: {durability: write, segment_bytes: 1GiB}
state: embedded
limits: {command_bytes: 64KiB, message_bytes: 1MB, row_bytes: 100000, startup_timeout: 500ms, connections: 7}
`);
  assert.deepEqual(JSON.parse(JSON.stringify(config)), {
    data_dir: "/var/lib/regate",
    listen: { postgres: "0.0.0.0:1", http: "[::1]:65535" },
    tls: { cert: join(folder, "tls/cert.pem"), key: "/k.pem", allow_plaintext: "never" },
    policy: { bundle: join(folder, "my.tar.gz"), mode: "observe" },
    identity: { tokens: { ttl: 90_000, max_ttl: 7_200_000 } },
    resources: {
      shop: {
        kind: "postgres",
        url: "postgresql://app:x@db:5432/shop?sslmode=verify-full",
        environment: "staging",
        labels: { team: "core" },
        catalog_check: 1000,
        plan_check: { rate: 1, on_mismatch: "refuse" },
      },
      "weird name": {
        kind: "postgres",
        url: "postgres:///shop?host=/run/postgresql",
        environment: "production",
        labels: {},
        catalog_check: "auto",
        plan_check: { rate: 0.01, on_mismatch: "alarm" },
      },
    },
    approvals: { timeout: 3_600_000 },
    audit: { durability: "write", segment_bytes: 1 << 30 },
    state: "embedded",
    limits: {
      command_bytes: 65_536,
      message_bytes: 1_000_000,
      row_bytes: 100_000,
      startup_timeout: 500,
      connections: 7,
    },
    notices: ["audit.durability: write: a power failure can lose the last records"],
  });
});

test("what an operator should know is noticed", () => {
  const config = load(`${least.replace("loopback", "always")}listen: {http: "0.0.0.0:6080", mysql: "127.0.0.1:6306"}`);
  assert.deepEqual(
    config.notices.map((notice) => notice.split(":")[0]),
    ["tls.allow_plaintext", "listen.http", "listen.mysql"],
  );
});

const wrong: [string, string, string][] = [
  ["an unknown key", `${least}limts: {}`, "3: limts: unknown key; did you mean limits?"],
  [
    "an unknown key that is like no other",
    `${least}zebra: 1`,
    "3: zebra: unknown key; known here: data_dir, listen, tls, policy, identity, resources, approvals, audit, state, limits",
  ],
  [
    "an unknown key deep inside",
    `${least}limits:\n  connections: 5\n  startup_timeot: 5s`,
    "5: limits.startup_timeot: unknown key; did you mean startup_timeout?",
  ],
  [
    "an unknown key of a resource",
    "tls: {allow_plaintext: loopback}\nresources:\n  shop:\n    url: postgres://a@b/c\n    enviroment: x",
    "5: resources.shop.enviroment: unknown key; did you mean environment?",
  ],
  [
    "a key that objects inherit",
    `${least}constructor: {}`,
    "3: constructor: unknown key; known here: data_dir, listen, tls, policy, identity, resources, approvals, audit, state, limits",
  ],
  ["a list where keys belong", `${least}limits: [1]`, "3: limits: expected keys and values"],
  ["an empty value", `${least}data_dir:`, "3: data_dir: has no value"],
  ["an empty text", `${least}data_dir: ""`, "3: data_dir: must not be empty"],
  ["a number for a text", `${least}data_dir: 7`, "3: data_dir: expected a text; put it in quotes"],
  [
    "an address without a port",
    `${least}listen: {http: localhost}`,
    '3: listen.http: expected "host:port", such as "127.0.0.1:6432" or "[::1]:6432"',
  ],
  [
    "a port that is none",
    `${least}listen: {http: "localhost:65536"}`,
    '3: listen.http: expected "host:port", such as "127.0.0.1:6432" or "[::1]:6432"',
  ],
  [
    "a duration without a unit",
    `${least}approvals: {timeout: 10}`,
    '3: approvals.timeout: expected a duration with its unit, such as "30s", "5m" or "1h"',
  ],
  ["a duration of zero", `${least}approvals: {timeout: 0s}`, "3: approvals.timeout: expected a duration from 1s to 7d"],
  [
    "a size that is none",
    `${least}limits: {row_bytes: 16 Mibi}`,
    '3: limits.row_bytes: expected a size, such as "64KiB", "1MiB", or a number of bytes',
  ],
  [
    "a size out of bounds",
    `${least}limits: {command_bytes: 1}`,
    "3: limits.command_bytes: expected a size from 1KiB to 64MiB",
  ],
  [
    "half a number",
    `${least}limits: {connections: 1.5}`,
    "3: limits.connections: expected a whole number from 1 to 1000000",
  ],
  [
    "a share above 1",
    `${least}resources: {a: {url: "postgres://x", plan_check: {rate: 2}}}`.replace(/^resources.*\n/m, ""),
    "2: resources.a.plan_check.rate: expected a number from 0 to 1",
  ],
  [
    "a choice that is none",
    `${least}policy: {mode: enfroce}`,
    "3: policy.mode: expected enforce or observe; did you mean enforce?",
  ],
  [
    "no resource",
    "tls: {allow_plaintext: loopback}",
    ` resources: name at least one database, such as shop: {url: "postgres://…"}`,
  ],
  [
    "a resource without a URL",
    "tls: {allow_plaintext: loopback}\nresources: {shop: {}}",
    "2: resources.shop.url: missing",
  ],
  [
    "a check of the catalog that is no time",
    "tls: {allow_plaintext: loopback}\nresources: {shop: {url: 'postgres://a/b', catalog_check: never}}",
    '2: resources.shop.catalog_check: expected auto, command or a duration with its unit, such as "1s"',
  ],
  [
    "a URL of another kind",
    "tls: {allow_plaintext: loopback}\nresources: {shop: {url: 'mysql://u:hush@h/d'}}",
    "2: resources.shop.url: expected a URL that starts with postgres:// or postgresql://",
  ],
  [
    "a resource name that is too long",
    `tls: {allow_plaintext: loopback}\nresources: {${"é".repeat(32)}: {url: "postgres://a/b"}}`,
    `2: resources.${"é".repeat(32)}: a name has 1 to 63 bytes, and no control characters`,
  ],
  [
    "a certificate without a key",
    `${least.replace("allow_plaintext", "cert: c.pem, allow_plaintext")}`,
    "1: tls: cert and key belong together: give both",
  ],
  [
    "a token that lives longer than it may",
    `${least}identity: {tokens: {ttl: 2h}}`,
    "3: identity.tokens.ttl: is longer than max_ttl",
  ],
  [
    "a command that is longer than a message",
    `${least}limits: {message_bytes: 64KiB}`,
    "3: limits.command_bytes: is more than message_bytes",
  ],
  [
    "a signature that would not be checked",
    `${least}policy: {verification_key: k.pem}`,
    "3: policy.verification_key: checking a bundle's signature is not available in this version; remove the key",
  ],
  [
    "a sink that would get nothing",
    `${least}audit: {sinks: [{url: x}]}`,
    "3: audit.sinks: an audit sink is not available in this version; remove the key",
  ],
  [
    "an issuer whose tokens would be refused",
    `${least}identity: {issuers: [{issuer: x}]}`,
    "3: identity.issuers: an external issuer is not available in this version; remove the key",
  ],
  ["a cluster that would not be joined", `${least}state: "nats://a"`, "3: state: expected embedded"],
  ["a key given twice", `${least}data_dir: a\ndata_dir: b`, "4: Map keys must be unique"],
  ["what is no YAML", `${least}limits: {`, "3: "],
  ["a tag that would be ignored", `${least}data_dir: !secret x`, "3: Unresolved tag: !secret"],
  ["a file that is no map", "just text", " expected keys and values"],
];
for (const [what, yaml, expected] of wrong) {
  test(`${what} is refused with its place`, () => {
    const [first, ...rest] = defects(yaml);
    assert.ok(first?.includes(expected), `${first}\nshould include\n${expected}`);
    assert.doesNotMatch(String(first), /hush/);
    if (what !== "what is no YAML") assert.deepEqual(rest, []);
  });
}

test("all defects are shown at once, in the order of the file", () => {
  const found = defects("listen: {http: x}\ntls: {cret: y}\nlimits: {connections: many}\n");
  assert.deepEqual(
    found.map((line) => line.split(":").slice(0, 2).join(":")),
    ["1: listen.http", "2: tls.cret", "3: limits.connections"],
  );
});

test("aliases that multiply are refused", () => {
  const laughs = [
    "a: &a [x,x,x,x,x,x,x,x,x,x]",
    ..."bcdefghi".split("").map((name, at) => `${name}: &${name} [${Array(10).fill(`*${"abcdefgh"[at]}`).join(",")}]`),
  ].join("\n");
  assert.match(defects(laughs)[0]!, /alias/i);
});

describe("a file that cannot be read", () => {
  const unreadable = (file: string): RegateError => {
    try {
      loadConfig(file, {});
    } catch (error) {
      assert.ok(error instanceof RegateError);
      return error;
    }
    throw new Error("it was read");
  };
  test("is missing: the error says how to name one", () => {
    const error = unreadable(join(folder, "none.yaml"));
    assert.deepEqual(
      [error.code, error.detail],
      ["CONFIG_UNREADABLE", `There is no file ${join(folder, "none.yaml")}.`],
    );
    assert.match(error.hint ?? "", /--config/);
  });
  test("is a folder", () => assert.equal(unreadable(folder).code, "CONFIG_UNREADABLE"));
  test("is too large", () => assert.match(unreadable(write("#".repeat(2_000_000))).detail ?? "", /2000000 bytes/));
  test("is not text", () => assert.match(unreadable(write(Buffer.from([0xff, 0xfe, 0]))).detail ?? "", /UTF-8/));
});

describe("variables", () => {
  const resource = (url: string): string => `tls: {allow_plaintext: loopback}\nresources: {shop: {url: "${url}"}}\n`;
  test("expand in texts, choices, durations, sizes and numbers", () => {
    const env = { DIR: "/srv", MODE: "observe", WAIT: "3m", SIZE: "2MiB", COUNT: "12", PORT: "7000" };
    const config = load(
      `${least}data_dir: "\${DIR}/regate"\npolicy: {mode: "\${MODE}"}\napprovals: {timeout: "\${WAIT}"}\nlimits: {row_bytes: "\${SIZE}", connections: "\${COUNT}"}\nlisten: {http: "127.0.0.1:\${PORT}"}`,
      env,
    );
    assert.deepEqual(
      [
        config.data_dir,
        config.policy.mode,
        config.approvals.timeout,
        config.limits.row_bytes,
        config.limits.connections,
        config.listen.http,
      ],
      ["/srv/regate", "observe", 180_000, 2 << 20, 12, "127.0.0.1:7000"],
    );
  });
  test("that are not set are named", () => {
    assert.deepEqual(defects(resource("postgres://${WHO}:${SECRET}@db/shop"), {}), [
      "2: resources.shop.url: the environment variable WHO and SECRET is not set",
    ]);
    assert.deepEqual(defects(`${least}listen: {http: "\${NOWHERE}"}`), [
      "3: listen.http: the environment variable NOWHERE is not set",
    ]);
  });
  test("in a URL's user part are encoded: a password cannot become another host", () => {
    const config = load(resource("postgres://app:${SECRET}@db:5432/shop"), { SECRET: "p@ss/w:rd?#%@evil:1/" });
    const url = new URL(config.resources.shop!.url);
    assert.deepEqual(
      [url.hostname, url.port, decodeURIComponent(url.password)],
      ["db", "5432", "p@ss/w:rd?#%@evil:1/"],
    );
  });
  test("that hold a whole URL, or its host, are taken as they are", () => {
    assert.equal(
      load(resource("${SHOP}"), { SHOP: "postgres://a:b%40@h/d" }).resources.shop!.url,
      "postgres://a:b%40@h/d",
    );
    assert.equal(
      load(resource("postgres://a:${P}@${HOST}/d"), { P: "@", HOST: "h:5432" }).resources.shop!.url,
      "postgres://a:%40@h:5432/d",
    );
  });
  test("cannot add keys", () => {
    const config = load(`${least}data_dir: "\${EVIL}"`, { EVIL: "x\npolicy: {mode: observe}" });
    assert.equal(config.policy.mode, "enforce");
  });
  test("are written out with a second dollar", () => {
    assert.equal(load(`${least}data_dir: "/a/$\${HOME}/$b"`, {}).data_dir, "/a/${HOME}/$b");
  });
  test("of resources need not be set for a command that never connects", () => {
    const config = loadConfig(write(resource("postgres://app:${SECRET}@db/shop")), {}, { offline: true });
    assert.deepEqual(Object.keys(config.resources), ["shop"]);
  });
});

test("docs/configuration.md explains every key, and no other", () => {
  const page = readFileSync(join(import.meta.dirname, "../docs/configuration.md"), "utf8");
  const keysOf = (value: object, path: string): string[] =>
    Object.entries(value).flatMap(([name, inner]) => {
      const key = path === "resources" ? "resources.NAME" : path === "" ? name : `${path}.${name}`;
      const leaf = typeof inner !== "object" || inner === null || key === "resources.NAME.labels";
      return leaf ? [key] : [...(key === "resources" ? [key] : []), ...keysOf(inner, key)];
    });
  const { notices, ...config } = load(least);
  assert.deepEqual(notices, []);
  const keys = keysOf(config, "").sort();
  const cells = page.split("\n").flatMap((line) => (line.startsWith("| `") ? [line.split("|")[1]!] : []));
  const explained = cells.flatMap((cell) => [...cell.matchAll(/`([\w.]+)`/g)].map((match) => match[1]!));
  assert.deepEqual(explained.sort(), keys);
});

test("a resource's name finds nothing that objects inherit", () => {
  const { resources } = load(least);
  for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"])
    assert.equal(resources[name], undefined);
});

test("a configuration that is an object is checked the same way, and named in the error", () => {
  assert.equal(
    checkConfig({ tls: { allow_plaintext: "loopback" }, resources: { shop: { url: "postgres://a/b" } } }, "the demo")
      .limits.connections,
    1000,
  );
  assert.throws(
    () => checkConfig({ limits: { conections: 1 } }, "the demo"),
    (error: RegateError) => {
      assert.equal(error.detail, "the demo: limits.conections: unknown key; did you mean connections?");
      return true;
    },
  );
});
