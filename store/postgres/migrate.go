package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/internal/schema"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations returns the files that make the tables, in the order of their names,
// for teams that run them with a tool of their own: with the schema first in the
// search_path, and then [store.MigrateOff].
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

// minVersion is the oldest server whose SQL the steps are written in.
const minVersion = 150000

// checkServer returns an error if the server cannot keep the store's promises.
func checkServer(ctx context.Context, c *pgx.Conn) error {
	var number, encoding, client, bytea string
	err := c.QueryRow(ctx, `SELECT current_setting('server_version_num'), current_setting('server_encoding'),
		current_setting('client_encoding'), current_setting('bytea_output')`).Scan(&number, &encoding, &client, &bytea)
	if err != nil {
		return err
	}
	return refused(number, encoding, client, bytea, c.Config().DefaultQueryExecMode)
}

// refused returns an error if one of a server's settings is not what the steps need.
func refused(number, encoding, client, bytea string, mode pgx.QueryExecMode) error {
	if version, err := strconv.Atoi(number); err != nil || version < minVersion {
		return fmt.Errorf("the server has version %s of PostgreSQL: 15 or newer is needed", number)
	}
	if encoding != "UTF8" {
		return fmt.Errorf("the database has encoding %s: make one with ENCODING 'UTF8'", encoding)
	}
	if client != "UTF8" {
		return fmt.Errorf("the connection has client_encoding %s: set it to UTF8 for this role or database", client)
	}
	if asText := mode == pgx.QueryExecModeExec || mode == pgx.QueryExecModeSimpleProtocol; asText && bytea != "hex" {
		return fmt.Errorf("the connection has bytea_output %s: set it to hex for this role or database", bytea)
	}
	return nil
}

// migrate brings the schema up to date in one transaction, under a lock, so that
// of several processes one does it and the others find it done.
func migrate(ctx context.Context, c *pgx.Conn, name string, mode store.Migrate) error {
	if err := mode.Check(); err != nil {
		return err
	}
	if name == "" || len(name) > 63 || strings.ContainsRune(name, 0) {
		return errSchema
	}
	ms, err := schema.Read(Migrations())
	if err != nil {
		return err
	}
	if mode == store.MigrateOff {
		_, err := applied(ctx, c, name, ms, " WHERE version = 0")
		return err
	}
	if done, err := applied(ctx, c, name, ms, ""); err != nil || done == len(ms) {
		return err
	} else if mode == store.MigrateCheck {
		return schema.Behind(done, len(ms))
	}
	// The level is the one at which a statement sees what was committed before it got
	// the lock, and the access is said since a role may be set to read only.
	tx, err := c.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite})
	if err != nil {
		return begun(ctx, c, err)
	}
	if err := apply(ctx, tx, name, ms); err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTime)
		defer cancel()
		_ = tx.Rollback(ctx) // a connection that cannot is not used again
		return err
	}
	return tx.Commit(ctx)
}

// apply runs the migrations that have not been.
func apply(ctx context.Context, tx pgx.Tx, name string, ms []schema.Migration) error {
	quoted := pgx.Identifier{name}.Sanitize()
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext($1))`, "answerdesk migrate "+name); err != nil {
		return err
	}
	var there bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)`, name).Scan(&there); err != nil {
		return err
	}
	statements := []string{
		`SET LOCAL search_path TO ` + quoted,
		`CREATE TABLE IF NOT EXISTS schema_version
			(version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at BIGINT NOT NULL)`,
	}
	if !there {
		statements = append([]string{`CREATE SCHEMA ` + quoted}, statements...)
	}
	for _, s := range statements {
		if _, err := tx.Exec(ctx, s); err != nil {
			return err
		}
	}
	done, err := applied(ctx, tx, name, ms, "")
	if err != nil {
		return err
	}
	for _, m := range ms[done:] {
		if _, err := tx.Conn().PgConn().Exec(ctx, m.SQL).ReadAll(); err != nil {
			return fmt.Errorf("migration %s: %w", m.Name, err)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO schema_version (version, name, sha256, applied_at)
			VALUES ($1, $2, $3, (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint)`, m.Version, m.Name, m.Sum); err != nil {
			return err
		}
	}
	return nil
}

// A reader runs queries: a connection or a transaction.
type reader interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

// applied returns how many of the migrations the schema has, or refuses it.
func applied(ctx context.Context, c reader, name string, ms []schema.Migration, where string) (int, error) {
	table := pgx.Identifier{name, "schema_version"}.Sanitize()
	var there bool
	if err := c.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, table).Scan(&there); err != nil || !there {
		return 0, err
	}
	rows, err := c.Query(ctx, `SELECT `+schema.Columns+` FROM `+table+where+` ORDER BY version`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	return schema.Applied(rows, ms)
}
