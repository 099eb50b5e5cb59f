package api

import "github.com/answerdesk-go/answerdesk/internal/exact"

// UnmarshalJSON keeps all digits: a number that a float64 would change is a
// [json.Number].
func (m *Metadata) UnmarshalJSON(b []byte) (err error) {
	*m, err = exact.Object(b)
	return err
}

// UnmarshalJSON keeps all digits: a number that a float64 would change is a
// [json.Number].
func (m *MessageContext) UnmarshalJSON(b []byte) (err error) {
	*m, err = exact.Object(b)
	return err
}
