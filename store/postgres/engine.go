package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/answerdesk-go/answerdesk/internal/failpoint"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/internal/sqlstore"
)

// How often and how long a step is run again.
const (
	maxYields = 30              // because another transaction was in the way
	outage    = 3 * time.Second // because the server was not there: a restart takes less
)

// How long an end may take that the caller does not wait for any more.
const (
	commitTime   = 30 * time.Second
	rollbackTime = 2 * time.Second
)

// An engine runs the steps of a store on the connections of a pool.
type engine struct {
	pool   *pgxpool.Pool
	text   *texts
	ready  func(context.Context) error
	closed atomic.Bool
}

func newEngine(pool *pgxpool.Pool, schema string, ready func(context.Context) error) *engine {
	return &engine{pool: pool, text: &texts{schema: schema}, ready: ready}
}

// Write implements [sqlstore.Engine].
func (e *engine) Write(ctx context.Context, fn func(sqlstore.Tx) error) error {
	if l, ok := sqlstore.Lent(ctx).(*lent); ok {
		return e.writeIn(ctx, l, fn)
	}
	return e.run(ctx, func(c *pgx.Conn) error {
		return e.transaction(ctx, c, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", func(t sqlstore.Tx) error {
			if err := fn(t); err != nil {
				return err
			}
			return commit(ctx, c)
		})
	})
}

// WriteLong implements [sqlstore.Engine]: others write meanwhile.
func (e *engine) WriteLong(ctx context.Context, fn func(sqlstore.Tx) error) error {
	return e.Write(ctx, fn)
}

// Read implements [sqlstore.Engine].
func (e *engine) Read(ctx context.Context, fn func(sqlstore.Tx) error) error {
	return e.run(ctx, func(c *pgx.Conn) error {
		return e.transaction(ctx, c, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", func(t sqlstore.Tx) error {
			if err := fn(t); err != nil {
				return err
			}
			_, _ = c.Exec(ctx, "COMMIT") // what was read is read, however that ends
			return nil
		})
	})
}

// Get implements [sqlstore.Engine].
func (e *engine) Get(ctx context.Context, fn func(sqlstore.Tx) error) error {
	return e.run(ctx, func(c *pgx.Conn) error { return fn(&tx{ctx: ctx, on: c, text: e.text}) })
}

// surveyTime bounds how long a survey takes, which reads a sample of its table.
const surveyTime = 10 * time.Second

// Survey implements [sqlstore.Engine].
func (e *engine) Survey(ctx context.Context, table string) {
	ctx, cancel := context.WithTimeout(ctx, surveyTime)
	defer cancel()
	_ = e.run(ctx, func(c *pgx.Conn) error { // autovacuum does it within a minute or so
		_, err := c.Exec(ctx, "ANALYZE "+pgx.Identifier{e.text.schema, table}.Sanitize())
		return err
	})
}

// run prepares the store and runs fn on a connection.
func (e *engine) run(ctx context.Context, fn func(*pgx.Conn) error) error {
	if err := e.ready(ctx); err != nil {
		return err
	}
	return e.connected(ctx, func(c *pgxpool.Conn) error { return fn(c.Conn()) })
}

// connected runs fn on a connection, and again while what went wrong may go better
// the next time.
func (e *engine) connected(ctx context.Context, fn func(*pgxpool.Conn) error) error {
	if e.closed.Load() {
		return errClosed
	}
	var lost time.Time // when the server was first not there
	for yields := 0; ; {
		err := e.once(ctx, fn)
		if lost.IsZero() && broken(err) {
			lost = time.Now()
		}
		var pause time.Duration
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil || e.closed.Load():
			return e.gaveUp(ctx, err)
		case yielded(err) && yields < maxYields:
			yields++
			pause = rand.N(time.Duration(min(yields, 10)) * 4 * time.Millisecond)
		case broken(err) && time.Since(lost) < outage:
			pause = 50*time.Millisecond + rand.N(100*time.Millisecond)
		default:
			return explain(err)
		}
		select {
		case <-ctx.Done():
			return e.gaveUp(ctx, err)
		case <-time.After(pause):
		}
	}
}

// gaveUp is the error of a step whose caller, or whose store, has gone.
func (e *engine) gaveUp(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, errUnknown):
		return err
	case ctx.Err() == nil:
		return errClosed
	case answered(err) && code(err) != queryCanceled:
		return explain(err)
	}
	return ctx.Err()
}

// once runs fn on a connection of the pool.
func (e *engine) once(ctx context.Context, fn func(*pgxpool.Conn) error) error {
	c, err := e.pool.Acquire(ctx)
	if err != nil {
		return unreached(err)
	}
	defer c.Release()
	err = fn(c)
	if err != nil && c.Conn().IsClosed() && !errors.Is(err, errUnknown) {
		return &brokenError{err}
	}
	return err
}

// transaction runs fn in a transaction, and rolls back what fn has not committed.
func (e *engine) transaction(ctx context.Context, c *pgx.Conn, begin string, fn func(sqlstore.Tx) error) (err error) {
	defer func() {
		if c.IsClosed() || c.PgConn().TxStatus() == 'I' {
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTime)
		defer cancel()
		_, _ = c.Exec(ctx, "ROLLBACK") // a connection that cannot is not used again
	}()
	t := &tx{ctx: ctx, on: c, text: e.text}
	if t.at, err = beginAt(ctx, c, begin); err != nil {
		return begun(ctx, c, err)
	}
	return fn(t)
}

// commit commits the transaction of a connection.
func commit(ctx context.Context, c *pgx.Conn) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	failpoint.At("store.commit")
	// Whoever waits no longer must not leave it open whether the step is there.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTime)
	defer cancel()
	tag, err := c.Exec(ctx, "COMMIT")
	failpoint.At("store.committed")
	switch {
	case err != nil && (c.IsClosed() || !answered(err)):
		return fmt.Errorf("%w (%v)", errUnknown, err)
	case err == nil && tag.String() == "ROLLBACK":
		return errors.New("the transaction was rolled back: a statement of it had failed")
	}
	return err
}

// errUnknown says that a connection broke while the server committed.
var errUnknown = fmt.Errorf("%w: the connection broke while the step was committed: it may be stored or not; "+
	"ask again with the same idempotency key, or look", store.ErrUnavailable)

// clock reads the server's clock in microseconds.
const clock = `SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint`

// beginAt begins a transaction and returns the time, in one round trip.
func beginAt(ctx context.Context, c *pgx.Conn, begin string) (at int64, err error) {
	b := &pgx.Batch{}
	b.Queue(begin)
	b.Queue(clock)
	r := c.SendBatch(ctx, b)
	if _, err := r.Exec(); err != nil {
		_ = r.Close() // which says the same again
		return 0, err
	}
	if err := r.QueryRow().Scan(&at); err != nil {
		_ = r.Close()
		return 0, err
	}
	return at, r.Close()
}

// begun returns what is to be done about a transaction that could not begin. The
// connection to a standby, which answers that it cannot write with
// feature_not_supported, is closed: where the primary has moved, another connection
// may lead to it.
func begun(ctx context.Context, c *pgx.Conn, err error) error {
	if code(err) != featureNotSupported {
		return err
	}
	_ = c.Close(ctx)
	return fmt.Errorf("%w: %s (%w)", store.ErrUnavailable, unavailable[readOnly], err)
}
