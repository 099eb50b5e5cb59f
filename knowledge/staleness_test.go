package knowledge_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// A watched store counts what a search asks of it.
type watched struct {
	*sqlite.Store
	revisions, passages, others atomic.Int64

	slow    time.Duration // that passes after a revision was read
	loaded  func()        // called at the end of a load
	fail    atomic.Bool   // the feed
	failure error
}

func (w *watched) Revision(ctx context.Context, company string) (int64, error) {
	w.revisions.Add(1)
	defer time.Sleep(w.slow)
	return w.Store.Revision(ctx, company)
}

func (w *watched) Passages(ctx context.Context, company string, refs []knowledge.Ref) ([]knowledge.Passage, error) {
	w.passages.Add(1)
	return w.Store.Passages(ctx, company, refs)
}

func (w *watched) Changes(ctx context.Context, company string, after int64, limit int) ([]knowledge.Change, error) {
	w.others.Add(1)
	if w.fail.Load() {
		return nil, w.failure
	}
	return w.Store.Changes(ctx, company, after, limit)
}

func (w *watched) LiveDocument(ctx context.Context, company, id string) (knowledge.Live, error) {
	w.others.Add(1)
	return w.Store.LiveDocument(ctx, company, id)
}

func (w *watched) LiveDocuments(ctx context.Context, company, after string, maxBytes int) ([]knowledge.Live, error) {
	w.others.Add(1)
	docs, err := w.Store.LiveDocuments(ctx, company, after, maxBytes)
	if len(docs) == 0 && w.loaded != nil {
		loaded := w.loaded
		w.loaded = nil
		loaded()
	}
	return docs, err
}

// asked returns what was asked of the store since it was last called.
func (w *watched) asked() string {
	return fmt.Sprintf("%d revisions, %d passages, %d others", w.revisions.Swap(0), w.passages.Swap(0), w.others.Swap(0))
}

const (
	onlyPassages = "0 revisions, 1 passages, 0 others"
	bothAsked    = "1 revisions, 1 passages, 0 others"
)

// pair returns the knowledge of one company as two processes have it: the second
// may be a minute behind, and has been searched.
func pair(t testing.TB, docs ...knowledge.Document) (here, there *knowledge.Base, st *watched) {
	t.Helper()
	dir := t.TempDir()
	first := openStore(t, dir)
	id := company(t, first)
	here = knowledge.New(first, nil).Company(id)
	if _, err := here.PutAll(t.Context(), docs...); err != nil {
		t.Fatal(err)
	}
	st = &watched{Store: openStore(t, dir), failure: errors.New("the feed is torn")}
	there = knowledge.New(st, &knowledge.Options{Staleness: time.Minute}).Company(id)
	found(t, there, knowledge.Query{Text: "open"})
	st.asked()
	return here, there, st
}

// A library that may be stale finds what another process wrote when it is asked for
// that revision.
func TestMinRevision(t *testing.T) {
	here, there, st := pair(t)
	put(t, here, knowledge.Document{Title: "Hours", Text: "We open at nine."})
	written := revision(t, here)

	query := knowledge.Query{Text: "open"}
	if got := found(t, there, query); len(got) != 0 {
		t.Fatalf("Search = %q, want the knowledge as it was", got)
	}
	query.MinRevision = written
	r, err := there.Search(t.Context(), query)
	if err != nil || len(r.Hits) != 1 || r.Revision < written {
		t.Errorf("Search from revision %d = %d hits at %d, %v, want the document", written, len(r.Hits), r.Revision, err)
	}
	st.asked()
	if got := found(t, there, query); len(got) != 1 {
		t.Errorf("Search again = %q, want the document", got)
	}
	if got := st.asked(); got != onlyPassages {
		t.Errorf("a search from a revision that the index has asks for %s, want %s", got, onlyPassages)
	}
}

// A revision that is not reached is refused, by a library that may be stale and by
// one that may not.
func TestMinRevisionNotReached(t *testing.T) {
	here, there, _ := pair(t, knowledge.Document{Title: "Hours", Text: "We open at nine."})
	next := revision(t, here) + 1
	for name, kb := range map[string]*knowledge.Base{"fresh": here, "stale": there} {
		for _, least := range []int64{-1, next} {
			_, err := kb.Search(t.Context(), knowledge.Query{Text: "open", MinRevision: least})
			bad, ok := errors.AsType[*knowledge.InvalidError](err)
			if !ok || bad.Field != "min_revision" || !strings.Contains(bad.Reason, fmt.Sprint(least)) {
				t.Fatalf("%s: Search from revision %d = error %v, want one that names min_revision and it", name, least, err)
			}
			if least == next && !strings.Contains(bad.Reason, fmt.Sprint(next-1)) {
				t.Errorf("%s: Search from revision %d = error %v, want one that names the revision reached", name, least, err)
			}
		}
	}
}

// What is deleted is not found however stale a library is, and of what was changed
// the new version is found rather than nothing.
func TestStaleAndDeleted(t *testing.T) {
	docs := make([]knowledge.Document, 5)
	for i := range docs {
		docs[i] = knowledge.Document{Title: fmt.Sprint("T", i), ExternalID: fmt.Sprint(i), Text: fmt.Sprintf("We open gate %d at nine.", i)}
	}
	here, there, _ := pair(t, docs...)
	for i := range docs {
		d, err := here.Put(t.Context(), docs[i])
		if err != nil {
			t.Fatal(err)
		}
		found(t, there, knowledge.Query{Text: "open"})
		if i%2 == 0 {
			_, err = here.Delete(t.Context(), d.ID)
		} else {
			_, err = here.Patch(t.Context(), d.ID, knowledge.Patch{Text: new("We close that gate at six.")})
		}
		if err != nil {
			t.Fatal(err)
		}
		r, err := there.Search(t.Context(), knowledge.Query{Text: "which gate"})
		if err != nil {
			t.Fatal(err)
		}
		want := len(docs) - (i/2 + 1)
		if len(r.Hits) != want {
			t.Errorf("after change %d Search = %d hits, want the %d that are left", i, len(r.Hits), want)
		}
		for _, h := range r.Hits {
			if h.DocumentID == d.ID && (i%2 == 0 || strings.Contains(h.Text, "open")) {
				t.Errorf("after change %d Search finds %q", i, h.Text)
			}
		}
	}
}

// What a library itself wrote it finds, also when its index was being loaded, or
// could not follow.
func TestStaleOwnWrites(t *testing.T) {
	st := &watched{Store: openStore(t, t.TempDir()), failure: errors.New("the feed is torn")}
	kb := knowledge.New(st, &knowledge.Options{Staleness: time.Minute}).Company(company(t, st.Store))
	put(t, kb, knowledge.Document{Title: "A", Text: "We open at nine."})
	st.loaded = func() { put(t, kb, knowledge.Document{Title: "B", Text: "We open at ten."}) }
	found(t, kb, knowledge.Query{Text: "open"})
	if got := sorted(t, kb, knowledge.Query{Text: "open"}); len(got) != 2 {
		t.Errorf("Search = %q, want also what was written while the index was loaded", got)
	}

	put(t, kb, knowledge.Document{Title: "C", Text: "We open at eleven."})
	st.asked()
	if got := sorted(t, kb, knowledge.Query{Text: "open"}); len(got) != 3 {
		t.Errorf("Search = %q, want all three", got)
	}
	if got := st.asked(); got != onlyPassages {
		t.Errorf("a search after an own write that was followed asks for %s, want %s", got, onlyPassages)
	}

	other := knowledge.New(st.Store, nil).Company(company(t, st.Store))
	put(t, other, knowledge.Document{Title: "D", Text: "We open at noon."}) // which kb must read the feed for
	st.fail.Store(true)
	put(t, kb, knowledge.Document{Title: "E", Text: "We open at one."})
	if _, err := kb.Search(t.Context(), knowledge.Query{Text: "open"}); !errors.Is(err, st.failure) {
		t.Errorf("Search = error %v, want %v rather than the knowledge without the own write", err, st.failure)
	}
	st.fail.Store(false)
	if got := sorted(t, kb, knowledge.Query{Text: "open"}); len(got) != 5 {
		t.Errorf("Search = %q, want all five", got)
	}
}

// The store is asked for the revision once a staleness, and with none each time.
func TestStaleness(t *testing.T) {
	for _, staleness := range []time.Duration{0, time.Second, knowledge.MaxStaleness} {
		t.Run(staleness.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				writer := openStore(t, dir)
				st := &watched{Store: openStore(t, dir)}
				id := company(t, writer)
				here := knowledge.New(writer, nil).Company(id)
				there := knowledge.New(st, &knowledge.Options{Staleness: staleness}).Company(id)
				put(t, here, knowledge.Document{Title: "A", Text: "We open at nine."})
				found(t, there, knowledge.Query{Text: "open"})
				st.asked()

				want := onlyPassages
				if staleness == 0 {
					want = bothAsked
				}
				time.Sleep(max(0, staleness-time.Nanosecond))
				for range 3 {
					found(t, there, knowledge.Query{Text: "open"})
					if got := st.asked(); got != want {
						t.Errorf("within %v a search asks for %s, want %s", staleness, got, want)
					}
				}
				put(t, here, knowledge.Document{Title: "B", Text: "We open at ten."})
				time.Sleep(min(staleness, time.Nanosecond))
				if got := found(t, there, knowledge.Query{Text: "open"}); len(got) != 2 {
					t.Errorf("after %v Search = %q, want also what another wrote meanwhile", staleness, got)
				}
			})
		})
	}
}

// Staleness counts from before the store was asked, however long that took.
func TestStalenessOfASlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		writer := openStore(t, dir)
		st := &watched{Store: openStore(t, dir)}
		id := company(t, writer)
		here := knowledge.New(writer, nil).Company(id)
		there := knowledge.New(st, &knowledge.Options{Staleness: time.Second}).Company(id)
		found(t, there, knowledge.Query{Text: "open"})
		time.Sleep(time.Second)

		st.slow = time.Second
		time.AfterFunc(time.Second/2, func() { put(t, here, knowledge.Document{Title: "A", Text: "We open at nine."}) })
		found(t, there, knowledge.Query{Text: "open"})
		if got := found(t, there, knowledge.Query{Text: "open"}); len(got) != 1 {
			t.Errorf("Search = %q, want what was written after the revision was read", got)
		}
	})
}

func TestStalenessOutOfBounds(t *testing.T) {
	st := openStore(t, t.TempDir())
	for _, d := range []time.Duration{-1, knowledge.MaxStaleness + 1} {
		func() {
			defer func() {
				if p, _ := recover().(string); !strings.Contains(p, "Staleness") || !strings.Contains(p, d.String()) {
					t.Errorf("New with a Staleness of %v panics with %q, want both named", d, p)
				}
			}()
			knowledge.New(st, &knowledge.Options{Staleness: d})
		}()
	}
}

// BenchmarkStaleness is a search with and without asking for the revision first.
func BenchmarkStaleness(b *testing.B) {
	for _, staleness := range []time.Duration{0, knowledge.MaxStaleness} {
		b.Run(staleness.String(), func(b *testing.B) {
			st := &watched{Store: openStore(b, b.TempDir())}
			kb := knowledge.New(st, &knowledge.Options{Staleness: staleness}).Company(company(b, st.Store))
			fill(b, kb, 1000)
			query := knowledge.Query{Text: "door7 gate7"}
			found(b, kb, query)
			st.asked()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := kb.Search(b.Context(), query); err != nil {
					b.Fatal(err)
				}
			}
			n := st.revisions.Load() + st.passages.Load() + st.others.Load()
			b.ReportMetric(float64(n)/float64(b.N), "statements/op")
		})
	}
}
