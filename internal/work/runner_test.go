package work_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/store"
)

// newRunner returns a runner with the queues given.
func newRunner(t testing.TB, s work.Store, o *work.Options, queues ...work.Queue) *work.Runner {
	t.Helper()
	r, err := work.New(s, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range queues {
		if err := r.Add(q); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// run runs r until the function it returns is called, which waits for its end.
func run(t testing.TB, r *work.Runner) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	}
}

// enqueue queues jobs with these ids, all of one key, and wakes nobody.
func enqueue(t testing.TB, s work.Store, company, queue, key string, ids ...string) {
	t.Helper()
	c := store.Commit{Company: company}
	for _, id := range ids {
		c.Work = append(c.Work, store.Work{ID: id, Queue: queue, Key: key})
	}
	if err := s.Enqueue(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// ids returns n ids that begin with prefix.
func ids(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s%d", prefix, i+1)
	}
	return out
}

// A book is what handlers write down about their attempts.
type book struct {
	mu       sync.Mutex
	attempts []attempt
	now      map[string]int // running, by what was counted
	peak     map[string]int
}

type attempt struct {
	id string
	n  int
	at time.Duration // since the test began
}

func newBook() *book { return &book{now: make(map[string]int), peak: make(map[string]int)} }

// begin notes an attempt, and returns what notes its end. Attempts are counted
// for all, by company and by key.
func (b *book) begin(began time.Time, l store.Lease, j store.Job) (end func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.attempts = append(b.attempts, attempt{j.ID, j.Attempt, time.Since(began)})
	names := []string{"", l.Company, l.Company + "/" + l.Key}
	for _, n := range names {
		b.now[n]++
		b.peak[n] = max(b.peak[n], b.now[n])
	}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, n := range names {
			b.now[n]--
		}
	}
}

// of returns the attempts at a job.
func (b *book) of(id string) []attempt {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.attempts), func(a attempt) bool { return a.id != id })
}

// most returns how many attempts of what is named ran at once.
func (b *book) most(name string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.peak[name]
}

func (b *book) order() (ids []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.attempts {
		ids = append(ids, a.id)
	}
	return ids
}

func TestEveryJobIsDoneOnceAndAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		r := newRunner(t, s, nil, work.Queue{Name: "q", PerKey: 2, Handler: func(ctx context.Context, l store.Lease, j store.Job) error {
			defer b.begin(began, l, j)()
			if l.Company == "" || l.Key != j.Key || l.Fence == 0 || l.Worker == "" {
				t.Errorf("job %s of key %s came under the lease %+v", j.ID, j.Key, l)
			}
			return nil
		}})
		for _, company := range ids("cmp", 3) {
			for _, key := range ids("key", 40) {
				enqueue(t, s, company, "q", key, ids(company+key+"-", 50)...)
			}
		}
		stop := run(t, r)
		synctest.Wait()
		if d := time.Since(began); d != 0 {
			t.Errorf("it took %v, want no waiting", d)
		}
		done, dead, left := s.recorded()
		if len(done) != 6000 || len(dead) != 0 || left != 0 {
			t.Errorf("%d done, %d dead, %d left, want 6000, 0, 0", len(done), len(dead), left)
		}
		if n := len(b.order()); n != 6000 {
			t.Errorf("%d attempts, want 6000", n)
		}
		stop()
		if n := s.leases(); n != 0 {
			t.Errorf("%d leases alive after Run, want 0", n)
		}
	})
}

func TestWorkStartsWhenWokenOrAtThePoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		r := newRunner(t, s, &work.Options{Poll: time.Minute}, work.Queue{Name: "q", Handler: func(ctx context.Context, l store.Lease, j store.Job) error {
			b.begin(began, l, j)()
			return nil
		}})
		r.Wake("q") // before Run, and of unknown queues: allowed
		r.Wake("no such queue")
		stop := run(t, r)
		time.Sleep(time.Second)
		if err := r.Enqueue(t.Context(), store.Commit{Company: "c", Work: []store.Work{{ID: "woken", Queue: "q", Key: "k"}}}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := b.of("woken"); len(got) != 1 || got[0].at != time.Second {
			t.Errorf("attempts at a job that Enqueue queued after 1s: %v, want one at once", got)
		}
		enqueue(t, s, "c", "q", "k", "polled")
		time.Sleep(72 * time.Second)
		synctest.Wait()
		if got := b.of("polled"); len(got) != 1 || got[0].at < 48*time.Second {
			t.Errorf("attempts at a job that nobody was told of: %v, want one, at the poll after a minute", got)
		}
		if n := s.asked("DueCompanies"); n > 8 {
			t.Errorf("an idle queue was looked at %d times", n)
		}
		stop()
	})
}

func TestFailuresWaitLongerAndAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, b, began := newMemStore(), newBook(), time.Now()
		works := false
		r := newRunner(t, s, &work.Options{Poll: 10 * time.Millisecond}, work.Queue{
			Name:        "q",
			Backoff:     []time.Duration{time.Second, 10 * time.Second, time.Minute},
			MaxAttempts: 6,
			PerKey:      50,
			Handler: func(ctx context.Context, l store.Lease, j store.Job) error {
				b.begin(began, l, j)()
				if works {
					return nil
				}
				return errors.New("it says: Erika Mustermann")
			},
		})
		jobs := ids("job", 50)
		enqueue(t, s, "c", "q", "k", jobs...)
		stop := run(t, r)
		time.Sleep(10 * time.Minute)
		synctest.Wait()

		waits := []time.Duration{time.Second, 10 * time.Second, time.Minute, time.Minute, time.Minute}
		seen := make(map[time.Duration]bool)
		for _, id := range jobs {
			got := b.of(id)
			if len(got) != 6 {
				t.Fatalf("%d attempts at %s, want 6", len(got), id)
			}
			for i, want := range waits {
				wait := got[i+1].at - got[i].at
				seen[wait] = true
				if got[i+1].n != i+2 || wait < want*8/10 || wait > want*12/10+20*time.Millisecond {
					t.Errorf("attempt %d at %s came after %v, want attempt %d after %v give or take a fifth", got[i+1].n, id, wait, i+2, want)
				}
			}
		}
		if len(seen) < 25 {
			t.Errorf("50 jobs had only %d different waits", len(seen))
		}

		dead, err := s.DeadJobs(t.Context(), "c", "q", store.Page{})
		if err != nil || len(dead.Data) != 50 {
			t.Fatalf("DeadJobs = %d jobs, %v, want 50", len(dead.Data), err)
		}
		if d := dead.Data[0]; d.Reason != "error" || d.Attempt != 6 {
			t.Errorf("a dead job has the reason %q at attempt %d, want error at 6", d.Reason, d.Attempt)
		}
		works = true
		if err := r.Revive(t.Context(), "c", "job7"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := b.of("job7"); len(got) != 7 || got[6].n != 1 {
			t.Errorf("attempts at a revived job: %v, want one more, numbered 1", got)
		}
		if err := r.Revive(t.Context(), "c", "job7"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Revive of a job that is done = %v, want ErrNotFound", err)
		}
		stop()
	})
}

type classErr string

func (e classErr) Error() string { return "something happened" }
func (e classErr) Class() string { return string(e) }

func TestHowAttemptsEnd(t *testing.T) {
	boom := errors.New("boom")
	wait := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	tests := []struct {
		name   string
		handle func(ctx context.Context) error
		want   store.Outcome // RetryIn is the least
		most   time.Duration // of RetryIn
	}{
		{"done", func(context.Context) error { return nil }, store.Outcome{Done: true}, 0},
		{"error", func(context.Context) error { return boom }, store.Outcome{Reason: "error", RetryIn: 8 * time.Second}, 12 * time.Second},
		{"permanent", func(context.Context) error { return fmt.Errorf("so: %w", work.Permanent(boom)) }, store.Outcome{Reason: "error", Dead: true}, 0},
		{"nothing permanent", func(context.Context) error { return work.Permanent(nil) }, store.Outcome{Done: true}, 0},
		{"nothing after", func(context.Context) error { return work.After(time.Hour, nil) }, store.Outcome{Done: true}, 0},
		{"after", func(context.Context) error { return work.After(time.Minute, boom) }, store.Outcome{Reason: "error", RetryIn: time.Minute}, 66 * time.Second},
		{"after no time", func(context.Context) error { return work.After(-time.Hour, boom) }, store.Outcome{Reason: "error", RetryIn: 100 * time.Millisecond}, 110 * time.Millisecond},
		{"after ten years", func(context.Context) error { return work.After(87600*time.Hour, boom) }, store.Outcome{Reason: "error", RetryIn: 24 * time.Hour}, 27 * time.Hour},
		{"permanent after", func(context.Context) error { return work.After(time.Minute, work.Permanent(boom)) }, store.Outcome{Reason: "error", Dead: true}, 0},
		{"class", func(context.Context) error { return fmt.Errorf("so: %w", classErr("http_503")) }, store.Outcome{Reason: "http_503", RetryIn: 8 * time.Second}, 12 * time.Second},
		{"class of a permanent one", func(context.Context) error { return work.Permanent(classErr("gone")) }, store.Outcome{Reason: "gone", Dead: true}, 0},
		{"class of words", func(context.Context) error { return classErr("Erika Mustermann") }, store.Outcome{Reason: "error", RetryIn: 8 * time.Second}, 12 * time.Second},
		{"empty class", func(context.Context) error { return classErr("") }, store.Outcome{Reason: "error", RetryIn: 8 * time.Second}, 12 * time.Second},
		{"long class", func(context.Context) error { return classErr(strings.Repeat("x", 65)) }, store.Outcome{Reason: "error", RetryIn: 8 * time.Second}, 12 * time.Second},
		{"timeout", wait, store.Outcome{Reason: "timeout", RetryIn: 8 * time.Second}, 12 * time.Second},
		{"timeout in other words", func(ctx context.Context) error { wait(ctx); return boom }, store.Outcome{Reason: "timeout", RetryIn: 8 * time.Second}, 12 * time.Second},
		{"done late", func(ctx context.Context) error { wait(ctx); return nil }, store.Outcome{Done: true}, 0},
		{"a deadline of its own", func(context.Context) error { return context.DeadlineExceeded }, store.Outcome{Reason: "timeout", RetryIn: 8 * time.Second}, 12 * time.Second},
		{"panic", func(context.Context) error { panic("Erika Mustermann") }, store.Outcome{Reason: "panic", RetryIn: 8 * time.Second}, 12 * time.Second},
		{"goexit", func(context.Context) error { runtime.Goexit(); return nil }, store.Outcome{Reason: "panic", RetryIn: 8 * time.Second}, 12 * time.Second},
		{"another's lease", func(context.Context) error { return store.ErrFenced }, store.Outcome{Reason: "error", RetryIn: 8 * time.Second}, 12 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newMemStore()
				var log bytes.Buffer
				r := newRunner(t, s, &work.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, work.Queue{
					Name: "q", Backoff: []time.Duration{10 * time.Second}, Timeout: 2 * time.Second,
					Handler: func(ctx context.Context, _ store.Lease, _ store.Job) error { return test.handle(ctx) },
				})
				enqueue(t, s, "c", "q", "k", "job")
				stop := run(t, r)
				time.Sleep(3 * time.Second)
				stop()
				if len(s.tries) == 0 {
					t.Fatal("no outcome was recorded")
				}
				got, want := s.tries[0], test.want
				if got.RetryIn < want.RetryIn || got.RetryIn > test.most {
					t.Errorf("RetryIn = %v, want from %v to %v", got.RetryIn, want.RetryIn, test.most)
				}
				got.RetryIn, want.RetryIn, want.ID = 0, 0, "job"
				if got != want {
					t.Errorf("outcome %+v, want %+v", got, want)
				}
				if strings.Contains(log.String(), "Erika") {
					t.Errorf("the log has words in it: %s", log.String())
				}
			})
		})
	}
}

func TestMarksKeepTheirError(t *testing.T) {
	for _, err := range []error{work.Permanent(store.ErrConflict), work.After(time.Second, store.ErrConflict)} {
		if !errors.Is(err, store.ErrConflict) || err.Error() != store.ErrConflict.Error() {
			t.Errorf("marked error %q does not wrap its own", err)
		}
	}
}

func TestWhatCannotBeAdded(t *testing.T) {
	handler := func(context.Context, store.Lease, store.Job) error { return nil }
	for name, q := range map[string]work.Queue{
		"no name":           {Handler: handler},
		"no handler":        {Name: "q"},
		"ordered and wide":  {Name: "q", Handler: handler, Ordered: true, PerKey: 2},
		"short lease":       {Name: "q", Handler: handler, Lease: time.Millisecond},
		"negative lease":    {Name: "q", Handler: handler, Lease: -time.Second},
		"negative parallel": {Name: "q", Handler: handler, Parallel: -1},
		"negative share":    {Name: "q", Handler: handler, PerCompany: -1},
		"negative timeout":  {Name: "q", Handler: handler, Timeout: -1},
		"negative attempts": {Name: "q", Handler: handler, MaxAttempts: -1},
		"no wait":           {Name: "q", Handler: handler, Backoff: []time.Duration{time.Second, 0}},
		"there already":     {Name: "old", Handler: handler},
	} {
		r := newRunner(t, newMemStore(), nil, work.Queue{Name: "old", Handler: handler})
		if err := r.Add(q); err == nil {
			t.Errorf("Add of a queue with %s = nil, want an error", name)
		}
	}
	r := newRunner(t, newMemStore(), nil)
	fn := func(context.Context) error { return nil }
	if r.Every("s", 0, fn) == nil || r.Every("s", time.Second, nil) == nil {
		t.Error("Every with no interval, or nothing to do, = nil, want an error")
	}
	if _, err := work.New(newMemStore(), &work.Options{Poll: -1}); err == nil {
		t.Error("New with a negative Poll = nil, want an error")
	}
	synctest.Test(t, func(t *testing.T) {
		r := newRunner(t, newMemStore(), nil)
		stop := run(t, r)
		synctest.Wait()
		if r.Add(work.Queue{Name: "q", Handler: handler}) == nil || r.Every("s", time.Second, fn) == nil || r.Run(t.Context()) == nil {
			t.Error("Add, Every or Run while running = nil, want an error")
		}
		stop()
		stop = run(t, r) // once more is fine
		synctest.Wait()
		stop()
	})
}
