package pull

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"unicode/utf8"
)

// Bounds of JSON that becomes values.
const (
	maxDepth    = 64      // objects and lists within each other
	maxParts    = 100_000 // keys and values of one item
	maxEnvelope = 200_000 // keys and values of a page that is read as a whole
)

var (
	errDeep  = fmt.Errorf("has more than %d objects and lists within each other", maxDepth)
	errParts = errors.New("has too many keys and values")
)

// checkJSON says what makes data no JSON.
func checkJSON(data []byte) error {
	if json.Valid(data) {
		return nil
	}
	err := json.Unmarshal(data, new(nothing))
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("%s at byte %d", e, e.Offset)
	}
	return err
}

// nothing is what is left of JSON that was read for its syntax alone.
type nothing struct{}

func (*nothing) UnmarshalJSON([]byte) error { return nil }

// A reader turns a bounded part of JSON, whose syntax was checked, into the
// values of encoding/json: map[string]any, []any, string, json.Number, bool and
// nil. Of members with the same name the last one counts.
type reader struct {
	data  []byte
	parts int // that may still be read
	list  int // elements of a list, or members of an object, that are read; the others are skipped. 0: all
	at    int
}

// decode reads data with at most so many keys and values.
func decode(data []byte, parts int) (any, error) {
	r := &reader{data: data, parts: parts}
	return r.value(0)
}

// sample reads data without what comes after the first elements of long lists.
func sample(data []byte, list int) (any, error) {
	r := &reader{data: data, parts: maxEnvelope, list: list}
	return r.value(0)
}

func (r *reader) space() {
	for r.at < len(r.data) && (r.data[r.at] == ' ' || r.data[r.at] == '\n' || r.data[r.at] == '\t' || r.data[r.at] == '\r') {
		r.at++
	}
}

func (r *reader) value(depth int) (any, error) {
	if r.parts--; r.parts < 0 {
		return nil, errParts
	}
	r.space()
	switch c := r.data[r.at]; c {
	case '{', '[':
		if depth == maxDepth {
			return nil, errDeep
		}
		return r.members(depth + 1)
	case '"':
		return r.text()
	default:
		from := r.at
		r.at = skip(r.data, from)
		switch c {
		case 't':
			return true, nil
		case 'f':
			return false, nil
		case 'n':
			return nil, nil
		}
		return json.Number(r.data[from:r.at]), nil
	}
}

// members reads an object or a list.
func (r *reader) members(depth int) (any, error) {
	closing := r.data[r.at] + 2 // ']' after '[', '}' after '{' in ASCII
	var object map[string]any
	list := []any{}
	if closing == '}' {
		object = map[string]any{}
	}
	r.at++
	for n := 0; ; n++ {
		r.space()
		if r.data[r.at] == closing {
			r.at++
			break
		}
		if r.data[r.at] == ',' {
			r.at++
			r.space()
		}
		if r.list > 0 && n >= r.list {
			r.at = skip(r.data, r.at) // a key, or an element
			if closing == '}' {
				r.space()
				r.at++
				r.space()
				r.at = skip(r.data, r.at)
			}
			continue
		}
		var key string
		if closing == '}' {
			if r.parts--; r.parts < 0 {
				return nil, errParts
			}
			var err error
			if key, err = r.text(); err != nil {
				return nil, err
			}
			r.space()
			r.at++ // the colon
		}
		v, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		if closing == '}' {
			object[key] = v
		} else {
			list = append(list, v)
		}
	}
	if closing == '}' {
		return object, nil
	}
	return list, nil
}

func (r *reader) text() (string, error) {
	from := r.at
	r.at = skip(r.data, from)
	return unquote(r.data[from:r.at])
}

// unquote reads a string.
func unquote(raw []byte) (string, error) {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner), nil
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err
}

// skip returns where the value ends that begins at i.
func skip(data []byte, i int) int {
	depth := 0
	for {
		switch data[i] {
		case '"':
			i = skipString(data, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ' ', '\n', '\t', '\r', ',', ':':
			i++
		default:
			i = skipWord(data, i)
		}
		if depth == 0 {
			return i
		}
	}
}

// skipWord returns the end of a number, or of true, false or null.
func skipWord(data []byte, i int) int {
	for ; i < len(data); i++ {
		switch data[i] {
		case ' ', '\n', '\t', '\r', ',', ']', '}':
			return i
		}
	}
	return i
}

func skipString(data []byte, i int) int {
	for i++; ; i++ {
		end := bytes.IndexByte(data[i:], '"')
		i += end
		backslashes := 0
		for data[i-1-backslashes] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 {
			return i + 1
		}
	}
}

// A span is a part of a page's bytes.
type span struct{ from, to int }

// within yields the keys and values of the object, or the values of the list,
// that begins at i; a key is nil in a list.
func within(data []byte, i int) iter.Seq2[[]byte, span] {
	return func(yield func([]byte, span) bool) {
		r := &reader{data: data, at: i + 1}
		for {
			r.space()
			switch data[r.at] {
			case '}', ']':
				return
			case ',':
				r.at++
				r.space()
			}
			var key []byte
			if data[i] == '{' {
				from := r.at
				r.at = skip(data, from)
				key = data[from:r.at]
				r.space()
				r.at++
				r.space()
			}
			from := r.at
			r.at = skip(data, from)
			if !yield(key, span{from, r.at}) {
				return
			}
		}
	}
}
