package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
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

// A migration is one file.
type migration struct {
	version   int
	name, sum string
	sql       string
}

func readMigrations() ([]migration, error) {
	names, err := fs.Glob(Migrations(), "*.sql")
	if err != nil {
		return nil, err
	}
	var ms []migration
	for _, name := range names {
		b, err := fs.ReadFile(Migrations(), name)
		if err != nil {
			return nil, err
		}
		number, _, _ := strings.Cut(name, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != len(ms)+1 {
			return nil, fmt.Errorf("migration %s is not number %d", name, len(ms)+1)
		}
		sum := sha256.Sum256(b)
		ms = append(ms, migration{version: version, name: name, sum: hex.EncodeToString(sum[:]), sql: string(b)})
	}
	return ms, nil
}

// migrate brings the schema up to date in one transaction, so that of several
// processes one does it and the others find it done.
func migrate(ctx context.Context, conn *sql.Conn, mode store.Migrate) error {
	if err := mode.Check(); err != nil || mode == store.MigrateOff {
		return err
	}
	ms, err := readMigrations()
	if err != nil {
		return err
	}
	if done, err := applied(ctx, conn, ms); err != nil || done == len(ms) {
		return err
	} else if mode == store.MigrateCheck {
		return fmt.Errorf("the database has version %d of the schema, this program needs %d: migrate it first", done, len(ms))
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
func apply(ctx context.Context, conn *sql.Conn, ms []migration) error {
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
		if _, err := conn.ExecContext(ctx, m.sql); err != nil {
			return fmt.Errorf("migration %s: %w", m.name, err)
		}
		if _, err := conn.ExecContext(ctx, `INSERT INTO schema_version (version, name, sha256, applied_at) VALUES (?, ?, ?, ?)`,
			m.version, m.name, m.sum, time.Now().UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// applied returns how many of the migrations the database has, or refuses it.
func applied(ctx context.Context, conn *sql.Conn, ms []migration) (int, error) {
	var there int
	if err := conn.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_master WHERE name = 'schema_version'`).Scan(&there); err != nil || there == 0 {
		return 0, err
	}
	rows, err := conn.QueryContext(ctx, `SELECT version, name, sha256 FROM schema_version ORDER BY version`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var m migration
		if err := rows.Scan(&m.version, &m.name, &m.sum); err != nil {
			return 0, err
		}
		switch {
		case m.version > len(ms):
			return 0, fmt.Errorf("the database was written by a newer version of this program: it has migration %d, this one knows %d", m.version, len(ms))
		case m.version != n+1 || m.sum != ms[n].sum:
			return 0, fmt.Errorf("migration %d of the database, %s, is not the one this program has: they do not belong together", m.version, m.name)
		}
		n++
	}
	return n, rows.Err()
}
