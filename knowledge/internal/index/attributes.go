package index

import (
	"encoding/binary"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// An attribute is a name and a value of a document, written so that those of one
// name stand in the order of their values: the name, a letter for the type, the
// value. What a filter allows is then a stretch of them.

// attributes returns the attributes of a document. A list has one for each of its
// elements.
func attributes(d *Document) []string {
	keys := []string{agentKey(d.AgentID)}
	add := func(name string, value any) {
		if key, ok := valueKey(nameKey(name), value); ok {
			keys = append(keys, key)
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
		for _, v := range elements(value) {
			add(name, v)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func agentKey(id string) string { return "a" + id }

// nameKey is what the attributes of a name begin with, and no others.
func nameKey(name string) string { return "m" + strconv.Itoa(len(name)) + ":" + name }

// The types of values. What is of none of them, such as a null in a list, is no
// attribute.
const (
	boolValue   = "b"
	numberValue = "f"
	textValue   = "s"
)

// valueKey writes a value behind a name. It reports false for what is no value.
func valueKey(name string, value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return name + textValue + v, true
	case float64:
		return name + numberValue + sortable(v), true
	case bool:
		if v {
			return name + boolValue + "1", true
		}
		return name + boolValue + "0", true
	}
	switch v := reflect.ValueOf(value); {
	case v.Kind() == reflect.String:
		return name + textValue + v.String(), true
	case v.CanInt():
		return name + numberValue + sortable(float64(v.Int())), true
	case v.CanUint():
		return name + numberValue + sortable(float64(v.Uint())), true
	case v.CanFloat():
		return name + numberValue + sortable(v.Float()), true
	}
	return "", false
}

// sortable writes a number as eight bytes in the order of numbers.
func sortable(f float64) string {
	bits := math.Float64bits(f + 0) // there is one zero
	if bits>>63 == 0 {
		bits |= 1 << 63
	} else {
		bits = ^bits
	}
	return string(binary.BigEndian.AppendUint64(nil, bits))
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

// attributes returns the numbers of a document's attributes.
func (s *state) attributes(document uint32) []uint32 {
	d := &s.documents[document]
	return s.attrLists[d.attrs : d.attrs+d.attrCount]
}

// attribute returns the number of an attribute, a new one if it has none.
func (s *state) attribute(key string) uint32 {
	n, ok := s.attrs[key]
	if !ok {
		n = uint32(len(s.attrKeys))
		s.attrs[key] = n
		s.attrKeys = append(s.attrKeys, key)
		s.size += int64(len(key)) + 40
	}
	return n
}

// unordered returns the attributes that came after the others were put in order.
func (s *state) unordered() int { return len(s.attrKeys) - len(s.order) }

// ordered returns all attributes in order.
func (s *state) ordered() []uint32 {
	compare := func(a, b uint32) int { return strings.Compare(s.attrKeys[a], s.attrKeys[b]) }
	late := make([]uint32, 0, s.unordered())
	for n := len(s.order); n < len(s.attrKeys); n++ {
		late = append(late, uint32(n))
	}
	slices.SortFunc(late, compare)
	out := make([]uint32, 0, len(s.attrKeys))
	for _, n := range s.order {
		for len(late) > 0 && compare(late[0], n) < 0 {
			out, late = append(out, late[0]), late[1:]
		}
		out = append(out, n)
	}
	return append(out, late...)
}

// between checks for an attribute of a stretch.
func (s *state) between(t stretch) check {
	at := func(key string) int {
		i, _ := slices.BinarySearchFunc(s.order, key, func(n uint32, key string) int { return strings.Compare(s.attrKeys[n], key) })
		return i
	}
	first := at(t.from)
	found := s.order[first:max(first, at(t.below))]
	var late []uint32
	for n := len(s.order); n < len(s.attrKeys); n++ {
		if key := s.attrKeys[n]; key >= t.from && key < t.below {
			late = append(late, uint32(n))
		}
	}
	if len(found)+len(late) == 0 {
		return check{}
	}
	return s.marked(found, late)
}
