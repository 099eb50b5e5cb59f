package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// sourceSteps are the steps of sources and runs.
var sourceSteps = []step{
	{"CreateSource", func(t *testing.T, k *kit) attempt {
		s := newSource(k.agent)
		r := newRun(s)
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error { return k.CreateSource(ctx, cm, s, &r) },
			bad: func(ctx context.Context, cm store.Commit) error {
				return k.CreateSource(ctx, cm, newSource(id.New(id.Agent)), nil)
			},
			want: store.ErrNotFound, stream: s.ID,
		}
	}},
	{"UpdateSource", func(t *testing.T, k *kit) attempt {
		s := k.addSource(t, "")
		next := s
		next.Name = "Renamed"
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error {
				return second(k.UpdateSource(ctx, cm, next, s.UpdatedAt))
			},
			bad: func(ctx context.Context, cm store.Commit) error {
				return second(k.UpdateSource(ctx, cm, next, s.UpdatedAt.Add(-time.Second)))
			},
			want: store.ErrConflict, stream: s.ID,
		}
	}},
	{"DeleteSource", func(t *testing.T, k *kit) attempt {
		g := k.gather(t, k.addSource(t, ""))
		g.stage(t, g.page("a", "Alpha."))
		k.publish(t, g.source, aPage("a", "Alpha."))
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error { return second(k.DeleteSource(ctx, cm, g.source.ID)) },
			bad: func(ctx context.Context, cm store.Commit) error {
				return second(k.DeleteSource(ctx, cm, id.New(id.Source)))
			},
			want: store.ErrNotFound,
		}
	}},
	{"StartRun", func(t *testing.T, k *kit) attempt {
		r := newRun(k.addSource(t, ""))
		start := func(ctx context.Context, cm store.Commit, ifDue time.Time) error {
			return second(k.StartRun(ctx, cm, r, now().Add(long), ifDue))
		}
		return attempt{
			good:   func(ctx context.Context, cm store.Commit) error { return start(ctx, cm, time.Time{}) },
			bad:    func(ctx context.Context, cm store.Commit) error { return start(ctx, cm, now()) },
			want:   store.ErrConflict,
			stream: r.ID, result: r.ID,
		}
	}},
	{"BeginRun", func(t *testing.T, k *kit) attempt {
		r, l := k.start(t, newRun(k.addSource(t, ""))), k.grip(t, long)
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error { return second(k.BeginRun(ctx, cm, l, r.ID)) },
			bad: func(ctx context.Context, cm store.Commit) error {
				l := l
				l.Fence--
				return second(k.BeginRun(ctx, cm, l, r.ID))
			},
			want: store.ErrFenced, stream: r.ID,
		}
	}},
	{"EndRun", func(t *testing.T, k *kit) attempt {
		g := k.gather(t, k.addSource(t, ""))
		g.stage(t, g.page("a", "Alpha."), g.page("b", "Beta."))
		end := func(ctx context.Context, cm store.Commit, state knowledge.RunState) error {
			r := g.run
			r.State = state
			return second(k.EndRun(ctx, cm, g.lease, r))
		}
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error { return end(ctx, cm, knowledge.RunCompleted) },
			bad:  func(ctx context.Context, cm store.Commit) error { return end(ctx, cm, knowledge.RunRunning) },
			want: store.ErrConflict, stream: g.run.ID,
		}
	}},
	{"CancelRun", func(t *testing.T, k *kit) attempt {
		g := k.gather(t, k.addSource(t, ""))
		g.stage(t, g.page("a", "Alpha."))
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error { return second(k.CancelRun(ctx, cm, g.run.ID)) },
			bad:  func(ctx context.Context, cm store.Commit) error { return second(k.CancelRun(ctx, cm, id.New(id.Run))) },
			want: store.ErrNotFound, stream: g.run.ID,
		}
	}},
}

var (
	sourceIDs = idsOf(func(v knowledge.Source) string { return v.ID })
	runIDs    = idsOf(func(v knowledge.Run) string { return v.ID })
	pageURLs  = idsOf(func(v knowledge.Page) string { return v.URL })
)

// sourceLists are the lists of sources and runs.
var sourceLists = []listing{
	{
		name: "sources",
		ready: func(t *testing.T, k *kit) (func() string, func(string)) {
			return sourcesReady(t, k)
		},
		read: func(ctx context.Context, k *kit, p store.Page) ([]string, string, bool, error) {
			return sourceIDs(k.Sources(ctx, k.company, knowledge.SourceFilter{}, p))
		},
	},
	{
		name: "sources of a kind",
		ready: func(t *testing.T, k *kit) (func() string, func(string)) {
			s := newSource("")
			s.Kind = knowledge.SourceAPI
			ok(t, "CreateSource", k.CreateSource(t.Context(), k.commit(), s, nil))
			return sourcesReady(t, k)
		},
		read: func(ctx context.Context, k *kit, p store.Page) ([]string, string, bool, error) {
			return sourceIDs(k.Sources(ctx, k.company, knowledge.SourceFilter{Kind: knowledge.SourceWebsite}, p))
		},
	},
	{
		name:  "runs",
		ready: func(t *testing.T, k *kit) (func() string, func(string)) { return runsReady(t, k), nil },
		read: func(ctx context.Context, k *kit, p store.Page) ([]string, string, bool, error) {
			return runIDs(k.Runs(ctx, k.company, knowledge.RunFilter{}, p))
		},
	},
	{
		name: "runs of a kind",
		ready: func(t *testing.T, k *kit) (func() string, func(string)) {
			k.start(t, knowledge.Run{ID: id.New(id.Run), Kind: knowledge.RunTraining, CreatedAt: now()})
			return runsReady(t, k), nil
		},
		read: func(ctx context.Context, k *kit, p store.Page) ([]string, string, bool, error) {
			return runIDs(k.Runs(ctx, k.company, knowledge.RunFilter{Kind: knowledge.RunCrawl}, p))
		},
	},
	{
		name: "pages of a run",
		ready: func(t *testing.T, k *kit) (func() string, func(string)) {
			g, n := k.gather(t, k.addSource(t, "")), 0
			return func() string {
				n++
				p := seenPage(fmt.Sprint("https://example.com/docs/", n))
				g.see(t, p)
				return p.URL
			}, nil
		},
		read: func(ctx context.Context, k *kit, p store.Page) ([]string, string, bool, error) {
			l, err := k.Runs(ctx, k.company, knowledge.RunFilter{State: knowledge.RunRunning}, store.Page{})
			if err != nil {
				return nil, "", false, err
			}
			run := id.New(id.Run)
			if len(l.Data) > 0 {
				run = l.Data[0].ID
			}
			return pageURLs(k.Pages(ctx, k.company, run, p))
		},
	},
}

func sourcesReady(t *testing.T, k *kit) (func() string, func(string)) {
	return func() string { return k.addSource(t, "").ID },
		func(s string) { ok(t, "DeleteSource", second(k.DeleteSource(t.Context(), k.commit(), s))) }
}

func runsReady(t *testing.T, k *kit) func() string {
	return func() string { return k.start(t, newRun(k.addSource(t, ""))).ID }
}

// gathers is gather, of a source made for it, for where there is no test to fail.
func (k *kit) gathers(ctx context.Context) (*gathering, error) {
	g := &gathering{kit: k, source: newSource("")}
	if err := k.CreateSource(ctx, k.commit(), g.source, nil); err != nil {
		return nil, err
	}
	var err error
	if g.run, err = k.StartRun(ctx, k.commit(), newRun(g.source), time.Time{}, time.Time{}); err != nil {
		return nil, err
	}
	if g.lease, err = k.grips(ctx, id.New(id.Work), long); err != nil {
		return nil, err
	}
	g.run, err = k.BeginRun(ctx, k.commit(), g.lease, g.run.ID)
	return g, err
}

// withRun is a probe of a method that has a run of the caller's own to be made with.
func withRun(name string, call func(ctx context.Context, g *gathering, of ids) (any, error)) probe {
	return probe{name, func(ctx context.Context, k *kit, of ids) (any, error) {
		g, err := k.gathers(ctx)
		if err != nil {
			return nil, errors.New("a run of one's own: " + err.Error())
		}
		return call(ctx, g, of)
	}}
}

// sourceProbes call the methods with ids of sources, runs and what belongs to them.
var sourceProbes = []probe{
	{"CreateSource of an agent", func(ctx context.Context, k *kit, of ids) (any, error) {
		return none(k.CreateSource(ctx, k.commit(), newSource(of.agent), nil))
	}},
	{"UpdateSource", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.UpdateSource(ctx, k.commit(), knowledge.Source{ID: of.source, Name: "Taken"}, time.Time{}))
	}},
	{"DeleteSource", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.DeleteSource(ctx, k.commit(), of.source))
	}},
	{"Source", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Source(ctx, k.company, of.source))
	}},
	{"Sources of an agent", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Sources(ctx, k.company, knowledge.SourceFilter{AgentID: of.agent}, store.Page{}))
	}},
	{"SourceDocuments", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.SourceDocuments(ctx, k.company, of.source, "", 10))
	}},
	{"Documents of a source", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Documents(ctx, k.company, knowledge.Filter{SourceID: of.source}, store.Page{}))
	}},
	{"DeleteDocument of a source", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.DeleteDocument(ctx, k.commit(), of.page))
	}},
	{"Versions", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Versions(ctx, k.company, of.document))
	}},
	{"VersionPassages", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.VersionPassages(ctx, k.company, of.document, 1))
	}},
	{"StartRun of a source", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.StartRun(ctx, k.commit(), newRun(knowledge.Source{ID: of.source}), time.Time{}, time.Time{}))
	}},
	{"StartRun of an agent", func(ctx context.Context, k *kit, of ids) (any, error) {
		r := knowledge.Run{ID: id.New(id.Run), Kind: knowledge.RunTraining, AgentID: of.agent, CreatedAt: now()}
		return result(k.StartRun(ctx, k.commit(), r, time.Time{}, time.Time{}))
	}},
	{"StartRun with an id", func(ctx context.Context, k *kit, of ids) (any, error) {
		r := knowledge.Run{ID: of.run, Kind: knowledge.RunTraining, CreatedAt: now()}
		got, err := k.StartRun(ctx, k.commit(), r, time.Time{}, time.Time{})
		if err != nil {
			return nil, err
		}
		_, err = k.CancelRun(ctx, k.commit(), of.run)
		return []any{got.State, got.Kind, got.ID == of.run}, err
	}},
	withRun("BeginRun", func(ctx context.Context, g *gathering, of ids) (any, error) {
		return result(g.BeginRun(ctx, g.commit(), g.lease, of.run))
	}),
	withRun("MoveRun", func(ctx context.Context, g *gathering, of ids) (any, error) {
		return none(g.MoveRun(ctx, g.lease, of.run, "taken", knowledge.Counts{}, nil))
	}),
	withRun("LeaveRun", func(ctx context.Context, g *gathering, of ids) (any, error) {
		return none(g.LeaveRun(ctx, g.lease, of.run))
	}),
	withRun("Stage", func(ctx context.Context, g *gathering, of ids) (any, error) {
		return result(g.Stage(ctx, g.lease, of.run, knowledge.Staging{Writes: []knowledge.Write{g.page("a", "Taken.")}}))
	}),
	withRun("Stage of a document", func(ctx context.Context, g *gathering, of ids) (any, error) {
		return result(g.Stage(ctx, g.lease, g.run.ID, knowledge.Staging{Writes: []knowledge.Write{as(g.page("a", "Taken."), of.page)}}))
	}),
	withRun("Stage of a document that is staged", func(ctx context.Context, g *gathering, of ids) (any, error) {
		return result(g.Stage(ctx, g.lease, g.run.ID, knowledge.Staging{Writes: []knowledge.Write{as(g.page("a", "Taken."), of.staged)}}))
	}),
	withRun("Stage of an external id", func(ctx context.Context, g *gathering, of ids) (any, error) {
		w := g.page(of.external, "Taken.")
		staged, err := g.Stage(ctx, g.lease, g.run.ID, knowledge.Staging{Writes: []knowledge.Write{w}})
		if err != nil {
			return nil, err
		}
		return []any{staged[0].Status, staged[0].DocumentID == w.NewID}, nil
	}),
	withRun("Stage of a delete", func(ctx context.Context, g *gathering, of ids) (any, error) {
		if _, err := g.Stage(ctx, g.lease, g.run.ID, knowledge.Staging{Deletes: []string{of.page, of.staged}}); err != nil {
			return nil, err
		}
		r, err := g.ends(ctx, knowledge.RunCompleted)
		return r.Counts, err
	}),
	withRun("Restage", func(ctx context.Context, g *gathering, of ids) (any, error) {
		staged, err := g.Stage(ctx, g.lease, g.run.ID, knowledge.Staging{Writes: []knowledge.Write{g.page("a", "Taken.")}})
		if err != nil {
			return nil, err
		}
		if err = g.Restage(ctx, g.lease, g.run.ID, staged[0].DocumentID, of.page); err != nil {
			return nil, err
		}
		return none(g.Restage(ctx, g.lease, g.run.ID, of.staged, of.page))
	}),
	withRun("Restage of a run", func(ctx context.Context, g *gathering, of ids) (any, error) {
		return none(g.Restage(ctx, g.lease, of.run, of.staged, of.page))
	}),
	withRun("EndRun", func(ctx context.Context, g *gathering, of ids) (any, error) {
		g.run.ID = of.run
		return result(g.ends(ctx, knowledge.RunCompleted))
	}),
	withRun("a step under a lease", func(ctx context.Context, g *gathering, of ids) (any, error) {
		return none(g.MoveRun(ctx, g.kit.lease(of), g.run.ID, "taken", knowledge.Counts{}, nil))
	}),
	{"CancelRun", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.CancelRun(ctx, k.commit(), of.run))
	}},
	{"Run", func(ctx context.Context, k *kit, of ids) (any, error) { return result(k.Run(ctx, k.company, of.run)) }},
	{"Runs of a source", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Runs(ctx, k.company, knowledge.RunFilter{SourceID: of.source}, store.Page{}))
	}},
	{"Runs of an agent", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Runs(ctx, k.company, knowledge.RunFilter{AgentID: of.agent}, store.Page{}))
	}},
	{"RunEvents", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.RunEvents(ctx, k.company, of.run, 0, 10))
	}},
	{"StagedDocuments", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.StagedDocuments(ctx, k.company, of.run, "", 10))
	}},
	{"Page", func(ctx context.Context, k *kit, of ids) (any, error) {
		p, found, err := k.Page(ctx, k.company, of.run, of.url)
		return []any{p, found}, err
	}},
	{"Pages", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Pages(ctx, k.company, of.run, store.Page{}))
	}},
	{"WriteDocuments with a run", func(ctx context.Context, k *kit, of ids) (any, error) {
		w := hours()
		w.RunID = of.run
		if _, err := k.WriteDocuments(ctx, k.commit(), []knowledge.Write{w}); err != nil {
			return nil, err
		}
		r, err := k.Run(ctx, k.company, of.run)
		return []any{r.Kind, r.State, r.Counts.Created}, err
	}},
}
