package generative

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// flat returns JSON as lines of names and values, as a text that is compared with
// what is said of it. What is no JSON is a text already.
func flat(raw json.RawMessage) string {
	text, _ := flattened(raw)
	return text
}

// flattened is flat that returns the value too, with its numbers as they are written; nil
// for what is no JSON.
func flattened(raw json.RawMessage) (text string, v any) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return string(raw), nil
	}
	var b strings.Builder
	flatten(&b, "", v)
	return b.String(), v
}

func flatten(b *strings.Builder, name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			flatten(b, strings.TrimSpace(name+" "+strings.ReplaceAll(k, "_", " ")), v[k])
		}
	case []any:
		for _, e := range v {
			flatten(b, name, e)
		}
	case nil:
	default:
		if name != "" {
			b.WriteString(name)
			b.WriteString(": ")
		}
		if s, ok := v.(string); ok {
			b.WriteString(s)
		} else {
			fmt.Fprint(b, v)
		}
		b.WriteByte('\n')
	}
}
