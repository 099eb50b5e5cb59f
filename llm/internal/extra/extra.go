// Package extra adds fields to what a provider's package sends that it does not
// know.
package extra

import (
	"encoding/json"
	"errors"
)

// Fields are fields of a request.
type Fields struct{ raw json.RawMessage }

// New returns fields as they will be sent. The error does not quote them.
func New(fields map[string]any) (Fields, error) {
	if len(fields) == 0 {
		return Fields{}, nil
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return Fields{}, errors.New("the extra fields cannot be written as JSON")
	}
	return Fields{raw}, nil
}

// With returns a body with the fields. Where both have a field, and it is not an
// object in both, that of the body stands.
func (f Fields) With(body any) (any, error) {
	if f.raw == nil {
		return body, nil
	}
	sent, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return merge(sent, f.raw)
}

func merge(body, more json.RawMessage) (json.RawMessage, error) {
	var ours, theirs map[string]json.RawMessage
	if json.Unmarshal(body, &ours) != nil || json.Unmarshal(more, &theirs) != nil || ours == nil {
		return body, nil
	}
	for k, v := range theirs {
		if of, ok := ours[k]; ok {
			var err error
			if v, err = merge(of, v); err != nil {
				return nil, err
			}
		}
		ours[k] = v
	}
	return json.Marshal(ours)
}
