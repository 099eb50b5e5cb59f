package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/internal/schema"
	"github.com/answerdesk-go/answerdesk/store/internal/sqlstore"
)

// DefaultSchema is the schema that holds the tables unless [Options] name another.
const DefaultSchema = "answerdesk"

// Options are what may be chosen about a store. The zero value suits most.
type Options struct {
	// Schema holds the store's tables; empty means [DefaultSchema]. Each is a
	// store of its own.
	Schema string

	// Migrate says what to do with a schema of an older version:
	// [store.MigrateAuto] if empty, which also makes one that is not there.
	Migrate store.Migrate
}

// A Store keeps its data in a schema of a PostgreSQL database. It is safe for use
// by many goroutines, and by many processes at a time.
type Store struct {
	*sqlstore.Store
	engine  *engine
	migrate store.Migrate
	own     bool // whether Close closes the pool

	prepared  atomic.Bool
	preparing chan struct{} // has one element while somebody prepares the store
}

// New returns a store on a pool that the host has made and goes on owning. It does
// nothing yet: the schema is looked at, and migrated, by [Store.Prepare], which
// answerdesk.New calls, or else by the first step. A nil opts means the defaults
// written on [Options].
//
// The pool's connections may be shared with the host's own queries; the store sets
// nothing on them. With a pooler between that gives a connection to each
// transaction, such as PgBouncer's transaction mode, set the pool's
// DefaultQueryExecMode to one that keeps no prepared statements.
func New(pool *pgxpool.Pool, opts *Options) *Store {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Schema == "" {
		o.Schema = DefaultSchema
	}
	s := &Store{migrate: o.Migrate, preparing: make(chan struct{}, 1)}
	s.engine = newEngine(pool, o.Schema, s.ready)
	s.Store = sqlstore.New(s.engine, sqlstore.Late)
	return s
}

// Prepare connects, looks at the server and the schema, and migrates it if need be.
// It may be called more than once.
func (s *Store) Prepare(ctx context.Context) error { return s.ready(ctx) }

// ready prepares the store unless that was done.
func (s *Store) ready(ctx context.Context) error {
	if s.prepared.Load() {
		return nil
	}
	select {
	case s.preparing <- struct{}{}:
		defer func() { <-s.preparing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.prepared.Load() {
		return nil
	}
	err := s.engine.connected(ctx, func(c *pgxpool.Conn) error {
		if err := checkServer(ctx, c.Conn()); err != nil {
			return err
		}
		return migrate(ctx, c.Conn(), s.engine.text.schema, s.migrate)
	})
	if err != nil {
		return fmt.Errorf("schema %s: %w", s.engine.text.schema, err)
	}
	s.prepared.Store(true)
	return nil
}

// Schema returns the migrations that this package has, and which of them the
// database has got, in their order. Its errors are those of opening a schema that
// is newer, is another program's or is half a copy.
func (s *Store) Schema(ctx context.Context) (list []store.Applied, err error) {
	ms, err := schema.Read(Migrations())
	if err != nil {
		return nil, err
	}
	err = s.engine.connected(ctx, func(c *pgxpool.Conn) error {
		_, err := applied(ctx, c.Conn(), s.engine.text.schema, ms, "")
		return err
	})
	return schema.List(ms), err
}

// OutOfReach implements [knowledge.Store]: where copies may be that a delete cannot
// reach.
func (s *Store) OutOfReach() []string {
	return []string{
		"backups made before",
		"deleted rows that the database has not vacuumed yet",
		"the database's write-ahead log, and what standbys and archives keep of it",
	}
}

// Close ends the store's use of the pool, and closes the pool if [Open] made it:
// then it waits for what runs. It may be called twice.
func (s *Store) Close() error {
	if !s.engine.closed.Swap(true) && s.own {
		s.engine.pool.Close()
	}
	return nil
}

// errClosed is what a closed store answers.
var errClosed = fmt.Errorf("%w: it is closed", store.ErrUnavailable)

var errSchema = errors.New("the name of a schema has 1 to 63 bytes, and no zero byte")
