package agent

import "encoding/json"

// HoldTo holds the arguments of a call to a schema, and reports whether they fit.
func HoldTo(parameters, arguments json.RawMessage) bool {
	s, err := readSchema(parameters)
	if err != nil {
		return false
	}
	box := toolbox{}
	box.schemas = map[string]*schema{"x": s}
	_, _, err = box.arguments(Tool{Name: "x"}, arguments, map[string]any{"x": 1, "y": []any{"z"}})
	return err == nil
}
