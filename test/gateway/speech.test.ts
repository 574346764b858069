// What a server says beside rows: errors, notices, notifications, settings and other messages carry no protected value either.
import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import {
  callOf,
  errorOf,
  extended as x,
  frame,
  type Reply,
  types,
  WireClient,
} from "../protocols/postgres/wire-client.ts";
import { startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

const rego = fileURLToPath(new URL("../../rego", import.meta.url));
const server = await startServer();
const direct = new pg.Client(server.url("postgres", "shop"));
await direct.connect();
await direct.query(`
  CREATE TABLE people (id int PRIMARY KEY, ssn text UNIQUE, code char(5), n int);
  INSERT INTO people SELECT i, '078-05-' || 1000 + i, 'A1B2C', 0 FROM generate_series(1, 9) i;
  CREATE TABLE logbook (id int PRIMARY KEY, said text);
  -- What a trigger says of rows that the client may write, at once and at COMMIT.
  CREATE FUNCTION says() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE NOTICE 'wrote % %', NEW.id, NEW.said; RETURN NEW; END $$;
  CREATE FUNCTION raises() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'duplicate %', NEW.ssn USING ERRCODE = 'unique_violation', COLUMN = NEW.ssn, CONSTRAINT = NEW.ssn,
      TABLE = NEW.ssn, SCHEMA = NEW.ssn, DATATYPE = NEW.ssn, HINT = NEW.ssn, DETAIL = NEW.ssn; END $$;
  CREATE FUNCTION raises_early() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'relation "%" does not exist', NEW.ssn USING ERRCODE = 'undefined_table'; END $$;
  CREATE TRIGGER t AFTER INSERT ON logbook FOR EACH ROW EXECUTE FUNCTION says();
  CREATE CONSTRAINT TRIGGER late AFTER INSERT ON people DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.n = 1) EXECUTE FUNCTION raises();
  CREATE FUNCTION tells() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'kept %', NEW.ssn; RETURN NEW; END $$;
  CREATE CONSTRAINT TRIGGER late_notice AFTER INSERT ON people DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.n = 3) EXECUTE FUNCTION tells();
  CREATE TRIGGER early BEFORE INSERT ON people FOR EACH ROW WHEN (NEW.n = 2) EXECUTE FUNCTION raises_early();
  GRANT SELECT, INSERT, UPDATE, DELETE ON people, logbook TO app;
  -- Checked while a text is read that has a literal of the type.
  CREATE FUNCTION looks(text) RETURNS bool LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT ssn::int FROM people LIMIT 1) = 1; END $$;
  CREATE DOMAIN looked AS text CHECK (looks(VALUE));
  CREATE TYPE looking AS (a looked);
  SELECT lo_from_bytea(424242, 'the secret of a large object');
  GRANT SELECT ON LARGE OBJECT 424242 TO app;
`);
await direct.end();

const gate = await startGate({
  policy: "mask_tagged",
  data: { classification: { shop: { "public.people.ssn": ["pii"] } } },
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
});
const starter = await startGate({
  policy: rego,
  data: {
    classification: { shop: { "public.people.ssn": ["pii"] } },
    notifications: { shop: ["jobs"] },
  },
  resources: { shop: `${server.url("app", "shop")}?sslmode=disable` },
});
const portOf = (one: typeof gate): number => Number(one.postgres.split(":").at(-1));
/** A policy that allows whatever is asked: what is left is what the gate itself keeps back. */
const open = async (): Promise<WireClient> => WireClient.open(portOf(gate), await gate.token());
const guarded = async (groups: string[] = []): Promise<WireClient> =>
  WireClient.open(portOf(starter), await starter.token({ groups }));

const SSN = /078-?05/;
const seen = (replies: readonly Reply[]): string => Buffer.concat(replies.map(({ body }) => body)).toString("latin1");
const failure = (replies: readonly Reply[]): Record<string, string | undefined> =>
  errorOf(replies.find(({ type }) => type === "E") ?? assert.fail(`no error among ${types(replies)}`));

describe("errors that quote a value lose it, and keep what is the server's own", () => {
  const quoting: readonly [string, string][] = [
    ["SELECT ssn::int FROM people", "22P02"],
    ["SELECT ssn::regclass FROM people", "42P01"],
    ["SELECT ssn::regnamespace FROM people", "3F000"],
    ["SELECT ssn::regrole FROM people", "42704"],
    ["SELECT (ssn || '(int,int)')::regoperator FROM people", "42883"],
    ["SELECT ('x' || ssn)::regtype FROM people", "42601"],
    ["SELECT to_tsquery(ssn || ' ! !') FROM people", "42601"],
    ["SELECT ('$.' || ssn)::jsonpath FROM people", "42601"],
    ["SELECT pg_read_file(ssn) FROM people", "42501"],
    ["SELECT set_config(ssn, 'x', false) FROM people", "42704"],
    ["SELECT nextval(ssn) FROM people", "42P01"],
    ["SELECT cursor_to_xml(ssn::refcursor, 1, true, true, '') FROM people", "34000"],
    ["SELECT query_to_xml(ssn, true, true, '') FROM people", "42601"],
    ["SELECT lo_get(replace(substr(ssn, 5), '-', '')::oid) FROM people", "42704"],
    ["INSERT INTO people VALUES (20, '078-05-1001')", "23505"],
    ["UPDATE people SET ssn = '078-05-1001' WHERE id = 2", "23505"],
    ["SELECT ssn, '(x)'::looking FROM people", "22P02"],
  ];
  for (const [sql, code] of quoting)
    it(sql, async () => {
      for (const way of ["simple", "extended"]) {
        const client = await open();
        if (way === "extended")
          client.socket.write(Buffer.concat([x.parse("", sql), x.bind("", ""), x.execute(""), x.sync()]));
        else client.query(sql);
        const replies = await client.until("Z");
        client.end();
        assert.equal(failure(replies).C, code);
        assert.doesNotMatch(seen(replies), SSN);
        // Nor a part of it that an error would quote as a number.
        assert.doesNotMatch((failure(replies).M ?? "").replace(code, ""), /\d{4}/);
      }
    });

  it("a constraint is named", async () => {
    const client = await open();
    const error = failure(await client.run("INSERT INTO people VALUES (21, '078-05-1001')"));
    client.end();
    assert.match(error.M ?? "", /duplicate key value violates unique constraint "people_ssn_key"/);
    assert.deepEqual([error.s, error.t, error.n, error.D], ["public", "people", "people_ssn_key", undefined]);
  });

  it("what is wrong in the client's own text is said, with its place and hint", async () => {
    const client = await open();
    for (const [sql, message] of [
      ["SELECT id, ssn, idd FROM people", /column "idd" does not exist/],
      ["SELECT ssn FROM people WHERE id = 'abc'", /invalid input syntax for type integer: "abc"/],
      ["SELECT ssn FROM people WHERE n / 0 = 1", /division by zero/],
      ["SELECT ssn FROM people ORDER BY 7", /position 7 is not in select list/],
    ] as const) {
      const error = failure(await client.run(sql));
      assert.match(error.M ?? "", message, sql);
      if (sql.includes("abc")) assert.equal(error.P, String(sql.indexOf("'abc'") + 1));
    }
    client.end();
  });

  for (const sql of [
    "SELECT ssn + 1 FROM people",
    "SELECT n FROM people WHERE ssn = 1",
    "SELECT 'é€', upper(ssn, 1) FROM people",
    "SELECT n, length(ssn) FROM people GROUP BY n",
    "SELECT upper(p.ssn) FROM people p JOIN people q ON q.ssn = p.ssn WHERE p.id = 'abc'",
    "SELECT upper(public.people.ssn), id + 'x' FROM public.people",
    "SELECT upper(ssn) FROM people WHERE id = 'abc'",
    "SELECT upper(ssn), '{'::json FROM people",
    "SELECT upper(ssn) FROM people; SELECT nothing",
  ])
    it(`mistakes beside masks in SQL are said as the server says them: ${sql}`, async () => {
      const own = new pg.Client(server.url("app", "shop"));
      await own.connect();
      const meant: any = await own.query(sql).then(
        () => assert.fail("no error"),
        (error) => error,
      );
      await own.end();
      const client = await guarded();
      const { C, M, P, H } = failure(await client.run(sql));
      client.end();
      assert.deepEqual([C, M, P, H], [meant.code, meant.message, meant.position, meant.hint]);
    });

  it("a name that is not there has its own place beside a protected column", async () => {
    const client = await guarded();
    const sql = "UPDATE people SET n = 1 WHERE ssn = 'x' AND idd = 1";
    const { C, P } = failure(await client.run(sql));
    client.end();
    assert.deepEqual([C, P], ["42703", String(sql.indexOf("idd") + 1)]);
  });

  for (const [sql, code] of [
    ["SELECT (array_agg(p ORDER BY id))[1].ssn || 'x' FROM people p", "42703"],
    ["SELECT (CASE WHEN id = 1 THEN p END).ssn || 'x' FROM people p", "42703"],
    ["SELECT (x).id FROM (SELECT unnest(array_agg(p)) AS x FROM people p) y", "42809"],
    ["CREATE TEMP TABLE rows_of AS SELECT p FROM people p", "42P16"],
  ] as const)
    it(`a row that is a record beside masks is explained: ${sql}`, async () => {
      const client = await guarded();
      const { C, P, D, H } = failure(await client.run(sql));
      client.end();
      assert.equal(C, code);
      assert.match(
        D ?? "",
        /Rows of public\.people are records in this statement, in which public\.people\.ssn is masked/,
      );
      assert.match(H ?? "", /Name the columns/);
      assert.ok(code !== "42703" || Number(P) > 1);
    });

  for (const [when, n] of [
    ["at once", 2],
    ["at COMMIT", 1],
  ] as const)
    it(`what code raises ${when}, with a server's SQLSTATE and in every field`, async () => {
      for (const statements of [
        [`INSERT INTO people VALUES (30, '078-05-9999', 'x', ${n})`],
        ["BEGIN", `INSERT INTO people VALUES (31, '078-05-9998', 'x', ${n})`, "COMMIT"],
      ]) {
        const client = await open();
        const replies: Reply[] = [];
        for (const sql of statements) replies.push(...(await client.run(sql)));
        client.end();
        assert.equal(failure(replies).C, n === 2 ? "42P01" : "23505");
        assert.doesNotMatch(seen(replies), SSN);
      }
    });
});

test("notices lose values, also those of triggers that wait for COMMIT or Sync", async () => {
  const sql = "INSERT INTO people VALUES (40, '078-05-7777', 'x', 3)";
  const client = await open();
  const simple = await client.run(sql);
  const inTransaction = [
    ...(await client.run("BEGIN")),
    ...(await client.run(sql.replace("40, '078-05-7777", "41, '078-05-7778"))),
    ...(await client.run("COMMIT")),
  ];
  client.socket.write(
    Buffer.concat([
      x.parse("", sql.replace("40, '078-05-7777", "42, '078-05-7779")),
      x.bind("", ""),
      x.execute(""),
      x.sync(),
    ]),
  );
  const extended = await client.until("Z");
  client.end();
  for (const replies of [simple, inTransaction, extended]) {
    assert.equal(types(replies).includes("N"), true, types(replies));
    assert.doesNotMatch(seen(replies), SSN);
  }
});

test("notices of statements over nothing protected are shown", async () => {
  const client = await open();
  assert.match(seen(await client.run("INSERT INTO logbook VALUES (1, 'hello')")), /wrote 1 hello/);
  client.end();
});

test("what the server says of its own work is left out beside protected columns: its number tells of values", async () => {
  const client = await open();
  await client.run("SET client_min_messages = debug5");
  for (const [table, expected] of [
    ["people", false],
    ["logbook", true],
  ] as const) {
    const replies = await client.run(`SELECT * FROM ${table}`);
    assert.equal(types(replies).includes("N"), expected, seen(replies));
  }
  client.end();
});

test("no level of messages shows values", async () => {
  const client = await guarded();
  for (const level of ["debug5", "debug1", "log"]) {
    await client.run(`SET client_min_messages = ${level}`);
    assert.doesNotMatch(seen(await client.run("SELECT ssn, id FROM people")), SSN);
  }
  for (const setting of [
    "debug_print_plan",
    "debug_print_parse",
    "debug_print_rewritten",
    "log_statement_stats",
    "log_statement",
    "log_min_messages",
    "track_activities",
    "event_source",
  ])
    assert.match(failure(await client.run(`SET ${setting} = on`)).M ?? "", /may not be changed/, setting);
  client.end();
});

test("a notification comes without its payload, but for channels that the policy lists and people who may see it", async () => {
  const listening = await guarded();
  const trusted = await guarded(["dba"]);
  for (const client of [listening, trusted]) {
    await client.run("LISTEN changes");
    await client.run("LISTEN jobs");
  }
  const other = new pg.Client(server.url("postgres", "shop"));
  await other.connect();
  await other.query(
    "SELECT pg_notify('changes', row_to_json(p)::text) FROM people p WHERE id = 1; NOTIFY changes; NOTIFY jobs, 'work'",
  );
  await other.end();
  const replies = await listening.run("SELECT 1");
  const notifications = replies.filter(({ type }) => type === "A").map(({ body }) => body.subarray(4).toString());
  assert.deepEqual(notifications, ["changes\0\0", "changes\0\0", "jobs\0work\0"]);
  assert.match(
    seen(replies.filter(({ type }) => type === "N")),
    /payload of a notification on channel "changes" is withheld/,
  );
  const whole = await trusted.run("SELECT 1");
  assert.match(seen(whole.filter(({ type }) => type === "A")), SSN);
  listening.end();
  trusted.end();
});

test("a protected value does not become a setting that the server reports", async () => {
  const client = await guarded();
  for (const sql of [
    "SELECT set_config('application_name', ssn, false) FROM people LIMIT 1",
    "SELECT set_config('my.own', ssn, true) FROM people",
    "UPDATE people SET n = 1 WHERE id = 1 AND set_config('datestyle', ssn, false) IS NULL",
  ]) {
    const replies = await client.run(sql);
    assert.doesNotMatch(seen(replies), SSN);
  }
  client.end();
});

describe("messages that could go past the gate are refused", () => {
  const refusedStart = async (parameters: Record<string, string>): Promise<string> => {
    const client = new WireClient(portOf(starter));
    client.startup({ user: "me", database: "shop", ...parameters });
    for (;;) {
      const reply = await client.next();
      if (reply.type === "R" && reply.body.readInt32BE(0) === 3)
        client.send("p", Buffer.from(`${await starter.token()}\0`));
      if (reply.type === "E") {
        client.end();
        return errorOf(reply).M ?? "";
      }
      assert.notEqual(reply.type, "Z", "the session began");
    }
  };

  for (const value of ["true", "database", "on", "1", "yes", "t"])
    it(`replication=${value}`, async () => assert.match(await refusedStart({ replication: value }), /[Rr]eplication/));

  for (const options of ["-c replication=database", "--replication=true", "-creplication=on"])
    it(`options=${options}`, async () => {
      // replication is no setting: the server, if it were asked, would not know it.
      assert.match(await refusedStart({ options }), /refused|options|replication/i);
    });

  it("a setting of the startup that the policy does not let be changed", async () => {
    for (const parameters of [
      { options: "-c debug_print_plan=on -c client_min_messages=log" },
      { options: "-d 5" },
      { options: "--log-statement-stats=on" },
      { log_parser_stats: "on" },
    ])
      assert.match(await refusedStart(parameters), /This setting may not be changed/);
    const names = (): string[] =>
      starter
        .records()
        .filter(({ input }) => input?.command?.message === "startup")
        .flatMap(({ input }) => input.command.statements[0].settings.map(({ name }: { name: string }) => name));
    const expected = ["debug_print_plan", "client_min_messages", "log_statement_stats", "log_parser_stats"];
    // A refusal does not wait for its record.
    for (let waited = 0; waited < 5000 && !expected.every((name) => names().includes(name)); waited += 50)
      await new Promise((resolve) => setTimeout(resolve, 50));
    for (const name of expected) assert.ok(names().includes(name), `${name} is on record`);
  });

  it("others are brought along", async () => {
    const parameters = { options: "-c statement_timeout=5s", search_path: "public", application_name: "test" };
    const client = await WireClient.open(portOf(starter), await starter.token(), parameters);
    assert.match(seen(await client.run("SHOW statement_timeout")), /5s/);
    client.end();
  });

  for (const [name, oid] of [
    ["lo_get", 3458],
    ["loread", 954],
    ["pg_read_file", 2624],
    ["upper", 871],
  ] as const)
    it(`a function call of ${name}`, async () => {
      const client = await guarded();
      client.socket.write(callOf(oid, ["424242"]));
      const replies = await client.until("Z");
      assert.equal(types(replies).includes("V"), false);
      assert.doesNotMatch(seen(replies), /secret of a large/);
      client.end();
    });

  it("lo_get by name", async () => {
    const client = await guarded();
    assert.doesNotMatch(seen(await client.run("SELECT lo_get(424242)")), /secret of a large/);
    client.end();
  });

  for (const [what, bytes] of [
    ["SSLRequest", Buffer.from("0000000804d2162f", "hex")],
    ["GSSENCRequest", Buffer.from("0000000804d21630", "hex")],
    ["an unknown message", frame("z", "x")],
    ["CopyBoth's answer of a standby", frame("d", "r")],
    ["a password out of turn", frame("p", "x\0")],
  ] as const)
    it(`${what} in the midst of a session`, async () => {
      const client = await guarded();
      client.socket.write(Buffer.concat([bytes, frame("Q", "SELECT ssn FROM people\0")]));
      const replies: Reply[] = [];
      try {
        for (;;) {
          replies.push(await client.next(3000));
          if (replies.at(-1)!.type === "Z") break;
        }
      } catch {
        // The session ended, as it should.
      }
      client.end();
      assert.doesNotMatch(seen(replies), SSN);
    });

  for (const command of [
    "IDENTIFY_SYSTEM",
    "START_REPLICATION SLOT s LOGICAL 0/0",
    "BASE_BACKUP",
    "CREATE_REPLICATION_SLOT s LOGICAL pgoutput",
  ])
    it(`${command} as a query`, async () => {
      const client = await guarded();
      const replies = await client.run(command);
      assert.equal(/[DWH]/.test(types(replies)), false);
      client.end();
    });
});

describe("EXPLAIN tells nothing that its query may not", () => {
  const probes: readonly ((guess: string) => string)[] = [
    (guess) => `EXPLAIN SELECT * FROM people WHERE ssn = '${guess}'`,
    (guess) => `EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT id FROM people WHERE ssn = '${guess}'`,
    (guess) =>
      `EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT id FROM people WHERE ssn LIKE '${guess.slice(0, 7)}%'`,
    (guess) =>
      `EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, BUFFERS OFF) SELECT count(*) FROM people WHERE ssn > '${guess}'`,
    (guess) => `EXPLAIN SELECT id FROM people WHERE ssn IN ('${guess}', 'x') ORDER BY ssn`,
  ];
  for (const probe of probes)
    it(probe("…"), async () => {
      const client = await guarded();
      // One is there, one is not.
      const [right, wrong] = ["078-05-1001", "078-06-1001"].map((guess) => [guess, probe(guess)] as const);
      const told: string[] = [];
      // What a session is told once.
      await client.run(probe("x"));
      for (const [guess, sql] of [right!, wrong!])
        told.push(
          seen(await client.run(sql))
            .replaceAll(guess, "G")
            .replaceAll(guess.slice(0, 7), "G")
            .replace(/[0-9a-f-]{36}-\d+/, "ID"),
        );
      client.end();
      assert.equal(told[0], told[1]);
    });
});
