package llm

import (
	"context"
	"errors"
	"iter"
	"strings"
)

// Fallback returns a model that asks the first of models, and the next one when one
// has failed, whatever the reason: another provider has other keys, other limits,
// other models and other bounds on a request. Only when the context has ended is
// none asked any more. To ask each of them several times, wrap it in [Retry] first.
//
// If a model fails after some of its answer was read, that of the next one begins
// with a [Reset]; until it does, what has been read stands. When all have failed,
// the error wraps those of all of them, and says them in order. The usage is that of
// all of them, as with [Retry].
func Fallback(models ...Model) Model { return fallback(models) }

type fallback []Model

func (models fallback) Generate(ctx context.Context, req Request) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		out := relay{yield: yield, req: req}
		var failed failures
		for _, m := range models {
			err := out.pass(m.Generate(ctx, req))
			if err == nil {
				return
			}
			failed = append(failed, err)
			if ctx.Err() != nil {
				break
			}
		}
		switch len(failed) {
		case 0:
			yield(nil, errors.New("fallback has no model"))
		case 1:
			yield(nil, out.failed(failed[0]))
		default:
			yield(nil, out.failed(failed))
		}
	}
}

// failures are the errors of several models.
type failures []error

func (f failures) Error() string {
	said := make([]string, len(f))
	for i, err := range f {
		said[i] = err.Error()
	}
	return strings.Join(said, "; then ")
}

func (f failures) Unwrap() []error { return f }
