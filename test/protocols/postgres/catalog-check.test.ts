// Changes that are made past the gate: no result is shown, and no write is sent, under a catalog that was out of date when the command came.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import pg from "pg";
import type { Input } from "../../../src/core/facts.ts";
import { CatalogCheck, type Questions } from "../../../src/protocols/postgres/catalog-check.ts";
import { allow, startTestGate, type TestGate } from "./gate.ts";
import { cells, extended as x, refusal, types, WireClient } from "./wire-client.ts";

let gate: TestGate;
let client: WireClient;
let past: pg.Client;

const setup = `
CREATE TABLE public.people (id int PRIMARY KEY, name text, ssn text);

INSERT INTO people VALUES (1, 'Ada', '123-45-6789');

CREATE TABLE public.plain (id int PRIMARY KEY, name text, ssn text);

INSERT INTO plain VALUES (1, 'nobody', 'none');

CREATE VIEW public.v AS SELECT id, name AS shown FROM people;

`;

/** Refuses whatever touches the tag. */
const guard = (input: Input) =>
  input.command?.statements.some((one) => one.relations.some((relation) => relation.tags.includes("secret_number"))) ===
  true
    ? { action: "block" as const, reasons: [{ code: "secret", message: "no" }] }
    : allow();

before(async () => {
  gate = await startTestGate(setup);
  gate.classification = { "public.people.ssn": ["secret_number"] };
  gate.changed();
  past = new pg.Client({ connectionString: gate.server.url("app", "shop") });
  await past.connect();
});
after(async () => {
  client.end();
  await past.end();
  await gate.close();
});
beforeEach(async () => {
  client?.end();
  gate.decide = guard;
  gate.lines.length = 0;
  client = await WireClient.open(gate.port, "good");
  // What is known is what holds.
  await client.run("SELECT 1 FROM plain");
});

const prepared = async (sql: string) => {
  client.socket.write(Buffer.concat([x.parse("", sql), x.bind("", ""), x.describePortal(""), x.execute(""), x.sync()]));
  return client.until("Z");
};
const shown = (replies: readonly { type: string; body: Buffer }[]): string =>
  replies
    .filter((reply) => reply.type === "D")
    .map((reply) => cells(reply as never).join(","))
    .join(";");

const decided = (): string[] =>
  gate.lines.flatMap((line) => (line.path === "regate/decision" ? [line.result.action] : []));

describe("a change past the gate", () => {
  for (const [how, run] of [
    ["a simple query", (sql: string) => client.run(sql)],
    ["a prepared statement", prepared],
  ] as const) {
    it(`of a table's name is known to ${how}`, async () => {
      await past.query("BEGIN; ALTER TABLE plain RENAME TO other; ALTER TABLE people RENAME TO plain; COMMIT");
      try {
        const replies = await run("SELECT ssn FROM plain");
        assert.equal(shown(replies), "");
        assert.match(refusal(replies).R ?? "", /CATALOG_CHANGED|secret/);
        assert.equal(refusal(await run("SELECT ssn FROM plain")).R, "secret");
        assert.equal(shown(await run("SELECT ssn FROM other")), "none");
      } finally {
        await past.query("BEGIN; ALTER TABLE plain RENAME TO people; ALTER TABLE other RENAME TO plain; COMMIT");
      }
    });

    it(`of a view is known to ${how}`, async () => {
      await past.query("CREATE OR REPLACE VIEW v AS SELECT id, ssn AS shown FROM people");
      try {
        const replies = await run("SELECT shown FROM v");
        assert.equal(shown(replies), "");
        assert.match(refusal(replies).R ?? "", /CATALOG_CHANGED|secret/);
        assert.equal(refusal(await run("SELECT shown FROM v")).R, "secret");
      } finally {
        await past.query("CREATE OR REPLACE VIEW v AS SELECT id, name AS shown FROM people");
      }
    });

    it(`has a write of ${how} judged anew before it is sent`, async () => {
      await past.query("CREATE FUNCTION public.take() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'");
      await past.query("CREATE TRIGGER take BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION take()");
      try {
        assert.match(types(await run("INSERT INTO plain VALUES (2, 'x', 'y')")), /C Z$/);
        const judged = gate.lines.filter((line) => line.input?.command?.statements?.[0]?.verb === "insert").at(-1);
        assert.deepEqual(
          judged?.input.command.statements[0].functions.map((one: { name: string }) => one.name),
          ["take"],
        );
      } finally {
        await past.query("DROP FUNCTION public.take() CASCADE");
      }
    });

    it(`keeps a write of ${how} from being sent that it makes forbidden`, async () => {
      await past.query("BEGIN; ALTER TABLE plain RENAME TO other; ALTER TABLE people RENAME TO plain; COMMIT");
      try {
        assert.equal(refusal(await run("UPDATE plain SET name = 'x' WHERE id = 1")).R, "secret");
        assert.equal((await past.query("SELECT name FROM plain WHERE id = 1")).rows[0].name, "Ada");
      } finally {
        await past.query("BEGIN; ALTER TABLE plain RENAME TO people; ALTER TABLE other RENAME TO plain; COMMIT");
      }
    });

    it(`that makes harmless what would be refused is known to ${how}`, async () => {
      assert.equal(refusal(await run("SELECT shown FROM v")).R, "secret");
      await past.query("CREATE OR REPLACE VIEW v AS SELECT id, name AS shown FROM plain");
      gate.lines.length = 0;
      try {
        assert.equal(shown(await run("SELECT shown FROM v WHERE id = 1")), "nobody");
        assert.deepEqual(decided(), ["allow"]);
      } finally {
        await past.query("CREATE OR REPLACE VIEW v AS SELECT id, name AS shown FROM people");
      }
      assert.match(refusal(await run("SELECT shown FROM v WHERE id = 1")).R ?? "", /CATALOG_CHANGED|secret/);
    });
  }

  it("that does not matter to a command is not noticed by it", async () => {
    for (let n = 0; n < 5; n++) {
      await past.query(`CREATE TABLE beside_${n} (a int)`);
      assert.equal(shown(await client.run("SELECT name FROM plain WHERE id = 1")), "nobody");
      assert.equal(types(await client.run("UPDATE plain SET name = 'nobody' WHERE id = 1")), "C Z");
      await past.query(`DROP TABLE beside_${n}`);
      assert.equal(shown(await prepared("SELECT name FROM plain WHERE id = 1")), "nobody");
    }
  });

  it("that was committed late, with an early number, is known", async () => {
    const slow = new pg.Client({ connectionString: gate.server.url("app", "shop") });
    await slow.connect();
    await slow.query("BEGIN; CREATE OR REPLACE VIEW v AS SELECT id, ssn AS shown FROM people");
    for (let n = 0; n < 3; n++)
      await past.query("INSERT INTO plain VALUES (10, 'x', 'y'); DELETE FROM plain WHERE id = 10");
    assert.equal(shown(await client.run("SELECT name FROM plain WHERE id = 1")), "nobody");
    await slow.query("COMMIT");
    try {
      assert.equal(shown(await client.run("SELECT shown FROM v")), "");
    } finally {
      await past.query("CREATE OR REPLACE VIEW v AS SELECT id, name AS shown FROM people");
      await slow.end();
    }
  });

  it("leaves an open transaction failed, as an error of the server would", async () => {
    await client.run("BEGIN");
    await past.query("CREATE OR REPLACE VIEW v AS SELECT id, ssn AS shown FROM people");
    try {
      assert.equal(shown(await client.run("SELECT shown FROM v")), "");
      assert.equal(refusal(await client.run("SELECT 1 FROM plain")).C, "25P02");
      await client.run("ROLLBACK");
      assert.equal(shown(await client.run("SELECT name FROM plain WHERE id = 1")), "nobody");
    } finally {
      await past.query("CREATE OR REPLACE VIEW v AS SELECT id, name AS shown FROM people");
    }
  });

  it("is found although the gate's own connection was ended", async () => {
    await past.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'regate' AND pid <> pg_backend_pid()",
    );
    await past.query("CREATE OR REPLACE VIEW v AS SELECT id, ssn AS shown FROM people");
    try {
      assert.equal(shown(await client.run("SELECT shown FROM v")), "");
      assert.equal(shown(await client.run("SELECT name FROM plain WHERE id = 1")), "nobody");
    } finally {
      await past.query("CREATE OR REPLACE VIEW v AS SELECT id, name AS shown FROM people");
    }
  });
});

describe("the question", () => {
  const later = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const end = (ticket: { settled(callback: (error: Error | undefined) => void): void }): Promise<Error | undefined> =>
    new Promise((resolve) => ticket.settled(resolve));

  const questions = (over: Partial<Questions>): Questions => ({
    quiet: () => Promise.resolve(true),
    compare: () => Promise.resolve(),
    ...over,
  });

  it("is put once for all that came before it, and again for those that came meanwhile", async () => {
    let asked = 0;
    const quiet = async () => {
      asked++;
      await later(20);
      return true;
    };
    const check = new CatalogCheck(questions({ quiet }), "command");
    const first = [check.wanted(), check.wanted(), check.wanted()];
    assert.equal(first[0], first[1]);
    await later(5);
    assert.equal(asked, 1);
    const second = [check.wanted(), check.wanted()];
    assert.notEqual(first[0], second[0]);
    await later(5);
    // Two are under way: those that come now wait until one is answered.
    const third = check.wanted();
    assert.equal(await end(first[0]!), undefined);
    assert.equal(second[0]!.durable, false);
    assert.equal(await end(second[1]!), undefined);
    assert.equal(third.durable, false);
    assert.equal(await end(third), undefined);
    assert.equal(asked, 3);
  });

  it("leads to a comparison that begins after it, shared by those that wait for one", async () => {
    const begun: (() => void)[] = [];
    const compare = () => new Promise<void>((resolve) => begun.push(resolve));
    const check = new CatalogCheck(questions({ quiet: () => Promise.resolve(false), compare }), "command");
    const first = check.wanted();
    while (begun.length === 0) await later(1);
    const others = [check.wanted(), check.wanted()];
    await later(5);
    assert.equal(begun.length, 1);
    begun[0]!();
    await end(first);
    assert.ok(others.every((other) => !other.durable));
    while (begun.length === 1) await later(1);
    begun[1]!();
    await Promise.all(others.map(end));
    assert.equal(begun.length, 2);
  });

  it("that fails refuses those who waited for it, not those who come later", async () => {
    let works = false;
    const fails = () => (works ? Promise.resolve() : Promise.reject(new Error("lost")));
    const check = new CatalogCheck(questions({ quiet: () => Promise.resolve(false), compare: fails }), "command");
    const first = check.wanted();
    assert.equal((await end(first))?.message, "lost");
    assert.equal(first.durable, false);
    works = true;
    assert.equal(await end(check.wanted()), undefined);
  });

  it("is put so often, where an interval is given", async () => {
    let asked = 0;
    const check = new CatalogCheck(questions({ quiet: async () => ++asked > 0 }), 50);
    await end(check.wanted());
    assert.equal(check.wanted().durable, true);
    assert.equal(asked, 1);
    await later(60);
    assert.equal(check.wanted().durable, false);
  });

  it("auto: looks through the catalogs for a small share of the time only, however much is written", async () => {
    let compared = 0;
    const compare = async (): Promise<void> => {
      compared++;
      await later(100);
    };
    const check = new CatalogCheck(questions({ quiet: () => Promise.resolve(false), compare }), "auto");
    await end(check.wanted());
    assert.equal(compared, 1);
    const until = performance.now() + 100;
    while (performance.now() < until) {
      await later(3);
      assert.equal(await end(check.wanted()), undefined);
    }
    assert.equal(compared, 1);
    // Twenty times as long as the comparison took, from its beginning.
    while (compared === 1) {
      await later(50);
      await end(check.wanted());
    }
    assert.ok(performance.now() - until > 1_000, String(performance.now() - until));
  });

  it("auto: with a rest from writes, the next command asks again", async () => {
    let quiet = true;
    let compared = 0;
    const check = new CatalogCheck(
      questions({ quiet: () => Promise.resolve(quiet), compare: () => Promise.resolve(void compared++) }),
      "auto",
    );
    await end(check.wanted());
    await later(5);
    quiet = false;
    await end(check.wanted());
    assert.equal(compared, 1);
  });
});

it("changes of this session, one after the other, are no surprise: each names what the one before it made", async () => {
  gate.decide = () => allow();
  const migration = [
    "CREATE TABLE region (id int PRIMARY KEY)",
    "CREATE TABLE nation (id int PRIMARY KEY, region int REFERENCES region)",
    "CREATE INDEX ON nation (region)",
    "BEGIN",
    "ALTER TABLE region ADD COLUMN name text",
    "INSERT INTO region (id, name) VALUES (1, 'x')",
    "COMMIT",
    "ALTER TABLE region RENAME TO regions",
    "CREATE VIEW names AS SELECT name FROM regions",
    "SELECT name FROM names",
    "DROP VIEW names",
    "DROP TABLE nation, regions",
  ];
  for (const text of migration)
    assert.ok(
      (await client.run(text)).every((reply) => reply.type !== "E"),
      text,
    );
  for (const text of migration)
    assert.ok(
      (await prepared(text)).every((reply) => reply.type !== "E"),
      text,
    );
});
