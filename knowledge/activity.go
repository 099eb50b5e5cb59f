package knowledge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
	"github.com/answerdesk-go/answerdesk/store"
)

// An activity is a run that is being done by this process.
type activity struct {
	lib    *Library
	lease  store.Lease
	run    Run
	source Source

	resumed bool // it was begun before, and broken off or put down

	// Used by the goroutine that does the run alone.
	staging Staging
	size    int          // bytes of text in staging
	flushed time.Time    // when it was empty
	became  func(Staged) // is told of each write that was staged; nil: nobody is

	mu     sync.Mutex
	phase  string
	counts Counts
	events []RunEvent
	moved  bool // phase or counts are not stored yet
}

func newActivity(l *Library, lease store.Lease, r Run) *activity {
	a := &activity{lib: l, lease: lease, run: r, phase: r.Phase, flushed: time.Now()}
	a.counts.Errors = map[string]int{}
	return a
}

// do does the run by calling fn, whose context ends when the run is cancelled, and
// records how it ended.
func (a *activity) do(ctx context.Context, fn func(context.Context) error) error {
	inner, cancel := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { a.keepMoving(inner, cancel) })
	err := fn(inner)
	if err == nil {
		err = a.flush(inner)
	}
	if cause := context.Cause(inner); cause != nil && err != nil {
		err = cause
	}
	cancel(nil)
	wg.Wait()
	return a.end(ctx, err)
}

// keepMoving stores how far the run is, now and then, and ends it with
// [ErrRunEnded] when somebody has cancelled it.
func (a *activity) keepMoving(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(moveEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := a.move(ctx)
		if errors.Is(err, ErrRunEnded) || errors.Is(err, store.ErrFenced) || errors.Is(err, store.ErrNotFound) {
			cancel(err)
			return
		}
		// Any other error of the store shows where something is staged.
	}
}

// move stores how far the run is if it has got further, and otherwise only looks
// whether it has ended.
func (a *activity) move(ctx context.Context) error {
	a.mu.Lock()
	phase, counts, events, moved := a.phase, a.snapshot(), a.events, a.moved
	a.events, a.moved = nil, false
	a.mu.Unlock()
	if !moved && len(events) == 0 {
		r, err := a.lib.runs.Run(ctx, a.lease.Company, a.run.ID)
		if err == nil && r.State.Ended() {
			err = ErrRunEnded
		}
		return err
	}
	if moved {
		events = append(events, RunEvent{Type: RunProgress, Counts: counts, CreatedAt: time.Now().UTC().Truncate(time.Microsecond)})
	}
	err := a.lib.runs.MoveRun(ctx, a.lease, a.run.ID, phase, counts, events)
	if err != nil {
		a.mu.Lock()
		a.events, a.moved = append(events[:len(events):len(events)], a.events...), true
		a.mu.Unlock()
	}
	return err
}

// snapshot returns the counts as they are. The caller holds mu.
func (a *activity) snapshot() Counts {
	c := a.counts
	c.Errors = maps.Clone(c.Errors)
	return c
}

// at says what the run is at.
func (a *activity) at(phase string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.phase, a.moved = phase, true
}

// count changes the counts.
func (a *activity) count(change func(*Counts)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(&a.counts)
	a.moved = true
}

// failed counts an item that could not be read, and tells of it.
func (a *activity) failed(e *RunError) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.counts.Failed++
	a.counts.Errors[e.Kind]++
	a.moved = true
	if a.counts.Failed <= MaxItemEvents {
		a.events = append(a.events, itemFailed(e))
	}
}

// tellOf tells of an item that failed and is counted elsewhere.
func (a *activity) tellOf(e *RunError) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events = append(a.events, itemFailed(e))
}

func itemFailed(e *RunError) RunEvent {
	return RunEvent{Type: RunItemFailed, Item: e.Item, Error: e, CreatedAt: time.Now().UTC().Truncate(time.Microsecond)}
}

// write stages a document.
func (a *activity) write(ctx context.Context, w Write) error {
	w.SourceID, w.AgentID = a.source.ID, a.source.AgentID
	a.staging.Writes = append(a.staging.Writes, w)
	a.size += len(w.Text)
	return a.flushFull(ctx)
}

// remove stages that a document is to go.
func (a *activity) remove(ctx context.Context, documentID string) error {
	a.staging.Deletes = append(a.staging.Deletes, documentID)
	return a.flushFull(ctx)
}

// page notes what was seen at an address. If a document with the address as its
// external id is staged beside it, the page is its; if it is refused, the page says
// so.
func (a *activity) page(ctx context.Context, p Page) error {
	a.staging.Pages = append(a.staging.Pages, p)
	return a.flushFull(ctx)
}

// writePage stages the document of a page together with what was seen of the page.
func (a *activity) writePage(ctx context.Context, w Write, p Page) error {
	a.staging.Pages = append(a.staging.Pages, p)
	return a.write(ctx, w)
}

func (a *activity) flushFull(ctx context.Context) error {
	s := &a.staging
	if len(s.Writes)+len(s.Deletes) < batchDocuments && len(s.Pages) < batchDocuments && a.size < batchBytes && time.Since(a.flushed) < flushEvery {
		return nil
	}
	return a.flush(ctx)
}

// flush stages what has been gathered: first the documents, and then the pages,
// since only the store knows the ids that documents have or get.
func (a *activity) flush(ctx context.Context) error {
	s := a.staging
	a.staging, a.size, a.flushed = Staging{}, 0, time.Now()
	ids := map[string]string{}
	if len(s.Writes) > 0 || len(s.Deletes) > 0 {
		staged, err := a.lib.runs.Stage(ctx, a.lease, a.run.ID, Staging{Writes: s.Writes, Deletes: s.Deletes})
		if item, ok := errors.AsType[*ItemError](err); ok {
			return fmt.Errorf("stage: %v", item) // which is not that the run is gone
		}
		if err != nil {
			return err
		}
		a.count(func(c *Counts) {
			for _, d := range staged {
				switch d.Status {
				case Created:
					c.Created++
				case Updated:
					c.Updated++
				case Unchanged:
					c.Unchanged++
				case Refused:
					c.Skipped++
				}
			}
			c.Deleted += len(s.Deletes)
		})
		for _, d := range staged {
			if a.became != nil {
				a.became(d)
			}
			ids[d.ExternalID] = d.DocumentID
			if d.Status == Refused {
				ids[d.ExternalID] = ""
			}
		}
	}
	if len(s.Pages) == 0 {
		return nil
	}
	for i := range s.Pages {
		p := &s.Pages[i]
		documentID, ok := ids[externalID(p.URL)]
		if !ok {
			continue
		}
		if p.DocumentID = documentID; documentID == "" {
			p.Outcome, p.Reason = string(crawl.Skipped), reasonDeleted
		}
	}
	_, err := a.lib.runs.Stage(ctx, a.lease, a.run.ID, Staging{Pages: s.Pages})
	return err
}

// end records how the run ended. It returns an error if that is not certain, so that
// the run is taken up again.
func (a *activity) end(ctx context.Context, err error) error {
	if errors.Is(err, ErrRunEnded) || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrFenced) {
		return nil // it was cancelled, its source is gone, or another worker has it
	}
	r := a.run
	failure, final := errors.AsType[*RunError](err)
	switch {
	case err == nil:
		r.State, r.Phase = RunCompleted, "done"
	case final:
		r.State, r.Phase, r.Error = RunFailed, a.phase, failure
	default: // of the store, or because the process stops: it goes on later
		a.leave(ctx)
		return err
	}
	if err := a.tell(ctx); err != nil && !errors.Is(err, ErrRunEnded) {
		return err
	}
	a.mu.Lock()
	r.Counts = a.snapshot()
	a.mu.Unlock()
	t := event.TrainingCompleted
	if r.State == RunFailed {
		t = event.TrainingFailed
	}
	out, err := a.lib.runs.EndRun(ctx, store.Commit{Company: a.lease.Company, Events: []event.Event{runEvent(t, r)}, Work: a.lib.embedding.work()}, a.lease, r)
	if errors.Is(err, ErrRunEnded) || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrFenced) {
		return nil
	}
	if err == nil && out.Revision > 0 {
		a.lib.indexes.follow(ctx, a.lease.Company, out.Revision)
		a.lib.wake(queueEmbeddings)
	}
	return err
}

// leaveTimeout is how long a process that stops takes to say so of a run.
const leaveTimeout = 2 * time.Second

// leave puts the run down in order if that is because the process stops, so that no
// number of restarts makes it one that was broken off too often. If the store does
// not hear of it, the attempt counts.
func (a *activity) leave(ctx context.Context) {
	if !errors.Is(context.Cause(ctx), work.ErrStopping) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	_ = a.lib.runs.LeaveRun(ctx, a.lease, a.run.ID)
}

// tell stores the events that are not stored yet.
func (a *activity) tell(ctx context.Context) error {
	a.mu.Lock()
	waiting := len(a.events) > 0
	a.mu.Unlock()
	if !waiting {
		return nil
	}
	return a.move(ctx)
}
