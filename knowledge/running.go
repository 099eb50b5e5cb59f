package knowledge

import (
	"context"
	"errors"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/store"
)

// How runs are done.
const (
	maxAttempts = 10                     // that are broken off, but for orderly stops, after which the run has failed
	runTimeout  = 6 * time.Hour          // of one attempt
	moveEvery   = 500 * time.Millisecond // a run says how far it is, and hears that it is cancelled
	flushEvery  = 2 * time.Second        // and stages what it has, which is what a broken off one keeps
	dueEvery    = 5 * time.Second        // sources that are due are looked for
	dueLimit    = 100                    // of them at a time
)

// Schedule adds to a runner what a library does in the background: its runs, the
// reading of sources when they are due, and the embedding of passages.
func (l *Library) Schedule(r *work.Runner) error {
	backoff := []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, time.Minute}
	runs := work.Queue{
		Name: queueRuns, Handler: l.work, Ordered: true, Parallel: 4, Timeout: runTimeout, Backoff: backoff, MaxAttempts: 1 << 20,
	}
	trainings := runs
	trainings.Name, trainings.Handler = queueTrainings, l.train
	if err := errors.Join(r.Add(runs), r.Add(trainings)); err != nil {
		return err
	}
	if l.embedding != nil {
		if err := r.Add(l.embedding.queue(backoff)); err != nil {
			return err
		}
	}
	if err := l.scheduleKeeping(r); err != nil {
		return err
	}
	l.runner.Store(r)
	return r.Every("sources that are due", dueEvery, l.startDue)
}

// startDue queues a run of each source that is due.
func (l *Library) startDue(ctx context.Context) error {
	due, err := l.sources.DueSources(ctx, dueLimit)
	if err != nil {
		return err
	}
	if len(due) > 0 {
		defer l.wake(queueRuns)
	}
	for _, s := range due {
		now := time.Now().UTC().Truncate(time.Microsecond)
		r := Run{
			ID: id.New(id.Run), Kind: runKind(s.Kind), State: RunQueued, Phase: "queued", AgentID: s.AgentID, SourceID: s.ID,
			NewPages: true, CreatedAt: now,
		}
		_, err := l.runs.StartRun(ctx, store.Commit{Company: s.Company, Work: []store.Work{runWork(r)}}, r, nextRun(s.Schedule, now), s.NextRunAt)
		if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound) {
			continue // another process was first, or the source is gone
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// work does a run of a source, and takes it up again where it was broken off.
func (l *Library) work(ctx context.Context, lease store.Lease, j store.Job) error {
	a, err := l.begin(ctx, lease, string(j.Payload))
	if a == nil || err != nil {
		return err
	}
	if a.source, err = l.sources.Source(ctx, lease.Company, a.run.SourceID); err != nil {
		return a.end(ctx, err)
	}
	return a.do(ctx, func(ctx context.Context) error {
		if a.source.Kind == SourceAPI {
			return l.sync(ctx, a)
		}
		return l.crawl(ctx, a)
	})
}

// begin takes a run up, and returns nil for one that has ended.
func (l *Library) begin(ctx context.Context, lease store.Lease, runID string) (*activity, error) {
	r, err := l.runs.Run(ctx, lease.Company, runID)
	resumed := r.State == RunRunning
	if err == nil {
		c := store.Commit{Company: lease.Company, Events: []event.Event{runEvent(event.TrainingStarted, r)}}
		r, err = l.runs.BeginRun(ctx, c, lease, runID)
	}
	if errors.Is(err, ErrRunEnded) || errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a := newActivity(l, lease, r)
	a.resumed = resumed
	if r.Attempts > maxAttempts {
		return nil, a.end(ctx, &RunError{Kind: "crashed", Message: "it was broken off too often: see the log of the process that does it"})
	}
	return a, nil
}
