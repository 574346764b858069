// Code of users that nobody calls by name: behind operators, casts, domains, defaults, checks, triggers and policies.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { analyze, type StatementAnalysis } from "../../../src/sql/postgres/analyze.ts";
import { SCOPE, startRich } from "./support.ts";

const rich = await startRich(`
CREATE TABLE plain (id int PRIMARY KEY, t text, n bigint);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN mood_domain AS mood;
CREATE FUNCTION spy(text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT 1''; RETURN true; END';
CREATE FUNCTION spy_number(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT 1''; RETURN true; END';
CREATE FUNCTION spy_mood(mood, mood) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT 1''; RETURN true; END';
CREATE FUNCTION spy_text(mood) RETURNS int LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT 1''; RETURN 1; END';
CREATE FUNCTION spy_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT 1''; RETURN NEW; END';
CREATE FUNCTION spy_state(bigint) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN EXECUTE ''SELECT 1''; RETURN 1; END';
CREATE OPERATOR %%% (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = spy_number);
CREATE OPERATOR = (LEFTARG = mood, RIGHTARG = mood, FUNCTION = spy_mood);
CREATE CAST (mood AS int) WITH FUNCTION spy_text(mood);
CREATE DOMAIN checked AS text CHECK (spy(VALUE));
CREATE TABLE moods (id int PRIMARY KEY, m mood, d mood_domain, many mood[]);
CREATE TABLE defaulted (id int PRIMARY KEY, b boolean DEFAULT spy('x'), t text CHECK (spy(t)), c checked);
CREATE DOMAIN given AS boolean DEFAULT spy('x');
CREATE DOMAIN given_too AS given;
CREATE TABLE given_defaults (id int PRIMARY KEY, g given, h given_too);
CREATE TABLE triggered (id int PRIMARY KEY, t text);
CREATE TRIGGER t BEFORE UPDATE ON triggered FOR EACH ROW EXECUTE FUNCTION spy_trigger();
CREATE TABLE secured (id int PRIMARY KEY, t text);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON secured USING (spy(t));
CREATE TABLE parent (id int PRIMARY KEY, t text);
CREATE TABLE child () INHERITS (parent);
CREATE TRIGGER t BEFORE DELETE ON child FOR EACH ROW EXECUTE FUNCTION spy_trigger();
CREATE TABLE referring (id int PRIMARY KEY, p int REFERENCES plain ON DELETE CASCADE);
CREATE TRIGGER t BEFORE DELETE ON referring FOR EACH ROW EXECUTE FUNCTION spy_trigger();
CREATE AGGREGATE spy_sum(*) (SFUNC = spy_state, STYPE = int8, INITCOND = '0');
`);

/** Of a role that no policy exempts. */
const one = (text: string): StatementAnalysis =>
  analyze(text, rich.catalog, { ...SCOPE, user: "somebody" }).statements[0]!;
const opaque = (text: string): string[] =>
  one(text)
    .facts.functions.filter((use) => use.opaque)
    .map((use) => use.name);

describe("what runs code of users names it as opaque", () => {
  const cases: readonly (readonly [text: string, name: string])[] = [
    ["SELECT 1 %%% 2", "spy_number"],
    ["SELECT id %%% n FROM plain", "spy_number"],
    ["SELECT m = 'sad' FROM moods", "spy_mood"],
    ["SELECT d = d FROM moods", "spy_mood"],
    ["SELECT m IN ('sad', 'ok') FROM moods", "spy_mood"],
    ["SELECT m IN (SELECT m FROM moods) FROM moods", "spy_mood"],
    ["SELECT CASE m WHEN 'sad' THEN 1 END FROM moods", "spy_mood"],
    ["SELECT nullif(m, 'sad') FROM moods", "spy_mood"],
    ["SELECT 1 FROM moods a JOIN moods b USING (m)", "spy_mood"],
    ["SELECT m::int FROM moods", "spy_text"],
    ["SELECT d::int FROM moods", "spy_text"],
    ["SELECT many::int[] FROM moods", "spy_text"],
    ["SELECT 'x'::checked", "spy"],
    ["SELECT ARRAY['x']::checked[]", "spy"],
    ["INSERT INTO defaulted (id) VALUES (1)", "spy"],
    ["UPDATE defaulted SET t = 'x' WHERE id = 1", "spy"],
    ["COPY defaulted FROM STDIN", "spy"],
    ["INSERT INTO given_defaults (id, g) VALUES (1, true)", "spy"],
    ["INSERT INTO given_defaults (id, h) SELECT 1, true", "spy"],
    ["INSERT INTO given_defaults VALUES (1, true, true), (2, DEFAULT, true)", "spy"],
    ["UPDATE given_defaults SET h = DEFAULT WHERE id = 1", "spy"],
    ["COPY given_defaults (id, h) FROM STDIN", "spy"],
    ["ALTER TABLE plain ADD g given_too", "spy"],
    [
      "MERGE INTO given_defaults d USING plain p ON d.id = p.id WHEN MATCHED THEN UPDATE SET g = true, h = true WHEN NOT MATCHED THEN INSERT (id) VALUES (p.id)",
      "spy",
    ],
    ["UPDATE triggered SET t = 'x' WHERE id = 1", "spy_trigger"],
    ["SELECT * FROM secured", "spy"],
    ["DELETE FROM parent WHERE id = 1", "spy_trigger"],
    ["DELETE FROM plain WHERE id = 1", "spy_trigger"],
    ["SELECT id FROM plain ORDER BY n USING %%%", "spy_number"],
  ];
  for (const [text, name] of cases) {
    test(text, () => {
      assert.deepEqual(opaque(text), [name]);
      assert.ok(one(text).effects.settings, "what it does to the session cannot be told");
    });
  }

  test("an aggregate, with the function that it runs", () => {
    assert.deepEqual(opaque("SELECT spy_sum(*) FROM plain").sort(), ["spy_state", "spy_sum"]);
  });

  test("their outputs are opaque", () => {
    for (const text of [
      "SELECT 1 %%% 2",
      "SELECT m = 'sad' FROM moods",
      "SELECT m::int FROM moods",
      "SELECT spy_sum(*) FROM plain",
      "SELECT 'x'::checked",
    ]) {
      assert.equal(one(text).facts.outputs[0]!.derivation, "opaque", text);
    }
  });
});

describe("what runs none does not", () => {
  for (const text of [
    "SELECT id = 1, t = 'x', n = id FROM plain",
    "SELECT id FROM plain WHERE id IN (1, 2) AND t LIKE 'x'",
    "SELECT t::varchar FROM plain",
    "SELECT m, id FROM moods WHERE id = 1",
    "INSERT INTO plain (id) VALUES (1)",
    "INSERT INTO triggered VALUES (1, 'x')",
    "DELETE FROM triggered WHERE id = 1",
    "INSERT INTO parent (id) VALUES (1)",
    "SELECT * FROM defaulted",
    "SELECT 'sad'::mood",
    "INSERT INTO given_defaults VALUES (1, true, true)",
    "UPDATE given_defaults SET id = 2, h = false WHERE id = 1",
    "SELECT true::given",
  ]) {
    test(text, () => assert.deepEqual(opaque(text), []));
  }

  test("nothing is scoped by somebody's own equality", () => {
    assert.equal(one("DELETE FROM moods WHERE id = 1").facts.scoped, true);
  });
});
