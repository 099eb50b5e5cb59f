package knowledge_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// An empty title is taken from the text again, as when there is none at first.
func TestPatchTitle(t *testing.T) {
	kb := newBase(t)
	none, own := "", "Own"
	for _, tt := range []struct {
		name  string
		doc   knowledge.Document
		patch knowledge.Patch
		want  string
	}{
		{"Markdown", knowledge.Document{Format: knowledge.Markdown, Text: "# Heading\n\ntext", Title: own}, knowledge.Patch{Title: &none}, "Heading"},
		{"Markdown with an external id", knowledge.Document{Format: knowledge.Markdown, Text: "text", ExternalID: "a/b.md", Title: own}, knowledge.Patch{Title: &none}, "b.md"},
		{"text", knowledge.Document{Text: "First line\nsecond", Title: own}, knowledge.Patch{Title: &none}, "First line"},
		{"text that is a title", knowledge.Document{Text: "A title\n\nAnd the text below it.", Title: own}, knowledge.Patch{Title: &none}, "A title"},
		{"a page", knowledge.Document{Format: knowledge.HTML, Text: "<title>Page</title><h1>Head</h1><p>The text below it.", Title: own}, knowledge.Patch{Title: &none}, "Head"},
		{"a pair", knowledge.Document{Kind: knowledge.KindQA, Questions: []string{"Do you?"}, Text: "Yes.", Title: own}, knowledge.Patch{Title: &none}, "Do you?"},
		{"a pair with other questions", knowledge.Document{Kind: knowledge.KindQA, Questions: []string{"Do you?"}, Text: "Yes.", Title: own},
			knowledge.Patch{Title: &none, Questions: []string{"Would you?"}}, "Would you?"},
		{"the text too", knowledge.Document{Text: "Old", Title: own}, knowledge.Patch{Title: &none, Text: new("New")}, "New"},
		{"other metadata", knowledge.Document{Text: "Text", Title: own}, knowledge.Patch{Metadata: map[string]any{"a": 1}}, own},
		{"a pair that is called by its question", knowledge.Document{Kind: knowledge.KindQA, Questions: []string{"Do you?"}, Text: "Yes."},
			knowledge.Patch{Questions: []string{"Would you?", "Do you?"}}, "Would you?"},
		{"a pair with a title of its own", knowledge.Document{Kind: knowledge.KindQA, Questions: []string{"Do you?"}, Text: "Yes.", Title: own},
			knowledge.Patch{Questions: []string{"Would you?"}}, own},
	} {
		d := put(t, kb, tt.doc)
		got, err := kb.Patch(t.Context(), d.ID, tt.patch)
		if err != nil || got.Title != tt.want || got.Version != d.Version && tt.patch.Text == nil {
			t.Errorf("%s: Patch = %+v, %v, want the title %q", tt.name, got, err, tt.want)
		}
		before := revision(t, kb)
		if again, err := kb.Patch(t.Context(), d.ID, knowledge.Patch{Title: tt.patch.Title}); err != nil || again.Title != tt.want || revision(t, kb) != before {
			t.Errorf("%s: Patch again = %q, %v at revision %d, want no change", tt.name, again.Title, err, revision(t, kb))
		}
	}
}

// What is reset is as if it had never been given.
func TestPatchResets(t *testing.T) {
	kb := newBase(t)
	d := put(t, kb, knowledge.Document{Text: "Text", URL: "https://shop.example", Questions: []string{"When?"}, Metadata: map[string]any{"a": 1, "b": 2}})
	got, err := kb.Patch(t.Context(), d.ID, knowledge.Patch{URL: new(""), Questions: []string{}, Metadata: map[string]any{"a": nil, "c": nil}})
	if err != nil || got.URL != "" || len(got.Questions) != 0 || len(got.Metadata) != 1 || got.Metadata["b"] != 2.0 {
		t.Errorf("Patch = %+v, %v, want nothing of what was reset", got, err)
	}
	if stored, err := kb.Get(t.Context(), d.ID); err != nil || stored.URL != "" || len(stored.Questions) != 0 || len(stored.Metadata) != 1 {
		t.Errorf("Get = %+v, %v", stored, err)
	}
}

// A patch to a document as it was read is refused when it has changed since.
func TestPatchIfUpdated(t *testing.T) {
	kb := newBase(t)
	d := put(t, kb, knowledge.Document{Title: "Hours", Text: "We open at nine."})
	read := d
	for i, p := range []knowledge.Patch{
		{Title: new("Opening hours")},
		{Text: new("We open at ten.")},
		{Metadata: map[string]any{"a": 1}},
	} {
		p.IfUpdated = read.UpdatedAt.In(time.FixedZone("", 3600))
		got, err := kb.Patch(t.Context(), d.ID, p)
		if err != nil || !got.UpdatedAt.After(read.UpdatedAt) {
			t.Fatalf("Patch %d as it was read = %+v, %v", i, got, err)
		}
		for name, stale := range map[string]knowledge.Patch{
			"a title": {Title: new("Never")}, "a text": {Text: new("Never.")}, "the same": {Title: &got.Title}, "nothing": {},
		} {
			stale.IfUpdated = read.UpdatedAt
			_, err := kb.Patch(t.Context(), d.ID, stale)
			if !errors.Is(err, knowledge.ErrChanged) || !errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), d.ID) {
				t.Errorf("Patch of %s as it was before %d = error %v, want %v that names it", name, i, err, knowledge.ErrChanged)
			}
		}
		read = got
	}
	if stored, err := kb.Get(t.Context(), d.ID); err != nil || !stored.UpdatedAt.Equal(read.UpdatedAt) || stored.Title != "Opening hours" {
		t.Errorf("Get = %+v, %v, want what was patched", stored, err)
	}
}

// A change between a patch's reading and its writing is seen too.
func TestPatchIfUpdatedRace(t *testing.T) {
	st := openStore(t, t.TempDir())
	of := company(t, st)
	other := knowledge.New(st, nil).Company(of)
	read := &racing{Store: st}
	kb := knowledge.New(read, nil).Company(of)
	d := put(t, kb, knowledge.Document{Title: "Old", Text: "We open at nine."})
	read.meanwhile = func() {
		if _, err := other.Patch(t.Context(), d.ID, knowledge.Patch{URL: new("https://shop.example")}); err != nil {
			t.Error(err)
		}
	}
	if _, err := kb.Patch(t.Context(), d.ID, knowledge.Patch{Title: new("New"), IfUpdated: d.UpdatedAt}); !errors.Is(err, knowledge.ErrChanged) {
		t.Errorf("Patch = error %v, want %v", err, knowledge.ErrChanged)
	}
	if got, err := kb.Get(t.Context(), d.ID); err != nil || got.Title != "Old" || got.URL == "" {
		t.Errorf("Get = %+v, %v, want the other's change alone", got, err)
	}
}

// The time of update grows with every change, however soon one follows another.
func TestUpdatedAtGrows(t *testing.T) {
	st := openStore(t, t.TempDir())
	kb := knowledge.New(&still{Store: st, at: time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)}, nil).Company(company(t, st))
	d := put(t, kb, knowledge.Document{ExternalID: "a", Text: "Text 0"})
	var seen []time.Time
	for i := range 10 {
		got, err := kb.Patch(t.Context(), d.ID, knowledge.Patch{Title: new(fmt.Sprint("Title ", i))})
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, got.UpdatedAt)
		seen = append(seen, put(t, kb, knowledge.Document{ExternalID: "a", Text: fmt.Sprint("Text ", i+1)}).UpdatedAt)
	}
	if !slices.IsSortedFunc(seen, func(a, b time.Time) int {
		if a.Before(b) {
			return -1
		}
		return 1
	}) {
		t.Errorf("the times of update are %v, want each after the one before", seen)
	}
}

// still is a store whose callers' clocks stand still.
type still struct {
	knowledge.Store
	at time.Time
}

func (s *still) WriteDocuments(ctx context.Context, c store.Commit, writes []knowledge.Write) (knowledge.Written, error) {
	writes = slices.Clone(writes)
	for i := range writes {
		writes[i].CreatedAt, writes[i].UpdatedAt = s.at, s.at
	}
	return s.Store.WriteDocuments(ctx, c, writes)
}
