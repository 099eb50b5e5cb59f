package sqlstore

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// theirConversations are the ids of the conversations of a user: those that began as
// theirs, and those that have a message of theirs. The conditions are as the indexes
// have them.
const theirConversations = `SELECT id FROM conversations WHERE company = ? AND user_id = ? AND user_id <> ''
	UNION SELECT conversation_id FROM messages WHERE company = ? AND user_id = ? AND user_id <> ''`

func userConversations(tx Tx, company, user string) ([]string, error) {
	return column(tx, `SELECT id FROM (`+theirConversations+`) AS theirs ORDER BY id`, company, user, company, user)
}

// User implements [agent.UserStore].
func (s *Store) User(ctx context.Context, company, user string) (out agent.UserRecord, err error) {
	err = s.engine.Read(ctx, func(tx Tx) error {
		out = agent.UserRecord{User: agent.User{ID: user}}
		var first, last int64
		if _, err := one(tx, []any{&out.Conversations, &first, &last}, `SELECT COUNT(*), COALESCE(MIN(c.created_at), 0), COALESCE(MAX(c.last_message_at), 0)
			FROM (`+theirConversations+`) AS theirs JOIN conversations c ON c.company = ? AND c.id = theirs.id`, company, user, company, user, company); err != nil {
			return err
		}
		if out.Conversations == 0 {
			return store.NotFound("user", user)
		}
		out.FirstSeenAt, out.LastSeenAt = moment(first), moment(last)
		if _, err := one(tx, []any{&out.Messages}, `SELECT COUNT(*) FROM (`+theirConversations+`) AS theirs JOIN messages m ON m.company = ? AND m.conversation_id = theirs.id`,
			company, user, company, user, company); err != nil {
			return err
		}
		enough := errors.New("enough")
		err := all(tx, func(r Rows) error {
			m, err := scanMessage(r)
			if said := m.User; err == nil && said.ID == user && cmp.Or(said.Name, said.Email, said.Phone) != "" {
				out.User, err = said, enough
			}
			return err
		}, `SELECT `+messageColumns+` FROM messages WHERE company = ? AND user_id = ? AND user_id <> '' ORDER BY id DESC`, company, user)
		if errors.Is(err, enough) {
			return nil
		}
		return err
	})
	return out, err
}

// UserConversations implements [agent.UserStore].
func (s *Store) UserConversations(ctx context.Context, company, user, after string, limit int) (out []agent.Conversation, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		out = nil
		return all(tx, func(r Rows) error {
			c, err := scanConversation(r)
			out = append(out, c)
			return err
		}, `SELECT `+conversationColumns+` FROM conversations WHERE company = ? AND id > ? AND id IN (`+theirConversations+`) ORDER BY id LIMIT ?`,
			company, after, company, user, company, user, limit)
	})
	return out, err
}

// DeleteUser implements [agent.UserStore].
func (s *Store) DeleteUser(ctx context.Context, c store.Commit, user string) (out agent.DeletedUser, err error) {
	err = s.engine.Write(ctx, func(tx Tx) error {
		c := c
		c.Events = foreign(c.Events)
		out = agent.DeletedUser{UserID: user, DeletedAt: time.Now().UTC().Truncate(time.Microsecond)}
		conversations, err := userConversations(tx, c.Company, user)
		if err != nil {
			return err
		}
		for _, conversation := range conversations {
			var (
				agentID string
				last    int64
			)
			found, err := one(tx, []any{&agentID, &last}, `DELETE FROM conversations WHERE company = ? AND id = ? RETURNING agent_id, events`, c.Company, conversation)
			if err != nil {
				return err
			}
			if !found {
				continue // deleted just now by somebody else
			}
			messages, err := deleteTurns(tx, c.Company, conversation)
			if err != nil {
				return err
			}
			out.Conversations++
			out.Messages += messages
			c.Events = append(c.Events, event.Event{
				ID: id.New(id.Event), Type: event.ConversationDeleted, Stream: conversation, Sequence: last + 1, CreatedAt: out.DeletedAt,
				Refs: event.Refs{AgentID: agentID, ConversationID: conversation},
			})
		}
		if out.Conversations == 0 {
			return store.NotFound("user", user)
		}
		return s.write(c, tx)
	})
	return out, err
}

// Citing implements [agent.UserStore].
func (s *Store) Citing(ctx context.Context, company, documentID string, p store.Page) (store.List[agent.Message], error) {
	// CROSS JOIN has SQLite begin with the citations.
	rows, err := listBy(ctx, s, p, []string{"citing", company, documentID}, order{"m.id", "?"}, func(m messageRow) string { return m.ID }, scanMessage,
		`SELECT m.id, m.conversation_id, m.role, m.text, m.body, m.feedback, m.created_at, m.seq
			FROM citations c CROSS JOIN messages m
			WHERE c.company = ? AND c.document_id = ? AND m.company = c.company AND m.conversation_id = c.conversation_id AND m.seq = c.seq`, company, documentID)
	out := store.List[agent.Message]{Data: make([]agent.Message, len(rows.Data)), NextCursor: rows.NextCursor, HasMore: rows.HasMore}
	for i, m := range rows.Data {
		out.Data[i] = m.Message
	}
	return out, err
}
