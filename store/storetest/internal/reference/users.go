package reference

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// ofUser returns the conversations of a user, in the order of their ids.
func (c *tenant) ofUser(user string) (out []conversation) {
	for _, v := range c.conversations {
		if user != "" && (v.UserID == user || slices.ContainsFunc(v.messages, func(m agent.Message) bool { return m.User.ID == user })) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b conversation) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// User implements [agent.UserStore].
func (s *Store) User(ctx context.Context, company, user string) (out agent.UserRecord, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		theirs := c.ofUser(user)
		if len(theirs) == 0 {
			return store.NotFound("user", user)
		}
		out = agent.UserRecord{User: agent.User{ID: user}, Conversations: len(theirs), FirstSeenAt: theirs[0].CreatedAt}
		latest := ""
		for _, v := range theirs {
			out.Messages += len(v.messages)
			if v.CreatedAt.Before(out.FirstSeenAt) {
				out.FirstSeenAt = v.CreatedAt
			}
			if v.LastMessageAt.After(out.LastSeenAt) {
				out.LastSeenAt = v.LastMessageAt
			}
			for _, m := range v.messages {
				if m.User.ID == user && cmp.Or(m.User.Name, m.User.Email, m.User.Phone) != "" && m.ID > latest {
					out.User, latest = m.User, m.ID
				}
			}
		}
		return nil
	})
	return out, err
}

// UserConversations implements [agent.UserStore].
func (s *Store) UserConversations(ctx context.Context, company, user, after string, limit int) (out []agent.Conversation, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		for _, v := range c.ofUser(user) {
			if v.ID > after && len(out) < limit {
				out = append(out, v.Conversation)
			}
		}
		return nil
	})
	return out, err
}

// DeleteUser implements [agent.UserStore].
func (s *Store) DeleteUser(ctx context.Context, cm store.Commit, user string) (out agent.DeletedUser, err error) {
	err = s.step(ctx, cm, func(c *tenant, cm *store.Commit) error {
		out = agent.DeletedUser{UserID: user, DeletedAt: stored(time.Now())}
		for _, v := range c.ofUser(user) {
			delete(c.conversations, v.ID)
			out.Conversations++
			out.Messages += len(v.messages)
			cm.Events = append(cm.Events, event.Event{
				ID: id.New(id.Event), Type: event.ConversationDeleted, Stream: v.ID, CreatedAt: out.DeletedAt,
				Refs: event.Refs{AgentID: v.AgentID, ConversationID: v.ID},
			})
		}
		if out.Conversations == 0 {
			return store.NotFound("user", user)
		}
		return nil
	})
	return out, err
}

// Citing implements [agent.UserStore].
func (s *Store) Citing(ctx context.Context, company, documentID string, p store.Page) (out store.List[agent.Message], err error) {
	err = s.read(ctx, company, func(c tenant) (err error) {
		var all []agent.Message
		for _, v := range c.conversations {
			for _, m := range v.messages {
				if m.Reply != nil && slices.ContainsFunc(m.Reply.Citations, func(q agent.Citation) bool { return q.DocumentID == documentID && !q.Erased }) {
					all = append(all, cloneMessage(m))
				}
			}
		}
		out, err = newest(all, p, func(m agent.Message) string { return m.ID }, "citing", company, documentID)
		return err
	})
	return out, err
}
