package anthropic

import (
	"encoding/json"

	"github.com/answerdesk-go/answerdesk/llm/internal/schema"
)

// output is what structured output takes of JSON Schema: the lists are those of
// Anthropic's Go SDK 1.84, schemautil.go.
var output = schema.Dialect{
	Keywords: []string{
		"$ref", "$defs", "type", "anyOf", "allOf", "description", "title", "enum", "const",
		"properties", "additionalProperties", "required", "items", "minItems", "format", "pattern",
	},
	Formats: []string{"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"},
	Mend: func(s map[string]any) {
		if one, ok := s["oneOf"]; ok && s["anyOf"] == nil {
			s["anyOf"] = one
		}
		if n, ok := s["minItems"].(float64); ok && n > 1 {
			s["minItems"] = 1
		}
		if schema.Is(s["type"], "object") || s["properties"] != nil {
			if _, values := s["additionalProperties"].(map[string]any); !values || s["properties"] != nil {
				s["additionalProperties"] = false
			}
		}
	},
}

// parameters returns the schema of what a tool takes, which must say that it is an
// object.
func parameters(raw json.RawMessage) json.RawMessage {
	var s map[string]any
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil || s == nil {
		return json.RawMessage(`{"type":"object","properties":{}}`)
	}
	if s["type"] == "object" {
		return raw
	}
	s["type"] = "object"
	typed, err := json.Marshal(s)
	if err != nil {
		return raw // cannot be: it was JSON
	}
	return typed
}
