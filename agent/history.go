package agent

import (
	"context"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// Conversations reads and deletes the conversations of a company.
type Conversations struct {
	engine  *Engine
	company string
}

// Conversations returns the conversations of a company.
func (e *Engine) Conversations(company string) *Conversations {
	return &Conversations{engine: e, company: company}
}

// Get returns a conversation.
func (cs *Conversations) Get(ctx context.Context, conversationID string) (Conversation, error) {
	canonical, err := parseAs(id.Conversation, "conversation", conversationID)
	if err != nil {
		return Conversation{}, err
	}
	return cs.engine.store.Conversation(ctx, cs.company, canonical)
}

// List returns conversations, newest first.
func (cs *Conversations) List(ctx context.Context, f ConversationFilter, p store.Page) (store.List[Conversation], error) {
	agentID, err := parseAgent(f.AgentID)
	if err != nil {
		return store.List[Conversation]{}, err
	}
	f.AgentID = agentID
	return cs.engine.store.Conversations(ctx, cs.company, f, p)
}

// Messages returns the messages of a conversation, newest first.
func (cs *Conversations) Messages(ctx context.Context, conversationID string, p store.Page) (store.List[Message], error) {
	canonical, err := parseAs(id.Conversation, "conversation", conversationID)
	if err != nil {
		return store.List[Message]{}, err
	}
	return cs.engine.store.Messages(ctx, cs.company, canonical, p)
}

// Message returns one message.
func (cs *Conversations) Message(ctx context.Context, messageID string) (Message, error) {
	canonical, err := parseAs(id.Message, "message", messageID)
	if err != nil {
		return Message{}, err
	}
	return cs.engine.store.Message(ctx, cs.company, canonical)
}

// Explain returns how a reply came about.
func (cs *Conversations) Explain(ctx context.Context, replyID string) (Explanation, error) {
	canonical, err := parseAs(id.Message, "reply", replyID)
	if err != nil {
		return Explanation{}, err
	}
	b, err := cs.engine.store.Explanation(ctx, cs.company, canonical)
	if err != nil {
		return Explanation{}, err
	}
	return readExplanation(b)
}

// Cancel ends the turn that will have the reply with this id, if it runs in this
// process, and reports whether it did.
func (cs *Conversations) Cancel(replyID string) bool {
	canonical, err := id.Parse(id.Message, replyID)
	if err != nil {
		return false
	}
	cs.engine.mu.Lock()
	defer cs.engine.mu.Unlock()
	r := cs.engine.live[canonical]
	if r == nil || r.company != cs.company {
		return false
	}
	r.cancel(ErrCancelled)
	return true
}

// Delete removes a conversation with all its messages. A turn that runs there
// ends without a reply.
func (cs *Conversations) Delete(ctx context.Context, conversationID string) error {
	c, err := cs.Get(ctx, conversationID)
	if err != nil {
		return err
	}
	return cs.engine.store.DeleteConversation(ctx, store.Commit{Company: cs.company, Events: []event.Event{{
		ID: id.New(id.Event), Type: event.ConversationDeleted, Stream: c.ID, CreatedAt: stamp(),
		Refs: event.Refs{AgentID: c.AgentID, ConversationID: c.ID},
	}}}, c.ID)
}

// parseAs returns the canonical form of an id, or the error for one that is not
// there.
func parseAs(k id.Kind, name, s string) (string, error) {
	canonical, err := id.Parse(k, s)
	if err != nil {
		return "", store.NotFound(name, clip(s))
	}
	return canonical, nil
}
