package knowledge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// trainPause is how long a training waits before it looks at its runs again.
const trainPause = 250 * time.Millisecond

// train does a run of kind [RunTraining]: it queues a run of each source, and waits
// for them. The ids of the runs follow from its own, so that one that was broken off
// goes on with those it has queued.
func (l *Library) train(ctx context.Context, lease store.Lease, j store.Job) error {
	a, err := l.begin(ctx, lease, string(j.Payload))
	if a == nil || err != nil {
		return err
	}
	return a.do(ctx, func(ctx context.Context) error {
		children, err := a.queueChildren(ctx)
		if err != nil {
			return err
		}
		a.at("sources")
		a.count(func(c *Counts) { c.Total = len(children) })
		return a.await(ctx, children)
	})
}

// queueChildren queues a run of each source of a training, and returns their ids.
func (a *activity) queueChildren(ctx context.Context) (children []string, err error) {
	p := store.Page{Limit: store.MaxLimit}
	for {
		list, err := a.lib.sources.Sources(ctx, a.lease.Company, SourceFilter{AgentID: a.run.AgentID}, p)
		if err != nil {
			return nil, err
		}
		for _, s := range list.Data {
			r := Run{
				ID: id.Derive(id.Run, a.run.ID+s.ID), Kind: runKind(s.Kind), State: RunQueued, Phase: "queued",
				AgentID: s.AgentID, SourceID: s.ID, ParentID: a.run.ID, Force: a.run.Force, NewPages: a.run.NewPages,
				CreatedAt: a.run.CreatedAt, // as its id says
			}
			c := store.Commit{Company: a.lease.Company, Work: []store.Work{runWork(r)}}
			r, err = a.lib.runs.StartRun(ctx, c, r, time.Time{}, time.Time{})
			if errors.Is(err, store.ErrNotFound) {
				continue // the source was deleted just now
			}
			if err != nil {
				return nil, err
			}
			children = append(children, r.ID)
		}
		a.lib.wake(queueRuns)
		if !list.HasMore {
			return children, nil
		}
		p.Cursor = list.NextCursor
	}
}

// await waits for the runs of a training to end, and sums them up.
func (a *activity) await(ctx context.Context, children []string) error {
	ended := map[string]Run{}
	for {
		sum := Counts{Total: len(children), Errors: map[string]int{}}
		for _, child := range children {
			r, ok := ended[child]
			if !ok {
				var err error
				if r, err = a.lib.runs.Run(ctx, a.lease.Company, child); err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				} else if err != nil {
					r = Run{State: RunCancelled} // its source was deleted, and it with it
				}
			}
			sum.add(r.Counts)
			if r.State.Ended() {
				sum.Done++
			}
			if r.State.Ended() && !ok {
				ended[child] = r
				if r.Error != nil {
					e := *r.Error
					e.Item, e.Path = r.SourceID, ""
					a.tellOf(&e)
				}
			}
		}
		a.count(func(c *Counts) { *c = sum })
		if len(ended) == len(children) {
			return allFailed(ended)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(trainPause):
		}
	}
}

// allFailed returns why a training failed, if no run of it was completed.
func allFailed(ended map[string]Run) error {
	var failed *Run
	for _, r := range ended {
		if r.State == RunCompleted {
			return nil
		}
		if r.Error != nil && (failed == nil || r.ID < failed.ID) {
			failed = &r
		}
	}
	if failed == nil {
		return nil
	}
	return &RunError{Kind: failed.Error.Kind, Item: failed.SourceID, Message: fmt.Sprintf("no source could be read; the first failed so: %s", failed.Error.Message)}
}

// add adds what another run has done to the documents.
func (c *Counts) add(o Counts) {
	c.Created += o.Created
	c.Updated += o.Updated
	c.Unchanged += o.Unchanged
	c.Deleted += o.Deleted
	c.Skipped += o.Skipped
	c.Failed += o.Failed
	c.Bytes += o.Bytes
	for kind, n := range o.Errors {
		c.Errors[kind] += n
	}
}
