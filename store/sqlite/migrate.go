package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/internal/schema"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations returns the files that make the schema, in the order of their
// names, for teams that run them with a tool of their own.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

// migrate brings the schema up to date in one transaction, so that of several
// processes one does it and the others find it done.
func migrate(ctx context.Context, conn *sql.Conn, mode store.Migrate) error {
	if err := mode.Check(); err != nil {
		return err
	}
	ms, err := schema.Read(Migrations())
	if err != nil {
		return err
	}
	if mode == store.MigrateOff {
		return refuseHalf(ctx, conn, ms)
	}
	if done, err := applied(ctx, conn, ms); err != nil || done == len(ms) {
		return err
	} else if mode == store.MigrateCheck {
		return schema.Behind(done, len(ms))
	}
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := apply(ctx, conn, ms); err != nil {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return err
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}

// apply runs the migrations that have not been.
func apply(ctx context.Context, conn *sql.Conn, ms []schema.Migration) error {
	_, err := conn.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_version
		(version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at BIGINT NOT NULL)`)
	if err != nil {
		return err
	}
	done, err := applied(ctx, conn, ms)
	if err != nil {
		return err
	}
	for _, m := range ms[done:] {
		if _, err := conn.ExecContext(ctx, m.SQL); err != nil {
			return fmt.Errorf("migration %s: %w", m.Name, err)
		}
		if _, err := conn.ExecContext(ctx, `INSERT INTO schema_version (version, name, sha256, applied_at) VALUES (?, ?, ?, ?)`,
			m.Version, m.Name, m.Sum, time.Now().UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// applied returns how many of the migrations the database has, or refuses it.
func applied(ctx context.Context, conn querier, ms []schema.Migration) (int, error) {
	return readApplied(ctx, conn, ms, "")
}

// refuseHalf refuses a database that a copy has not filled yet, which nobody may
// open.
func refuseHalf(ctx context.Context, conn querier, ms []schema.Migration) error {
	_, err := readApplied(ctx, conn, ms, " WHERE version = 0")
	return err
}

// A querier is a connection, or what hands them out.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func readApplied(ctx context.Context, conn querier, ms []schema.Migration, where string) (int, error) {
	var there int
	if err := conn.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_master WHERE name = 'schema_version'`).Scan(&there); err != nil || there == 0 {
		return 0, err
	}
	rows, err := conn.QueryContext(ctx, `SELECT `+schema.Columns+` FROM schema_version`+where+` ORDER BY version`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n, err := schema.Applied(rows, ms)
	return n, cmp.Or(err, rows.Err())
}

// Schema returns the migrations that this package has, and which of them the
// database has got, in their order. Its errors are those of opening a database that
// is newer, is another program's or is half a copy.
func (s *Store) Schema(ctx context.Context) (list []store.Applied, err error) {
	ms, err := schema.Read(Migrations())
	if err != nil {
		return nil, err
	}
	err = s.reader.run(ctx, func(c *conn) error {
		_, err := applied(ctx, c.sql, ms)
		return err
	})
	return schema.List(ms), err
}
