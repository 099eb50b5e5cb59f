package sqlite

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"

	"github.com/answerdesk-go/answerdesk/internal/failpoint"
)

// moveEvery is how many long steps there are between two moves. One of a bulk
// changes some 80 pages.
const moveEvery = 12

// A mover moves what long steps have written from the write-ahead log into the
// database, on a connection of its own: SQLite would do it at the end of whichever
// commit finds the log long, and keep everybody waiting who writes. Here it takes the
// time of those alone who write much. What is written meanwhile stays in the log, so
// that this is never quite done: the rest, which is little by then, is left to the
// commit that finds wal_autocheckpoint reached, and after that the log begins anew.
type mover struct {
	steps atomic.Int64

	mu   sync.Mutex // held while the log is moved, and by whoever empties it
	conn *sql.Conn
}

func newMover(ctx context.Context, db *sql.DB) (*mover, error) {
	c, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &mover{conn: c}, nil
}

// wrote notes a long step, and moves the log when there were enough, unless somebody
// does. That it cannot be moved is no error of the step: a commit moves it later.
func (m *mover) wrote() {
	if m == nil || m.steps.Add(1)%moveEvery != 0 || !m.mu.TryLock() {
		return
	}
	defer m.mu.Unlock()
	if m.conn != nil {
		failpoint.At("store.moving")
		_, _ = m.conn.ExecContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)")
	}
}

// alone keeps the log from being moved, until release is called.
func (m *mover) alone() (release func()) {
	if m == nil {
		return func() {}
	}
	m.mu.Lock()
	return m.mu.Unlock
}

func (m *mover) close() error {
	defer m.alone()()
	if m == nil || m.conn == nil {
		return nil
	}
	c := m.conn
	m.conn = nil
	return c.Close()
}
