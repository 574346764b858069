"""A session of typical use with psycopg 3: text and binary, prepared, pipelines, COPY, server-side cursors. Reads PG... variables."""
import datetime, decimal, threading, time, uuid
import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb


def say(label, value):
    print(f"{label}: {value!r}", flush=True)


def refused(label, work):
    try:
        say(label, ("unexpected", work()))
    except psycopg.Error as error:
        diag = error.diag
        say(label, (diag.sqlstate, diag.severity, diag.message_primary, diag.message_detail, diag.message_hint, diag.statement_position, diag.constraint_name))


conn = psycopg.connect(autocommit=True)
say("server", (conn.info.parameter_status("client_encoding"), conn.info.parameter_status("standard_conforming_strings"), conn.info.server_version > 130000))
cur = conn.cursor()
values = (42, "Ünïcode 🦉 %", decimal.Decimal("1234567890.123"), True, None, datetime.date(2024, 2, 29),
          datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc), uuid.UUID("f47ac10b-58cc-4372-a567-0e02b2c3d479"), b"\x00\xff", [1, None, 3], Jsonb({"a": [1, None]}), 1.25)
shape = "SELECT " + ", ".join(f"%s::{t}" for t in "int text numeric bool text date timestamptz uuid bytea int[] jsonb float8".split())
say("text", cur.execute(shape, values).fetchall())
binary = conn.cursor(binary=True)
say("binary", binary.execute(shape, values).fetchall())
say("formats", [c.type_code for c in binary.description])
for name in ("products", "orders", "employees", "customers", "cards"):
    rows = binary.execute(f"SELECT * FROM {name} ORDER BY id LIMIT 3").fetchall()
    say(f"binary {name}", rows)
for i in range(1, 21):
    row = cur.execute("SELECT id, title FROM products WHERE id = %s", (i,), prepare=True).fetchone()
    if i % 5 == 0:
        say(f"prepared {i}", row)
say("dicts", conn.cursor(row_factory=dict_row).execute("SELECT id, status FROM orders ORDER BY id LIMIT 2").fetchall())
refused("division", lambda: cur.execute("SELECT 1/0"))
try:
    cur.execute("SELEC 1")
except psycopg.Error as error:  # what does not parse is refused by the gate itself, in its own words
    say("syntax", error.sqlstate)
refused("prepared syntax", lambda: cur.execute("SELECT * FROM nowhere WHERE i = %s", (1,), prepare=True))
say("several", [cur.execute("SELECT 1; SELECT 2, 3").fetchall(), cur.nextset(), cur.fetchall(), cur.nextset()])

cur.execute("CREATE TABLE psy (id int PRIMARY KEY, v text, n numeric)")
cur.executemany("INSERT INTO psy VALUES (%s, %s, %s)", [(i, f"v{i}", decimal.Decimal(i) / 7) for i in range(200)])
say("executemany", cur.execute("SELECT count(*), sum(n) FROM psy").fetchone())
cur.executemany("INSERT INTO psy VALUES (%s, 'r', 0) RETURNING id", [(1000,), (1001,)], returning=True)
say("returning", [cur.fetchone(), cur.nextset(), cur.fetchone()])

with conn.transaction():
    cur.execute("DELETE FROM psy WHERE id >= 1000")
    try:
        with conn.transaction():
            cur.execute("INSERT INTO psy VALUES (1)")
    except psycopg.errors.UniqueViolation as error:
        say("nested", error.diag.constraint_name)
    say("status", conn.info.transaction_status.name)
    say("inside", cur.execute("SELECT count(*) FROM psy").fetchone())
say("status", conn.info.transaction_status.name)
cur.execute("BEGIN")
refused("fails", lambda: cur.execute("SELECT 1/0"))
say("status", conn.info.transaction_status.name)
refused("failed transaction", lambda: cur.execute("SELECT 1"))
cur.execute("ROLLBACK")

with conn.pipeline() as pipeline:
    results = [conn.execute("SELECT %s::int * 2", (i,)) for i in range(30)]
    pipeline.sync()
    say("pipeline", [one.fetchone()[0] for one in results])
try:
    with conn.pipeline():
        conn.execute("INSERT INTO psy VALUES (5000, 'a', 1)")
        conn.execute("SELECT 1/0")
        conn.execute("INSERT INTO psy VALUES (5001, 'b', 2)")
except psycopg.Error as error:
    say("pipeline aborted", error.sqlstate)
say("pipeline undone", cur.execute("SELECT count(*) FROM psy WHERE id >= 5000").fetchone())

with cur.copy("COPY psy (id, v, n) FROM STDIN") as copy:
    for i in range(10000, 13000):
        copy.write_row((i, "tab\there\nline \\ ü", decimal.Decimal(i)))
with cur.copy("COPY psy (id, v, n) FROM STDIN (FORMAT BINARY)") as copy:
    copy.set_types(["int4", "text", "numeric"])
    for i in range(20000, 20100):
        copy.write_row((i, None, decimal.Decimal("0.5")))
say("copied in", cur.execute("SELECT count(*), min(v) FROM psy WHERE id >= 10000").fetchone())
with cur.copy("COPY (SELECT id, v FROM psy WHERE id BETWEEN 10000 AND 10002 ORDER BY id) TO STDOUT") as copy:
    say("copied out", list(copy.rows()))
with cur.copy("COPY (SELECT id, n FROM psy WHERE id < 3 ORDER BY id) TO STDOUT (FORMAT BINARY)") as copy:
    copy.set_types(["int4", "numeric"])
    say("copied out binary", list(copy.rows()))


def broken_copy():
    with cur.copy("COPY psy FROM STDIN") as copy:
        copy.write("not a number\tx\t1\n")


def abandoned_copy():
    with cur.copy("COPY psy FROM STDIN") as copy:
        copy.write("77777\tx\t1\n")
        raise RuntimeError("changed my mind")


refused("copy fails", broken_copy)
try:
    abandoned_copy()
except RuntimeError as error:
    say("copy abandoned", str(error))
say("copy undone", cur.execute("SELECT count(*) FROM psy WHERE id = 77777").fetchone())

with conn.transaction(), conn.cursor(name="server side") as named:
    named.itersize = 500
    named.execute("SELECT id FROM psy ORDER BY id")
    say("server-side", [named.fetchone(), len(named.fetchmany(100)), len(named.fetchall())])
with conn.transaction(), conn.cursor(name="scrolling", scrollable=True) as named:
    named.execute("SELECT id FROM psy ORDER BY id")
    named.scroll(10)
    say("scrolled", [named.fetchone(), named.scroll(-5), named.fetchone()])
say("stream", sum(1 for _ in cur.stream("SELECT i FROM generate_series(1, 3000) i")))

conn.execute("LISTEN psy_channel")
other = psycopg.connect(autocommit=True)
other.execute("NOTIFY psy_channel, 'hello'")
for note in conn.notifies(timeout=5, stop_after=1):
    say("notify", (note.channel, note.payload))
notices = []
conn.add_notice_handler(lambda diag: notices.append((diag.severity, diag.message_primary)))
conn.execute("DO $$ BEGIN RAISE WARNING 'careful'; END $$")
say("notices", notices)
threading.Timer(0.3, other.cancel).start()
refused("canceled", lambda: other.execute("SELECT pg_sleep(20)"))
threading.Timer(0.3, lambda: other.cancel_safe(timeout=5)).start()
refused("canceled safely", lambda: other.execute("SELECT pg_sleep(20)"))
say("after cancel", other.execute("SELECT 1").fetchone())
other.close()
say("large", len(cur.execute("SELECT repeat('z', 4000000)").fetchone()[0]))
say("large in", cur.execute("SELECT length(%s::text)", ("ü" * 500000,)).fetchone())

tpc = psycopg.connect()
tpc.execute("SELECT 1")
say("implicit transaction", tpc.info.transaction_status.name)
tpc.rollback()
tpc.close()
cur.execute("DROP TABLE psy")
conn.close()
