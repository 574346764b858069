// The set-based queries that read a catalog, and nothing else. PostgreSQL 13 to 18.
import { actingNames } from "./acting.ts";

/** What came with the server has an OID below this; so has what was made in single-user mode. */
export const FIRST_NORMAL_OID = 16384;

/** What the server needs to work has an OID below this: its own types, casts and operators. */
const FIRST_UNPINNED_OID = 12000;

/** Is it not the server's own? The server's own is in one of these schemas, too: the OID alone does not tell. */
const userMade = (oid: string, namespace: string): string =>
  `(${oid} >= ${FIRST_NORMAL_OID} OR ${namespace} NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema')))`;
const userFunction = (oid: string): string =>
  `EXISTS (SELECT FROM pg_proc f WHERE f.oid = ${oid} AND ${userMade("f.oid", "f.pronamespace")})`;

const notOfExtension = (classId: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${classId}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`;

const acting = actingNames().join(",");

/** Code that has to be looked at where it is stored: of users, or of the server's own what does something beside giving a value. */
const isCode = (oid: string): string =>
  `(${userFunction(oid)} AND ${notOfExtension("pg_proc", oid)}
      OR EXISTS (SELECT FROM pg_proc f WHERE f.oid = ${oid} AND f.pronamespace = 'pg_catalog'::regnamespace AND f.proname = ANY ('{${acting}}')))`;

/** The functions that a stored expression calls. On its own functions the server notes no dependency. */
const called = (expression: string): string =>
  `SELECT call[1]::oid FROM regexp_matches(${expression}::text, ':funcid ([0-9]+) ', 'g') call`;

const rules = (definition: string): string => `
    SELECT r.ev_class, r.rulename, r.ev_type, ${definition} FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
    WHERE {r.ev_class} AND r.rulename <> '_RETURN' AND ${userMade("c.oid", "c.relnamespace")} AND r.ev_enabled <> 'D'
    ORDER BY r.ev_class, r.rulename`;

/** To write WHEN down the server locks the relation. */
const triggers = (definition: string): string => `
    SELECT tgrelid, tgfoid, tgtype, ${definition}, tgdeferrable FROM pg_trigger
    WHERE {tgrelid} AND NOT tgisinternal AND tgenabled <> 'D' ORDER BY tgrelid, tgname`;

/**
 * Each expression that names such code, or an operator over it. To write one down the server locks its relation. Up to version 14 it
 * is the generated column itself that depends on what its expression names.
 */
const attached = (text: (expression: string) => string): string => `
    SELECT x.relation, string_agg(DISTINCT u.function::text, ' ' ORDER BY u.function::text), x.reading, x.attnum, x.text FROM (
      SELECT 'pg_constraint'::regclass AS class, oid, conrelid AS relation, false AS reading, NULL::int2 AS attnum,
        conbin::text AS tree, ${text("pg_get_expr(conbin, conrelid)")} AS text FROM pg_constraint WHERE conbin IS NOT NULL AND conrelid > 0 AND {conrelid}
      UNION ALL SELECT 'pg_attrdef'::regclass, d.oid, d.adrelid, a.attgenerated = 'v', d.adnum, d.adbin::text,
        ${text("pg_get_expr(d.adbin, d.adrelid)")}
        FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE {d.adrelid}
      UNION ALL SELECT 'pg_class'::regclass, indexrelid, indrelid, false, NULL, concat(indexprs, indpred),
        ${text("concat_ws(', ', pg_get_expr(indexprs, indrelid), pg_get_expr(indpred, indrelid))")}
        FROM pg_index WHERE (indexprs IS NOT NULL OR indpred IS NOT NULL) AND {indrelid}) x
    JOIN LATERAL (
      SELECT CASE WHEN d.refclassid = 'pg_proc'::regclass THEN d.refobjid ELSE (SELECT oprcode::oid FROM pg_operator WHERE oid = d.refobjid) END
      FROM pg_depend d WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass) AND (d.classid = x.class AND d.objid = x.oid
        OR d.classid = 'pg_class'::regclass AND d.objid = x.relation AND d.objsubid = x.attnum)
      UNION ALL ${called("x.tree")}
    ) u(function) ON ${isCode("u.function")}
    GROUP BY x.class, x.oid, x.relation, x.reading, x.attnum, x.text ORDER BY x.relation, x.class, x.oid`;

/** The code that an expression of a domain names, itself or behind an operator. */
const ofDomains = (
  owner: string,
  classId: string,
  object: string,
  expression: string,
  from: string,
  where: string,
): string => `
    SELECT DISTINCT ${owner}, u.function FROM ${from} JOIN LATERAL (
      SELECT CASE WHEN d.refclassid = 'pg_proc'::regclass THEN d.refobjid ELSE (SELECT oprcode::oid FROM pg_operator WHERE oid = d.refobjid) END
      FROM pg_depend d WHERE d.classid = ${classId} AND d.objid = ${object} AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
      UNION ALL ${called(expression)}
    ) u(function) ON ${isCode("u.function")}
    WHERE {${owner}} AND ${where} ORDER BY 1, 2`;

/** To write one down the server locks its relation. */
const policies = (text: (column: string) => string): string => `
    SELECT p.polrelid, p.polcmd, ${text("p.polqual")}, ${text("p.polwithcheck")},
      (SELECT string_agg(DISTINCT d.refobjsubid::text, ' ' ORDER BY d.refobjsubid::text) FROM pg_depend d WHERE d.classid = 'pg_policy'::regclass
        AND d.objid = p.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid = p.polrelid AND d.deptype = 'n'),
      (SELECT string_agg(DISTINCT u.function::text, ' ' ORDER BY u.function::text) FROM (
        SELECT CASE WHEN d.refclassid = 'pg_proc'::regclass THEN d.refobjid ELSE (SELECT oprcode FROM pg_operator WHERE oid = d.refobjid) END
        FROM pg_depend d WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
        UNION ALL ${called("concat(p.polqual, p.polwithcheck)")}
      ) u(function) WHERE ${isCode("u.function")})
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE {p.polrelid} AND c.relrowsecurity ORDER BY p.polrelid, p.polname`;

/**
 * Those over several columns, of which a change of one may tell of another. An index keeps what is long only up to a size, and so tells by an
 * error whether it has a row. To write one down the server locks its relation.
 */
const computed = (text: (expression: string) => string): string => `
    SELECT x.relation, x.kind, x.columns, x.text FROM (
      SELECT i.indrelid AS relation, 'fails' AS kind, d.columns, d.several,
        ${text("concat_ws(', ', pg_get_expr(i.indexprs, i.indrelid), pg_get_expr(i.indpred, i.indrelid))")} AS text
        FROM pg_index i CROSS JOIN LATERAL (${ofIndex("false")}) d WHERE (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL) AND {i.indrelid}
      UNION ALL SELECT i.indrelid, 'decides', d.columns, d.several, ${text("pg_get_expr(i.indpred, i.indrelid)")}
        FROM pg_index i CROSS JOIN LATERAL (${ofIndex("true")}) d WHERE i.indpred IS NOT NULL AND NOT i.indisunique AND {i.indrelid}
          AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indexrelid AND a.attlen = -1)
      UNION ALL SELECT d.adrelid, 'fails', b.columns, b.several, ${text("pg_get_expr(d.adbin, d.adrelid)")}
        FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum CROSS JOIN LATERAL (
          SELECT string_agg(DISTINCT r.refobjsubid::text, ' ' ORDER BY r.refobjsubid::text) AS columns, count(DISTINCT r.refobjsubid) > 1 AS several
          FROM pg_depend r WHERE r.refclassid = 'pg_class'::regclass AND r.refobjid = d.adrelid AND r.refobjsubid NOT IN (0, d.adnum)
            AND (r.classid = 'pg_attrdef'::regclass AND r.objid = d.oid
              OR r.classid = 'pg_class'::regclass AND r.objid = d.adrelid AND r.objsubid = d.adnum)) b
        WHERE a.attgenerated = 's' AND {d.adrelid}) x
    WHERE x.relation >= ${FIRST_NORMAL_OID} AND x.several ORDER BY x.relation, x.kind, x.columns, x.text`;

/** The column finds values equal that the index holds apart: a key by another collation than its column's, which is not deterministic. */
const tellsMore = `(EXISTS (SELECT FROM pg_collation WHERE NOT collisdeterministic) AND EXISTS (SELECT FROM unnest(i.indkey::int2[], i.indcollation::oid[]) u(k, by)
        JOIN pg_attribute t ON t.attrelid = i.indrelid AND t.attnum = u.k JOIN pg_collation o ON o.oid = t.attcollation
        WHERE u.by <> t.attcollation AND NOT o.collisdeterministic))`;

const DEFAULT_COLLATION = 100;
/** Of whatever is of type name. */
const C_COLLATION = 950;
/** A collation: below 0 where it is not deterministic. */
const signed = "CASE WHEN o.collisdeterministic THEN 1 ELSE -1 END * o.oid::int8";

/** Does an index name the whole row? It depends on no column then. */
const namesRow = "concat(i.indexprs, i.indpred) LIKE '%:varattno 0 %'";

/** The columns of an index's expressions, and its own. */
const ofIndex = (own: string): string => `
          SELECT string_agg(DISTINCT column_number::text, ' ' ORDER BY column_number::text) AS columns,
            count(DISTINCT column_number) > 1 OR bool_or(column_number = 0) AS several FROM (
            SELECT k FROM unnest(i.indkey::int2[]) k WHERE ${own} AND k > 0
            UNION SELECT 0 WHERE ${namesRow}
            UNION SELECT r.refobjsubid FROM pg_depend r WHERE r.classid = 'pg_class'::regclass AND r.objid = i.indexrelid
              AND r.refclassid = 'pg_class'::regclass AND r.refobjid = i.indrelid) c(column_number)`;

/** To write one down the server locks its relation. */
const checks = (text: string): string => `
    SELECT o.conrelid, o.contype, nullif(array_to_string(o.conkey, ' '), ''), o.convalidated, CASE o.contype WHEN 'c' THEN ${text} END FROM pg_constraint o
    WHERE {o.conrelid} AND o.conrelid <> 0 AND (o.contype = 'c' OR o.contype = 'n' AND NOT o.convalidated)
      AND (o.convalidated OR to_jsonb(o)->>'conenforced' IS DISTINCT FROM 'false')
    UNION ALL SELECT i.indrelid, 'u', k.columns, true, NULL FROM pg_index i CROSS JOIN LATERAL (
      SELECT string_agg(DISTINCT column_number::text, ' ' ORDER BY column_number::text) FROM (
        SELECT k FROM unnest(i.indkey::int2[]) WITH ORDINALITY u(k, n) WHERE n <= i.indnkeyatts AND k <> 0
        UNION SELECT 0 WHERE ${namesRow}
        UNION SELECT d.refobjsubid FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
          AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
      ) c(column_number)) k(columns)
    WHERE {i.indrelid} AND (i.indisunique OR i.indisexclusion) AND i.indrelid >= ${FIRST_NORMAL_OID} ORDER BY 1, 2, 3, 4, 5`;

/** To write one down the server locks its relation. */
const virtual = (text: string): string => `
    SELECT a.attrelid, a.attnum, ${text} FROM pg_attribute a JOIN pg_attrdef x ON x.adrelid = a.attrelid AND x.adnum = a.attnum
    WHERE {a.attrelid} AND a.attgenerated = 'v' ORDER BY 1, 2`;

const views = (definition: string): string => `
    SELECT c.oid, ${definition} FROM pg_class c
    WHERE {c.oid} AND c.relkind IN ('v','m') AND ${userMade("c.oid", "c.relnamespace")} ORDER BY c.oid`;

/** A bound body leaves the text of the function empty. */
const bodies = (definition: string, text: "=" | "<>"): string => `
    SELECT p.oid, ${definition}, p.prosecdef, p.proowner FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
    WHERE {p.oid} AND l.lanname IN ('sql', 'plpgsql') AND p.prokind <> 'a' AND p.prosrc ${text} ''
      AND ${userMade("p.oid", "p.pronamespace")} AND ${notOfExtension("pg_proc", "p.oid")} ORDER BY p.oid`;

/** What an object belongs to that is read with it. What belongs to the database alone is read anew each time: it must be little. */
export type Owner = "relation" | "function" | "type" | "operator" | "cast" | "database";

/**
 * One part of a catalog. The first column of a row is the OID of its owner (not for the database's), and all that a row says is in rows of
 * the server that catalog-versions.ts watches for that owner, or in an object on which the owner depends (pg_depend). Its order must be
 * certain for rows of one owner. In `sql`, {expression} stands for "expression is one of the owners that are asked for".
 * `locked`: what to ask instead for owners that the server cannot write down now, since somebody has locked what their text names: the same
 * with "" for the text, which stands for nothing else in these rows.
 */
export type CatalogPart = { readonly of: Owner; readonly sql: string; readonly locked?: string };

export const CATALOG_QUERIES = {
  /** oid, name */
  // Who may use a schema decides whether a path has it.
  schemas: { of: "database", sql: "SELECT oid, nspname, nspacl FROM pg_namespace ORDER BY oid" },
  /** oid, name */
  languages: { of: "database", sql: "SELECT oid, lanname FROM pg_language ORDER BY oid" },
  /** Owners of users' functions: oid, name */
  roles: {
    of: "database",
    sql: `SELECT DISTINCT r.oid, r.rolname FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner WHERE ${userMade("p.oid", "p.pronamespace")} ORDER BY 1`,
  },
  /** oid, schema, name, kind, row type, owner of a TOAST table, columns as JSON [[attnum, name, type, modifier, collation], …], the last two where there are any */
  relations: {
    of: "relation",
    sql: `
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.reltype, c.reltoastrelid,
      CASE WHEN c.relkind IN ('r','p','v','m','f','S','c') THEN (
        SELECT coalesce(json_agg(CASE
            WHEN o.oid IS NOT NULL THEN json_build_array(a.attnum, a.attname, a.atttypid::int8, a.atttypmod, ${signed})
            WHEN a.atttypmod < 0 THEN json_build_array(a.attnum, a.attname, a.atttypid::int8)
            ELSE json_build_array(a.attnum, a.attname, a.atttypid::int8, a.atttypmod) END ORDER BY a.attnum), '[]')::text
        FROM pg_attribute a LEFT JOIN pg_collation o ON o.oid = a.attcollation AND o.oid <> ${DEFAULT_COLLATION}
          AND NOT (a.atttypid = 'name'::regtype AND o.oid = ${C_COLLATION}) WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) ELSE '[]' END
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {c.oid} AND c.relkind IN ('r','p','v','m','f','S','i','I','c','t') ORDER BY c.oid`,
  },
  inheritance: {
    of: "relation",
    sql: "SELECT inhrelid, inhparent FROM pg_inherits WHERE {inhrelid} ORDER BY inhrelid, inhseqno",
  },
  /**
   * What is unique: relation, key columns as attribute numbers, name (of its constraint too), does it hold at once for any two rows?, the
   * columns on which it depends (null: any), which of these is generated, is it the primary key?
   */
  keys: {
    of: "relation",
    sql: `
    SELECT i.indrelid, array_to_string(k.columns, ' '), c.relname,
      i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AND NOT ${tellsMore},
      CASE WHEN NOT (${namesRow}) THEN array_to_string(a.columns, ' ') END,
      array_to_string(ARRAY(SELECT t.attnum FROM pg_attribute t WHERE t.attrelid = i.indrelid AND t.attgenerated <> '' AND NOT t.attisdropped
        AND (t.attnum = ANY (a.columns) OR ${namesRow}) ORDER BY 1), ' '),
      i.indisprimary
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid CROSS JOIN LATERAL (
      SELECT ARRAY(SELECT k FROM unnest(i.indkey::int2[]) WITH ORDINALITY u(k, n) WHERE n <= i.indnkeyatts ORDER BY n) AS columns) k
    CROSS JOIN LATERAL (
      SELECT ARRAY(SELECT k FROM unnest(k.columns) k WHERE k > 0 UNION SELECT r.refobjsubid::int2 FROM pg_depend r
        WHERE r.classid = 'pg_class'::regclass AND r.objid = i.indexrelid AND r.refclassid = 'pg_class'::regclass AND r.refobjid = i.indrelid
          AND r.refobjsubid > 0 AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL) ORDER BY 1) AS columns) a
    WHERE {i.indrelid} AND (i.indisunique OR i.indisexclusion) ORDER BY i.indexrelid`,
  },
  /** Foreign keys: child, parent, action on delete, action on update, columns of both, is it a repetition of another for a partition? */
  references: {
    of: "relation",
    sql: `
    SELECT DISTINCT conrelid, confrelid, confdeltype, confupdtype, array_to_string(conkey, ' '), array_to_string(confkey, ' '), conparentid <> 0
    FROM pg_constraint WHERE {conrelid} AND contype = 'f' ORDER BY 1, 2, 3, 4, 5, 6, 7`,
  },
  /** partitioned table, its key's columns (0: an expression), the columns in expressions of its key: they depend on the table, not it on them */
  partitioned: {
    of: "relation",
    sql: `
    SELECT partrelid, array_to_string(partattrs::int2[], ' '), CASE WHEN partexprs IS NULL THEN '' ELSE array_to_string(ARRAY(
        SELECT DISTINCT d.objsubid FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = partrelid AND d.objsubid > 0
          AND d.refclassid = 'pg_class'::regclass AND d.refobjid = partrelid AND d.refobjsubid = 0 ORDER BY 1), ' ') END
    FROM pg_partitioned_table WHERE {partrelid} ORDER BY partrelid`,
  },
  /** index, its table */
  indexes: {
    of: "relation",
    sql: `
    SELECT i.indexrelid, i.indrelid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE {i.indexrelid} AND ${userMade("c.oid", "c.relnamespace")} ORDER BY i.indexrelid`,
  },
  /** table, an index of it, the columns that the index is sorted by, is the table clustered on it? */
  sorted: {
    of: "relation",
    sql: `
    SELECT i.indrelid, i.indexrelid, array_to_string(ARRAY(
        SELECT k FROM unnest(i.indkey::int2[]) WITH ORDINALITY u(k, n) WHERE n <= i.indnkeyatts AND k <> 0
        UNION SELECT d.refobjsubid FROM pg_depend d WHERE i.indexprs IS NOT NULL AND d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
          AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid > 0 ORDER BY 1), ' '), i.indisclustered
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE {i.indrelid} AND ${userMade("c.oid", "c.relnamespace")} ORDER BY i.indexrelid`,
  },
  /** Generated columns: relation, column, a column that it is computed from, or 0. The dependency is the column's (to 14) or its expression's. */
  generated: {
    of: "relation",
    sql: `
    SELECT a.attrelid, a.attnum, d.refobjsubid FROM pg_attribute a JOIN pg_attrdef x ON x.adrelid = a.attrelid AND x.adnum = a.attnum
    JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = x.oid
    WHERE {a.attrelid} AND a.attgenerated <> '' AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid NOT IN (0, a.attnum)
    UNION SELECT a.attrelid, a.attnum, d.refobjsubid FROM pg_attribute a
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = a.attrelid AND d.objsubid = a.attnum
    WHERE {a.attrelid} AND a.attgenerated <> '' AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid NOT IN (0, a.attnum)
    UNION SELECT a.attrelid, a.attnum, 0 FROM pg_attribute a WHERE {a.attrelid} AND a.attgenerated <> ''
    ORDER BY 1, 2, 3`,
  },
  /** Generated columns that are not stored: relation, column, expression ("": locked away). */
  virtual: {
    of: "relation",
    sql: virtual("pg_get_expr(x.adbin, x.adrelid)"),
    locked: virtual("''::text"),
  },
  /** relation, function, type bits, its definition, deferrable? "": locked away. */
  triggers: { of: "relation", sql: triggers("pg_get_triggerdef(oid)"), locked: triggers("''") },
  /** name, event, function, command tags that it waits for */
  eventTriggers: {
    of: "database",
    sql: `
    SELECT evtname, evtevent, evtfoid, array_to_string(evttags, ',') FROM pg_event_trigger WHERE evtenabled <> 'D' ORDER BY evtname`,
  },
  /** relation, rule, event (as in pg_rewrite), its definition. "": locked away. */
  rules: { of: "relation", sql: rules("pg_get_ruledef(r.oid)"), locked: rules("''") },
  /** view, its query. "": locked away; that is no statement, and so is opaque. */
  views: { of: "relation", sql: views("pg_get_viewdef(c.oid)"), locked: views("''") },
  /** view, relation, attribute number */
  dependencies: {
    of: "relation",
    sql: `
    SELECT DISTINCT r.ev_class, d.refobjid, d.refobjsubid FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class c ON c.oid = r.ev_class
    WHERE {r.ev_class} AND r.rulename = '_RETURN' AND ${userMade("c.oid", "c.relnamespace")} AND d.refobjid <> r.ev_class ORDER BY 1, 2, 3`,
  },
  /**
   * Code (of users, or that acts) in constraints, defaults, generated columns and indexes: relation, functions, on reading?, column that
   * it gives a value to, expressions
   */
  attached: { of: "relation", sql: attached((text) => text), locked: attached(() => "''::text") },
  /** Policies in force: relation, command, USING, WITH CHECK ("": locked away), its columns that they name, functions that are such code */
  policies: {
    of: "relation",
    sql: policies((column) => `pg_get_expr(${column}, p.polrelid)`),
    locked: policies((column) => `CASE WHEN ${column} IS NOT NULL THEN '' END`),
  },
  /** relation with policies in force, the role as which the gate works, if they are not for it */
  exempt: {
    of: "database",
    sql: `
    SELECT c.oid, r.rolname FROM pg_class c JOIN pg_roles r ON r.rolname = session_user
    WHERE c.relrowsecurity AND (r.rolsuper OR r.rolbypassrls OR NOT c.relforcerowsecurity AND pg_has_role(r.oid, c.relowner, 'USAGE')) ORDER BY c.oid`,
  },
  /**
   * What may fail when other columns change: relation, c (check), n (not null, where rows that are there may not pass) or u (unique, exclusion),
   * columns that it asks about (0: the whole row), do rows that are there pass it?, the expression of a check ("": locked away)
   */
  checks: { of: "relation", sql: checks("pg_get_expr(o.conbin, o.conrelid)"), locked: checks("''::text") },
  /**
   * What is computed of a row that changes: relation, fails (only whether it can be computed tells of the row) or decides (its value does),
   * columns that it is about (0: any), expressions
   */
  computed: { of: "relation", sql: computed((text) => text), locked: computed(() => "''::text") },
  /** Domains whose constraints run such code: type, function */
  domains: {
    of: "type",
    sql: ofDomains(
      "con.contypid",
      "'pg_constraint'::regclass",
      "con.oid",
      "con.conbin",
      "pg_constraint con",
      "con.contypid <> 0",
    ),
  },
  /** Domains whose defaults do: type, function. (One over another has that one's default as its own.) */
  domainDefaults: {
    of: "type",
    sql: ofDomains(
      "t.oid",
      "'pg_type'::regclass",
      "t.oid",
      "t.typdefaultbin",
      "pg_type t",
      "t.typtype = 'd' AND t.typdefaultbin IS NOT NULL",
    ),
  },
  /** oid, name, schema, left type, right type, result type, function, is that code of users? */
  operators: {
    of: "operator",
    sql: `
    SELECT o.oid, o.oprname, n.nspname, o.oprleft, o.oprright, o.oprresult, o.oprcode::oid,
      ${userFunction("o.oprcode::oid")} AND ${notOfExtension("pg_proc", "o.oprcode::oid")}
    FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE {o.oid} ORDER BY o.oid`,
  },
  /** oid, source, target, function (0: none), context, method, is that function code of users?, did users make the cast? */
  casts: {
    of: "cast",
    sql: `
    SELECT oid, castsource, casttarget, castfunc, castcontext, castmethod,
      ${userFunction("castfunc")} AND ${notOfExtension("pg_proc", "castfunc")}, oid >= ${FIRST_UNPINNED_OID}
    FROM pg_cast WHERE {oid} ORDER BY oid`,
  },
  /** range type, type of its bounds */
  ranges: { of: "type", sql: "SELECT rngtypid, rngsubtype FROM pg_range WHERE {rngtypid} ORDER BY rngtypid" },
  /** oid, schema, name, as the server writes it, element type, base type, kind, category, preferred in it? Row types of relations are known from these. */
  types: {
    of: "type",
    sql: `
    SELECT t.oid, n.nspname, t.typname, format_type(t.oid, NULL), t.typelem, t.typbasetype, t.typtype,
      t.typcategory, t.typispreferred FROM pg_type t
    JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE {t.oid} AND t.typtype <> 'c' AND NOT (t.typcategory = 'A' AND EXISTS (
      SELECT FROM pg_type e JOIN pg_class c ON c.oid = e.typrelid WHERE e.oid = t.typelem AND c.relkind <> 'c')) ORDER BY t.oid`,
  },
  /**
   * oid, schema, name, language, volatility, kind, set?, result type, arguments, defaults, variadic type, argument types, modes, names of
   * all arguments, types of all arguments, of an extension?, strict?
   */
  functions: {
    of: "function",
    sql: `
    SELECT p.oid, n.nspname, p.proname, l.lanname, p.provolatile, p.prokind, p.proretset, p.prorettype, p.pronargs, p.pronargdefaults,
      p.provariadic, array_to_string(p.proargtypes::oid[], ' '), array_to_string(p.proargmodes, ''), to_json(p.proargnames)::text,
      array_to_string(p.proallargtypes, ' '), e.objid IS NOT NULL, p.proisstrict
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    LEFT JOIN pg_depend e ON e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e'
    WHERE {p.oid} ORDER BY p.oid`,
  },
  /** Users' functions whose bodies are texts that can be read: function, its definition, security definer?, OID of its owner */
  textBodies: { of: "function", sql: bodies("pg_get_functiondef(p.oid)", "<>") },
  /** Users' functions whose bodies the server has bound already (BEGIN ATOMIC, RETURN): as above. "": locked away. */
  boundBodies: { of: "function", sql: bodies("pg_get_functiondef(p.oid)", "="), locked: bodies("''", "=") },
  /** Users' aggregates: aggregate, functions that it runs */
  aggregates: {
    of: "function",
    sql: `
    SELECT p.oid, array_to_string(ARRAY(SELECT f FROM unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggmtransfn,
      aggminvtransfn, aggmfinalfn]::oid[]) f WHERE f <> 0), ' ')
    FROM pg_aggregate JOIN pg_proc p ON p.oid = aggfnoid
    WHERE {p.oid} AND ${userMade("p.oid", "p.pronamespace")} AND ${notOfExtension("pg_proc", "p.oid")} ORDER BY p.oid`,
  },
} as const satisfies { readonly [name: string]: CatalogPart };

export type PartName = keyof typeof CATALOG_QUERIES;

/** Whose rows are asked for: by default everybody's. */
export type Owners = { readonly only?: readonly number[] | undefined; readonly except?: readonly number[] | undefined };

/** The query of a part. */
export function queryFor(sql: string, { only, except }: Owners = {}): string {
  return sql.replace(/\{([a-z_.]+)\}/g, (_, owner: string) => {
    if (only === undefined && (except === undefined || except.length === 0)) return "true";
    const among = only === undefined ? "true" : `${owner} = ANY ('{${only.join(",")}}'::oid[])`;
    return except === undefined || except.length === 0
      ? among
      : `(${among} AND ${owner} <> ALL ('{${except.join(",")}}'::oid[]))`;
  });
}
