package sqlstore

import (
	"encoding/json"
	"fmt"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// object returns a value as the JSON that a row of a table holds it in.
func object(table, id string, v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", table, id, err)
	}
	return string(b), nil
}

// runError returns why a run or an item failed as a row holds it: empty if it did
// not.
func runError(table, id string, e *knowledge.RunError) (string, error) {
	if e == nil {
		return "", nil
	}
	return object(table, id, e)
}

// readRunError reads what [runError] returned.
func readRunError(table, id, text string) (e *knowledge.RunError, err error) {
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return nil, corrupt(table, id, err)
	}
	return e, nil
}

// flag is how a row holds what is true.
func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
