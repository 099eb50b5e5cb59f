package knowledge_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// Of patches that change a text at once, each is made to the text as its caller
// read it, or is refused as a conflict.
func TestPatchRace(t *testing.T) {
	kb := newBase(t)
	doc := put(t, kb, knowledge.Document{Text: "Version 1"})
	var wg sync.WaitGroup
	var made atomic.Int64
	for i := range 16 {
		wg.Go(func() {
			text := fmt.Sprint("Writer ", i)
			switch d, err := kb.Patch(t.Context(), doc.ID, knowledge.Patch{Text: &text}); {
			case err == nil && d.Version > 1:
				made.Add(1)
			case !errors.Is(err, store.ErrConflict):
				t.Errorf("Patch = version %d, %v, want a new version or %v", d.Version, err, store.ErrConflict)
			}
		})
	}
	wg.Wait()
	d, err := kb.Get(t.Context(), doc.ID)
	if n := int(made.Load()); err != nil || n == 0 || d.Version != 1+n {
		t.Errorf("after %d patches the document is at version %d, %v, want %d", n, d.Version, err, 1+n)
	}
}

// Of puts under one new external id, one creates the document, and the others
// replace it.
func TestPutRace(t *testing.T) {
	kb := newBase(t)
	var wg sync.WaitGroup
	var created atomic.Int64
	ids := make([]string, 16)
	for i := range ids {
		wg.Go(func() {
			out, err := kb.PutAll(t.Context(), knowledge.Document{ExternalID: "same", Text: fmt.Sprint("Writer ", i)})
			if err != nil {
				t.Errorf("PutAll = error %v", err)
				return
			}
			if ids[i] = out[0].ID; out[0].Status == knowledge.Created {
				created.Add(1)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("the writers made documents %v, want one", ids)
			break
		}
	}
	if n := created.Load(); n != 1 {
		t.Errorf("%d writers created the document, want 1", n)
	}
}

// Searching goes on while documents are written and deleted: no hit is of a text
// that its document did not have, and none of a document whose delete returned
// before the search began.
func TestSearchWhileWriting(t *testing.T) {
	st := openStore(t, t.TempDir())
	id := company(t, st)
	libs := []*knowledge.Library{knowledge.New(st, nil), knowledge.New(st, nil)}
	var gone sync.Map // ids of documents whose delete has returned
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for w := range 3 {
		writers.Go(func() {
			kb := libs[w%2].Company(id)
			for i := range 15 {
				d, err := kb.Put(t.Context(), knowledge.Document{Title: fmt.Sprint(w), Text: fmt.Sprintf("We open at %d, says writer %d.", i, w)})
				if err != nil {
					t.Errorf("Put = error %v", err)
					return
				}
				text := fmt.Sprintf("We open at %d, says writer %d, corrected.", i+1, w)
				if _, err := kb.Patch(t.Context(), d.ID, knowledge.Patch{Text: &text}); err != nil {
					t.Errorf("Patch = error %v", err)
				}
				if _, err := kb.Delete(t.Context(), d.ID); err != nil {
					t.Errorf("Delete = error %v", err)
				}
				gone.Store(d.ID, true)
			}
		})
	}
	for r := range 3 {
		readers.Go(func() {
			kb := libs[r%2].Company(id)
			for {
				select {
				case <-done:
					return
				default:
				}
				var before []any
				gone.Range(func(id, _ any) bool { before = append(before, id); return true })
				found, err := kb.Search(t.Context(), knowledge.Query{Text: "When do you open?"})
				if err != nil {
					t.Errorf("Search = error %v", err)
					return
				}
				for _, h := range found.Hits {
					var at, by int
					if _, err := fmt.Sscanf(h.Text, "We open at %d, says writer %d", &at, &by); err != nil || fmt.Sprint(by) != h.Title {
						t.Errorf("a hit of %s reads %q", h.Title, h.Text)
					}
					for _, id := range before {
						if id == h.DocumentID {
							t.Errorf("a hit is of %s, whose delete had returned", id)
						}
					}
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	for _, lib := range libs {
		if got := found(t, lib.Company(id), knowledge.Query{Text: "open"}); len(got) != 0 {
			t.Errorf("Search at the end = %q, want nothing", got)
		}
	}
}

// racing is a store where somebody else writes right after a document was read.
type racing struct {
	knowledge.Store
	meanwhile func()
}

func (r *racing) Document(ctx context.Context, company, id string) (knowledge.Document, error) {
	d, err := r.Store.Document(ctx, company, id)
	if f := r.meanwhile; f != nil {
		r.meanwhile = nil
		f()
	}
	return d, err
}

// A patch is refused when the text has changed since it read the document, also
// if it leaves the text alone.
func TestPatchConflict(t *testing.T) {
	st := openStore(t, t.TempDir())
	id := company(t, st)
	other := knowledge.New(st, nil).Company(id)
	read := &racing{Store: st}
	kb := knowledge.New(read, nil).Company(id)
	title, text := "New", "We open at ten."
	for _, tt := range []struct {
		name      string
		patch     knowledge.Patch
		meanwhile func(id string) error
		want      error
	}{
		{"nothing happens meanwhile", knowledge.Patch{Title: &title}, nil, nil},
		{"a title, the text changes", knowledge.Patch{Title: &title}, func(id string) error {
			_, err := other.Patch(t.Context(), id, knowledge.Patch{Text: &text})
			return err
		}, nil},
		{"a text, the text changes", knowledge.Patch{Text: &title}, func(id string) error {
			_, err := other.Patch(t.Context(), id, knowledge.Patch{Text: &text})
			return err
		}, store.ErrConflict},
		{"a title, the document is deleted", knowledge.Patch{Title: &title}, func(id string) error {
			_, err := other.Delete(t.Context(), id)
			return err
		}, store.ErrNotFound},
		{"a text, the document is deleted", knowledge.Patch{Text: &text}, func(id string) error {
			_, err := other.Delete(t.Context(), id)
			return err
		}, store.ErrNotFound},
	} {
		doc := put(t, kb, knowledge.Document{Title: "Old", Text: "We open at nine."})
		read.meanwhile = func() {
			if tt.meanwhile == nil {
				return
			}
			if err := tt.meanwhile(doc.ID); err != nil {
				t.Errorf("%s: error %v", tt.name, err)
			}
		}
		if _, err := kb.Patch(t.Context(), doc.ID, tt.patch); !errors.Is(err, tt.want) {
			t.Errorf("%s: Patch = error %v, want %v", tt.name, err, tt.want)
		}
	}
}

// Of patches to different fields at the same time none is lost.
func TestPatchesAtOnce(t *testing.T) {
	kb := newBase(t)
	doc := put(t, kb, knowledge.Document{Title: "Old", Text: "We open at nine."})
	const patches = 16
	var wg sync.WaitGroup
	for i := range patches {
		wg.Go(func() {
			if _, err := kb.Patch(t.Context(), doc.ID, knowledge.Patch{Metadata: map[string]any{fmt.Sprint("key", i): i}}); err != nil {
				t.Errorf("Patch %d: error %v", i, err)
			}
		})
	}
	wg.Wait()
	got, err := kb.Get(t.Context(), doc.ID)
	if err != nil || len(got.Metadata) != patches || got.Version != 1 {
		t.Errorf("after %d patches the document has metadata %v and version %d, error %v", patches, got.Metadata, got.Version, err)
	}
}
