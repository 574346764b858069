// Which partition a row is in tells of the values of the key: facts say so, and only where the key is protected.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { analyze } from "../../../src/sql/postgres/analyze.ts";
import { SCOPE, startRich } from "./support.ts";

const rich = await startRich(
  `CREATE TABLE listed (id int, secret text, open text) PARTITION BY LIST (secret);
CREATE TABLE listed_a PARTITION OF listed FOR VALUES IN ('a') PARTITION BY RANGE (open);
CREATE TABLE listed_a_1 PARTITION OF listed_a FOR VALUES FROM ('a') TO ('m');
CREATE TABLE listed_other PARTITION OF listed DEFAULT;
CREATE TABLE computed (id int, secret text, open text) PARTITION BY RANGE (id, lower(secret));
CREATE TABLE computed_1 PARTITION OF computed DEFAULT;
CREATE TABLE hashed (id int, secret text) PARTITION BY HASH (id);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 1, REMAINDER 0) PARTITION BY HASH (secret);
CREATE TABLE hashed_00 PARTITION OF hashed_0 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE dated (id int, secret text, at date) PARTITION BY RANGE (at);
CREATE TABLE dated_1 PARTITION OF dated DEFAULT;
CREATE TABLE whole (secret text);
CREATE VIEW where_listed AS SELECT tableoid::regclass::text AS place, id FROM listed;
CREATE VIEW of_a AS SELECT id FROM listed_a;
CREATE FUNCTION ids() RETURNS SETOF int STABLE LANGUAGE sql AS 'SELECT id FROM public.listed_a_1';`,
  {
    "public.listed.secret": ["pii"],
    "public.computed.secret": ["pii"],
    "public.hashed.secret": ["pii"],
    "public.dated.secret": ["pii"],
  },
);
/** The uses of protected columns. */
const uses = (text: string): string[] =>
  analyze(text, rich.catalog, SCOPE).statements[0]!.facts.columns.flatMap(({ table, column, tags, uses }) =>
    tags.length === 0 ? [] : [`${table}.${column} ${uses.join()}`],
  );

const telling: readonly (readonly [text: string, ...uses: string[]])[] = [
  ["SELECT id FROM listed_a", "listed_a.secret filter"],
  ["SELECT count(*) FROM ONLY listed_other", "listed_other.secret filter"],
  ["SELECT id FROM listed_a_1", "listed_a_1.secret filter"],
  ["SELECT id FROM (SELECT id FROM listed_a_1) x", "listed_a_1.secret filter"],
  ["TABLE of_a", "listed_a.secret filter"],
  ["SELECT * FROM ids()", "listed_a_1.secret filter"],
  ["COPY listed_other (id) TO STDOUT", "listed_other.secret filter"],
  ["UPDATE listed_a SET id = id", "listed_a.secret filter"],
  ["DELETE FROM listed_other WHERE id = 1", "listed_other.secret filter"],
  ["SELECT id FROM listed_a FOR UPDATE", "listed_a.secret filter"],
  ["SELECT id FROM computed_1", "computed_1.secret filter"],
  ["SELECT id FROM hashed_00", "hashed_00.secret filter"],
  ["SELECT tableoid::regclass, id FROM listed", "listed.secret filter"],
  ["SELECT l.tableoid FROM listed l", "listed.secret filter"],
  ["SELECT id FROM listed WHERE tableoid = 'listed_a'::regclass", "listed.secret filter"],
  ["SELECT place FROM where_listed", "listed.secret filter"],
  // One of the partitions has no place for it.
  ["UPDATE listed SET open = 'n' WHERE id = 1", "listed.secret filter"],
  ["UPDATE listed SET id = 2 WHERE id = 1 RETURNING tableoid", "listed.secret filter"],
  ["SELECT tableoid, id FROM hashed", "hashed.secret filter"],
  ["SELECT tableoid, id FROM computed", "computed.secret filter"],
  ["EXPLAIN SELECT id FROM listed WHERE id = 1", "listed.secret output"],
  ["EXPLAIN (ANALYZE, COSTS off) SELECT id FROM listed WHERE id = 1", "listed.secret output"],
  ["EXPLAIN SELECT id FROM hashed WHERE id = 1", "hashed.secret output"],
];
const silent = [
  "SELECT id FROM listed",
  "SELECT xmin, id FROM listed",
  "UPDATE listed SET id = 2 WHERE id = 1",
  "INSERT INTO listed_a (id, open) VALUES (1, 'a')",
  "SELECT id FROM hashed_0",
  "SELECT id FROM dated_1",
  "SELECT tableoid, id FROM dated",
  "EXPLAIN SELECT id FROM dated WHERE id = 1",
  "EXPLAIN (COSTS off) SELECT id FROM listed WHERE id = 1",
  "SELECT tableoid::regclass FROM whole",
];

describe("partitions by a protected key", () => {
  for (const [text, ...expected] of telling)
    it(`tell its values: ${text}`, async () => {
      await rich.client.query(text);
      assert.deepEqual(uses(text), expected);
    });
});

describe("what tells no value of a key", () => {
  for (const text of silent) it(text, () => assert.deepEqual(uses(text), []));
});
