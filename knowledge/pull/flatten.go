package pull

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/theory/jsonpath/spec"
)

// Bounds of what flatten writes.
const (
	maxLines   = 2_000
	maxFlat    = 256 << 10 // bytes
	maxNoSpace = 256       // bytes of a string without a space, which nobody reads
)

// flatten writes what is in v, but not at the places that are taken, as lines of
// names and values.
func flatten(v any, taken map[string]bool) string {
	f := &flattener{taken: taken}
	f.write(v, nil, nil)
	return strings.TrimSuffix(f.out.String(), "\n")
}

type flattener struct {
	out   strings.Builder
	lines int
	taken map[string]bool
}

// write writes v, which is at the place at and under the names given.
func (f *flattener) write(v any, at spec.NormalizedPath, names []string) {
	if f.lines == maxLines || len(f.taken) > 0 && f.taken[at.String()] {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if key != "_links" { // of HAL: addresses of the API
				f.write(v[key], append(slices.Clip(at), spec.Name(key)), append(slices.Clip(names), readable(key)))
			}
		}
	case []any:
		if line, ok := f.list(v, at); ok {
			f.line(names, line)
			return
		}
		for i, e := range v {
			f.write(e, append(slices.Clip(at), spec.Index(i)), append(slices.Clip(names), fmt.Sprint(i+1)))
		}
	default:
		f.line(names, word(v))
	}
}

// list writes a list without objects and lists in it.
func (f *flattener) list(v []any, at spec.NormalizedPath) (string, bool) {
	var words []string
	for i, e := range v {
		switch e.(type) {
		case map[string]any, []any:
			return "", false
		}
		if w := word(e); w != "" && (len(f.taken) == 0 || !f.taken[append(slices.Clip(at), spec.Index(i)).String()]) {
			words = append(words, w)
		}
	}
	return strings.Join(words, ", "), true
}

func (f *flattener) line(names []string, value string) {
	line := value
	if name := strings.Join(names, " › "); name != "" {
		line = name + ": " + value
	}
	if value == "" || f.lines == maxLines || f.out.Len()+len(line) > maxFlat {
		return
	}
	f.lines++
	f.out.WriteString(line)
	f.out.WriteByte('\n')
}

// word is how a line shows a value.
func word(v any) string {
	switch v := v.(type) {
	case string:
		if len(v) > maxNoSpace && !strings.ContainsAny(v, " \n\t") && v[0] < 0x80 {
			return ""
		}
		return oneLine(v)
	case json.Number, bool:
		return text(v)
	}
	return ""
}

// readable is a name as a reader would write it.
func readable(key string) string {
	return clip(strings.Join(strings.Fields(strings.ReplaceAll(clean(key), "_", " ")), " "), 100)
}
