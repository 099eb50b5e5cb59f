package llm

import (
	"fmt"
	"strings"
	"time"
)

// A Kind is what went wrong between a desk and a provider.
type Kind string

// The kinds of errors. Callers may meet others, later.
const (
	Auth       Kind = "auth"        // the key is missing, wrong, or may not do this
	RateLimit  Kind = "rate_limit"  // too many requests, or nothing left to pay with
	TooLarge   Kind = "too_large"   // more text than the model reads or the server takes
	BadRequest Kind = "bad_request" // refused for another reason, such as a model that is not there
	Network    Kind = "network"     // no answer, or not the whole of it
	Server     Kind = "server"      // the provider failed
	Malformed  Kind = "malformed"   // an answer that is not what was asked for
)

// An Error is what a provider's package returns when a call failed. Its text may
// be shown to operators and logged: it holds no key, no text that was sent, and
// nothing that the provider wrote but a code.
//
// A context that ended stays visible: errors.Is finds context.Canceled and
// context.DeadlineExceeded in it.
type Error struct {
	Provider   string        // as in [Embedder.Space], such as "openai"
	Kind       Kind          //
	Status     int           // of HTTP; 0 if there was none
	Code       string        // the provider's own, such as "model_not_found"; "" if it has none
	RetryAfter time.Duration // how long the provider says to wait; 0 if it does not
	Detail     string        // ours: what was wrong with the answer; "" if the kind says it all
	Err        error         // the cause, if it is not the provider's answer
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", e.Provider, e.Kind)
	if e.Status != 0 {
		fmt.Fprintf(&b, ", status %d", e.Status)
	}
	if e.Code != "" {
		fmt.Fprintf(&b, ", code %s", e.Code)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, ", retry after %v", e.RetryAfter)
	}
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Temporary reports whether the same call may succeed later, with nothing changed.
func (e *Error) Temporary() bool {
	return e.Kind == RateLimit || e.Kind == Network || e.Kind == Server
}
