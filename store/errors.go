package store

import (
	"errors"
	"fmt"
)

// Errors that the methods of every store wrap.
var (
	// ErrNotFound means that an id names nothing in this company.
	ErrNotFound = errors.New("not found")

	// ErrConflict means that the thing has changed since the caller read it,
	// or that what the caller wants to add is there already.
	ErrConflict = errors.New("conflict")

	// ErrFenced means that a lease has passed to somebody else, so that the
	// caller may no longer write under it.
	ErrFenced = errors.New("lease lost")

	// ErrUnavailable means that the store cannot take the change now: the disk
	// is full, the files may not be written, or the store is closed.
	ErrUnavailable = errors.New("store unavailable")

	// ErrCursor means that a cursor was not given out by the list it is shown
	// to.
	ErrCursor = errors.New("cursor does not belong to this list: begin again without one, with the same filter throughout")
)

// A NotFoundError names the thing that is not there. It wraps [ErrNotFound].
type NotFoundError struct {
	Kind string // such as "document"
	ID   string
}

func (e *NotFoundError) Error() string { return fmt.Sprintf("%s %q not found", e.Kind, e.ID) }

// Unwrap returns [ErrNotFound].
func (e *NotFoundError) Unwrap() error { return ErrNotFound }

// NotFound returns a [NotFoundError].
func NotFound(kind, id string) error { return &NotFoundError{Kind: kind, ID: id} }
