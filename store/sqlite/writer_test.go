package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/failpoint"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/internal/sqlstore"
)

// commits counts the transactions that are committed during a test.
func commits(t *testing.T) *atomic.Int64 {
	t.Helper()
	n := new(atomic.Int64)
	failpoint.Set(func(name string) {
		if name == "store.committed" {
			n.Add(1)
		}
	})
	t.Cleanup(func() { failpoint.Set(nil) })
	return n
}

// occupy has a step run until release is called, so that others gather behind it.
func occupy(t *testing.T, w *writer) (release func()) {
	t.Helper()
	running, free, ended := make(chan bool), make(chan bool), make(chan error)
	go func() {
		ended <- w.run(t.Context(), func(sqlstore.Tx) error {
			running <- true
			<-free
			return nil
		})
	}()
	<-running
	return func() {
		close(free)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// gathered waits until n steps wait behind the one that runs.
func gathered(w *writer, n int) {
	for {
		w.mu.Lock()
		waiting := len(w.waiting) + len(w.long)
		w.mu.Unlock()
		if waiting == n {
			return
		}
		runtime.Gosched()
	}
}

// told returns the ids of the events of a store.
func told(t *testing.T, s *Store) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	for after := ""; ; {
		events, err := s.Events(t.Context(), firstCompany, after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			return ids
		}
		for _, ev := range events {
			ids[ev.ID], after = true, ev.Cursor
		}
	}
}

// tell is a step that writes one event.
func tell(ctx context.Context, s *Store, eventID string) error {
	return s.Enqueue(ctx, store.Commit{Company: firstCompany, Events: []event.Event{{ID: eventID, Type: event.AgentUpdated, Stream: "agt_first"}}})
}

func TestStepsShareTransactions(t *testing.T) {
	for _, test := range []struct{ steps, commits int }{{1, 1}, {10, 1}, {maxGroup, 1}, {maxGroup + 1, 2}, {600, 3}} {
		t.Run(fmt.Sprint(test.steps), func(t *testing.T) {
			s := openStore(t, t.TempDir(), nil)
			company(t, s)
			release := occupy(t, s.writer)
			var wg sync.WaitGroup
			want := map[string]bool{}
			for range test.steps {
				ev := id.New(id.Event)
				want[ev] = true
				wg.Go(func() {
					if err := tell(t.Context(), s, ev); err != nil {
						t.Error(err)
					}
				})
			}
			gathered(s.writer, test.steps)
			n := commits(t)
			release()
			wg.Wait()
			if got := n.Load(); got != int64(test.commits)+1 {
				t.Errorf("%d steps that waited behind one took %d transactions, want %d", test.steps, got-1, test.commits)
			}
			there := told(t, s)
			for ev := range want {
				if !there[ev] {
					t.Errorf("event %s was acknowledged, and is not there", ev)
				}
			}
		})
	}
}

// Of steps that share a transaction, those that fail, panic or are given up by
// their callers leave nothing, and all others are there.
func TestAFailingStepTakesNobodyWithIt(t *testing.T) {
	s := openStore(t, t.TempDir(), nil)
	company(t, s)
	cancelled, cancel := context.WithCancel(t.Context())
	var own = errors.New("own")
	write := func(tx sqlstore.Tx, ev string) error {
		_, err := tx.Exec(`INSERT INTO audit_log (company, id, actor, action, object, at) VALUES (?, ?, '', '', '', 0)`, firstCompany, ev)
		return err
	}
	steps := []struct {
		name string
		ctx  context.Context
		fn   func(sqlstore.Tx) error
		fail bool
		want error // that the step's error wraps
	}{
		{name: "good1", fn: func(tx sqlstore.Tx) error { return write(tx, "good1") }},
		{name: "fails", fail: true, want: own, fn: func(tx sqlstore.Tx) error { return errors.Join(write(tx, "fails"), own) }},
		{name: "good2", fn: func(tx sqlstore.Tx) error { return write(tx, "good2") }},
		{name: "panics", fail: true, fn: func(tx sqlstore.Tx) error {
			if err := write(tx, "panics"); err != nil {
				return err
			}
			panic("a step")
		}},
		{name: "given up", ctx: cancelled, fail: true, want: context.Canceled, fn: func(tx sqlstore.Tx) error { return write(tx, "given up") }},
		{name: "twice", fail: true, want: store.ErrConflict, fn: func(tx sqlstore.Tx) error { return errors.Join(write(tx, "twice"), write(tx, "twice")) }},
		{name: "no SQL", fail: true, fn: func(tx sqlstore.Tx) error {
			_, err := tx.Exec("INSERT INTO nothing")
			return errors.Join(write(tx, "no SQL"), err)
		}},
		{name: "good3", fn: func(tx sqlstore.Tx) error { return write(tx, "good3") }},
	}
	release := occupy(t, s.writer)
	var wg sync.WaitGroup
	for i, step := range steps {
		if step.ctx == nil {
			step.ctx = t.Context()
		}
		wg.Go(func() {
			err := s.writer.run(step.ctx, step.fn)
			if (err != nil) != step.fail || step.want != nil && !errors.Is(err, step.want) {
				t.Errorf("step %q: %v, want an error: %v, %v", step.name, err, step.fail, step.want)
			}
		})
		gathered(s.writer, i+1)
	}
	cancel()
	n := commits(t)
	release()
	wg.Wait()
	if got := n.Load(); got != 2 {
		t.Errorf("%d steps took %d transactions, want 1", len(steps), got-1)
	}
	entries, err := s.AuditLog(t.Context(), firstCompany, store.Page{})
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, e := range entries.Data {
		there[e.ID] = true
	}
	for _, step := range steps {
		if there[step.name] == step.fail {
			t.Errorf("step %q has left its row: %v", step.name, there[step.name])
		}
	}
}

// A step that the disk has no room for fails alone, and leaves nothing.
func TestAStepTooLargeForTheDisk(t *testing.T) {
	s := openStore(t, t.TempDir(), nil)
	company(t, s)
	limit := func(more int) {
		t.Helper()
		err := s.writer.outside(t.Context(), func(c *conn) error {
			var pages int
			if err := c.sql.QueryRowContext(t.Context(), "PRAGMA page_count").Scan(&pages); err != nil {
				return err
			}
			_, err := c.sql.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", pages+more))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	large := note("large", 1<<20)
	limit(50)
	release := occupy(t, s.writer)
	var wg sync.WaitGroup
	wg.Go(func() {
		err := s.writer.run(t.Context(), large)
		if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "disk is full") {
			t.Errorf("a step larger than the disk = %v, want that the disk is full", err)
		}
	})
	gathered(s.writer, 1)
	var small [5]string
	for i := range small {
		small[i] = id.New(id.Event)
		wg.Go(func() {
			if err := tell(t.Context(), s, small[i]); err != nil {
				t.Errorf("a small step beside a large one: %v", err)
			}
		})
	}
	gathered(s.writer, 1+len(small))
	release()
	wg.Wait()
	there := told(t, s)
	for _, ev := range small {
		if !there[ev] {
			t.Errorf("event %s was acknowledged, and is not there", ev)
		}
	}
	entries, err := s.AuditLog(t.Context(), firstCompany, store.Page{})
	if err != nil || len(entries.Data) != 0 {
		t.Errorf("AuditLog = %d entries, %v, want none", len(entries.Data), err)
	}
	integrity(t, s)
	limit(100_000)
	if err := s.writer.run(t.Context(), large); err != nil {
		t.Errorf("the large step when there is room again: %v", err)
	}
}

// Close lets steps that were taken finish and refuses the rest, so that every
// step is either acknowledged and there, or refused and not there.
func TestCloseWhileBusy(t *testing.T) {
	for round := range 10 {
		dir := t.TempDir()
		s := openStore(t, dir, nil)
		company(t, s)
		var (
			wg      sync.WaitGroup
			mu      sync.Mutex
			results = map[string]bool{} // whether acknowledged
		)
		for range 8 {
			wg.Go(func() {
				for {
					ev := id.New(id.Event)
					err := tell(t.Context(), s, ev)
					mu.Lock()
					results[ev] = err == nil
					mu.Unlock()
					if err == nil {
						continue
					}
					if !errors.Is(err, store.ErrUnavailable) {
						t.Errorf("a step during Close: %v, want %v", err, store.ErrUnavailable)
					}
					return
				}
			})
		}
		time.Sleep(time.Duration(round) * time.Millisecond) // any moment will do
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
		wg.Wait()
		if err := s.Close(); err != nil {
			t.Errorf("Close again = %v", err)
		}
		if _, err := s.Events(t.Context(), firstCompany, "", 1); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("Events after Close = %v, want %v", err, store.ErrUnavailable)
		}
		there := told(t, openStore(t, dir, nil))
		for ev, acked := range results {
			if there[ev] != acked {
				t.Errorf("event %s is there: %v, was acknowledged: %v", ev, there[ev], acked)
			}
		}
	}
}
