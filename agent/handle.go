package agent

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/failpoint"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// A Handle is one agent of a company, as its callers use it.
type Handle struct {
	engine      *Engine
	company, id string
}

// Ask sends a message and returns the reply. When it returns, message and reply
// are stored. That the agent does not know is no error, but a reply with the
// outcome [Refuse].
//
// If the conversation is answering another message, Ask waits for its turn; with
// too many waiting it is [ErrTurnInProgress]. When ctx ends, the turn is
// cancelled. Other errors are an [InvalidError] for a message that cannot be
// taken, and a [store.NotFoundError] for an agent or conversation that is not
// there.
func (h *Handle) Ask(ctx context.Context, m Message) (Reply, error) {
	r, err := h.begin(ctx, m, false)
	if err != nil {
		return Reply{}, err
	}
	return r.wait(context.WithoutCancel(ctx)) // when ctx ends, so does the turn, a moment later
}

// Stream is Ask, told step by step. The last event is [MessageCompleted] with the
// whole reply; otherwise the sequence ends with an error. Whoever leaves the loop
// early has stopped reading: the turn goes on for as long as [Options.Unread]
// says, and its reply is stored if it ends by then. When ctx ends, the turn is
// cancelled at once.
func (h *Handle) Stream(ctx context.Context, m Message) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		r, err := h.begin(ctx, m, true)
		if err != nil {
			yield(Event{}, err)
			return
		}
		r.read(yield)
	}
}

// begin stores the message and starts the turn.
func (h *Handle) begin(ctx context.Context, m Message, streamed bool) (*running, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	a, err := h.Get(ctx)
	if err != nil {
		return nil, err
	}
	leave, err := h.engine.lines.enter(ctx, lineOf(h.company, a.ID, m))
	if err != nil {
		return nil, err
	}
	failpoint.At("turn.asked")
	t, err := h.beginTurn(ctx, a, m)
	if err != nil {
		leave()
		return nil, err
	}
	failpoint.At("turn.begun")
	return h.engine.start(ctx, h.company, a, t, streamed, leave), nil
}

// lineOf is where messages wait for each other: a conversation or, while that is
// not known, the user. A message of nobody begins a conversation of its own.
func lineOf(company, agentID string, m Message) string {
	switch {
	case m.ConversationID != "":
		return company + " " + m.ConversationID
	case m.User.ID != "":
		return company + " " + agentID + " " + m.User.ID
	}
	return ""
}

// beginTurn stores the message of a turn, which is then admitted. While another
// process, or a caller who knows the conversation by another name, has a turn
// there, it tries again.
func (h *Handle) beginTurn(ctx context.Context, a Agent, m Message) (Turn, error) {
	deadline := time.Now().Add(h.engine.opts.TurnTimeout)
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		t, err := h.tryBegin(ctx, a, m)
		busy, ok := errors.AsType[*BusyError](err)
		if !ok {
			return t, err
		}
		if busy.Lapsed {
			if err := h.engine.takeOver(ctx, h.company, busy.ConversationID); err != nil {
				return Turn{}, err
			}
			continue
		}
		if time.Now().After(deadline) {
			return Turn{}, err
		}
		select {
		case <-ctx.Done():
			return Turn{}, ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (h *Handle) tryBegin(ctx context.Context, a Agent, m Message) (Turn, error) {
	m.ID, m.AgentID, m.CreatedAt = id.New(id.Message), a.ID, stamp()
	tell := func(t event.Type) event.Event {
		return event.Event{ID: id.New(id.Event), Type: t, CreatedAt: m.CreatedAt, Refs: event.Refs{AgentID: a.ID}}
	}
	started, received := tell(event.ConversationStarted), tell(event.MessageReceived)
	received.Refs.MessageID = m.ID
	if err := h.engine.admit(); err != nil {
		return Turn{}, err
	}
	t, err := h.engine.store.BeginTurn(ctx,
		store.Commit{Company: h.company, Events: []event.Event{started, received}},
		Begin{
			Message: m, NewConversation: id.New(id.Conversation), ReplyID: id.New(id.Message),
			Worker: h.engine.worker, Lease: h.engine.opts.Lease,
		})
	if err != nil {
		h.engine.turns.Done()
	}
	return t, err
}

// stamp is the time now, as precise as it is stored.
func stamp() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Get returns the agent with its settings.
func (h *Handle) Get(ctx context.Context) (Agent, error) {
	agentID, err := parseAgent(h.id)
	if err != nil {
		return Agent{}, err
	}
	return h.engine.store.Agent(ctx, h.company, agentID)
}

// parseAgent returns the canonical form of an agent's id, or the error for one
// that is not there.
func parseAgent(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	canonical, err := id.Parse(id.Agent, s)
	if err != nil {
		return "", store.NotFound("agent", clip(s))
	}
	return canonical, nil
}

// clip bounds what an error repeats of a caller's input.
func clip(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "…"
	}
	return s
}
