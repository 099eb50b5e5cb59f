package reference

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A run with what it saw and will publish.
type run struct {
	knowledge.Run // Ahead is filled in on reading
	told          []knowledge.RunEvent
	pages         []knowledge.Page // by sequence
	seen          int64            // addresses, those of pages that are kept no more included
	plans         map[string]plan  // by document id
	texts         map[string]bool  // new ids of writes whose texts are staged
}

// tell adds an event to a run. Of failed items only the first are kept.
func (r *run) tell(ev knowledge.RunEvent) {
	failed := 0
	for _, old := range r.told {
		if old.Type == knowledge.RunItemFailed {
			failed++
		}
	}
	if ev.Type == knowledge.RunItemFailed && failed >= knowledge.MaxItemEvents {
		return
	}
	ev.Sequence, ev.CreatedAt = int64(len(r.told)+1), stored(ev.CreatedAt)
	r.told = append(slices.Clip(r.told), cloneRunEvent(ev))
}

// end ends a run, with nothing left of what it has staged.
func (r *run) end(state knowledge.RunState) {
	now := stored(time.Now())
	r.State, r.UpdatedAt, r.EndedAt, r.plans, r.texts = state, now, now, nil, nil
	r.tell(knowledge.RunEvent{Type: "run." + string(state), Counts: r.Counts, Error: r.Error, CreatedAt: now})
}

func cloneCounts(n knowledge.Counts) knowledge.Counts {
	n.Errors = maps.Clone(n.Errors)
	return n
}

func cloneError(e *knowledge.RunError) *knowledge.RunError {
	if e == nil {
		return nil
	}
	return new(*e)
}

func cloneRunEvent(ev knowledge.RunEvent) knowledge.RunEvent {
	ev.Counts, ev.Error = cloneCounts(ev.Counts), cloneError(ev.Error)
	return ev
}

// run returns a run of the company.
func (c *tenant) run(runID string) (run, error) {
	r, ok := c.runs[runID]
	if !ok {
		return r, store.NotFound("run", runID)
	}
	return r, nil
}

// readRun returns a run as it is read.
func (c *tenant) readRun(r run) knowledge.Run {
	out := r.Run
	out.Counts, out.Error = cloneCounts(r.Counts), cloneError(r.Error)
	for _, o := range c.runs {
		if r.State == knowledge.RunQueued && o.ID < r.ID && !o.State.Ended() {
			out.Ahead++
		}
	}
	return out
}

// underWay returns a run of which the holder of a lease may make a step.
func (c *tenant) underWay(l store.Lease, runID string) (run, error) {
	if err := c.leased(l); err != nil {
		return run{}, err
	}
	r, err := c.run(runID)
	if err == nil && r.State.Ended() {
		err = fmt.Errorf("run %s: %w: it is %s", runID, knowledge.ErrRunEnded, r.State)
	}
	return r, err
}

// add adds a queued run, which is its source's latest.
func (c *tenant) add(r knowledge.Run) run {
	added := run{Run: knowledge.Run{
		ID: r.ID, Kind: r.Kind, State: knowledge.RunQueued, Phase: r.Phase, AgentID: r.AgentID, SourceID: r.SourceID, ParentID: r.ParentID,
		Force: r.Force, NewPages: r.NewPages, Counts: cloneCounts(r.Counts), CreatedAt: stored(r.CreatedAt), UpdatedAt: stored(time.Now()),
	}}
	c.runs[r.ID] = added
	if src, ok := c.sources[r.SourceID]; ok {
		src.RunID = r.ID
		c.sources[src.ID] = src
	}
	return added
}

// waiting returns the queued run that is there in place of one to be started.
func (c *tenant) waiting(r knowledge.Run) (run, bool) {
	for _, o := range c.runs {
		sameSource := r.SourceID != "" && o.SourceID == r.SourceID
		sameTraining := r.Kind == knowledge.RunTraining && o.Kind == knowledge.RunTraining && o.AgentID == r.AgentID
		if o.State == knowledge.RunQueued && (sameSource || sameTraining) {
			return o, true
		}
	}
	return run{}, false
}

// schedule says when the source of a run that is to be started is due next.
func (c *tenant) schedule(r knowledge.Run, next, ifDue time.Time) error {
	if r.AgentID != "" {
		if _, err := c.agent(r.AgentID); err != nil {
			return err
		}
	}
	if r.SourceID == "" {
		return nil
	}
	src, err := c.source(r.SourceID)
	if err != nil || next.IsZero() {
		return err
	}
	if !ifDue.IsZero() && !src.NextRunAt.Equal(stored(ifDue)) {
		return fmt.Errorf("source %s: %w: it is not due at the time given any more", src.ID, store.ErrConflict)
	}
	src.NextRunAt = stored(next)
	c.sources[src.ID] = src
	return nil
}

// StartRun implements [knowledge.RunStore].
func (s *Store) StartRun(ctx context.Context, cm store.Commit, r knowledge.Run, next, ifDue time.Time) (out knowledge.Run, err error) {
	err = s.step(ctx, cm, func(c *tenant, cm *store.Commit) error {
		started, there := c.runs[r.ID]
		if !there {
			if err := c.schedule(r, next, ifDue); err != nil {
				return err
			}
			started, there = c.waiting(r)
		}
		if there {
			cm.Events, cm.Work = nil, nil
		} else {
			started = c.add(r)
		}
		out = c.readRun(started)
		if cm.Receipt != nil {
			cm.Receipt = new(*cm.Receipt)
			cm.Receipt.Result = out.ID
		}
		about(cm, out.ID)
		return nil
	})
	if err != nil {
		return knowledge.Run{}, err
	}
	return out, nil
}

// BeginRun implements [knowledge.RunStore].
func (s *Store) BeginRun(ctx context.Context, cm store.Commit, l store.Lease, runID string) (out knowledge.Run, err error) {
	err = s.step(ctx, cm, func(c *tenant, cm *store.Commit) error {
		r, err := c.underWay(l, runID)
		if err != nil {
			return err
		}
		now := stored(time.Now())
		r.Attempts++
		r.UpdatedAt = now
		if r.State == knowledge.RunRunning {
			cm.Events = nil
		} else {
			r.State, r.StartedAt = knowledge.RunRunning, now
			r.tell(knowledge.RunEvent{Type: knowledge.RunStarted, Counts: r.Counts, CreatedAt: now})
		}
		c.runs[r.ID] = r
		out = c.readRun(r)
		return nil
	})
	if err != nil {
		return knowledge.Run{}, err
	}
	return out, nil
}

// LeaveRun implements [knowledge.RunStore].
func (s *Store) LeaveRun(ctx context.Context, l store.Lease, runID string) error {
	return s.step(ctx, store.Commit{Company: l.Company}, func(c *tenant, _ *store.Commit) error {
		r, err := c.underWay(l, runID)
		if err != nil {
			return err
		}
		r.Attempts = max(0, r.Attempts-1)
		c.runs[r.ID] = r
		return nil
	})
}

// MoveRun implements [knowledge.RunStore].
func (s *Store) MoveRun(ctx context.Context, l store.Lease, runID, phase string, counts knowledge.Counts, events []knowledge.RunEvent) error {
	return s.step(ctx, store.Commit{Company: l.Company}, func(c *tenant, _ *store.Commit) error {
		r, err := c.underWay(l, runID)
		if err != nil {
			return err
		}
		r.Phase, r.Counts, r.UpdatedAt = phase, cloneCounts(counts), stored(time.Now())
		for _, ev := range events {
			r.tell(ev)
		}
		c.runs[r.ID] = r
		return nil
	})
}

// EndRun implements [knowledge.RunStore].
func (s *Store) EndRun(ctx context.Context, cm store.Commit, l store.Lease, given knowledge.Run) (out knowledge.Run, err error) {
	err = s.step(ctx, cm, func(c *tenant, cm *store.Commit) error {
		r, err := c.underWay(l, given.ID)
		if err != nil {
			return err
		}
		if !given.State.Ended() {
			return fmt.Errorf("run %s: %w: %q is no state that a run ends in", r.ID, store.ErrConflict, given.State)
		}
		r.Phase, r.Counts, r.Error = given.Phase, cloneCounts(given.Counts), cloneError(given.Error)
		if given.State == knowledge.RunCompleted {
			c.publish(cm, &r)
		}
		r.end(given.State)
		c.runs[r.ID] = r
		out = c.readRun(r)
		return nil
	})
	if err != nil {
		return knowledge.Run{}, err
	}
	return out, nil
}

// CancelRun implements [knowledge.RunStore].
func (s *Store) CancelRun(ctx context.Context, cm store.Commit, runID string) (out knowledge.Run, err error) {
	err = s.step(ctx, cm, func(c *tenant, cm *store.Commit) error {
		r, err := c.run(runID)
		if err != nil {
			return err
		}
		if r.State.Ended() {
			cm.Events = nil
		} else {
			r.end(knowledge.RunCancelled)
			c.runs[r.ID] = r
		}
		out = c.readRun(r)
		return nil
	})
	if err != nil {
		return knowledge.Run{}, err
	}
	return out, nil
}

// Run implements [knowledge.RunStore].
func (s *Store) Run(ctx context.Context, company, runID string) (out knowledge.Run, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		r, err := c.run(runID)
		if err == nil {
			out = c.readRun(r)
		}
		return err
	})
	return out, err
}

// Runs implements [knowledge.RunStore].
func (s *Store) Runs(ctx context.Context, company string, f knowledge.RunFilter, p store.Page) (out store.List[knowledge.Run], err error) {
	err = s.read(ctx, company, func(c tenant) (err error) {
		var all []knowledge.Run
		for _, r := range c.runs {
			if (f.AgentID == "" || f.AgentID == r.AgentID) && (f.SourceID == "" || f.SourceID == r.SourceID) &&
				(f.ParentID == "" || f.ParentID == r.ParentID) && (f.Kind == "" || f.Kind == r.Kind) && (f.State == "" || f.State == r.State) {
				all = append(all, c.readRun(r))
			}
		}
		out, err = newest(all, p, func(r knowledge.Run) string { return r.ID },
			"runs", company, f.AgentID, f.SourceID, f.ParentID, string(f.Kind), string(f.State))
		return err
	})
	return out, err
}

// RunEvents implements [knowledge.RunStore].
func (s *Store) RunEvents(ctx context.Context, company, runID string, after int64, limit int) (out []knowledge.RunEvent, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		for _, ev := range c.runs[runID].told {
			if ev.Sequence > after && len(out) < limit {
				out = append(out, cloneRunEvent(ev))
			}
		}
		return nil
	})
	return out, err
}
