// Package schema makes of a JSON Schema what a provider takes: each of them reads
// another part of it, and refuses a request with more.
package schema

import (
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strings"
)

// maxDepth bounds how deep a schema is nested.
const maxDepth = 64

// A Dialect is the part of JSON Schema that a provider takes.
type Dialect struct {
	Keywords []string             // all others are left out
	Formats  []string             // of strings, likewise
	Mend     func(map[string]any) // changes what else must be, in one schema, before that
}

// Narrow returns a schema in a dialect. Constraints that it has not are left out, so
// more fits the result than the schema. An error says what the schema is, without
// its words.
func (d Dialect) Narrow(raw json.RawMessage) (map[string]any, error) {
	var schema map[string]any
	if err := json.Unmarshal(raw, &schema); err != nil || schema == nil {
		return nil, errors.New("is no JSON object")
	}
	if !d.narrow(schema, 0) {
		return nil, errors.New("is nested too deeply")
	}
	return schema, nil
}

func (d Dialect) narrow(schema map[string]any, depth int) bool {
	if depth > maxDepth {
		return false
	}
	if ref, ok := schema["$ref"].(string); ok && depth > 0 { // with nothing beside it
		clear(schema)
		schema["$ref"] = strings.Replace(ref, "#/definitions/", "#/$defs/", 1)
		return true
	}
	if defs, ok := schema["definitions"]; ok && schema["$defs"] == nil {
		schema["$defs"] = defs
	}
	d.Mend(schema)
	for k := range schema {
		if !slices.Contains(d.Keywords, k) {
			delete(schema, k)
		}
	}
	if f, ok := schema["format"].(string); ok && !slices.Contains(d.Formats, f) {
		delete(schema, "format")
	}
	for below := range inside(schema) {
		if !d.narrow(below, depth+1) {
			return false
		}
	}
	return true
}

// inside yields the schemas right below one.
func inside(schema map[string]any) iter.Seq[map[string]any] {
	return func(yield func(map[string]any) bool) {
		for k, v := range schema {
			var below []any
			switch v := v.(type) {
			case map[string]any:
				if k == "items" || k == "additionalProperties" {
					below = []any{v}
				} else if k == "properties" || k == "$defs" {
					for _, s := range v {
						below = append(below, s)
					}
				}
			case []any:
				if k == "anyOf" || k == "allOf" || k == "oneOf" || k == "prefixItems" {
					below = v
				}
			}
			for _, s := range below {
				if s, ok := s.(map[string]any); ok && !yield(s) {
					return
				}
			}
		}
	}
}

// Is reports whether a type is, or may be, the one named.
func Is(typ any, name string) bool {
	several, ok := typ.([]any)
	return typ == any(name) || ok && slices.Contains(several, any(name))
}
