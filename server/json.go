package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"unicode/utf8"
)

// Bounds on the JSON of a body. Beside its length they bound the memory that
// reading it takes, which for tiny values is many times their length.
const (
	maxDepth  = 32      // of arrays and objects in each other
	maxNames  = 4096    // of one object
	maxValues = 200_000 // read at once
)

// checkJSON says what is wrong with a body that is to be one JSON value: besides
// what the grammar forbids (RFC 8259), text that is not UTF-8, a name that an
// object holds twice (of which readers take different ones), and values nested
// deeper than anything in the contract.
func checkJSON(body []byte) *problem {
	if len(bytes.TrimSpace(body)) == 0 {
		return badJSON("the body is empty: send a JSON object")
	}
	if !utf8.Valid(body) {
		return badJSON("the body is not UTF-8")
	}
	if depth, _ := measure(body); depth > maxDepth {
		return badJSON("the body nests deeper than %d levels", maxDepth)
	}
	if !json.Valid(body) {
		err := json.Unmarshal(body, new(any))
		if e, ok := errors.AsType[*json.SyntaxError](err); ok && e.Error() != "unexpected end of JSON input" {
			return badJSON("the body is not JSON: byte %d does not belong there", e.Offset)
		}
		return badJSON("the body is not JSON: it ends too early")
	}
	return checkNames(body)
}

func badJSON(format string, args ...any) *problem {
	return &problem{code: invalidJSON, message: fmt.Sprintf(format, args...)}
}

// measure returns how deep brackets outside strings nest, and how many values there
// are at most, names among them.
func measure(body []byte) (depth, values int) {
	open := 0
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '"':
			i = endOfString(body, i)
		case '{', '[':
			values++
			open++
			depth = max(depth, open)
		case '}', ']':
			open--
		case ',', ':':
			values++
		}
	}
	return depth, values + 1
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

// checkNames looks for an object in valid JSON that holds a name twice, or more
// names than anything in the contract.
func checkNames(body []byte) *problem {
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
					return &problem{invalidJSON, fmt.Sprintf("an object of the body holds %q twice", clip(name)), map[string]any{"field": clip(name)}}
				}
				if len(top.names) == maxNames {
					return badJSON("an object of the body holds more than %d names", maxNames)
				}
				top.names[name], top.key = true, false
			}
			i = end
		}
	}
	return nil
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

// members yields the names of an object in valid JSON, and their values as they are
// written. Of another value it yields nothing.
func members(object []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		i := spaces(object, 0)
		if object[i] != '{' {
			return
		}
		for i = spaces(object, i+1); object[i] != '}'; {
			end := endOfString(object, i) + 1
			name := unquote(object[i:end])
			from := spaces(object, spaces(object, end)+1) // behind the colon
			i = endOfValue(object, from)
			if !yield(name, object[from:i]) {
				return
			}
			if i = spaces(object, i); object[i] == ',' {
				i = spaces(object, i+1)
			}
		}
	}
}

// elements yields the values of an array in valid JSON as they are written. Of
// another value it yields nothing.
func elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		i := spaces(array, 0)
		if array[i] != '[' {
			return
		}
		for i = spaces(array, i+1); array[i] != ']'; {
			from := i
			i = endOfValue(array, from)
			if !yield(array[from:i]) {
				return
			}
			if i = spaces(array, i); array[i] == ',' {
				i = spaces(array, i+1)
			}
		}
	}
}

// spaces returns where the first byte stands at or behind i that is no white space.
func spaces(body []byte, i int) int {
	for i < len(body) && (body[i] == ' ' || body[i] == '\n' || body[i] == '\t' || body[i] == '\r') {
		i++
	}
	return i
}

// endOfValue returns where the value that begins at i has ended.
func endOfValue(body []byte, i int) int {
	for open := 0; i < len(body); i++ {
		switch body[i] {
		case '"':
			if i = endOfString(body, i); open == 0 {
				return i + 1
			}
		case '{', '[':
			open++
		case '}', ']':
			if open--; open == 0 {
				return i + 1
			}
			if open < 0 {
				return i // of what the value is in
			}
		case ',', ' ', '\n', '\t', '\r':
			if open == 0 {
				return i
			}
		}
	}
	return i
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
