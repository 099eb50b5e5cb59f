package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store"
)

// insertSteps adds steps to the record of the last turn of a conversation that is
// locked.
func insertSteps(tx Tx, company string, conv conversationRow, steps ...agent.Step) error {
	rows := make([][]any, len(steps))
	for i, st := range steps {
		if err := follows(tx, company, conv, st); err != nil {
			return err
		}
		rows[i] = []any{company, conv.id, conv.turns, st.CallID, st.Name, string(st.State), st.Data, micros(st.At), company, conv.id, conv.turns}
	}
	return tx.Each(`INSERT INTO steps (company, conversation_id, turn, ordinal, call_id, name, state, data, at)
		SELECT ?, ?, ?, COALESCE(MAX(ordinal), 0) + 1, ?, ?, ?, ?, ? FROM steps WHERE company = ? AND conversation_id = ? AND turn = ?`, rows)
}

// follows returns a conflict unless a step may come after the last one of its call.
func follows(tx Tx, company string, conv conversationRow, st agent.Step) error {
	if st.After == "" {
		return nil
	}
	var last string
	_, err := one(tx, []any{&last}, `SELECT state FROM steps WHERE company = ? AND call_id = ? AND conversation_id = ? AND turn = ?
		ORDER BY ordinal DESC LIMIT 1`, company, st.CallID, conv.id, conv.turns)
	if err == nil && last != string(st.After) {
		return fmt.Errorf("call %s: %w: its last step is %q, not %q", st.CallID, store.ErrConflict, last, st.After)
	}
	return err
}

// DecideCall implements [agent.TurnStore].
func (s *Store) DecideCall(ctx context.Context, c store.Commit, st agent.Step) error {
	st.After = agent.StepWaiting
	return s.engine.Write(ctx, func(tx Tx) error {
		var (
			conv conversationRow
			id   string
			turn int64
		)
		found, err := one(tx, []any{&id, &turn}, `SELECT conversation_id, turn FROM steps WHERE company = ? AND call_id = ? LIMIT 1`, c.Company, st.CallID)
		if err == nil && found {
			found, err = one(tx, conv.dest(), conversationLease+` WHERE company = ? AND id = ?`+forUpdate, c.Company, id)
		}
		switch {
		case err != nil:
			return err
		case !found:
			return store.NotFound("tool call", st.CallID)
		case conv.running == 0 || conv.turns != turn:
			return fmt.Errorf("call %s: %w: its turn has ended", st.CallID, store.ErrConflict)
		case conv.cancelled == 1:
			return fmt.Errorf("call %s: %w: its turn was cancelled", st.CallID, store.ErrConflict)
		}
		if err := insertSteps(tx, c.Company, conv, st); err != nil {
			return err
		}
		return s.writeTurn(tx, c, conv)
	})
}

// RecordedCall implements [agent.TurnStore].
func (s *Store) RecordedCall(ctx context.Context, company, callID string) (call agent.RecordedCall, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		call = agent.RecordedCall{}
		err := all(tx, func(r Rows) error {
			var (
				st               agent.Step
				at               int64
				running, turns   int64
				turn             int64
				coming, answered string
			)
			err := r.Scan(&st.Name, &st.State, &st.Data, &at, &turn, &call.ConversationID, &call.AgentID, &turns, &running, &coming, &answered)
			st.CallID, st.At = callID, moment(at)
			call.Running, call.ReplyID = running == 1 && turns == turn, answered
			if call.Running {
				call.ReplyID = coming
			}
			call.Steps = append(call.Steps, st)
			return err
		}, `SELECT s.name, s.state, s.data, s.at, s.turn, s.conversation_id, c.agent_id, c.turns, c.running, c.reply_id,
				COALESCE((SELECT m.id FROM messages m WHERE m.company = s.company AND m.conversation_id = s.conversation_id AND m.seq = 2 * s.turn), '')
			FROM steps s JOIN conversations c ON c.company = s.company AND c.id = s.conversation_id
			WHERE s.company = ? AND s.call_id = ? ORDER BY s.conversation_id, s.turn, s.ordinal`, company, callID)
		if err == nil && len(call.Steps) == 0 {
			return store.NotFound("tool call", callID)
		}
		return err
	})
	return call, err
}

// RecordCallIn puts what a call of a tool came to on record in a transaction that is
// at hand.
func RecordCallIn(tx Tx, call agent.Call, result json.RawMessage) error {
	step, err := agent.CompletedStep(call, result, time.Now())
	if err != nil {
		return err
	}
	conv, err := held(tx, call.Company, call.Turn)
	if err != nil {
		return err
	}
	return insertSteps(tx, call.Company, conv, step)
}

// eraseSteps takes the quotes of documents out of what is on record of a turn.
func eraseSteps(tx Tx, company, conversation string, turn int64, quotes []string) error {
	var rows [][]any
	err := all(tx, func(r Rows) error {
		var (
			ordinal int64
			data    []byte
		)
		if err := r.Scan(&ordinal, &data); err != nil {
			return err
		}
		if erased, changed := agent.EraseQuotes(data, quotes); changed {
			rows = append(rows, []any{erased, company, conversation, turn, ordinal})
		}
		return nil
	}, `SELECT ordinal, data FROM steps WHERE company = ? AND conversation_id = ? AND turn = ?`, company, conversation, turn)
	if err != nil || len(rows) == 0 {
		return err
	}
	return tx.Each(`UPDATE steps SET data = ? WHERE company = ? AND conversation_id = ? AND turn = ? AND ordinal = ?`, rows)
}
