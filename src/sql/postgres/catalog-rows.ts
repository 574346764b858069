// The few set-based queries that read a catalog, and nothing else. PostgreSQL 13 to 18.

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

const rules = (definition: string): string => `
    SELECT r.ev_class, r.rulename, r.ev_type, ${definition} FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
    WHERE r.rulename <> '_RETURN' AND ${userMade("c.oid", "c.relnamespace")} AND r.ev_enabled <> 'D'
    ORDER BY r.ev_class, r.rulename`;

/** A bound body leaves the text of the function empty. */
const bodies = (definition: string, text: "=" | "<>"): string => `
    SELECT p.oid, ${definition}, p.prosecdef, pg_get_userbyid(p.proowner) FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
    WHERE l.lanname IN ('sql', 'plpgsql') AND p.prokind <> 'a' AND p.prosrc ${text} ''
      AND ${userMade("p.oid", "p.pronamespace")} AND ${notOfExtension("pg_proc", "p.oid")} ORDER BY p.oid`;

export const CATALOG_QUERIES = {
  /** oid, schema, name, kind, row type, owner of a TOAST table, columns as JSON [[attnum, name, type], …] */
  relations: `
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.reltype, c.reltoastrelid,
      CASE WHEN c.relkind IN ('r','p','v','m','f','S','c') THEN (
        SELECT coalesce(json_agg(json_build_array(a.attnum, a.attname, a.atttypid::int8) ORDER BY a.attnum), '[]')::text
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) ELSE '[]' END
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r','p','v','m','f','S','i','I','c','t') ORDER BY c.oid`,
  inheritance: "SELECT inhrelid, inhparent FROM pg_inherits ORDER BY inhrelid, inhseqno",
  /**
   * What is unique: relation, key columns as attribute numbers, name (of its constraint too), does it hold at once for any two rows?, are
   * those columns all that it depends on?, which of what it may depend on is generated
   */
  keys: `
    SELECT i.indrelid, array_to_string(k.columns, ' '), c.relname,
      i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL,
      i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL,
      array_to_string(ARRAY(SELECT a.attnum FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attgenerated <> '' AND NOT a.attisdropped
        AND (a.attnum = ANY (k.columns) OR NOT i.indisunique OR i.indpred IS NOT NULL OR i.indexprs IS NOT NULL) ORDER BY 1), ' ')
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid CROSS JOIN LATERAL (
      SELECT ARRAY(SELECT k FROM unnest(i.indkey::int2[]) WITH ORDINALITY u(k, n) WHERE n <= i.indnkeyatts ORDER BY n) AS columns) k
    WHERE i.indisunique OR i.indisexclusion ORDER BY i.indexrelid`,
  /** Foreign keys: child, parent, action on delete, action on update */
  references: `
    SELECT DISTINCT conrelid, confrelid, confdeltype, confupdtype FROM pg_constraint WHERE contype = 'f' ORDER BY 1, 2, 3, 4`,
  /** partitioned table, its key's columns (0: an expression) */
  partitioned: "SELECT partrelid, array_to_string(partattrs::int2[], ' ') FROM pg_partitioned_table ORDER BY partrelid",
  /** index, its table */
  indexes: `
    SELECT i.indexrelid, i.indrelid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE ${userMade("c.oid", "c.relnamespace")} ORDER BY i.indexrelid`,
  /** Generated columns: relation, column, a column that it is computed from. The dependency is the column's (to 14) or its expression's. */
  generated: `
    SELECT a.attrelid, a.attnum, d.refobjsubid FROM pg_attribute a JOIN pg_attrdef x ON x.adrelid = a.attrelid AND x.adnum = a.attnum
    JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = x.oid
    WHERE a.attgenerated <> '' AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid NOT IN (0, a.attnum)
    UNION SELECT a.attrelid, a.attnum, d.refobjsubid FROM pg_attribute a
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = a.attrelid AND d.objsubid = a.attnum
    WHERE a.attgenerated <> '' AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid NOT IN (0, a.attnum)
    ORDER BY 1, 2, 3`,
  /** relation, function, type bits, its definition, deferrable? */
  triggers: `
    SELECT tgrelid, tgfoid, tgtype, pg_get_triggerdef(oid), tgdeferrable FROM pg_trigger
    WHERE NOT tgisinternal AND tgenabled <> 'D' ORDER BY tgrelid, tgname`,
  /** name, event, function, command tags that it waits for */
  eventTriggers: `
    SELECT evtname, evtevent, evtfoid, array_to_string(evttags, ',') FROM pg_event_trigger WHERE evtenabled <> 'D' ORDER BY evtname`,
  /** relation, rule, event (as in pg_rewrite), its definition */
  rules: rules("pg_get_ruledef(r.oid)"),
  views: `
    SELECT c.oid, pg_get_viewdef(c.oid) FROM pg_class c WHERE c.relkind IN ('v','m') AND ${userMade("c.oid", "c.relnamespace")} ORDER BY c.oid`,
  /** view, relation, attribute number */
  dependencies: `
    SELECT DISTINCT r.ev_class, d.refobjid, d.refobjsubid FROM pg_rewrite r
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class c ON c.oid = r.ev_class
    WHERE r.rulename = '_RETURN' AND ${userMade("c.oid", "c.relnamespace")} AND d.refobjid <> r.ev_class ORDER BY 1, 2, 3`,
  /** Code of users in constraints, defaults, generated columns, indexes and row-level security: relation, function, on reading? */
  attached: `
    SELECT * FROM (
      SELECT CASE d.classid WHEN 'pg_constraint'::regclass THEN (SELECT conrelid FROM pg_constraint WHERE oid = d.objid)
        WHEN 'pg_attrdef'::regclass THEN (SELECT adrelid FROM pg_attrdef WHERE oid = d.objid)
        WHEN 'pg_policy'::regclass THEN (SELECT polrelid FROM pg_policy WHERE oid = d.objid)
        ELSE (SELECT indrelid FROM pg_index WHERE indexrelid = d.objid) END AS relation, d.refobjid AS function,
        d.classid = 'pg_policy'::regclass OR (d.classid = 'pg_attrdef'::regclass AND EXISTS (
          SELECT FROM pg_attrdef x JOIN pg_attribute a ON a.attrelid = x.adrelid AND a.attnum = x.adnum
          WHERE x.oid = d.objid AND a.attgenerated = 'v')) AS reading
      FROM pg_depend d WHERE d.refclassid = 'pg_proc'::regclass AND ${userFunction("d.refobjid")}
        AND d.classid IN ('pg_constraint'::regclass, 'pg_attrdef'::regclass, 'pg_policy'::regclass, 'pg_class'::regclass)
        AND ${notOfExtension("pg_proc", "d.refobjid")}) s
    WHERE relation > 0 ORDER BY 1, 2, 3`,
  /** Domains whose constraints run code of users: type, function */
  domains: `
    SELECT DISTINCT con.contypid, d.refobjid FROM pg_constraint con
    JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = con.oid AND d.refclassid = 'pg_proc'::regclass
    WHERE con.contypid <> 0 AND ${userFunction("d.refobjid")} AND ${notOfExtension("pg_proc", "d.refobjid")} ORDER BY 1, 2`,
  /** name, schema, left type, right type, result type, function, is that code of users? */
  operators: `
    SELECT o.oprname, n.nspname, o.oprleft, o.oprright, o.oprresult, o.oprcode::oid,
      ${userFunction("o.oprcode::oid")} AND ${notOfExtension("pg_proc", "o.oprcode::oid")}
    FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace ORDER BY o.oid`,
  /** source, target, function (0: none), context, method, is that function code of users?, did users make the cast? */
  casts: `
    SELECT castsource, casttarget, castfunc, castcontext, castmethod,
      ${userFunction("castfunc")} AND ${notOfExtension("pg_proc", "castfunc")}, oid >= ${FIRST_UNPINNED_OID}
    FROM pg_cast ORDER BY oid`,
  /** range type, type of its bounds */
  ranges: "SELECT rngtypid, rngsubtype FROM pg_range ORDER BY rngtypid",
  /** oid, schema, name, as the server writes it, element type, base type, kind, category, preferred in it? Row types of relations are known from these. */
  types: `
    SELECT t.oid, n.nspname, t.typname, format_type(t.oid, NULL), t.typelem, t.typbasetype, t.typtype,
      t.typcategory, t.typispreferred FROM pg_type t
    JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typtype <> 'c' AND NOT (t.typcategory = 'A' AND EXISTS (
      SELECT FROM pg_type e JOIN pg_class c ON c.oid = e.typrelid WHERE e.oid = t.typelem AND c.relkind <> 'c')) ORDER BY t.oid`,
  /**
   * oid, schema, name, language, volatility, kind, set?, result type, arguments, defaults, variadic type, argument types, modes, names of
   * all arguments, types of all arguments, of an extension?, strict?
   */
  functions: `
    SELECT p.oid, n.nspname, p.proname, l.lanname, p.provolatile, p.prokind, p.proretset, p.prorettype, p.pronargs, p.pronargdefaults,
      p.provariadic, array_to_string(p.proargtypes::oid[], ' '), array_to_string(p.proargmodes, ''), to_json(p.proargnames)::text,
      array_to_string(p.proallargtypes, ' '), e.objid IS NOT NULL, p.proisstrict
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
    LEFT JOIN pg_depend e ON e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e'
    ORDER BY p.oid`,
  /** Users' functions whose bodies are texts that can be read: function, its definition, security definer?, owner */
  textBodies: bodies("pg_get_functiondef(p.oid)", "<>"),
  /** Users' functions whose bodies the server has bound already (BEGIN ATOMIC, RETURN): as above */
  boundBodies: bodies("pg_get_functiondef(p.oid)", "="),
  /** Users' aggregates: aggregate, functions that it runs */
  aggregates: `
    SELECT p.oid, array_to_string(ARRAY(SELECT f FROM unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggmtransfn,
      aggminvtransfn, aggmfinalfn]::oid[]) f WHERE f <> 0), ' ')
    FROM pg_aggregate JOIN pg_proc p ON p.oid = aggfnoid
    WHERE ${userMade("p.oid", "p.pronamespace")} AND ${notOfExtension("pg_proc", "p.oid")} ORDER BY p.oid`,
} as const;

/** What the server cannot write down while somebody has locked what it names, without those texts: "" is no statement, and so is opaque. */
export const WITHOUT_DEFINITIONS: { readonly [Name in keyof typeof CATALOG_QUERIES]?: string } = {
  views: `
    SELECT c.oid, '' FROM pg_class c WHERE c.relkind IN ('v','m') AND ${userMade("c.oid", "c.relnamespace")} ORDER BY c.oid`,
  rules: rules("''"),
  boundBodies: bodies("''", "="),
};
