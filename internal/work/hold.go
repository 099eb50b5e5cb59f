package work

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// What a key gets before it gives way to others that wait, whichever is used up
// first. Some jobs of a few milliseconds are worth the two transactions that a
// change of keys costs, and nobody notices a quarter of a second.
const (
	turnJobs = 32
	turnTime = 250 * time.Millisecond
)

// A hold is a leased key that is being worked on. The fields of the last group
// are its run's own.
type hold struct {
	store   Store
	queue   *Queue
	log     *slog.Logger
	lease   store.Lease
	began   time.Time               // the lease holds from then
	poke    chan struct{}           // the key may have more jobs
	giveWay atomic.Bool             // somebody waits for this place
	lose    context.CancelCauseFunc // ends what runs under the lease

	running map[string]bool // jobs begun and not settled
	ended   chan result     // how they ended
	next    []store.Job     // jobs that are due and not begun
	more    bool            // whether there may be jobs beyond next
	begun   int             // jobs so far
	idle    bool            // nothing was due after all
	broken  bool            // the store could not say or record what becomes of jobs
}

// A result is how an attempt ended.
type result struct {
	outcome store.Outcome
	cut     bool // broken off through no fault of the job, and not to be recorded
}

func newHold(l *line, lease store.Lease, began time.Time) *hold {
	return &hold{
		store:   l.runner.store,
		queue:   &l.queue,
		log:     l.log.With("company", lease.Company, "key", lease.Key),
		lease:   lease,
		began:   began,
		poke:    make(chan struct{}, 1),
		running: make(map[string]bool),
		ended:   make(chan result, l.queue.PerKey),
		more:    true,
	}
}

// run does jobs of the key until none is due, it has to give way, the lease is
// lost, or it is to stop.
func (h *hold) run(t terms) {
	leased, lose := context.WithCancelCause(t.kept)
	h.lose = lose
	handlers, cut := context.WithCancelCause(leased)
	defer cut(nil)
	defer context.AfterFunc(t.patience, func() { cut(ErrStopping) })()

	var heart sync.WaitGroup
	heart.Go(func() { h.beat(leased) })
	h.serve(t.stop, leased, handlers)
	lost := leased.Err() != nil
	lose(nil)
	heart.Wait()
	if lost || h.broken { // at once, it would only be leased again for the same
		return
	}
	ctx, cancel := context.WithTimeout(t.kept, h.queue.Lease)
	defer cancel()
	if err := h.store.ReleaseKey(ctx, h.lease); err != nil && !errors.Is(err, store.ErrFenced) {
		h.log.Warn("cannot give a lease back, it will run out", "error", err)
	}
}

func (h *hold) serve(stop, leased, handlers context.Context) {
	for {
		h.begin(stop, leased, handlers)
		if len(h.running) == 0 {
			return
		}
		select {
		case <-h.poke:
			h.more = true
		case r := <-h.ended:
			h.settle(leased, r)
		}
	}
}

// begin starts jobs that are due, as many as the key may have running.
func (h *hold) begin(stop, leased, handlers context.Context) {
	for len(h.running) < h.queue.PerKey && !h.finishing(stop, leased) {
		if len(h.next) == 0 && h.more {
			h.fetch(leased)
		}
		if len(h.next) == 0 {
			return
		}
		j := h.next[0]
		h.next = h.next[1:]
		h.running[j.ID] = true
		h.begun++
		go func() { // serve waits for its result
			r := result{outcome: h.queue.outcome(j, errPanic)}
			defer func() { h.ended <- r }() // even if the handler ends this goroutine
			r = h.attempt(handlers, j)
		}()
	}
}

// finishing reports whether no further job is to begin.
func (h *hold) finishing(stop, leased context.Context) bool {
	return stop.Err() != nil || leased.Err() != nil || h.broken ||
		h.giveWay.Load() && h.begun > 0 && (h.begun >= turnJobs || time.Since(h.began) >= turnTime)
}

// fetch reads which jobs are due.
func (h *hold) fetch(leased context.Context) {
	limit := len(h.running) + turnJobs
	if h.queue.Ordered {
		limit = 1
	}
	var due []store.Job
	err := h.try(leased, "read due jobs", func(ctx context.Context) (err error) {
		due, err = h.store.DueJobs(ctx, h.lease, h.queue.Ordered, limit)
		return err
	})
	for _, j := range due {
		if !h.running[j.ID] {
			h.next = append(h.next, j)
		}
	}
	h.more = len(due) >= limit
	h.idle = h.begun == 0 && len(h.next) == 0
	h.broken = err != nil
}

// settle records how jobs have ended: r, and whatever else has ended by now.
func (h *hold) settle(leased context.Context, r result) {
	var outcomes []store.Outcome
	for more := true; more; {
		delete(h.running, r.outcome.ID)
		if !r.cut {
			outcomes = append(outcomes, r.outcome)
		}
		select {
		case r = <-h.ended:
		default:
			more = false
		}
	}
	if len(outcomes) == 0 {
		return
	}
	err := h.try(leased, "record outcomes", func(ctx context.Context) error {
		return h.store.FinishJobs(ctx, h.lease, outcomes)
	})
	h.broken = h.broken || err != nil // they are still due: whoever has the key next does them again
}

// try asks the store until it answers, the lease is lost, or the lease would
// have run out since the first time of asking.
func (h *hold) try(leased context.Context, what string, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(leased, h.queue.Lease)
	defer cancel()
	for n := 1; ; n++ {
		err := ctx.Err()
		if err == nil {
			err = ask(ctx)
		}
		if err == nil {
			return nil
		}
		if errors.Is(err, store.ErrFenced) {
			h.lost()
			return err
		}
		if !sleep(ctx, pause(n)) {
			if leased.Err() == nil {
				h.log.Error("the store does not take a step, the key is left until its lease runs out", "step", what, "error", err)
			}
			return err
		}
	}
}
