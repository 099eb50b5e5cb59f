package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/internal/sqlstore"
)

// readers are the connections that read, each with its prepared statements.
type readers struct {
	idle   chan *conn
	size   int
	closed chan struct{}
	once   sync.Once
}

func newReaders(ctx context.Context, db *sql.DB, n int) (*readers, error) {
	r := &readers{idle: make(chan *conn, n), closed: make(chan struct{})}
	for range n {
		c, err := db.Conn(ctx)
		if err != nil {
			r.close()
			return nil, err
		}
		r.idle <- newConn(c)
		r.size++
	}
	return r, nil
}

// run runs fn on a connection of its own.
func (r *readers) run(ctx context.Context, fn func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var c *conn
	select {
	case <-r.closed:
		return fmt.Errorf("%w: it is closed", store.ErrUnavailable)
	default:
	}
	select {
	case c = <-r.idle:
	case <-ctx.Done():
		return ctx.Err()
	case <-r.closed:
		return fmt.Errorf("%w: it is closed", store.ErrUnavailable)
	}
	defer func() { r.idle <- c }()
	return explain(fn(c))
}

// close waits for the reads that run, and closes the connections.
func (r *readers) close() {
	r.once.Do(func() {
		close(r.closed)
		for range r.size {
			_ = (<-r.idle).close()
		}
	})
}

// An engine runs the steps of a store on its connections.
type engine struct {
	writer  *writer
	readers *readers
}

// Write implements [sqlstore.Engine].
func (e engine) Write(ctx context.Context, fn func(sqlstore.Tx) error) error {
	return e.writer.run(ctx, fn)
}

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
