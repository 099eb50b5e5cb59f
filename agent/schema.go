package agent

import (
	"bytes"
	"encoding/json"
	"strings"
)

// MaxSchema bounds a JSON Schema that comes from outside, in bytes.
const MaxSchema = 32 << 10

// maxSchemaDepth is how many objects and lists of a schema may stand in each other.
const maxSchemaDepth = 32

// checkSchema returns an [InvalidError] of a field unless it is a JSON Schema of an
// object that stands on its own.
func checkSchema(field string, schema json.RawMessage) error {
	switch {
	case !isObject(schema):
		return invalid(field, "must be a JSON Schema, which is an object")
	case depthOf(schema) > maxSchemaDepth:
		return invalid(field, "is more than %d objects and lists deep", maxSchemaDepth)
	}
	if _, err := readSchema(schema); err != nil {
		reason, _, _ := strings.Cut(err.Error(), "\n")
		return invalid(field, "is not a schema of an object that can be taken: %s", clip(reason))
	}
	return nil
}

// isObject reports whether b is one JSON object and nothing else.
func isObject(b []byte) bool {
	return json.Valid(b) && bytes.HasPrefix(bytes.TrimSpace(b), []byte("{"))
}

// depthOf returns how many objects and lists stand in each other in valid JSON.
func depthOf(b []byte) (deepest int) {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}
