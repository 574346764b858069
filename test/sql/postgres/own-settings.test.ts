// Which settings mean something to their client alone: by their name, and by what is in the database.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import type { Catalog } from "../../../src/sql/postgres/catalog.ts";
import { SCOPE, startRich } from "./support.ts";

const setup = `
  CREATE TABLE notes (id int PRIMARY KEY, owner text, body text);
  CREATE VIEW short AS SELECT id, left(body, 10) AS body FROM notes;
  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM set_config(''app.touched'', ''yes'', true); RETURN NEW; END';
  CREATE TRIGGER touch BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION touch();
  ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
  CREATE POLICY mine ON notes USING (owner = current_user)`;
const { client, load, catalog } = await startRich(setup, {});

const own = (text: string, of: Catalog = catalog): (readonly [string, boolean])[] =>
  analyze(text, of, SCOPE).statements[0]!.facts.settings.map((setting) => [setting.name, setting.own] as const);

describe("where nothing in the database reads settings", () => {
  const names: readonly [string, string, boolean][] = [
    ["SET app.user_id = '7'", "app.user_id", true],
    ["SET LOCAL App.Tenant = 'a'", "app.tenant", true],
    ["SET SESSION request.jwt.claims = '{}'", "request.jwt.claims", true],
    ["SELECT set_config('App.User', '7', true)", "app.user", true],
    ["SELECT set_config('app.user', body, true) FROM notes", "app.user", true],
    ["SET plpgsql.check_asserts = off", "plpgsql.check_asserts", false],
    ["SET auto_explain.log_analyze = on", "auto_explain.log_analyze", false],
    ["SET role = 'x'", "role", false],
    ["SELECT set_config(body, '7', true) FROM notes", "*", false],
  ];
  for (const [text, name, expected] of names) test(text, () => assert.deepEqual(own(text), [[name, expected]]));
});

describe("where something may read them", () => {
  const mine = "current_setting('app.user_id')";
  for (const [what, is] of [
    ["POLICY theirs ON notes", `USING (owner = ${mine})`],
    ["POLICY theirs ON notes", "FOR INSERT WITH CHECK (owner = CURRENT_SETTING('app.user_id', true))"],
    ["VIEW mine", `AS SELECT * FROM notes WHERE owner = ${mine}`],
    ["MATERIALIZED VIEW mine", "AS SELECT setting FROM pg_settings"],
    ["RULE mine ON notes", `AS ON DELETE TO notes WHERE old.owner <> ${mine} DO INSTEAD NOTHING`],
    [
      "TRIGGER mine ON notes",
      `BEFORE INSERT ON notes FOR EACH ROW WHEN (NEW.owner <> ${mine}) EXECUTE FUNCTION touch()`,
    ],
    ["FUNCTION mine()", `RETURNS text LANGUAGE sql AS $$ SELECT ${mine} $$`],
    ["FUNCTION mine()", `RETURNS text LANGUAGE sql RETURN ${mine}`],
    [
      "FUNCTION mine()",
      "RETURNS text LANGUAGE plpgsql AS $$ DECLARE s text; BEGIN SHOW app.user_id INTO s; RETURN s; END $$",
    ],
    ["FUNCTION mine()", "RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler'"],
  ] as const)
    test(`${what} ${is}`, async () => {
      const made = /^(RULE|TRIGGER)/.test(what) ? what.replace(" ON notes", "") : what;
      await client.query(`CREATE ${made} ${is}`);
      try {
        assert.deepEqual(own("SET app.user_id = '7'", await load()), [["app.user_id", false]]);
      } finally {
        await client.query(`DROP ${what}`);
      }
    });
});
