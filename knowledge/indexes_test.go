package knowledge_test

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// fill gives a company n documents that share no words.
func fill(t testing.TB, kb *knowledge.Base, n int) {
	t.Helper()
	docs := make([]knowledge.Document, n)
	for i := range docs {
		docs[i] = knowledge.Document{Title: fmt.Sprint("T", i), ExternalID: fmt.Sprint(i), Text: fmt.Sprintf("We open door%d gate%d hall%d room%d.", i, i, i, i)}
	}
	if _, err := kb.PutAll(t.Context(), docs...); err != nil {
		t.Fatal(err)
	}
}

// Two libraries on one store, as two processes have them: what one writes the
// other's next search finds, and what one deletes it does not.
func TestTwoLibraries(t *testing.T) {
	dir := t.TempDir()
	here, there := openStore(t, dir), openStore(t, dir)
	id := company(t, here)
	for _, tt := range []struct {
		name           string
		writer, reader *sqlite.Store
	}{
		{"on one store", here, here},
		{"on two stores of one folder", here, there},
	} {
		t.Run(tt.name, func(t *testing.T) {
			writer, reader := knowledge.New(tt.writer, nil).Company(id), knowledge.New(tt.reader, nil).Company(id)
			if got := found(t, reader, knowledge.Query{Text: "open"}); len(got) != 0 {
				t.Fatalf("Search = %q before anything was put", got)
			}
			for i := range 20 {
				d := put(t, writer, knowledge.Document{Title: "Hours", Text: fmt.Sprint("We open at ", i)})
				r, err := reader.Search(t.Context(), knowledge.Query{Text: "open"})
				if err != nil || len(r.Hits) != 1 || r.Hits[0].DocumentID != d.ID || r.Revision < revision(t, writer) {
					t.Fatalf("Search after the write = %+v at %d, %v, want the document", r.Hits, r.Revision, err)
				}
				text := fmt.Sprint("We close at ", i)
				if _, err := writer.Patch(t.Context(), d.ID, knowledge.Patch{Text: &text}); err != nil {
					t.Fatal(err)
				}
				if got := found(t, reader, knowledge.Query{Text: "open"}); len(got) != 0 {
					t.Fatalf("Search = %q after the text was changed, want nothing", got)
				}
				if got := found(t, reader, knowledge.Query{Text: "close"}); len(got) != 1 {
					t.Fatalf("Search = %q after the text was changed, want the document", got)
				}
				if _, err := writer.Delete(t.Context(), d.ID); err != nil {
					t.Fatal(err)
				}
				if got := found(t, reader, knowledge.Query{Text: "close"}); len(got) != 0 {
					t.Fatalf("Search = %q after the delete, want nothing", got)
				}
			}
		})
	}
}

// A reader that is far behind catches up with everything at once.
func TestCatchingUp(t *testing.T) {
	st := openStore(t, t.TempDir())
	id := company(t, st)
	writer, reader := knowledge.New(st, nil).Company(id), knowledge.New(st, nil).Company(id)
	fill(t, writer, 10)
	if got := found(t, reader, knowledge.Query{Text: "open", Limit: 100}); len(got) != 10 {
		t.Fatalf("Search = %d hits, want 10", len(got))
	}
	fill(t, writer, 200) // many entries of the feed, in few revisions
	for i := range 20 {
		text := fmt.Sprint("We closed door ", i)
		page, err := writer.List(t.Context(), knowledge.Filter{ExternalID: fmt.Sprint(i)}, store.Page{})
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			_, err = writer.Delete(t.Context(), page.Data[0].ID)
		} else {
			_, err = writer.Patch(t.Context(), page.Data[0].ID, knowledge.Patch{Text: &text})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := found(t, reader, knowledge.Query{Text: "closed", Limit: 100}); len(got) != 10 {
		t.Errorf("Search = %d hits, want the 10 that were changed", len(got))
	}
	for i, want := range map[int]int{0: 0, 1: 0, 19: 0, 20: 1, 199: 1} {
		if got := found(t, reader, knowledge.Query{Text: fmt.Sprintf("gate%d", i)}); len(got) != want {
			t.Errorf("Search for what document %d said = %q, want %d hits", i, got, want)
		}
	}
}

// indexBytes returns how much memory the index of a company takes.
func indexBytes(t testing.TB, st *sqlite.Store, company string) int64 {
	t.Helper()
	log := &diary{}
	found(t, knowledge.New(st, &knowledge.Options{Logger: slog.New(log)}).Company(company), knowledge.Query{Text: "open"})
	if log.bytes == 0 {
		t.Fatal("the log does not say how large the index is")
	}
	return log.bytes
}

// The indexes of companies share a budget: the one used least lately makes room,
// and is loaded again when it is asked for.
func TestIndexMemory(t *testing.T) {
	st := openStore(t, t.TempDir())
	ids := make([]string, 5)
	for i := range ids {
		ids[i] = newCompany(t, st)
		fill(t, knowledge.New(st, nil).Company(ids[i]), 100)
	}
	log := &diary{}
	budget := indexBytes(t, st, ids[0]) * 5 / 2 // room for two
	lib := knowledge.New(st, &knowledge.Options{IndexMemory: budget, Logger: slog.New(log)})
	open := knowledge.Query{Text: "open"}
	search := func(i int) {
		t.Helper()
		if got := found(t, lib.Company(ids[i]), open); len(got) != knowledge.DefaultHits {
			t.Fatalf("Search of company %d = %d hits, want %d", i, len(got), knowledge.DefaultHits)
		}
	}
	for i := range ids {
		search(i)
		search(0) // the first one is always the one used last
	}
	if n := log.count("index loaded " + ids[0]); n != 1 {
		t.Errorf("the index that is used most was loaded %d times, want once", n)
	}
	if n := log.count("index freed " + ids[1]); n != 1 {
		t.Errorf("the index used least lately was freed %d times, want once", n)
	}
	search(1)
	if n := log.count("index loaded " + ids[1]); n != 2 {
		t.Errorf("the index that was freed was loaded %d times, want twice", n)
	}
	put(t, lib.Company(ids[1]), knowledge.Document{Text: "One more gate, brand new."})
	if got := found(t, lib.Company(ids[1]), knowledge.Query{Text: "brand new"}); len(got) != 1 {
		t.Errorf("Search after that = %q, want the new document", got)
	}
}

// A company too large for all the memory is refused by name, costs nothing while
// it stays so, and never takes the others' room.
func TestTooLarge(t *testing.T) {
	st := openStore(t, t.TempDir())
	small, large := newCompany(t, st), newCompany(t, st)
	fill(t, knowledge.New(st, nil).Company(small), 5)
	fill(t, knowledge.New(st, nil).Company(large), 300)
	log := &diary{}
	budget := indexBytes(t, st, large) * 3 / 4
	lib := knowledge.New(st, &knowledge.Options{IndexMemory: budget, Logger: slog.New(log)})
	for range 3 {
		if got := found(t, lib.Company(small), knowledge.Query{Text: "open"}); len(got) != 5 {
			t.Fatalf("Search of the small company = %d hits, want 5", len(got))
		}
		_, err := lib.Company(large).Search(t.Context(), knowledge.Query{Text: "open"})
		if !errors.Is(err, knowledge.ErrTooLarge) || !strings.Contains(err.Error(), large) || !strings.Contains(err.Error(), "IndexMemory") {
			t.Errorf("Search of the large company = error %v, want %v that names it and the option", err, knowledge.ErrTooLarge)
		}
	}
	if n := log.count("index loaded " + small); n != 1 {
		t.Errorf("the small company's index was loaded %d times, want once", n)
	}
	if n := log.count("index too large " + large); n != 1 {
		t.Errorf("it was loaded %d times to be refused, want once", n)
	}

	// Writing goes on, and once it fits it is searched.
	docs := make([]knowledge.Document, 300)
	for i := range docs {
		docs[i] = knowledge.Document{ExternalID: fmt.Sprint(i), Title: "T", Text: "We open."}
	}
	if _, err := lib.Company(large).PutAll(t.Context(), docs...); err != nil {
		t.Fatal(err)
	}
	if got := found(t, lib.Company(large), knowledge.Query{Text: "open"}); len(got) != knowledge.DefaultHits {
		t.Errorf("Search with less in it = %d hits, want %d", len(got), knowledge.DefaultHits)
	}

	// A company that outgrows the memory while it is searched is refused from
	// then on; the write that did it is stored.
	grows := newCompany(t, st)
	for i := range 10 {
		docs := make([]knowledge.Document, 50)
		for j := range docs {
			docs[j].Text = fmt.Sprintf("We open pier%d quay%d dock%d.", 50*i+j, 50*i+j, 50*i+j)
		}
		if _, err := lib.Company(grows).PutAll(t.Context(), docs...); err != nil {
			t.Fatalf("PutAll = error %v, want it stored whatever becomes of the index", err)
		}
		if _, err := lib.Company(grows).Search(t.Context(), knowledge.Query{Text: "open"}); err != nil {
			if !errors.Is(err, knowledge.ErrTooLarge) {
				t.Errorf("Search = error %v, want %v", err, knowledge.ErrTooLarge)
			}
			return
		}
	}
	t.Error("the company never grew too large for the budget")
}

// An index holds no text: the passages of hits are read from the store, and what
// is not live there is dropped.
func TestCompaniesApart(t *testing.T) {
	st := openStore(t, t.TempDir())
	lib := knowledge.New(st, nil)
	a, b := lib.Company(newCompany(t, st)), lib.Company(newCompany(t, st))
	put(t, a, knowledge.Document{Title: "a", Text: "We open at nine."})
	put(t, b, knowledge.Document{Title: "b", Text: "We open at ten."})
	for _, tt := range []struct {
		kb   *knowledge.Base
		want []string
	}{{a, []string{"a"}}, {b, []string{"b"}}} {
		if got := found(t, tt.kb, knowledge.Query{Text: "open nine ten"}); !slices.Equal(got, tt.want) {
			t.Errorf("Search = %q, want %q", got, tt.want)
		}
	}
	before, err := a.Search(t.Context(), knowledge.Query{Text: "open"})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, b, 200)
	after, err := a.Search(t.Context(), knowledge.Query{Text: "open"})
	if err != nil || after.Hits[0].Score != before.Hits[0].Score || after.Confidence != before.Confidence {
		t.Errorf("another company's documents changed the score from %v to %v, %v", before.Hits[0].Score, after.Hits[0].Score, err)
	}
}

// An index that is further behind than the feed goes back is made anew.
func TestIndexBehindThePrunedFeed(t *testing.T) {
	dir := t.TempDir()
	st := openStore(t, dir)
	id := company(t, st)
	here, there := knowledge.New(st, nil).Company(id), knowledge.New(openStore(t, dir), nil).Company(id)
	put(t, here, knowledge.Document{ExternalID: "a", Title: "A", Text: "Apples are red."})
	first := found(t, here, knowledge.Query{Text: "apples"})
	put(t, there, knowledge.Document{ExternalID: "a", Title: "A", Text: "Pears are green."})
	put(t, there, knowledge.Document{ExternalID: "b", Title: "B", Text: "Plums are blue."})
	put(t, there, knowledge.Document{ExternalID: "c", Title: "C", Text: "Cherries are red."})
	swept, err := st.Sweep(t.Context(), knowledge.Retention{Changes: 1}, 100)
	if err != nil || swept["changes"] == 0 {
		t.Fatalf("swept %v, %v, want revisions gone", swept, err)
	}
	if got := found(t, here, knowledge.Query{Text: "plums blue"}); len(first) != 1 || !slices.Equal(got, []string{"B"}) {
		t.Errorf("found %q, and before %q, want B, and before A", got, first)
	}
	if got := found(t, here, knowledge.Query{Text: "apples"}); len(got) > 0 {
		t.Errorf("found %q for what is not there any more", got)
	}
}
