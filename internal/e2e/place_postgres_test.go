package e2e

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/answerdesk-go/answerdesk/store/postgres"
)

// newSchema returns the place of a new schema in a database, which is dropped when
// the test ends.
func newSchema(t testing.TB, base string) string {
	t.Helper()
	schema := "e2e_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	place := with(t, base, "schema", schema)
	t.Cleanup(func() {
		db, err := rawURL(place)
		if err != nil {
			t.Error(err)
			return
		}
		defer db.Close()
		if _, err := db.ExecContext(context.Background(), `DROP SCHEMA IF EXISTS `+schema+` CASCADE`); err != nil {
			t.Errorf("drop schema %s: %v", schema, err)
		}
	})
	return place
}

// with returns a URL with one more parameter.
func with(t testing.TB, base, name, value string) string {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatalf("%s is no URL", storeVar) // which may have a password
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

// rawURL opens the database of a schema beside the store.
func rawURL(place string) (database, error) {
	u, err := url.Parse(place)
	if err != nil {
		return nil, err
	}
	q := u.Query()
	schema := cmp.Or(q.Get("schema"), postgres.DefaultSchema)
	q.Del("schema")
	u.RawQuery = q.Encode()
	config, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["search_path"] = schema
	config.RuntimeParams["application_name"] = "beside"
	return numbered{stdlib.OpenDB(*config)}, nil
}

// A numbered is a database whose own parameters are numbered.
type numbered struct{ *sql.DB }

func (n numbered) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return n.DB.QueryContext(ctx, number(query), args...)
}

func (n numbered) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return n.DB.ExecContext(ctx, number(query), args...)
}

func number(query string) string {
	for i := 1; strings.Contains(query, "?"); i++ {
		query = strings.Replace(query, "?", "$"+strconv.Itoa(i), 1)
	}
	return query
}

// left waits until nobody is connected to a database under a name: what a process
// that was killed had sent to be committed is then there, or never will be.
func left(t testing.TB, place, name string) {
	t.Helper()
	db, err := rawURL(place)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for begun := time.Now(); ; time.Sleep(2 * time.Millisecond) { // the server tells nobody
		n := 0
		err := each(t.Context(), db, `SELECT 1 FROM pg_stat_activity WHERE application_name = ?`, func(*sql.Rows) error { n++; return nil }, name)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
		if time.Since(begun) > 5*time.Minute {
			t.Fatalf("%d connections of a process that has ended are still there", n)
		}
	}
}

// columns calls look with the values of every column of every table of a schema.
func columns(t testing.TB, place string, look func(table, column, text string)) {
	t.Helper()
	db, err := rawURL(place)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	type column struct{ table, name, kind string }
	var all []column
	err = each(t.Context(), db, `SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema()`, func(r *sql.Rows) error {
		var c column
		err := r.Scan(&c.table, &c.name, &c.kind)
		all = append(all, c)
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d columns, %v", len(all), err)
	}
	for _, c := range all {
		value := c.name + "::text"
		if c.kind == "bytea" {
			value = "encode(" + c.name + ", 'escape')"
		}
		err := each(t.Context(), db, fmt.Sprintf(`SELECT %s FROM %s WHERE %s IS NOT NULL`, value, c.table, c.name), func(r *sql.Rows) error {
			var text string
			err := r.Scan(&text)
			look(c.table, c.name, text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
