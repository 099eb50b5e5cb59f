package postgres

import (
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
	"08":     "the connection to the database broke",
	readOnly: "the database only reads: it is a standby, or default_transaction_read_only is on: use the primary's address",
	"25P":    "the step stood still for longer than idle_in_transaction_session_timeout or transaction_timeout",
	"26":     "the database does not know a prepared statement: with a pooler that gives a connection to each transaction, set default_query_exec_mode=exec",
	"28":     "the database refused the user: check name, password and pg_hba.conf",
	"3D000":  "there is no such database: create it first",
	"3F000":  "the schema is not there: migrate first",
	"40":     "too many transactions were in each other's way: try again",
	"42501":  "the user may not do this: give it CREATE on the database, or make it the owner of the schema and its tables",
	"42703":  "a column is not there: migrate first, or take another schema if this one is another program's",
	"42P01":  "a table is not there: migrate first",
	"53100":  "the database's disk is full: free some space; nothing of this step was stored",
	"53300":  "the database has no connection left: raise its max_connections, or lower pool_max_conns of those who use it",
	"53":     "the database lacks something that it needs",
	"55P03":  "another transaction holds a lock for too long",
	"57014":  "the statement was cancelled or took longer than statement_timeout",
	"57P":    "the database is shutting down or starting",
	"58":     "the database's machine has a fault: see the server's log",
	"XX":     "the database has a fault: see the server's log",
}

// The SQLSTATEs of which more than the advice is said.
const (
	connectionLost      = "08"    // its class; also what a pooler answers for a server that has gone
	featureNotSupported = "0A000" // a standby cannot begin to write, a cached plan cannot be used any more
	uniqueViolation     = "23505" // a row that another one excludes
	readOnly            = "25006"
	serialization       = "40001"
	completionUnknown   = "40003"
	deadlock            = "40P01"
	tooMany             = "53300" // connections
	queryCanceled       = "57014" // at the caller's wish, or after statement_timeout
	shutdown            = "57P"   // the server ends or begins: admin_shutdown, crash_shutdown, cannot_connect_now
)

// code returns the SQLSTATE of an error, empty if it is not the server's.
func code(err error) string {
	if coded, ok := errors.AsType[*pgconn.PgError](err); ok {
		return coded.Code
	}
	return ""
}

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
	c := code(err)
	return c != "" && c != completionUnknown && !strings.HasPrefix(c, connectionLost) && !strings.HasPrefix(c, shutdown)
}

// yielded reports whether a step was rolled back for another one's sake, or because
// a table was changed under it, and may be run again.
func yielded(err error) bool {
	if sqlstore.Again(err) {
		return true
	}
	coded, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (coded.Code == serialization || coded.Code == deadlock ||
		coded.Code == featureNotSupported && coded.Routine == "RevalidateCachedQuery")
}

// A brokenError says that there was no connection, or that it was lost before a
// step was to be committed, so that nothing of it is there.
type brokenError struct{ error }

func (e *brokenError) Unwrap() error { return e.error }

// broken reports whether a step may be run again on another connection.
func broken(err error) bool {
	if errors.Is(err, errUnknown) {
		return false
	}
	_, ok := errors.AsType[*brokenError](err)
	return ok || passing(code(err))
}

// passing reports whether a server that answers so may soon answer otherwise.
func passing(code string) bool {
	return code == tooMany || strings.HasPrefix(code, connectionLost) || strings.HasPrefix(code, shutdown)
}

// unreached is the error of a step that got no connection. A server that refuses a
// user is not asked again.
func unreached(err error) error {
	switch c := code(err); {
	case err.Error() == "closed pool": // puddle's ErrClosedPool
		return fmt.Errorf("%w: its pool is closed", store.ErrUnavailable)
	case c != "" && !passing(c):
		return err
	}
	return &brokenError{err}
}
