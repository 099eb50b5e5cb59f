package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"regexp"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/failpoint"
	"github.com/answerdesk-go/answerdesk/store/internal/sqlstore"
)

// maxStatements bounds how many prepared statements a connection keeps. The
// steps use some hundred; lists with many filters might make more.
const maxStatements = 512

// A conn is one connection with its prepared statements. It is not for
// concurrent use. Its statements run under no caller's context: they are short,
// and a step that has begun is finished.
type conn struct {
	sql        *sql.Conn
	statements map[string]*sql.Stmt
	many       map[string]many // by the statement that inserts one row
}

func newConn(c *sql.Conn) *conn {
	return &conn{sql: c, statements: map[string]*sql.Stmt{}, many: map[string]many{}}
}

// locks matches what a statement says of the rows that it locks: here whoever
// writes is alone.
var locks = regexp.MustCompile(` FOR (UPDATE|NO KEY UPDATE|KEY SHARE)( OF [a-z]+)?( SKIP LOCKED)?$`)

// prepared returns the prepared statement of a query.
func (c *conn) prepared(query string) (*sql.Stmt, error) {
	if st := c.statements[query]; st != nil {
		return st, nil
	}
	if len(c.statements) >= maxStatements {
		for q, st := range c.statements {
			delete(c.statements, q)
			if err := st.Close(); err != nil {
				return nil, err
			}
		}
	}
	st, err := c.sql.PrepareContext(context.Background(), locks.ReplaceAllLiteralString(query, ""))
	if err == nil {
		c.statements[query] = st
	}
	return st, err
}

// exec runs a statement for its effect.
func (c *conn) exec(query string) error {
	_, err := c.Exec(query)
	return err
}

// Exec implements [sqlstore.Tx].
func (c *conn) Exec(query string, args ...any) (int64, error) {
	st, err := c.prepared(query)
	if err != nil {
		return 0, err
	}
	r, err := st.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// QueryEach implements [sqlstore.Tx].
func (c *conn) QueryEach(query string, args [][]any, scan func(sqlstore.Rows) error) error {
	for _, a := range args {
		rows, err := c.Query(query, a...)
		if err != nil {
			return err
		}
		for err == nil && rows.Next() {
			err = scan(rows)
		}
		if err := errors.Join(err, rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	return nil
}

// Now implements [sqlstore.Tx].
func (c *conn) Now() (int64, error) { return time.Now().UnixMicro(), nil }

// Query implements [sqlstore.Tx].
func (c *conn) Query(query string, args ...any) (sqlstore.Rows, error) {
	st, err := c.prepared(query)
	if err != nil {
		return nil, err
	}
	rows, err := st.QueryContext(context.Background(), args...)
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// commit makes the running transaction durable.
func (c *conn) commit() error {
	failpoint.At("store.commit")
	err := c.exec("COMMIT")
	failpoint.At("store.committed")
	return err
}

// rollback ends a transaction that SQLite may have ended already.
func (c *conn) rollback() { _ = c.exec("ROLLBACK") }

// truncate moves the WAL into the database and empties it. With readers or
// another process in the way it waits for nobody and returns [errBusy].
func (c *conn) truncate() error {
	if err := c.exec("PRAGMA busy_timeout = 0"); err != nil {
		return err
	}
	var busy, logged, moved int
	err := c.sql.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &logged, &moved)
	if err == nil && busy != 0 || isBusy(err) {
		err = errBusy
	}
	return errors.Join(err, c.exec("PRAGMA busy_timeout = 10000"))
}

// errBusy means that somebody still reads the WAL.
var errBusy = errors.New("the write-ahead log is being read")

func (c *conn) close() error {
	var errs []error
	for _, st := range c.statements {
		errs = append(errs, st.Close())
	}
	return errors.Join(append(errs, c.sql.Close())...)
}
