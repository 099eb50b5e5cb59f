package knowledge_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/failpoint"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// staging calls a function after each step that stages texts.
type staging struct {
	*sqlite.Store
	parts [][]knowledge.Write
	after func(part int)
}

func (s *staging) StageTexts(ctx context.Context, company string, r knowledge.Run, writes []knowledge.Write) error {
	err := s.Store.StageTexts(ctx, company, r, writes)
	s.parts = append(s.parts, writes)
	if s.after != nil {
		s.after(len(s.parts))
	}
	return err
}

// boats are documents too many for one commit.
func boats(n int) (docs []knowledge.Document) {
	for i := range n {
		docs = append(docs, knowledge.Document{ExternalID: fmt.Sprint("boat ", i), Title: fmt.Sprint("Boat ", i), Text: fmt.Sprintf("Boat %d is red.", i)})
	}
	return docs
}

// byExternalID returns the documents that are there.
func byExternalID(t testing.TB, kb *knowledge.Base) map[string]knowledge.Document {
	t.Helper()
	out := map[string]knowledge.Document{}
	for _, d := range listed(t, kb) {
		out[d.ExternalID] = d
	}
	return out
}

// bulkRuns returns the runs of bulks, newest first.
func bulkRuns(t testing.TB, kb *knowledge.Base) []knowledge.Run {
	t.Helper()
	l, err := kb.Runs(t.Context(), knowledge.RunFilter{Kind: knowledge.RunBulk}, store.Page{})
	if err != nil {
		t.Fatal(err)
	}
	return l.Data
}

var together = &knowledge.BulkOptions{Atomic: true}

// A large bulk that is all or none is staged in small commits, where nobody sees
// it, and published in one.
func TestBulkStaged(t *testing.T) {
	st := &staging{Store: openStore(t, t.TempDir())}
	of := company(t, st.Store)
	kb := knowledge.New(st, nil).Company(of)
	old := put(t, kb, knowledge.Document{ExternalID: "boat 7", Title: "An older boat", Text: "An older boat is blue."})
	same := put(t, kb, boats(9)[8])
	before := revision(t, kb)
	docs := boats(400)
	docs[9].Text = strings.Repeat("A long boat. ", 20_000)
	st.after = func(part int) {
		if got := byExternalID(t, kb); len(got) != 2 || got[old.ExternalID].Version != 1 || revision(t, kb) != before {
			t.Errorf("after part %d there are %d documents at revision %d", part, len(got), revision(t, kb))
		}
		if got := found(t, kb, knowledge.Query{Text: "Which boat is red?", Limit: 100}); len(got) > 2 {
			t.Errorf("after part %d a search finds %v", part, got)
		}
		if runs := bulkRuns(t, kb); len(runs) != 1 || runs[0].State != knowledge.RunRunning || runs[0].Counts.Done >= runs[0].Counts.Total {
			t.Errorf("after part %d the runs are %+v", part, runs)
		}
	}
	out, err := kb.By(store.Request{Actor: "key_1"}).Bulk(t.Context(), docs, together)
	if err != nil || len(out) != 400 || out[7].Status != knowledge.Updated || out[7].Document.ID != old.ID || out[8].Status != knowledge.Unchanged ||
		out[8].Document.ID != same.ID || out[9].Status != knowledge.Created || revision(t, kb) != before+1 || len(audit(t, st.Store, of)) != 1 {
		t.Fatalf("Bulk = %d, %v at revision %d, want 400 at %d", len(out), err, revision(t, kb), before+1)
	}
	n := 0
	for _, part := range st.parts {
		size := 0
		for _, w := range part {
			size += len(w.Text)
		}
		if n += len(part); len(part) > 64 || len(part) > 1 && size > 64<<10 {
			t.Errorf("a commit stages %d documents of %d bytes", len(part), size)
		}
	}
	if n != 399 {
		t.Errorf("%d texts were staged, want those of 399 documents that are not there already", n)
	}
	got := byExternalID(t, kb)
	if len(got) != 400 || got["boat 7"].Version != 2 || got["boat 9"].Version != 1 {
		t.Errorf("%d documents are there, want 400", len(got))
	}
	for _, i := range []int{7, 9, 399} {
		if text, err := kb.Text(t.Context(), got[docs[i].ExternalID].ID, 0); err != nil || text != docs[i].Text {
			t.Errorf("the text of document %d has %d bytes, %v, want %d", i, len(text), err, len(docs[i].Text))
		}
	}
	if titles := found(t, kb, knowledge.Query{Text: "Is boat 399 red?", Limit: 1}); titles[0] != "Boat 399" {
		t.Errorf("a search finds %v, want Boat 399", titles)
	}
	if r := bulkRuns(t, kb)[0]; r.State != knowledge.RunCompleted || r.Counts.Created != 398 || r.Counts.Updated != 1 || r.Counts.Unchanged != 1 ||
		r.Revision != before+1 || r.Progress() != 1 {
		t.Errorf("the run is %+v", r)
	}
	if _, err := kb.Bulk(t.Context(), boats(256), together); err != nil || len(bulkRuns(t, kb)) != 1 {
		t.Errorf("a bulk of one commit made a run, or failed: %v", err)
	}
}

// Whatever comes in between, a bulk that is all or none is one of them, and
// leaves nothing staged.
func TestBulkStagedMeanwhile(t *testing.T) {
	var stop context.CancelFunc
	var named knowledge.Document
	docs := func() []knowledge.Document {
		return append(boats(300), knowledge.Document{ID: named.ID, Text: "Of a document named."})
	}
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, kb *knowledge.Base)
		want func(err error) bool // nil: no error
	}{
		{"the request is broken off", func(*testing.T, *knowledge.Base) { stop() }, func(err error) bool { return errors.Is(err, context.Canceled) }},
		{"the run is cancelled", func(t *testing.T, kb *knowledge.Base) {
			if _, err := kb.CancelRun(t.Context(), bulkRuns(t, kb)[0].ID); err != nil {
				t.Error(err)
			}
		}, func(err error) bool { return errors.Is(err, knowledge.ErrRunEnded) }},
		{"a document goes", func(t *testing.T, kb *knowledge.Base) {
			if _, err := kb.Delete(t.Context(), named.ID); err != nil {
				t.Error(err)
			}
		}, func(err error) bool {
			item, ok := errors.AsType[*knowledge.ItemError](err)
			return ok && item.Index == 300 && errors.Is(err, store.ErrNotFound)
		}},
		{"a document comes", func(t *testing.T, kb *knowledge.Base) {
			put(t, kb, knowledge.Document{ExternalID: "boat 5", Text: "Another boat 5."})
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st := &staging{Store: openStore(t, t.TempDir())}
			of := company(t, st.Store)
			kb := knowledge.New(st, nil).Company(of)
			named = put(t, kb, knowledge.Document{Text: "A document that is named."})
			st.after = func(part int) {
				if part == 2 {
					tt.do(t, kb)
				}
			}
			var ctx context.Context
			ctx, stop = context.WithCancel(t.Context())
			defer stop()
			out, err := kb.Bulk(ctx, docs(), together)
			left := byExternalID(t, kb)
			run := bulkRuns(t, kb)[0]
			if staged, err := st.StagedDocuments(t.Context(), of, run.ID, "", 1000); err != nil || len(staged) != 0 {
				t.Errorf("%d documents are left staged, %v", len(staged), err)
			}
			if tt.want != nil {
				if !tt.want(err) || len(out) != 0 || len(left) > 1 || run.State != knowledge.RunCancelled {
					t.Errorf("Bulk = %d, %v, of which %d documents stay; the run is %s", len(out), err, len(left), run.State)
				}
				return
			}
			if err != nil || len(left) != 301 || left["boat 5"].Version != 2 || out[5].Status != knowledge.Updated || run.State != knowledge.RunCompleted {
				t.Errorf("Bulk = %d, %v, of which %d documents stay; the run is %s", len(out), err, len(left), run.State)
			}
		})
	}
}

// A process that dies while it stages a bulk leaves nothing that is found, and what
// is staged goes with the next sweep. The bulk can be put again at once.
func TestBulkStagedKilled(t *testing.T) {
	for _, last := range []int{1, 3, 5} { // of 5 commits
		st := openStore(t, t.TempDir())
		of := company(t, st)
		kb := knowledge.New(st, nil).Company(of)
		parts := 0
		failpoint.Set(func(place string) {
			if place != "bulk.staged" {
				return
			}
			if parts++; parts == last {
				runtime.Goexit()
			}
		})
		defer failpoint.Set(nil)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, err := kb.Bulk(context.Background(), boats(300), together)
			t.Errorf("Bulk went on: %v", err)
		}()
		<-ended
		failpoint.Set(nil)
		kb = knowledge.New(st, nil).Company(of)
		if n := len(listed(t, kb)); n != 0 || revision(t, kb) != 0 || parts != last {
			t.Errorf("after %d of %d commits %d documents are there at revision %d", parts, last, n, revision(t, kb))
		}
		dead := bulkRuns(t, kb)[0]
		if out, err := kb.Bulk(t.Context(), boats(300), together); err != nil || len(out) != 300 || revision(t, kb) != 1 {
			t.Errorf("Bulk once more = %d, %v", len(out), err)
		}
		swept, err := st.Sweep(t.Context(), knowledge.Retention{Bulks: time.Nanosecond}, 100)
		if err != nil || swept["bulks"] != 1 {
			t.Errorf("Sweep = %v, %v, want one bulk", swept, err)
		}
		if r, err := kb.Run(t.Context(), dead.ID); err != nil || r.State != knowledge.RunFailed || r.Error == nil || r.Error.Kind != "crashed" {
			t.Errorf("the run of the process that died = %+v, %v", r, err)
		}
		if staged, err := st.StagedDocuments(t.Context(), of, dead.ID, "", 1000); err != nil || len(staged) != 0 || len(listed(t, kb)) != 300 {
			t.Errorf("%d documents are left staged, %v; %d are there", len(staged), err, len(listed(t, kb)))
		}
	}
}
