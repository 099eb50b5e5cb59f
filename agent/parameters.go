package agent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// maxSchemaNodes bounds the values of a schema, with those that a reference stands
// for each time.
const maxSchemaNodes = 20_000

// noParameters is the schema of a tool that takes none.
const noParameters = `{"type":"object","properties":{},"additionalProperties":false}`

// A schema is a JSON Schema of an object, ready to hold values to.
type schema struct {
	resolved   *jsonschema.Resolved
	properties map[string]*jsonschema.Resolved // each on its own
}

// readSchema reads a JSON Schema of an object; nil is that of an empty one. It takes
// no reference to another document, nor to itself, so that to hold a value to it ends
// soon whatever the value is.
func readSchema(raw json.RawMessage) (*schema, error) {
	if len(raw) == 0 {
		raw = json.RawMessage(noParameters)
	}
	if len(raw) > MaxSchema {
		return nil, fmt.Errorf("%d bytes are more than %d", len(raw), MaxSchema)
	}
	var whole map[string]any
	if err := json.Unmarshal(raw, &whole); err != nil || whole == nil {
		return nil, errors.New("it is not a JSON object")
	}
	if whole["type"] != "object" {
		return nil, errors.New(`its type is not "object"`)
	}
	m := measure{defs: map[string]any{}, sizes: map[string]int{}}
	for _, at := range []string{"$defs", "definitions"} {
		if defs, ok := whole[at].(map[string]any); ok {
			for name, def := range defs {
				m.defs["#/"+at+"/"+name] = def
			}
		}
	}
	if _, err := m.size(whole, 1); err != nil {
		return nil, err
	}
	s := &schema{properties: map[string]*jsonschema.Resolved{}}
	var err error
	if s.resolved, err = resolve(whole); err != nil {
		return nil, err
	}
	properties, _ := whole["properties"].(map[string]any)
	for name, p := range properties {
		alone := map[string]any{"allOf": []any{p}}
		for _, at := range []string{"$defs", "definitions"} {
			if defs, ok := whole[at]; ok {
				alone[at] = defs
			}
		}
		if s.properties[name], err = resolve(alone); err != nil {
			return nil, fmt.Errorf("property %q: %w", name, err)
		}
	}
	return s, nil
}

// resolve makes a schema ready. What it cannot take is an error, never a panic.
func resolve(v map[string]any) (resolved *jsonschema.Resolved, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("it cannot be read as a JSON Schema")
		}
	}()
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, err
	}
	if err := checkTypes(&s, ""); err != nil {
		return nil, err
	}
	return s.Resolve(nil)
}

// A measure counts the values of a schema.
type measure struct {
	defs  map[string]any
	sizes map[string]int // of those, 0 while one is counted
}

// size returns how many values there are in v, which is at a depth.
func (m *measure) size(v any, depth int) (n int, err error) {
	if depth > 2*maxSchemaDepth { // of keywords too
		return 0, fmt.Errorf("it is more than %d values deep", 2*maxSchemaDepth)
	}
	add := func(v any) error {
		some, err := m.size(v, depth+1)
		if n += some; err == nil && n > maxSchemaNodes {
			err = fmt.Errorf("it has more than %d values", maxSchemaNodes)
		}
		return err
	}
	n = 1
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if err := add(e); err != nil {
				return 0, err
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			switch target, isText := v[name].(string); {
			case name == "$ref" && isText:
				some, err := m.follow(target)
				if n += some; err != nil {
					return 0, err
				}
			case name == "$id" || name == "$anchor" || strings.HasPrefix(name, "$dynamic") || strings.HasPrefix(name, "$recursive") || name == "$schema" && !isText:
				return 0, fmt.Errorf("%s is not taken here", name)
			}
			if err := add(v[name]); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

// follow returns the size of what a reference stands for.
func (m *measure) follow(ref string) (int, error) {
	def, ok := m.defs[ref]
	if !ok {
		return 0, fmt.Errorf("$ref %.64q names nothing in $defs", ref)
	}
	if n, seen := m.sizes[ref]; seen {
		if n == 0 {
			return 0, fmt.Errorf("$ref %.64q refers to itself", ref)
		}
		return n, nil
	}
	m.sizes[ref] = 0
	n, err := m.size(def, 1)
	m.sizes[ref] = n
	return n, err
}

// check returns an error that says what to change unless a value fits.
func (s *schema) check(v any) error { return held(s.resolved, v) }

// allows reports whether a property may have a value.
func (s *schema) allows(property string, v any) bool {
	p, ok := s.properties[property]
	return ok && held(p, v) == nil
}

// held holds a value to a schema, which may be one that panics.
func held(r *jsonschema.Resolved, v any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("it cannot be compared with the schema")
		}
	}()
	return r.Validate(v)
}

// readObject reads JSON that must be one object, and nothing behind it.
func readObject(raw json.RawMessage) (map[string]any, error) {
	var v map[string]any
	if len(bytes.TrimSpace(raw)) == 0 {
		return map[string]any{}, nil
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	if v == nil {
		return nil, errors.New("it is null")
	}
	return v, nil
}
