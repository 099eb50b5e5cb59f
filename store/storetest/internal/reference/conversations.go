package reference

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store"
)

// cloneMessage returns a message as it is stored, sharing nothing with m.
func cloneMessage(m agent.Message) agent.Message {
	m.Metadata, m.CreatedAt = object(m.Metadata), stored(m.CreatedAt)
	m.Context, m.Attachments, m.ReplySchema = object(m.Context), slices.Clone(m.Attachments), slices.Clone(m.ReplySchema)
	if m.Reply != nil {
		r := *m.Reply
		r.Confidence.Reasons, r.CreatedAt = slices.Clone(r.Confidence.Reasons), stored(r.CreatedAt)
		r.Citations = slices.Clone(r.Citations)
		for i, c := range r.Citations {
			r.Citations[i].Heading = slices.Clone(c.Heading)
		}
		m.Reply = &r
	}
	if m.Feedback != nil {
		f := *m.Feedback
		f.Reasons, f.CreatedAt, f.UpdatedAt = slices.Clone(f.Reasons), stored(f.CreatedAt), stored(f.UpdatedAt)
		m.Feedback = &f
	}
	return m
}

// Conversation implements [agent.ConversationStore].
func (s *Store) Conversation(ctx context.Context, company, id string) (out agent.Conversation, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		v, ok := c.conversations[id]
		if !ok {
			return store.NotFound("conversation", id)
		}
		out = v.Conversation
		return nil
	})
	return out, err
}

// Conversations implements [agent.ConversationStore].
func (s *Store) Conversations(ctx context.Context, company string, f agent.ConversationFilter, p store.Page) (out store.List[agent.Conversation], err error) {
	err = s.read(ctx, company, func(c tenant) (err error) {
		var all []agent.Conversation
		for _, v := range c.conversations {
			if (f.AgentID == "" || f.AgentID == v.AgentID) && (f.UserID == "" || f.UserID == v.UserID) {
				all = append(all, v.Conversation)
			}
		}
		out, err = newest(all, p, func(v agent.Conversation) string { return v.ID }, "conversations", company, f.AgentID, f.UserID)
		return err
	})
	return out, err
}

// Messages implements [agent.ConversationStore].
func (s *Store) Messages(ctx context.Context, company string, f agent.MessageFilter, p store.Page) (out store.List[agent.Message], err error) {
	err = s.read(ctx, company, func(c tenant) (err error) {
		var all []agent.Message
		for _, v := range c.conversations {
			user := ""
			for _, m := range v.messages {
				if m.Role == agent.RoleUser {
					user = cmp.Or(m.User.ID, v.UserID)
				}
				if (f.ConversationID == "" || f.ConversationID == v.ID) && (f.AgentID == "" || f.AgentID == v.AgentID) && (f.UserID == "" || f.UserID == user) {
					all = append(all, m)
				}
			}
		}
		scope := []string{"messages", company, f.ConversationID, f.AgentID, f.UserID}
		id := func(m agent.Message) string { return m.ID }
		if f.ConversationID == "" {
			out, err = newest(all, p, id, scope...)
		} else {
			inOrder := slices.Clone(all)
			slices.Reverse(all)
			place := func(id string) int {
				return slices.IndexFunc(inOrder, func(m agent.Message) bool { return m.ID == id })
			}
			out, err = page(all, p, id, func(m agent.Message, last string) bool { return place(m.ID) >= place(last) }, scope...)
		}
		for i, m := range out.Data {
			out.Data[i] = cloneMessage(m)
		}
		return err
	})
	return out, err
}

// message returns a message and its conversation.
func (c *tenant) message(id string) (agent.Message, conversation, error) {
	for _, v := range c.conversations {
		for _, m := range v.messages {
			if m.ID == id {
				return m, v, nil
			}
		}
	}
	return agent.Message{}, conversation{}, store.NotFound("message", id)
}

// Message implements [agent.ConversationStore].
func (s *Store) Message(ctx context.Context, company, id string) (out agent.Message, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		m, _, err := c.message(id)
		out = cloneMessage(m)
		return err
	})
	return out, err
}

// Explanation implements [agent.ConversationStore].
func (s *Store) Explanation(ctx context.Context, company, id string) (out []byte, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		m, v, err := c.message(id)
		if err != nil || m.Role != agent.RoleAgent {
			return store.NotFound("message", id)
		}
		out = slices.Clone(v.explanations[id])
		return nil
	})
	return out, err
}

// DeleteConversation implements [agent.ConversationStore].
func (s *Store) DeleteConversation(ctx context.Context, cm store.Commit, id string) (out agent.Deleted, err error) {
	err = s.step(ctx, cm, func(c *tenant, _ *store.Commit) error {
		v, ok := c.conversations[id]
		if !ok {
			return store.NotFound("conversation", id)
		}
		delete(c.conversations, id)
		out = agent.Deleted{ID: id, Conversations: 1, Messages: len(v.messages), DeletedAt: stored(time.Now())}
		return nil
	})
	return out, err
}
