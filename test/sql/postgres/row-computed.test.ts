// What the server computes of a row that is changed (for indexes, generated columns, partitions) tells of columns that the row keeps.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { SCOPE, startRich } from "./support.ts";

const rich = await startRich(
  `
CREATE TABLE indexed (id int PRIMARY KEY, secret int, open int, note text, other int);
CREATE INDEX ON indexed ((100 / (secret - open)));
CREATE TABLE harmless (id int PRIMARY KEY, secret text, open text, other int);
CREATE INDEX ON harmless (lower(secret || open), other);
CREATE INDEX ON harmless (open, secret);
CREATE INDEX ON harmless (other) WHERE secret > 'a';
CREATE INDEX ON harmless (open) WHERE secret IS NOT NULL;
CREATE TABLE partial (id int PRIMARY KEY, secret text, open text, other int);
CREATE INDEX ON partial (open) WHERE secret > '5';
CREATE TABLE fails (id int PRIMARY KEY, secret int, open int);
CREATE INDEX ON fails (id) WHERE 100 / (secret - open) > 1;
CREATE TABLE generated (id int PRIMARY KEY, secret int, open int, other int, made int GENERATED ALWAYS AS (100 / (secret - open)) STORED,
  plain text GENERATED ALWAYS AS (coalesce(secret, other)) STORED);
CREATE TABLE twofold (id int PRIMARY KEY, secret int, open int, sum bigint GENERATED ALWAYS AS (coalesce(secret, open)) STORED);
CREATE INDEX ON twofold ((100 / sum));
CREATE TABLE only_unique (id int PRIMARY KEY, secret text, open text, UNIQUE (secret, open));
CREATE TABLE only_partial (id int PRIMARY KEY, secret text, open text);
CREATE UNIQUE INDEX ON only_partial (open) WHERE secret > '5';
CREATE TABLE logins (id int PRIMARY KEY, secret text, login text, name text, span int4range, EXCLUDE USING gist (span WITH &&) WHERE (name > ''));
CREATE UNIQUE INDEX ON logins (lower(login)) WHERE name IS NOT NULL;
CREATE TABLE lowered (id int PRIMARY KEY, secret text, made text GENERATED ALWAYS AS (upper(secret)) STORED);
CREATE UNIQUE INDEX ON lowered (lower(secret));
CREATE TABLE from_made (LIKE lowered INCLUDING GENERATED);
CREATE UNIQUE INDEX ON from_made (lower(made));
CREATE TABLE tested (id int PRIMARY KEY, secret text, open text, made text GENERATED ALWAYS AS (nullif(secret, '22')) STORED);
CREATE INDEX ON tested (open) WHERE made IS NOT NULL;
CREATE TABLE excluded (id int PRIMARY KEY, secret text, span int4range, EXCLUDE USING gist (span WITH &&) WHERE (secret > '5'));
CREATE TABLE whole (id int PRIMARY KEY, secret int, open text, other int);
CREATE INDEX ON whole (open) WHERE whole > ROW (1, 5, 'x', 1)::whole;
CREATE TABLE whole_unique (LIKE whole);
CREATE UNIQUE INDEX ON whole_unique (open) WHERE whole_unique > ROW (1, 5, 'x', 1)::whole_unique;
CREATE TABLE triggered (id int PRIMARY KEY, secret text, open text, given text, stamp timestamptz, CHECK (open <> 'probe' OR secret < '2'));
CREATE FUNCTION takes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.open := NEW.given; RETURN NEW; END $$;
CREATE TRIGGER takes BEFORE UPDATE OF given ON triggered FOR EACH ROW EXECUTE FUNCTION takes();
CREATE TABLE stamped (id int PRIMARY KEY, secret text, open text, stamp timestamptz, CHECK (open <> 'probe' OR length(secret) < 20));
CREATE FUNCTION stamps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.stamp := now(); RETURN NEW; END $$;
CREATE TRIGGER stamps BEFORE UPDATE ON stamped FOR EACH ROW EXECUTE FUNCTION stamps();
CREATE VIEW triggered_view AS SELECT id, given FROM triggered;
CREATE VIEW indexed_view AS SELECT id AS number, open AS shown FROM indexed;

CREATE TABLE parted (id int, secret text, open text, other int) PARTITION BY RANGE (id);
CREATE TABLE parted_low (other int, open text, secret text, id int, CHECK (open <> 'probe' OR secret < '2'));
ALTER TABLE parted ATTACH PARTITION parted_low FOR VALUES FROM (0) TO (100);
CREATE UNIQUE INDEX ON parted_low (other) WHERE secret > '5';
CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (other, secret);
CREATE TABLE parted_deep PARTITION OF parted_high FOR VALUES FROM (0, 'a') TO (5, 'm');
CREATE TABLE simple (id int, secret text) PARTITION BY RANGE (id);
CREATE TABLE simple_1 PARTITION OF simple FOR VALUES FROM (0) TO (100);
CREATE TABLE by_expression (id int, secret int, open int) PARTITION BY RANGE (id, (secret % 10));
CREATE TABLE by_expression_1 PARTITION OF by_expression FOR VALUES FROM (1, 0) TO (1, 5);
`,
  Object.fromEntries(
    [
      "indexed",
      "harmless",
      "partial",
      "fails",
      "generated",
      "twofold",
      "only_unique",
      "only_partial",
      "excluded",
      "parted",
      "simple",
      "logins",
      "lowered",
      "tested",
      "from_made",
      "whole",
      "triggered",
      "stamped",
      "whole_unique",
      "by_expression",
    ].map((name) => [`public.${name}.secret`, ["pii"]]),
  ),
);

/** How the text uses tagged columns: `table.column: uses`. */
function uses(text: string): string {
  const { facts } = analyze(text, rich.catalog, SCOPE).statements[0]!;
  return facts.columns
    .filter(
      (column) =>
        column.tags.length > 0 && column.column !== "made" && column.column !== "plain" && column.column !== "sum",
    )
    .map((column) => `${column.table}.${column.column}: ${column.uses}`)
    .sort()
    .join("; ");
}

const cases: readonly (readonly [about: string, texts: readonly (readonly [text: string, uses: string])[]])[] = [
  [
    "an index's expression that may fail",
    [
      ["UPDATE indexed SET open = 5 WHERE id = 1", "indexed.secret: filter"],
      ["UPDATE indexed_view SET shown = 5 WHERE number = 1", "indexed.secret: filter"],
      ["INSERT INTO indexed (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET open = 5", "indexed.secret: filter"],
      [
        "MERGE INTO indexed i USING (VALUES (1)) v(n) ON i.id = v.n WHEN MATCHED THEN UPDATE SET open = 5",
        "indexed.secret: filter",
      ],
      ["UPDATE indexed SET note = 'x' WHERE id = 1", ""],
      ["INSERT INTO indexed (id, secret, open) VALUES (1, 2, 3)", "indexed.secret: write_target"],
      ["UPDATE indexed SET open = 5, secret = 5 WHERE id = 1", "indexed.secret: write_target"],
      ["UPDATE indexed SET secret = 5 WHERE id = 1", "indexed.secret: write_target"],
      ["UPDATE fails SET open = 5 WHERE id = 1", "fails.secret: filter"],
      ["UPDATE twofold SET open = 5 WHERE id = 1", "twofold.secret: filter"],
    ],
  ],
  ["one that cannot", [["UPDATE harmless SET open = 'x', other = 5 WHERE id = 1", "harmless.secret: nullness"]]],
  [
    "which rows an index has",
    [
      ["UPDATE tested SET open = 'x' WHERE id = 1", "tested.secret: filter"],
      ["UPDATE partial SET open = 'x' WHERE id = 1", "partial.secret: filter"],
      ["UPDATE partial SET other = 5 WHERE id = 1", ""],
      ["UPDATE only_unique SET open = 'x' WHERE id = 1", "only_unique.secret: filter"],
      ["UPDATE only_partial SET open = 'x' WHERE id = 1", "only_partial.secret: filter"],
      ["UPDATE whole SET open = 'x' WHERE id = 1", "whole.secret: filter"],
      ["UPDATE whole_unique SET open = 'x' WHERE id = 1", "whole_unique.secret: filter"],
      ["UPDATE excluded SET span = '[1,2)' WHERE id = 1", "excluded.secret: filter"],
    ],
  ],
  [
    "what must be unique, by what it depends on",
    [
      ["INSERT INTO logins (id, secret, login, name) VALUES (1, 'a', 'b', 'c')", "logins.secret: write_target"],
      ["UPDATE logins SET secret = 'x', login = 'y' WHERE id = 1", "logins.secret: write_target"],
      ["INSERT INTO lowered (id, secret) VALUES (1, 'a')", "lowered.secret: write_target,unique"],
      ["INSERT INTO only_partial VALUES (1, '9', 'a')", "only_partial.secret: write_target,unique"],
      ["INSERT INTO excluded VALUES (1, '9', '[1,2)')", "excluded.secret: write_target,unique"],
      ["INSERT INTO whole_unique (id, secret) VALUES (1, 5)", "whole_unique.secret: write_target,unique"],
    ],
  ],
  [
    "a generated column",
    [
      ["UPDATE generated SET open = 5 WHERE id = 1", "generated.secret: filter"],
      ["UPDATE generated SET other = 5 WHERE id = 1", ""],
    ],
  ],
  [
    "a check of what a trigger puts there",
    [
      ["UPDATE triggered SET given = 'probe' WHERE id = 1", "triggered.secret: filter"],
      ["UPDATE triggered_view SET given = 'probe' WHERE id = 1", "triggered.secret: filter"],
      [
        "INSERT INTO triggered (id, open, secret) VALUES (1, 'x', 'y') ON CONFLICT (id) DO UPDATE SET given = 'probe'",
        "triggered.secret: filter,write_target",
      ],
      ["UPDATE stamped SET id = 2 WHERE id = 1", ""],
    ],
  ],
  [
    "a partition",
    [
      ["UPDATE parted SET open = 'probe' WHERE id = 1", "parted.secret: filter"],
      ["UPDATE parted_low SET open = 'probe' WHERE id = 1", "parted_low.secret: filter"],
      ["UPDATE parted SET other = 5 WHERE id = 1", "parted.secret: filter"],
      ["UPDATE parted_low SET other = 5 WHERE id = 1", "parted_low.secret: filter"],
      ["UPDATE parted_high SET open = 'x' WHERE id = 1", ""],
      ["UPDATE parted_high SET other = 5 WHERE id = 1", "parted_high.secret: filter"],
      ["UPDATE parted SET id = 150 WHERE id = 1", "parted.secret: filter"],
      ["UPDATE simple SET id = 5 WHERE id = 1", ""],
      ["UPDATE by_expression SET id = 5 WHERE id = 1", "by_expression.secret: filter"],
      ["UPDATE by_expression SET open = 5 WHERE id = 1", ""],
    ],
  ],
];

test("a key over an expression of a generated column tells of that", () => {
  const { facts } = analyze("INSERT INTO from_made (id, secret) VALUES (1, 'a')", rich.catalog, SCOPE).statements[0]!;
  assert.deepEqual(facts.columns.find(({ column }) => column === "made")?.uses, ["write_target", "unique"]);
});

for (const [about, texts] of cases)
  describe(`${about} tells of`, () => {
    for (const [text, expected] of texts) test(text, () => assert.equal(uses(text), expected));
  });
