package index

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
)

// attributes returns the keys under which a document's agent, kind and
// metadata are looked up. A list has the key of each of its elements.
func attributes(d *Document) []string {
	keys := []string{agentKey(d.AgentID), kindKey(d.Kind)}
	for name, value := range d.Metadata {
		for _, v := range elements(value) {
			keys = append(keys, metadataKey(name, v))
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func agentKey(id string) string  { return "a" + id }
func kindKey(kind string) string { return "k" + kind }

// metadataKey writes a name and a JSON value so that different ones differ.
func metadataKey(name string, value any) string {
	return "m" + strconv.Itoa(len(name)) + ":" + name + valueKey(value)
}

func valueKey(value any) string {
	switch v := value.(type) {
	case string:
		return "s" + v
	case nil:
		return "n"
	case float64:
		return "f" + strconv.FormatFloat(v, 'g', -1, 64)
	}
	switch v := reflect.ValueOf(value); {
	case v.Kind() == reflect.String:
		return "s" + v.String()
	case v.CanInt():
		return "f" + strconv.FormatFloat(float64(v.Int()), 'g', -1, 64)
	case v.CanUint():
		return "f" + strconv.FormatFloat(float64(v.Uint()), 'g', -1, 64)
	case v.CanFloat():
		return "f" + strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	b, err := json.Marshal(value)
	if err != nil {
		return "x" // equal to nothing that comes as JSON
	}
	return "j" + string(b)
}

// elements returns the elements of a list, or the value alone.
func elements(value any) []any {
	switch v := value.(type) {
	case []any:
		return v
	case []string:
		list := make([]any, len(v))
		for i := range v {
			list[i] = v[i]
		}
		return list
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

// A filter holds groups of attribute numbers: a document passes if it has one
// of every group.
type filter struct {
	groups [][]uint32
	none   bool // some group has no number that any document has

	document uint32 // the last one asked for, plus one
	passes   bool
}

// filter resolves what a query asks for.
func (s *state) filter(q *Query) filter {
	var f filter
	if q.AgentID != "" {
		f.group(s, agentKey(q.AgentID), agentKey(""))
	}
	if len(q.Kinds) > 0 {
		keys := make([]string, len(q.Kinds))
		for i, k := range q.Kinds {
			keys[i] = kindKey(k)
		}
		f.group(s, keys...)
	}
	for name, value := range q.Filter {
		var keys []string
		for _, v := range elements(value) {
			keys = append(keys, metadataKey(name, v))
		}
		f.group(s, keys...)
	}
	return f
}

func (f *filter) group(s *state, keys ...string) {
	var numbers []uint32
	for _, k := range keys {
		if n, ok := s.attrs[k]; ok {
			numbers = append(numbers, n)
		}
	}
	f.groups = append(f.groups, numbers)
	f.none = f.none || len(numbers) == 0
}

// allows reports whether the rows of a document may be found. Asking for the
// same one again costs nothing.
func (f *filter) allows(s *state, number uint32) bool {
	if len(f.groups) == 0 {
		return true
	}
	if f.document == number+1 {
		return f.passes
	}
	f.document, f.passes = number+1, true
	attrs := s.documents[number].attrs
	for _, group := range f.groups {
		if !slices.ContainsFunc(group, func(n uint32) bool { return slices.Contains(attrs, n) }) {
			f.passes = false
			break
		}
	}
	return f.passes
}
