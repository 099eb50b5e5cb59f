package work

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/answerdesk-go/answerdesk/store"
)

// attempt calls the handler once, and says what becomes of the job.
func (h *hold) attempt(ctx context.Context, j store.Job) result {
	timed, cancel := context.WithTimeoutCause(ctx, h.queue.Timeout, errTimeout)
	defer cancel()
	err := h.call(timed, j)
	if err != nil && errors.Is(context.Cause(timed), errTimeout) {
		err = fmt.Errorf("%w: %w", errTimeout, err)
	}
	o := h.queue.outcome(j, err)
	cut := err != nil && ctx.Err() != nil
	if err != nil {
		h.log.Info("attempt failed", "job", j.ID, "attempt", j.Attempt, "reason", o.Reason, "retry_in", o.RetryIn, "dead", o.Dead, "counts", !cut)
	}
	return result{outcome: o, cut: cut}
}

func (h *hold) call(ctx context.Context, j store.Job) (err error) {
	defer func() {
		if v := recover(); v != nil {
			// Its type and place, not its value: that may hold a customer's words.
			h.log.Error("handler panicked", "job", j.ID, "type", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	return h.queue.Handler(ctx, h.lease, j)
}
