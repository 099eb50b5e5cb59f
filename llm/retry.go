package llm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"
)

// RetryOptions say how often [Retry] asks again, and when.
type RetryOptions struct {
	// Times is how often a question is asked again, by default 3 times; less than 0
	// is never.
	Times int

	// FirstWait is what is waited before the second attempt, by default half a
	// second, and twice as long before each one after it; a random part, at most
	// half, is left out, so that many that failed together do not come back together.
	// What the provider says to wait comes on top.
	FirstWait time.Duration

	// MaxWait is the longest wait, by default 20 s. If a provider wants more, or the
	// context ends before, the error is returned at once.
	MaxWait time.Duration

	// Reset says that the reader understands [Reset]: then an answer that breaks off
	// after some of it was read begins anew, too.
	Reset bool
}

// Retry returns a model that asks m again when it failed for a reason that may pass:
// an error that is [Error.Temporary], or an answer that broke off. Once text or a
// call has been read it does so only with [RetryOptions.Reset]: the new answer then
// begins with a [Reset], and until it does, what has been read stands.
//
// The usage is that of all attempts, and says how many failed: of these it counts what
// is known, or estimates it if something was read of them; see [Taken].
// A nil opts means the defaults written on [RetryOptions].
func Retry(m Model, opts *RetryOptions) Model {
	var o RetryOptions
	if opts != nil {
		o = *opts
	}
	o.Times = max(0, cmp.Or(o.Times, 3))
	if o.FirstWait <= 0 {
		o.FirstWait = 500 * time.Millisecond
	}
	if o.MaxWait <= 0 {
		o.MaxWait = 20 * time.Second
	}
	return retry{m, o}
}

type retry struct {
	Model
	o RetryOptions
}

func (m retry) Generate(ctx context.Context, req Request) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		out := relay{yield: yield, req: req}
		for tried, backoff := 0, m.o.FirstWait; ; tried, backoff = tried+1, min(2*backoff, m.o.MaxWait) {
			err := out.pass(m.Model.Generate(ctx, req))
			if err == nil {
				return
			}
			if tried < m.o.Times && mayPass(err) && (m.o.Reset || !out.shown) {
				if wait := pause(backoff, err); m.fits(ctx, wait) {
					select {
					case <-time.After(wait):
						continue
					case <-ctx.Done():
						err = fmt.Errorf("%w, after %w", ctx.Err(), err)
					}
				}
			}
			yield(nil, out.failed(err))
			return
		}
	}
}

// fits reports whether it is any use to wait that long.
func (m retry) fits(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() == nil && wait <= m.o.MaxWait && (!ok || wait < time.Until(deadline))
}

// mayPass reports whether the same question may be answered later.
func mayPass(err error) bool {
	failed, ok := errors.AsType[*Error](err)
	return ok && failed.Temporary() || errors.Is(err, ErrIncomplete)
}

// pause is how long to wait after an error: what it says, and half of backoff to all
// of it.
func pause(backoff time.Duration, err error) time.Duration {
	wait := backoff - rand.N(backoff/2+1)
	if failed, ok := errors.AsType[*Error](err); ok {
		wait += failed.RetryAfter
	}
	return wait
}
