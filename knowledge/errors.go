package knowledge

import (
	"errors"
	"fmt"

	"github.com/answerdesk-go/answerdesk/knowledge/extract"
	"github.com/answerdesk-go/answerdesk/store"
)

// ErrInvalid is wrapped by every [InvalidError].
var ErrInvalid = errors.New("invalid input")

// ErrTooLarge means that a company's index does not fit the memory it may use.
var ErrTooLarge = errors.New("knowledge too large for the index memory")

// ErrFormat means that a file is of a kind that is not read.
var ErrFormat = extract.ErrFormat

// ErrChanged means that a document is not any more what [Patch.IfUpdated] says.
// It wraps [store.ErrConflict].
var ErrChanged = fmt.Errorf("%w: changed since it was read", store.ErrConflict)

// An ItemError names the one of several documents that could not be taken, and
// why.
type ItemError struct {
	Index int // counts the documents as they were given, from 0
	Err   error
}

func (e *ItemError) Error() string { return fmt.Sprintf("item %d: %v", e.Index, e.Err) }

// Unwrap returns the reason.
func (e *ItemError) Unwrap() error { return e.Err }

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
