package knowledge_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// openStore opens a store on a folder, and closes it when the test ends.
func openStore(t testing.TB, dir string) *sqlite.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return st
}

// newBase returns the knowledge of the first company of a new store.
func newBase(t testing.TB) *knowledge.Base {
	t.Helper()
	st := openStore(t, t.TempDir())
	return knowledge.New(st, nil).Company(company(t, st))
}

// company returns the id of a store's first company.
func company(t testing.TB, st *sqlite.Store) string {
	t.Helper()
	c, err := access.NewCompanies(st).First(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c.ID
}

// newCompany makes one more company.
func newCompany(t testing.TB, st *sqlite.Store) string {
	t.Helper()
	c, err := access.NewCompanies(st).Create(t.Context(), "One more")
	if err != nil {
		t.Fatal(err)
	}
	return c.ID
}

// put puts a document, and ends the test on an error.
func put(t testing.TB, kb *knowledge.Base, d knowledge.Document) knowledge.Document {
	t.Helper()
	out, err := kb.Put(t.Context(), d)
	if err != nil {
		t.Fatalf("Put(%q) = error %v", d.ExternalID, err)
	}
	return out
}

// found returns the titles of what a search finds, best first.
func found(t testing.TB, kb *knowledge.Base, q knowledge.Query) []string {
	t.Helper()
	r, err := kb.Search(t.Context(), q)
	if err != nil {
		t.Fatalf("Search(%+v) = error %v", q, err)
	}
	titles := []string{}
	for _, h := range r.Hits {
		titles = append(titles, h.Title)
	}
	return titles
}

// sorted is found in alphabetical order.
func sorted(t testing.TB, kb *knowledge.Base, q knowledge.Query) []string {
	t.Helper()
	titles := found(t, kb, q)
	slices.Sort(titles)
	return titles
}

// revision returns the company's revision.
func revision(t testing.TB, kb *knowledge.Base) int64 {
	t.Helper()
	r, err := kb.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A diary is a log that a test reads.
type diary struct {
	mu      sync.Mutex
	entries []string // the message and the company
	bytes   int64    // of the last entry that had any
}

func (d *diary) Enabled(context.Context, slog.Level) bool { return true }
func (d *diary) WithAttrs([]slog.Attr) slog.Handler       { return d }
func (d *diary) WithGroup(string) slog.Handler            { return d }

func (d *diary) Handle(_ context.Context, r slog.Record) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	entry := r.Message
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "company":
			entry += " " + a.Value.String()
		case "bytes":
			d.bytes = a.Value.Int64()
		}
		return true
	})
	d.entries = append(d.entries, entry)
	return nil
}

// count returns how often an entry was made.
func (d *diary) count(entry string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, e := range d.entries {
		if e == entry {
			n++
		}
	}
	return n
}
