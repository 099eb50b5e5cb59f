package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// maxDepth bounds how deep arrays and objects of a body may nest.
const maxDepth = 32

// checkJSON says what is wrong with a body that is to be one JSON value: besides
// what the grammar forbids (RFC 8259), text that is not UTF-8, a name that an
// object holds twice (of which readers take different ones), and values nested
// deeper than anything in the contract.
func checkJSON(body []byte) *problem {
	if len(bytes.TrimSpace(body)) == 0 {
		return &problem{code: invalidJSON, message: "the body is empty: send a JSON object"}
	}
	if !utf8.Valid(body) {
		return &problem{code: invalidJSON, message: "the body is not UTF-8"}
	}
	if depth := depthOf(body); depth > maxDepth {
		return &problem{code: invalidJSON, message: fmt.Sprintf("the body nests deeper than %d levels", maxDepth)}
	}
	if !json.Valid(body) {
		message := "the body is not one JSON value"
		var into any
		if err := json.Unmarshal(body, &into); err != nil {
			if e, ok := err.(*json.SyntaxError); ok {
				message = fmt.Sprintf("the body is not JSON: byte %d does not belong there", e.Offset)
			}
		}
		return &problem{code: invalidJSON, message: message}
	}
	if name, ok := repeated(body); ok {
		return &problem{invalidJSON, fmt.Sprintf("an object of the body holds %q twice", clip(name)), map[string]any{"field": clip(name)}}
	}
	return nil
}

// depthOf returns how deep brackets outside strings nest.
func depthOf(body []byte) int {
	depth, deepest := 0, 0
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '"':
			i = endOfString(body, i)
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		}
	}
	return deepest
}

// endOfString returns where the string that begins at i ends.
func endOfString(body []byte, i int) int {
	for i++; i < len(body) && body[i] != '"'; i++ {
		if body[i] == '\\' {
			i++
		}
	}
	return i
}

// repeated returns a name that an object in valid JSON holds twice.
func repeated(body []byte) (string, bool) {
	type frame struct {
		names map[string]bool // nil in an array
		key   bool            // whether the next string is a name
	}
	var stack []frame
	for i := 0; i < len(body); i++ {
		var top *frame
		if len(stack) > 0 {
			top = &stack[len(stack)-1]
		}
		switch body[i] {
		case '{':
			stack = append(stack, frame{names: map[string]bool{}, key: true})
		case '[':
			stack = append(stack, frame{})
		case '}', ']':
			stack = stack[:len(stack)-1]
		case ',':
			top.key = top.names != nil
		case '"':
			end := endOfString(body, i)
			if top != nil && top.key {
				name := unquote(body[i : end+1])
				if top.names[name] {
					return name, true
				}
				top.names[name], top.key = true, false
			}
			i = end
		}
	}
	return "", false
}

// unquote returns what a JSON string says.
func unquote(quoted []byte) string {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1])
	}
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return strconv.Quote(string(quoted))
	}
	return s
}

// clip bounds what an error repeats of a caller's input.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	cut := most
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
