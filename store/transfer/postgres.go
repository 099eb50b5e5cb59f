package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/postgres"
)

// A postgresDB is a schema of a PostgreSQL database.
type postgresDB struct {
	pool   *pgxpool.Pool
	schema string
}

// openPostgresSource opens the desk in a schema to read from it. Its log is numbered
// to the end first.
func openPostgresSource(ctx context.Context, address string) (*postgresDB, error) {
	desk, err := postgres.Open(ctx, address, &postgres.Options{Migrate: store.MigrateCheck})
	if err != nil {
		return nil, err
	}
	defer desk.Close()
	d, err := openSchema(ctx, address)
	if err != nil {
		return nil, err
	}
	if err := d.settle(ctx, desk); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

// openPostgresTarget opens a schema to write to it, and makes it if it is not there.
func openPostgresTarget(ctx context.Context, address string) (*postgresDB, error) {
	desk, failed := postgres.Open(ctx, address, nil)
	if failed == nil {
		failed = desk.Close()
	}
	d, err := openSchema(ctx, address)
	if err != nil {
		return nil, cmp.Or(failed, err)
	}
	if failed == nil {
		return d, nil
	}
	if half, err := d.marked(ctx, d.pool); err == nil && half {
		return d, nil // which is why it is no desk
	}
	d.close()
	return nil, failed
}

// openSchema connects to a database.
func openSchema(ctx context.Context, address string) (*postgresDB, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("the URL cannot be read") // it may have a password
	}
	q := u.Query()
	schema := cmp.Or(q.Get("schema"), postgres.DefaultSchema)
	q.Del("schema")
	u.RawQuery = q.Encode()
	config, err := pgxpool.ParseConfig(u.String())
	if err != nil {
		return nil, errors.New("the URL cannot be read")
	}
	config.ConnConfig.RuntimeParams["application_name"] = "answerdesk copy"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	return &postgresDB{pool, schema}, err
}

func (d *postgresDB) close() { d.pool.Close() }

// name returns a table with its schema.
func (d *postgresDB) name(table string) string { return pgx.Identifier{d.schema, table}.Sanitize() }

// A pgQuerier is a pool or a transaction.
type pgQuerier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

func (d *postgresDB) marked(ctx context.Context, q pgQuerier) (half bool, err error) {
	if err := q.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, d.name("schema_version")).Scan(&half); err != nil || !half {
		return false, err
	}
	err = q.QueryRow(ctx, `SELECT EXISTS (SELECT FROM `+d.name("schema_version")+` WHERE version = $1)`, markVersion).Scan(&half)
	return half, err
}

// settle numbers the events that have no position yet, which reading a log to its
// end does.
func (d *postgresDB) settle(ctx context.Context, desk store.Log) error {
	rows, err := d.pool.Query(ctx, `SELECT DISTINCT company FROM `+d.name("events")+` WHERE position = 0`)
	if err != nil {
		return err
	}
	companies, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, company := range companies {
		for after := ""; ; {
			events, err := desk.Events(ctx, company, after, 1000)
			if err != nil {
				return err
			}
			if len(events) == 0 {
				break
			}
			after = events[len(events)-1].Cursor
		}
	}
	return nil
}

func (d *postgresDB) tables(ctx context.Context) ([]table, error) {
	rows, err := d.pool.Query(ctx, `SELECT c.relname, a.attname, format_type(a.atttypid, NULL),
			COALESCE(array_position(i.indkey::int2[], a.attnum) + 1, 0)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
			LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
		WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition
		ORDER BY c.relname, a.attnum`, d.schema)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	tables, err := readTables(rows, false)
	return tables, cmp.Or(rows.Err(), err)
}

func (d *postgresDB) begin(ctx context.Context, tables []table, restart bool) error {
	return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO `+d.name("schema_version")+` (version, name, sha256, applied_at)
			VALUES ($1, $2, '', $3) ON CONFLICT DO NOTHING`, markVersion, markName, time.Now().UnixMicro())
		if err != nil {
			return err
		}
		half := tag.RowsAffected() == 0
		if half {
			if err := d.hold(ctx, tx); err != nil || !restart {
				return err
			}
		}
		for _, t := range tables {
			_, born := untouched[t.name]
			if !half {
				var n int
				if err := tx.QueryRow(ctx, t.filled(d.name(t.name))).Scan(&n); err != nil {
					return err
				}
				if n > 0 {
					return fmt.Errorf("table %s: %w", t.name, ErrNotEmpty)
				}
			}
			if half || born {
				if _, err := tx.Exec(ctx, `TRUNCATE `+d.name(t.name)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// patient lets statements of a transaction take as long as large tables do.
func patient(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `SET LOCAL statement_timeout = 0`)
	return err
}

// hold waits until no other copy writes, also one that was killed a moment ago, and
// keeps others out until the transaction ends.
func (d *postgresDB) hold(ctx context.Context, tx pgx.Tx) error {
	tag, err := tx.Exec(ctx, `SELECT FROM `+d.name("schema_version")+` WHERE version = $1 FOR UPDATE`, markVersion)
	if err == nil && tag.RowsAffected() == 0 {
		err = errUnmarked
	}
	return err
}

func (d *postgresDB) write(ctx context.Context, t table, b *batches) (n int64, err error) {
	var columns []string
	for _, c := range t.columns {
		columns = append(columns, c.name)
	}
	err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		if err := errors.Join(patient(ctx, tx), d.hold(ctx, tx)); err != nil {
			return err
		}
		n, err = tx.CopyFrom(ctx, pgx.Identifier{d.schema, t.name}, columns, &copySource{batches: b})
		return err
	})
	if coded, ok := errors.AsType[*pgconn.PgError](err); ok && coded.Code == "23505" { // unique_violation
		err = fmt.Errorf("%w (%w)", errTwice, err)
	}
	return n, err
}

// A copySource is a batch in the words of pgx.
type copySource struct {
	*batches
	row row
}

func (s *copySource) Next() bool             { s.row = s.take(); return s.row != nil }
func (s *copySource) Values() ([]any, error) { return s.row, nil }
func (s *copySource) Err() error             { return s.err }

// finish tells the planner what the tables hold, and lets the log go on after the
// last position that was copied, which SQLite reads from the events themselves.
func (d *postgresDB) finish(ctx context.Context) error {
	tables, err := d.tables(ctx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if _, err := d.pool.Exec(ctx, `ANALYZE `+d.name(t.name)); err != nil {
			return err
		}
	}
	return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO `+d.name("streams")+` (company, stream, events)
			SELECT company, '', MAX(position) FROM `+d.name("events")+` GROUP BY company`)
		if err == nil {
			_, err = tx.Exec(ctx, `DELETE FROM `+d.name("schema_version")+` WHERE version = $1`, markVersion)
		}
		return err
	})
}

func (d *postgresDB) read(ctx context.Context) (reader, error) {
	tx, err := d.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, err
	}
	r := postgresReader{d, tx}
	if err := patient(ctx, tx); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// A postgresReader reads in one transaction.
type postgresReader struct {
	*postgresDB
	tx pgx.Tx
}

func (r postgresReader) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = r.tx.Rollback(ctx) // it has written nothing
}

func (r postgresReader) count(ctx context.Context, t table) (n int64, err error) {
	err = r.tx.QueryRow(ctx, t.counting(r.name(t.name))).Scan(&n)
	return n, err
}

func (r postgresReader) last(ctx context.Context, t table) (row, error) {
	for values, err := range r.query(ctx, t, t.lasting(r.name(t.name))) {
		return values, err
	}
	return nil, nil
}

func (r postgresReader) rows(ctx context.Context, t table, after row) iter.Seq2[row, error] {
	if after == nil {
		return r.query(ctx, t, t.query(r.name(t.name), nil))
	}
	return r.query(ctx, t, t.query(r.name(t.name), postgresParam), t.keyOf(after)...)
}

// postgresParam is how PostgreSQL writes a parameter.
func postgresParam(i int) string { return "$" + strconv.Itoa(i+1) }

func (r postgresReader) query(ctx context.Context, t table, query string, args ...any) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		rows, err := r.tx.Query(ctx, query, args...)
		if err != nil {
			yield(nil, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			values, err := rows.Values()
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
