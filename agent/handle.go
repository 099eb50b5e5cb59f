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
	request     store.Request
}

// By returns the agent as it is asked for a request. The request's receipt names
// the reply from the moment the turn has begun, and is complete when the turn has
// ended with it. If the turn ends without one, the receipt stays as it is.
func (h *Handle) By(r store.Request) *Handle {
	by := *h
	by.request = r
	return &by
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
	r, err := h.begin(ctx, ctx, m, false)
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
		r, err := h.begin(ctx, ctx, m, true)
		if err != nil {
			yield(Event{}, err)
			return
		}
		// When ctx ends, the turn does a moment later, and tells why.
		if err := r.read(context.WithoutCancel(ctx), 0, yield); err != nil && !errors.Is(err, errLeft) {
			yield(Event{}, err)
		}
	}
}

// Started names a turn that has begun.
type Started struct {
	MessageID      string    `json:"message_id"` // of the user's message
	ReplyID        string    `json:"reply_id"`   // that the reply has, or will have
	ConversationID string    `json:"conversation_id"`
	AgentID        string    `json:"agent_id"`
	CreatedAt      time.Time `json:"created_at"` // when the message was stored
}

// Start stores a message and begins its turn. It returns the errors of
// [Handle.Ask] if there is none. From then on ctx does not count: the turn goes on
// whether anybody waits for it or not. [Conversations.Watch] and
// [Conversations.Wait] tell how it does, and [Conversations.Cancel] ends it.
func (h *Handle) Start(ctx context.Context, m Message) (Started, error) {
	return h.start(ctx, m, false)
}

// StartStream is Start for a turn that is to be read: once somebody has watched it,
// and nobody has for as long as [Options.Unread] says, it is cancelled.
func (h *Handle) StartStream(ctx context.Context, m Message) (Started, error) {
	return h.start(ctx, m, true)
}

func (h *Handle) start(ctx context.Context, m Message, streamed bool) (Started, error) {
	r, err := h.begin(ctx, context.WithoutCancel(ctx), m, streamed)
	if err != nil {
		return Started{}, err
	}
	sent := r.turn.Message
	return Started{
		MessageID: sent.ID, ReplyID: r.turn.ReplyID, ConversationID: sent.ConversationID, AgentID: sent.AgentID, CreatedAt: sent.CreatedAt,
	}, nil
}

// begin stores the message and starts the turn, which is cancelled when life ends.
func (h *Handle) begin(ctx, life context.Context, m Message, streamed bool) (*running, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	a, err := h.Get(ctx)
	if err != nil {
		return nil, err
	}
	if a.Languages, err = h.engine.languages(ctx, h.company, a); err != nil {
		return nil, err
	}
	if err := h.engine.reached(ctx, h.company, m); err != nil {
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
	t.Message.MinRevision = m.MinRevision
	return h.engine.start(life, &running{company: h.company, request: h.request, agent: a, turn: t, streamed: streamed}, leave), nil
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
	b := Begin{
		Message: m, NewConversation: id.New(id.Conversation), ReplyID: id.New(id.Message),
		Worker: h.engine.worker, Lease: h.engine.opts.Lease,
	}
	t, err := h.engine.store.BeginTurn(ctx, h.request.Moving(h.request.Commit(h.company, started, received), b.ReplyID), b)
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
