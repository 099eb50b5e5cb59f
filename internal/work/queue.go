package work

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// A Handler makes one attempt at a job, under the lease of the job's key. If it
// returns nil, the job is done; if it returns an error, the job is tried again
// after a wait from the queue's Backoff, or from [After], until MaxAttempts or
// [Permanent] give it up.
//
// The context ends when the attempt runs out of the queue's Timeout, when the
// lease is lost (cause [store.ErrFenced]) and when the runner has waited long
// enough for it to stop (cause [ErrStopping]). A handler that goes on after that
// keeps its key, and Run, waiting. l.Until is as of the claim: the lease is
// renewed while the handler runs.
type Handler func(ctx context.Context, l store.Lease, j store.Job) error

// A Queue says how the work of one kind is done. Numbers count per process.
type Queue struct {
	Name    string  // as in [store.Work]; required
	Handler Handler // required

	// Ordered takes the jobs of a key one by one, in the order they were
	// queued: while one waits for its next try, so do those behind it.
	Ordered bool

	Parallel   int // keys worked on at once; default 8
	PerCompany int // of these, keys of one company; default three quarters of Parallel, rounded up
	PerKey     int // jobs of a key at once, of a queue that is not ordered; default 1

	// Lease is how long a key stays with a worker that has stopped renewing,
	// and so how long its work waits after a crash. Default 10 s, at least 1 s.
	Lease time.Duration

	// Timeout bounds one attempt. Default 1 minute.
	Timeout time.Duration

	// Backoff is the wait after each failed attempt, give or take a fifth; the
	// last one repeats. Default 1 s, 5 s, 30 s, 2 min, 10 min, 1 h.
	Backoff []time.Duration

	// MaxAttempts is how often a job is tried before it is given up. Default
	// one more than Backoff has waits.
	MaxAttempts int
}

// check returns the queue with its defaults filled in.
func (q Queue) check() (Queue, error) {
	if q.Name == "" {
		return q, errors.New("add queue: it has no name")
	}
	if q.Handler == nil {
		return q, fmt.Errorf("add queue %q: it has no handler", q.Name)
	}
	if q.Ordered && q.PerKey > 1 {
		return q, fmt.Errorf("add queue %q: an ordered queue does one job of a key at a time, PerKey asks for %d", q.Name, q.PerKey)
	}
	if len(q.Backoff) == 0 {
		q.Backoff = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour}
	}
	q.Backoff = slices.Clone(q.Backoff)
	setDefault(&q.Parallel, 8)
	setDefault(&q.PerCompany, q.Parallel-q.Parallel/4)
	setDefault(&q.PerKey, 1)
	setDefault(&q.Lease, 10*time.Second)
	setDefault(&q.Timeout, time.Minute)
	setDefault(&q.MaxAttempts, len(q.Backoff)+1)
	if min(q.Parallel, q.PerCompany, q.PerKey, q.MaxAttempts) < 1 || q.Timeout < 0 || slices.Min(q.Backoff) <= 0 {
		return q, fmt.Errorf("add queue %q: a number or a time is negative, or a wait in Backoff is zero", q.Name)
	}
	if q.Lease < time.Second {
		return q, fmt.Errorf("add queue %q: a lease of %v is too short to be renewed in time, at least 1s is", q.Name, q.Lease)
	}
	return q, nil
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// outcome says what becomes of a job after an attempt that ended with err.
func (q *Queue) outcome(j store.Job, err error) store.Outcome {
	if err == nil {
		return store.Outcome{ID: j.ID, Done: true}
	}
	o := store.Outcome{ID: j.ID, Reason: class(err)}
	if _, permanent := errors.AsType[*permanentError](err); permanent || j.Attempt >= q.MaxAttempts {
		o.Dead = true
	} else if after, ok := errors.AsType[*afterError](err); ok {
		o.RetryIn = spread(after.wait, 1, 1.1)
	} else {
		n := min(max(j.Attempt, 1), len(q.Backoff))
		o.RetryIn = spread(q.Backoff[n-1], 0.8, 1.2)
	}
	return o
}

// spread returns a random duration between from and to times d, and more than 0.
func spread(d time.Duration, from, to float64) time.Duration {
	return max(1, time.Duration(float64(d)*(from+(to-from)*rand.Float64())))
}
