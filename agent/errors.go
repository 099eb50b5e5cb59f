package agent

import (
	"errors"
	"fmt"
)

var (
	// ErrInvalid is wrapped by every [InvalidError].
	ErrInvalid = errors.New("invalid input")

	// ErrTurnInProgress means that the conversation is answering another
	// message, and that as many as may wait are waiting already.
	ErrTurnInProgress = errors.New("turn in progress")

	// ErrCancelled means that the turn was cancelled before it had a reply.
	ErrCancelled = errors.New("turn cancelled")

	// ErrCitation means that a reply cites what is not, or no longer, there.
	ErrCitation = errors.New("citation does not hold")

	// ErrDraining means that no new turn begins here, since the process is
	// about to stop.
	ErrDraining = errors.New("shutting down")
)

// An InvalidError names the field that cannot be taken, and why.
type InvalidError struct {
	Field  string // as in JSON: "message", "user.id"
	Reason string
}

func (e *InvalidError) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Reason) }

// Unwrap returns [ErrInvalid].
func (e *InvalidError) Unwrap() error { return ErrInvalid }

func invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Reason: fmt.Sprintf(format, args...)}
}
