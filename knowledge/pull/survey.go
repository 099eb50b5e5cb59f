package pull

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/theory/jsonpath/spec"
)

// step is a member's name in a path.
func step(name string) string {
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return spec.Normalized(spec.Name(name)).String()[1:]
		}
	}
	if name == "" {
		return "['']"
	}
	return "." + name
}

// A stat is what is known of the values that a path leads to.
type stat struct {
	path    string
	names   []string // of the members that lead there, without lists
	lists   int      // on the way
	types   map[string]bool
	count   int
	items   int // in which there are some
	length  int // bytes of all strings
	spaces  int // strings with a space in them
	html    bool
	example string
	values  map[string]bool // different ones, as far as they are counted
	objects int             // elements of a list that are objects, or of a list of those
	of      int             // the last item that was counted
}

// A survey is the stats of all paths.
type stats map[string]*stat

// survey looks at all values in v.
func survey(v any, into stats) stats {
	if into == nil {
		into = stats{}
	}
	into.visit(v, "$", nil, 0, 1)
	return into
}

// surveyAll looks at all items.
func surveyAll(items []any) stats {
	all := stats{}
	for i, v := range items {
		all.visit(v, "$", nil, 0, i+1)
	}
	return all
}

func (s stats) visit(v any, path string, names []string, lists, item int) {
	one := s[path]
	if one == nil {
		if len(s) == 10*maxFound || len(path) > maxPath {
			return
		}
		one = &stat{path: path, names: names, lists: lists, types: map[string]bool{}, values: map[string]bool{}}
		s[path] = one
	}
	one.count++
	if one.of != item {
		one.of = item
		one.items++
	}
	one.types[typeOf(v)] = true
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			s.visit(v[key], path+step(key), append(slices.Clip(names), key), lists, item)
		}
	case []any:
		for _, e := range v {
			if _, ok := e.(map[string]any); ok {
				one.objects++
			}
			s.visit(e, path+"[*]", names, lists+1, item)
		}
	default:
		one.scalar(v)
	}
}

func (s *stat) scalar(v any) {
	t := text(v)
	if s.example == "" {
		s.example = clip(strings.Join(strings.Fields(t), " "), maxExample)
	}
	if len(s.values) <= maxList {
		s.values[clip(t, 200)] = true
	}
	if str, ok := v.(string); ok {
		s.length += len(str)
		s.html = s.html || isHTML(str)
		if strings.ContainsAny(strings.TrimSpace(str), " \n") {
			s.spaces++
		}
	}
}

func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case json.Number:
		return "number"
	case string:
		return "string"
	case []any:
		return "list"
	}
	return "object"
}
