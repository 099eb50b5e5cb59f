package index

import (
	"encoding/binary"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// An attribute is a name and a value of a document, written so that those of one
// name stand in the order of their values: the name, a letter for the type, the
// value. What a filter allows is then a stretch of them.

// The fields that are each document's own. Their values are attributes as others
// are: written behind one another in order, a URL takes some twenty bytes.
const (
	urlField      = "$url"
	externalField = "$external_id"
)

// attributes calls yield with the attributes of a document, each in bytes that are
// not kept, that of its agent first. A list has one for each of its elements, and may
// have one several times.
func attributes(d *Document, yield func(key []byte)) {
	key := append(append(make([]byte, 0, 64), agentKey("")...), d.AgentID...)
	yield(key)
	add := func(name string, value any) {
		ok := false
		if key, ok = appendValue(appendName(key[:0], name), value); ok {
			yield(key)
		}
	}
	for name, value := range d.Fields {
		if value != "" {
			add(name, value)
		}
	}
	for name, value := range d.Metadata {
		if strings.HasPrefix(name, "$") {
			name = "$" + name
		}
		switch v := value.(type) {
		case string, float64, bool:
			add(name, v)
		default:
			for _, v := range elements(value) {
				add(name, v)
			}
		}
	}
	if d.URL != "" {
		add(urlField, d.URL)
	}
	if d.ExternalID != "" {
		add(externalField, d.ExternalID)
	}
}

// agentKey is the attribute that says whose a document is. It is a document's first.
func agentKey(id string) string { return "a" + id }

// appendName writes what the attributes of a name begin with, and no others.
func appendName(key []byte, name string) []byte {
	key = strconv.AppendInt(append(key, 'm'), int64(len(name)), 10)
	return append(append(key, ':'), name...)
}

// The types of values. What is of none of them, such as a null in a list, is no
// attribute.
const (
	boolValue   = 'b'
	numberValue = 'f'
	textValue   = 's'
)

// appendValue writes a value behind what is in key. It reports false for what is no
// value.
func appendValue(key []byte, value any) ([]byte, bool) {
	switch v := value.(type) {
	case string:
		return append(append(key, textValue), v...), true
	case float64:
		return appendNumber(key, v), true
	case bool:
		if v {
			return append(key, boolValue, '1'), true
		}
		return append(key, boolValue, '0'), true
	}
	switch v := reflect.ValueOf(value); {
	case v.Kind() == reflect.String:
		return append(append(key, textValue), v.String()...), true
	case v.CanInt():
		return appendNumber(key, float64(v.Int())), true
	case v.CanUint():
		return appendNumber(key, float64(v.Uint())), true
	case v.CanFloat():
		return appendNumber(key, v.Float()), true
	}
	return key, false
}

// appendNumber writes a number as eight bytes in the order of numbers.
func appendNumber(key []byte, f float64) []byte {
	bits := math.Float64bits(f + 0) // there is one zero
	if bits>>63 == 0 {
		bits |= 1 << 63
	} else {
		bits = ^bits
	}
	return binary.BigEndian.AppendUint64(append(key, numberValue), bits)
}

// elements returns the elements of a list, or the value alone.
func elements(value any) []any {
	switch v := value.(type) {
	case []any:
		return v
	case nil, string, float64, bool:
		return []any{value}
	}
	if v := reflect.ValueOf(value); v.Kind() == reflect.Slice {
		list := make([]any, v.Len())
		for i := range list {
			list[i] = v.Index(i).Interface()
		}
		return list
	}
	return []any{value}
}
