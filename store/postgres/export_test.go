package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

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

// Step runs a step that changes the operator's row, calls fn, and changes it back.
func Step(ctx context.Context, s *Store, how string, fn func()) error {
	run := map[string]func(context.Context, func(sqlstore.Tx) error) error{
		"write": s.engine.Write, "read": s.engine.Read, "get": s.engine.Get,
	}[strings.ToLower(how)]
	return run(ctx, func(t sqlstore.Tx) error {
		for _, query := range []string{`UPDATE operators SET company = company || '+'`, `UPDATE operators SET company = company || '-'`} {
			if how != "write" {
				query = `SELECT company FROM operators`
			}
			if _, err := t.Exec(query); err != nil {
				return err
			}
			fn()
		}
		return nil
	})
}
