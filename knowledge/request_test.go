package knowledge_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// Whatever is written for a request says in the log who asked, and completes its
// receipt.
func TestBy(t *testing.T) {
	st := openStore(t, t.TempDir())
	of := company(t, st)
	kb := knowledge.New(st, nil).Company(of)
	hours := put(t, kb, knowledge.Document{ExternalID: "hours", Text: "We open at nine."})
	if log := audit(t, st, of); len(log) != 0 {
		t.Errorf("what no request asked for is in the log: %q", log)
	}
	title, same := "Hours", hours.Title
	var made string // the id of what a step made
	keep := func(d knowledge.Document, err error) error { made = d.ID; return err }
	var want []string
	for _, tt := range []struct {
		name   string
		do     func(kb *knowledge.Base) error
		result func() string
		log    func() string
	}{
		{"Put", func(kb *knowledge.Base) error { return keep(kb.Put(t.Context(), knowledge.Document{Text: "Boat."})) },
			func() string { return "c:" + made }, func() string { return "document.put " + made }},
		{"Put by external id", func(kb *knowledge.Base) error {
			return keep(kb.Put(t.Context(), knowledge.Document{ExternalID: "hours", Text: "We open at ten."}))
		}, func() string { return "u:" + hours.ID }, func() string { return "document.put " + hours.ID }},
		{"Put of the same", func(kb *knowledge.Base) error {
			return keep(kb.Put(t.Context(), knowledge.Document{ExternalID: "hours", Text: "We open at ten."}))
		}, func() string { return "n:" + hours.ID }, func() string { return "document.put " + hours.ID }},
		{"PutAll", func(kb *knowledge.Base) error {
			out, err := kb.PutAll(t.Context(), knowledge.Document{Text: "Boat."}, knowledge.Document{ExternalID: "hours", Text: "We open at six."})
			made = out[0].ID
			return err
		}, func() string { return "c:" + made + " u:" + hours.ID }, func() string { return "document.put" }},
		{"PutAll of nothing", func(kb *knowledge.Base) error { _, err := kb.PutAll(t.Context()); return err }, func() string { return "" }, nil},
		{"PutQA", func(kb *knowledge.Base) error { return keep(kb.PutQA(t.Context(), "Open?", "Yes.")) },
			func() string { return "c:" + made }, func() string { return "document.put " + made }},
		{"Patch", func(kb *knowledge.Base) error {
			return keep(kb.Patch(t.Context(), hours.ID, knowledge.Patch{Title: &title}))
		}, func() string { return "u:" + hours.ID }, func() string { return "document.update " + hours.ID }},
		{"Patch that changes nothing", func(kb *knowledge.Base) error {
			return keep(kb.Patch(t.Context(), hours.ID, knowledge.Patch{Title: &title}))
		}, func() string { return "n:" + hours.ID }, nil},
		{"Bulk", func(kb *knowledge.Base) error {
			out, err := kb.Bulk(t.Context(), []knowledge.Document{{Text: "Boat."}, {}}, nil)
			return keep(out[0].Document, err)
		}, func() string { return "c:" + made + " -" }, func() string { return "document.put " + made }},
		{"Ingest", func(kb *knowledge.Base) error {
			for in, err := range kb.Ingest(t.Context(), sequence(knowledge.Document{Text: "Boat."})) {
				if err := keep(in.Document, err); err != nil {
					return err
				}
			}
			return nil
		}, nil, func() string { return "document.put " + made }},
		{"Delete", func(kb *knowledge.Base) error { _, err := kb.Delete(t.Context(), hours.ID); return err },
			func() string { return "" }, func() string { return "document.delete " + hours.ID }},
	} {
		s := claim(t, st, of, tt.name)
		if err := tt.do(kb.By(store.Request{Actor: "key_1", Receipt: &s.Receipt})); err != nil {
			t.Fatalf("%s: error %v", tt.name, err)
		}
		if tt.log != nil {
			want = append(want, tt.log())
		}
		if log := audit(t, st, of); !slices.Equal(log, want) {
			t.Errorf("%s: the log is %q, want %q", tt.name, log, want)
		}
		if got := claim(t, st, of, tt.name); got.Done != (tt.result != nil) || tt.result != nil && got.Result != tt.result() {
			t.Errorf("%s: the receipt is %+v, want it complete", tt.name, got)
		}
	}
	if same == title {
		t.Error("the patch was of nothing")
	}

	// A step that is refused leaves nothing.
	s := claim(t, st, of, "refused")
	by := kb.By(store.Request{Actor: "key_1", Receipt: &s.Receipt})
	for name, err := range map[string]error{
		"Put":    func() error { _, err := by.Put(t.Context(), knowledge.Document{ID: noDocument, Text: "x"}); return err }(),
		"Patch":  func() error { _, err := by.Patch(t.Context(), hours.ID, knowledge.Patch{Title: &title}); return err }(),
		"Delete": func() error { _, err := by.Delete(t.Context(), hours.ID); return err }(),
	} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s of what is not there = %v, want %v", name, err, store.ErrNotFound)
		}
	}
	if got := claim(t, st, of, "refused"); got.Done || got.Result != "" || len(audit(t, st, of)) != len(want) {
		t.Errorf("after steps that were refused the receipt is %+v, the log %q", got, audit(t, st, of))
	}
}

// A document that is replaced keeps its kind.
func TestKinds(t *testing.T) {
	kb := newBase(t)
	kinds := map[knowledge.Kind]knowledge.Document{
		knowledge.KindUpload:  {ExternalID: "upload", Text: "We open at nine."},
		knowledge.KindQA:      {ExternalID: "qa", Kind: knowledge.KindQA, Questions: []string{"When?"}, Text: "At nine."},
		knowledge.KindContent: {ExternalID: "content", Kind: knowledge.KindContent, Text: "Opening: nine."},
	}
	for kind, d := range kinds {
		was := put(t, kb, d)
		if was.Kind != kind {
			t.Errorf("Put of kind %s = %+v", kind, was)
		}
		for other, next := range kinds {
			if other == kind {
				continue
			}
			next.ExternalID = d.ExternalID
			byID := next
			byID.ID = was.ID
			for _, next := range []knowledge.Document{next, byID} {
				if _, err := kb.Put(t.Context(), next); !errors.Is(err, store.ErrConflict) {
					t.Errorf("Put of kind %s over %s = error %v, want %v", other, kind, err, store.ErrConflict)
				}
			}
		}
		if got, err := kb.Get(t.Context(), was.ID); err != nil || got.Kind != kind || got.Version != 1 {
			t.Errorf("Get = %+v, %v, want it as it was", got, err)
		}
	}
	if page, err := kb.List(t.Context(), knowledge.Filter{Kind: knowledge.KindContent}, store.Page{}); err != nil || len(page.Data) != 1 || page.Data[0].Kind != knowledge.KindContent {
		t.Errorf("List of content = %+v, %v, want one", page.Data, err)
	}
}
