package transfer

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// A folderDB is the SQLite database in a folder.
type folderDB struct {
	db   *sql.DB
	desk *sqlite.Store // keeps the source open as a desk of this version
}

// openFolderSource opens the desk in a folder to read from it.
func openFolderSource(ctx context.Context, dir string) (*folderDB, error) {
	desk, err := sqlite.Open(ctx, dir, &sqlite.Options{Migrate: store.MigrateCheck})
	if err != nil {
		return nil, err
	}
	d, err := openFile(dir, "ro", "query_only(1)")
	if err != nil {
		return nil, errors.Join(err, desk.Close())
	}
	d.desk = desk
	return d, nil
}

// openFolderTarget opens the database in a folder to write to it, and makes it if
// it is not there.
func openFolderTarget(ctx context.Context, dir string) (*folderDB, error) {
	desk, failed := sqlite.Open(ctx, dir, nil)
	if failed == nil {
		failed = desk.Close()
	}
	if _, err := os.Stat(filepath.Join(dir, sqlite.FileName)); failed != nil && err != nil {
		return nil, failed
	}
	d, err := openFile(dir, "rw", "synchronous(FULL)")
	if err != nil || failed == nil {
		return d, cmp.Or(failed, err)
	}
	if half, err := marked(ctx, d.db); err == nil && half {
		return d, nil // which is why it is no desk
	}
	d.close()
	return nil, failed
}

func openFile(dir, mode, pragma string) (*folderDB, error) {
	path, err := filepath.Abs(filepath.Join(dir, sqlite.FileName))
	if err != nil {
		return nil, err
	}
	q := url.Values{"mode": {mode}, "_pragma": {"busy_timeout(10000)", "fullfsync(1)", pragma}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, err
	}
	return &folderDB{db: db}, nil
}

func (d *folderDB) close() {
	_ = d.db.Close() // what was to be durable is
	if d.desk != nil {
		_ = d.desk.Close()
	}
}

// A querier is a database or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func marked(ctx context.Context, q querier) (bool, error) {
	var n int
	err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_master WHERE name = 'schema_version'`).Scan(&n)
	if err == nil && n > 0 {
		err = q.QueryRowContext(ctx, `SELECT COUNT(*) FROM schema_version WHERE version = ?`, markVersion).Scan(&n)
	}
	return n > 0, err
}

func (d *folderDB) tables(ctx context.Context) ([]table, error) {
	rows, err := d.db.QueryContext(ctx, `SELECT t.name, c.name, c.type, c.pk FROM sqlite_master t, pragma_table_info(t.name) c
		WHERE t.type = 'table' ORDER BY t.name, c.cid`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	tables, err := readTables(rows, true)
	return tables, cmp.Or(rows.Err(), err)
}

// readTables reads tables from rows of table, column, type and place in the primary
// key. Their own error is the caller's to look at.
func readTables(rows interface {
	Next() bool
	Scan(...any) error
}, ordered bool) ([]table, error) {
	var (
		tables  []table
		columns []column
		places  []int
		last    string
	)
	end := func() error {
		if len(columns) == 0 {
			return nil
		}
		t, err := newTable(last, columns, places)
		t.ordered = ordered
		tables, columns, places = append(tables, t), nil, nil
		return err
	}
	for rows.Next() {
		var (
			name, col, typ string
			place          int
		)
		if err := rows.Scan(&name, &col, &typ, &place); err != nil {
			return nil, err
		}
		if skipped(name) {
			continue
		}
		if name != last {
			if err := end(); err != nil {
				return nil, err
			}
			last = name
		}
		k, err := kindOf(name, col, typ)
		if err != nil {
			return nil, err
		}
		columns, places = append(columns, column{col, k}), append(places, place)
	}
	if err := end(); err != nil {
		return nil, err
	}
	if len(tables) == 0 {
		return nil, errors.New("there are no tables")
	}
	return tables, nil
}

func (d *folderDB) begin(ctx context.Context, tables []table, restart bool) error {
	return d.transaction(ctx, func(tx *sql.Conn) error {
		half, err := marked(ctx, tx)
		if err != nil {
			return err
		}
		if half && !restart {
			return nil
		}
		for _, t := range tables {
			if half {
				if _, err := tx.ExecContext(ctx, `DELETE FROM `+quote(t.name)); err != nil {
					return err
				}
				continue
			}
			var n int
			if err := tx.QueryRowContext(ctx, t.filled(quote(t.name))).Scan(&n); err != nil {
				return err
			}
			if n > 0 {
				return fmt.Errorf("table %s: %w", t.name, ErrNotEmpty)
			}
			if _, ok := untouched[t.name]; ok {
				if _, err := tx.ExecContext(ctx, `DELETE FROM `+quote(t.name)); err != nil {
					return err
				}
			}
		}
		if half {
			return nil
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO schema_version (version, name, sha256, applied_at) VALUES (?, ?, '', ?)`,
			markVersion, markName, time.Now().UnixMicro())
		return err
	})
}

// transaction runs fn in a transaction that nobody else writes beside.
func (d *folderDB) transaction(ctx context.Context, fn func(*sql.Conn) error) error {
	c, err := d.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := fn(c); err != nil {
		_, rolled := c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(err, rolled)
	}
	_, err = c.ExecContext(ctx, "COMMIT")
	return err
}

func (d *folderDB) write(ctx context.Context, t table, b *batches) (n int64, err error) {
	insert := "INSERT INTO " + quote(t.name) + " (" + t.names() + ") VALUES (?" + strings.Repeat(", ?", len(t.columns)-1) + ")"
	err = d.transaction(ctx, func(tx *sql.Conn) error {
		if half, err := marked(ctx, tx); err != nil || !half {
			return errors.Join(err, errUnmarked)
		}
		st, err := tx.PrepareContext(ctx, insert)
		if err != nil {
			return err
		}
		defer st.Close()
		for r := b.take(); r != nil; r = b.take() {
			if _, err := st.ExecContext(ctx, r...); err != nil {
				return err
			}
			n++
		}
		return b.err
	})
	var coded interface{ Code() int }
	if errors.As(err, &coded) && coded.Code()&0xff == 19 { // SQLITE_CONSTRAINT
		err = fmt.Errorf("%w (%w)", errTwice, err)
	}
	return n, err
}

// What stops a copy that is not alone.
var (
	errUnmarked = errors.New("another copy into it has ended meanwhile")
	errTwice    = errors.New("a row is there already: another copy into it is running, or it was begun from another state of the desk, and has to be begun anew")
)

func (d *folderDB) finish(ctx context.Context) error {
	return d.transaction(ctx, func(tx *sql.Conn) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM schema_version WHERE version = ?`, markVersion)
		return err
	})
}

func (d *folderDB) read(ctx context.Context) (reader, error) {
	tx, err := d.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	return folderReader{tx}, nil
}

// A folderReader reads in one transaction.
type folderReader struct{ tx *sql.Tx }

func (r folderReader) close() { _ = r.tx.Rollback() }

func (r folderReader) count(ctx context.Context, t table) (n int64, err error) {
	err = r.tx.QueryRowContext(ctx, t.counting(quote(t.name))).Scan(&n)
	return n, err
}

func (r folderReader) last(ctx context.Context, t table) (row, error) {
	for values, err := range r.query(ctx, t, t.lasting(quote(t.name))) {
		return values, err
	}
	return nil, nil
}

func (r folderReader) rows(ctx context.Context, t table, after row) iter.Seq2[row, error] {
	if after == nil {
		return r.query(ctx, t, t.query(quote(t.name), nil))
	}
	return r.query(ctx, t, t.query(quote(t.name), sqliteParam), t.keyOf(after)...)
}

// sqliteParam is how SQLite writes a parameter.
func sqliteParam(int) string { return "?" }

func (r folderReader) query(ctx context.Context, t table, query string, args ...any) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		rows, err := r.tx.QueryContext(ctx, query, args...)
		if err != nil {
			yield(nil, err)
			return
		}
		defer rows.Close()
		into := make([]any, len(t.columns))
		for rows.Next() {
			values := make([]any, len(t.columns))
			for i := range values {
				into[i] = &values[i]
			}
			err := rows.Scan(into...)
			var out row
			if err == nil {
				out, err = newRow(t, values)
			}
			if !yield(out, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		}
	}
}
