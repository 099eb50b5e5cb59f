package knowledge

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

// Limits of [Query.Filter].
const (
	MaxConditions   = 100       // values and operators, all together
	MaxFilterDepth  = 8         // filters in each other, the outermost included
	MaxFilterValues = 1000      // of a list
	MaxFilterBytes  = 256 << 10 // of the names and values in it
)

// filterFields are what a filter may ask for beside the metadata.
var filterFields = []string{"$external_id", "$kind", "$language", "$source_id", "$url"}

// CheckFilter returns an [InvalidError] for what [Query.Filter] cannot take. It names
// the place, such as filter.$or[1].price.$gte.
func CheckFilter(filter map[string]any) error {
	_, err := readFilter(filter)
	return err
}

// readFilter reads [Query.Filter]. What it cannot take is an [InvalidError] that
// names the place, such as filter.$or[1].price.$gte.
func readFilter(filter map[string]any) (index.Filter, error) {
	if len(filter) == 0 {
		return nil, nil
	}
	return new(filterReader).filter("filter", filter, 1)
}

// A filterReader counts what it has read of a filter.
type filterReader struct {
	conditions int
	bytes      int
}

// filter reads a filter, all of whose parts must hold.
func (r *filterReader) filter(path string, filter map[string]any, depth int) (index.Filter, error) {
	switch {
	case depth > MaxFilterDepth:
		return nil, invalid(path, "is more than %d filters deep: write it flatter", MaxFilterDepth)
	case len(filter) == 0:
		return nil, invalid(path, "is empty: leave it out")
	case len(filter) > MaxConditions:
		return nil, tooManyConditions(path)
	}
	var all index.All
	for _, key := range slices.Sorted(maps.Keys(filter)) {
		if key == "" || len(key) > 128 || readable(key) != nil {
			return nil, invalid(path, "a key must have 1 to 128 bytes of UTF-8 text")
		}
		if err := r.took(path, len(key)); err != nil {
			return nil, err
		}
		f, err := r.part(path+"."+key, key, filter[key], depth)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// part reads what a filter says under a key.
func (r *filterReader) part(path, key string, value any, depth int) (index.Filter, error) {
	switch {
	case key == "$and":
		list, err := r.filters(path, value, depth)
		return index.All(list), err
	case key == "$or":
		list, err := r.filters(path, value, depth)
		return index.Any(list), err
	case key == "$not":
		f, ok := value.(map[string]any)
		if !ok {
			return nil, invalid(path, "must be a filter, which is an object")
		}
		inner, err := r.filter(path, f, depth+1)
		return index.Not{Filter: inner}, err
	case strings.HasPrefix(key, "$") && !strings.HasPrefix(key, "$$") && !slices.Contains(filterFields, key):
		return nil, invalid(path, "is not known here: there are $and, $or, $not and the fields %s; write $%s for metadata of this name",
			strings.Join(filterFields, ", "), key)
	}
	return r.field(path, key, value)
}

// filters reads the operands of $and and $or.
func (r *filterReader) filters(path string, value any, depth int) ([]index.Filter, error) {
	var list []map[string]any
	switch v := value.(type) {
	case []map[string]any:
		list = v
	case []any:
		for i, e := range v {
			f, ok := e.(map[string]any)
			if !ok {
				return nil, invalid(at(path, i), "must be a filter, which is an object")
			}
			list = append(list, f)
		}
	default:
		return nil, invalid(path, "must be a list of filters")
	}
	switch {
	case len(list) == 0:
		return nil, invalid(path, "is empty: leave it out")
	case len(list) > MaxConditions:
		return nil, tooManyConditions(path)
	}
	out := make([]index.Filter, len(list))
	for i, f := range list {
		var err error
		if out[i], err = r.filter(at(path, i), f, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// at names an element of a list.
func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// field reads what the values of a name must be.
func (r *filterReader) field(path, name string, value any) (index.Filter, error) {
	asked, ok := value.(map[string]any)
	if !ok {
		operator := "$eq"
		if _, many := elementsOf(value); many {
			operator = "$in"
		}
		t, err := r.test(path, operator, value)
		return index.Has{Name: name, Tests: []index.Test{t}}, err
	}
	if len(asked) == 0 {
		return nil, invalid(path, "has no operator: write one of %s", knownOperators)
	}
	var all index.All
	var tests []index.Test // of one and the same value
	for _, operator := range slices.Sorted(maps.Keys(asked)) {
		path, value := path+"."+clip(operator, 64), asked[operator]
		switch operator {
		case "$exists":
			is, ok := value.(bool)
			if !ok {
				return nil, invalid(path, "must be true or false")
			}
			if err := r.condition(path); err != nil {
				return nil, err
			}
			all = append(all, index.Has{Name: name})
			if !is {
				all[len(all)-1] = index.Not{Filter: index.Has{Name: name}}
			}
		case "$ne", "$nin":
			t, err := r.test(path, operator, value)
			if err != nil {
				return nil, err
			}
			all = append(all, index.Not{Filter: index.Has{Name: name, Tests: []index.Test{t}}})
		default:
			t, err := r.test(path, operator, value)
			if err != nil {
				return nil, err
			}
			tests = append(tests, t)
		}
	}
	if len(tests) > 0 {
		all = append(all, index.Has{Name: name, Tests: tests})
	}
	return all, nil
}

// operators are those that compare, with what they do in the index. $ne and $nin
// are turned round by who reads them.
var operators = map[string]index.Op{
	"$eq": index.Eq, "$ne": index.Eq, "$in": index.In, "$nin": index.In,
	"$gt": index.Gt, "$gte": index.Gte, "$lt": index.Lt, "$lte": index.Lte, "$prefix": index.Prefix,
}

const knownOperators = "$eq, $ne, $in, $nin, $gt, $gte, $lt, $lte, $prefix, $exists"

// test reads an operator that compares.
func (r *filterReader) test(path, operator string, value any) (t index.Test, err error) {
	op, known := operators[operator]
	if !known {
		return t, invalid(path, "is no operator: write one of %s; metadata holds no objects", knownOperators)
	}
	if err := r.condition(path); err != nil {
		return t, err
	}
	t.Op = op
	if op == index.In {
		t.In, err = r.values(path, value)
		return t, err
	}
	if t.Value, err = r.value(path, value); err != nil {
		return t, err
	}
	_, isText := t.Value.(string)
	_, isBool := t.Value.(bool)
	switch {
	case op == index.Prefix && !isText:
		return t, invalid(path, "must be text")
	case op != index.Eq && isBool:
		return t, invalid(path, "must be text or a number: booleans have no order")
	}
	return t, nil
}

// values reads the list of a $in.
func (r *filterReader) values(path string, value any) ([]any, error) {
	list, ok := elementsOf(value)
	switch {
	case !ok:
		return nil, invalid(path, "must be a list")
	case len(list) > MaxFilterValues:
		return nil, invalid(path, "has %d values, more than %d: ask in parts", len(list), MaxFilterValues)
	}
	out := make([]any, len(list))
	for i, v := range list {
		var err error
		if out[i], err = r.value(at(path, i), v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// value reads a string, number or boolean.
func (r *filterReader) value(path string, value any) (any, error) {
	v, ok := scalarOf(value)
	size := 8
	switch text, isText := v.(string); {
	case value == nil:
		return nil, invalid(path, `is null, which is no value: leave it out, or write {"$exists": false}`)
	case !ok:
		return nil, invalid(path, "must be text, a number or a boolean")
	case isText && readable(text) != nil:
		return nil, invalid(path, "%v", readable(text))
	case isText:
		size = len(text)
	}
	return v, r.took(path, size)
}

// condition counts a condition.
func (r *filterReader) condition(path string) error {
	if r.conditions++; r.conditions > MaxConditions {
		return tooManyConditions(path)
	}
	return nil
}

func tooManyConditions(path string) error {
	return invalid(path, "the filter has more than %d conditions: use $in for many values of one key", MaxConditions)
}

// took counts bytes of names and values.
func (r *filterReader) took(path string, bytes int) error {
	if r.bytes += bytes; r.bytes > MaxFilterBytes {
		return invalid(path, "the filter is longer than %d bytes: ask in parts", MaxFilterBytes)
	}
	return nil
}
