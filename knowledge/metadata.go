package knowledge

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge/extract"
)

// checkMetadata refuses metadata that a filter could not compare, or that is too
// large.
func checkMetadata(m map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if key == "" || len(key) > 128 || readable(key) != nil {
			return invalid("metadata", "a key must have 1 to 128 bytes of UTF-8 text")
		}
		if !comparable(m[key]) {
			return invalid("metadata."+key, "must be a string of UTF-8 text, a number, a boolean, or a list of them")
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
	case string:
		return readable(v) == nil
	case bool, float64, float32, int, int64, int32, uint, uint64, uint32, json.Number, nil:
		return true
	case []bool, []float64, []int, []int64:
		return true
	case []string:
		return !slices.ContainsFunc(v, func(s string) bool { return readable(s) != nil })
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
// the same values before and after they were stored. A key whose value is nil is
// left out, as a [Patch] does.
func normal(m map[string]any) (map[string]any, error) {
	if len(m) == 0 {
		return nil, nil
	}
	b, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	var out map[string]any
	if err := json.Unmarshal(b, &out); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	maps.DeleteFunc(out, func(_ string, v any) bool { return v == nil })
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// withDates adds when the document was written to its metadata, as far as that is
// known and nothing else is there.
func withDates(m map[string]any, res extract.Result) map[string]any {
	out := maps.Clone(m)
	if out == nil {
		out = map[string]any{}
	}
	for key, at := range map[string]time.Time{"created": res.Created, "modified": res.Modified} {
		if _, given := out[key]; !given && !at.IsZero() {
			out[key] = at.UTC().Format(time.RFC3339)
		}
	}
	if len(out) == len(m) || checkMetadata(out) != nil {
		return m
	}
	return out
}
