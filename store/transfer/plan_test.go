package transfer

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// No table is sorted to be read in the order of its key, on either side: an index
// has that order, so that a large table costs no more memory than a small one.
func TestPlans(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "desk")
	st, err := sqlite.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	here, err := openFolderSource(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer here.close()
	there, err := openPostgresTarget(t.Context(), pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer there.close()
	ours, err := here.tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := there.tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tables, err := match(theirs, ours)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := there.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(t.Context(), `SET enable_seqscan = off; SET enable_sort = off; SET enable_incremental_sort = off`); err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		key := make([]any, len(table.key))
		for i, k := range table.key {
			key[i] = any("x")
			if table.columns[k].kind == integer {
				key[i] = int64(1)
			}
		}
		for _, q := range []struct {
			sqlite, postgres string
			args             []any
		}{
			{table.query(quote(table.name), nil), table.query(there.name(table.name), nil), nil},
			{table.query(quote(table.name), sqliteParam), table.query(there.name(table.name), postgresParam), key},
			{table.lasting(quote(table.name)), table.lasting(there.name(table.name)), nil},
		} {
			if plan := explained(t, here, q.sqlite, q.args); strings.Contains(plan, "TEMP B-TREE") {
				t.Errorf("SQLite sorts for %s:\n%s", q.sqlite, plan)
			}
			plan, err := conn.Query(t.Context(), "EXPLAIN "+q.postgres, append([]any{pgx.QueryExecModeExec}, q.args...)...)
			if err != nil {
				t.Fatal(err)
			}
			lines, err := pgx.CollectRows(plan, pgx.RowTo[string])
			if err != nil {
				t.Fatalf("%s: %v", q.postgres, err)
			}
			if all := strings.Join(lines, "\n"); strings.Contains(all, "Sort") {
				t.Errorf("PostgreSQL sorts for %s:\n%s", q.postgres, all)
			}
		}
	}
}

// explained returns SQLite's plan of a query.
func explained(t testing.TB, d *folderDB, query string, args []any) string {
	t.Helper()
	rows, err := d.db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(plan, "\n")
}
