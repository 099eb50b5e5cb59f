package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/internal/exact"
	"github.com/answerdesk-go/answerdesk/store"
)

const conversationColumns = `id, agent_id, user_id, turns, running, CASE running WHEN 1 THEN reply_id ELSE '' END, created_at, last_message_at`

func scanConversation(r Rows) (c agent.Conversation, err error) {
	var running, created, last int64
	err = r.Scan(&c.ID, &c.AgentID, &c.UserID, &c.Turns, &running, &c.ReplyID, &created, &last)
	c.Running, c.CreatedAt, c.LastMessageAt = running == 1, moment(created), moment(last)
	return c, err
}

// Conversation implements [agent.ConversationStore].
func (s *Store) Conversation(ctx context.Context, company, id string) (c agent.Conversation, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		found := false
		err := all(tx, func(r Rows) error {
			found = true
			c, err = scanConversation(r)
			return err
		}, `SELECT `+conversationColumns+` FROM conversations WHERE company = ? AND id = ?`, company, id)
		if err == nil && !found {
			return store.NotFound("conversation", id)
		}
		return err
	})
	return c, err
}

// Conversations implements [agent.ConversationStore].
func (s *Store) Conversations(ctx context.Context, company string, f agent.ConversationFilter, p store.Page) (store.List[agent.Conversation], error) {
	query, args := `SELECT `+conversationColumns+` FROM conversations WHERE company = ?`, []any{company}
	if f.AgentID != "" {
		query, args = query+` AND agent_id = ?`, append(args, f.AgentID)
	}
	if f.UserID != "" {
		query, args = query+` AND user_id = ? AND user_id <> ''`, append(args, f.UserID) // as the index has it
	}
	return list(ctx, s, p, []string{"conversations", company, f.AgentID, f.UserID}, func(c agent.Conversation) string { return c.ID },
		scanConversation, query, args...)
}

const messageColumns = `id, conversation_id, role, text, body, feedback, created_at, seq`

// A messageRow is a message and its place in the conversation.
type messageRow struct {
	agent.Message
	seq int64
}

// bodyOf is the part of a message that is kept as JSON.
type bodyOf struct {
	AgentID string     `json:"agent_id"`
	User    agent.User `json:"user,omitzero"`

	Metadata    json.RawMessage       `json:"metadata,omitzero"` // read, as Context, with all digits of its numbers
	Context     json.RawMessage       `json:"context,omitzero"`
	Attachments []agent.AttachmentRef `json:"attachments,omitzero"`
	ReplyFormat agent.ReplyFormat     `json:"reply_format,omitzero"`
	ReplySchema json.RawMessage       `json:"reply_schema,omitzero"`

	Reply    *agent.Reply `json:"reply,omitzero"`
	Ordinals []int        `json:"ordinals,omitzero"` // of the passages cited
}

// messageBody returns what of a message goes into its body. The text of a reply
// is not stored twice.
func messageBody(m agent.Message) (string, error) {
	b := bodyOf{
		AgentID: m.AgentID, User: m.User,
		Attachments: m.Attachments, ReplyFormat: m.ReplyFormat, ReplySchema: m.ReplySchema,
	}
	var err error
	for _, o := range []struct {
		from map[string]any
		to   *json.RawMessage
	}{{m.Metadata, &b.Metadata}, {m.Context, &b.Context}} {
		if len(o.from) == 0 {
			continue
		}
		if *o.to, err = json.Marshal(o.from); err != nil {
			return "", fmt.Errorf("message %s: %w", m.ID, err)
		}
	}
	if m.Reply != nil {
		r := *m.Reply
		r.Text = ""
		b.Reply = &r
		for _, c := range r.Citations {
			b.Ordinals = append(b.Ordinals, c.Ordinal)
		}
	}
	j, err := json.Marshal(b)
	if err != nil {
		return "", fmt.Errorf("message %s: %w", m.ID, err)
	}
	return string(j), nil
}

func scanMessage(r Rows) (m messageRow, err error) {
	var (
		body, feedback string
		created        int64
	)
	if err := r.Scan(&m.ID, &m.ConversationID, &m.Role, &m.Text, &body, &feedback, &created, &m.seq); err != nil {
		return m, err
	}
	var b bodyOf
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		return m, corrupt("messages", m.ID, err)
	}
	m.AgentID, m.User, m.Reply, m.CreatedAt = b.AgentID, b.User, b.Reply, moment(created)
	m.Attachments, m.ReplyFormat, m.ReplySchema = b.Attachments, b.ReplyFormat, b.ReplySchema
	for _, o := range []struct {
		from json.RawMessage
		to   *map[string]any
	}{{b.Metadata, &m.Metadata}, {b.Context, &m.Context}} {
		if len(o.from) == 0 {
			continue
		}
		if *o.to, err = exact.Object(o.from); err != nil {
			return m, corrupt("messages", m.ID, err)
		}
	}
	if m.Reply != nil {
		m.Reply.Text = m.Text
		for i, o := range b.Ordinals {
			m.Reply.Citations[i].Ordinal = o
		}
	}
	m.Feedback, err = readFeedback(m.ID, feedback)
	return m, err
}

// insertMessage stores the message of a user.
func insertMessage(tx Tx, company string, seq int64, user string, m agent.Message, body string) error {
	_, err := tx.Exec(`INSERT INTO messages (company, conversation_id, seq, id, agent_id, user_id, role, text, body, feedback, explanation, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', ?)`,
		company, m.ConversationID, seq, m.ID, m.AgentID, user, string(m.Role), m.Text, body, micros(m.CreatedAt))
	return err
}

// insertReply stores a reply, which is listed as the user's whom it answers.
func insertReply(tx Tx, company string, seq int64, m agent.Message, body, explanation string) error {
	_, err := tx.Exec(`INSERT INTO messages (company, conversation_id, seq, id, agent_id, user_id, role, text, body, feedback, explanation, created_at)
		SELECT company, conversation_id, ?, ?, ?, user_id, ?, ?, ?, '', ?, ? FROM messages WHERE company = ? AND conversation_id = ? AND seq = ?`,
		seq, m.ID, m.AgentID, string(m.Role), m.Text, body, explanation, micros(m.CreatedAt), company, m.ConversationID, seq-1)
	return err
}

// readMessage returns the one message that a condition chooses.
func readMessage(tx Tx, where string, args ...any) (agent.Message, error) {
	var (
		m     messageRow
		found bool
		err   error
	)
	err = all(tx, func(r Rows) error {
		found = true
		m, err = scanMessage(r)
		return err
	}, `SELECT `+messageColumns+` FROM messages WHERE `+where, args...)
	if err == nil && !found {
		return m.Message, store.NotFound("message", fmt.Sprint(args[len(args)-1]))
	}
	return m.Message, err
}

// Messages implements [agent.ConversationStore].
func (s *Store) Messages(ctx context.Context, company string, f agent.MessageFilter, p store.Page) (store.List[agent.Message], error) {
	query, args := `SELECT `+messageColumns+` FROM messages WHERE company = ?`, []any{company}
	by, key := order{"id", "?"}, func(m messageRow) string { return m.ID }
	if f.ConversationID != "" {
		query, args = query+` AND conversation_id = ?`, append(args, f.ConversationID)
		by, key = order{"seq", "CAST(? AS BIGINT)"}, func(m messageRow) string { return strconv.FormatInt(m.seq, 10) }
	}
	if f.AgentID != "" {
		query, args = query+` AND agent_id = ?`, append(args, f.AgentID)
	}
	if f.UserID != "" {
		query, args = query+` AND user_id = ? AND user_id <> ''`, append(args, f.UserID) // as the index has it
	}
	rows, err := listBy(ctx, s, p, []string{"messages", company, f.ConversationID, f.AgentID, f.UserID}, by, key, scanMessage, query, args...)
	out := store.List[agent.Message]{Data: make([]agent.Message, len(rows.Data)), NextCursor: rows.NextCursor, HasMore: rows.HasMore}
	for i, m := range rows.Data {
		out.Data[i] = m.Message
	}
	return out, err
}

// Message implements [agent.ConversationStore].
func (s *Store) Message(ctx context.Context, company, id string) (m agent.Message, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		m, err = readMessage(tx, `company = ? AND id = ?`, company, id)
		return err
	})
	return m, err
}

// Explanation implements [agent.ConversationStore].
func (s *Store) Explanation(ctx context.Context, company, id string) (explanation []byte, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		var text string
		found, err := one(tx, []any{&text}, `SELECT explanation FROM messages WHERE company = ? AND id = ? AND role = ?`,
			company, id, string(agent.RoleAgent))
		if err == nil && !found {
			return store.NotFound("reply", id)
		}
		explanation = []byte(text)
		return err
	})
	return explanation, err
}

// DeleteConversation implements [agent.ConversationStore].
func (s *Store) DeleteConversation(ctx context.Context, c store.Commit, id string) (out agent.Deleted, err error) {
	err = s.engine.Write(ctx, func(tx Tx) error {
		var last int64
		found, err := one(tx, []any{&last}, `DELETE FROM conversations WHERE company = ? AND id = ? RETURNING events`, c.Company, id)
		if err != nil {
			return err
		}
		if !found {
			return store.NotFound("conversation", id)
		}
		out = agent.Deleted{ID: id, Conversations: 1, DeletedAt: time.Now().UTC().Truncate(time.Microsecond)}
		if out.Messages, err = deleteTurns(tx, c.Company, id); err != nil {
			return err
		}
		c := c
		c.Events, _ = numbered(c.Events, id, last)
		return s.write(c, tx)
	})
	return out, err
}

// deleteTurns removes what a conversation consists of, and returns how many messages
// those were. They are locked in the order in which a document's quotes are erased from
// them.
func deleteTurns(tx Tx, company, conversation string) (messages int, err error) {
	cited := map[string]bool{}
	err = all(tx, func(r Rows) error {
		m, err := scanMessage(r)
		messages++
		if err == nil && m.Reply != nil {
			for _, c := range m.Reply.Citations {
				cited[c.DocumentID] = true
			}
		}
		return err
	}, `SELECT `+messageColumns+` FROM messages WHERE company = ? AND conversation_id = ? ORDER BY seq`+forUpdate, company, conversation)
	if err != nil {
		return 0, err
	}
	for _, table := range []string{"messages", "steps"} {
		if _, err := tx.Exec(`DELETE FROM `+table+` WHERE company = ? AND conversation_id = ?`, company, conversation); err != nil {
			return 0, err
		}
	}
	if _, err := tx.Exec(`DELETE FROM attachments WHERE company = ? AND conversation_id = ? AND conversation_id <> ''`, company, conversation); err != nil { // as the index has it
		return 0, err
	}
	var rows [][]any
	for _, document := range slices.Sorted(maps.Keys(cited)) {
		rows = append(rows, []any{company, document, conversation})
	}
	return messages, tx.Each(`DELETE FROM citations WHERE company = ? AND document_id = ? AND conversation_id = ?`, rows)
}

// deleteAgentConversations removes the conversations of an agent, and counts them.
func deleteAgentConversations(tx Tx, company, agentID string, out *agent.Deleted) error {
	ids, err := column(tx, `DELETE FROM conversations WHERE company = ? AND agent_id = ? RETURNING id`, company, agentID)
	if err != nil {
		return err
	}
	for _, id := range ids {
		messages, err := deleteTurns(tx, company, id)
		if err != nil {
			return err
		}
		out.Messages += messages
	}
	out.Conversations = len(ids)
	return nil
}
