package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// Bounds of one reply.
const (
	MaxReply = 64 << 10 // bytes of text
	maxParts = 4096     // parts it may come in
)

// running is a turn under way in this process.
type running struct {
	engine   *Engine
	company  string
	request  store.Request // that the turn was begun for
	agent    Agent
	turn     Turn
	streamed bool // whether it is cancelled when nobody reads it
	cancel   context.CancelCauseFunc
	note     Explanation
	fitted   bool // whether its confidence was, on the company's own questions

	steps   atomic.Int64 // recorded
	clock   *clock
	account account
	box     *toolbox // once it is known
	calling
	outcomeUnknown atomic.Bool // whether nobody knows of a call that cannot be made again
	historyMu      sync.Mutex
	earlier        []Message // once it is read

	story
}

// start runs a turn that was admitted until ctx ends, and calls leave when it has
// ended.
func (e *Engine) start(ctx context.Context, r *running, leave func()) *running {
	r.engine, r.news = e, make(chan struct{})
	e.mu.Lock()
	defer e.mu.Unlock()
	// The turn outlives its caller by the time it takes to put its end on record.
	run, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	r.cancel = cancel
	unlink := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	switch {
	case e.cut:
		cancel(ErrDraining)
	case r.turn.Cancelled:
		cancel(ErrCancelled)
	case r.turn.Taken >= maxTaken:
		cancel(fmt.Errorf("%w: %d processes were lost while they answered", ErrInterrupted, r.turn.Taken))
	case ctx.Err() != nil: // since the message was stored
		cancel(context.Cause(ctx))
	}
	e.live[r.turn.ReplyID] = r
	r.clock = startClock(e.opts.TurnTimeout, func() { cancel(context.DeadlineExceeded) })
	go func() {
		defer e.turns.Done()
		defer leave()
		defer cancel(nil)
		defer unlink()
		defer r.clock.stop()
		reply, err := Reply{}, error(&lostError{errExited})
		defer func() {
			e.mu.Lock()
			delete(e.live, r.turn.ReplyID)
			if err == nil {
				e.keepUnheard(r)
			}
			e.mu.Unlock()
			r.finish(reply, err)
		}()
		reply, err = r.run(run)
	}()
	return r
}

// errExited is what callers get when runtime.Goexit is called in a turn, as the
// Fatal of a test does. The turn then lapses.
var errExited = errors.New("the goroutine of the turn has exited while answering")

// run answers the turn and puts its end on record. Its error is a lostError if it
// could not.
func (r *running) run(ctx context.Context) (Reply, error) {
	stop := r.keepLease(ctx)
	defer stop()
	r.tell(Event{Type: MessageStarted})
	if r.turn.Taken > 0 {
		r.tell(Event{Type: MessageReplaced}) // what the lost process told is void
	}
	var reply Reply
	err := r.resume(ctx)
	if err == nil {
		reply, err = r.answer(ctx)
	}
	if err == nil {
		if reply.Outcome == Handoff {
			r.tell(Event{Type: HandoffRequested})
		}
		return reply, nil
	}
	if errors.Is(context.Cause(ctx), errReleased) {
		stop()
		r.release(ctx)
		return Reply{}, &lostError{errReleased}
	}
	failure, err := failureOf(context.Cause(ctx), err)
	if errors.Is(err, store.ErrFenced) || errors.Is(err, store.ErrUnavailable) {
		return Reply{}, &lostError{err} // it is another's, or lapses and will be
	}
	// A turn without a reply ends too, so that the conversation can go on.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.engine.opts.Lease)
	defer cancel()
	if endErr := r.end(ctx, &Reply{Failure: failure}); endErr != nil {
		return Reply{}, &lostError{errors.Join(err, endErr)}
	}
	return Reply{}, failed(failure, err)
}

// keepLease renews the turn's lease until stop is called. When the lease is lost,
// or another process wants it so, the turn is cancelled.
func (r *running) keepLease(ctx context.Context) (stop func()) {
	lease := r.engine.opts.Lease
	var (
		mu      sync.Mutex
		stopped bool
		timer   *time.Timer
	)
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(lease/3, func() {
		mu.Lock()
		defer mu.Unlock()
		if stopped {
			return
		}
		err := r.engine.store.RenewTurn(ctx, r.company, r.turn.TurnRef, lease)
		switch {
		case errors.Is(err, store.ErrFenced):
			r.cancel(err)
			return
		case errors.Is(err, ErrCancelled):
			r.cancel(ErrCancelled)
		}
		timer.Reset(lease / 3)
	})
	return func() {
		timer.Stop()
		mu.Lock()
		stopped = true
		mu.Unlock()
	}
}

// release gives the turn's lease back, so that another process may go on with it at
// once. If it cannot, that one waits until the lease has run out.
func (r *running) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.engine.opts.Lease)
	defer cancel()
	if err := r.engine.store.RenewTurn(ctx, r.company, r.turn.TurnRef, 0); err != nil && !errors.Is(err, ErrCancelled) {
		r.engine.opts.Logger.WarnContext(ctx, "a turn that waits was not released", "company", r.company, "reply", r.turn.ReplyID, "error", err)
	}
}

// record adds a step to the turn's record.
func (r *running) record(ctx context.Context, s Step) error {
	if s.At.IsZero() {
		s.At = stamp()
	}
	if s.CallID == "" || s.Name == "" || len(s.Data) > 64<<10 {
		return fmt.Errorf("step %q of call %q: %w: it needs a name, a call id and at most %d bytes of data", s.Name, s.CallID, ErrInvalid, 64<<10)
	}
	if s.Data == nil {
		s.Data = []byte{}
	}
	err := r.engine.store.RecordStep(ctx, store.Commit{Company: r.company}, r.turn.TurnRef, s)
	if err == nil {
		r.steps.Add(1)
	}
	return err
}
