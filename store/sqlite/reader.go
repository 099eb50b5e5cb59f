package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/internal/sqlstore"
)

// readers are the connections that read, each with its prepared statements and its
// cache. The one that was used last is used next, so that no more caches are filled
// than there are reads at a time.
type readers struct {
	free   chan struct{} // a token for each that is idle
	mu     sync.Mutex
	idle   []*conn
	size   int // how many there are
	closed chan struct{}
	once   sync.Once
}

func newReaders(ctx context.Context, db *sql.DB, n int) (*readers, error) {
	r := &readers{free: make(chan struct{}, n), closed: make(chan struct{})}
	for range n {
		c, err := db.Conn(ctx)
		if err != nil {
			r.close()
			return nil, err
		}
		r.put(newConn(c))
		r.size++
	}
	return r, nil
}

// put makes a connection the next to be used.
func (r *readers) put(c *conn) {
	r.mu.Lock()
	r.idle = append(r.idle, c)
	r.mu.Unlock()
	r.free <- struct{}{}
}

// take returns the connection for a token.
func (r *readers) take() *conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.idle) - 1
	c := r.idle[last]
	r.idle = r.idle[:last]
	return c
}

// run runs fn on a connection of its own.
func (r *readers) run(ctx context.Context, fn func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-r.closed:
		return fmt.Errorf("%w: it is closed", store.ErrUnavailable)
	default:
	}
	select {
	case <-r.free:
	case <-ctx.Done():
		return ctx.Err()
	case <-r.closed:
		return fmt.Errorf("%w: it is closed", store.ErrUnavailable)
	}
	c := r.take()
	defer r.put(c)
	return explain(fn(c))
}

// close waits for the reads that run, and closes the connections.
func (r *readers) close() {
	r.once.Do(func() {
		close(r.closed)
		for range r.size {
			<-r.free
			_ = r.take().close()
		}
	})
}

// An engine runs the steps of a store on its connections.
type engine struct {
	writer  *writer
	readers *readers
	mover   *mover // nil if there is none
}

// Write implements [sqlstore.Engine].
func (e engine) Write(ctx context.Context, fn func(sqlstore.Tx) error) error {
	return e.writer.run(ctx, fn)
}

// WriteLong implements [sqlstore.Engine].
func (e engine) WriteLong(ctx context.Context, fn func(sqlstore.Tx) error) error {
	err := e.writer.runLong(ctx, fn)
	e.mover.wrote()
	return err
}

// Survey implements [sqlstore.Engine]: here the planner goes by what the migrations
// tell it.
func (engine) Survey(context.Context, string) {}

// Read implements [sqlstore.Engine].
func (e engine) Read(ctx context.Context, fn func(sqlstore.Tx) error) error {
	return e.readers.run(ctx, func(c *conn) error {
		if err := c.exec("BEGIN"); err != nil {
			return err
		}
		defer c.rollback()
		return call(fn, c)
	})
}

// Get implements [sqlstore.Engine].
func (e engine) Get(ctx context.Context, fn func(sqlstore.Tx) error) error {
	return e.readers.run(ctx, func(c *conn) error { return call(fn, c) })
}
