package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// PutAttachment implements [agent.AttachmentStore].
func (s *Store) PutAttachment(ctx context.Context, c store.Commit, a agent.Attachment) error {
	return s.engine.Write(ctx, func(tx Tx) error {
		if err := haveCompany(tx, c.Company, keyShare); err != nil {
			return err
		}
		n, err := tx.Exec(`INSERT INTO attachments (company, id, conversation_id, name, media_type, size, text, created_at, expires_at)
			VALUES (?, ?, '', ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			c.Company, a.ID, a.Name, a.MediaType, a.Size, a.Text, micros(a.CreatedAt), micros(a.ExpiresAt))
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("attachment %s: %w: it is there already", a.ID, store.ErrConflict)
		}
		return s.write(c, tx)
	})
}

// Attachments implements [agent.AttachmentStore].
func (s *Store) Attachments(ctx context.Context, company string, ids []string) (out []agent.Attachment, err error) {
	each := make([][]any, len(ids))
	for i, id := range ids {
		each[i] = []any{company, id}
	}
	err = s.engine.Get(ctx, func(tx Tx) error {
		out = nil
		at, err := tx.Now()
		if err != nil {
			return err
		}
		return tx.QueryEach(`SELECT id, name, media_type, size, text, created_at, expires_at FROM attachments WHERE company = ? AND id = ?`, each,
			func(r Rows) error {
				var (
					a                agent.Attachment
					created, expires int64
				)
				err := r.Scan(&a.ID, &a.Name, &a.MediaType, &a.Size, &a.Text, &created, &expires)
				if a.CreatedAt = moment(created); expires != 0 {
					a.ExpiresAt = moment(expires)
				}
				if expires == 0 || expires > at {
					out = append(out, a)
				}
				return err
			})
	})
	return out, err
}

// claimAttachments keeps the attachments of a message for as long as its
// conversation. Those that another one has are not there for it.
func claimAttachments(tx Tx, company, conversation string, refs []agent.AttachmentRef) error {
	if len(refs) == 0 {
		return nil
	}
	at, err := tx.Now()
	if err != nil {
		return err
	}
	refs = slices.SortedFunc(slices.Values(refs), func(a, b agent.AttachmentRef) int { return cmp.Compare(a.ID, b.ID) }) // as all lock them
	for _, ref := range refs {
		n, err := tx.Exec(`UPDATE attachments SET conversation_id = ?, expires_at = 0
			WHERE company = ? AND id = ? AND (conversation_id = ? OR conversation_id = '' AND expires_at > ?)`,
			conversation, company, ref.ID, conversation, at)
		if err != nil {
			return err
		}
		if n == 0 {
			return store.NotFound("attachment", ref.ID)
		}
	}
	return nil
}

// attachments removes those that no message has named in time.
func (w *sweeper) attachments(ctx context.Context, _ knowledge.Retention) error {
	return w.all(ctx, "attachments", `SELECT c.id FROM companies c WHERE (SELECT MIN(a.expires_at) FROM attachments a WHERE a.company = c.id AND a.conversation_id = '') < ?`,
		[]any{w.now}, func(tx Tx, company string, most int64) (int64, error) {
			ids, err := column(tx, `SELECT id FROM attachments WHERE company = ? AND conversation_id = '' AND expires_at < ? ORDER BY expires_at LIMIT ?`, company, w.now, most)
			if err != nil {
				return 0, err
			}
			each := make([][]any, len(ids))
			for i, id := range ids {
				each[i] = []any{company, id, w.now}
			}
			return int64(len(ids)), tx.Each(`DELETE FROM attachments WHERE company = ? AND id = ? AND conversation_id = '' AND expires_at < ?`, each)
		})
}
