package openai

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/answerdesk-go/answerdesk/llm"
)

// firstWait is what is waited before the first repetition, at most, if the server
// does not ask for more.
const firstWait = 500 * time.Millisecond

// retrying makes a request until it succeeds, or it is no use to go on.
func (e *Embedder) retrying(ctx context.Context, prefix string, texts []string) (llm.Embeddings, error) {
	for tried, backoff := 0, firstWait; ; tried, backoff = tried+1, 2*backoff {
		all, err := e.request(ctx, prefix, texts)
		failed, ok := errors.AsType[*llm.Error](err)
		if !ok || !failed.Temporary() || tried >= e.o.Retries || ctx.Err() != nil {
			return all, err
		}
		// Between half and all of it, so that many that failed together do not come
		// back together.
		wait := backoff/2 + rand.N(backoff/2)
		if failed.RetryAfter > 0 {
			wait += failed.RetryAfter
		}
		if deadline, ok := ctx.Deadline(); wait > e.o.MaxWait || ok && time.Until(deadline) < wait {
			return all, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return all, err
		}
	}
}
