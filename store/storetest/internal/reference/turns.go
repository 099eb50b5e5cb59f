package reference

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/store"
)

// A conversation with its messages, oldest first, and the turn that runs.
type conversation struct {
	agent.Conversation
	messages     []agent.Message
	explanations map[string][]byte // by the reply's id
	calls        map[string]recorded
	turn         turn // the last one; it runs if Running
}

type turn struct {
	agent.Turn
	until time.Time
}

// lapsed reports whether a turn runs whose lease has run out.
func (v conversation) lapsed() bool { return v.Running && !time.Now().Before(v.turn.until) }

// BeginTurn implements [agent.TurnStore].
func (s *Store) BeginTurn(ctx context.Context, cm store.Commit, b agent.Begin) (out agent.Turn, err error) {
	err = s.step(ctx, cm, func(c *tenant, cm *store.Commit) error {
		m := cloneMessage(b.Message)
		if _, err := c.agent(m.AgentID); err != nil {
			return err
		}
		v, found, err := c.conversationFor(m)
		if err != nil {
			return err
		}
		if v.Running {
			return &agent.BusyError{ConversationID: v.ID, Lapsed: v.lapsed()}
		}
		if !found {
			if _, there := c.conversations[b.NewConversation]; there {
				return fmt.Errorf("conversation %s: %w: it is there already", b.NewConversation, store.ErrConflict)
			}
			v.Conversation = agent.Conversation{ID: b.NewConversation, AgentID: m.AgentID, UserID: m.User.ID, CreatedAt: stored(m.CreatedAt)}
		}
		if _, _, err := c.message(m.ID); err == nil {
			return fmt.Errorf("message %s: %w: it is there already", m.ID, store.ErrConflict)
		}
		if err := c.claim(v.ID, m.Attachments); err != nil {
			return err
		}
		m.ConversationID, m.Role, m.Reply = v.ID, agent.RoleUser, nil
		v.Turns++
		v.Running, v.ReplyID, v.LastMessageAt = true, b.ReplyID, m.CreatedAt
		v.messages = append(slices.Clip(v.messages), m)
		v.turn = turn{
			Turn: agent.Turn{
				TurnRef: agent.TurnRef{ConversationID: v.ID, Number: v.Turns, Fence: s.nextFence()},
				Message: m, ReplyID: b.ReplyID,
			},
			until: time.Now().Add(b.Lease),
		}
		c.conversations[v.ID] = v
		cm.Events = turnEvents(cm.Events, v.ID, !found)
		out = v.turn.Turn
		out.Message = cloneMessage(m)
		return nil
	})
	if err != nil {
		return agent.Turn{}, err
	}
	return out, nil
}

// conversationFor finds the conversation that a message goes to.
func (c *tenant) conversationFor(m agent.Message) (v conversation, found bool, err error) {
	if m.ConversationID != "" {
		v, found = c.conversations[m.ConversationID]
		if !found {
			return v, false, store.NotFound("conversation", m.ConversationID)
		}
		if v.AgentID != m.AgentID {
			return v, false, fmt.Errorf("conversation %s: %w: it is with another agent", v.ID, store.ErrConflict)
		}
		return v, true, nil
	}
	if m.User.ID == "" {
		return v, false, nil
	}
	for _, o := range c.conversations {
		if o.UserID == m.User.ID && o.AgentID == m.AgentID && (!found || o.LastMessageAt.After(v.LastMessageAt)) {
			v, found = o, true
		}
	}
	return v, found, nil
}

// turnEvents gives events their conversation.
func turnEvents(events []event.Event, conversation string, isNew bool) []event.Event {
	var out []event.Event
	for _, ev := range events {
		if ev.Type == event.ConversationStarted && !isNew {
			continue
		}
		if ev.Stream == "" {
			ev.Stream = conversation
		}
		if ev.Refs.ConversationID == "" {
			ev.Refs.ConversationID = conversation
		}
		out = append(out, ev)
	}
	return out
}

// held returns the conversation whose turn the caller may write to.
func (c *tenant) held(t agent.TurnRef) (conversation, error) {
	v := c.conversations[t.ConversationID]
	if !v.Running || v.turn.Fence != t.Fence || v.turn.Number != t.Number {
		return v, fmt.Errorf("turn %d of conversation %s: %w", t.Number, t.ConversationID, store.ErrFenced)
	}
	return v, nil
}

// RenewTurn implements [agent.TurnStore].
func (s *Store) RenewTurn(ctx context.Context, company string, t agent.TurnRef, lease time.Duration) error {
	cancelled := false
	err := s.step(ctx, store.Commit{Company: company}, func(c *tenant, _ *store.Commit) error {
		v, err := c.held(t)
		if err != nil {
			return err
		}
		v.turn.until = time.Now().Add(lease)
		c.conversations[v.ID] = v
		cancelled = v.turn.Cancelled
		return nil
	})
	if err == nil && cancelled {
		return fmt.Errorf("turn %d of conversation %s: %w", t.Number, t.ConversationID, agent.ErrCancelled)
	}
	return err
}

// EndTurn implements [agent.TurnStore].
func (s *Store) EndTurn(ctx context.Context, cm store.Commit, t agent.TurnRef, e agent.End) error {
	return s.step(ctx, cm, func(c *tenant, cm *store.Commit) error {
		v, err := c.held(t)
		if err != nil {
			return err
		}
		for i, cite := range e.Reply.Citations {
			if err := c.stands(cite, v.AgentID); err != nil {
				return fmt.Errorf("citation %d: %w: %v", i, agent.ErrCitation, err)
			}
		}
		r := e.Reply
		if r.Summary != nil && slices.ContainsFunc(r.Summary.Documents, func(d string) bool { _, there := c.documents[d]; return !there }) {
			r.Summary = nil
		}
		if _, _, err := c.message(r.ID); err == nil {
			return fmt.Errorf("message %s: %w: it is there already", r.ID, store.ErrConflict)
		}
		m := cloneMessage(agent.Message{
			ID: r.ID, ConversationID: v.ID, AgentID: r.AgentID, Role: agent.RoleAgent, Text: r.Text, CreatedAt: r.CreatedAt, Reply: &r,
		})
		v.messages = append(slices.Clip(v.messages), m)
		v.explanations = maps.Clone(v.explanations)
		if v.explanations == nil {
			v.explanations = map[string][]byte{}
		}
		v.explanations[r.ID] = slices.Clone(e.Explanation)
		v.Running, v.ReplyID, v.LastMessageAt = false, "", m.CreatedAt
		c.conversations[v.ID] = v
		cm.Events = turnEvents(cm.Events, v.ID, false)
		return nil
	})
}

// stands returns an error if a quote does not stand where a citation says.
func (c *tenant) stands(cite agent.Citation, agentID string) error {
	d, ok := c.documents[cite.DocumentID]
	switch {
	case !ok:
		return fmt.Errorf("document %s is not there", cite.DocumentID)
	case d.AgentID != "" && d.AgentID != agentID:
		return fmt.Errorf("document %s is another agent's", d.ID)
	case cite.DocumentVersion != d.Version:
		return fmt.Errorf("document %s is at version %d, not %d", d.ID, d.Version, cite.DocumentVersion)
	}
	text := d.live().text
	if cite.Start < 0 || cite.End <= cite.Start || cite.End > len(text) || text[cite.Start:cite.End] != cite.Quote {
		return fmt.Errorf("the quote does not stand at %d to %d of document %s", cite.Start, cite.End, d.ID)
	}
	return nil
}

// TakeTurn implements [agent.TurnStore].
func (s *Store) TakeTurn(ctx context.Context, company, id, worker string, lease time.Duration) (out agent.Turn, err error) {
	err = s.step(ctx, store.Commit{Company: company}, func(c *tenant, _ *store.Commit) error {
		v := c.conversations[id]
		if !v.lapsed() {
			return store.NotFound("lapsed turn of conversation", id)
		}
		v.turn.Fence, v.turn.until = s.nextFence(), time.Now().Add(lease)
		v.turn.Taken++
		c.conversations[v.ID] = v
		out = v.turn.Turn
		out.Message = cloneMessage(out.Message)
		out.Steps = slices.Clone(out.Steps)
		return nil
	})
	return out, err
}

// LapsedTurns implements [agent.TurnStore].
func (s *Store) LapsedTurns(ctx context.Context, limit int) (out []agent.Lapsed, err error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	for _, c := range s.companies {
		for _, v := range c.conversations {
			if v.lapsed() && len(out) < limit {
				out = append(out, agent.Lapsed{Company: c.ID, ConversationID: v.ID})
			}
		}
	}
	return out, nil
}

// answering returns the conversation whose running turn will have a reply.
func (c *tenant) answering(replyID string) (conversation, error) {
	for _, v := range c.conversations {
		if v.Running && v.turn.ReplyID == replyID {
			return v, nil
		}
	}
	return conversation{}, store.NotFound("running turn of reply", replyID)
}

// RunningTurn implements [agent.TurnStore].
func (s *Store) RunningTurn(ctx context.Context, company, replyID string) (out agent.Running, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		v, err := c.answering(replyID)
		if err != nil {
			return err
		}
		m := v.turn.Message
		out = agent.Running{Lapsed: v.lapsed(), Started: agent.Started{
			MessageID: m.ID, ReplyID: replyID, ConversationID: v.ID, AgentID: v.AgentID, CreatedAt: m.CreatedAt,
		}}
		return nil
	})
	return out, err
}

// CancelTurn implements [agent.TurnStore].
func (s *Store) CancelTurn(ctx context.Context, company, replyID string) error {
	return s.step(ctx, store.Commit{Company: company}, func(c *tenant, _ *store.Commit) error {
		v, err := c.answering(replyID)
		if err != nil {
			return err
		}
		v.turn.Cancelled = true
		c.conversations[v.ID] = v
		return nil
	})
}
