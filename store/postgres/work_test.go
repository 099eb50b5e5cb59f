package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/postgres"
)

// A mortal is a store as a process sees it that may die: from then on it asks for
// nothing, and gives nothing back.
type mortal struct {
	*postgres.Store
	dead atomic.Bool
}

var errDead = errors.New("this process is no more")

func (m *mortal) ClaimKeys(ctx context.Context, company, queue, worker string, lease time.Duration, limit int) ([]store.Lease, error) {
	if m.dead.Load() {
		return nil, errDead
	}
	return m.Store.ClaimKeys(ctx, company, queue, worker, lease, limit)
}

func (m *mortal) RenewLease(ctx context.Context, l store.Lease, d time.Duration) (store.Lease, error) {
	if m.dead.Load() {
		return l, errDead
	}
	return m.Store.RenewLease(ctx, l, d)
}

func (m *mortal) FinishJobs(ctx context.Context, l store.Lease, outcomes []store.Outcome) error {
	if m.dead.Load() {
		return errDead
	}
	return m.Store.FinishJobs(ctx, l, outcomes)
}

func (m *mortal) ReleaseKey(ctx context.Context, l store.Lease) error {
	if m.dead.Load() {
		return errDead
	}
	return m.Store.ReleaseKey(ctx, l)
}

// A ledger is what handlers have done, by key.
type ledger struct {
	mu     sync.Mutex
	active map[string]int
	tries  map[string]int
	done   map[string][]int // the numbers of the jobs, as each was first done
	again  int              // how often one was done that was done already
	total  int
}

// do makes an attempt at the job with a number, of which every seventh fails at
// first.
func (l *ledger) do(key string, n int) (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := fmt.Sprint(key, n)
	if l.tries[name]++; n%7 == 3 && l.tries[name] == 1 {
		return errors.New("not the first time")
	}
	if slices.Contains(l.done[key], n) {
		l.again++
		return nil
	}
	l.done[key] = append(l.done[key], n)
	l.total++
	return nil
}

// Several processes share the keys of one database: each job is done, in order, and
// only what a process that died had in its hands is done again.
func TestWorkOfSeveralProcesses(t *testing.T) {
	t.Parallel() // it waits for leases
	const keys, each, processes = 24, 15, 3
	pool := newPool(t)
	first := newStepper(t, pool)
	book := &ledger{active: map[string]int{}, tries: map[string]int{}, done: map[string][]int{}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()

	var stores [processes]*mortal
	var wg sync.WaitGroup
	for i := range stores {
		stores[i] = &mortal{Store: postgres.New(connectPool(t, pool.Config()), &postgres.Options{Schema: first.schema})}
		runner, err := work.New(stores[i], &work.Options{Worker: fmt.Sprint("process ", i), Poll: 20 * time.Millisecond, DrainTimeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		handle := func(_ context.Context, l store.Lease, j store.Job) error {
			book.mu.Lock()
			book.active[l.Key]++
			if book.active[l.Key] > 1 {
				t.Errorf("two work on key %s at a time", l.Key)
			}
			book.mu.Unlock()
			time.Sleep(time.Millisecond) // the work
			defer func() {
				book.mu.Lock()
				book.active[l.Key]--
				book.mu.Unlock()
			}()
			var n int
			if _, err := fmt.Sscan(string(j.Payload), &n); err != nil {
				return work.Permanent(err)
			}
			return book.do(l.Key, n)
		}
		if err := runner.Add(work.Queue{Name: "q", Ordered: true, Lease: 10 * time.Second, Backoff: []time.Duration{5 * time.Millisecond}, MaxAttempts: 50, Handler: handle}); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if err := runner.Run(ctx); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		})
	}
	for n := range each {
		for k := range keys {
			w := store.Work{ID: id.New(id.Work), Queue: "q", Key: fmt.Sprint("key ", k), Payload: fmt.Append(nil, n)}
			if err := first.Enqueue(t.Context(), store.Commit{Company: first.company, Work: []store.Work{w}}); err != nil {
				t.Fatal(err)
			}
		}
		if n == each/2 {
			stores[0].dead.Store(true)
		}
	}
	left := func() int {
		book.mu.Lock()
		defer book.mu.Unlock()
		return keys*each - book.total
	}
	rows := func() []string {
		return column(t, pool, `SELECT id FROM `+first.schema+`.work_jobs UNION ALL SELECT id FROM `+first.schema+`.work_dead`)
	}
	for deadline := time.Now().Add(2 * patience); left() > 0 || len(rows()) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d jobs are not done, and %d rows are left", left(), len(rows()))
		}
	}
	stop()
	wg.Wait()
	for key, done := range book.done {
		if !slices.IsSorted(done) || len(done) != each {
			t.Errorf("the jobs of %s were done as %v, want all of them in order", key, done)
		}
	}
	if book.again > keys {
		t.Errorf("%d jobs were done again, want no more than the one that the dead process had of each key", book.again)
	}
}
