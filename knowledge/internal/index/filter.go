package index

import (
	"slices"
)

// A Filter chooses documents: one of [All], [Any], [Not] and [Has].
type Filter interface {
	// look looks up its names and values. It needs [state.order] to be ordered if
	// it asks for a stretch of values.
	look(s *state) check
	stretches() bool
}

// All chooses the documents that each of its filters chooses.
type All []Filter

// Any chooses the documents that one of its filters chooses.
type Any []Filter

// Not chooses the documents that its filter does not.
type Not struct{ Filter }

// Has chooses the documents with a value that passes every test; without a test,
// those with any value. Of a list one element has to pass all of them.
type Has struct {
	// Name is a key of [Document.Fields] or of the metadata. A key of the metadata
	// that begins with "$" has another one before it.
	Name  string
	Tests []Test
}

// A Test compares a value with one of the same type; those of other types do not
// pass.
type Test struct {
	Op    Op
	Value any   // a string, number or boolean; for Prefix a string
	In    []any // for In
}

// An Op is how a [Test] compares.
type Op uint8

// The tests there are. Strings are compared byte by byte.
const (
	Eq Op = iota
	In
	Gt
	Gte
	Lt
	Lte
	Prefix
)

// A check is a filter of which the names and values were looked up in a state.
type check struct {
	kind    checkKind
	of      []check
	numbers []uint32 // of attributes, few
	bits    []uint64 // of attributes, by number
	text    *textTest
}

type checkKind uint8

const (
	never checkKind = iota
	always
	all
	some
	not
	among  // some attribute is one of numbers
	marked // some attribute has its bit
	worded // a field of the document's own passes
)

func (f All) look(s *state) check { return s.combine(f, all, never, always) }
func (f Any) look(s *state) check { return s.combine(f, some, always, never) }

func (f All) stretches() bool { return slices.ContainsFunc(f, Filter.stretches) }
func (f Any) stretches() bool { return slices.ContainsFunc(f, Filter.stretches) }
func (f Not) stretches() bool { return f.Filter.stretches() }
func (f Has) stretches() bool { return !f.ofText() && !slices.ContainsFunc(f.Tests, Test.points) }

// ofText reports whether it is about a field of the document's own.
func (f Has) ofText() bool { return f.Name == urlField || f.Name == externalField }

// combine looks up filters of which one that is decisive decides, and those that
// are idle do not count.
func (s *state) combine(filters []Filter, kind, decisive, idle checkKind) check {
	out := check{kind: kind}
	for _, f := range filters {
		switch c := f.look(s); c.kind {
		case decisive:
			return c
		case idle:
		default:
			out.of = append(out.of, c)
		}
	}
	switch len(out.of) {
	case 0:
		return check{kind: idle}
	case 1:
		return out.of[0]
	}
	return out
}

func (f Not) look(s *state) check {
	switch c := f.Filter.look(s); c.kind {
	case never:
		return check{kind: always}
	case always:
		return check{kind: never}
	default:
		return check{kind: not, of: []check{c}}
	}
}

// points reports whether a test names the values that pass.
func (t Test) points() bool { return t.Op == Eq || t.Op == In }

func (f Has) look(s *state) check {
	if f.ofText() {
		if t, ok := f.textTest(); ok {
			return check{kind: worded, text: &t}
		}
		return check{}
	}
	name := nameKey(f.Name)
	all := stretch{name, after(name)}
	var points []string
	named := false
	for _, t := range f.Tests {
		if t.points() {
			keys := keysOf(name, t)
			if named {
				keys = slices.DeleteFunc(keys, func(k string) bool { return !slices.Contains(points, k) })
			}
			named, points = true, keys
			continue
		}
		key, ok := valueKey(name, t.Value)
		if !ok {
			return check{}
		}
		all = all.and(t.Op, key, name+key[len(name):len(name)+1])
	}
	if named {
		return s.among(slices.DeleteFunc(points, func(p string) bool { return p < all.from || p >= all.below }))
	}
	return s.between(all)
}

// A stretch is the attributes from one to before another.
type stretch struct{ from, below string }

// and leaves of a stretch what passes a test. A value of another type than key's
// never does.
func (s stretch) and(op Op, key, kind string) stretch {
	from, below := kind, after(kind)
	switch op {
	case Gt:
		from = key + "\x00"
	case Gte:
		from = key
	case Lt:
		below = key
	case Lte:
		below = key + "\x00"
	case Prefix:
		from, below = key, after(key)
	}
	return stretch{max(s.from, from), min(s.below, below)}
}

// after returns the first string that is greater than all that begin with s, which
// ends in no byte 255.
func after(s string) string { return s[:len(s)-1] + string([]byte{s[len(s)-1] + 1}) }

// keysOf are the attributes that pass an Eq or In.
func keysOf(name string, t Test) []string {
	values := t.In
	if t.Op == Eq {
		values = []any{t.Value}
	}
	keys := make([]string, 0, len(values))
	for _, v := range values {
		if key, ok := valueKey(name, v); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

// few numbers are looked for one by one; of more, bits are asked.
const few = 8

// marked checks for one of many attributes.
func (s *state) marked(numbers ...[]uint32) check {
	c := check{kind: marked, bits: make([]uint64, (len(s.attrKeys)+63)/64)}
	for _, list := range numbers {
		for _, n := range list {
			c.bits[n/64] |= 1 << (n % 64)
		}
	}
	return c
}

// among checks for one of some attributes.
func (s *state) among(keys []string) check {
	c := check{kind: among}
	for _, key := range keys {
		if n, ok := s.attrs[key]; ok {
			c.numbers = append(c.numbers, n)
		}
	}
	if len(c.numbers) == 0 {
		return check{}
	}
	if len(c.numbers) > few {
		return s.marked(c.numbers)
	}
	return c
}

// passes reports whether a document is chosen.
func (c *check) passes(s *state, document uint32) bool {
	switch c.kind {
	case always:
		return true
	case all:
		for i := range c.of {
			if !c.of[i].passes(s, document) {
				return false
			}
		}
		return true
	case some:
		for i := range c.of {
			if c.of[i].passes(s, document) {
				return true
			}
		}
	case not:
		return !c.of[0].passes(s, document)
	case among:
		attrs := s.attributes(document)
		return slices.ContainsFunc(c.numbers, func(n uint32) bool { return slices.Contains(attrs, n) })
	case marked:
		for _, n := range s.attributes(document) {
			if c.bits[n/64]>>(n%64)&1 != 0 {
				return true
			}
		}
	case worded:
		return c.text.passes(s, &s.documents[document])
	}
	return false
}

// A filter tells which documents a query may find.
type filter struct {
	check
	document uint32 // the last one asked for, plus one
	passed   bool
}

// filter looks up what a query asks for.
func (s *state) filter(q *Query) filter {
	var filters All
	if q.AgentID != "" {
		filters = append(filters, anyKey{agentKey(q.AgentID), agentKey("")})
	}
	if q.Filter != nil {
		filters = append(filters, q.Filter)
	}
	return filter{check: filters.look(s)}
}

// anyKey chooses the documents with one of some attributes.
type anyKey []string

func (f anyKey) look(s *state) check { return s.among(f) }
func (f anyKey) stretches() bool     { return false }

// allows reports whether the rows of a document may be found. Asking for the same
// one again costs nothing.
func (f *filter) allows(s *state, number uint32) bool {
	if f.kind == always {
		return true
	}
	if f.document != number+1 {
		f.document, f.passed = number+1, f.check.passes(s, number)
	}
	return f.passed
}
