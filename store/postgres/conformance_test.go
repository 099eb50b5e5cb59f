package postgres_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
	"github.com/answerdesk-go/answerdesk/store/postgres"
	"github.com/answerdesk-go/answerdesk/store/storetest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// schemas counts the schemas that tests have made.
var schemas atomic.Int64

// open makes a store in a schema of its own.
func open(t testing.TB, pool *pgxpool.Pool) lending {
	t.Helper()
	name := fmt.Sprintf("test_%d", schemas.Add(1))
	st := postgres.New(pool, &postgres.Options{Schema: name})
	if err := st.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return lending{st, pool, name}
}

// newPool connects to a database of the test's own.
func newPool(t testing.TB) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 32
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// lending is a store whose steps may run in a transaction that the suite ends.
type lending struct {
	*postgres.Store
	pool *pgxpool.Pool
	name string // of its schema
}

// Lend implements storetest's interface of that name.
func (l lending) Lend(ctx context.Context) (lent context.Context, commit, rollback func() error, err error) {
	tx, err := l.pool.Begin(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	return postgres.WithTx(ctx, tx), func() error { return tx.Commit(ctx) }, func() error { return tx.Rollback(ctx) }, nil
}

func TestConformance(t *testing.T) {
	pool := newPool(t)
	var used statements
	t.Run("suite", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) storetest.Store {
			st := open(t, pool)
			t.Cleanup(func() { used.note(st.Store) })
			return st
		})
	})
	if !t.Failed() {
		t.Run("plans", func(t *testing.T) { used.check(t, pool) })
	}
}
