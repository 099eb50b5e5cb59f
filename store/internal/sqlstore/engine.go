package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// An Engine runs steps in transactions.
type Engine interface {
	// Write runs fn in a transaction, commits it durably if fn returns nil,
	// and otherwise leaves nothing of it.
	Write(ctx context.Context, fn func(Tx) error) error

	// WriteLong is Write of much at once, by somebody who can wait: where there is
	// one writer, what others write by Write goes before it.
	WriteLong(ctx context.Context, fn func(Tx) error) error

	// Read runs fn in a transaction that writes nothing and sees one state of
	// the store.
	Read(ctx context.Context, fn func(Tx) error) error

	// Get is Read for an fn that runs one statement, which sees one state
	// without a transaction around it.
	Get(ctx context.Context, fn func(Tx) error) error

	// Survey has the planner learn what a table holds by now, where it goes by
	// what it saw some time ago. If it cannot, it learns of it later.
	Survey(ctx context.Context, table string)
}

// errAgain is returned by a step that another one has overtaken, and that is to be
// run again from the beginning: see [Again].
var errAgain = errors.New("overtaken by another step")

// Again reports whether a step asks to be run again. An engine with one writer at a
// time need not ask.
func Again(err error) bool { return errors.Is(err, errAgain) }

// A Tx is a running transaction.
type Tx interface {
	// Exec runs a statement and returns how many rows it changed.
	Exec(query string, args ...any) (int64, error)

	// Each runs a statement once for each of some lists of arguments.
	Each(query string, args [][]any) error

	// Query runs a statement that returns rows. They must be closed before the
	// next statement.
	Query(query string, args ...any) (Rows, error)

	// QueryEach runs a statement that returns rows once for each of some lists
	// of arguments, and calls scan for every row.
	QueryEach(query string, args [][]any, scan func(Rows) error) error

	// Now is the time by the store's clock, in microseconds: it does not go on
	// while a transaction runs.
	Now() (int64, error)
}

// Rows are the result of a query, as in [database/sql.Rows].
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// Store has the steps of all rooms.
type Store struct {
	engine  Engine
	log     Log
	staging growth // of the table staged
	library growth // of the table documents, by publishing
	vectors growth // of the table passage_vectors
}

// New returns the steps as run by e, which keeps its events in l.
func New(e Engine, l Log) *Store { return &Store{engine: e, log: l} }

// one reads the first row of a query into dest and reports whether there is one.
func one(tx Tx, dest []any, query string, args ...any) (bool, error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return false, rows.Err()
	}
	if err := rows.Scan(dest...); err != nil {
		return false, err
	}
	return true, rows.Close()
}

// all calls scan for every row of a query.
func all(tx Tx, scan func(Rows) error, query string, args ...any) error {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// column reads the rows of a query that returns one text each.
func column(tx Tx, query string, args ...any) (values []string, err error) {
	err = all(tx, func(r Rows) error {
		var v string
		err := r.Scan(&v)
		values = append(values, v)
		return err
	}, query, args...)
	return values, err
}

// micros is how a time is stored.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// moment reads a stored time.
func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// corrupt says that a row could not be read as what it was written as.
func corrupt(table, id string, err error) error {
	return fmt.Errorf("row of %s %s does not read: %w", table, id, err)
}
