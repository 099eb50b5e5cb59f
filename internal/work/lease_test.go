package work_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/store"
)

// untilEnd returns a handler that waits for its context to end, writes down when
// and why, and returns err.
func untilEnd(why *error, after *time.Duration, err error) work.Handler {
	return func(ctx context.Context, _ store.Lease, _ store.Job) error {
		began := time.Now()
		<-ctx.Done()
		*why, *after = context.Cause(ctx), time.Since(began)
		return err
	}
}

func TestLeasesAreRenewedWhileAHandlerRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		q := work.Queue{Name: "q", Timeout: time.Hour, Handler: slowly(b, began, 10*time.Minute)}
		one, two := newRunner(t, s, &work.Options{Worker: "one"}, q), newRunner(t, s, &work.Options{Worker: "two"}, q)
		enqueue(t, s, "c", "q", "k", "job")
		stopOne, stopTwo := run(t, one), run(t, two)
		time.Sleep(11 * time.Minute)
		stopOne()
		stopTwo()
		if got := b.of("job"); len(got) != 1 {
			t.Errorf("attempts at a job of ten minutes under leases of ten seconds: %v, want one", got)
		}
		if n := s.asked("RenewLease"); n < 175 || n > 185 {
			t.Errorf("its lease was renewed %d times, want about 180, every third of it", n)
		}
	})
}

func TestALostLeaseEndsItsHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemStore()
		var (
			why   error
			after time.Duration
		)
		r := newRunner(t, s, nil, work.Queue{Name: "q", Handler: untilEnd(&why, &after, nil)})
		enqueue(t, s, "c", "q", "k", "job")
		stop := run(t, r)
		time.Sleep(time.Second)
		s.steal(memName{"c", "q", "k"})
		time.Sleep(time.Minute)
		stop()
		if !errors.Is(why, store.ErrFenced) || after > 3334*time.Millisecond {
			t.Errorf("the handler's context ended after %v because of %v, want ErrFenced at the next heartbeat", after, why)
		}
		if len(s.tries) != 0 {
			t.Errorf("under a lost lease was recorded: %+v", s.tries)
		}
		if s.asked("ReleaseKey") != 0 {
			t.Error("a lost lease was given back")
		}
	})
}

// A process that cannot reach the store loses its lease by its own clock, before
// another gets it, and goes on when the store is back.
func TestAProcessCutOffFromTheStore(t *testing.T) {
	for _, test := range []struct {
		name string
		cut  func(n *node)
	}{
		{"that refuses", func(n *node) { n.down = store.ErrUnavailable }},
		{"that is silent", func(n *node) { n.stuck = make(chan struct{}) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, b, began := newMemStore(), newBook(), time.Now()
				n := &node{Store: s}
				var (
					why   error
					after time.Duration
					log   bytes.Buffer
				)
				one := newRunner(t, n, &work.Options{Worker: "one", Logger: slog.New(slog.NewTextHandler(&log, nil))},
					work.Queue{Name: "q", Handler: untilEnd(&why, &after, nil)},
					work.Queue{Name: "other", Handler: slowly(b, began, time.Millisecond)})
				two := newRunner(t, s, &work.Options{Worker: "two"}, work.Queue{Name: "q", Handler: slowly(b, began, time.Millisecond)})

				enqueue(t, s, "c", "q", "k", "job")
				stopOne := run(t, one)
				synctest.Wait() // so that it is the one to have it
				stopTwo := run(t, two)
				n.set(test.cut)
				time.Sleep(9 * time.Second)
				if got := b.of("job"); len(got) != 0 {
					t.Errorf("another took the job after %v, with the lease alive", got[0].at)
				}
				time.Sleep(51 * time.Second)
				enqueue(t, s, "c", "other", "k", "afterwards")
				n.set(func(n *node) {
					n.down = nil
					if n.stuck != nil {
						close(n.stuck)
						n.stuck = nil
					}
				})
				time.Sleep(20 * time.Second)
				stopOne()
				stopTwo()

				if !errors.Is(why, store.ErrFenced) || after != 9500*time.Millisecond {
					t.Errorf("the handler's context ended after %v because of %v, want ErrFenced after 9.5s", after, why)
				}
				if got := b.of("job"); len(got) != 1 || got[0].at < 10*time.Second || got[0].at > 10600*time.Millisecond {
					t.Errorf("the other process took the job %v, want when the lease had run out, after 10s", got)
				}
				if done, _, _ := s.recorded(); len(done) != 2 {
					t.Errorf("done: %v, want job and afterwards, once each", done)
				}
				if lines := bytes.Count(log.Bytes(), []byte("\n")); lines > 60 {
					t.Errorf("a minute without the store took %d lines of log:\n%s", lines, log.String())
				}
			})
		})
	}
}

func TestOutcomesWaitForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		n := &node{Store: s}
		r := newRunner(t, n, nil, work.Queue{Name: "q", Handler: slowly(b, began, time.Second)})
		enqueue(t, s, "c", "q", "k", "job")
		stop := run(t, r)
		n.set(func(n *node) { n.down = store.ErrUnavailable })
		time.Sleep(6 * time.Second)
		n.set(func(n *node) { n.down = nil })
		time.Sleep(10 * time.Second)
		stop()
		if done, _, _ := s.recorded(); len(done) != 1 || len(b.of("job")) != 1 {
			t.Errorf("%d done with %d attempts, over 5s in which nothing could be recorded, want 1 and 1", len(done), len(b.of("job")))
		}
	})
}

// A heartbeat that fails is tried again before the lease is given up.
func TestLeasesOutliveAShortOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		n := &node{Store: s}
		r := newRunner(t, n, nil, work.Queue{Name: "q", Handler: slowly(b, began, 20*time.Second)})
		enqueue(t, s, "c", "q", "k", "job")
		stop := run(t, r)
		time.Sleep(3 * time.Second)
		n.set(func(n *node) { n.down = store.ErrUnavailable })
		time.Sleep(6 * time.Second)
		n.set(func(n *node) { n.down = nil })
		time.Sleep(time.Minute)
		stop()
		if got := b.of("job"); len(got) != 1 {
			t.Errorf("attempts over 6s in which the lease could not be renewed: %v, want one", got)
		}
	})
}

func TestALeaseThatIsLostWhenAnOutcomeIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newMemStore()
		var (
			why   error
			after time.Duration
		)
		wait := untilEnd(&why, &after, nil)
		r := newRunner(t, s, nil, work.Queue{Name: "q", PerKey: 2, Handler: func(ctx context.Context, l store.Lease, j store.Job) error {
			if j.ID == "long" {
				return wait(ctx, l, j)
			}
			time.Sleep(time.Second)
			s.steal(memName{"c", "q", "k"})
			return nil
		}})
		enqueue(t, s, "c", "q", "k", "long", "short")
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop()
		if !errors.Is(why, store.ErrFenced) || after != time.Second {
			t.Errorf("the other handler's context ended after %v because of %v, want ErrFenced after 1s", after, why)
		}
		if len(s.tries) != 0 {
			t.Errorf("under a lost lease was recorded: %+v", s.tries)
		}
	})
}

// What a store cannot tell or record for as long as a lease is tried again, but
// not at once.
func TestKeysThatTheStoreFailsAreLeftForALease(t *testing.T) {
	for name, store := range map[string]func(*memStore) work.Store{
		"DueJobs":    func(s *memStore) work.Store { return failing{memStore: s, due: true} },
		"FinishJobs": func(s *memStore) work.Store { return failing{memStore: s, finish: true} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, b, began := newMemStore(), newBook(), time.Now()
				r := newRunner(t, store(s), nil, work.Queue{Name: "q", Handler: slowly(b, began, time.Millisecond)})
				enqueue(t, s, "c", "q", "k", "job")
				stop := run(t, r)
				time.Sleep(2 * time.Minute)
				stop()
				if n := s.asked("ClaimKeys"); n < 5 || n > 8 {
					t.Errorf("in two minutes in which %s failed a key was leased %d times, want once in about 18s", name, n)
				}
			})
		})
	}
}

// A failing store fails some of its methods, and takes a second to lease keys.
type failing struct {
	*memStore
	due, finish, slow bool
}

func (f failing) ClaimKeys(ctx context.Context, company, queue, worker string, lease time.Duration, limit int) ([]store.Lease, error) {
	leases, err := f.memStore.ClaimKeys(ctx, company, queue, worker, lease, limit)
	if f.slow {
		time.Sleep(time.Second)
	}
	return leases, cmp.Or(err, ctx.Err())
}

func (f failing) DueJobs(ctx context.Context, l store.Lease, ordered bool, limit int) ([]store.Job, error) {
	if f.due {
		return nil, store.ErrUnavailable
	}
	return f.memStore.DueJobs(ctx, l, ordered, limit)
}

func (f failing) FinishJobs(ctx context.Context, l store.Lease, outcomes []store.Outcome) error {
	if f.finish {
		return store.ErrUnavailable
	}
	return f.memStore.FinishJobs(ctx, l, outcomes)
}

// Keys that are being leased when the runner is to stop are given back too.
func TestRunLeavesNoLeaseBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		r := newRunner(t, failing{memStore: s, slow: true}, nil, work.Queue{Name: "q", Handler: slowly(b, began, time.Millisecond)})
		enqueue(t, s, "c", "q", "k", "job")
		stop := run(t, r)
		time.Sleep(time.Millisecond)
		stop()
		if n := s.leases(); n != 0 || len(b.order()) != 0 {
			t.Errorf("%d leases alive after Run, %d jobs begun, want none", n, len(b.order()))
		}
	})
}

func TestRunWaitsForWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		var log bytes.Buffer
		r := newRunner(t, s, &work.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))},
			work.Queue{Name: "q", PerKey: 2, Handler: slowly(b, began, 8*time.Second)})
		enqueue(t, s, "c", "q", "k1", ids("a", 5)...)
		enqueue(t, s, "c", "q", "k2", ids("b", 5)...)
		stop := run(t, r)
		time.Sleep(time.Second)
		stop()
		if d := time.Since(began); d != 8*time.Second {
			t.Errorf("Run returned after %v, want 8s, when the jobs under way had ended", d)
		}
		if done, _, left := s.recorded(); len(done) != 4 || left != 6 || len(b.order()) != 4 {
			t.Errorf("%d done, %d left, %d begun, want 4, 6, 4", len(done), left, len(b.order()))
		}
		if n := s.leases(); n != 0 {
			t.Errorf("%d leases alive after Run, want 0", n)
		}
		time.Sleep(time.Minute)
		if log.Len() > 0 {
			t.Errorf("nothing went wrong, and the log says: %s", log.String())
		}
	})
}

func TestWhatOutlastsTheDrainDoesNotCount(t *testing.T) {
	for _, test := range []struct {
		name string
		ends error // what the handler returns when it is told to stop
		left int
	}{
		{"broken off", context.Canceled, 1},
		{"done all the same", nil, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newMemStore()
				var (
					why   error
					after time.Duration
				)
				r := newRunner(t, s, &work.Options{DrainTimeout: 20 * time.Second}, work.Queue{Name: "q", Handler: untilEnd(&why, &after, test.ends)})
				enqueue(t, s, "c", "q", "k", "job")
				stop := run(t, r)
				time.Sleep(time.Second)
				stop()
				if !errors.Is(why, work.ErrStopping) || after != 21*time.Second {
					t.Errorf("the handler's context ended after %v because of %v, want ErrStopping after 21s", after, why)
				}
				if _, dead, left := s.recorded(); left != test.left || len(dead) != 0 || s.leases() != 0 {
					t.Errorf("%d left, %d dead, %d leases, want %d, 0, 0", left, len(dead), s.leases(), test.left)
				}

				b, began := newBook(), time.Now()
				stop = run(t, newRunner(t, s, nil, work.Queue{Name: "q", Handler: slowly(b, began, 0)}))
				synctest.Wait()
				stop()
				if got := b.of("job"); len(got) != test.left || test.left == 1 && (got[0].n != 1 || got[0].at != 0) {
					t.Errorf("attempts by the next process: %v, want %d, at once, numbered 1", got, test.left)
				}
			})
		})
	}
}

// A handler that does not listen keeps its lease as long as it runs: nobody is to
// work beside it.
func TestAHandlerThatDoesNotListenKeepsItsKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		q := work.Queue{Name: "q", Timeout: time.Second, Handler: slowly(b, began, time.Minute)}
		one, two := newRunner(t, s, nil, q), newRunner(t, s, nil, q)
		enqueue(t, s, "c", "q", "k", "job")
		stopOne := run(t, one)
		synctest.Wait()
		stopTwo := run(t, two)
		time.Sleep(time.Second)
		stopOne()
		if d := time.Since(began); d != time.Minute {
			t.Errorf("Run returned after %v, want a minute", d)
		}
		time.Sleep(time.Second)
		stopTwo()
		if got := b.of("job"); len(got) != 1 {
			t.Errorf("attempts: %v, want one", got)
		}
	})
}
