// Two clusters of one history whose protected cells differ, and a gate with the same policy before each.
import { after } from "node:test";
import pg from "pg";
import { startGate, type TestGate } from "../support/gate.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { wideSql } from "../sql/postgres/generator/schema.ts";
import { classification, fill, masks, type Side } from "./protected.ts";

export const RESOURCE = "shop";

/** What a subject without a group may do beyond reading and writing rows, by the scopes of its token. */
export const SCOPES = { plain: [], builder: ["ddl", "dcl", "code", "unscoped", "locks", "maintenance"] } as const;
export type Who = keyof typeof SCOPES;

export type Server = {
  readonly side: Side;
  readonly server: TestServer;
  readonly direct: pg.Client;
  readonly admin: pg.Client;
};
export type Gates = { readonly [side in Side]: TestGate };

/** Nothing but a statement changes what is there, and nothing runs beside it. */
const settings = {
  autovacuum: "off",
  jit: "off",
  max_parallel_workers: "0",
  max_parallel_workers_per_gather: "0",
  statement_timeout: "20s",
  lock_timeout: "2s",
  timezone: "UTC",
  bgwriter_lru_maxpages: "0",
};

const more = `
  CREATE SCHEMA own;
  CREATE TABLE own.sink (k int, v text, j jsonb);
  CREATE TABLE own.strict (k int PRIMARY KEY, v text CHECK (length(v) < 3), n int NOT NULL CHECK (n > 0), UNIQUE (v) DEFERRABLE INITIALLY DEFERRED);
  CREATE SEQUENCE own.counter;
  ALTER TABLE app.log ALTER at SET DEFAULT '2025-06-01';
  ALTER TABLE public.customers ALTER created_at SET DEFAULT '2025-06-01';
  UPDATE app.log SET at = '2025-06-01';
  INSERT INTO public.customers (id, name, email, phone, city, created_at, home, tags, extra) VALUES
    (4, 'Di', NULL, '4', 'London', '2025-02-02', ('q', 'Rome', 'z'), '{c}', '{"a": 2}'), (5, 'Ed', 'ed@e.org', '5', 'Rome', NULL, NULL, NULL, NULL);
  INSERT INTO hr.employees VALUES (4, 'Flo', 'dev', 'flo@a.org', '7', 20, 2), (5, 'Gus', 'dev', NULL, NULL, NULL, 2), (6, 'Ada', 'ops', 'x@a.org', '8', 30, 1);
  CREATE FUNCTION own.shout(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RAISE NOTICE ''shouting %'', t; RETURN upper(t); END';
  CREATE FUNCTION own.tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''told''; RETURN NEW; END';
  CREATE TRIGGER tell BEFORE UPDATE ON public.vehicles FOR EACH ROW WHEN (OLD.plate > '15') EXECUTE FUNCTION own.tell();
  CREATE FUNCTION own.pick(n int) RETURNS text LANGUAGE plpgsql STABLE AS 'DECLARE found text; BEGIN SELECT email INTO found FROM public.customers WHERE id = n; RETURN found; END';
  ALTER TABLE hr.employees ADD CHECK (title <> 'probe' OR ssn < '2');
  CREATE TABLE own.guarded (id int PRIMARY KEY, secret text, open text);
  INSERT INTO own.guarded VALUES (1, 'a', 'n'), (2, 'b', 'y'), (3, 'c', 'n');
  ALTER TABLE own.guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  CREATE POLICY guarded ON own.guarded USING (secret > 'b' OR open = 'y');
  CREATE TABLE own.parents (id int PRIMARY KEY, code text UNIQUE);
  INSERT INTO own.parents VALUES (1, 'a');
  CREATE TABLE own.children (id int PRIMARY KEY, code text REFERENCES own.parents (code));
  CREATE VIEW own.keeping AS WITH x AS MATERIALIZED (SELECT id, email FROM public.customers) SELECT id FROM x;
`;

/**
 * README, "Left open": which plan the server chooses may depend on how many different values a column has, and a plan without its costs shows
 * that. So that no more than this may differ, the planner is told the same number on both sides; widths and the values themselves stay.
 */
const settle = `
  DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT attrelid::regclass AS relation, attname, relkind FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
      WHERE relkind IN ('r', 'p', 'm') AND attnum > 0 AND NOT attisdropped AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
    LOOP
      EXECUTE format('ALTER %s %s ALTER %I SET (n_distinct = -0.5%s)', CASE one.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END,
        one.relation, one.attname, CASE one.relkind WHEN 'm' THEN '' ELSE ', n_distinct_inherited = -0.5' END);
    END LOOP;
  END $$;
  REFRESH MATERIALIZED VIEW public.m_employees;
  REFRESH MATERIALIZED VIEW lab.m_deep;
  ANALYZE;
`;

/** Ends with the test file. */
export async function startServers(): Promise<readonly [Server, Server]> {
  return Promise.all([startOne("left"), startOne("right")]);
}

async function client(url: string): Promise<pg.Client> {
  const connected = new pg.Client({ connectionString: url });
  connected.on("error", () => undefined);
  await connected.connect();
  after(() => connected.end());
  return connected;
}

async function startOne(side: Side): Promise<Server> {
  // There is a schema with the name of the role: it must not stand before the others.
  const server = await startServer({
    settings,
    setup: ({ app }) => [
      {
        database: "postgres",
        sql: `CREATE ROLE app LOGIN PASSWORD '${app}';\n\nCREATE DATABASE ${RESOURCE} OWNER app;\n\nALTER ROLE app SET search_path = public;\n\n`,
      },
    ],
  });
  // What clients do is what the tables' owner may do: the server alone keeps nothing back.
  const direct = await client(server.url("app", RESOURCE));
  for (const sql of [wideSql, more]) await direct.query(sql);
  const admin = await client(server.url("postgres", RESOURCE));
  await fill(admin, side);
  await direct.query(settle);
  return { side, server, direct, admin };
}

export type GatesOptions = {
  /** The starter policy, or a changed copy of it. */
  readonly policy: string;
  readonly classification?: { readonly [key: string]: readonly string[] };
  readonly masks?: { readonly [tag: string]: object };
};

/** Fresh gates: they end with the test file, or when they are closed. */
export async function startGates([left, right]: readonly [Server, Server], options: GatesOptions): Promise<Gates> {
  const gate = ({ server }: Server): Promise<TestGate> =>
    startGate({
      policy: options.policy,
      data: {
        classification: { [RESOURCE]: options.classification ?? classification },
        masks: options.masks ?? masks,
        grants: {},
      },
      resources: {},
      config: {
        audit: { durability: "write" },
        resources: {
          [RESOURCE]: {
            kind: "postgres",
            url: `${server.url("app", RESOURCE)}?sslmode=disable`,
            environment: "test",
            plan_check: { rate: 0 },
          },
        },
      },
    });
  return { left: await gate(left), right: await gate(right) };
}
