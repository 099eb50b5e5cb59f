package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/postgres"
)

// onePool is a pool of one connection.
func onePool(t testing.TB, database string) *pgxpool.Pool {
	t.Helper()
	config := newConfig(t, database)
	config.MaxConns = 1
	return connectPool(t, config)
}

// No step needs a second connection while it has one.
func TestOneConnection(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	pool := onePool(t, database)
	useDesk(t, open(t, pool).Store)
	s, look := newStepper(t, pool), connect(t, database)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	steps := s.load(ctx, 3, "alone")
	for _, m := range steps {
		if m.err != nil {
			t.Errorf("%s %s = %v", m.kind, m.name, m.err)
		}
	}
	s.judge(t, look, steps)

	// The connection itself is lent: the step takes no other.
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), patience)
	defer cancel()
	err = s.step(postgres.WithTx(ctx, tx), "begin", "lent")
	if err := errors.Join(err, tx.Commit(t.Context())); err != nil {
		t.Error(err)
	}
	s.judge(t, look, []made{{"begin", "lent", err}})
}

// A step waits for a connection as long as its caller does.
func TestExhaustedPool(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	pool := onePool(t, database)
	s, look := newStepper(t, pool), connect(t, database)
	taken, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	refused := s.step(ctx, "write", "waits in vain")
	if !errors.Is(refused, context.DeadlineExceeded) {
		t.Errorf("a step that got no connection = %v", refused)
	}
	waits := make(chan error)
	go func() { waits <- s.step(t.Context(), "write", "waits") }()
	until(t, "a step waits", func() bool { return pool.Stat().EmptyAcquireCount() > 0 && pool.Stat().AcquiredConns() == 1 })
	taken.Release()
	if err := <-waits; err != nil {
		t.Errorf("a step that waited for a connection = %v", err)
	}
	s.judge(t, look, []made{{"write", "waits in vain", refused}, {"write", "waits", nil}})
	atRest(t, pool, look)
}

// Who closes a pool under a store is told at once.
func TestClosedPool(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	pool := connectPool(t, newConfig(t, database))
	s := newStepper(t, pool)
	pool.Close()
	least := time.Hour // whoever waits for a server does so each time
	for range 3 {
		began := time.Now()
		err := s.step(t.Context(), "enqueue", "closed")
		if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "pool is closed") {
			t.Errorf("a step on a closed pool = %v", err)
		}
		if least = min(least, time.Since(began)); least < 2*time.Second {
			return
		}
	}
	t.Errorf("a step on a closed pool takes %v", least)
}

// A step that panics leaves no connection in a transaction, nor its own host's.
func TestPanic(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	pool := onePool(t, database)
	s, look := newStepper(t, pool), connect(t, database)
	update := fmt.Sprintf(`UPDATE %s.companies SET name = name || '+'`, s.schema)
	panics := func(ctx context.Context, method, query string) (p any) {
		defer func() { p = recover() }()
		err := postgres.Step(ctx, s.Store, method, query, func() { panic("step") })
		return err
	}
	for method, query := range map[string]string{"Write": update, "Read": "SELECT 1", "Get": "SELECT 1"} {
		if p := panics(t.Context(), method, query); p != "step" {
			t.Errorf("a %s that panics = %v, want its panic", method, p)
		}
		atRest(t, pool, look)
	}
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if p := panics(postgres.WithTx(t.Context(), tx), "Write", update); p != "step" {
		t.Errorf("a step that panics in a lent transaction = %v, want its panic", p)
	}
	if _, err := tx.Exec(t.Context(), `CREATE TABLE theirs ()`); err != nil {
		t.Error(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names := column(t, pool, `SELECT name FROM `+s.schema+`.companies`); len(names) != 1 || names[0] != "First" {
		t.Errorf("the company is called %v after steps that panicked", names)
	}
	exec(t, pool, `DROP TABLE theirs`)
}

// A caller who leaves when his step in a lent transaction is done takes it away,
// and the transaction goes on.
func TestLentCallerLeaves(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	pool := onePool(t, database)
	s, look := newStepper(t, pool), connect(t, database)
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	err = postgres.Step(postgres.WithTx(ctx, tx), s.Store, "Write", fmt.Sprintf(`UPDATE %s.companies SET name = name || '+'`, s.schema), func() { calls++ })
	if err != nil || calls != 1 {
		t.Fatalf("a step in a lent transaction = %v, %d calls", err, calls)
	}
	// The last thing that the second step does is to be left.
	err = postgres.Last(postgres.WithTx(ctx, tx), s.Store, fmt.Sprintf(`UPDATE %s.companies SET name = name || '-'`, s.schema), cancel)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a step whose caller has left = %v", err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names := column(t, pool, `SELECT name FROM `+s.schema+`.companies`); len(names) != 1 || names[0] != "First++" {
		t.Errorf("the company is called %v, want First++", names)
	}
	atRest(t, pool, look)
}

// While one caller prepares a store, another one's deadline holds.
func TestPreparingIsWaitedFor(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	pool := connectPool(t, newConfig(t, database))
	look := connect(t, database)
	if _, err := look.Exec(t.Context(), `BEGIN; SELECT pg_advisory_xact_lock(hashtext('answerdesk migrate waits'))`); err != nil {
		t.Fatal(err)
	}
	st := postgres.New(pool, &postgres.Options{Schema: "waits"})
	first := make(chan error)
	go func() { first <- st.Prepare(t.Context()) }()
	other := connect(t, database)
	until(t, "migrating", func() bool {
		var n int
		err := other.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`).Scan(&n)
		return err == nil && n > 0
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := st.Company(ctx, "cmp_1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a step while another caller migrates = %v", err)
	}
	if _, err := look.Exec(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if err := <-first; err != nil {
		t.Errorf("Prepare = %v", err)
	}
	if _, err := st.Company(t.Context(), "cmp_1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Company of a prepared store = %v", err)
	}
}
