package sqlstore

import "context"

// lentKey is the key of what [Lend] puts into a context.
type lentKey struct{}

// Lend returns a context whose one step an engine runs in a transaction of the
// host's.
func Lend(ctx context.Context, tx any) context.Context { return context.WithValue(ctx, lentKey{}, tx) }

// Lent returns what was lent with [Lend], or nil.
func Lent(ctx context.Context) any { return ctx.Value(lentKey{}) }

// Unlent returns the context for what is no step of the caller's.
func Unlent(ctx context.Context) context.Context {
	if Lent(ctx) == nil {
		return ctx
	}
	return Lend(ctx, nil)
}
