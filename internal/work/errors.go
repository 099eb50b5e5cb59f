package work

import (
	"context"
	"errors"
	"time"
)

// ErrStopping is the cause with which a handler's context ends when the time
// that Run gives to what is under way has passed. An attempt that fails after it
// does not count: the job is done again, by this worker or another.
var ErrStopping = errors.New("work is stopping")

// Classes of failures that have no class of their own.
const (
	classError   = "error"   // the handler returned an error
	classTimeout = "timeout" // it ran out of the queue's Timeout, or of another deadline
	classPanic   = "panic"   // it did not return
)

var (
	errTimeout = errors.New("attempt ran out of time")
	errPanic   = errors.New("handler did not return")
)

// Permanent marks an error that no further attempt can mend: the job is given up
// at once. It wraps err, and returns nil if err is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ error }

func (e *permanentError) Unwrap() error { return e.error }

// Bounds of what [After] asks for.
const (
	minAfter = 100 * time.Millisecond
	maxAfter = 24 * time.Hour
)

// After marks an error with how long to wait before the next attempt, such as
// the Retry-After of an HTTP answer, in place of the queue's Backoff. The wait is
// kept between 100 ms and 24 h, and is up to a tenth longer, so that those who
// were told the same do not come back together. The attempt counts as any other.
// It wraps err, and returns nil if err is nil.
func After(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &afterError{err, min(max(d, minAfter), maxAfter)}
}

type afterError struct {
	error
	wait time.Duration
}

func (e *afterError) Unwrap() error { return e.error }

// A classified error says what kind of failure it is, in a word that may be
// stored and shown.
type classified interface {
	error
	Class() string
}

// class returns the reason that is recorded for a failed attempt.
func class(err error) string {
	if c, ok := errors.AsType[classified](err); ok && isWord(c.Class()) {
		return c.Class()
	}
	switch {
	case errors.Is(err, errPanic):
		return classPanic
	case errors.Is(err, errTimeout), errors.Is(err, context.DeadlineExceeded):
		return classTimeout
	}
	return classError
}

// isWord reports whether s looks like a class: up to 64 letters, digits, dots,
// dashes and underscores. Anything else may be somebody's words.
func isWord(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	return 0 < len(s) && len(s) <= 64
}
