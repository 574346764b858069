// What triggers tell of the rows that they are given: by the columns of UPDATE OF, of new rows, of rows that go.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startRich, taggedUses } from "./support.ts";

const rich = await startRich(
  `
CREATE TABLE log (id int, note text);
CREATE FUNCTION tells() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log (note) VALUES (NEW.secret); RETURN NULL; END $$;
CREATE TABLE named (id int PRIMARY KEY, secret text, open text, other text, made text GENERATED ALWAYS AS (upper(other)) STORED);
CREATE TRIGGER tells AFTER UPDATE OF open, made ON named FOR EACH ROW EXECUTE FUNCTION tells();
CREATE TABLE plainly (id int PRIMARY KEY, secret text, open text, other text);
CREATE TRIGGER tells AFTER UPDATE OF open ON plainly FOR EACH ROW EXECUTE FUNCTION tells();
CREATE VIEW below AS SELECT id, open AS shown, other FROM plainly;
CREATE VIEW above AS SELECT id, shown AS seen, other FROM below;
CREATE TABLE assigns (id int PRIMARY KEY, secret text, open text, other text);
CREATE FUNCTION assigns() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.open := NEW.other; RETURN NEW; END $$;
CREATE TRIGGER assigns BEFORE UPDATE ON assigns FOR EACH ROW EXECUTE FUNCTION assigns();
CREATE TRIGGER tells AFTER UPDATE OF open ON assigns FOR EACH ROW EXECUTE FUNCTION tells();
CREATE TABLE keys (id int PRIMARY KEY);
CREATE TABLE cascaded (id int REFERENCES keys ON UPDATE CASCADE, secret text);
CREATE TRIGGER tells AFTER UPDATE OF id ON cascaded FOR EACH ROW EXECUTE FUNCTION tells();
CREATE TABLE spared (id int PRIMARY KEY, secret text, open text, words tsvector);
CREATE TRIGGER spares BEFORE UPDATE ON spared FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE FUNCTION notes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log (id) VALUES (NEW.id); RETURN NULL; END $$;
CREATE TRIGGER notes AFTER UPDATE ON spared FOR EACH ROW EXECUTE FUNCTION notes();
CREATE TABLE spared_later (id int PRIMARY KEY, secret text, open text);
CREATE FUNCTION lowers() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.secret := lower(NEW.secret); RETURN NEW; END $$;
CREATE TRIGGER lowers BEFORE UPDATE ON spared_later FOR EACH ROW EXECUTE FUNCTION lowers();
CREATE TRIGGER spares BEFORE UPDATE ON spared_later FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TABLE spared_parts (id int, secret text, open text) PARTITION BY LIST (id);
CREATE TABLE spared_part PARTITION OF spared_parts FOR VALUES IN (1);
CREATE TRIGGER spares BEFORE UPDATE ON spared_parts FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER lowers BEFORE UPDATE ON spared_part FOR EACH ROW EXECUTE FUNCTION lowers();
CREATE TABLE spared_key (id int REFERENCES keys ON UPDATE CASCADE, secret text);
CREATE TRIGGER spares BEFORE UPDATE ON spared_key FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TABLE moved (id int, secret text, open text) PARTITION BY LIST (id);
CREATE TABLE moved_1 PARTITION OF moved FOR VALUES IN (1);
CREATE TABLE moved_2 PARTITION OF moved FOR VALUES IN (2);
CREATE TRIGGER tells AFTER INSERT ON moved_2 FOR EACH ROW EXECUTE FUNCTION tells();
CREATE TABLE source (id int PRIMARY KEY, hidden text);
CREATE FUNCTION looked_up() RETURNS text LANGUAGE sql STABLE AS 'SELECT max(hidden) FROM source';
CREATE TABLE fresh (id int PRIMARY KEY, secret text, open text, made text GENERATED ALWAYS AS (lower(open)) STORED, given text DEFAULT looked_up());
CREATE FUNCTION audits() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log (note) VALUES (to_jsonb(OLD) || to_jsonb(NEW)); RETURN NULL; END $$;
CREATE TRIGGER audits AFTER INSERT OR UPDATE OR DELETE ON fresh FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION audits();
CREATE VIEW fresh_view AS SELECT id, open AS shown FROM fresh;
CREATE TABLE filled (id int PRIMARY KEY, secret text, open text);
CREATE FUNCTION fills() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.open := (SELECT max(hidden) FROM source); RETURN NEW; END $$;
CREATE TRIGGER fills BEFORE INSERT ON filled FOR EACH ROW EXECUTE FUNCTION fills();
CREATE TRIGGER audits AFTER INSERT ON filled FOR EACH ROW EXECUTE FUNCTION audits();
CREATE TABLE decided (id int PRIMARY KEY, secret text, open text);
CREATE TRIGGER decides AFTER INSERT OR UPDATE ON decided FOR EACH ROW WHEN (NEW.secret > 'b') EXECUTE FUNCTION assigns();
CREATE TABLE ruled (id int PRIMARY KEY, secret text, open text);
CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO log (note) VALUES (NEW.secret || NEW.open);
CREATE RULE gone AS ON DELETE TO ruled DO ALSO INSERT INTO log (note) VALUES (OLD.secret);
`,
  Object.fromEntries(
    [
      ...[
        "named",
        "plainly",
        "assigns",
        "cascaded",
        "fresh",
        "filled",
        "decided",
        "ruled",
        "spared",
        "spared_later",
        "spared_parts",
        "spared_key",
        "moved",
        "moved_1",
        "moved_2",
      ].map((name) => `${name}.secret`),
      "source.hidden",
    ].map((name) => [`public.${name}`, ["pii"]]),
  ),
);

const uses = (text: string): string => taggedUses(rich.catalog, text);

const cases: readonly (readonly [about: string, texts: readonly (readonly [text: string, uses: string])[]])[] = [
  [
    "UPDATE OF goes by what SET names",
    [
      ["UPDATE plainly SET other = 'x' WHERE id = 1", ""],
      ["UPDATE plainly SET open = 'x' WHERE id = 1", "plainly.secret: write_source"],
      ["UPDATE plainly SET (other, open) = ('x', 'y') WHERE id = 1", "plainly.secret: write_source"],
      ["UPDATE above SET other = 'x' WHERE id = 1", ""],
      ["UPDATE above SET seen = 'x' WHERE id = 1", "plainly.secret: write_source"],
      ["INSERT INTO plainly (id, open) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET other = 'x'", ""],
      ["INSERT INTO plainly (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET open = 'x'", "plainly.secret: write_source"],
      ["MERGE INTO plainly p USING (VALUES (1)) v(i) ON p.id = v.i WHEN MATCHED THEN UPDATE SET other = 'x'", ""],
      [
        "MERGE INTO plainly p USING (VALUES (1)) v(i) ON p.id = v.i WHEN MATCHED THEN UPDATE SET open = 'x'",
        "plainly.secret: write_source",
      ],
    ],
  ],
  ["not by what triggers assign", [["UPDATE assigns SET other = 'x' WHERE id = 1", ""]]],
  [
    "a generated column may always have changed",
    [["UPDATE named SET id = 2 WHERE id = 1", "named.secret: write_source"]],
  ],
  [
    "a key that changes takes its triggers along",
    [["UPDATE keys SET id = 2 WHERE id = 1", "cascaded.secret: write_source; spared_key.secret: filter"]],
  ],
  [
    "a row that goes to another partition is inserted there, with all that it has",
    [
      ["UPDATE moved SET id = 2 WHERE id = 1", "moved.secret: write_source"],
      ["UPDATE moved SET open = 'x' WHERE id = 1", ""],
    ],
  ],
  [
    "a new row holds what is written to it",
    [
      [
        "INSERT INTO filled (id, secret, open) VALUES (1, 'x', 'y')",
        "filled.secret: write_target; source.hidden: write_source,expression",
      ],
      ["INSERT INTO fresh (id, given) VALUES (1, 'x')", "source.hidden: write_source,expression"],
      [
        "INSERT INTO fresh (id, open, given) SELECT id, secret, 'x' FROM plainly",
        "plainly.secret: write_source; source.hidden: write_source,expression",
      ],
      [
        "INSERT INTO fresh_view (id, shown) SELECT id, secret FROM plainly",
        "plainly.secret: write_source; source.hidden: write_source,expression",
      ],
      ["INSERT INTO decided (id, secret) VALUES (1, 'x')", "decided.secret: write_target"],
      [
        "INSERT INTO decided (id, secret) SELECT id, hidden FROM source",
        "decided.secret: write_target; source.hidden: filter,write_source",
      ],
      [
        "INSERT INTO decided (id, open) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET open = 'x'",
        "decided.secret: filter",
      ],
      ["UPDATE decided SET open = 'x' WHERE id = 1", "decided.secret: filter"],
      ["INSERT INTO ruled (id, secret) VALUES (1, 'x')", "ruled.secret: write_target"],
      ["COPY decided FROM STDIN", "decided.secret: write_target"],
    ],
  ],
  [
    "an update that changes nothing is skipped",
    [
      ["UPDATE spared SET open = 'x' WHERE id = 1", ""],
      ["UPDATE spared SET secret = 'x' WHERE id = 1", "spared.secret: filter,write_target"],
      ["UPDATE spared SET open = (SELECT max(hidden) FROM source) WHERE id = 1", "source.hidden: filter,write_source"],
      [
        "INSERT INTO spared (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET secret = 'x'",
        "spared.secret: filter,write_target",
      ],
      ["UPDATE spared_later SET open = 'x' WHERE id = 1", "spared_later.secret: filter"],
      ["UPDATE spared_parts SET open = 'x' WHERE id = 1", "spared_parts.secret: filter"],
    ],
  ],
  [
    "one that goes, what was there",
    [
      ["DELETE FROM fresh WHERE id = 1", "fresh.secret: write_source"],
      ["UPDATE fresh SET open = 'x' WHERE id = 1", "fresh.secret: write_source; source.hidden: expression"],
      ["DELETE FROM ruled WHERE id = 1", "ruled.secret: write_source"],
    ],
  ],
];
for (const [about, texts] of cases)
  describe(about, () => {
    for (const [text, expected] of texts) test(text, () => assert.equal(uses(text), expected));
  });
