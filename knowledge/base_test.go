package knowledge_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A document is stored as it was put, and found from the moment Put returned.
func TestPut(t *testing.T) {
	kb := newBase(t)
	d := knowledge.Document{
		Title: "Hours", ExternalID: "hours.md", URL: "https://shop.example/hours", Format: knowledge.Markdown,
		Text:     "# Hours\r\n\r\n\tWe open at nine — geöffnet ♥\r\n\r\n\r\n",
		Metadata: map[string]any{"lang": "en", "tags": []string{"a", "b"}, "year": 2026, "public": true},
	}
	if got := revision(t, kb); got != 0 {
		t.Errorf("Revision before the first write = %d, want 0", got)
	}
	got := put(t, kb, d)
	if !strings.HasPrefix(got.ID, "doc_") || got.Version != 1 || got.State != knowledge.StateReady || got.Kind != knowledge.KindUpload ||
		got.CreatedAt.IsZero() || !got.UpdatedAt.Equal(got.CreatedAt) || got.Text != "" {
		t.Errorf("Put = %+v, want version 1, ready, without its text", got)
	}
	want := map[string]any{"lang": "en", "tags": []any{"a", "b"}, "year": 2026.0, "public": true}
	if got.Title != d.Title || got.ExternalID != d.ExternalID || got.URL != d.URL || got.Format != d.Format || !reflect.DeepEqual(got.Metadata, want) {
		t.Errorf("Put = %+v, want what was put, and the metadata as JSON has it", got)
	}
	if stored, err := kb.Get(t.Context(), got.ID); err != nil || !reflect.DeepEqual(stored, got) {
		t.Errorf("Get = %+v, %v, want what Put returned, %+v", stored, err, got)
	}
	if text, err := kb.Text(t.Context(), got.ID, 0); err != nil || text != d.Text {
		t.Errorf("Text = %q, %v, want the bytes that were put", text, err)
	}
	r, err := kb.Search(t.Context(), knowledge.Query{Text: "When do you open?"})
	if err != nil || len(r.Hits) != 1 || r.Revision != 1 {
		t.Fatalf("Search = %d hits at revision %d, %v, want one at 1", len(r.Hits), r.Revision, err)
	}
	h := r.Hits[0]
	if h.DocumentID != got.ID || h.Version != 1 || h.Text != d.Text[h.Start:h.End] || !slices.Equal(h.Heading, []string{"Hours"}) ||
		h.Title != d.Title || h.URL != d.URL || h.ExternalID != d.ExternalID || h.Kind != knowledge.KindUpload || !reflect.DeepEqual(h.Metadata, want) || h.Score <= 0 {
		t.Errorf("the hit is %+v, want the passage and where it stands", h)
	}
}

// What the title of a document is that comes without one.
func TestTitle(t *testing.T) {
	kb := newBase(t)
	long := strings.Repeat("ö", 600)
	for _, tt := range []struct {
		doc  knowledge.Document
		want string
	}{
		{knowledge.Document{Title: "Own", Format: knowledge.Markdown, Text: "# Heading\n\ntext"}, "Own"},
		{knowledge.Document{Format: knowledge.Markdown, Text: "# Heading\n\ntext", ExternalID: "a.md"}, "Heading"},
		{knowledge.Document{Format: knowledge.HTML, Text: "<html><title>Page</title><body><p>text"}, "Page"},
		{knowledge.Document{Text: "text", ExternalID: "notes/b.txt"}, "b.txt"},
		{knowledge.Document{Text: "\n  First line \nsecond"}, "First line"},
		{knowledge.Document{Text: long}, long[:2*80]},
		{knowledge.Document{Format: knowledge.Markdown, Text: "# " + long + "\n\ntext"}, long[:2*knowledge.MaxTitle]},
		{knowledge.Document{Kind: knowledge.KindQA, Questions: []string{"Do you?", "Would you?"}, Text: "Yes."}, "Do you?"},
		{knowledge.Document{Kind: knowledge.KindQA, Questions: []string{long}, Text: "Yes."}, long[:2*knowledge.MaxTitle]},
	} {
		if got := put(t, kb, tt.doc); got.Title != tt.want {
			t.Errorf("the title of %.40q is %.40q, want %.40q", tt.doc.Text, got.Title, tt.want)
		}
	}
}

// The same external id replaces, the same document changes nothing, and each
// new text is a version.
func TestReplace(t *testing.T) {
	kb := newBase(t)
	d := knowledge.Document{Title: "Hours", ExternalID: "hours", Text: "We open at nine."}
	first := put(t, kb, d)
	for i, step := range []struct {
		name   string
		change func(*knowledge.Document)
		status knowledge.Status
		at     int // version
	}{
		{"the same again", func(*knowledge.Document) {}, knowledge.Unchanged, 1},
		{"a new title", func(d *knowledge.Document) { d.Title = "Opening hours" }, knowledge.Updated, 1},
		{"new metadata", func(d *knowledge.Document) { d.Metadata = map[string]any{"a": 1} }, knowledge.Updated, 1},
		{"the same metadata otherwise written", func(d *knowledge.Document) { d.Metadata = map[string]any{"a": 1.0} }, knowledge.Unchanged, 1},
		{"a new text", func(d *knowledge.Document) { d.Text = "We open at ten." }, knowledge.Updated, 2},
		{"another format", func(d *knowledge.Document) { d.Format = knowledge.Markdown }, knowledge.Updated, 3},
		{"the first text again", func(d *knowledge.Document) { d.Text, d.Format = "We open at nine.", "" }, knowledge.Updated, 4},
		{"by its id", func(d *knowledge.Document) { d.ID, d.ExternalID, d.Text = first.ID, "", "We open at six." }, knowledge.Updated, 5},
		{"by its id in capitals", func(d *knowledge.Document) { d.ID, d.Text = strings.ToUpper(first.ID), "We open at seven." }, knowledge.Updated, 6},
	} {
		before := revision(t, kb)
		step.change(&d)
		out, err := kb.PutAll(t.Context(), d)
		if err != nil {
			t.Fatalf("%s: PutAll = error %v", step.name, err)
		}
		got := out[0]
		if got.Status != step.status || got.Version != step.at || got.ID != first.ID || !got.CreatedAt.Equal(first.CreatedAt) {
			t.Errorf("%s: PutAll = %s %+v, want %s at version %d of the same document", step.name, got.Status, got.Document, step.status, step.at)
		}
		if after := revision(t, kb); (after > before) != (step.status != knowledge.Unchanged) || after > before+1 {
			t.Errorf("%s: the revision went from %d to %d", step.name, before, after)
		}
		r, err := kb.Search(t.Context(), knowledge.Query{Text: "open"})
		if err != nil || len(r.Hits) != 1 || r.Hits[0].Text != d.Text || r.Hits[0].Title != d.Title || r.Hits[0].Version != step.at {
			t.Errorf("%s: step %d is found as %+v, %v, want the newest alone", step.name, i, r.Hits, err)
		}
	}
	for version, want := range map[int]string{1: "We open at nine.", 2: "We open at ten.", 5: "We open at six.", 0: "We open at seven."} {
		if got, err := kb.Text(t.Context(), first.ID, version); err != nil || got != want {
			t.Errorf("Text of version %d = %q, %v, want %q", version, got, err, want)
		}
	}
	for _, version := range []int{7, -1} {
		if _, err := kb.Text(t.Context(), first.ID, version); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Text of version %d = error %v, want %v", version, err, store.ErrNotFound)
		}
	}
}

// An external id is unique within company and agent; without one, the same text
// may be put twice.
func TestExternalIDs(t *testing.T) {
	st := openStore(t, t.TempDir())
	id := company(t, st)
	lib := knowledge.New(st, nil)
	a, err := agent.New(st, lib, nil, nil).Agents(id).Create(t.Context(), agent.Settings{Name: "A"})
	if err != nil {
		t.Fatal(err)
	}
	kb := lib.Company(id)
	d := knowledge.Document{Title: "Hours", ExternalID: "hours", Text: "We open at nine."}
	all := put(t, kb, d)
	d.AgentID = a.ID
	own := put(t, kb, d)
	d.ExternalID = ""
	once, twice := put(t, kb, d), put(t, kb, d)
	if all.ID == own.ID || once.ID == twice.ID || once.ID == own.ID {
		t.Errorf("the documents %s, %s, %s and %s are not four", all.ID, own.ID, once.ID, twice.ID)
	}
	d.ID, d.ExternalID = once.ID, "hours"
	if _, err := kb.Put(t.Context(), d); !errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), own.ID) {
		t.Errorf("Put of a taken external id = error %v, want %v that names whose it is", err, store.ErrConflict)
	}
	for _, tt := range []struct {
		filter knowledge.Filter
		want   []string
	}{
		{knowledge.Filter{}, []string{twice.ID, once.ID, own.ID, all.ID}},
		{knowledge.Filter{AgentID: a.ID}, []string{twice.ID, once.ID, own.ID}},
		{knowledge.Filter{ExternalID: "hours"}, []string{own.ID, all.ID}},
		{knowledge.Filter{AgentID: strings.ToUpper(a.ID), ExternalID: "hours"}, []string{own.ID}},
		{knowledge.Filter{Kind: knowledge.KindQA}, nil},
		{knowledge.Filter{ExternalID: "HOURS"}, nil},
	} {
		page, err := kb.List(t.Context(), tt.filter, store.Page{})
		var got []string
		for _, d := range page.Data {
			got = append(got, d.ID)
		}
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("List(%+v) = %v, %v, want %v", tt.filter, got, err, tt.want)
		}
	}
	if _, err := kb.List(t.Context(), knowledge.Filter{AgentID: "agt_1"}, store.Page{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("List of agent agt_1 = error %v, want %v", err, store.ErrNotFound)
	}
}

// A list is read page by page, newest first, each document once.
func TestListPages(t *testing.T) {
	kb := newBase(t)
	docs := make([]knowledge.Document, 23)
	for i := range docs {
		docs[i].Text = fmt.Sprint("Document ", i)
	}
	out, err := kb.PutAll(t.Context(), docs...)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for p := (store.Page{Limit: 5}); ; {
		page, err := kb.List(t.Context(), knowledge.Filter{}, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range page.Data {
			if want := out[len(out)-1-seen].ID; d.ID != want || d.Text != "" {
				t.Fatalf("document %d of the list is %s, want %s without its text", seen, d.ID, want)
			}
			seen++
		}
		if page.HasMore != (page.NextCursor != "") {
			t.Errorf("page at %d: has more %v with cursor %q", seen, page.HasMore, page.NextCursor)
		}
		if !page.HasMore {
			break
		}
		if _, err := kb.List(t.Context(), knowledge.Filter{Kind: knowledge.KindQA}, store.Page{Cursor: page.NextCursor}); err == nil {
			t.Error("a cursor of another list was taken")
		}
		p.Cursor = page.NextCursor
	}
	if seen != len(docs) {
		t.Errorf("the pages have %d documents, want %d", seen, len(docs))
	}
	for _, limit := range []int{-1, store.MaxLimit + 1} {
		if _, err := kb.List(t.Context(), knowledge.Filter{}, store.Page{Limit: limit}); err == nil {
			t.Errorf("List of %d = nil, want an error", limit)
		}
	}
}

func TestPatch(t *testing.T) {
	kb := newBase(t)
	title, text, url, markdown, html := "Opening hours", "We open at ten.", "https://shop.example", knowledge.Markdown, knowledge.HTML
	start := knowledge.Document{Title: "Hours", ExternalID: "hours", Text: "We open at nine.", Metadata: map[string]any{"a": "1", "b": "2"}}
	for _, tt := range []struct {
		name    string
		patch   knowledge.Patch
		want    func(*knowledge.Document) // of the document
		text    string
		changes bool
	}{
		{"nothing", knowledge.Patch{}, func(*knowledge.Document) {}, start.Text, false},
		{"the same title", knowledge.Patch{Title: &start.Title}, func(*knowledge.Document) {}, start.Text, false},
		{"the same metadata", knowledge.Patch{Metadata: map[string]any{"a": "1", "c": nil}}, func(*knowledge.Document) {}, start.Text, false},
		{"the title", knowledge.Patch{Title: &title}, func(d *knowledge.Document) { d.Title = title }, start.Text, true},
		{"the url", knowledge.Patch{URL: &url}, func(d *knowledge.Document) { d.URL = url }, start.Text, true},
		{"metadata", knowledge.Patch{Metadata: map[string]any{"a": nil, "c": []int{3}}}, func(d *knowledge.Document) {
			d.Metadata = map[string]any{"b": "2", "c": []any{3.0}}
		}, start.Text, true},
		{"all metadata away", knowledge.Patch{Metadata: map[string]any{"a": nil, "b": nil}}, func(d *knowledge.Document) { d.Metadata = nil }, start.Text, true},
		{"the text", knowledge.Patch{Text: &text}, func(d *knowledge.Document) { d.Version = 2 }, text, true},
		{"the text and its format", knowledge.Patch{Text: &text, Format: &markdown}, func(d *knowledge.Document) { d.Version, d.Format = 2, markdown }, text, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := start
			d.ExternalID = tt.name
			before := put(t, kb, d)
			was := revision(t, kb)
			got, err := kb.Patch(t.Context(), strings.ToUpper(before.ID), tt.patch)
			if err != nil {
				t.Fatalf("Patch = error %v", err)
			}
			want := before
			tt.want(&want)
			if tt.changes && !got.UpdatedAt.After(before.UpdatedAt) {
				t.Errorf("Patch = updated at %v, want later than %v", got.UpdatedAt, before.UpdatedAt)
			}
			want.UpdatedAt = got.UpdatedAt
			if !reflect.DeepEqual(got, want) {
				t.Errorf("Patch = %+v, want %+v", got, want)
			}
			if stored, err := kb.Get(t.Context(), before.ID); err != nil || !reflect.DeepEqual(stored, got) {
				t.Errorf("Get = %+v, %v, want what Patch returned, %+v", stored, err, got)
			}
			if stored, err := kb.Text(t.Context(), before.ID, 0); err != nil || stored != tt.text {
				t.Errorf("Text = %q, %v, want %q", stored, err, tt.text)
			}
			if now := revision(t, kb); (now > was) != tt.changes {
				t.Errorf("the revision went from %d to %d, want a change: %v", was, now, tt.changes)
			}
		})
	}

	doc := put(t, kb, start)
	empty, long := " ", strings.Repeat("x", knowledge.MaxTitle+1)
	for _, tt := range []struct {
		field string
		patch knowledge.Patch
	}{
		{"format", knowledge.Patch{Format: &html}},
		{"text", knowledge.Patch{Text: &empty}},
		{"title", knowledge.Patch{Title: &long}},
		{"metadata.a", knowledge.Patch{Metadata: map[string]any{"a": map[string]any{}}}},
	} {
		_, err := kb.Patch(t.Context(), doc.ID, tt.patch)
		if invalid, ok := errors.AsType[*knowledge.InvalidError](err); !ok || invalid.Field != tt.field {
			t.Errorf("Patch(%+v) = error %v, want an InvalidError of %s", tt.patch, err, tt.field)
		}
	}
	if got, err := kb.Get(t.Context(), doc.ID); err != nil || !reflect.DeepEqual(got, doc) {
		t.Errorf("after patches that were refused Get = %+v, %v, want %+v", got, err, doc)
	}
}

// A pair is patched and found like a document.
func TestPairs(t *testing.T) {
	kb := newBase(t)
	d, err := kb.PutQA(t.Context(), "Do you deliver?", "Yes, for 4 euros.", "Can you send it?")
	if err != nil || d.Kind != knowledge.KindQA || d.Title != "Do you deliver?" || len(d.Questions) != 2 {
		t.Fatalf("PutQA = %+v, %v, want a pair named for its first question", d, err)
	}
	for _, q := range []string{"Do you deliver?", "Can you send it?", "Is it 4 euros?"} {
		if got := found(t, kb, knowledge.Query{Text: q}); !slices.Equal(got, []string{d.Title}) {
			t.Errorf("Search(%q) = %q, want the pair", q, got)
		}
	}
	patched, err := kb.Patch(t.Context(), d.ID, knowledge.Patch{Questions: []string{"Do you ship?"}})
	if err != nil || !slices.Equal(patched.Questions, []string{"Do you ship?"}) || patched.Version != 1 {
		t.Fatalf("Patch = %+v, %v, want the new question at version 1", patched, err)
	}
	if got := found(t, kb, knowledge.Query{Text: "ship"}); len(got) != 1 {
		t.Errorf("Search by the new question = %q, want the pair", got)
	}
	if got := found(t, kb, knowledge.Query{Text: "send"}); len(got) != 0 {
		t.Errorf("Search by a question taken away = %q, want nothing", got)
	}
}

// When Delete has returned the text is gone, with all its versions.
func TestDelete(t *testing.T) {
	kb := newBase(t)
	d := knowledge.Document{Title: "Hours", ExternalID: "hours", Text: "We open at nine."}
	put(t, kb, d)
	d.Text = "We open at ten."
	doc := put(t, kb, d)
	other := put(t, kb, knowledge.Document{Title: "Prices", Text: "We open bottles for free."})

	out, err := kb.Delete(t.Context(), doc.ID)
	if err != nil || out.DocumentID != doc.ID || out.Versions != 2 || out.Passages != 2 || out.Replies != 0 || out.Revision != revision(t, kb) ||
		out.DeletedAt.Before(doc.CreatedAt) || len(out.OutOfReach) == 0 {
		t.Errorf("Delete = %+v, %v, want two versions, and where a delete does not reach", out, err)
	}
	if got := found(t, kb, knowledge.Query{Text: "open"}); !slices.Equal(got, []string{"Prices"}) {
		t.Errorf("Search = %q, want the other document", got)
	}
	for name, call := range map[string]func() error{
		"Get":             func() error { _, err := kb.Get(t.Context(), doc.ID); return err },
		"Text":            func() error { _, err := kb.Text(t.Context(), doc.ID, 0); return err },
		"Text of version": func() error { _, err := kb.Text(t.Context(), doc.ID, 1); return err },
		"Patch":           func() error { _, err := kb.Patch(t.Context(), doc.ID, knowledge.Patch{Title: &d.Title}); return err },
		"Put by its id":   func() error { _, err := kb.Put(t.Context(), knowledge.Document{ID: doc.ID, Text: "x"}); return err },
		"Delete again":    func() error { _, err := kb.Delete(t.Context(), doc.ID); return err },
	} {
		if err := call(); !errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), doc.ID) {
			t.Errorf("%s = error %v, want %v that names it", name, err, store.ErrNotFound)
		}
	}
	again := put(t, kb, d)
	if again.ID == doc.ID || again.Version != 1 {
		t.Errorf("Put under the external id again = %+v, want a new document", again)
	}
	if _, err := kb.Get(t.Context(), other.ID); err != nil {
		t.Errorf("the other document: %v", err)
	}
}

// Documents put together are stored together or not at all.
func TestPutAll(t *testing.T) {
	st := openStore(t, t.TempDir())
	kb := knowledge.New(st, nil).Company(company(t, st))
	stays := put(t, kb, knowledge.Document{Title: "Hours", ExternalID: "hours", Text: "We open at nine."})
	before := revision(t, kb)
	good := knowledge.Document{ExternalID: "good", Text: "We open the good boat."}
	for _, tt := range []struct {
		name string
		bad  knowledge.Document
		want error
		says string
	}{
		{"an invalid one", knowledge.Document{}, knowledge.ErrInvalid, "item 1: text: is empty"},
		{"an unknown one", knowledge.Document{ID: "doc_01999999999999999999999999", Text: "x"}, store.ErrNotFound, "doc_01999999999999999999999999"},
		{"an unknown agent", knowledge.Document{AgentID: "agt_01999999999999999999999999", Text: "x"}, store.ErrNotFound, "agt_01999999999999999999999999"},
		{"a taken external id", knowledge.Document{ID: stays.ID, ExternalID: "good", Text: "x"}, store.ErrConflict, "good"},
	} {
		_, err := kb.PutAll(t.Context(), good, tt.bad, knowledge.Document{ExternalID: "hours", Text: "Never."})
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("PutAll with %s = error %v, want %v with %q", tt.name, err, tt.want, tt.says)
		}
		if got := found(t, kb, knowledge.Query{Text: "open"}); !slices.Equal(got, []string{"Hours"}) || revision(t, kb) != before {
			t.Errorf("after PutAll with %s there is %q at revision %d, want nothing of it", tt.name, got, revision(t, kb))
		}
	}
	if _, err := kb.PutAll(t.Context(), slices.Repeat([]knowledge.Document{good}, knowledge.MaxBatch+1)...); !errors.Is(err, knowledge.ErrInvalid) {
		t.Errorf("PutAll of %d = error %v, want %v", knowledge.MaxBatch+1, err, knowledge.ErrInvalid)
	}

	docs := make([]knowledge.Document, 40)
	for i := range docs {
		docs[i] = knowledge.Document{ExternalID: fmt.Sprint(i), Text: fmt.Sprint("Boat ", i)}
	}
	docs[1] = docs[0]
	docs[2] = knowledge.Document{ExternalID: "hours", Title: "Hours", Text: "We open at nine."}
	out, err := kb.PutAll(t.Context(), docs...)
	if err != nil || len(out) != len(docs) || revision(t, kb) != before+1 {
		t.Fatalf("PutAll = %d documents at revision %d, %v, want %d at %d", len(out), revision(t, kb), err, len(docs), before+1)
	}
	for i, want := range []knowledge.Status{knowledge.Created, knowledge.Unchanged, knowledge.Unchanged, knowledge.Created} {
		if out[i].Status != want {
			t.Errorf("document %d is %s, want %s", i, out[i].Status, want)
		}
	}
	if out, err := kb.PutAll(t.Context()); err != nil || len(out) != 0 || revision(t, kb) != before+1 {
		t.Errorf("PutAll of nothing = %v, %v, want nothing", out, err)
	}

	var contents []event.Event
	events, err := st.Events(t.Context(), company(t, st), "", 5000)
	if err != nil {
		t.Fatal(err)
	}
	for _, ev := range events {
		if ev.Refs.DocumentID != "" {
			contents = append(contents, ev)
		}
	}
	if len(contents) != len(docs)-1 { // one that was there, and one of each new one
		t.Errorf("%d events of documents, want %d", len(contents), len(docs)-1)
	}
}
