"""Reads tables of every type with asyncpg: prints each cell that it saw (table, way, row, column, value), once. Arguments: the tables; reads PG... variables."""
import asyncio, sys
import asyncpg

said = set()


def say(*parts):
    line = "\t".join(map(str, parts))
    if line not in said:
        print(line)
    said.add(line)


def shown(value):
    # Its geometric types show where they are in memory otherwise.
    return [shown(part) for part in value] if isinstance(value, (list, tuple, asyncpg.types.Path)) else repr(value)


def rows_of(table, way, rows):
    for row in rows:
        for name, value in list(row.items())[1:]:
            say(table, way, row["id"], name, "NULL" if value is None else f"={shown(value)}")
    return len(rows)


async def main():
    conn = await asyncpg.connect()
    for table in sys.argv[1:]:
        # It takes the binary form wherever it knows one.
        prepared = await conn.prepare(f"SELECT * FROM masked.{table} WHERE id BETWEEN $1 AND $2")
        rows = 0
        for _ in range(20):
            rows += rows_of(table, "binary", await prepared.fetch(0, 1))
        for id in range(2, 15):
            try:
                rows += rows_of(table, "binary", await prepared.fetch(id, id))
            except (OverflowError, ValueError):  # years that Python does not have
                say(table, "binary", id, "error")
                rows += 1
        say(table, "binary", "rows", rows)
        async with conn.transaction():
            cursor = conn.cursor(f"SELECT * FROM masked.{table} WHERE id < 10 ORDER BY id", prefetch=2)
            rows_of(table, "cursor", [row async for row in cursor])
    await conn.close()


asyncio.run(main())
