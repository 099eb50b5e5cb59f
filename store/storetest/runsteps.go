package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// workerSteps are what the worker of a run does, by name.
func (g *gathering) workerSteps() map[string]func(ctx context.Context) error {
	return map[string]func(ctx context.Context) error{
		"BeginRun": func(ctx context.Context) error {
			return second(g.BeginRun(ctx, g.commit(aboutRun(event.TrainingStarted, g.run.ID)), g.lease, g.run.ID))
		},
		"MoveRun": func(ctx context.Context) error {
			return g.MoveRun(ctx, g.lease, g.run.ID, "late", knowledge.Counts{Done: 99}, []knowledge.RunEvent{{Type: knowledge.RunProgress, CreatedAt: now()}})
		},
		"LeaveRun": func(ctx context.Context) error { return g.LeaveRun(ctx, g.lease, g.run.ID) },
		"Stage of a write": func(ctx context.Context) error {
			return second(g.Stage(ctx, g.lease, g.run.ID, knowledge.Staging{Writes: []knowledge.Write{g.page("late", "Late.")}}))
		},
		"Stage of a page": func(ctx context.Context) error {
			return second(g.Stage(ctx, g.lease, g.run.ID, knowledge.Staging{Pages: []knowledge.Page{seenPage("https://example.com/late")}}))
		},
		"Stage of a delete": func(ctx context.Context) error {
			return second(g.Stage(ctx, g.lease, g.run.ID, knowledge.Staging{Deletes: []string{id.New(id.Document)}}))
		},
		"Restage": func(ctx context.Context) error {
			return g.Restage(ctx, g.lease, g.run.ID, id.New(id.Document), id.New(id.Document))
		},
		"EndRun":            func(ctx context.Context) error { return second(g.ends(ctx, knowledge.RunCompleted)) },
		"EndRun that fails": func(ctx context.Context) error { return second(g.ends(ctx, knowledge.RunFailed)) },
	}
}

// shutOut fails the test unless whatever the run's worker does is refused and
// changes nothing.
func (g *gathering) shutOut(t *testing.T, want error) {
	t.Helper()
	before := read(t, g, g.company)
	for name, step := range g.workerSteps() {
		refused(t, name, step(t.Context()), want)
	}
	same(t, "the company", read(t, g, g.company), before)
}

func runFenced(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	doc := k.publish(t, s, aPage("a", "Alpha."))[0]
	g := k.gather(t, s)
	g.stage(t, g.page("a", "Alpha, again."), g.page("b", "Beta."))
	lapses, err := k.grips(t.Context(), id.New(id.Work), short)
	ok(t, "claiming a key", err)
	held := g.lease
	for what, make := range map[string]func() store.Lease{
		"was never given out": func() store.Lease { held.Fence--; return held },
		"is of another key":   func() store.Lease { l := k.grip(t, long); l.Key = g.lease.Key; return l },
		"was given back": func() store.Lease {
			l := k.grip(t, long)
			ok(t, "ReleaseKey", k.ReleaseKey(t.Context(), l))
			return l
		},
		"was claimed again": func() store.Lease {
			eventually(t, "claiming the key again", func() error {
				if _, err := k.ClaimKeys(t.Context(), k.company, gatherings, "another", long, 10); err != nil {
					return err
				}
				_, err := k.RenewLease(t.Context(), lapses, time.Microsecond) // it may be claimed at once
				return holds(errors.Is(err, store.ErrFenced), "the lease holds: %v", err)
			})
			return lapses
		},
	} {
		old := *g
		old.lease = make()
		t.Run(what, func(t *testing.T) { old.shutOut(t, store.ErrFenced) })
	}
	if got := g.finish(t, knowledge.RunCompleted); got.Counts.Updated != 1 || got.Counts.Created != 1 {
		t.Errorf("under the lease that holds the run came to %s", canonical(got.Counts))
	}
	k.asRead(t, as(g.page("a", "Alpha, again."), doc), doc, 2)
}

func runEnded(t *testing.T, k *kit) {
	s := k.addSource(t, "")
	k.publish(t, s, aPage("a", "Alpha."))
	for what, end := range map[string]func(g *gathering){
		"completed": func(g *gathering) { g.finish(t, knowledge.RunCompleted) },
		"failed":    func(g *gathering) { g.finish(t, knowledge.RunFailed) },
		"given up":  func(g *gathering) { g.finish(t, knowledge.RunCancelled) },
		"cancelled": func(g *gathering) { ok(t, "CancelRun", second(k.CancelRun(t.Context(), k.commit(), g.run.ID))) },
		"cancelled before it began": func(g *gathering) {
			g.run = k.start(t, newRun(s))
			ok(t, "CancelRun", second(k.CancelRun(t.Context(), k.commit(), g.run.ID)))
		},
		"cancelled by a delete": func(g *gathering) {
			gone := k.addSource(t, "")
			*g = *k.gather(t, gone)
			ok(t, "DeleteSource", second(k.DeleteSource(t.Context(), k.commit(), gone.ID)))
		},
	} {
		g := k.gather(t, s)
		g.stage(t, g.page("b", "Beta of a run that is "+what))
		end(g)
		t.Run(what, func(t *testing.T) {
			g.shutOut(t, knowledge.ErrRunEnded)
			before := k.runNow(t, g.run.ID)
			if !before.State.Ended() || before.EndedAt.IsZero() || len(k.staged(t, g.run.ID)) != 0 {
				t.Errorf("a run that has ended is %s", canonical(before))
			}
			got, err := k.CancelRun(t.Context(), k.commit(aboutRun(event.TrainingCancelled, g.run.ID)), g.run.ID)
			ok(t, "CancelRun", err)
			same(t, "CancelRun of a run that has ended", got, before)
		})
	}
}
