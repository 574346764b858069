// Expressions by the type that they give: `{type}` stands for an expression of that type, and a few other words in braces for more.

/**
 * `{any}`: of any type; `{row}`: the whole row of something in FROM; `{query:type}`: a sub-select with one column; `{rows:a,b}`: one with several;
 * `{exists}`: one with any; `{window}`: a window; `{filter}`: FILTER or nothing. `16:` in front: since that version.
 */
export const SCALARS: Readonly<Record<string, readonly string[]>> = {
  text: [
    "lower({text})", "({text} || {text})", "upper({text})", "({any})::text", "({text} || {int})", "substring({text} from {int} for 2)", "coalesce({text}, {text})",
    "nullif({text}, {text})", "greatest({text}, {text})", "CASE WHEN {bool} THEN {text} ELSE {text} END", "CASE {text} WHEN {text} THEN {text} END",
    "({text[]})[{int}]", "({address}).city", "({lab.point3}).label", "(({lab.pair}).first).label", "({lab.pair}).second", "({jsonb} ->> 'a')", "({json} ->> 'a')", "({jsonb} #>> '{b,c}')",
    "{mood}::text", "{text}::varchar", "{text} COLLATE \"C\"", "peek({int})", "greeting({customers})", "status({customers})", "({customers}).email", "({shapes}).name", "({hr.employees}).ssn",
    "array_to_string({text[]}, ',')", "concat({any}, {any})", "format('%s-%s', {any}, {any})", "to_char({timestamptz}, 'YYYY')", "row_to_json({row})::text", "({row})::text", "md5({text})", "split_part({text}, 'a', 1)",
    "trim({text})", "overlay({text} placing {text} from 1)", "xmlserialize(content {xml} AS text)", "current_user::text", "current_setting('search_path')", "$1::text", "{handle}",
    "({query:text})", "(ROW({text}, {int}, {text})::t).s", "lab.same({text}::text)", "(ARRAY[{text}, {text}])[1]", "({customers[]})[1].email", "(({lab.point3[]})[{int}]).label", "({any})::varchar(3)", "pg_typeof({any})::text",
    "16:(JSON_OBJECT('a': {any}))::text", "16:(JSON_ARRAY({any}, {any}))::text", "17:JSON_VALUE({jsonb}, '$.a')", "17:JSON_VALUE({jsonb}, '$.a' DEFAULT 'd' ON EMPTY)", "json_build_object('k', {any})->>'k'", "(jsonb_build_object('k', {row}) -> 'k' ->> 'name')",
    "replace({text}, {text}, {text})", "coalesce({text}, ({query:text}), {text})", "quote_literal({text})",
  ],
  int: [
    "length({text})", "({int} + {int})", "({int} * {int})", "-{int}", "coalesce({int}, {int})", "CASE WHEN {bool} THEN {int} ELSE {int} END", "({lab.point3}).x", "array_length({text[]}, 1)", "cardinality({int[]})",
    "({int[]})[{int}]", "({jsonb} ->> 'a')::int", "extract(year FROM {timestamptz})::int", "position({text} in {text})", "lower({int4range})", "({query:int})", "({row} IS NULL)::int", "jsonb_array_length({jsonb})", "{bool}::int", "plate({orders})", "({orders}).customer_id",
    "name({shapes})", "({int[]})[1][2]", "$1::text::int", "nullif({int}, {int})", "least({int}, {int})", "(ROW({int}, {text})).f1", "lab.same({int})", "({int} % 7)", "num_nulls({any}, {any})", "17:JSON_VALUE({jsonb}, '$.a' RETURNING int)", "octet_length({bytea})", "hashtext({text})",
  ],
  bool: [
    "({text} = {text})", "({int} < {int})", "({any} IS NULL)", "({text} LIKE 'a%')", "{bool}", "NOT {bool}", "({bool} AND {bool})", "({bool} OR {bool})", "({text} IS DISTINCT FROM {text})", "({int} BETWEEN {int} AND {int})", "({int} BETWEEN SYMMETRIC {int} AND {int})",
    "EXISTS ({exists})", "({int} IN ({query:int}))", "({text} NOT IN ({query:text}))", "({int} = ANY ({query:int}))", "({text} <> ALL ({query:text}))", "({int} IN ({int}, {int}, 3))", "(ROW({int}, {text}) = ROW({int}, {text}))", "(({int}, {text}) IN ({rows:int,text}))", "(({int}, {text}) = ({rows1:int,text}))",
    "({text} = ANY ({text[]}))", "({int} <= ALL ({int[]}))", "({jsonb} ? 'a')", "({jsonb} @> {jsonb})", "({text[]} && {text[]})", "({int4range} @> {int})", "({row} IS NOT NULL)", "({row} IS NOT DISTINCT FROM {row})", "({bool} IS TRUE)", "({text} ~ 'a')", "({text} SIMILAR TO 'a%')", "({timestamptz} > now())", "(({date}, {interval}) OVERLAPS ({date}, {interval}))",
    "({mood} = 'ok')", "({mood} === {text})", "starts_with({text}, {text})", "16:({text} IS JSON)", "16:({jsonb} IS JSON OBJECT)", "17:JSON_EXISTS({jsonb}, '$.b')", "17:JSON_EXISTS({jsonb}, '$.b ? (@ == $x)' PASSING {int} AS x)", "({text} ILIKE ANY (ARRAY[{text}, {text}]))", "({address} = {address})", "({numeric} > {numeric})", "($1::text IS NULL)",
  ],
  bigint: ["{int}::bigint", "({bigint} + {int})", "({query:bigint})", "coalesce({bigint}, {bigint})", "({bigint} - {bigint})"],
  numeric: ["{int}::numeric", "({numeric} + {numeric})", "round({numeric}, {int})", "({query:numeric})", "coalesce({numeric}, {int})", "abs({numeric})", "CASE WHEN {bool} THEN {numeric} ELSE 0 END"],
  float8: ["{int}::float8", "random()", "({float8} * 2)", "sqrt(abs({float8}))"],
  date: ["{timestamptz}::date", "({date} + {int})", "current_date", "coalesce({date}, {date})"],
  timestamptz: ["{date}::timestamptz", "now()", "date_trunc('day', {timestamptz})", "({timestamptz} + {interval})", "coalesce({timestamptz}, now())"],
  timestamp: ["({timestamptz} AT TIME ZONE 'UTC')", "({timestamptz} AT TIME ZONE {text})"],
  interval: ["({timestamptz} - {timestamptz})", "make_interval(days => {int})", "age({timestamptz})"],
  jsonb: ["to_jsonb({row})", "to_jsonb({any})", "jsonb_build_object('a', {any}, 'b', {any})", "({jsonb} -> 'a')", "({jsonb} || {jsonb})", "jsonb_set({jsonb}, '{a}', {jsonb})", "jsonb_build_array({any}, {any})", "{json}::jsonb", "({query:jsonb})", "({jsonb})['a']", "({jsonb} - 'a')", "jsonb_path_query_first({jsonb}, '$.a')", "17:JSON_QUERY({jsonb}, '$.b')"],
  json: ["row_to_json({row})", "to_json({any})", "json_build_object({text}, {any})", "row_to_json(ROW({any}, {any}))", "array_to_json({text[]})", "{jsonb}::json", "16:JSON_OBJECT('a': {any}, 'b': {any})", "16:JSON_ARRAY({any})", "16:JSON_ARRAY({query:int})", "json_strip_nulls({json})"],
  xml: ["xmlelement(name a, {any})", "xmlforest({text} AS x, {int} AS y)", "xmlconcat({xml}, {xml})", "xmlelement(name b, xmlattributes({text} AS q), {text})"],
  bytea: ["convert_to({text}, 'UTF8')", "sha256({bytea})", "decode(md5({text}), 'hex')"],
  mood: ["'ok'::mood", "CASE WHEN {bool} THEN {mood} ELSE 'sad' END", "({mood[]})[1]"],
  handle: ["{text}::handle"],
  "text[]": ["ARRAY[{text}, {text}]", "ARRAY({query:text})", "({text[]} || {text}::text)", "string_to_array({text}, ',')", "({text[]})[1:{int}]", "array_remove({text[]}, {text})", "array_append({text[]}, {text})"],
  "int[]": ["ARRAY[{int}, {int}]", "ARRAY({query:int})", "array_prepend({int}, {int[]})", "({int[]})[:{int}]"],
  "int[][]": ["ARRAY[[{int}, 1], [2, {int}]]"],
  "mood[]": ["ARRAY[{mood}, 'sad']::mood[]"],
  int4range: ["int4range({int}, NULL)", "({int4range} * {int4range})"],
  "lab.span": ["lab.span({float8}, NULL)"],
  address: ["ROW({text}, {text}, 'z')::address", "({text}, {text}, {text})::address", "CASE WHEN {bool} THEN {address} END", "({query:address})", "coalesce({address}, {address})", "({customers}).home"],
  "lab.point3": ["ROW({int}, {int}, {text})::lab.point3", "({lab.pair}).first", "({lab.point3[]})[{int}]", "({query:lab.point3})", "lab.same({lab.point3})", "({shapes}).corner"],
  "lab.point3[]": ["ARRAY[{lab.point3}, {lab.point3}]", "ARRAY({query:lab.point3})", "({lab.point3[]})[1:1]"],
  "lab.pair": ["ROW({lab.point3}, {text})::lab.pair"],
  "customers[]": ["ARRAY({query:customers})", "ARRAY[{customers}]"],
  customers: ["({customers[]})[{int}]", "({query:customers})", "CASE WHEN {bool} THEN {customers} END", "jsonb_populate_record(NULL::customers, {jsonb})"],
  record: ["ROW({any}, {any})", "({any}, {text})", "ROW({row}.*)"],
};

export const AGGREGATES: Readonly<Record<string, readonly string[]>> = {
  int: ["max({int}) {filter}", "min({int})", "count(*)::int", "count(DISTINCT {any})::int", "GROUPING({key})", "percentile_disc(0.5) WITHIN GROUP (ORDER BY {int})"],
  bigint: ["count(*) {filter}", "count({any})", "sum({int})", "rank({int}) WITHIN GROUP (ORDER BY {int})"],
  numeric: ["sum({numeric})", "avg({int}) {filter}", "sum({bigint})"],
  text: ["max({text}) {filter}", "string_agg({text}, ',')", "string_agg({text}, {text} ORDER BY {int})", "string_agg(DISTINCT {text}, ',')", "mode() WITHIN GROUP (ORDER BY {text})", "(array_agg({row}))[1]::text", "(array_agg({text} ORDER BY {any}))[1]", "16:any_value({text})", "array_agg({row})::text", "(array_agg({customers}))[1].email", "(array_agg({lab.point3}))[{int}].label"],
  bool: ["bool_or({bool})", "every({bool})", "(max({int}) > {int})"],
  jsonb: ["jsonb_agg({row})", "jsonb_object_agg({text}, {any})", "jsonb_agg({any} ORDER BY {int})"],
  json: ["json_agg({row})", "json_object_agg({text}, {any})", "16:JSON_ARRAYAGG({any})", "16:JSON_OBJECTAGG({text}: {any})"],
  "text[]": ["array_agg({text})", "array_agg(DISTINCT {text})", "array_agg({text} ORDER BY {int} DESC) {filter}"],
  "int[]": ["array_agg({int})"],
  xml: ["xmlagg({xml})"],
  "lab.point3[]": ["array_agg({lab.point3})"],
  "customers[]": ["array_agg({customers})"],
};

/** Behind each comes OVER with a window. */
export const WINDOWS: Readonly<Record<string, readonly string[]>> = {
  int: ["row_number() OVER {window}::int", "max({int}) OVER {window}", "ntile(2) OVER {window}", "lag({int}, {int}) OVER {window}", "first_value({int}) OVER {window}"],
  bigint: ["row_number() OVER {window}", "rank() OVER {window}", "dense_rank() OVER {window}", "count(*) OVER {window}", "count({any}) {filter} OVER {window}", "sum({int}) OVER {window}"],
  text: ["max({text}) OVER {window}", "first_value({text}) OVER {window}", "lead({text}, 1, {text}) OVER {window}", "nth_value({text}, 2) OVER {window}", "string_agg({text}, '') OVER {window}"],
  float8: ["cume_dist() OVER {window}", "percent_rank() OVER {window}"],
  numeric: ["avg({int}) OVER {window}", "sum({numeric}) {filter} OVER {window}"],
  "text[]": ["array_agg({text}) OVER {window}"],
  jsonb: ["jsonb_agg({row}) OVER {window}"],
};

/** Return a set: at the top of a target list alone. */
export const SETS: Readonly<Record<string, readonly string[]>> = {
  int: ["generate_series(1, {int})", "unnest({int[]})", "generate_subscripts({text[]}, 1)", "(pairs({int})).a", "(lab.points({int})).x", "(unnest({lab.point3[]})).y"],
  text: ["unnest({text[]})", "regexp_split_to_table({text}, 'a')", "jsonb_object_keys({jsonb})", "(find({int})).email", "(jsonb_each_text({jsonb})).value", "jsonb_array_elements_text({jsonb})", "(unnest({lab.point3[]})).label", "(lab.table_of({int})).v", "upper(unnest({text[]}))", "(unnest({customers[]})).name"],
  jsonb: ["jsonb_array_elements({jsonb})", "jsonb_path_query({jsonb}, '$.*')"],
  "lab.point3": ["unnest({lab.point3[]})", "lab.points({int})"],
  customers: ["find({int})", "unnest({customers[]})"],
};

/** Functions in FROM: the call, and the names and types of its columns (the first column is named as the alias where that is ""). */
export const FUNCTIONS: readonly { readonly call: string; readonly fields: string; readonly list?: string }[] = [
  { call: "generate_series(1, {int})", fields: ":int" },
  { call: "unnest({text[]})", fields: ":text" },
  { call: "unnest({text[]}, {int[]})", fields: "unnest:text unnest:int" },
  { call: "unnest({lab.point3[]})", fields: "x:int y:int label:text" },
  { call: "unnest({customers[]})", fields: "id:int name:text email:text phone:text city:text created_at:timestamptz home:address tags:text[] extra:jsonb" },
  { call: "find({int})", fields: "id:int name:text email:text phone:text city:text created_at:timestamptz home:address tags:text[] extra:jsonb" },
  { call: "pairs({int})", fields: "a:int b:text" },
  { call: "lab.points({int})", fields: "x:int y:int label:text" },
  { call: "lab.table_of({int})", fields: "k:int v:text" },
  { call: "jsonb_each({jsonb})", fields: "key:text value:jsonb" },
  { call: "jsonb_each_text({jsonb})", fields: "key:text value:text" },
  { call: "jsonb_array_elements({jsonb})", fields: "value:jsonb" },
  { call: "jsonb_array_elements_text({jsonb})", fields: "value:text" },
  { call: "json_array_elements({json})", fields: "value:json" },
  { call: "jsonb_object_keys({jsonb})", fields: ":text" },
  { call: "regexp_matches({text}, '(a)', 'g')", fields: ":text[]" },
  { call: "string_to_table({text}, ',')", fields: ":text" },
  { call: "jsonb_to_record({jsonb})", fields: "a:int b:text", list: "(a int, b text)" },
  { call: "jsonb_to_recordset({jsonb})", fields: "a:int b:text", list: "(a int, b text)" },
  { call: "json_to_record({json})", fields: "name:text", list: "(name text)" },
  { call: "lab.anything({int})", fields: "p:int q:text", list: "(p int, q text)" },
  { call: "jsonb_populate_record(NULL::lab.point3, {jsonb})", fields: "x:int y:int label:text" },
  { call: "jsonb_populate_recordset(NULL::public.c, {jsonb})", fields: "c:text id:int email:text" },
  { call: "upper({text})", fields: ":text" },
  { call: "current_date", fields: "" },
  { call: "lab.same({customers})", fields: "id:int name:text email:text phone:text city:text" },
  { call: "lab.same({lab.point3})", fields: "x:int y:int label:text" },
  { call: "coalesce({text}, 'x')", fields: ":text" },
];

export const LITERALS: Readonly<Record<string, readonly string[]>> = {
  text: ["'a'", "'ada'", "''"], int: ["1", "2", "0"], bool: ["true", "false"], bigint: ["3::bigint"], numeric: ["1.5", "2::numeric"], float8: ["1.5::float8"], date: ["date '2025-01-01'"],
  timestamptz: ["timestamptz '2025-01-01'"], timestamp: ["timestamp '2025-01-01'"], interval: ["interval '1 day'"], jsonb: ["'{\"a\": 1}'::jsonb"], json: ["'{\"a\": 1}'::json"], xml: ["'<a/>'::xml"], bytea: ["'x'::bytea"],
  mood: ["'ok'::mood"], "text[]": ["'{a,b}'::text[]"], "int[]": ["'{1,2}'::int[]"], int4range: ["'[1,3)'::int4range"], record: ["ROW(1, 'a')"],
};
/** From something of any type, written as $. */
export const CONVERSIONS: Readonly<Record<string, string>> = {
  text: "$::text", int: "length($::text)", bool: "($ IS NULL)", bigint: "length($::text)::bigint", numeric: "length($::text)::numeric", jsonb: "to_jsonb($)", json: "to_json($)", "text[]": "ARRAY[$::text]",
  "int[]": "ARRAY[length($::text)]", xml: "xmlelement(name v, $)", address: "ROW($, 'c', 'z')::address", "lab.point3": "ROW(1, 2, $)::lab.point3", "lab.point3[]": "ARRAY[ROW(1, 2, $)::lab.point3]", record: "ROW($, 1)", bytea: "convert_to($::text, 'UTF8')",
  timestamptz: "(now() + make_interval(days => length($::text)))", date: "(current_date + length($::text))", "lab.pair": "ROW(NULL, $)::lab.pair",
};
/** What `{any}` may be. */
export const ANY: readonly string[] = ["text", "int", "numeric", "bool", "bigint", "timestamptz", "date", "jsonb", "text[]", "address", "mood", "json", "lab.point3", "int[]", "lab.point3[]"];
