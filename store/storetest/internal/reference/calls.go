package reference

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store"
)

// recorded is what was recorded under the id of a call, and in which turn.
type recorded struct {
	turn    int
	replyID string
	steps   []agent.Step
}

// RecordStep implements [agent.TurnStore].
func (s *Store) RecordStep(ctx context.Context, cm store.Commit, t agent.TurnRef, steps ...agent.Step) error {
	return s.step(ctx, cm, func(c *tenant, cm *store.Commit) error {
		v, err := c.held(t)
		if err != nil {
			return err
		}
		return c.record(v, cm, steps...)
	})
}

// record adds steps to the record of the last turn of a conversation.
func (c *tenant) record(v conversation, cm *store.Commit, steps ...agent.Step) error {
	v.calls = maps.Clone(v.calls)
	if v.calls == nil {
		v.calls = map[string]recorded{}
	}
	for _, st := range steps {
		call := v.calls[st.CallID]
		if n := len(call.steps); st.After != "" && (n == 0 || call.turn != v.turn.Number || call.steps[n-1].State != st.After) {
			return fmt.Errorf("call %s: %w: its last step is another", st.CallID, store.ErrConflict)
		}
		st.Data, st.At, st.After = slices.Clone(st.Data), stored(st.At), ""
		call.turn, call.replyID, call.steps = v.turn.Number, v.turn.ReplyID, append(slices.Clip(call.steps), st)
		v.calls[st.CallID] = call
		v.turn.Steps = append(slices.Clip(v.turn.Steps), st)
	}
	c.conversations[v.ID] = v
	cm.Events = turnEvents(cm.Events, v.ID, false)
	return nil
}

// recorded returns the conversation that a call was recorded in.
func (c *tenant) recorded(callID string) (conversation, recorded, error) {
	for _, v := range c.conversations {
		if call, ok := v.calls[callID]; ok {
			return v, call, nil
		}
	}
	return conversation{}, recorded{}, store.NotFound("tool call", callID)
}

// DecideCall implements [agent.TurnStore].
func (s *Store) DecideCall(ctx context.Context, cm store.Commit, st agent.Step) error {
	return s.step(ctx, cm, func(c *tenant, cm *store.Commit) error {
		v, call, err := c.recorded(st.CallID)
		if err != nil {
			return err
		}
		if !v.Running || v.turn.Number != call.turn || v.turn.Cancelled {
			return fmt.Errorf("call %s: %w: its turn has ended", st.CallID, store.ErrConflict)
		}
		st.After = agent.StepWaiting
		return c.record(v, cm, st)
	})
}

// RecordedCall implements [agent.TurnStore].
func (s *Store) RecordedCall(ctx context.Context, company, callID string) (out agent.RecordedCall, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		v, call, err := c.recorded(callID)
		if err != nil {
			return err
		}
		out = agent.RecordedCall{
			ConversationID: v.ID, AgentID: v.AgentID, ReplyID: call.replyID,
			Running: v.Running && v.turn.Number == call.turn, Steps: slices.Clone(call.steps),
		}
		return nil
	})
	return out, err
}
