package agent

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// StoredSequence numbers the [MessageCompleted] of a reply that is read from the
// store. It is above the number of every event told while the turn ran, so that
// whoever has some of those resumes with the whole reply: a process tells at most
// maxEvents of a turn, its events are numbered above those of the process that it
// took the turn from, and after maxTaken processes the next only ends it.
const StoredSequence = 1 << 20

const (
	// maxEvents bounds what one process tells of a turn. A reply of maxParts
	// with a citation each, written three times over because its sources
	// changed, is three quarters of it.
	maxEvents = 1 << 15

	// maxStoredCalls bounds the calls of tools in a reply: as many as a budget
	// allows, and those that a model asked for beyond it.
	maxStoredCalls = 1 << 15

	// maxTaken bounds how many processes may be lost over a turn. One that ends
	// each of them would otherwise be taken over for ever.
	maxTaken = 16

	_ uint = StoredSequence - maxStoredCalls - (maxTaken+1)*maxEvents - 2 // does not compile if they are too large
)

// errTooMuch ends a turn that tells more than it may.
var errTooMuch = errors.New("the turn has told too many events")

// A story is what a turn has told so far, and who listens.
type story struct {
	mu      sync.Mutex
	events  []Event
	news    chan struct{} // closed when there are more events, or the end
	ended   bool
	reply   Reply
	err     error
	readers int
	heard   bool // whether anybody has read
	unread  *time.Timer
	since   time.Time // when the last reader left or, if it is later, the turn last went on after waiting for somebody
}

// tell adds an event to what the turn has told. Each process that has the turn
// numbers its events above those of the one before.
func (r *running) tell(ev Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) >= maxEvents && ev.Type != MessageCompleted {
		r.cancel(errTooMuch)
		return
	}
	ev.Sequence = min(r.turn.Taken, maxTaken)*maxEvents + len(r.events) + 1
	ev.MessageID, ev.ConversationID = r.turn.ReplyID, r.turn.ConversationID
	if ev.Type == MessageReplaced {
		r.events = withoutText(r.events)
	}
	r.events = append(r.events, ev)
	close(r.news)
	r.news = make(chan struct{})
}

// withoutText returns events with nothing in the place of those that tell of a text
// that is void, and may have been deleted: whoever begins to read is not told of it
// any more. The slice given stays as it is, since others read it.
func withoutText(events []Event) []Event {
	out := slices.Clone(events)
	for i, ev := range out {
		if ev.Type == TextDelta || ev.Type == CitationAdded || ev.Type == MessageReplaced {
			out[i] = Event{}
		}
	}
	return out
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

// nudge lets those look again who wait for the turn.
func (r *running) nudge() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.news)
	r.news = make(chan struct{})
}

// waitOrPark is wait that also returns when the turn waits for somebody.
func (r *running) waitOrPark(ctx context.Context) (waits bool, err error) {
	for {
		r.mu.Lock()
		news, ended, err := r.news, r.ended, r.err
		r.mu.Unlock()
		if ended {
			return false, err
		}
		if r.clock != nil && r.clock.waits() {
			return true, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

// errLeft is how reading ends when the reader leaves the loop.
var errLeft = errors.New("the reader has left")

// read yields what the turn tells after a number, to its end. The end is told
// whatever the number. It returns the error that the turn has ended with, errLeft,
// or ctx's error if that ends before; what was told by then is yielded first.
func (r *running) read(ctx context.Context, after int, yield func(Event, error) bool) error {
	r.attach()
	defer r.detach()
	for at := 0; ; {
		r.mu.Lock()
		events, news, ended, err := r.events[at:], r.news, r.ended, r.err
		r.mu.Unlock()
		for _, ev := range events {
			if ev.Type == "" { // see withoutText
				continue
			}
			if ev.Sequence <= after {
				if ev.Type != MessageCompleted {
					continue
				}
				ev.Sequence = StoredSequence
			}
			if !yield(ev, nil) {
				return errLeft
			}
		}
		at += len(events)
		if ended {
			return err
		}
		select {
		case <-news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *running) attach() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.readers++
	r.heard = true
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
		r.since = time.Now()
		r.unread = time.AfterFunc(r.engine.opts.Unread, r.leaveUnread)
	}
}

// goOn is called when a turn has waited for somebody: how long nobody reads it counts
// from now on.
func (r *running) goOn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.since = time.Now()
}

// leaveUnread ends a turn that nobody reads any more, unless it waits for somebody, or
// has done so until a moment ago: then it is looked at again later.
func (r *running) leaveUnread() {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := r.engine.opts.Unread
	if !r.clock.waits() {
		left -= time.Since(r.since)
	}
	switch {
	case r.ended || r.readers > 0:
	case left > 0:
		r.unread = time.AfterFunc(left, r.leaveUnread)
	default:
		r.cancel(ErrCancelled)
	}
}
