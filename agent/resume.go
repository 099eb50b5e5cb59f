package agent

import (
	"context"
	"errors"
	"slices"
)

// resume opens the account of the turn and, if it was taken over, goes on with the
// calls that are on record: those that wait go on waiting, one that was begun is made
// again if its tool may be called twice, and of another one nobody knows.
func (r *running) resume(ctx context.Context) error {
	calls, err := callsOf(r.turn.Steps)
	if err != nil {
		return err
	}
	r.update(func() { r.calls = calls })
	if err := r.account.open(r.agent.Budget, r.engine.opts.TurnTimeout, r.turn.Steps); err != nil {
		return err
	}
	if len(r.turn.Steps) > 0 {
		r.turn.Steps = slices.DeleteFunc(slices.Clone(r.turn.Steps), func(s Step) bool { return isCall(s) || s.State == StepSpent })
	}
	if err := context.Cause(ctx); err != nil || len(calls) == 0 {
		return err
	}
	box, err := r.tools()
	if err != nil {
		return err
	}
	for _, c := range calls {
		if now := r.snapshot(c); now.last == StepUnknown && !box.byName[now.Name].Idempotent {
			r.outcomeUnknown.Store(true) // its process was lost before it handed off
		} else if now.last != StepIntent {
			continue
		} else if box.byName[now.Name].Idempotent {
			r.tellCall(c)
			continue
		} else if err := r.endCall(ctx, c, callNote{State: CallUnknown}, StepIntent); err != nil {
			return err
		} else if r.snapshot(c).State == CallUnknown {
			r.outcomeUnknown.Store(true)
		}
	}
	if r.outcomeUnknown.Load() {
		return nil
	}
	for _, c := range calls {
		if r.snapshot(c).last == StepWaiting {
			r.tellCall(c)
		}
	}
	if err := r.carryOut(ctx, box, calls); !errors.Is(err, errOutcome) {
		return err
	}
	return nil
}
