package knowledge_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// A loading store counts how often all documents are read.
type loading struct {
	*sqlite.Store
	loads, documents atomic.Int64
}

func (l *loading) LiveDocuments(ctx context.Context, company, after string, maxBytes int) ([]knowledge.Live, error) {
	l.loads.Add(1)
	return l.Store.LiveDocuments(ctx, company, after, maxBytes)
}

func (l *loading) LiveDocument(ctx context.Context, company, id string) (knowledge.Live, error) {
	l.documents.Add(1)
	return l.Store.LiveDocument(ctx, company, id)
}

// A house is a folder with a store and files of indexes, and who reads them.
type house struct {
	dir, indexes, company string
}

// enough documents for an index to be worth a file.
const enough = 2100

// newHouse returns a house of which the index has been written to its file.
func newHouse(t *testing.T) house {
	t.Helper()
	h := house{dir: t.TempDir(), indexes: t.TempDir()}
	st := openStore(t, h.dir)
	h.company = company(t, st)
	lib := knowledge.New(st, &knowledge.Options{IndexFolder: h.indexes})
	kb := lib.Company(h.company)
	docs := make([]knowledge.Document, enough)
	for i := range docs {
		docs[i] = knowledge.Document{ExternalID: fmt.Sprint("d", i), Title: fmt.Sprint("Part ", i), Text: fmt.Sprintf("Shelf %d holds it.", i)}
	}
	for part := range slices.Chunk(docs, knowledge.MaxBatch) {
		if _, err := kb.PutAll(t.Context(), part...); err != nil {
			t.Fatal(err)
		}
	}
	h.save(t, lib)
	return h
}

// save has a library write its files, and returns their names.
func (h house) save(t *testing.T, lib *knowledge.Library) []string {
	t.Helper()
	found(t, lib.Company(h.company), knowledge.Query{Text: "shelf"})
	if err := lib.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h.files(t)
}

func (h house) files(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(h.indexes)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// enter opens the house as another process would.
func (h house) enter(t *testing.T) (*knowledge.Library, *knowledge.Base, *loading) {
	t.Helper()
	st := &loading{Store: openStore(t, h.dir)}
	lib := knowledge.New(st, &knowledge.Options{IndexFolder: h.indexes})
	return lib, lib.Company(h.company), st
}

// A library begins with the file that another one has written, and follows what was
// written since.
func TestIndexFile(t *testing.T) {
	h := newHouse(t)
	if names := h.files(t); len(names) != 1 || !strings.HasPrefix(names[0], h.company+".") {
		t.Fatalf("the folder holds %q, want one file of %s", names, h.company)
	}
	elsewhere := knowledge.New(openStore(t, h.dir), nil).Company(h.company)
	put(t, elsewhere, knowledge.Document{ExternalID: "d7", Title: "Part 7", Text: "It is sold out."})
	put(t, elsewhere, knowledge.Document{Title: "Holidays", Text: "We are away in August."})

	lib, kb, st := h.enter(t)
	for query, want := range map[string]string{"shelf 42": "Part 42", "sold out": "Part 7", "August": "Holidays"} {
		if got := found(t, kb, knowledge.Query{Text: query}); len(got) == 0 || got[0] != want {
			t.Errorf("Search(%q) = %.3q, want %s first", query, got, want)
		}
	}
	if st.loads.Load() != 0 || st.documents.Load() != 2 {
		t.Errorf("%d pages of all documents and %d documents were read, want only the 2 that have changed", st.loads.Load(), st.documents.Load())
	}
	before := h.files(t)
	if after := h.save(t, lib); len(after) != 1 || after[0] == before[0] {
		t.Errorf("after Save the folder holds %q, want one file in place of %q", after, before)
	}
	if again := h.save(t, lib); !slices.Equal(again, h.files(t)) {
		t.Errorf("an index that has not changed was written again: %q", again)
	}
}

// The file that knows a deleted document goes with it: at once where the index is in
// memory, and when a library tidies up elsewhere.
func TestIndexFileForgets(t *testing.T) {
	h := newHouse(t)
	lib, kb, st := h.enter(t)
	doc := documentOf(t, st, h.company, "d5")
	found(t, kb, knowledge.Query{Text: "shelf"})
	if _, err := kb.Delete(t.Context(), doc); err != nil {
		t.Fatal(err)
	}
	if names := h.files(t); len(names) != 0 {
		t.Errorf("after a delete the folder holds %q, want nothing", names)
	}
	if names := h.save(t, lib); len(names) != 1 {
		t.Fatalf("Save wrote %q, want a new file", names)
	}

	elsewhere := knowledge.New(openStore(t, h.dir), nil).Company(h.company)
	if _, err := elsewhere.Delete(t.Context(), documentOf(t, st, h.company, "d6")); err != nil {
		t.Fatal(err)
	}
	idle, _, _ := h.enter(t)
	if err := idle.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if names := h.files(t); len(names) != 0 {
		t.Errorf("after Tidy the folder holds %q, want nothing of what was deleted elsewhere", names)
	}
	_, kb, _ = h.enter(t)
	if got := found(t, kb, knowledge.Query{Text: "shelf 6"}); slices.Contains(got, "Part 6") {
		t.Error("a deleted document is found")
	}
}

// documentOf returns the id of a document.
func documentOf(t *testing.T, st knowledge.Store, company, external string) string {
	t.Helper()
	l, err := st.Documents(t.Context(), company, knowledge.Filter{ExternalID: external}, store.Page{})
	if err != nil || len(l.Data) != 1 {
		t.Fatalf("Documents(%s) = %d, %v, want one", external, len(l.Data), err)
	}
	return l.Data[0].ID
}

// What is wrong with a file costs time and nothing else.
func TestIndexFileDamaged(t *testing.T) {
	for name, damage := range map[string]func(data []byte) []byte{
		"a bit":     func(data []byte) []byte { data[len(data)/2] ^= 4; return data },
		"cut off":   func(data []byte) []byte { return data[:len(data)/3] },
		"empty":     func([]byte) []byte { return nil },
		"something": func([]byte) []byte { return []byte(strings.Repeat("index ", 1000)) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			path := filepath.Join(h.indexes, h.files(t)[0])
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(data), 0o600); err != nil {
				t.Fatal(err)
			}
			_, kb, st := h.enter(t)
			if got := found(t, kb, knowledge.Query{Text: "shelf 42"}); len(got) == 0 || got[0] != "Part 42" {
				t.Errorf("Search = %.3q, want Part 42 first", got)
			}
			if st.loads.Load() == 0 {
				t.Error("the documents were not read")
			}
			if names := h.files(t); len(names) != 0 {
				t.Errorf("the folder still holds %q", names)
			}
		})
	}
	h := newHouse(t)
	if err := os.Rename(filepath.Join(h.indexes, h.files(t)[0]), filepath.Join(h.indexes, h.company+".99999.index")); err != nil {
		t.Fatal(err)
	}
	_, kb, st := h.enter(t)
	if got := found(t, kb, knowledge.Query{Text: "shelf 42"}); len(got) == 0 || got[0] != "Part 42" || st.loads.Load() == 0 {
		t.Errorf("with a file of another name: Search = %.3q after %d loads, want Part 42 from the documents", got, st.loads.Load())
	}
}

// A file under another company's name tells that company nothing: its searches are as
// without the file, to the last score.
func TestIndexFileOfAnotherCompany(t *testing.T) {
	h := newHouse(t)
	other := newCompany(t, openStore(t, h.dir))
	if err := os.Rename(filepath.Join(h.indexes, h.files(t)[0]), filepath.Join(h.indexes, other+".1.index")); err != nil {
		t.Fatal(err)
	}
	alone := knowledge.New(openStore(t, h.dir), nil).Company(other)
	put(t, alone, knowledge.Document{Title: "Shelf", Text: "Shelf 42 is empty."})
	h.company = other
	_, kb, _ := h.enter(t)
	query := knowledge.Query{Text: "shelf 42 holds"}
	got, err := kb.Search(t.Context(), query)
	want, wantErr := alone.Search(t.Context(), query)
	if err != nil || wantErr != nil || len(got.Hits) != 1 || got.Hits[0].Score != want.Hits[0].Score || got.Confidence != want.Confidence {
		t.Errorf("Search = %+v, %v, without the file %+v, %v", got, err, want, wantErr)
	}
}

// A store that was restored from a backup may come to the revision of a file in
// another way. Then every document is compared with what the file knows.
func TestIndexFileOfAnotherTime(t *testing.T) {
	h := newHouse(t)
	backup := t.TempDir()
	if err := os.CopyFS(backup, os.DirFS(h.dir)); err != nil {
		t.Fatal(err)
	}
	lib, kb, st := h.enter(t)
	put(t, kb, knowledge.Document{ExternalID: "d1", Title: "Part 1", Text: "Lost in the flood."})
	if _, err := kb.Delete(t.Context(), documentOf(t, st, h.company, "d2")); err != nil {
		t.Fatal(err)
	}
	put(t, kb, knowledge.Document{Title: "Flood", Text: "The cellar is under water."})
	if names := h.save(t, lib); len(names) != 1 {
		t.Fatal(names)
	}

	h.dir = backup
	elsewhere := knowledge.New(openStore(t, h.dir), nil).Company(h.company)
	for i := range 3 {
		put(t, elsewhere, knowledge.Document{ExternalID: fmt.Sprint("d", 10+i), Title: fmt.Sprint("Part ", 10+i), Text: "Moved to the attic."})
	}
	_, kb, st = h.enter(t)
	for query, want := range map[string]string{"shelf 1 ": "Part 1", "shelf 2": "Part 2", "attic": "Part 1"} {
		if got := found(t, kb, knowledge.Query{Text: query}); len(got) == 0 || !strings.HasPrefix(got[0], want) {
			t.Errorf("Search(%q) = %.3q, want %s first", query, got, want)
		}
	}
	for _, query := range []string{"flood", "cellar water"} {
		if got := found(t, kb, knowledge.Query{Text: query}); len(got) != 0 {
			t.Errorf("Search(%q) = %q, want nothing of what never was", query, got)
		}
	}
	if n := st.documents.Load(); st.loads.Load() != 0 || n > 10 {
		t.Errorf("%d documents were read, and all of them %d times: want those that differ", n, st.loads.Load())
	}
}
