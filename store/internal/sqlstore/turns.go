package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/store"
)

// BeginTurn implements [agent.TurnStore].
func (s *Store) BeginTurn(ctx context.Context, c store.Commit, b agent.Begin) (t agent.Turn, err error) {
	body, err := messageBody(b.Message)
	if err != nil {
		return t, err
	}
	err = s.engine.Write(ctx, func(tx Tx) error {
		c := c
		conv, err := takeConversation(tx, &c, b)
		if err != nil {
			return err
		}
		m := b.Message
		m.ConversationID, m.Role = conv.id, agent.RoleUser
		if err := claimAttachments(tx, c.Company, conv.id, m.Attachments); err != nil {
			return err
		}
		if err := insertMessage(tx, c.Company, 2*conv.turns-1, cmp.Or(m.User.ID, conv.userID), m, body); err != nil {
			return err
		}
		t = agent.Turn{
			TurnRef: agent.TurnRef{ConversationID: conv.id, Number: int(conv.turns), Fence: conv.fence},
			Message: m, ReplyID: b.ReplyID,
		}
		return s.write(c, tx)
	})
	return t, err
}

// takeConversation leases the conversation that a message goes to for its turn,
// beginning one if there is none, and numbers the events of the commit.
func takeConversation(tx Tx, c *store.Commit, b agent.Begin) (conv conversationRow, err error) {
	at, err := tx.Now()
	if err != nil {
		return conv, err
	}
	id := b.Message.ConversationID
	if id == "" {
		taken := false
		if conv, taken, err = ofUser(tx, c, b, at); err != nil || taken {
			return conv, err
		}
		id = conv.id
	}
	conv, taken, err := goOn(tx, c, b, id, at)
	if err != nil || taken {
		return conv, err
	}
	found, err := one(tx, conv.dest(), conversationLease+` WHERE company = ? AND id = ?`, c.Company, id)
	switch {
	case err != nil:
		return conv, err
	case !found && b.Message.ConversationID != "":
		return conv, store.NotFound("conversation", id)
	case found && conv.agentID != b.Message.AgentID:
		return conv, fmt.Errorf("conversation %s: %w: it is with agent %s, not %s", id, store.ErrConflict, conv.agentID, b.Message.AgentID)
	case found && conv.running == 1:
		return conv, busy(conv, at)
	}
	return conv, errAgain // its turn ended just now, or it was deleted
}

func busy(conv conversationRow, at int64) error {
	return &agent.BusyError{ConversationID: conv.id, Lapsed: conv.leaseUntil <= at}
}

// ofUser finds the conversation of a message that names none: that of its user, if
// there is one without a running turn, or else one that it begins.
func ofUser(tx Tx, c *store.Commit, b agent.Begin, at int64) (conv conversationRow, began bool, err error) {
	m, found := b.Message, false
	if m.User.ID != "" {
		found, err = one(tx, conv.dest(), conversationLease+` WHERE company = ? AND user_id = ? AND agent_id = ? AND user_id <> ''
			ORDER BY last_message_at DESC, id DESC LIMIT 1`, c.Company, m.User.ID, m.AgentID)
	}
	if err == nil && found && conv.running == 1 {
		err = busy(conv, at)
	}
	if err != nil || found {
		return conv, false, err
	}
	if conv, began, err = beginConversation(tx, c, b, at); err != nil || began {
		return conv, began, err
	}
	found, err = one(tx, []any{&conv.id}, `SELECT id FROM conversations WHERE company = ? AND id = ?`, c.Company, b.NewConversation)
	if err == nil && found {
		err = fmt.Errorf("conversation %s: %w: it is there already", b.NewConversation, store.ErrConflict)
	} else if err == nil {
		err = errAgain // another first message of the user's was quicker
	}
	return conv, false, err
}

// goOn leases a conversation of which no turn runs.
func goOn(tx Tx, c *store.Commit, b agent.Begin, id string, at int64) (conv conversationRow, taken bool, err error) {
	m := b.Message
	events := turnEvents(c.Events, id, false)
	_, own := numbered(events, id, 0)
	conv = conversationRow{id: id, agentID: m.AgentID}
	taken, err = one(tx, []any{&conv.userID, &conv.turns, &conv.events, &conv.fence},
		`UPDATE conversations SET turns = turns + 1, events = events + ?, running = 1, reply_id = ?, worker = ?,
			fence = CASE WHEN fence < ? THEN ? ELSE fence + 1 END, lease_until = ?, taken = 0, cancelled = 0, last_message_at = ?
			WHERE company = ? AND id = ? AND agent_id = ? AND running = 0 RETURNING user_id, turns, events, fence`,
		own, b.ReplyID, b.Worker, at, at, at+b.Lease.Microseconds(), micros(m.CreatedAt), c.Company, id, m.AgentID)
	if taken {
		c.Events, _ = numbered(events, id, conv.events-own)
	}
	return conv, taken, err
}

// beginConversation begins one with a running turn, unless there is one.
func beginConversation(tx Tx, c *store.Commit, b agent.Begin, at int64) (conv conversationRow, began bool, err error) {
	m := b.Message
	if err := haveAgent(tx, c.Company, m.AgentID, keyShare); err != nil {
		return conv, false, err
	}
	conv = conversationRow{id: b.NewConversation, agentID: m.AgentID, userID: m.User.ID, turns: 1, fence: at}
	events, last := numbered(turnEvents(c.Events, conv.id, true), conv.id, 0)
	asked := micros(m.CreatedAt)
	n, err := tx.Exec(`INSERT INTO conversations (company, id, agent_id, user_id, turns, events, running, reply_id, worker, fence,
		lease_until, created_at, last_message_at) VALUES (?, ?, ?, ?, 1, ?, 1, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		c.Company, conv.id, conv.agentID, conv.userID, last, b.ReplyID, b.Worker, conv.fence, at+b.Lease.Microseconds(), asked, asked)
	if n > 0 {
		c.Events = events
	}
	return conv, n > 0, err
}

// turnEvents gives the events of a turn their conversation, and leaves out the
// one that tells of a new conversation unless it is new.
func turnEvents(events []event.Event, conversation string, isNew bool) []event.Event {
	out := make([]event.Event, 0, len(events))
	for _, ev := range events {
		if ev.Type == event.ConversationStarted && !isNew {
			continue
		}
		if ev.Refs.ConversationID == "" {
			ev.Refs.ConversationID = conversation
		}
		out = append(out, ev)
	}
	return out
}

// A conversationRow is a conversation with the lease of its turn.
type conversationRow struct {
	id, agentID, userID    string
	turns, events, running int64
	replyID                string
	fence, leaseUntil      int64
	taken, cancelled       int64
}

const conversationLease = `SELECT id, agent_id, user_id, turns, events, running, reply_id, fence, lease_until, taken, cancelled FROM conversations`

func (c *conversationRow) dest() []any {
	return []any{&c.id, &c.agentID, &c.userID, &c.turns, &c.events, &c.running, &c.replyID, &c.fence, &c.leaseUntil, &c.taken, &c.cancelled}
}

// haveAgent returns a [store.NotFoundError] if the agent is not there. A step that
// writes gives the lock under which it stays there.
func haveAgent(tx Tx, company, id, lock string) error {
	var version int64
	found, err := one(tx, []any{&version}, `SELECT version FROM agents WHERE company = ? AND id = ?`+lock, company, id)
	if err == nil && !found {
		return store.NotFound("agent", id)
	}
	return err
}

// held reads and locks the conversation whose turn the caller may write to.
func held(tx Tx, company string, t agent.TurnRef) (c conversationRow, err error) {
	found, err := one(tx, c.dest(), conversationLease+` WHERE company = ? AND id = ?`+forUpdate, company, t.ConversationID)
	if err != nil {
		return c, err
	}
	if !found || c.running == 0 || c.fence != t.Fence || c.turns != int64(t.Number) {
		return c, fenced(t)
	}
	return c, nil
}

// fenced says that a turn is not the caller's any more.
func fenced(t agent.TurnRef) error {
	return fmt.Errorf("turn %d of conversation %s: %w: another worker has it, or it has ended", t.Number, t.ConversationID, store.ErrFenced)
}

// RecordStep implements [agent.TurnStore].
func (s *Store) RecordStep(ctx context.Context, c store.Commit, t agent.TurnRef, steps ...agent.Step) error {
	return s.engine.Write(ctx, func(tx Tx) error {
		conv, err := held(tx, c.Company, t)
		if err != nil {
			return err
		}
		if err := insertSteps(tx, c.Company, conv, steps...); err != nil {
			return err
		}
		return s.writeTurn(tx, c, conv)
	})
}

// writeTurn writes the commit of a step of a running turn.
func (s *Store) writeTurn(tx Tx, c store.Commit, conv conversationRow) error {
	if len(c.Events) > 0 {
		c.Events, conv.events = numbered(turnEvents(c.Events, conv.id, false), conv.id, conv.events)
		if _, err := tx.Exec(`UPDATE conversations SET events = ? WHERE company = ? AND id = ?`, conv.events, c.Company, conv.id); err != nil {
			return err
		}
	}
	return s.write(c, tx)
}

// RenewTurn implements [agent.TurnStore].
func (s *Store) RenewTurn(ctx context.Context, company string, t agent.TurnRef, lease time.Duration) error {
	cancelled := false
	err := s.engine.Write(ctx, func(tx Tx) error {
		conv, err := held(tx, company, t)
		if err != nil {
			return err
		}
		cancelled = conv.cancelled == 1
		at, err := tx.Now()
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE conversations SET lease_until = ? WHERE company = ? AND id = ?`, at+lease.Microseconds(), company, conv.id)
		return err
	})
	if err == nil && cancelled {
		return fmt.Errorf("turn %d of conversation %s: %w", t.Number, t.ConversationID, agent.ErrCancelled)
	}
	return err
}

// EndTurn implements [agent.TurnStore].
func (s *Store) EndTurn(ctx context.Context, c store.Commit, t agent.TurnRef, e agent.End) error {
	m := agent.Message{
		ID: e.Reply.ID, ConversationID: t.ConversationID, AgentID: e.Reply.AgentID, Role: agent.RoleAgent,
		Text: e.Reply.Text, CreatedAt: e.Reply.CreatedAt, Reply: &e.Reply,
	}
	body, err := messageBody(m)
	if err != nil {
		return err
	}
	return s.engine.Write(ctx, func(tx Tx) error {
		c := c
		c.Events = turnEvents(c.Events, t.ConversationID, false)
		_, own := numbered(c.Events, t.ConversationID, 0)
		conv := conversationRow{id: t.ConversationID}
		found, err := one(tx, []any{&conv.agentID, &conv.events}, `UPDATE conversations
			SET running = 0, worker = '', lease_until = 0, events = events + ?, last_message_at = ?
			WHERE company = ? AND id = ? AND running = 1 AND fence = ? AND turns = ? RETURNING agent_id, events`,
			own, micros(m.CreatedAt), c.Company, conv.id, t.Fence, t.Number)
		if err != nil {
			return err
		}
		if !found {
			return fenced(t)
		}
		c.Events, _ = numbered(c.Events, conv.id, conv.events-own)
		seq := 2 * int64(t.Number)
		if err := checkCitations(tx, c.Company, conv, seq, e.Reply.Citations); err != nil {
			return err
		}
		m, body := m, body
		if stands, err := summaryStands(tx, c.Company, e.Reply.Summary); err != nil {
			return err
		} else if !stands {
			r := e.Reply
			r.Summary = nil
			m.Reply = &r
			if body, err = messageBody(m); err != nil {
				return err
			}
		}
		if err := insertReply(tx, c.Company, seq, m, body, string(e.Explanation)); err != nil {
			return err
		}
		return s.write(c, tx)
	})
}

// TakeTurn implements [agent.TurnStore].
func (s *Store) TakeTurn(ctx context.Context, company, conversation, worker string, lease time.Duration) (t agent.Turn, err error) {
	err = s.engine.Write(ctx, func(tx Tx) error {
		var conv conversationRow
		at, err := tx.Now()
		if err != nil {
			return err
		}
		found, err := one(tx, conv.dest(), conversationLease+` WHERE company = ? AND id = ?`+forUpdate, company, conversation)
		if err != nil {
			return err
		}
		if !found || conv.running == 0 || conv.leaseUntil > at {
			return store.NotFound("lapsed turn of conversation", conversation)
		}
		conv.fence = max(conv.fence+1, at)
		conv.taken++
		if _, err := tx.Exec(`UPDATE conversations SET worker = ?, fence = ?, lease_until = ?, taken = ? WHERE company = ? AND id = ?`,
			worker, conv.fence, at+lease.Microseconds(), conv.taken, company, conv.id); err != nil {
			return err
		}
		m, err := readMessage(tx, `company = ? AND conversation_id = ? AND seq = ?`, company, conv.id, 2*conv.turns-1)
		if err != nil {
			return err
		}
		steps, err := readSteps(tx, company, conv.id, conv.turns)
		t = agent.Turn{
			TurnRef: agent.TurnRef{ConversationID: conv.id, Number: int(conv.turns), Fence: conv.fence},
			Message: m, ReplyID: conv.replyID, Steps: steps, Taken: int(conv.taken), Cancelled: conv.cancelled == 1,
		}
		return err
	})
	return t, err
}

func readSteps(tx Tx, company, conversation string, turn int64) (steps []agent.Step, err error) {
	err = all(tx, func(r Rows) error {
		var (
			st agent.Step
			at int64
		)
		err := r.Scan(&st.CallID, &st.Name, &st.State, &st.Data, &at)
		st.At = moment(at)
		steps = append(steps, st)
		return err
	}, `SELECT call_id, name, state, data, at FROM steps WHERE company = ? AND conversation_id = ? AND turn = ? ORDER BY ordinal`,
		company, conversation, turn)
	return steps, err
}

// LapsedTurns implements [agent.TurnStore].
func (s *Store) LapsedTurns(ctx context.Context, limit int) (lapsed []agent.Lapsed, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		lapsed = nil
		at, err := tx.Now()
		if err != nil {
			return err
		}
		return all(tx, func(r Rows) error {
			var l agent.Lapsed
			err := r.Scan(&l.Company, &l.ConversationID)
			lapsed = append(lapsed, l)
			return err
		}, `SELECT company, id FROM conversations WHERE running = 1 AND lease_until <= ? LIMIT ?`, at, limit)
	})
	return lapsed, err
}

// RunningTurn implements [agent.TurnStore].
func (s *Store) RunningTurn(ctx context.Context, company, replyID string) (r agent.Running, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		at, err := tx.Now()
		if err != nil {
			return err
		}
		var created, until int64
		found, err := one(tx, []any{&r.ConversationID, &r.AgentID, &r.MessageID, &created, &until},
			`SELECT c.id, c.agent_id, m.id, m.created_at, c.lease_until FROM conversations c
				JOIN messages m ON m.company = c.company AND m.conversation_id = c.id AND m.seq = 2 * c.turns - 1
				WHERE c.company = ? AND c.reply_id = ? AND c.running = 1`, company, replyID)
		if err == nil && !found {
			return store.NotFound("running turn of reply", replyID)
		}
		r.ReplyID, r.CreatedAt, r.Lapsed = replyID, moment(created), until <= at
		return err
	})
	return r, err
}

// CancelTurn implements [agent.TurnStore].
func (s *Store) CancelTurn(ctx context.Context, company, replyID string) error {
	return s.engine.Write(ctx, func(tx Tx) error {
		n, err := tx.Exec(`UPDATE conversations SET cancelled = 1 WHERE company = ? AND reply_id = ? AND running = 1`, company, replyID)
		if err == nil && n == 0 {
			return store.NotFound("running turn of reply", replyID)
		}
		return err
	})
}
