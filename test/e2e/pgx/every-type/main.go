// Reads tables of every type with pgx 5: prints each cell that it saw (table, way, row, column, value), once. Arguments: the tables; reads PG... variables.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
)

var ctx = context.Background()
var said = map[string]bool{}

func say(parts ...any) {
	texts := []string{}
	for _, part := range parts {
		texts = append(texts, fmt.Sprint(part))
	}
	line := strings.Join(texts, "\t")
	if !said[line] {
		fmt.Println(line)
	}
	said[line] = true
}

func check(err error) {
	if err != nil {
		fmt.Println("FATAL", err)
		os.Exit(1)
	}
}

func rows(table, way string, result pgx.Rows, err error) int {
	check(err)
	defer result.Close()
	count := 0
	for ; result.Next(); count++ {
		raw := result.RawValues()
		values, err := result.Values()
		for i, field := range result.FieldDescriptions()[1:] {
			value := "NULL"
			if raw[i+1] != nil {
				value = fmt.Sprintf("=%x", raw[i+1])
			}
			say(table, way+" raw", id(result), field.Name, value)
			if err == nil && raw[i+1] != nil {
				value = fmt.Sprintf("=%v", values[i+1])
			}
			say(table, way, id(result), field.Name, value)
		}
		if err != nil { // what Go has no value for
			say(table, way, id(result), "error")
		}
	}
	check(result.Err())
	return count
}

func id(result pgx.Rows) (id int) {
	check(result.Conn().TypeMap().Scan(23, result.FieldDescriptions()[0].Format, result.RawValues()[0], &id))
	return id
}

func main() {
	conn, err := pgx.Connect(ctx, "")
	check(err)
	modes := []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol}
	for _, table := range os.Args[1:] {
		for _, mode := range modes {
			count := 0
			for i := 0; i < 33; i++ {
				from, to := 0, 1
				if i >= 20 {
					from, to = i-18, i-18
				}
				result, err := conn.Query(ctx, "SELECT * FROM masked."+table+" WHERE id BETWEEN $1 AND $2", mode, from, to)
				count += rows(table, mode.String(), result, err)
			}
			say(table, mode.String(), "rows", count)
		}
		tx, err := conn.Begin(ctx)
		check(err)
		_, err = tx.Exec(ctx, "DECLARE "+table+"_c CURSOR FOR SELECT * FROM masked."+table+" ORDER BY id")
		check(err)
		for {
			result, err := tx.Query(ctx, "FETCH 2 FROM "+table+"_c")
			if rows(table, "cursor", result, err) == 0 {
				break
			}
		}
		check(tx.Commit(ctx))
	}
	check(conn.Close(ctx))
}
