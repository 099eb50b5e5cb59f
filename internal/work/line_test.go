package work_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/store"
)

// slowly returns a handler that takes d and writes down its attempts.
func slowly(b *book, began time.Time, d time.Duration) work.Handler {
	return func(ctx context.Context, l store.Lease, j store.Job) error {
		defer b.begin(began, l, j)()
		time.Sleep(d)
		return nil
	}
}

func TestOrderedKeysTakeOneJobAfterAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		r := newRunner(t, s, nil, work.Queue{
			Name: "q", Ordered: true, MaxAttempts: 3,
			Backoff: []time.Duration{time.Minute},
			Handler: func(ctx context.Context, l store.Lease, j store.Job) error {
				defer b.begin(began, l, j)()
				time.Sleep(time.Second)
				switch {
				case j.ID == "a2" && j.Attempt < 3, j.ID == "a4":
					return errors.New("not now")
				}
				return nil
			},
		})
		enqueue(t, s, "c", "q", "a", ids("a", 5)...)
		enqueue(t, s, "c", "q", "b", ids("b", 5)...)
		stop := run(t, r)

		// While a2 waits, a3 does too, and nobody turns in circles about it,
		// whatever else is queued for the key.
		time.Sleep(10 * time.Second)
		claims := s.asked("ClaimKeys")
		for range 20 {
			time.Sleep(time.Second)
			enqueue(t, s, "c", "q", "a", "late")
			r.Wake("q")
		}
		if n := s.asked("ClaimKeys") - claims; n > 25 {
			t.Errorf("a key whose oldest job waits was leased %d times in 20s, want once for each of 20 jobs queued", n)
		}
		if got := b.of("a3"); len(got) != 0 {
			t.Errorf("a3 began %v, before a2 was done", got)
		}

		time.Sleep(10 * time.Minute)
		stop()
		order := b.order()
		want := []string{"a1", "a2", "a2", "a2", "a3", "a4", "a4", "a4", "a5"}
		if got := slices.DeleteFunc(slices.Clone(order), func(id string) bool { return id[0] != 'a' }); !slices.Equal(got, want) {
			t.Errorf("attempts at a's jobs: %v, want %v", got, want)
		}
		if got := slices.DeleteFunc(slices.Clone(order), func(id string) bool { return id[0] != 'b' }); !slices.Equal(got, ids("b", 5)) {
			t.Errorf("attempts at b's jobs: %v, want %v", got, ids("b", 5))
		}
		if got := b.of("b5"); got[0].at != 4*time.Second {
			t.Errorf("b5 began after %v, want 4s: b does not wait for a", got[0].at)
		}
		if _, dead, left := s.recorded(); !slices.Equal(dead, []string{"a4"}) || left != 0 {
			t.Errorf("dead %v, %d left, want a4 and none", dead, left)
		}
		if b.most("c/a") != 1 {
			t.Errorf("%d jobs of one key ran at once, want 1", b.most("c/a"))
		}
	})
}

func TestHowMuchRunsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		r := newRunner(t, s, nil, work.Queue{Name: "q", Parallel: 10, PerCompany: 4, PerKey: 3, Handler: slowly(b, began, time.Second)})
		for _, company := range ids("c", 3) {
			for _, key := range ids("k", 12) {
				enqueue(t, s, company, "q", key, ids(company+key+"-", 20)...)
			}
		}
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop()
		if done, _, left := s.recorded(); len(done) != 720 || left != 0 {
			t.Errorf("%d done, %d left, want 720 and 0", len(done), left)
		}
		if b.most("") != 10*3 || b.most("c1") != 4*3 || b.most("c1/k1") != 3 {
			t.Errorf("at once: %d jobs, %d of c1, %d of its k1, want 30, 12, 3", b.most(""), b.most("c1"), b.most("c1/k1"))
		}
		// 720 jobs, 30 at a time, take 24 s if no place is ever free; a change
		// of keys leaves some free for a moment.
		last := b.attempts[len(b.attempts)-1].at
		if last > 40*time.Second {
			t.Errorf("the last job began after %v, want about 24s", last)
		}
	})
}

func TestDefaultsLeaveRoomForAnotherCompany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		r := newRunner(t, s, nil, work.Queue{Name: "q", Timeout: time.Hour, Handler: slowly(b, began, 10*time.Minute)})
		for _, key := range ids("k", 20) {
			enqueue(t, s, "busy", "q", key, key)
		}
		stop := run(t, r)
		time.Sleep(time.Minute)
		enqueue(t, s, "calm", "q", "k", "job")
		r.Wake("q")
		synctest.Wait()
		if got := b.of("job"); len(got) != 1 || got[0].at != time.Minute {
			t.Errorf("beside a company with 20 jobs of ten minutes, another's job began %v, want at once", got)
		}
		if b.most("busy") != 6 {
			t.Errorf("the busy company had %d of 8 places, want 6", b.most("busy"))
		}
		time.Sleep(time.Hour)
		stop()
		if _, _, left := s.recorded(); left != 0 {
			t.Errorf("%d jobs left", left)
		}
	})
}

func TestFreePlacesAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		r := newRunner(t, s, nil, work.Queue{Name: "q", Parallel: 8, PerCompany: 8, Handler: slowly(b, began, time.Minute)})
		for i, company := range ids("c", 3) {
			for _, key := range ids("k", []int{100, 1, 100}[i]) {
				enqueue(t, s, company, "q", key, company+key)
			}
		}
		stop := run(t, r)
		synctest.Wait()
		if b.most("c1") != 3 || b.most("c2") != 1 || b.most("c3") != 4 {
			t.Errorf("of 8 places c1 has %d, c2 %d, c3 %d, want 3, 1, 4", b.most("c1"), b.most("c2"), b.most("c3"))
		}
		stop()
	})
}

func TestWhoHasFewerPlacesComesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		r := newRunner(t, s, nil, work.Queue{Name: "q", Parallel: 4, PerCompany: 4, Handler: slowly(b, began, time.Minute)})
		for _, key := range ids("k", 3) {
			enqueue(t, s, "a", "q", key, key)
		}
		stop := run(t, r)
		synctest.Wait()
		enqueue(t, s, "a", "q", "k4", "k4")
		enqueue(t, s, "a", "q", "k5", "k5")
		time.Sleep(time.Millisecond)
		enqueue(t, s, "b", "q", "k", "job")
		r.Wake("q")
		synctest.Wait()
		if len(b.of("job")) != 1 || len(b.of("k4")) != 0 {
			t.Errorf("the last of 4 places did not go to the company that had none: begun %v", b.order())
		}
		stop()
	})
}

func TestBusyKeysGiveWay(t *testing.T) {
	for _, test := range []struct {
		name               string
		parallel, perShare int
		busy               []string // a company/key with more work than ever ends
		calm               string   // the company whose one job comes later
	}{
		{"to a key of the same company", 1, 1, []string{"a"}, "a"},
		{"to another company", 1, 1, []string{"a"}, "b"},
		{"all places to another company", 4, 4, []string{"a", "a", "a", "a"}, "b"},
		{"places of a company to its other keys", 4, 2, []string{"a", "a", "a"}, "a"},
		{"busy companies to one behind", 2, 2, []string{"a", "b", "c", "d", "e", "f"}, "g"},
	} {
		for _, ordered := range []bool{true, false} {
			t.Run(test.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s, b, began := newMemStore(), newBook(), time.Now()
					r := newRunner(t, s, nil, work.Queue{
						Name: "q", Ordered: ordered, Parallel: test.parallel, PerCompany: test.perShare,
						Handler: slowly(b, began, 20*time.Millisecond),
					})
					for i, company := range test.busy {
						enqueue(t, s, company, "q", ids("busy", len(test.busy))[i], ids(company, 800)...)
					}
					stop := run(t, r)
					time.Sleep(10 * time.Second)
					enqueue(t, s, test.calm, "q", "calm", "job")
					r.Wake("q")
					time.Sleep(5 * time.Second)
					stop()
					got := b.of("job")
					if len(got) != 1 {
						t.Fatalf("in 5s the job behind %v had %d attempts, want 1", test.busy, len(got))
					}
					// Who waits is seen at a poll, as is who still does when places
					// have changed hands.
					most := time.Duration(1+len(test.busy)/test.perShare) * 650 * time.Millisecond
					if late := got[0].at - 10*time.Second; late > most {
						t.Errorf("the job behind %v began after %v, want at most %v", test.busy, late, most)
					}
				})
			})
		}
	}
}

// A store may take a key for due of which nothing is: that is no reason to ask it
// all the time, nor to forget the key.
func TestKeysWithNothingDueAreLeftForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		n := &noDue{memStore: s}
		r := newRunner(t, n, nil, work.Queue{Name: "q", Handler: slowly(b, began, 0)})
		enqueue(t, s, "c", "q", "k", "job")
		stop := run(t, r)
		time.Sleep(9950 * time.Millisecond)
		n.over.Store(true)
		if n := s.asked("ClaimKeys"); n < 10 || n > 260 {
			t.Errorf("a key with nothing due was leased %d times in 10s, want once in about 50ms", n)
		}
		time.Sleep(time.Second)
		stop()
		if got := b.of("job"); len(got) != 1 || got[0].at > 10100*time.Millisecond {
			t.Errorf("when its job was due after all, after 9.95s, attempts: %v, want one soon", got)
		}
	})
}

type noDue struct {
	*memStore
	over atomic.Bool
}

func (n *noDue) DueJobs(ctx context.Context, l store.Lease, ordered bool, limit int) ([]store.Job, error) {
	if !n.over.Load() {
		return nil, nil
	}
	return n.memStore.DueJobs(ctx, l, ordered, limit)
}

// However long the store takes, a key that gets a place gets something done.
func TestKeysGiveWayAfterAJobAtLeast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		n := &node{Store: s, slow: time.Second}
		r := newRunner(t, n, nil, work.Queue{Name: "q", Ordered: true, Parallel: 2, PerCompany: 1, Handler: slowly(b, began, time.Millisecond)})
		for _, company := range ids("c", 4) {
			for _, key := range ids("k", 3) {
				enqueue(t, s, company, "q", key, ids(company+key+"-", 3)...)
			}
		}
		stop := run(t, r)
		time.Sleep(5 * time.Minute)
		stop()
		if n := len(b.order()); n != 36 {
			t.Errorf("%d of 36 jobs done in 5 minutes with a slow store", n)
		}
	})
}

func TestKeysThatNobodyWaitsForAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		r := newRunner(t, s, nil, work.Queue{Name: "q", Ordered: true, Parallel: 2, PerCompany: 2, Handler: slowly(b, began, 10*time.Millisecond)})
		enqueue(t, s, "c", "q", "k1", ids("a", 1000)...)
		enqueue(t, s, "c", "q", "k2", ids("b", 1000)...)
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop()
		if n := s.asked("ClaimKeys"); n > 4 {
			t.Errorf("2 keys with 2 places were leased %d times", n)
		}
		if last := b.attempts[len(b.attempts)-1].at; len(b.attempts) != 2000 || last != 9990*time.Millisecond {
			t.Errorf("%d attempts, the last after %v, want 2000 and 9.99s", len(b.attempts), last)
		}
	})
}

func TestSlowJobsDoNotStopTheirNeighbours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		r := newRunner(t, s, &work.Options{Poll: time.Hour}, work.Queue{
			Name: "q", PerKey: 2, Timeout: time.Hour,
			Handler: func(ctx context.Context, l store.Lease, j store.Job) error {
				defer b.begin(began, l, j)()
				if j.ID == "slow" {
					time.Sleep(10 * time.Minute)
				}
				return nil
			},
		})
		enqueue(t, s, "c", "q", "k", "slow")
		enqueue(t, s, "c", "q", "k", ids("quick", 100)...)
		stop := run(t, r)
		synctest.Wait()
		if done, _, _ := s.recorded(); len(done) != 100 {
			t.Errorf("%d jobs done beside a slow one, want 100, recorded", len(done))
		}
		time.Sleep(time.Minute)
		enqueue(t, s, "c", "q", "k", "new")
		r.Wake("q")
		synctest.Wait()
		if got := b.of("new"); len(got) != 1 || got[0].at != time.Minute {
			t.Errorf("a job queued while a slow one of its key ran began %v, want at once", got)
		}
		time.Sleep(10 * time.Minute)
		stop()
		if done, _, left := s.recorded(); len(done) != 102 || left != 0 || len(b.of("slow")) != 1 {
			t.Errorf("%d done, %d left, %d attempts at the slow one, want 102, 0, 1", len(done), left, len(b.of("slow")))
		}
	})
}

func TestOutcomesOfAKeyAreRecordedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		n := &node{Store: s, slow: 100 * time.Millisecond}
		r := newRunner(t, n, nil, work.Queue{Name: "q", PerKey: 16, Handler: slowly(b, began, 10*time.Millisecond)})
		enqueue(t, s, "c", "q", "k", ids("job", 320)...)
		stop := run(t, r)
		time.Sleep(time.Minute)
		stop()
		if done, _, _ := s.recorded(); len(done) != 320 {
			t.Errorf("%d jobs done, want 320", len(done))
		}
		if calls := s.asked("FinishJobs"); calls > 80 {
			t.Errorf("320 outcomes were recorded in %d steps, want a quarter or less", calls)
		}
	})
}

func TestQueuesDoNotStopEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		var stuck atomic.Int32
		r := newRunner(t, s, nil,
			work.Queue{Name: "slow", Timeout: time.Hour, Handler: func(ctx context.Context, _ store.Lease, _ store.Job) error {
				stuck.Add(1)
				<-ctx.Done()
				return ctx.Err()
			}},
			work.Queue{Name: "quick", Handler: slowly(b, began, time.Millisecond)},
		)
		for _, key := range ids("k", 50) {
			enqueue(t, s, "c", "slow", key, "s"+key)
			enqueue(t, s, "c", "quick", key, "q"+key)
		}
		stop := run(t, r)
		time.Sleep(time.Second)
		if done, _, _ := s.recorded(); len(done) != 50 || stuck.Load() != 6 {
			t.Errorf("%d jobs done beside %d stuck ones, want 50 beside 6", len(done), stuck.Load())
		}
		stop()
	})
}
