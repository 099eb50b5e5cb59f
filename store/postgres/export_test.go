package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/answerdesk-go/answerdesk/store/internal/sqlstore"
)

// ErrUnknown is what is said of a step of which nobody can know.
var ErrUnknown = errUnknown

// Statements returns the text of every statement that a store has run, as the
// database got it.
func Statements(s *Store) []string {
	var out []string
	s.engine.text.known.Range(func(_, statement any) bool {
		out = append(out, statement.(string))
		return true
	})
	return out
}

// Written returns the statements of a store as the steps have them, and as the
// database got them.
func Written(s *Store) map[string]string {
	out := map[string]string{}
	s.engine.text.known.Range(func(written, statement any) bool {
		out[written.(string)] = statement.(string)
		return true
	})
	return out
}

// Text turns a statement of the steps into one of the database.
func Text(schema, query string) string { return (&texts{schema: schema}).of(query) }

// Tables returns the names that a statement is searched for.
func Tables() []string {
	var names []string
	for name := range tables() {
		names = append(names, name)
	}
	return names
}

// Code returns the SQLSTATE in an error.
func Code(err error) string { return code(err) }

// Refused is the judgment about a server's settings.
func Refused(number, encoding, client, bytea string, mode pgx.QueryExecMode) error {
	return refused(number, encoding, client, bytea, mode)
}

// Pool returns the pool that a store uses.
func Pool(s *Store) *pgxpool.Pool { return s.engine.pool }

// Step has one of an engine's methods, Write, Read or Get, run a step that runs a
// statement, calls fn and runs the statement again.
func Step(ctx context.Context, s *Store, method, query string, fn func()) error {
	run := map[string]func(context.Context, func(sqlstore.Tx) error) error{
		"Write": s.engine.Write, "Read": s.engine.Read, "Get": s.engine.Get,
	}[method]
	return run(ctx, func(t sqlstore.Tx) error {
		if _, err := t.Exec(query); err != nil {
			return err
		}
		fn()
		_, err := t.Exec(query)
		return err
	})
}

// Last runs a step that writes and whose last act is to call fn.
func Last(ctx context.Context, s *Store, query string, fn func()) error {
	return s.engine.Write(ctx, func(t sqlstore.Tx) error {
		_, err := t.Exec(query)
		fn()
		return err
	})
}
