package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/internal/sqlstore"
)

const (
	maxGroup = 256 // steps that share a transaction at most
	maxPass  = 4   // groups of short steps that pass a long one which waits
)

// A writer runs steps on the one connection that writes. The first caller to
// find it idle leads: it runs its own step and those that came in meanwhile in
// one transaction, and commits them with one fsync. There is no goroutine but the
// callers'.
//
// A long step shares its transaction with nobody, and those that are short go
// before it: a customer's turn waits for the one that runs at most, however many
// bulks there are. So that these get on too, only so many groups pass a long one.
type writer struct {
	conn *conn

	mu      sync.Mutex
	waiting []*step // but for long ones
	long    []*step
	passed  int  // groups that went before the first long one
	led     bool // whether somebody leads
	closed  bool
	idle    chan struct{} // closed when it is closed and nobody leads any more
}

// A step is a caller's function on its way through the writer.
type step struct {
	ctx  context.Context
	fn   func(sqlstore.Tx) error
	bare func(*conn) error // instead of fn: run in no transaction
	long bool
	err  error
	turn chan bool // true: you lead now; false: err is your result
}

func newWriter(c *sql.Conn) *writer { return &writer{conn: newConn(c), idle: make(chan struct{})} }

// check asserts the settings that durability and deletion rest on.
func (w *writer) check(ctx context.Context) error {
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "secure_delete": "1"} {
		if err := expect(ctx, w.conn.sql, pragma, want); err != nil {
			return err
		}
	}
	return nil
}

// run runs fn in a transaction and returns when it is durable.
func (w *writer) run(ctx context.Context, fn func(sqlstore.Tx) error) error {
	return w.queue(&step{ctx: ctx, fn: fn, turn: make(chan bool, 1)})
}

// runLong runs fn as run does, behind those that are short.
func (w *writer) runLong(ctx context.Context, fn func(sqlstore.Tx) error) error {
	return w.queue(&step{ctx: ctx, fn: fn, long: true, turn: make(chan bool, 1)})
}

// queue sends a step through the writer and returns its result.
func (w *writer) queue(s *step) error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return fmt.Errorf("%w: it is closed", store.ErrUnavailable)
	}
	if s.long {
		w.long = append(w.long, s)
	} else {
		w.waiting = append(w.waiting, s)
	}
	lead := !w.led
	w.led = true
	w.mu.Unlock()
	if !lead && !<-s.turn {
		return s.err
	}

	w.group(w.take(s))
	w.handOver()
	return s.err
}

// take returns the steps of the leader's group. A long one, and one that runs in no
// transaction, is a group of its own.
func (w *writer) take(leader *step) []*step {
	w.mu.Lock()
	defer w.mu.Unlock()
	if leader.long {
		w.long = w.long[1:] // the first leads
		return []*step{leader}
	}
	n := min(len(w.waiting), maxGroup)
	if i := slices.IndexFunc(w.waiting[:n], func(s *step) bool { return s.bare != nil }); i >= 0 {
		n = max(i, 1)
	}
	group := w.waiting[:n:n]
	w.waiting = w.waiting[n:]
	if len(w.waiting) == 0 {
		w.waiting = nil
	}
	return group
}

// handOver makes one of those who wait the leader, if there is one.
func (w *writer) handOver() {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case len(w.long) > 0 && (len(w.waiting) == 0 || w.passed == maxPass):
		w.passed = 0
		w.long[0].turn <- true
	case len(w.waiting) > 0:
		if len(w.long) > 0 {
			w.passed++
		}
		w.waiting[0].turn <- true
	default:
		w.led = false
		if w.closed {
			close(w.idle)
		}
	}
}

// group runs steps in one transaction. Where one of them fails, they are run
// again, each in a savepoint, so that only that one is undone; where the
// transaction itself fails, each is run in one of its own, so that a step too
// large for the disk, say, does not take its neighbours with it. Savepoints are
// not there from the start because most steps succeed, and a savepoint costs two
// statements. The first step is the leader's.
func (w *writer) group(steps []*step) {
	switch {
	case len(steps) == 1:
		w.alone(steps[0])
	case w.together(steps, false), w.together(steps, true):
	default:
		for _, s := range steps {
			w.alone(s)
		}
	}
	for _, s := range steps[1:] {
		s.turn <- false
	}
}

// alone runs one step in a transaction of its own.
func (w *writer) alone(s *step) {
	if s.err = s.ctx.Err(); s.err != nil {
		return
	}
	if s.bare != nil {
		s.err = explain(s.bare(w.conn))
		return
	}
	if s.err = w.conn.exec("BEGIN IMMEDIATE"); s.err != nil {
		s.err = explain(s.err)
		return
	}
	if s.err = call(s.fn, w.conn); s.err == nil {
		s.err = w.conn.commit()
	}
	if s.err != nil {
		s.err = explain(s.err)
		w.conn.rollback()
	}
}

// together runs steps in one transaction, each in a savepoint if guarded, and
// reports whether it came to its end: either all of them have their results, or
// nothing of them is there.
func (w *writer) together(steps []*step, guarded bool) bool {
	if err := w.conn.exec("BEGIN IMMEDIATE"); err != nil {
		for _, s := range steps {
			s.err = explain(err) // waiting once more for another process would be too long
		}
		return true
	}
	for _, s := range steps {
		if s.err = s.ctx.Err(); s.err != nil {
			continue
		}
		if !w.within(s, guarded) {
			w.conn.rollback()
			return false
		}
	}
	if w.conn.commit() != nil {
		w.conn.rollback()
		return false
	}
	return true
}

// within runs a step in the running transaction and reports whether that can go
// on.
func (w *writer) within(s *step, guarded bool) bool {
	if !guarded {
		s.err = call(s.fn, w.conn)
		return s.err == nil
	}
	if w.conn.exec("SAVEPOINT step") != nil {
		return false
	}
	if s.err = call(s.fn, w.conn); s.err != nil {
		s.err = explain(s.err)
		if w.conn.exec("ROLLBACK TO step") != nil {
			return false // SQLite has ended the transaction: the disk is full, say
		}
	}
	return w.conn.exec("RELEASE step") == nil
}

// call runs a step's function; a panic in it is the step's error, so that the
// writer stays usable.
func call(fn func(sqlstore.Tx) error, tx sqlstore.Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a store step: %v", p)
		}
	}()
	return fn(tx)
}

// outside runs fn on the connection, in no transaction, while no step runs.
func (w *writer) outside(ctx context.Context, fn func(*conn) error) error {
	return w.queue(&step{ctx: ctx, bare: fn, turn: make(chan bool, 1)})
}

// close takes nothing more, lets what waits finish, and closes the connection.
func (w *writer) close(ctx context.Context) error {
	w.mu.Lock()
	w.closed = true
	led := w.led
	w.mu.Unlock()
	if led {
		select {
		case <-w.idle:
		case <-ctx.Done():
			return fmt.Errorf("a step of the store has not ended: %w", ctx.Err())
		}
	}
	err := w.conn.truncate()
	if errors.Is(err, errBusy) {
		err = nil // whoever reads it leaves last
	}
	return errors.Join(err, w.conn.close())
}
