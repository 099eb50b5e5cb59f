package server

import (
	"context"
	"errors"
	"iter"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store"
)

// watch yields the events of a reply after a number, as [agent.Conversations.Watch]
// does, until this server has drained. A turn that runs elsewhere then goes on, and
// the sequence ends with [agent.ErrDraining].
func (s *Server) watch(ctx context.Context, cs *agent.Conversations, replyID string, after int) iter.Seq2[agent.Event, error] {
	return func(yield func(agent.Event, error) bool) {
		waiting, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(s.drained, cancel)()
		for ev, err := range cs.Watch(waiting, replyID, after) {
			if err != nil && errors.Is(err, waiting.Err()) && ctx.Err() == nil {
				break
			}
			if !yield(ev, err) || err != nil || ev.Type == agent.MessageCompleted {
				return
			}
			after = ev.Sequence
		}
		// The turns of this process have ended, and nobody waits any more.
		state, err := cs.State(ctx, replyID)
		switch {
		case err != nil:
			yield(agent.Event{}, err)
		case state == agent.StateRunning:
			yield(agent.Event{}, agent.ErrDraining)
		default:
			cs.Watch(ctx, replyID, after)(yield)
		}
	}
}

// wait returns a reply when its turn has ended, as watch tells it.
func (s *Server) wait(ctx context.Context, cs *agent.Conversations, replyID string) (reply agent.Reply, err error) {
	for ev, err := range s.watch(ctx, cs, replyID, agent.StoredSequence-1) { // the end alone
		if err != nil {
			return agent.Reply{}, err
		}
		reply = *ev.Reply
	}
	return reply, nil
}

// isOver reports whether an error of a turn says that there will be no reply.
func isOver(err error) bool {
	return errors.Is(err, agent.ErrCancelled) || errors.Is(err, agent.ErrInterrupted) || errors.Is(err, agent.ErrFailed) || errors.Is(err, store.ErrNotFound)
}
