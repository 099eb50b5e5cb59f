package knowledge

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// TrainOptions are what may be chosen about a training. The zero value trains the
// whole company.
type TrainOptions struct {
	AgentID    string // only the sources of this agent; empty: all of the company's
	Force      bool   // read also what says that it has not changed
	NoNewPages bool   // of websites only the pages that are known
}

// Train queues a training: a run that has every source read again, each by a run of
// its own, and ends when they have. What is put through [Base.Put] is found at once,
// without training. One that waits already is returned instead. A nil opts means the
// zero value.
func (b *Base) Train(ctx context.Context, opts *TrainOptions) (Run, error) {
	var o TrainOptions
	if opts != nil {
		o = *opts
	}
	agentID, err := parseAgent(o.AgentID)
	if err != nil {
		return Run{}, err
	}
	r := Run{
		ID: id.New(id.Run), Kind: RunTraining, State: RunQueued, Phase: "queued", AgentID: agentID,
		Force: o.Force, NewPages: !o.NoNewPages, CreatedAt: time.Now().UTC().Truncate(time.Microsecond),
	}
	c := b.request.Ending(b.commit("run.start", ""), "")
	c.Work = append(c.Work, runWork(r))
	defer b.lib.wake(c.Work[0].Queue)
	return b.lib.runs.StartRun(ctx, c, r, time.Time{}, time.Time{})
}

// Run returns a run. The one of kind training that was queued last is that of the
// empty id.
func (b *Base) Run(ctx context.Context, runID string) (Run, error) {
	if runID == "" {
		l, err := b.lib.runs.Runs(ctx, b.company, RunFilter{Kind: RunTraining}, store.Page{Limit: 1})
		switch {
		case err != nil:
			return Run{}, err
		case len(l.Data) == 0:
			return Run{}, store.NotFound("run", "of a training")
		}
		return l.Data[0], nil
	}
	canonical, err := id.Parse(id.Run, runID)
	if err != nil {
		return Run{}, store.NotFound("run", clip(runID, 64))
	}
	return b.lib.runs.Run(ctx, b.company, canonical)
}

// Runs lists runs, newest first.
func (b *Base) Runs(ctx context.Context, f RunFilter, p store.Page) (store.List[Run], error) {
	agentID, err := parseAgent(f.AgentID)
	if err != nil {
		return store.List[Run]{}, err
	}
	f.AgentID = agentID
	return b.lib.runs.Runs(ctx, b.company, f, p)
}

// CancelRun stops a run, with those that belong to it, and returns it as it is then.
// What it has staged is dropped, and what it has published stays. A run that has
// ended is left as it is. The empty id is that of [Base.Run].
func (b *Base) CancelRun(ctx context.Context, runID string) (Run, error) {
	r, err := b.Run(ctx, runID)
	if err != nil {
		return Run{}, err
	}
	c := b.request.Ending(b.commit("run.cancel", r.ID), r.ID)
	c.Events = append(c.Events, runEvent(event.TrainingCancelled, r))
	if r, err = b.lib.runs.CancelRun(ctx, c, r.ID); err != nil || r.Kind != RunTraining {
		return r, err
	}
	return r, b.lib.cancelChildren(ctx, b.company, r.ID)
}

// runEventsRead is how many events of a run are read at a time.
const runEventsRead = 256

// RunEvents returns the events of a run after a sequence, in order, and whether the
// last of them is the last there will be.
func (b *Base) RunEvents(ctx context.Context, runID string, after int64) (events []RunEvent, done bool, err error) {
	r, err := b.Run(ctx, runID)
	if err != nil {
		return nil, false, err
	}
	events, err = b.lib.runs.RunEvents(ctx, b.company, r.ID, after, runEventsRead)
	return events, err == nil && r.State.Ended() && len(events) < runEventsRead, err
}

// watchPause is how long to wait before looking whether a run has got further.
const watchPause = 200 * time.Millisecond

// WatchRun yields the events of a run after a sequence as they come, to the last one.
func (b *Base) WatchRun(ctx context.Context, runID string, after int64) iter.Seq2[RunEvent, error] {
	return func(yield func(RunEvent, error) bool) {
		pause := time.NewTimer(0)
		defer pause.Stop()
		for {
			events, done, err := b.RunEvents(ctx, runID, after)
			if err != nil {
				yield(RunEvent{}, err)
				return
			}
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
				after = e.Sequence
			}
			if done {
				return
			}
			pause.Reset(watchPause)
			select {
			case <-ctx.Done():
				yield(RunEvent{}, ctx.Err())
				return
			case <-pause.C:
			}
		}
	}
}

// cancelChildren stops the runs that belong to a training.
func (l *Library) cancelChildren(ctx context.Context, company, parent string) error {
	return l.eachChild(ctx, company, parent, func(r Run) error {
		if r.State.Ended() {
			return nil
		}
		_, err := l.runs.CancelRun(ctx, store.Commit{Company: company, Events: []event.Event{runEvent(event.TrainingCancelled, r)}}, r.ID)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
}

// eachChild calls fn for each run that belongs to a training.
func (l *Library) eachChild(ctx context.Context, company, parent string, fn func(Run) error) error {
	p := store.Page{Limit: store.MaxLimit}
	for {
		list, err := l.runs.Runs(ctx, company, RunFilter{ParentID: parent}, p)
		if err != nil {
			return err
		}
		for _, r := range list.Data {
			if err := fn(r); err != nil {
				return err
			}
		}
		if !list.HasMore {
			return nil
		}
		p.Cursor = list.NextCursor
	}
}
