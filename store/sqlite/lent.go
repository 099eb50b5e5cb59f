package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store/internal/sqlstore"
)

// RecordCall puts what a call of a tool came to on record in a transaction of the
// host's, so that the work and the word of it are stored together or not at all:
//
//	tx, err := db.BeginTx(ctx, nil)
//	…
//	_, err = tx.ExecContext(ctx, `UPDATE orders SET state = 'cancelled' WHERE id = ?`, in.Order)
//	…
//	err = st.RecordCall(ctx, tx, in.Call, result)
//	…
//	err = tx.Commit()
//
// It is for a tool of a store that was made with [New], on the handle that tx is of,
// and the last thing that the transaction does. Whatever the tool returns after the
// commit, the result is the one recorded. A tool that does all its work so may say
// that it is [agent.Tool.Idempotent]: of a call that its process was lost over either
// the result is on record, or nothing was done. When the call has ended meanwhile, or
// its turn is another process's, it is an error: roll the transaction back.
func (s *Store) RecordCall(ctx context.Context, tx *sql.Tx, call agent.Call, result json.RawMessage) error {
	return explain(sqlstore.RecordCallIn(&lentTx{ctx, tx}, call, result))
}

// A lentTx is a transaction of the host's.
type lentTx struct {
	ctx context.Context
	on  *sql.Tx
}

// Exec implements [sqlstore.Tx].
func (t *lentTx) Exec(query string, args ...any) (int64, error) {
	r, err := t.on.ExecContext(t.ctx, locks.ReplaceAllLiteralString(query, ""), args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// Each implements [sqlstore.Tx].
func (t *lentTx) Each(query string, args [][]any) error {
	for _, a := range args {
		if _, err := t.Exec(query, a...); err != nil {
			return err
		}
	}
	return nil
}

// Query implements [sqlstore.Tx].
func (t *lentTx) Query(query string, args ...any) (sqlstore.Rows, error) {
	rows, err := t.on.QueryContext(t.ctx, locks.ReplaceAllLiteralString(query, ""), args...) //nolint:rowserrcheck // its reader asks for the error
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// QueryEach implements [sqlstore.Tx].
func (t *lentTx) QueryEach(query string, args [][]any, scan func(sqlstore.Rows) error) error {
	for _, a := range args {
		rows, err := t.Query(query, a...)
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
func (t *lentTx) Now() (int64, error) { return time.Now().UnixMicro(), nil }
