package knowledge

import (
	"encoding/json"
	"fmt"
	"strings"
)

// checkMetadata refuses metadata that a filter could not compare, or that is too
// large.
func checkMetadata(m map[string]any) error {
	for key, v := range m {
		if key == "" || len(key) > 128 || strings.ContainsRune(key, 0) {
			return invalid("metadata", "a key must have 1 to 128 bytes")
		}
		if !comparable(v) {
			return invalid("metadata."+key, "must be a string, a number, a boolean, or a list of them")
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		return invalid("metadata", "%v", err)
	}
	if len(b) > MaxMetadata {
		return invalid("metadata", "is %d bytes of JSON, more than %d", len(b), MaxMetadata)
	}
	return nil
}

func comparable(v any) bool {
	switch v := v.(type) {
	case string, bool, float64, float32, int, int64, int32, uint, uint64, uint32, json.Number, nil:
		return true
	case []string:
		return true
	case []any:
		for _, e := range v {
			if _, nested := e.([]any); nested || !comparable(e) {
				return false
			}
		}
		return true
	}
	return false
}

// normal returns metadata as it reads back from JSON, so that a filter compares
// the same values before and after they were stored.
func normal(m map[string]any) (map[string]any, error) {
	if len(m) == 0 {
		return nil, nil
	}
	b, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	var out map[string]any
	err = json.Unmarshal(b, &out)
	return out, err
}
