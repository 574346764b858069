"""Reads tables of every type with psycopg 3: prints each cell that it saw (table, way, row, column, value), once. Arguments: the tables; reads PG... variables."""
import sys
import psycopg

said = set()


def say(*parts):
    line = "\t".join(map(str, parts))
    if line not in said:
        print(line)
    said.add(line)


def rows_of(table, way, cur):
    names = [column.name for column in cur.description]
    rows = cur.fetchall()
    for row in rows:
        for name, value in zip(names[1:], row[1:]):
            say(table, way, row[0], name, "NULL" if value is None else f"={value!r}")
    return len(rows)


conn = psycopg.connect(autocommit=True)
for table in sys.argv[1:]:
    text = f"SELECT * FROM masked.{table} WHERE id BETWEEN %s AND %s"
    # Of some types the server has no binary form.
    for way, binary in [("text", False)] if table.endswith("_text") else [("text", False), ("binary", True)]:
        cur = conn.cursor(binary=binary)
        rows = 0
        for _ in range(20):
            rows += rows_of(table, way, cur.execute(text, (0, 1), prepare=True))
        for id in range(2, 15):
            cur.execute(text, (id, id), prepare=True)
            try:
                rows += rows_of(table, way, cur)
            except psycopg.DataError:  # years that Python does not have
                say(table, way, id, "error")
                rows += 1
        say(table, way, "rows", rows)
        with conn.transaction(), conn.cursor(name=f"c {table}", binary=binary) as named:
            named.itersize = 2
            named.execute(f"SELECT * FROM masked.{table} WHERE id < 10 ORDER BY id")
            rows_of(table, f"cursor {way}", named)
conn.close()
