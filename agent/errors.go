package agent

import (
	"errors"
	"fmt"

	"github.com/answerdesk-go/answerdesk/store"
)

var (
	// ErrInvalid is wrapped by every [InvalidError].
	ErrInvalid = errors.New("invalid input")

	// ErrTurnInProgress means that the conversation is answering another
	// message, and that as many as may wait are waiting already.
	ErrTurnInProgress = errors.New("turn in progress")

	// ErrCancelled means that the turn was cancelled before it had a reply.
	ErrCancelled = errors.New("turn cancelled")

	// ErrInterrupted means that the turn has no reply because its process
	// stopped.
	ErrInterrupted = errors.New("turn interrupted")

	// ErrFailed means that the turn has no reply because something went wrong.
	ErrFailed = errors.New("turn failed")

	// ErrCitation means that a reply cites what is not, or no longer, there.
	ErrCitation = errors.New("citation does not hold")

	// ErrBudget means that a turn has used up what its agent's settings allow it.
	ErrBudget = errors.New("budget of the turn is used up")

	// ErrDraining means that no new turn begins here, since the process is
	// about to stop.
	ErrDraining = errors.New("shutting down")

	// ErrVersion means that the settings of an agent are not at the version
	// that was to be changed. It wraps [store.ErrConflict].
	ErrVersion = fmt.Errorf("%w: it is at another version: read it again", store.ErrConflict)
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
