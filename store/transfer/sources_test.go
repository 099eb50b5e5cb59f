package transfer_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// aSource is a store with what a run needs of one.
type aSource interface {
	knowledge.Store
	Enqueue(ctx context.Context, c store.Commit) error
	ClaimKeys(ctx context.Context, company, queue, worker string, lease time.Duration, limit int) ([]store.Lease, error)
}

// A halfway run has staged something and goes on later.
type halfway struct {
	company string
	run     knowledge.Run
	lease   store.Lease
}

// gather makes a source that was read, of which a document was deleted, and that is
// being read again.
func gather(t testing.TB, st aSource, company string) *halfway {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	cm := store.Commit{Company: company}
	src := knowledge.Source{
		ID: id.New(id.Source), Kind: knowledge.SourceWebsite, URL: "https://example.com", Settings: []byte(`{"max_pages":3}`),
		Metadata: map[string]any{"n": "1"}, NextRunAt: now.Add(time.Hour), CreatedAt: now,
	}
	if err := st.CreateSource(t.Context(), cm, src, nil); err != nil {
		t.Fatal(err)
	}
	err := st.Enqueue(t.Context(), store.Commit{Company: company, Work: []store.Work{{ID: id.New(id.Work), Queue: "reading", Key: src.ID}}})
	if err != nil {
		t.Fatal(err)
	}
	leases, err := st.ClaimKeys(t.Context(), company, "reading", "worker", time.Hour, 1)
	if err != nil || len(leases) != 1 {
		t.Fatalf("ClaimKeys = %v, %v", leases, err)
	}
	h := &halfway{company: company, lease: leases[0]}
	h.begin(t, st, src, "alpha", "beta")
	if _, err := st.EndRun(t.Context(), cm, h.lease, knowledge.Run{ID: h.run.ID, State: knowledge.RunCompleted}); err != nil {
		t.Fatal(err)
	}
	docs, err := st.SourceDocuments(t.Context(), company, src.ID, "", 10)
	if err != nil || len(docs) != 2 {
		t.Fatalf("SourceDocuments = %v, %v", docs, err)
	}
	if _, err := st.DeleteDocument(t.Context(), cm, docs[0].ID); err != nil {
		t.Fatal(err)
	}
	h.begin(t, st, src, "beta, again", "gamma")
	return h
}

// begin starts a run and stages pages that say something.
func (h *halfway) begin(t testing.TB, st aSource, src knowledge.Source, says ...string) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	cm := store.Commit{Company: h.company}
	r, err := st.StartRun(t.Context(), cm, knowledge.Run{ID: id.New(id.Run), Kind: knowledge.RunCrawl, SourceID: src.ID, CreatedAt: now}, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if h.run, err = st.BeginRun(t.Context(), cm, h.lease, r.ID); err != nil {
		t.Fatal(err)
	}
	var s knowledge.Staging
	for _, text := range says {
		url := "https://example.com/" + text[:4]
		s.Writes = append(s.Writes, knowledge.Write{
			Document: knowledge.Document{Kind: knowledge.KindPage, Title: text, URL: url, ExternalID: url, Text: text, Language: "en", CreatedAt: now, UpdatedAt: now},
			NewID:    id.New(id.Document), Hash: sha256.Sum256([]byte(text)), TextHash: sha256.Sum256([]byte(text)),
			Passages: []knowledge.Passage{{End: len(text), Page: 2, Text: text}},
		})
		s.Pages = append(s.Pages, knowledge.Page{URL: url, Outcome: "fetched", Status: 200, ETag: `"x"`, Links: []string{url}})
	}
	if _, err := st.Stage(t.Context(), h.lease, h.run.ID, s); err != nil {
		t.Fatal(err)
	}
}

// finish ends the run, and returns what there is then.
func (h *halfway) finish(t testing.TB, st aSource) string {
	t.Helper()
	r, err := st.EndRun(t.Context(), store.Commit{Company: h.company}, h.lease, knowledge.Run{ID: h.run.ID, State: knowledge.RunCompleted})
	if err != nil {
		t.Fatal(err)
	}
	docs, err := st.SourceDocuments(t.Context(), h.company, r.SourceID, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	var seen strings.Builder
	fmt.Fprint(&seen, r.Counts, docs)
	for _, d := range docs {
		text, err := st.DocumentText(t.Context(), h.company, d.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		versions, err := st.Versions(t.Context(), h.company, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&seen, " %q of %d", text, len(versions))
	}
	return seen.String()
}
