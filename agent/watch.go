package agent

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// How long a watcher pauses before it looks again at a turn of another process.
const (
	watchFirst = 50 * time.Millisecond
	watchMost  = time.Second
)

// Watch yields the events of a reply after number after, 0 for all, until its end,
// in whichever process its turn runs. The last one is [MessageCompleted] with the
// whole reply; otherwise the sequence ends with an error. For a turn that ended
// without a reply that is an [ErrCancelled], [ErrInterrupted] or [ErrFailed].
//
// While the turn runs in this process, the events are those told so far and those
// to come. What another process tells stays there: of such a turn, and of one that
// has ended, come the calls of tools and the end, numbered up to [StoredSequence], and
// nothing for who has that already; but the first reader of a turn that was started to be read, by
// [Handle.StartStream], gets all of it for a moment after its end. If the process
// of the turn is lost, its watcher takes it over.
//
// When ctx ends, so does the reading, with ctx's error. The turn does not.
func (cs *Conversations) Watch(ctx context.Context, replyID string, after int) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if err := cs.watch(ctx, replyID, after, yield); err != nil && !errors.Is(err, errLeft) {
			yield(Event{}, err)
		}
	}
}

func (cs *Conversations) watch(ctx context.Context, replyID string, after int, yield func(Event, error) bool) error {
	canonical, err := parseAs(id.Message, "reply", replyID)
	if err != nil || after >= StoredSequence {
		return err
	}
	for pause := watchFirst; ; pause = min(2*pause, watchMost) {
		if r := cs.live(canonical); r != nil {
			err := r.read(ctx, after, yield)
			if _, lost := errors.AsType[*lostError](err); !lost {
				return err
			}
		}
		if after == 0 {
			if r := cs.takeUnheard(ctx, canonical); r != nil {
				return r.read(ctx, 0, yield)
			}
		}
		t, err := cs.Running(ctx, canonical)
		if errors.Is(err, store.ErrNotFound) {
			return cs.readEnd(ctx, canonical, after, yield)
		}
		if err != nil {
			return err
		}
		if t.Lapsed {
			r, err := cs.engine.take(ctx, cs.company, t.ConversationID)
			if err != nil {
				return err
			}
			if r != nil {
				continue
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// readEnd yields the end of a turn that runs no more.
func (cs *Conversations) readEnd(ctx context.Context, replyID string, after int, yield func(Event, error) bool) error {
	m, err := cs.reply(ctx, replyID)
	if err != nil {
		return err
	}
	if m.Reply.Failure != "" {
		return failed(m.Reply.Failure, nil)
	}
	end := Event{MessageID: m.ID, ConversationID: m.ConversationID}
	for i := range m.Reply.ToolCalls {
		ev := end
		ev.Type, ev.Sequence, ev.ToolCall = ToolEnded, StoredSequence-len(m.Reply.ToolCalls)+i, &m.Reply.ToolCalls[i]
		if ev.Sequence > after && !yield(ev, nil) {
			return errLeft
		}
	}
	end.Type, end.Sequence, end.Reply = MessageCompleted, StoredSequence, m.Reply
	yield(end, nil)
	return nil
}

// live returns a turn that runs in this process, or nil.
func (cs *Conversations) live(replyID string) *running {
	cs.engine.mu.Lock()
	defer cs.engine.mu.Unlock()
	if r := cs.engine.live[replyID]; r != nil && r.company == cs.company {
		return r
	}
	return nil
}

// Wait returns a reply when its turn has ended, as [Conversations.Watch] tells it.
func (cs *Conversations) Wait(ctx context.Context, replyID string) (reply Reply, err error) {
	for ev, err := range cs.Watch(ctx, replyID, StoredSequence-1) { // the end alone
		if err != nil {
			return Reply{}, err
		}
		reply = *ev.Reply
	}
	return reply, nil
}

// Running returns the turn that will have the reply with an id, in whichever
// process it runs. If it has ended, or there is none, that is a
// [store.NotFoundError].
func (cs *Conversations) Running(ctx context.Context, replyID string) (Running, error) {
	canonical, err := parseAs(id.Message, "reply", replyID)
	if err != nil {
		return Running{}, err
	}
	return cs.engine.store.RunningTurn(ctx, cs.company, canonical)
}

// State returns how far the turn of a reply has come. It returns a
// [store.NotFoundError] for an id that names neither a reply nor one to come.
func (cs *Conversations) State(ctx context.Context, replyID string) (State, error) {
	_, err := cs.Running(ctx, replyID)
	if err == nil {
		return StateRunning, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	m, err := cs.reply(ctx, replyID) // it may have ended since, and does not run again
	if err != nil {
		return "", err
	}
	return stateOf(*m.Reply), nil
}

// Cancel ends the turn that will have the reply with an id, waits for its end, and
// returns the state it has ended in: the reply may have come first, and a turn that
// had ended stays as it is. In another process the turn ends when its lease is to
// be renewed, after a third of [Options.Lease] at most.
func (cs *Conversations) Cancel(ctx context.Context, replyID string) (State, error) {
	canonical, err := parseAs(id.Message, "reply", replyID)
	if err != nil {
		return "", err
	}
	if r := cs.live(canonical); r != nil {
		r.cancel(ErrCancelled)
	}
	// Also for a turn of this process, which may be lost before its end is stored.
	if err := cs.engine.store.CancelTurn(ctx, cs.company, canonical); err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	_, err = cs.Wait(ctx, canonical)
	switch {
	case err == nil, errors.Is(err, ErrCancelled), errors.Is(err, ErrInterrupted), errors.Is(err, ErrFailed):
		return cs.State(ctx, canonical)
	}
	return "", err
}
