package agent

import "context"

// An Exchange is a turn while it is being answered, as [Middleware] sees it.
type Exchange struct {
	Company string
	Agent   Agent
	Message Message

	turn *running
}

// History returns the messages before the turn, oldest first. They are read when
// it is first called.
func (x *Exchange) History(ctx context.Context) ([]Message, error) { return x.turn.history(ctx) }

// A TurnFunc answers a turn. The reply's text, outcome, citations and confidence
// count; the rest is filled in.
type TurnFunc func(ctx context.Context, x *Exchange) (Reply, error)

// Middleware wraps how turns are answered: it may look at or change the message
// before, and the reply after, or answer itself. Where the reply's text differs
// from what was streamed, the stream says that it is replaced. Whoever puts text
// before what is cited moves the claims of the citations along. Citations are
// checked when all Middleware is through; if one does not hold, because its
// document was changed meanwhile, Middleware is called again.
type Middleware func(next TurnFunc) TurnFunc
