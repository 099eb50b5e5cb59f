package storetest_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/storetest"
)

// swapsEvents turns two events of one stream around.
type swapsEvents struct{ storetest.Store }

func (f swapsEvents) Events(ctx context.Context, company, after string, limit int) ([]event.Event, error) {
	all, err := f.Store.Events(ctx, company, after, limit)
	for i := len(all) - 1; i > 0; i-- {
		a, b := &all[i-1], &all[i]
		if a.Stream == b.Stream {
			a.Cursor, b.Cursor = b.Cursor, a.Cursor
			*a, *b = *b, *a
			break
		}
	}
	return all, err
}

// hidesEvents does not show an event to whoever reads it first, as if its step had
// not committed yet, but those behind it, unless these are of the same stream.
type hidesEvents struct {
	storetest.Store
	read sync.Map
}

func (f *hidesEvents) Events(ctx context.Context, company, after string, limit int) ([]event.Event, error) {
	all, err := f.Store.Events(ctx, company, after, limit)
	last := map[string]int{}
	for i, ev := range all {
		last[ev.Stream] = i
	}
	return deletedAt(all, func(i int, ev event.Event) bool {
		_, again := f.read.LoadOrStore(ev.ID, true)
		return !again && i == last[ev.Stream] && i < len(all)-1
	}), err
}

// deletedAt is slices.DeleteFunc for who wants to know the place.
func deletedAt[T any](all []T, del func(i int, v T) bool) (out []T) {
	for i, v := range all {
		if !del(i, v) {
			out = append(out, v)
		}
	}
	return out
}

// hidesRevisions shows every other revision of the feed a while after it is read
// first, as if its write had not committed yet, and meanwhile those behind it.
type hidesRevisions struct {
	storetest.Store
	read sync.Map
}

func (f *hidesRevisions) Changes(ctx context.Context, company string, after int64, limit int) ([]knowledge.Change, error) {
	all, err := f.Store.Changes(ctx, company, after, limit)
	type revision struct {
		company string
		n       int64
	}
	return slices.DeleteFunc(all, func(c knowledge.Change) bool {
		first, _ := f.read.LoadOrStore(revision{company, c.Revision}, time.Now())
		return c.Revision%2 == 1 && time.Since(first.(time.Time)) < 2*time.Millisecond
	}), err
}

// lends plays transactions that are held open: what a step writes under a context
// that it lent takes its place at once, and is hidden until the commit.
type lends struct {
	storetest.Store
	mu     sync.Mutex
	hidden map[string]bool // ids of events and documents
}

type lentKey struct{}

func (f *lends) Lend(ctx context.Context) (context.Context, func() error, func() error, error) {
	open := &[]string{}
	end := func(show bool) func() error {
		return func() error {
			f.mu.Lock()
			defer f.mu.Unlock()
			for _, id := range *open {
				f.hidden[id] = !show
			}
			return nil
		}
	}
	return context.WithValue(ctx, lentKey{}, open), end(true), end(false), nil
}

// hide hides what a step writes whose context was lent.
func (f *lends) hide(ctx context.Context, ids ...string) {
	open, lent := ctx.Value(lentKey{}).(*[]string)
	if !lent {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.hidden == nil {
		f.hidden = map[string]bool{}
	}
	*open = append(*open, ids...)
	for _, id := range ids {
		f.hidden[id] = true
	}
}

func (f *lends) Enqueue(ctx context.Context, c store.Commit) error {
	for _, ev := range c.Events {
		f.hide(ctx, ev.ID)
	}
	return f.Store.Enqueue(ctx, c)
}

func (f *lends) EndTurn(ctx context.Context, c store.Commit, t agent.TurnRef, e agent.End) error {
	for _, ev := range c.Events {
		f.hide(ctx, ev.ID)
	}
	return f.Store.EndTurn(ctx, c, t, e)
}

func (f *lends) WriteDocuments(ctx context.Context, c store.Commit, writes []knowledge.Write) (knowledge.Written, error) {
	for _, w := range writes {
		f.hide(ctx, w.NewID)
	}
	return f.Store.WriteDocuments(ctx, c, writes)
}

// skipsLateEvents reads past events that are not committed yet.
type skipsLateEvents struct{ lends }

func (f *skipsLateEvents) Events(ctx context.Context, company, after string, limit int) ([]event.Event, error) {
	all, err := f.Store.Events(ctx, company, after, limit)
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(all, func(ev event.Event) bool { return f.hidden[ev.ID] }), err
}

// skipsLateRevisions reads past revisions that are not committed yet.
type skipsLateRevisions struct{ lends }

func (f *skipsLateRevisions) Changes(ctx context.Context, company string, after int64, limit int) ([]knowledge.Change, error) {
	all, err := f.Store.Changes(ctx, company, after, limit)
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(all, func(c knowledge.Change) bool { return f.hidden[c.DocumentID] }), err
}
