package agent

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// How long a turn pauses before it looks whether another process was told of a
// decision.
const (
	decisionFirst = 500 * time.Millisecond
	decisionMost  = 2 * time.Second
)

// errNotAwaited ends the waiting of a call beside another one that broke off.
var errNotAwaited = errors.New("another call of the turn could not be recorded")

// await waits until somebody has decided about a call, or answered it, or the time
// for it is over. None of it counts as the turn's time. When lost is closed, another
// call of the turn could not be brought to its end, and there is nothing to wait for.
func (r *running) await(ctx context.Context, c *recorded, lost <-chan struct{}) error {
	r.clock.pause()
	defer func() {
		r.goOn() // before the clock: nobody sees a turn that neither waits nor goes on
		r.clock.resume()
	}()
	news, leave := r.engine.waiters.join(c.ID)
	defer leave()
	r.nudge() // whoever wants to know whether it waits
	over := time.NewTimer(time.Until(c.ExpiresAt))
	defer over.Stop()
	for pause := time.Duration(0); ; pause = min(max(2*pause, decisionFirst), decisionMost) {
		look := time.NewTimer(pause)
		var err error
		select {
		case <-ctx.Done():
			err = r.endCall(ctx, c, callNote{State: CallFailed, Error: "the turn ended before it was made"}, StepWaiting)
			look.Stop()
			return errors.Join(context.Cause(ctx), err)
		case <-r.engine.drained:
			look.Stop()
			return errReleased
		case <-lost:
			look.Stop()
			return errNotAwaited
		case <-over.C:
			look.Stop()
			if err = r.endCall(ctx, c, callNote{State: CallExpired, Error: "nobody answered in time"}, StepWaiting); err != nil {
				return err
			}
		case <-news:
			err = r.refresh(ctx, c)
		case <-look.C:
			err = r.refresh(ctx, c)
		}
		look.Stop()
		if err != nil && !errors.Is(err, store.ErrUnavailable) {
			return err
		}
		if r.snapshot(c).last != StepWaiting {
			return nil
		}
	}
}

// waiters wake those who wait for one in this process.
type waiters struct {
	mu     sync.Mutex
	byCall map[string]chan struct{}
}

// join returns what tells of decisions about a call, until leave is called.
func (d *waiters) join(callID string) (news <-chan struct{}, leave func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byCall == nil {
		d.byCall = map[string]chan struct{}{}
	}
	told := make(chan struct{}, 1)
	d.byCall[callID] = told
	return told, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.byCall[callID] == told {
			delete(d.byCall, callID)
		}
	}
}

// tell wakes whoever waits for a decision about a call.
func (d *waiters) tell(callID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case d.byCall[callID] <- struct{}{}:
	default:
	}
}
