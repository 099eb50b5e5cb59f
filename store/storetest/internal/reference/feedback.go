package reference

import (
	"context"
	"slices"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store"
)

// PutFeedback implements [agent.ConversationStore].
func (s *Store) PutFeedback(ctx context.Context, cm store.Commit, f agent.Feedback) (out agent.Feedback, err error) {
	err = s.step(ctx, cm, func(c *tenant, _ *store.Commit) error {
		m, v, err := c.message(f.MessageID)
		if err != nil || m.Role != agent.RoleAgent {
			return store.NotFound("reply", f.MessageID)
		}
		if m.Feedback != nil {
			f.CreatedAt = m.Feedback.CreatedAt
		}
		m.Feedback = &f
		m = cloneMessage(m)
		i := slices.IndexFunc(v.messages, func(o agent.Message) bool { return o.ID == m.ID })
		v.messages = slices.Clone(v.messages)
		v.messages[i] = m
		c.conversations[v.ID] = v
		out = *cloneMessage(m).Feedback
		return nil
	})
	return out, err
}
