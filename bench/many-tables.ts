// The tables that the benches of the catalog make.

/** One DO block: so many tables of 20 columns. */
export function manyTables(tables: number): string {
  return `DO $$ BEGIN FOR i IN 1..${tables} LOOP EXECUTE format('CREATE TABLE public.t%s (id int PRIMARY KEY, %s)', i,
    (SELECT string_agg(format('column_%s text', n), ', ') FROM generate_series(1, 19) n)); IF i % 250 = 0 THEN COMMIT; END IF; END LOOP; END $$`;
}
