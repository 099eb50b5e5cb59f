package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// attempts logs what became of each attempt, and how long the client waited after
// the one before. It stands below all that the client does.
type attempts struct {
	next http.RoundTripper
	log  *slog.Logger
}

type endedKey struct{}

// watched lets attempts tell those of one call from another's. They come one after
// another.
func watched(ctx context.Context) context.Context {
	return context.WithValue(ctx, endedKey{}, new(time.Time))
}

// RoundTrip implements [http.RoundTripper].
func (a *attempts) RoundTrip(r *http.Request) (*http.Response, error) {
	var waited time.Duration
	ended, _ := r.Context().Value(endedKey{}).(*time.Time)
	if ended != nil && !ended.IsZero() {
		waited = time.Since(*ended).Round(time.Millisecond)
	}
	resp, err := a.next.RoundTrip(r)
	if ended != nil {
		*ended = time.Now()
	}
	if err != nil {
		a.log.Warn("attempt failed", "waited", waited, "error", err)
		return nil, err
	}
	a.log.Info("attempt", "waited", waited, "status", resp.StatusCode,
		"retry_after", resp.Header.Get("Retry-After"), "replayed", resp.Header.Get("Idempotent-Replayed"))
	return resp, nil
}
