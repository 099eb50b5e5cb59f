package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store"
)

// readFeedback reads the feedback on a message, which is kept beside it as JSON;
// empty is none.
func readFeedback(message, kept string) (*agent.Feedback, error) {
	if kept == "" {
		return nil, nil
	}
	f := new(agent.Feedback)
	if err := json.Unmarshal([]byte(kept), f); err != nil {
		return nil, corrupt("messages", message, err)
	}
	return f, nil
}

// PutFeedback implements [agent.ConversationStore].
func (s *Store) PutFeedback(ctx context.Context, c store.Commit, f agent.Feedback) (out agent.Feedback, err error) {
	err = s.engine.Write(ctx, func(tx Tx) error {
		before, err := lockReply(tx, c.Company, f.MessageID)
		if err != nil {
			return err
		}
		out = f
		if there, err := readFeedback(f.MessageID, before); err != nil {
			return err
		} else if there != nil {
			out.CreatedAt = there.CreatedAt
		}
		kept, err := json.Marshal(out)
		if err != nil {
			return fmt.Errorf("feedback on %s: %w", f.MessageID, err)
		}
		if _, err := tx.Exec(`UPDATE messages SET feedback = ? WHERE company = ? AND id = ?`, string(kept), c.Company, f.MessageID); err != nil {
			return err
		}
		c := c
		c.Events = foreign(c.Events)
		return s.write(c, tx)
	})
	return out, err
}

// lockReply locks the conversation of a reply, under which alone feedback is written,
// and returns the feedback on it.
func lockReply(tx Tx, company, id string) (feedback string, err error) {
	const which = ` FROM messages WHERE company = ? AND id = ? AND role = ?`
	args := []any{company, id, string(agent.RoleAgent)}
	var conversation string
	found, err := one(tx, []any{&conversation}, `SELECT id FROM conversations WHERE company = ? AND id = (SELECT conversation_id`+which+`)`+forChange,
		append([]any{company}, args...)...)
	if err == nil && found { // as it is now that the lock is there
		found, err = one(tx, []any{&feedback}, `SELECT feedback`+which, args...)
	}
	if err == nil && !found {
		err = store.NotFound("reply", id)
	}
	return feedback, err
}
