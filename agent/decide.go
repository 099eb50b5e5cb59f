package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// ToolCall returns the record of a call, or a [store.NotFoundError].
func (cs *Conversations) ToolCall(ctx context.Context, callID string) (ToolCall, error) {
	canonical, err := parseAs(id.Call, "tool call", callID)
	if err != nil {
		return ToolCall{}, err
	}
	record, err := cs.engine.store.RecordedCall(ctx, cs.company, canonical)
	if err != nil {
		return ToolCall{}, err
	}
	var c recorded
	for _, s := range record.Steps {
		if !isCall(s) {
			return ToolCall{}, store.NotFound("tool call", canonical)
		}
		if err := c.read(s); err != nil {
			return ToolCall{}, err
		}
	}
	return c.ToolCall, nil
}

// Approve lets a call be made that waits to be approved. It, Reject and Answer return
// the call as it is then, a [store.NotFoundError] for one that is not there, and a
// [store.ErrConflict] for one that does not wait for it, any more: because somebody
// was quicker, its time is over, or its turn has ended. To do again what was done leaves
// the call as it is.
func (cs *Conversations) Approve(ctx context.Context, callID string) (ToolCall, error) {
	return cs.decide(ctx, callID, CallAwaitingApproval, "tool_call.approve", func(c ToolCall) bool {
		return c.Approval == ApprovalAsk && c.DecidedBy != "" && c.State != CallRejected
	}, func(c ToolCall, at time.Time) (Step, error) {
		return decided(c.ID, c.Name, cs.request.Actor, at)
	})
}

// Reject ends a call that waits to be approved. The agent is told that it was not.
func (cs *Conversations) Reject(ctx context.Context, callID string) (ToolCall, error) {
	return cs.decide(ctx, callID, CallAwaitingApproval, "tool_call.reject", func(c ToolCall) bool { return c.State == CallRejected }, func(c ToolCall, at time.Time) (Step, error) {
		n := callNote{State: CallRejected, Error: "somebody decided that this is not to be done", DecidedBy: cs.request.Actor}
		return n.step(c.ID, c.Name, at)
	})
}

// Answer gives the result of a call that waits for it from its caller: JSON of at most
// 64 KiB. If failed is set, it says what went wrong instead, for the model. For what is
// no result it returns an [InvalidError].
func (cs *Conversations) Answer(ctx context.Context, callID string, result json.RawMessage, failed bool) (ToolCall, error) {
	switch {
	case len(result) > maxToolOutput:
		return ToolCall{}, invalid("result", "%d bytes are more than %d", len(result), maxToolOutput)
	case !utf8.Valid(result) || !json.Valid(result):
		return ToolCall{}, invalid("result", "is not valid JSON")
	}
	return cs.decide(ctx, callID, CallAwaitingResult, "tool_call.answer", func(c ToolCall) bool {
		return !failed && c.State == CallCompleted && sameJSON(c.Result, result) || failed && c.State == CallFailed && c.Error == answerError(result)
	}, func(c ToolCall, at time.Time) (Step, error) {
		n := callNote{State: CallCompleted, Result: result, DecidedBy: cs.request.Actor}
		if failed {
			n = callNote{State: CallFailed, Error: answerError(result), DecidedBy: cs.request.Actor}
		}
		return n.step(c.ID, c.Name, at)
	})
}

// sameJSON reports whether two pieces of valid JSON are written alike but for space
// and escapes.
func sameJSON(a, b json.RawMessage) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}

// answerError is what a model is told of a failure that its caller names: a string is
// told as what it says.
func answerError(result json.RawMessage) string {
	text := string(result)
	_ = json.Unmarshal(result, &text) // other JSON is told as it is
	return failureText(errors.New(text))
}

// decide adds a step to a call that waits in a state.
func (cs *Conversations) decide(ctx context.Context, callID string, waits CallState, action string, same func(ToolCall) bool, with func(ToolCall, time.Time) (Step, error)) (ToolCall, error) {
	c, err := cs.ToolCall(ctx, callID)
	if err != nil {
		return ToolCall{}, err
	}
	at := stamp()
	switch {
	case c.State != waits && same(c):
		return c, nil // the same once more
	case c.State != waits:
		return ToolCall{}, fmt.Errorf("tool call %s: %w: it is %s", c.ID, store.ErrConflict, c.State)
	case !at.Before(c.ExpiresAt):
		return ToolCall{}, fmt.Errorf("tool call %s: %w: it has %s", c.ID, store.ErrConflict, CallExpired)
	}
	s, err := with(c, at)
	if err != nil {
		return ToolCall{}, err
	}
	commit := cs.request.Audited(cs.request.Commit(cs.company), id.New(id.Audit), action, c.ID, at)
	if err := cs.engine.store.DecideCall(ctx, cs.request.Ending(commit, c.ID), s); err != nil {
		return ToolCall{}, err
	}
	cs.engine.waiters.tell(c.ID)
	now := recorded{ToolCall: c}
	err = now.read(s)
	return now.ToolCall, err
}
