package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/internal/sqlstore"
)

// What to do about errors that mean that the store cannot work just now, by their
// SQLSTATE or its class, from
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
var unavailable = map[string]string{
	"08":    "the connection to the database broke",
	"25006": "the database only reads: it is a standby, or default_transaction_read_only is on: use the primary's address",
	"28":    "the database refused the user: check name, password and pg_hba.conf",
	"3D000": "there is no such database: create it first",
	"3F000": "the schema is not there: migrate first",
	"40":    "too many transactions were in each other's way: try again",
	"42501": "the user may not do this: give it CREATE on the database, or make it the owner of the schema and its tables",
	"42P01": "a table is not there: migrate first",
	"53100": "the database's disk is full: free some space; nothing of this step was stored",
	"53300": "the database has no connection left: raise its max_connections, or lower pool_max_conns of those who use it",
	"53":    "the database lacks something that it needs",
	"55P03": "another transaction holds a lock for too long",
	"57014": "the statement was cancelled or took longer than statement_timeout",
	"57P":   "the database is shutting down or starting",
	"58":    "the database's machine has a fault: see the server's log",
	"XX":    "the database has a fault: see the server's log",
}

// uniqueViolation is the SQLSTATE of a row that another one excludes.
const uniqueViolation = "23505"

// explain turns an error of the database into one that a person can act on, and
// leaves others as they are.
func explain(err error) error {
	if err == nil || errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrConflict) {
		return err
	}
	if coded, ok := errors.AsType[*pgconn.PgError](err); ok {
		if coded.Code == uniqueViolation {
			return fmt.Errorf("%w: it is there already (%w)", store.ErrConflict, err)
		}
		for n := len(coded.Code); n >= 2; n-- {
			if advice, ok := unavailable[coded.Code[:n]]; ok {
				return fmt.Errorf("%w: %s (%w)", store.ErrUnavailable, advice, err)
			}
		}
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return fmt.Errorf("%w: the database cannot be reached: check that it runs, and its address (%w)", store.ErrUnavailable, err)
	}
	if broken(err) {
		return fmt.Errorf("%w: the connection to the database broke (%w)", store.ErrUnavailable, err)
	}
	return err
}

// answered reports whether an error is the server's answer, and not the lack of one.
func answered(err error) bool {
	_, ok := errors.AsType[*pgconn.PgError](err)
	return ok && !shutdown(err)
}

// yielded reports whether a step was rolled back for another one's sake, or because
// a table was changed under it, and may be run again.
func yielded(err error) bool {
	if sqlstore.Again(err) {
		return true
	}
	coded, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (coded.Code == "40001" || coded.Code == "40P01" ||
		coded.Code == "0A000" && strings.Contains(coded.Message, "cached plan"))
}

// A brokenError says that the connection was lost before a step was to be
// committed, so that nothing of it is there.
type brokenError struct{ error }

func (e *brokenError) Unwrap() error { return e.error }

// broken reports whether a step may be run again on another connection: there was
// none, or it was lost before the step was to be committed.
func broken(err error) bool {
	if errors.Is(err, errUnknown) {
		return false
	}
	if coded, ok := errors.AsType[*pgconn.PgError](err); ok {
		return shutdown(err) || strings.HasPrefix(coded.Code, "08")
	}
	_, ok := errors.AsType[*brokenError](err)
	return ok
}

// shutdown reports whether the server says that it ends or begins: admin_shutdown,
// crash_shutdown, cannot_connect_now.
func shutdown(err error) bool {
	coded, ok := errors.AsType[*pgconn.PgError](err)
	return ok && strings.HasPrefix(coded.Code, "57P")
}
