package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/failpoint"
)

// callGrace is how long a call may take to return when its context has ended, before
// it is given up.
const callGrace = time.Second

// maxCallError bounds the error of a call, in bytes.
const maxCallError = 2 << 10

// A ToolFunc makes a call of a tool: see [Tool.Run].
type ToolFunc func(ctx context.Context, c Call) (json.RawMessage, error)

// ToolMiddleware wraps the calls of this program's tools: it may look at a call
// before, and at its result after, or answer in place of the tool. A call is on record
// before the outermost begins, and its result when it has returned. What may be
// called is settled before.
type ToolMiddleware func(next ToolFunc) ToolFunc

// errExitedCall is the error of a call whose goroutine has ended itself.
var errExitedCall = errors.New("the tool broke down")

// perform makes a call that is on record, and puts on record what it came to.
func (r *running) perform(ctx context.Context, t Tool, c *recorded) error {
	if err := context.Cause(ctx); err != nil {
		return errors.Join(err, r.endCall(ctx, c, callNote{State: CallFailed, Error: "the turn ended before it was made"}, StepIntent))
	}
	bounded, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	n := r.runTool(bounded, t, c)
	failpoint.At("call.made")
	return r.endCall(ctx, c, n, StepIntent)
}

// runTool runs the tool in a goroutine of its own. One that does not return in time is
// left to itself: whatever it does later, nobody hears of it.
func (r *running) runTool(ctx context.Context, t Tool, c *recorded) callNote {
	type result struct {
		out json.RawMessage
		err error
	}
	run := ToolFunc(t.Run)
	for i := len(r.engine.opts.ToolMiddleware) - 1; i >= 0; i-- {
		run = r.engine.opts.ToolMiddleware[i](run)
	}
	call := Call{
		ID: c.ID, Name: c.Name, Arguments: append(json.RawMessage(nil), c.Arguments...),
		Company: r.company, AgentID: r.agent.ID, ConversationID: r.turn.ConversationID, MessageID: r.turn.Message.ID,
		User: r.turn.Message.User, Turn: r.turn.TurnRef,
	}
	done := make(chan result, 1)
	go func() {
		got := result{err: errExitedCall}
		defer func() {
			if p := recover(); p != nil {
				// Its value might hold a customer's words.
				r.engine.opts.Logger.ErrorContext(ctx, "panic in a tool", "company", r.company, "call", call.ID, "tool", call.Name,
					"panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			}
			done <- got
		}()
		out, err := run(ctx, call)
		got = result{out, err}
	}()
	var got result
	select {
	case got = <-done:
	case <-ctx.Done():
		select {
		case got = <-done:
		case <-time.After(callGrace):
			return callNote{State: CallUnknown, Error: "it did not end in time, and it is not known whether it was done: do not do it again"}
		}
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded) && got.err != nil:
		return callNote{State: CallFailed, Error: fmt.Sprintf("it took longer than %v", t.Timeout)}
	case got.err != nil:
		return callNote{State: CallFailed, Error: failureText(got.err)}
	case len(got.out) == 0:
		got.out = json.RawMessage("null")
	}
	if wrong := t.checkOutput(got.out); wrong != "" {
		return callNote{State: CallFailed, Error: wrong}
	}
	return callNote{State: CallCompleted, Result: got.out}
}

// failureText is what the record and the model are told of a tool's error.
func failureText(err error) string {
	if text := clipTo(err.Error(), maxCallError); text != "" {
		return text
	}
	return "it failed"
}
