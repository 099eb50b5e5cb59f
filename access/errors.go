package access

import (
	"errors"
	"fmt"
)

var (
	// ErrInvalid is wrapped by every [InvalidError].
	ErrInvalid = errors.New("invalid input")

	// ErrInvalidKey means that a secret is that of no key: it is misspelt or cut
	// short, was never given out, or its key was revoked. Which of these it is,
	// nobody is told.
	ErrInvalidKey = errors.New("invalid API key")

	// ErrExpiredKey means that a secret is that of a key which has expired.
	ErrExpiredKey = errors.New("expired API key")
)

// An InvalidError names the field that cannot be taken, and why.
type InvalidError struct {
	Field  string // as in JSON: "name", "expires_at"
	Reason string
}

func (e *InvalidError) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Reason) }

// Unwrap returns [ErrInvalid].
func (e *InvalidError) Unwrap() error { return ErrInvalid }

func invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Reason: fmt.Sprintf(format, args...)}
}
