package agent

import (
	"errors"
	"fmt"
)

// What [Reply.Failure] says.
const (
	failureCancelled   = "cancelled"
	failureInterrupted = "interrupted"
	failureInternal    = "internal"
)

// failureOf names the failure of a turn that err ended, and returns what it is to
// be put down to: why its context ended, if it has.
func failureOf(cause, err error) (string, error) {
	switch {
	case cause == nil:
		return failureInternal, err
	case errors.Is(cause, errTooMuch):
		return failureInternal, cause
	case errors.Is(cause, ErrDraining), errors.Is(cause, ErrInterrupted):
		return failureInterrupted, cause
	}
	return failureCancelled, cause
}

// failed returns the error of a turn that ended without a reply, wrapping why if
// that is known: the store does not keep it.
func failed(failure string, why error) error {
	is := ErrFailed
	switch failure {
	case failureCancelled:
		is = ErrCancelled
	case failureInterrupted:
		is = ErrInterrupted
	}
	switch {
	case why == nil:
		return is
	case errors.Is(why, is):
		return why
	}
	return fmt.Errorf("%w: %w", is, why)
}

// A lostError ends a turn for its callers here without an end on record: another
// process has the turn, or will have it.
type lostError struct{ error }

func (e *lostError) Unwrap() error { return e.error }

// A State says how far a turn has come.
type State string

// The states of a turn.
const (
	StateRunning   State = "running"
	StateCompleted State = "completed" // it has its reply
	StateCancelled State = "cancelled" // it was ended before it had one
	StateFailed    State = "failed"    // it has none: something went wrong, or its process stopped
)

// stateOf returns how a turn has ended.
func stateOf(r Reply) State {
	switch r.Failure {
	case "":
		return StateCompleted
	case failureCancelled:
		return StateCancelled
	}
	return StateFailed
}
