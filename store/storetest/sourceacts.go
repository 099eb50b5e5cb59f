package storetest

import (
	"context"
	"fmt"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// sourceNeeds are what acts of sources and runs are about.
var sourceNeeds = map[string]func(ctx context.Context, st *stage) error{
	"source": func(ctx context.Context, st *stage) error { // of the agent that is not the default one, with three documents
		st.site = newSource(st.ids(id.Agent, "own"))
		st.site.ID, st.site.NextRunAt = st.ids(id.Source, "site"), now().Add(-time.Hour)
		if err := st.CreateSource(ctx, st.commit(), st.site, nil); err != nil {
			return err
		}
		g, err := st.takesUp(ctx, "first")
		if err != nil {
			return err
		}
		pages := knowledge.Staging{Writes: []knowledge.Write{st.page(g, "a", "Alpha."), st.page(g, "b", "Beta."), st.page(g, "c", "Gamma.")}}
		if _, err := st.Stage(ctx, g.lease, g.run.ID, pages); err != nil {
			return err
		}
		_, err = g.ends(ctx, knowledge.RunCompleted)
		return err
	},
	"gathering": func(ctx context.Context, st *stage) (err error) { // a run that has staged one of each
		if st.under, err = st.takesUp(ctx, "goes on"); err != nil {
			return err
		}
		_, err = st.Stage(ctx, st.under.lease, st.under.run.ID, knowledge.Staging{
			Writes:  []knowledge.Write{st.page(st.under, "a", "Alpha, again."), st.page(st.under, "new", "New.")},
			Deletes: []string{st.ids(id.Document, "c")}, Pages: []knowledge.Page{seenPage("https://example.com/docs/a")},
		})
		return err
	},
}

// takesUp starts a run of the stage's source and takes it up.
func (st *stage) takesUp(ctx context.Context, name string) (g *gathering, err error) {
	g = &gathering{kit: st.kit, source: st.site, run: newRun(st.site)}
	g.run.ID = st.ids(id.Run, name)
	if g.run, err = st.StartRun(ctx, st.commit(), g.run, time.Time{}, time.Time{}); err != nil {
		return nil, err
	}
	if g.lease, err = st.grips(ctx, name, long); err != nil {
		return nil, err
	}
	g.run, err = st.BeginRun(ctx, st.commit(), g.lease, g.run.ID)
	return g, err
}

// page returns a write of a page whose id, if it is new, is that of its name.
func (st *stage) page(g *gathering, name, line string) knowledge.Write {
	w := g.page(name, line)
	w.NewID = st.ids(id.Document, name)
	return w
}

var gatheringNeeds = []string{"agent", "source", "gathering"}

// sourceActs are the steps of sources and runs.
var sourceActs = []act{
	{"CreateSource", ofAgents | ofRuns, gatheringNeeds, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		s := newSource(st.ids(id.Agent, "own"))
		s.ID, s.Name = st.ids(id.Source, "new"), fmt.Sprint("New ", nth)
		return none(st.CreateSource(ctx, st.commit(tell("source.created", s.ID)), s, nil))
	}},
	{"UpdateSource", ofRuns, gatheringNeeds, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		s := st.site
		s.Name, s.NextRunAt = fmt.Sprint("Renamed by ", nth), time.Time{}
		return result(st.UpdateSource(ctx, st.commit(tell("source.updated", s.ID)), s, st.site.UpdatedAt))
	}},
	{"DeleteSource", ofRuns | ofDocuments | ofStreams, gatheringNeeds, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return result(st.DeleteSource(ctx, st.commit(), st.site.ID))
	}},
	{"StartRun", ofRuns, gatheringNeeds, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		r := newRun(st.site)
		r.ID = st.ids(id.Run, fmt.Sprint("started by ", nth))
		return result(st.StartRun(ctx, st.commit(aboutRun("run.queued", r.ID)), r, time.Time{}, time.Time{}))
	}},
	{"StartRun of what is due", ofRuns, gatheringNeeds, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		r := newRun(st.site)
		r.ID = st.ids(id.Run, fmt.Sprint("due for ", nth))
		return result(st.StartRun(ctx, st.commit(aboutRun("run.queued", r.ID)), r, now().Add(long), st.site.NextRunAt))
	}},
	{"StartRun of training", ofRuns | ofAgents, gatheringNeeds, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		r := knowledge.Run{ID: st.ids(id.Run, fmt.Sprint("training by ", nth)), Kind: knowledge.RunTraining, AgentID: st.ids(id.Agent, "own"), CreatedAt: now()}
		return result(st.StartRun(ctx, st.commit(aboutRun("run.queued", r.ID)), r, time.Time{}, time.Time{}))
	}},
	{"BeginRun", ofRuns, gatheringNeeds, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		g := st.under
		return result(st.BeginRun(ctx, st.commit(aboutRun(event.TrainingStarted, g.run.ID)), g.lease, g.run.ID))
	}},
	{"MoveRun", ofRuns, gatheringNeeds, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		g, n := st.under, knowledge.Counts{Done: nth + 1}
		return none(st.MoveRun(ctx, g.lease, g.run.ID, fmt.Sprint("phase ", nth), n, []knowledge.RunEvent{{Type: knowledge.RunProgress, Counts: n, CreatedAt: now()}}))
	}},
	{"LeaveRun", ofRuns, gatheringNeeds, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return none(st.LeaveRun(ctx, st.under.lease, st.under.run.ID))
	}},
	{"Stage", ofRuns, gatheringNeeds, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		g := st.under
		return result(st.Stage(ctx, g.lease, g.run.ID, knowledge.Staging{
			Writes: []knowledge.Write{st.page(g, "a", fmt.Sprint("Alpha, by ", nth)), st.page(g, "b", "Beta."), st.page(g, "c", "Gamma, again."), st.page(g, fmt.Sprint("by ", nth), "Delta.")},
			Pages:  []knowledge.Page{seenPage(fmt.Sprint("https://example.com/docs/", nth))},
		}))
	}},
	{"Stage of deletes", ofRuns, gatheringNeeds, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		g := st.under
		return result(st.Stage(ctx, g.lease, g.run.ID, knowledge.Staging{Deletes: []string{st.ids(id.Document, "a"), st.ids(id.Document, "new")}}))
	}},
	{"Restage", ofRuns, gatheringNeeds, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		g := st.under
		return none(st.Restage(ctx, g.lease, g.run.ID, st.ids(id.Document, "new"), st.ids(id.Document, "b")))
	}},
	{"EndRun", ofRuns | ofDocuments | ofStreams, gatheringNeeds, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return result(st.under.ends(ctx, knowledge.RunCompleted))
	}},
	{"EndRun that fails", ofRuns, gatheringNeeds, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return result(st.under.ends(ctx, knowledge.RunFailed))
	}},
	{"CancelRun", ofRuns, gatheringNeeds, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		r := st.under.run.ID
		return result(st.CancelRun(ctx, st.commit(aboutRun(event.TrainingCancelled, r)), r))
	}},
	{"DeleteDocument of a source", ofRuns | ofDocuments | ofStreams, gatheringNeeds, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return result(st.DeleteDocument(ctx, st.commit(), st.ids(id.Document, "a")))
	}},
	{"ReleaseKey of a run", ofRuns, gatheringNeeds, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return none(st.ReleaseKey(ctx, st.under.lease))
	}},
	{"StagedDocuments", ofRuns, gatheringNeeds, true, func(ctx context.Context, st *stage, _ int) (any, error) {
		return absent(st.StagedDocuments(ctx, st.company, st.under.run.ID, "", 10))
	}},
	{"WriteDocuments with a run", ofRuns, gatheringNeeds, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		w := external(st.document("file", "file", "File."), "file")
		w.RunID = st.ids(id.Run, "file")
		return result(st.WriteDocuments(ctx, store.Commit{Company: st.company}, []knowledge.Write{w}))
	}},
}
