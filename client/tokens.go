package client

import (
	"context"
	"fmt"
)

// tokens keeps the bearer token of a client between its calls.
type tokens struct {
	source func(context.Context) (string, error)
	turn   chan struct{} // held by whoever reads or replaces token
	token  string
}

func newTokens(source func(context.Context) (string, error)) *tokens {
	return &tokens{source: source, turn: make(chan struct{}, 1)}
}

// get returns a token other than refused, the one that the server did not take;
// empty if there was none yet. It asks the source only if nobody else has since.
func (t *tokens) get(ctx context.Context, refused string) (string, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if t.token != refused {
		return t.token, nil
	}
	token, err := t.source(ctx)
	if err != nil {
		return "", fmt.Errorf("get a bearer token: %w", err)
	}
	if err := checkCredential(token); err != nil {
		return "", fmt.Errorf("the bearer token cannot be sent: %w", err)
	}
	t.token = token
	return token, nil
}
