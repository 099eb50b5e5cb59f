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

// running is a turn under way, and what it has told so far.
type running struct {
	engine   *Engine
	company  string
	agent    Agent
	turn     Turn
	streamed bool // whether it is cancelled when nobody reads it
	cancel   context.CancelCauseFunc
	note     Explanation

	steps     atomic.Int64 // recorded
	historyMu sync.Mutex
	earlier   []Message // once it is read

	mu      sync.Mutex
	events  []Event
	news    chan struct{} // closed when there are more events, or the end
	ended   bool
	reply   Reply
	err     error
	readers int
	unread  *time.Timer
}

// start runs a turn that was admitted until ctx ends, and calls leave when it has
// ended.
func (e *Engine) start(ctx context.Context, company string, a Agent, t Turn, streamed bool, leave func()) *running {
	r := &running{engine: e, company: company, agent: a, turn: t, streamed: streamed, news: make(chan struct{})}
	e.mu.Lock()
	defer e.mu.Unlock()
	// The turn outlives its caller by the time it takes to put its end on record.
	run, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	r.cancel = cancel
	unlink := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	switch {
	case e.cut:
		cancel(ErrDraining)
	case ctx.Err() != nil: // since the message was stored
		cancel(context.Cause(ctx))
	}
	e.live[t.ReplyID] = r
	go func() {
		defer e.turns.Done()
		defer leave()
		defer cancel(nil)
		defer unlink()
		run, stop := context.WithTimeout(run, e.opts.TurnTimeout)
		defer stop()
		reply, err := Reply{}, errExited
		defer func() {
			e.mu.Lock()
			delete(e.live, t.ReplyID)
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

// tell adds an event to what the turn has told.
func (r *running) tell(ev Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ev.Sequence = len(r.events) + 1
	ev.MessageID, ev.ConversationID = r.turn.ReplyID, r.turn.ConversationID
	r.events = append(r.events, ev)
	close(r.news)
	r.news = make(chan struct{})
}

// finish tells the end.
func (r *running) finish(reply Reply, err error) {
	if err == nil {
		r.tell(Event{Type: MessageCompleted, Reply: &reply})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended, r.reply, r.err = true, reply, err
	if r.unread != nil {
		r.unread.Stop()
	}
	close(r.news)
}

// wait returns how the turn ended, or ctx's error if that ends before.
func (r *running) wait(ctx context.Context) (Reply, error) {
	for {
		r.mu.Lock()
		news, ended, reply, err := r.news, r.ended, r.reply, r.err
		r.mu.Unlock()
		if ended {
			return reply, err
		}
		select {
		case <-news:
		case <-ctx.Done():
			return Reply{}, ctx.Err()
		}
	}
}

// read yields what the turn tells, from the beginning to its end. That is soon
// after the context of the turn ends, if its Answerer listens.
func (r *running) read(yield func(Event, error) bool) {
	r.attach()
	defer r.detach()
	for at := 0; ; {
		r.mu.Lock()
		events, news, ended, err := r.events[at:], r.news, r.ended, r.err
		r.mu.Unlock()
		for _, ev := range events {
			if !yield(ev, nil) {
				return
			}
		}
		at += len(events)
		switch {
		case ended && err != nil:
			yield(Event{}, err)
			return
		case ended && len(events) == 0:
			return
		case !ended:
			<-news
		}
	}
}

func (r *running) attach() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.readers++
	if r.unread != nil {
		r.unread.Stop()
		r.unread = nil
	}
}

// detach lets a streamed turn that nobody reads end after a while.
func (r *running) detach() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.readers--
	if r.readers == 0 && !r.ended && r.streamed {
		r.unread = time.AfterFunc(r.engine.opts.Unread, func() { r.cancel(ErrCancelled) })
	}
}

// run answers the turn and puts its end on record.
func (r *running) run(ctx context.Context) (Reply, error) {
	stop := r.keepLease(ctx)
	defer stop()
	r.tell(Event{Type: MessageStarted})
	reply, err := r.answer(ctx)
	if err == nil {
		return reply, nil
	}
	failed := Reply{Failure: "internal"}
	if cause := context.Cause(ctx); cause != nil {
		err, failed.Failure = cause, "cancelled"
		if errors.Is(cause, ErrDraining) {
			failed.Failure = "interrupted"
		}
	}
	if errors.Is(err, store.ErrFenced) || errors.Is(err, store.ErrUnavailable) {
		return Reply{}, err // it is another's, or lapses and will be
	}
	// A turn without a reply ends too, so that the conversation can go on.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.engine.opts.Lease)
	defer cancel()
	if endErr := r.end(ctx, &failed); endErr != nil {
		err = errors.Join(err, endErr)
	}
	return Reply{}, err
}

// keepLease renews the turn's lease until stop is called. When the lease is lost,
// the turn is cancelled.
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
		if errors.Is(err, store.ErrFenced) {
			r.cancel(err)
			return
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
