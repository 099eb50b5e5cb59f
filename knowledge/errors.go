package knowledge

import (
	"errors"
	"fmt"
)

// ErrInvalid is wrapped by every [InvalidError].
var ErrInvalid = errors.New("invalid input")

// ErrTooLarge means that a company's index does not fit the memory it may use.
var ErrTooLarge = errors.New("knowledge too large for the index memory")

// An InvalidError names the field that cannot be taken, and why.
type InvalidError struct {
	Field  string // as in JSON: "title", "metadata.category"
	Reason string
}

func (e *InvalidError) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Reason) }

// Unwrap returns [ErrInvalid].
func (e *InvalidError) Unwrap() error { return ErrInvalid }

func invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Reason: fmt.Sprintf(format, args...)}
}
