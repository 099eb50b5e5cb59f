package agent

import (
	"context"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// Conversations reads and deletes the conversations of a company.
type Conversations struct {
	engine  *Engine
	company string
	request store.Request
}

// Conversations returns the conversations of a company.
func (e *Engine) Conversations(company string) *Conversations {
	return &Conversations{engine: e, company: company}
}

// By returns the conversations as changed for a request: the audit log says who
// asked for a delete, and PutFeedback completes the request's receipt with the
// reply's id.
func (cs *Conversations) By(r store.Request) *Conversations {
	by := *cs
	by.request = r
	return &by
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
	c, err := cs.Get(ctx, conversationID)
	if err != nil {
		return store.List[Message]{}, err
	}
	return cs.engine.store.Messages(ctx, cs.company, MessageFilter{ConversationID: c.ID}, p)
}

// Find returns messages across conversations, newest first. It returns a
// [store.NotFoundError] if the conversation or the agent is not there; a user who
// has no messages is nobody, or new.
func (cs *Conversations) Find(ctx context.Context, f MessageFilter, p store.Page) (store.List[Message], error) {
	if f.ConversationID != "" {
		c, err := cs.Get(ctx, f.ConversationID)
		if err != nil {
			return store.List[Message]{}, err
		}
		f.ConversationID = c.ID
	}
	if f.AgentID != "" {
		a, err := cs.engine.Agent(cs.company, f.AgentID).Get(ctx)
		if err != nil {
			return store.List[Message]{}, err
		}
		f.AgentID = a.ID
	}
	return cs.engine.store.Messages(ctx, cs.company, f, p)
}

// Message returns one message.
func (cs *Conversations) Message(ctx context.Context, messageID string) (Message, error) {
	canonical, err := parseAs(id.Message, "message", messageID)
	if err != nil {
		return Message{}, err
	}
	return cs.engine.store.Message(ctx, cs.company, canonical)
}

// Explain returns how a reply came about. Of a turn that failed it says no more than
// how, as [Reply.Failure] does.
func (cs *Conversations) Explain(ctx context.Context, replyID string) (Explanation, error) {
	canonical, err := parseAs(id.Message, "reply", replyID)
	if err != nil {
		return Explanation{}, err
	}
	b, err := cs.engine.store.Explanation(ctx, cs.company, canonical)
	if err != nil {
		return Explanation{}, err
	}
	if len(b) == 0 {
		m, err := cs.engine.store.Message(ctx, cs.company, canonical)
		if err != nil || m.Reply == nil {
			return Explanation{}, err
		}
		return Explanation{Decision: m.Reply.Failure}, nil
	}
	return readExplanation(b)
}

// Deleted says what a delete of an agent or a conversation reached.
type Deleted struct {
	ID            string // what was deleted
	Versions      int    // texts of an agent's own documents that are gone
	Passages      int    // passages of theirs that are gone
	Conversations int    // that are gone
	Messages      int    // in those, replies included
	Revision      int64  // of the knowledge, from which on nothing finds an agent's own documents; 0 of a conversation
	DeletedAt     time.Time
}

// Delete removes a conversation with all its messages. A turn that runs there
// ends without a reply.
func (cs *Conversations) Delete(ctx context.Context, conversationID string) (Deleted, error) {
	c, err := cs.Get(ctx, conversationID)
	if err != nil {
		return Deleted{}, err
	}
	at := stamp()
	told := cs.request.Commit(cs.company, event.Event{
		ID: id.New(id.Event), Type: event.ConversationDeleted, Stream: c.ID, CreatedAt: at,
		Refs: event.Refs{AgentID: c.AgentID, ConversationID: c.ID},
	})
	return cs.engine.store.DeleteConversation(ctx, cs.request.Audited(told, id.New(id.Audit), "conversation.delete", c.ID, at), c.ID)
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
