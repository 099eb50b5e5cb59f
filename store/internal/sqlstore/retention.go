package sqlstore

import (
	"context"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// together is how many conversations are swept in one step.
const together = 20

// conversations removes those that are older than their agents keep them, as
// DeleteConversation does. They are looked for among those that began that long ago,
// in the order of the index: one that was long and is still used is passed over.
func (w *sweeper) conversations(ctx context.Context, _ knowledge.Retention) error {
	return w.all(ctx, "conversations", `SELECT c.id FROM companies c WHERE (SELECT MIN(a.id) FROM agents a WHERE a.company = c.id AND a.retention_days > 0) <> ''`, nil,
		func(tx Tx, company string, most int64) (n int64, err error) {
			type keeper struct {
				id     string
				before int64
			}
			var agents []keeper
			err = all(tx, func(rows Rows) error {
				var k keeper
				var days int64
				err := rows.Scan(&k.id, &days)
				k.before = w.now - days*(24*time.Hour).Microseconds()
				agents = append(agents, k)
				return err
			}, `SELECT id, retention_days FROM agents WHERE company = ? AND retention_days > 0 ORDER BY id`, company)
			if err != nil {
				return 0, err
			}
			c := store.Commit{Company: company}
			at := moment(w.now)
			for _, a := range agents {
				ids, err := column(tx, `SELECT id FROM conversations WHERE company = ? AND agent_id = ? AND id < ? AND last_message_at < ? AND running = 0
					ORDER BY id LIMIT ?`, company, a.id, id.First(id.Conversation, moment(a.before)), a.before, min(most, together)-n)
				if err != nil {
					return 0, err
				}
				for _, conversation := range ids {
					var last int64
					found, err := one(tx, []any{&last}, `DELETE FROM conversations WHERE company = ? AND id = ? AND last_message_at < ? AND running = 0 RETURNING events`,
						company, conversation, a.before)
					if err != nil {
						return 0, err
					}
					if !found {
						continue // it was used, or deleted, just now
					}
					if _, err := deleteTurns(tx, company, conversation); err != nil {
						return 0, err
					}
					n++
					c.Events = append(c.Events, event.Event{
						ID: id.New(id.Event), Type: event.ConversationDeleted, Stream: conversation, Sequence: last + 1, CreatedAt: at,
						Refs: event.Refs{AgentID: a.id, ConversationID: conversation},
					})
				}
				if n >= min(most, together) {
					break
				}
			}
			if n == 0 {
				return 0, nil
			}
			return n, w.store.write(c, tx)
		})
}
