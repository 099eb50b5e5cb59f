package storetest

import "context"

// A Lender is a store whose steps can be part of a transaction that somebody else
// ends, so that one can be held open while others commit: what an engine with one
// writer at a time cannot have, and where others lose events. The test of an
// engine that can adds the method to its store; cases that need it are tried
// without it as well as they can be.
type Lender interface {
	// Lend begins a transaction. The one step that is made with the context it
	// returns is part of it, and nobody else sees anything of that step before
	// commit has returned nil, or ever after rollback. Exactly one of the two is
	// called.
	Lend(ctx context.Context) (lent context.Context, commit, rollback func() error, err error)
}
