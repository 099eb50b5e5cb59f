package sqlite

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// inFiles returns which files of a folder hold some bytes.
func inFiles(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(text)) {
			found = append(found, f.Name())
		}
	}
	return found
}

// What vanished at its source, what a deleted source had, and what was staged of a
// document that was deleted, stands in no file any more when the call returns.
func TestTextsOfSourcesAreOverwritten(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, nil)
	company(t, s)
	ctx, cm, at := t.Context(), store.Commit{Company: firstCompany}, time.Now().UTC().Truncate(time.Microsecond)
	src := knowledge.Source{ID: id.New(id.Source), Kind: knowledge.SourceWebsite, CreatedAt: at}
	queued := cm
	queued.Work = []store.Work{{ID: id.New(id.Work), Queue: "runs", Key: src.ID}}
	if err := s.CreateSource(ctx, queued, src, nil); err != nil {
		t.Fatal(err)
	}
	leases, err := s.ClaimKeys(ctx, firstCompany, "runs", "worker", time.Hour, 1)
	if err != nil || len(leases) != 1 {
		t.Fatalf("ClaimKeys = %v, %v", leases, err)
	}
	stage := func(deletes []string, words ...string) (run string, docs []string) {
		t.Helper()
		r, err := s.StartRun(ctx, cm, knowledge.Run{ID: id.New(id.Run), Kind: knowledge.RunCrawl, SourceID: src.ID, CreatedAt: at}, time.Time{}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.BeginRun(ctx, cm, leases[0], r.ID); err != nil {
			t.Fatal(err)
		}
		st := knowledge.Staging{Deletes: deletes}
		for i, word := range words {
			text := strings.Repeat(word+" says things. ", 1+100*i)
			st.Writes = append(st.Writes, knowledge.Write{
				Document: knowledge.Document{Kind: knowledge.KindPage, ExternalID: fmt.Sprint("page ", i), Text: text, CreatedAt: at, UpdatedAt: at},
				NewID:    id.New(id.Document), Hash: sha256.Sum256([]byte(text)), TextHash: sha256.Sum256([]byte(text)),
				Passages: []knowledge.Passage{{End: len(text), Text: text}},
			})
		}
		out, err := s.Stage(ctx, leases[0], r.ID, st)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range out {
			docs = append(docs, d.DocumentID)
		}
		return r.ID, docs
	}
	end := func(run string) {
		t.Helper()
		if _, err := s.EndRun(ctx, cm, leases[0], knowledge.Run{ID: run, State: knowledge.RunCompleted}); err != nil {
			t.Fatal(err)
		}
	}
	left := func(when string, words ...string) {
		t.Helper()
		for _, word := range words {
			if found := inFiles(t, dir, word); len(found) > 0 {
				t.Errorf("%s, %q still stands in %v", when, word, found)
			}
		}
	}
	run, docs := stage(nil, "Amaranth", "Bergamot", "Cardamom", "Dragonfruit")
	if len(inFiles(t, dir, "Bergamot")) == 0 {
		t.Fatal("no file holds what was staged: this test looks in the wrong place")
	}
	end(run)
	run, _ = stage(docs[:1])
	end(run)
	left("after its page had vanished", "Amaranth")
	if _, _ = stage(nil, "Elderberry", "Fennel"); len(inFiles(t, dir, "Fennel")) == 0 {
		t.Fatal("no file holds what was staged")
	}
	if _, err := s.DeleteDocument(ctx, cm, docs[1]); err != nil {
		t.Fatal(err)
	}
	left("after its document was deleted", "Bergamot", "Fennel")
	if _, err := s.DeleteSource(ctx, cm, src.ID); err != nil {
		t.Fatal(err)
	}
	left("after its source was deleted", "Cardamom", "Dragonfruit", "Elderberry")
	integrity(t, s)
}

// Documents from before texts had records of their own get one for each.
func TestTextsFromBeforeAreRecorded(t *testing.T) {
	dir := t.TempDir()
	document := func(id string, version, created, updated int) string {
		return fmt.Sprintf(`INSERT INTO documents (company, id, agent_id, kind, title, url, external_id, metadata, format, questions, version, state, hash,
			text_hash, events, created_at, updated_at) VALUES ('cmp_1', '%s', '', 'upload', 'Title of %s', '', '', 'null', 'text', 'null', %d, 'ready', x'00', x'00', 1, %d, %d)`,
			id, id, version, created, updated)
	}
	passage := func(id string, version, ordinal, at int, body string) string {
		return fmt.Sprintf(`INSERT INTO passages VALUES ('cmp_1', '%s', %d, %d, %d, %d, %d, 'null', '%s')`, id, version, ordinal, at, at, at+len(body), body)
	}
	openAt(t, dir, 6,
		`INSERT INTO companies VALUES ('cmp_1', 'First', 'agt_1', 2, 1)`,
		document("doc_1", 2, 1000, 2000),
		passage("doc_1", 1, 0, 0, "Old."),
		passage("doc_1", 2, 0, 0, "Grüße. "),
		passage("doc_1", 2, 1, 9, "And more."),
		document("doc_2", 1, 3000, 4000),
		passage("doc_2", 1, 0, 0, "Two."),
	)
	s := openStore(t, dir, nil)
	for doc, want := range map[string]string{
		"doc_1": "[{2 Title of doc_1 text 18 true  1970-01-01 00:00:00.002 +0000 UTC} {1 Title of doc_1 text 4 false  1970-01-01 00:00:00.001 +0000 UTC}]",
		"doc_2": "[{1 Title of doc_2 text 4 true  1970-01-01 00:00:00.003 +0000 UTC}]",
	} {
		versions, err := s.Versions(t.Context(), "cmp_1", doc)
		if got := fmt.Sprint(versions); err != nil || got != want {
			t.Errorf("Versions(%s) = %s, %v, want %s", doc, got, err, want)
		}
	}
	live, err := s.LiveDocument(t.Context(), "cmp_1", "doc_1")
	if err != nil || live.SourceID != "" || live.Language != "" || len(live.Passages) != 2 || live.Passages[1].Page != 0 {
		t.Errorf("LiveDocument = %+v, %v", live, err)
	}
	integrity(t, s)
}
