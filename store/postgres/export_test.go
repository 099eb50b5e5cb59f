package postgres

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

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

// Code returns the SQLSTATE in an error.
func Code(err error) string {
	coded, _ := errors.AsType[*pgconn.PgError](err)
	if coded == nil {
		return ""
	}
	return coded.Code
}
