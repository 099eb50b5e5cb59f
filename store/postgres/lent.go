package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/internal/sqlstore"
)

// lent is a transaction of the host's, for one step.
type lent struct {
	tx   pgx.Tx
	used atomic.Bool
}

// WithTx lends a transaction of the host's for one step of the store, so that what
// the step writes is committed with the host's own rows or not at all:
//
//	tx, err := pool.Begin(ctx)
//	…
//	_, err = desk.Knowledge().Put(postgres.WithTx(ctx, tx), doc)
//	…
//	err = tx.Commit(ctx)
//
// The first call with the context that writes takes the transaction; a second one
// is refused, so that nothing is written outside by mistake. Calls that only read
// see what is committed, without the transaction. So it suits calls that are one
// step, as writing or deleting a document or making a key are, and not a turn,
// which is several.
//
// The transaction must be of the database that the store is in, and of isolation
// level READ COMMITTED, PostgreSQL's default. The step runs in a savepoint: if it
// fails, the transaction can go on without it. It is not run again if another
// transaction is in the way: then the error wraps [store.ErrUnavailable], often with
// a *pgconn.PgError of SQLSTATE 40001 or 40P01, and the host does its whole
// transaction again. Commit it soon:
// until then, what the step locks keeps others waiting, and what it wrote is seen by
// nobody. What a call reads beside its step takes another connection of the store's
// pool: let it have one more than transactions are lent at a time.
func WithTx(ctx context.Context, tx pgx.Tx) context.Context {
	return sqlstore.Lend(ctx, &lent{tx: tx})
}

// RecordCall puts what a call of a tool came to on record in a transaction of the
// host's, so that the work and the word of it are stored together or not at all:
//
//	tx, err := pool.Begin(ctx)
//	…
//	_, err = tx.Exec(ctx, `UPDATE orders SET state = 'cancelled' WHERE id = $1`, in.Order)
//	…
//	err = st.RecordCall(ctx, tx, in.Call, result)
//	…
//	err = tx.Commit(ctx)
//
// What [WithTx] says of the transaction holds here too; let it be the last thing that
// the transaction does. Whatever the tool returns after the commit, the result is the
// one recorded. A tool that does all its work so may say that it is
// [agent.Tool.Idempotent]: of a call that its process was lost over either the result
// is on record, or nothing was done. When the call has ended meanwhile, or its turn
// is another process's, it is an error: roll the transaction back.
func (s *Store) RecordCall(ctx context.Context, tx pgx.Tx, call agent.Call, result json.RawMessage) error {
	step, err := agent.CompletedStep(call, result, time.Now())
	if err != nil {
		return err
	}
	return s.RecordStep(WithTx(ctx, tx), store.Commit{Company: call.Company}, call.Turn, step)
}

// writeIn runs a step in a transaction of the host's.
func (e *engine) writeIn(ctx context.Context, l *lent, fn func(sqlstore.Tx) error) (err error) {
	if e.closed.Load() {
		return errClosed
	}
	if l.used.Swap(true) {
		return fmt.Errorf("%w: the lent transaction has had its one step: lend it again for the next one", store.ErrUnavailable)
	}
	if err := e.ready(ctx); err != nil {
		return err
	}
	if _, err := l.tx.Exec(ctx, "SAVEPOINT answerdesk_step"); err != nil {
		return l.explain(err)
	}
	done := false
	defer func() {
		if l.tx.Conn().IsClosed() {
			return
		}
		end := "RELEASE SAVEPOINT answerdesk_step"
		if !done {
			end = "ROLLBACK TO SAVEPOINT answerdesk_step; " + end // also when the step panics
		}
		// The transaction goes on, whether or not the caller of the step waits.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTime)
		defer cancel()
		if _, failed := l.tx.Exec(ctx, end); failed != nil && err == nil {
			err = l.explain(failed)
		}
	}()
	t := &tx{ctx: ctx, on: l.tx, text: e.text}
	if err := e.inLevel(t); err != nil {
		return l.explain(err)
	}
	if err := fn(t); err != nil {
		return l.explain(err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	done = true
	return nil
}

// explain is the error of a step in a transaction that its host has to end.
func (l *lent) explain(err error) error {
	if sqlstore.Again(err) {
		return fmt.Errorf("%w: another step was quicker: do the whole transaction again", store.ErrUnavailable)
	}
	if l.tx.Conn().IsClosed() && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		err = &brokenError{err}
	}
	return explain(err)
}

// inLevel returns an error unless a step may run in the host's transaction.
func (e *engine) inLevel(t *tx) error {
	r, err := t.on.Query(t.ctx, `SELECT current_setting('transaction_isolation')`)
	if err != nil {
		return err
	}
	level, err := pgx.CollectExactlyOneRow(r, pgx.RowTo[string])
	if err == nil && level != "read committed" {
		err = fmt.Errorf("the lent transaction has isolation level %s: begin it with READ COMMITTED, as the steps are made for it", level)
	}
	return err
}
