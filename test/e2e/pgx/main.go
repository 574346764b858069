// A session of typical use with pgx 5: binary formats, statement cache, batches, COPY, LISTEN, cancel. Reads PG... variables.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

var ctx = context.Background()

func say(label string, value any) { fmt.Printf("%s: %#v\n", label, value) }

func check(err error) {
	if err != nil {
		fmt.Println("FATAL", err)
		os.Exit(1)
	}
}

func refused(label string, err error) {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		say(label, []any{pg.Code, pg.Severity, pg.Message, pg.Detail, pg.Hint, pg.Position, pg.ConstraintName})
	} else {
		fmt.Printf("%s: %v\n", label, err)
	}
}

func rows(conn *pgx.Conn, sql string, args ...any) []string {
	result, err := conn.Query(ctx, sql, args...)
	check(err)
	list, err := pgx.CollectRows(result, func(row pgx.CollectableRow) (string, error) {
		values, err := row.Values()
		return fmt.Sprintf("%v", values), err
	})
	check(err)
	return list
}

func main() {
	conn, err := pgx.Connect(ctx, "")
	check(err)
	for _, table := range []string{"customers", "cards", "products", "employees"} {
		say(table, rows(conn, "SELECT * FROM "+table+" WHERE id <= $1 ORDER BY id", 3))
	}
	say("orders", rows(conn, "SELECT id, customer_id, placed_at AT TIME ZONE 'UTC', status, total FROM orders ORDER BY id LIMIT 3"))
	say("types", rows(conn, "SELECT $1::int, $2::text, $3::numeric, $4::bool, $5::jsonb, $6::int[], $7::date, $8::bytea, $9::float8, $10::uuid, $11::inet, $12::interval",
		42, "Ünïcode 🦉", "12345.678", true, map[string]any{"a": []int{1}}, []int{1, 2}, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), []byte{0, 255}, 1.25,
		"f47ac10b-58cc-4372-a567-0e02b2c3d479", "10.0.0.1/8", time.Hour))
	for i := 1; i <= 20; i++ {
		var title string
		check(conn.QueryRow(ctx, "SELECT title FROM products WHERE id = $1", i).Scan(&title))
		if i%10 == 0 {
			say("again", title)
		}
	}
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		var sum int
		check(conn.QueryRow(ctx, "SELECT $1::int + $2::int", mode, 1, 2).Scan(&sum))
		say(mode.String(), sum)
		_, err = conn.Exec(ctx, "SELECT 1 / $1::int", mode, 0)
		refused(mode.String(), err)
	}
	_, err = conn.Exec(ctx, "SELEC 1")
	var syntax *pgconn.PgError
	// What does not parse is refused by the gate itself, in its own words.
	say("syntax", errors.As(err, &syntax) && syntax.Code == "42601")
	_, err = conn.Exec(ctx, "SELECT * FROM nowhere WHERE i = $1", 1)
	refused("no table", err)
	say("several", must(conn.PgConn().Exec(ctx, "SELECT 1; SELECT 2; CREATE TEMP TABLE t0 (i int)").ReadAll()))

	_, err = conn.Exec(ctx, "CREATE TABLE pgx_table (id int PRIMARY KEY, v text, n numeric)")
	check(err)
	copied, err := conn.CopyFrom(ctx, pgx.Identifier{"pgx_table"}, []string{"id", "v", "n"}, pgx.CopyFromSlice(5000, func(i int) ([]any, error) {
		return []any{i, fmt.Sprintf("v%d\tü", i), pgtype.Numeric{Int: nil, Valid: false}}, nil
	}))
	check(err)
	say("copied in", copied)
	_, err = conn.CopyFrom(ctx, pgx.Identifier{"pgx_table"}, []string{"id"}, pgx.CopyFromRows([][]any{{1}}))
	refused("copy fails", err)
	var out strings.Builder
	tag, err := conn.PgConn().CopyTo(ctx, &out, "COPY (SELECT id, v FROM pgx_table ORDER BY id LIMIT 100) TO STDOUT")
	check(err)
	say("copied out", []any{tag.String(), len(out.String())})

	batch := &pgx.Batch{}
	for i := 0; i < 40; i++ {
		batch.Queue("SELECT id, v FROM pgx_table WHERE id = $1", i)
	}
	batch.Queue("UPDATE pgx_table SET v = $1 WHERE id < $2", "batched", 10)
	results := conn.SendBatch(ctx, batch)
	total := 0
	for i := 0; i < 40; i++ {
		var id int
		var v string
		check(results.QueryRow().Scan(&id, &v))
		total += id
	}
	tag, err = results.Exec()
	check(err)
	check(results.Close())
	say("batch", []any{total, tag.String()})
	failing := &pgx.Batch{}
	failing.Queue("INSERT INTO pgx_table VALUES (90001)")
	failing.Queue("SELECT 1 / $1::int", 0)
	failing.Queue("INSERT INTO pgx_table VALUES (90002)")
	refused("batch fails", conn.SendBatch(ctx, failing).Close())
	say("batch undone", rows(conn, "SELECT count(*) FROM pgx_table WHERE id > 90000"))
	pipeline := conn.PgConn().StartPipeline(ctx)
	pipeline.SendPrepare("piped", "SELECT $1::int * 2", nil)
	check(pipeline.Sync())
	for i := 0; i < 3; i++ {
		pipeline.SendQueryPrepared("piped", [][]byte{[]byte(fmt.Sprint(i))}, nil, nil)
		pipeline.SendQueryParams("SELECT 1 / $1::int", [][]byte{[]byte(fmt.Sprint(i))}, nil, nil, nil)
		check(pipeline.Sync())
	}
	for syncs := 0; syncs < 4; {
		result, err := pipeline.GetResults()
		switch result := result.(type) {
		case *pgconn.ResultReader:
			read := result.Read()
			say("pipeline", []any{read.Rows, read.CommandTag.String(), read.Err != nil})
		case *pgconn.PipelineSync:
			syncs++
		case nil:
			if err != nil {
				refused("pipeline", err)
			}
		}
	}
	check(pipeline.Close())

	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	check(err)
	_, err = tx.Exec(ctx, "DELETE FROM pgx_table WHERE id >= $1", 4000)
	check(err)
	nested, err := tx.Begin(ctx)
	check(err)
	_, err = nested.Exec(ctx, "INSERT INTO pgx_table VALUES (1)")
	refused("duplicate", err)
	check(nested.Rollback(ctx))
	say("status", string(conn.PgConn().TxStatus()))
	check(tx.Commit(ctx))
	say("status", string(conn.PgConn().TxStatus()))
	say("left", rows(conn, "SELECT count(*) FROM pgx_table"))
	_, err = conn.Exec(ctx, "BEGIN; SELECT 1/0")
	refused("in block", err)
	say("status", string(conn.PgConn().TxStatus()))
	_, err = conn.Exec(ctx, "ROLLBACK")
	check(err)

	listener, err := pgx.Connect(ctx, "")
	check(err)
	_, err = listener.Exec(ctx, "LISTEN pgx_channel")
	check(err)
	_, err = conn.Exec(ctx, "SELECT pg_notify('pgx_channel', $1)", "hello")
	check(err)
	note, err := listener.WaitForNotification(ctx)
	check(err)
	say("notified", []string{note.Channel, note.Payload})
	go func() {
		time.Sleep(300 * time.Millisecond)
		check(listener.PgConn().CancelRequest(ctx))
	}()
	_, err = listener.Exec(ctx, "SELECT pg_sleep(20)")
	refused("canceled", err)
	say("after cancel", rows(listener, "SELECT 1"))
	check(listener.Close(ctx))
	impatient, stop := context.WithTimeout(ctx, 300*time.Millisecond)
	hasty, err := pgx.Connect(ctx, "")
	check(err)
	_, err = hasty.Exec(impatient, "SELECT pg_sleep(20)")
	stop()
	say("deadline", pgconn.Timeout(err))

	pool, err := pgxpool.New(ctx, "pool_max_conns=8")
	check(err)
	var group sync.WaitGroup
	sums := make([]int, 200)
	for i := range sums {
		group.Add(1)
		go func() {
			defer group.Done()
			check(pool.QueryRow(ctx, "SELECT count(*)::int + $1::int FROM pgx_table WHERE id < 100", i).Scan(&sums[i]))
		}()
	}
	group.Wait()
	say("pool", []int{sums[0], sums[100], sums[199]})
	pool.Close()

	var big string
	check(conn.QueryRow(ctx, "SELECT repeat('x', $1)", 5_000_000).Scan(&big))
	say("large", len(big))
	_, err = conn.Exec(ctx, "DROP TABLE pgx_table")
	check(err)
	check(conn.Close(ctx))
}

func must(results []*pgconn.Result, err error) []string {
	check(err)
	list := []string{}
	for _, result := range results {
		list = append(list, fmt.Sprint(result.CommandTag.String(), len(result.Rows)))
	}
	return list
}
