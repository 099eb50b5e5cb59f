package pull

import (
	"fmt"
	"strings"
)

// A Kind says who must act on an [Error], and on what.
type Kind string

// The kinds of errors.
const (
	KindAuth      Kind = "auth"       // 401 or 403: the key or token in the header
	KindRateLimit Kind = "rate_limit" // the API asks to wait for longer than a run may
	KindSchema    Kind = "schema"     // the answer is no JSON, or too large or too deep to be read
	KindNetwork   Kind = "network"    // no answer, or one that says that the address or the server is wrong
	KindMapping   Kind = "mapping"    // a path matches nothing, or something of another type
)

// An Error is why a run ended, or why one item could not be taken. Neither its
// text nor any of its fields holds a value of [Source.Header] or of a parameter
// of the URL that is named like a secret.
type Error struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"message"`         // for the person who must act
	Item    string `json:"item,omitzero"`   // the item's id or, if it has none, its page and place there
	Path    string `json:"path,omitzero"`   // the path that does not fit, as it was written
	Status  int    `json:"status,omitzero"` // of the last answer; 0 if none came
	Curl    string `json:"curl,omitzero"`   // a shell command that repeats the request; secrets stand in it as $TOKEN
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", e.Kind)
	if e.Item != "" {
		fmt.Fprintf(&b, "item %s: ", e.Item)
	}
	b.WriteString(e.Message)
	return b.String()
}

// A FieldError is returned for a [Source] that cannot be pulled as it is
// written. Field names what is wrong as the JSON of a source has it, such as
// "mapping.text".
type FieldError struct {
	Field, Message string
}

func (e *FieldError) Error() string { return e.Field + " " + e.Message }

func field(name, format string, args ...any) *FieldError {
	return &FieldError{Field: name, Message: fmt.Sprintf(format, args...)}
}

// clip shortens s to at most n characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	count := 0
	for i := range s {
		if count == n-1 {
			return s[:i] + "…"
		}
		count++
	}
	return s
}
