package knowledge_test

import (
	"context"
	"reflect"
	"sync/atomic"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// Rereads is a store that counts how often an index reads a document again.
type rereads struct {
	*sqlite.Store
	reads atomic.Int64
}

func (w *rereads) LiveDocument(ctx context.Context, company, id string) (knowledge.Live, error) {
	w.reads.Add(1)
	return w.Store.LiveDocument(ctx, company, id)
}

// What a process writes its index knows without reading it again, and finds just
// what an index finds that reads everything anew; whatever others wrote in between
// it reads.
func TestOwnWrites(t *testing.T) {
	st := &rereads{Store: openStore(t, t.TempDir())}
	id := company(t, st.Store)
	kb, other := knowledge.New(st, nil).Company(id), knowledge.New(st.Store, nil).Company(id)
	found(t, kb, knowledge.Query{Text: "anything"}) // from here on there is an index
	doc := func(externalID, title, text string) knowledge.Document {
		return knowledge.Document{
			ExternalID: externalID, Title: title, Text: text, Format: knowledge.Markdown,
			Metadata: map[string]any{"n": 1, "list": []string{"a", "b"}},
		}
	}
	putAll := func(kb *knowledge.Base, docs ...knowledge.Document) func() error {
		return func() error { _, err := kb.PutAll(t.Context(), docs...); return err }
	}
	title := "When we close"
	var patched string
	for _, step := range []struct {
		name  string
		do    func() error
		reads int64 // of documents that the index cannot know
	}{
		{"new documents", putAll(kb, doc("a", "Hours", "# Open\n\nWe open at nine.\n\n# Close\n\nWe close at five."), doc("b", "Prices", "Opening costs nothing.")), 0},
		{"the same again", putAll(kb, doc("b", "Prices", "Opening costs nothing.")), 0},
		{"one twice", putAll(kb, doc("a", "Hours", "We open at ten."), doc("a", "Hours", "We open at eleven.")), 0},
		{"another title", putAll(kb, doc("a", "Opening hours", "We open at eleven.")), 0},
		{"a question", func() error { _, err := kb.PutQA(t.Context(), "When do you open?", "At nine.", "Open?"); return err }, 0},
		{"another process", putAll(other, doc("c", "Doors", "The doors open inwards.")), 1},
		{"the same as another process", func() error {
			if err := putAll(other, doc("c", "Doors", "The doors open outwards."))(); err != nil {
				return err
			}
			return putAll(kb, doc("c", "Doors", "The doors open outwards."))()
		}, 1},
		{"after another process", func() error {
			if err := putAll(other, doc("b", "Prices", "Opening is cheap."))(); err != nil {
				return err
			}
			return putAll(kb, doc("a", "Hours", "We open at noon."))()
		}, 2},
		{"a title alone", func() error {
			d, err := kb.Put(t.Context(), doc("d", "Doors", "The doors close at six."))
			if err != nil {
				return err
			}
			patched = d.ID
			_, err = kb.Patch(t.Context(), d.ID, knowledge.Patch{Title: &title})
			return err
		}, 1},
		{"a delete", func() error { _, err := kb.Delete(t.Context(), patched); return err }, 1},
	} {
		st.reads.Store(0)
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		for _, q := range []knowledge.Query{
			{Text: "open hours"}, {Text: "doors close"}, {Text: "opening costs"}, {Text: "open", Filter: map[string]any{"n": 1}}, {Text: "open", Filter: map[string]any{"list": "b"}},
		} {
			got, err := kb.Search(t.Context(), q)
			if err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			want, err := knowledge.New(st.Store, nil).Company(id).Search(t.Context(), q)
			if err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("after %s, Search(%q) = %+v, want %+v as an index finds that is new", step.name, q.Text, got, want)
			}
		}
		if got := st.reads.Load(); got != step.reads {
			t.Errorf("after %s the index has read %d documents, want %d", step.name, got, step.reads)
		}
	}
}
