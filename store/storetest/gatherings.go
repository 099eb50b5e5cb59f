package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// gatherings is the queue under whose leases runs are made, apart from [queue].
const gatherings = "gatherings"

// newSource returns a website to be added, of an agent or of none.
func newSource(agentID string) knowledge.Source {
	at := now()
	return knowledge.Source{
		ID: id.New(id.Source), Kind: knowledge.SourceWebsite, AgentID: agentID, Name: "Docs", URL: "https://example.com/docs",
		Schedule: "@daily", Metadata: map[string]any{"team": "docs"}, Settings: json.RawMessage(`{"max_pages":100}`), CreatedAt: at, UpdatedAt: at,
	}
}

// addSource adds a website that has no run yet.
func (k *kit) addSource(t *testing.T, agentID string) knowledge.Source {
	t.Helper()
	s := newSource(agentID)
	ok(t, "CreateSource", k.CreateSource(t.Context(), k.commit(), s, nil))
	return s
}

// newRun returns a run of a source to be started.
func newRun(s knowledge.Source) knowledge.Run {
	r := knowledge.Run{
		ID: id.New(id.Run), Kind: knowledge.RunCrawl, State: knowledge.RunQueued, Phase: "queued", AgentID: s.AgentID, SourceID: s.ID, NewPages: true,
		CreatedAt: now(),
	}
	if s.Kind == knowledge.SourceAPI {
		r.Kind = knowledge.RunSync
	}
	return r
}

// aboutRun returns an event of a run.
func aboutRun(kind event.Type, runID string) event.Event {
	ev := tell(kind, runID)
	ev.Refs = event.Refs{RunID: runID}
	return ev
}

// start queues a run.
func (k *kit) start(t *testing.T, r knowledge.Run) knowledge.Run {
	t.Helper()
	got, err := k.StartRun(t.Context(), k.commit(), r, time.Time{}, time.Time{})
	ok(t, "StartRun", err)
	return got
}

// grip claims a key that nobody else has.
func (k *kit) grip(t *testing.T, lease time.Duration) store.Lease {
	t.Helper()
	l, err := k.grips(t.Context(), id.New(id.Work), lease)
	ok(t, "claiming a key", err)
	return l
}

func (k *kit) grips(ctx context.Context, key string, lease time.Duration) (store.Lease, error) {
	w := store.Work{ID: id.New(id.Work), Queue: gatherings, Key: key, Payload: []byte("run")}
	if err := k.Enqueue(ctx, store.Commit{Company: k.company, Work: []store.Work{w}}); err != nil {
		return store.Lease{}, err
	}
	leases, err := k.ClaimKeys(ctx, k.company, gatherings, "worker", lease, 100)
	if err != nil {
		return store.Lease{}, err
	}
	i := slices.IndexFunc(leases, func(l store.Lease) bool { return l.Key == key })
	if i < 0 {
		return store.Lease{}, fmt.Errorf("the key %s is not due", key)
	}
	return leases[i], nil
}

// A gathering is a run of a source that is under way.
type gathering struct {
	*kit
	source knowledge.Source
	run    knowledge.Run
	lease  store.Lease
}

// gather starts a run of a source and takes it up.
func (k *kit) gather(t *testing.T, s knowledge.Source) *gathering {
	t.Helper()
	g := &gathering{kit: k, source: s, lease: k.grip(t, long)}
	g.run = k.start(t, newRun(s))
	g.begin(t)
	return g
}

// begin takes the run up, for the first time or again.
func (g *gathering) begin(t *testing.T) {
	t.Helper()
	r, err := g.BeginRun(t.Context(), g.commit(aboutRun(event.TrainingStarted, g.run.ID)), g.lease, g.run.ID)
	ok(t, "BeginRun", err)
	g.run = r
}

// page returns a write of a page of the source.
func (g *gathering) page(externalID string, lines ...string) knowledge.Write {
	w := text("Page", lines...)
	w.Title = "Title of " + externalID
	w.Kind, w.AgentID, w.SourceID, w.ExternalID, w.URL = knowledge.KindPage, g.source.AgentID, g.source.ID, externalID, "https://example.com/docs/"+externalID
	return hashed(w)
}

// as returns a write of the document with an id.
func as(w knowledge.Write, docID string) knowledge.Write {
	w.ID = docID
	return w
}

// stage stages writes and returns what became of them.
func (g *gathering) stage(t *testing.T, writes ...knowledge.Write) []knowledge.Staged {
	t.Helper()
	staged, err := g.Stage(t.Context(), g.lease, g.run.ID, knowledge.Staging{Writes: writes})
	ok(t, "Stage", err)
	if len(staged) != len(writes) {
		t.Fatalf("Stage of %d writes returned %d", len(writes), len(staged))
	}
	return staged
}

// drop stages that documents are to go.
func (g *gathering) drop(t *testing.T, docs ...string) {
	t.Helper()
	_, err := g.Stage(t.Context(), g.lease, g.run.ID, knowledge.Staging{Deletes: docs})
	ok(t, "Stage of deletes", err)
}

// see stages what was seen.
func (g *gathering) see(t *testing.T, pages ...knowledge.Page) {
	t.Helper()
	_, err := g.Stage(t.Context(), g.lease, g.run.ID, knowledge.Staging{Pages: pages})
	ok(t, "Stage of pages", err)
}

// seenPage returns a page that a run saw.
func seenPage(url string) knowledge.Page {
	return knowledge.Page{
		URL: url, Outcome: "fetched", Status: 200, Depth: 1, FoundOn: "https://example.com/docs", FetchedAt: now(),
		ETag: `"1"`, LastModified: "Sun, 22 Nov 2026 09:00:00 GMT", Hash: "00ff", Canonical: url, Links: []string{url + "#1", url + "#2"},
	}
}

// finish ends the run in a state.
func (g *gathering) finish(t *testing.T, state knowledge.RunState) knowledge.Run {
	t.Helper()
	r, err := g.ends(t.Context(), state)
	ok(t, "EndRun", err)
	return r
}

// endings are the events of training that a run ends with.
var endings = map[knowledge.RunState]event.Type{
	knowledge.RunCompleted: event.TrainingCompleted, knowledge.RunFailed: event.TrainingFailed, knowledge.RunCancelled: event.TrainingCancelled,
}

// ends is finish for where there is no test to fail.
func (g *gathering) ends(ctx context.Context, state knowledge.RunState) (knowledge.Run, error) {
	r := g.run
	r.State, r.Phase = state, string(state)
	if state == knowledge.RunFailed {
		r.Error = &knowledge.RunError{Kind: "network", Message: "it does not answer", Status: 503}
	}
	return g.EndRun(ctx, g.commit(aboutRun(endings[state], r.ID)), g.lease, r)
}

// publish has a run of a source publish writes, and returns the ids of its
// documents, in the order of the writes.
func (k *kit) publish(t *testing.T, s knowledge.Source, writes ...func(g *gathering) knowledge.Write) (ids []string) {
	t.Helper()
	g := k.gather(t, s)
	for _, w := range writes {
		ids = append(ids, g.stage(t, w(g))[0].DocumentID)
	}
	g.finish(t, knowledge.RunCompleted)
	return ids
}

// aPage returns a write of a page, for publish.
func aPage(externalID string, lines ...string) func(g *gathering) knowledge.Write {
	return func(g *gathering) knowledge.Write { return g.page(externalID, lines...) }
}

// staged returns all that a run has staged, read in parts of two.
func (k *kit) staged(t *testing.T, runID string) []knowledge.Staged {
	t.Helper()
	all, err := pagedStaged(t.Context(), k, k.company, runID, 2)
	ok(t, "StagedDocuments", err)
	return all
}

func pagedStaged(ctx context.Context, s Store, company, runID string, limit int) (all []knowledge.Staged, err error) {
	for after := ""; ; {
		part, err := s.StagedDocuments(ctx, company, runID, after, limit)
		if err != nil || len(part) == 0 {
			return all, err
		}
		for _, d := range part {
			if d.DocumentID <= after || len(part) > limit {
				return nil, fmt.Errorf("%d staged documents after %q have %s", len(part), after, d.DocumentID)
			}
			after = d.DocumentID
		}
		all = append(all, part...)
	}
}

// runEvents returns the events of a run.
func (k *kit) runEvents(t *testing.T, runID string) []knowledge.RunEvent {
	t.Helper()
	all, err := pagedRunEvents(t.Context(), k, k.company, runID, 100)
	ok(t, "RunEvents", err)
	return all
}

func pagedRunEvents(ctx context.Context, s Store, company, runID string, limit int) (all []knowledge.RunEvent, err error) {
	for {
		part, err := s.RunEvents(ctx, company, runID, int64(len(all)), limit)
		if err != nil || len(part) == 0 {
			return all, err
		}
		for i, ev := range part {
			if ev.Sequence != int64(len(all)+i+1) || len(part) > limit {
				return nil, fmt.Errorf("event %d of run %s has the sequence %d", len(all)+i+1, runID, ev.Sequence)
			}
		}
		all = append(all, part...)
	}
}

// kindsOf returns the types of a run's events, one behind the other.
func kindsOf(events []knowledge.RunEvent) string {
	var out []string
	for _, ev := range events {
		out = append(out, ev.Type)
	}
	return strings.Join(out, " ")
}

// pagesOf returns what a run saw, last first.
func (k *kit) pagesOf(t *testing.T, runID string) []knowledge.Page {
	t.Helper()
	return everyPage(t, 2, func(p store.Page) (store.List[knowledge.Page], error) {
		return k.Pages(t.Context(), k.company, runID, p)
	})
}

// sourceNow reads a source.
func (k *kit) sourceNow(t *testing.T, sourceID string) knowledge.Source {
	t.Helper()
	s, err := k.Source(t.Context(), k.company, sourceID)
	ok(t, "Source", err)
	return s
}

// runNow reads a run.
func (k *kit) runNow(t *testing.T, runID string) knowledge.Run {
	t.Helper()
	r, err := k.Run(t.Context(), k.company, runID)
	ok(t, "Run", err)
	return r
}

// withoutRun returns all that can be read of a company but a run: what it has, its
// events, and the latest run of each source.
func withoutRun(s snapshot, runID string) snapshot {
	s.Runs = slices.DeleteFunc(slices.Clone(s.Runs), func(r knowledge.Run) bool { return r.ID == runID })
	s.Sources = slices.Clone(s.Sources)
	for i := range s.Sources {
		s.Sources[i].Run, s.Sources[i].RunID, s.Sources[i].LastError = knowledge.Run{}, "", nil
	}
	s.Gathered = maps.Clone(s.Gathered)
	delete(s.Gathered, runID)
	s.Events = slices.DeleteFunc(slices.Clone(s.Events), func(ev event.Event) bool { return ev.Stream == runID })
	return s
}
