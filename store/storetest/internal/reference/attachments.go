package reference

import (
	"context"
	"fmt"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store"
)

// An attachment is gone with the conversation whose messages name it.
type attachment struct {
	agent.Attachment
	conversation string
}

// attachment returns one that is there.
func (c *tenant) attachment(id string) (attachment, bool) {
	a, ok := c.attachments[id]
	if a.conversation != "" {
		ok = c.has(a)
	} else if ok {
		ok = time.Now().Before(a.ExpiresAt)
	}
	return a, ok
}

// has reports whether the conversation of an attachment is there.
func (c *tenant) has(a attachment) bool {
	_, ok := c.conversations[a.conversation]
	return ok
}

// PutAttachment implements [agent.AttachmentStore].
func (s *Store) PutAttachment(ctx context.Context, cm store.Commit, a agent.Attachment) error {
	return s.step(ctx, cm, func(c *tenant, _ *store.Commit) error {
		if was, there := c.attachments[a.ID]; there && (was.conversation == "" || c.has(was)) {
			return fmt.Errorf("attachment %s: %w: it is there already", a.ID, store.ErrConflict)
		}
		a.CreatedAt, a.ExpiresAt = stored(a.CreatedAt), stored(a.ExpiresAt)
		c.attachments[a.ID] = attachment{Attachment: a}
		return nil
	})
}

// Attachments implements [agent.AttachmentStore].
func (s *Store) Attachments(ctx context.Context, company string, ids []string) (out []agent.Attachment, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		for _, id := range ids {
			if a, ok := c.attachment(id); ok {
				out = append(out, a.Attachment)
			}
		}
		return nil
	})
	return out, err
}

// claim keeps attachments for as long as a conversation.
func (c *tenant) claim(conversation string, refs []agent.AttachmentRef) error {
	for _, ref := range refs {
		a, ok := c.attachment(ref.ID)
		if !ok || a.conversation != "" && a.conversation != conversation {
			return store.NotFound("attachment", ref.ID)
		}
		a.conversation, a.ExpiresAt = conversation, time.Time{}
		c.attachments[ref.ID] = a
	}
	return nil
}
