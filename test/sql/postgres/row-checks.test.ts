// What the server asks by itself of rows that are read or changed: checks, keys, foreign keys and policies tell of columns that no text names.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { SCOPE, startRich, taggedUses } from "./support.ts";

const rich = await startRich(
  `
CREATE ROLE other;
CREATE TABLE checked (id int PRIMARY KEY, title text, ssn text, low int, high int, parts int[], twice int GENERATED ALWAYS AS (low * 2) STORED,
  CHECK (title <> 'probe' OR ssn < '2'), CHECK (low <= high), CHECK (parts[1] < 5), CHECK (twice < high OR ssn > ''), UNIQUE (low, ssn));
CREATE UNIQUE INDEX ON checked (title) WHERE ssn > '5';
CREATE TABLE doubted (id int PRIMARY KEY, title text, ssn text);
ALTER TABLE doubted ADD CHECK (ssn < '2') NOT VALID;
CREATE VIEW checked_view AS SELECT id, title AS heading FROM checked;
CREATE TABLE base (id int PRIMARY KEY, title text);
CREATE TABLE derived (ssn text, CHECK (title <> 'probe' OR ssn < '2')) INHERITS (base);
CREATE TABLE parents (id int PRIMARY KEY, ssn text UNIQUE, code text UNIQUE);
CREATE TABLE by_secret (id int PRIMARY KEY, their text REFERENCES parents (ssn));
CREATE TABLE by_code (id int PRIMARY KEY, ssn text REFERENCES parents (code) ON DELETE CASCADE);
CREATE TABLE by_id (id int PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE, note text);
CREATE TABLE grand (id int PRIMARY KEY, ssn int REFERENCES by_id);
CREATE TABLE secured (id int PRIMARY KEY, secret text, open text, tenant int);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON secured USING (secret > 'b' OR open = 'y');
CREATE TABLE tenants (id int PRIMARY KEY, tenant int, secret text);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON tenants USING (tenant = current_setting('own.tenant', true)::int);
CREATE TABLE kinds (id int PRIMARY KEY, secret text, open text, made text);
ALTER TABLE kinds ENABLE ROW LEVEL SECURITY;
CREATE POLICY r ON kinds FOR SELECT USING (true);
CREATE POLICY a ON kinds FOR INSERT WITH CHECK (secret > 'b');
CREATE POLICY w ON kinds FOR UPDATE USING (open = 'y') WITH CHECK (secret > made);
CREATE POLICY d ON kinds FOR DELETE USING (secret > 'b');
CREATE TABLE looked (id int PRIMARY KEY, open text);
ALTER TABLE looked ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON looked USING (EXISTS (SELECT FROM secured s WHERE s.id = looked.id AND s.secret > 'b'));
CREATE TABLE forgotten (id int PRIMARY KEY, secret text);
CREATE POLICY p ON forgotten USING (secret > 'b');
CREATE TABLE elements (id int PRIMARY KEY, secrets int[], CHECK (secrets[1] < secrets[2]));
CREATE TABLE made (id int PRIMARY KEY, low int, twice int GENERATED ALWAYS AS (low * 2) STORED, ssn text, CHECK (twice < 9 OR ssn < '2'));
CREATE TYPE spot AS (x int, y int);
CREATE DOMAIN ordered AS spot CHECK ((VALUE).x < (VALUE).y);
CREATE TYPE segment AS (name text, at ordered);
CREATE TABLE placed (id int PRIMARY KEY, plain spot, at ordered, line segment, open ordered);
CREATE VIEW placed_view AS SELECT id, at AS spot FROM placed;
CREATE TABLE asked (id int PRIMARY KEY, ssn text, open text, other text, pair text, code text, kind text, made text GENERATED ALWAYS AS (nullif(ssn, '22')) STORED,
  CHECK (ssn IS NOT NULL OR open IS NOT NULL), CHECK (num_nonnulls(ssn, other) > 0), CHECK (pair > '' AND (ssn IS NULL OR ssn <> code)),
  CHECK (made IS NOT NULL OR kind > ''));
CREATE FUNCTION is_there(t text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT t IS NOT NULL';
CREATE TABLE asked_by_code (id int PRIMARY KEY, ssn text, open text, CHECK (is_there(ssn) OR open > ''));
CREATE TABLE asked_row (id int PRIMARY KEY, ssn text, open text, CHECK (asked_row IS NOT NULL OR open > ''));
CREATE VIEW secured_view AS SELECT id FROM secured;
`,
  Object.fromEntries(
    [
      "checked.ssn",
      "doubted.ssn",
      "asked.ssn",
      "asked_by_code.ssn",
      "asked_row.ssn",
      "derived.ssn",
      "parents.ssn",
      "by_code.ssn",
      "grand.ssn",
      "secured.secret",
      "tenants.secret",
      "kinds.secret",
      "forgotten.secret",
      "made.ssn",
      "elements.secrets",
      "placed.plain",
      "placed.at",
      "placed.line",
    ].map((name) => [`public.${name}`, ["pii"]]),
  ),
);

const uses = (text: string, user = "other"): string => taggedUses(rich.catalog, text, user);

const cases: readonly (readonly [about: string, texts: readonly (readonly [text: string, uses: string])[]])[] = [
  [
    "a check over several columns",
    [
      ["UPDATE checked SET title = 'probe' WHERE id = 1", "checked.ssn: filter"],
      ["UPDATE checked_view SET heading = 'probe' WHERE id = 1", "checked.ssn: filter"],
      ["UPDATE base SET title = 'probe' WHERE id = 1", "derived.ssn: filter"],
      ["UPDATE checked SET title = 'probe', ssn = '5' WHERE id = 1", "checked.ssn: write_target,unique"],
      ["UPDATE checked SET high = 5 WHERE id = 1", "checked.ssn: filter"],
      ["UPDATE checked SET parts[1] = 3 WHERE id = 1", ""],
      ["UPDATE checked SET id = 3 WHERE id = 1", ""],
      ["INSERT INTO checked (id, title, high) VALUES (1, 'probe', 5)", ""],
      [
        "INSERT INTO checked (id, title) VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET title = 'probe'",
        "checked.ssn: filter",
      ],
      ["INSERT INTO checked (id, title) VALUES (1, 'probe') ON CONFLICT (id) DO UPDATE SET id = 5", ""],
      [
        "MERGE INTO checked c USING (VALUES (1)) v(i) ON c.id = v.i WHEN MATCHED THEN UPDATE SET title = 'probe'",
        "checked.ssn: filter",
      ],
      ["UPDATE elements SET secrets[1] = 3 WHERE id = 1", "elements.secrets: filter,write_target,expression"],
      ["UPDATE elements SET secrets = '{1,2}' WHERE id = 1", "elements.secrets: write_target"],
      ["UPDATE made SET low = 5 WHERE id = 1", "made.ssn: filter"],
      ["UPDATE doubted SET title = 'x' WHERE id = 1", "doubted.ssn: filter"],
    ],
  ],
  [
    "a domain over rows",
    [
      ["UPDATE placed SET plain.x = 3 WHERE id = 1", "placed.plain: write_target"],
      ["UPDATE placed SET at.x = 3 WHERE id = 1", "placed.at: write_target,expression"],
      ["UPDATE placed SET at.x = 3, at.y = 4 WHERE id = 1", "placed.at: write_target,expression"],
      ["UPDATE placed SET at = ROW(1, 2) WHERE id = 1", "placed.at: write_target"],
      ["UPDATE placed SET line.name = 'x' WHERE id = 1", "placed.line: write_target"],
      ["UPDATE placed SET line.at = ROW(1, 2) WHERE id = 1", "placed.line: write_target"],
      ["UPDATE placed SET line.at.x = 3 WHERE id = 1", "placed.line: write_target,expression"],
      ["UPDATE placed SET open.x = 3 WHERE id = 1", ""],
      [
        "UPDATE placed_view SET spot.x = 3 WHERE id = 1",
        "placed.at: write_target,expression; placed_view.spot: write_target,expression",
      ],
      [
        "INSERT INTO placed (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET at.x = 3",
        "placed.at: write_target,expression",
      ],
      [
        "MERGE INTO placed p USING (VALUES (1)) v(i) ON p.id = v.i WHEN MATCHED THEN UPDATE SET at.x = 3",
        "placed.at: write_target,expression",
      ],
    ],
  ],
  [
    "a check whether something is NULL",
    [
      ["UPDATE asked SET open = 'x' WHERE id = 1", "asked.ssn: nullness"],
      ["UPDATE asked SET other = 'x' WHERE id = 1", "asked.ssn: filter"],
      ["UPDATE asked SET pair = 'x' WHERE id = 1", "asked.ssn: filter"],
      ["UPDATE asked SET code = 'x' WHERE id = 1", "asked.ssn: filter"],
      ["UPDATE asked SET kind = 'x' WHERE id = 1", "asked.ssn: filter"],
      ["UPDATE asked_by_code SET open = 'x' WHERE id = 1", "asked_by_code.ssn: filter"],
      ["UPDATE asked_row SET open = 'x' WHERE id = 1", "asked_row.ssn: nullness"],
    ],
  ],
  ["a key of several columns", [["UPDATE checked SET low = 5, high = 6 WHERE id = 1", "checked.ssn: filter"]]],
  [
    "a foreign key",
    [
      ["INSERT INTO by_secret VALUES (1, 'x')", "parents.ssn: unique"],
      ["INSERT INTO by_secret (id) VALUES (1)", ""],
      ["UPDATE by_secret SET their = 'x' WHERE id = 1", "parents.ssn: unique"],
      ["COPY by_secret FROM STDIN", "parents.ssn: unique"],
      ["DELETE FROM by_secret WHERE id = 1", ""],
      ["INSERT INTO by_id VALUES (1, 2, 'x')", ""],
      ["DELETE FROM by_id WHERE id = 1", "grand.ssn: filter"],
      ["UPDATE by_id SET note = 'x' WHERE id = 1", ""],
      ["UPDATE by_id SET id = 5 WHERE id = 1", "grand.ssn: filter"],
      ["DELETE FROM parents WHERE id = 1", "by_code.ssn: filter; grand.ssn: filter; parents.ssn: filter"],
      ["UPDATE parents SET code = 'x' WHERE id = 1", "by_code.ssn: filter"],
      ["MERGE INTO by_id b USING (VALUES (1)) v(i) ON b.id = v.i WHEN MATCHED THEN DELETE", "grand.ssn: filter"],
    ],
  ],
  [
    "a policy of row-level security",
    [
      ["SELECT id FROM secured", "secured.secret: filter"],
      ["SELECT count(*) FROM secured", "secured.secret: filter"],
      ["SELECT id FROM secured_view", "secured.secret: filter"],
      ["EXPLAIN SELECT id FROM secured", "secured.secret: filter"],
      ["COPY secured (id) TO STDOUT", "secured.secret: filter"],
      ["UPDATE secured SET open = 'y' WHERE id = 1", "secured.secret: filter"],
      ["INSERT INTO secured (id, open) VALUES (1, 'x')", ""],
      ["SELECT id FROM looked", "secured.secret: filter"],
      ["SELECT id FROM tenants", ""],
      ["UPDATE tenants SET tenant = 5 WHERE id = 1", ""],
      ["SELECT id FROM kinds", ""],
      ["SELECT id FROM kinds FOR UPDATE", "kinds.secret: filter"],
      ["INSERT INTO kinds (id, open) VALUES (1, 'x')", ""],
      ["UPDATE kinds SET made = 'a' WHERE id = 1", "kinds.secret: filter"],
      ["DELETE FROM kinds WHERE id = 1", "kinds.secret: filter"],
      ["SELECT id FROM forgotten", ""],
    ],
  ],
];

for (const [about, texts] of cases)
  describe(`${about} tells of`, () => {
    for (const [text, expected] of texts) test(text, () => assert.equal(uses(text), expected));
  });

test("what a policy reads elsewhere is read through its table", () => {
  const { facts } = analyze("SELECT id FROM looked", rich.catalog, { ...SCOPE, user: "other" }).statements[0]!;
  assert.deepEqual(
    facts.relations.map(({ name, via }) => [name, via]),
    [
      ["looked", []],
      ["secured", ["public.looked"]],
    ],
  );
});

describe("a policy is not asked", () => {
  test("for the role that the server exempts", () => assert.equal(uses("SELECT id FROM secured", "postgres"), ""));
});
