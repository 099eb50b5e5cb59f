package index

import "slices"

// A Filter chooses documents: one of [All], [Any], [Not] and [Has].
type Filter interface {
	// look looks its names and values up in a part, and returns the number of the
	// check that this makes.
	look(b *binder) int32
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

func (f All) look(b *binder) int32 { return b.combine(f, all, never, always) }
func (f Any) look(b *binder) int32 { return b.combine(f, some, always, never) }

func (f Not) look(b *binder) int32 {
	inner := f.Filter.look(b)
	switch b.checks[inner].kind {
	case never:
		return b.check(check{kind: always})
	case always:
		return b.check(check{kind: never})
	}
	return b.check(check{kind: not, first: inner, next: none})
}

// points reports whether a test names the values that pass.
func (t Test) points() bool { return t.Op == Eq || t.Op == In }

func (f Has) look(b *binder) int32 {
	b.key = appendName(b.key[:0], f.Name)
	name := len(b.key)
	from, to := b.at(), b.end()
	begin := len(b.numbers) // of the values that are named
	named := false
	for _, t := range f.Tests {
		if t.points() {
			values := t.In
			if t.Op == Eq {
				b.one[0] = t.Value
				values = b.one[:]
			}
			b.name(values, name, begin, named)
			named = true
			continue
		}
		key, ok := appendValue(b.key[:name], t.Value)
		if b.key = key; !ok {
			return b.check(check{})
		}
		low, high := b.bounds(t.Op, name+1)
		from, to = max(from, low), min(to, high)
		b.key = b.key[:name]
	}
	if !named {
		return b.check(check{kind: between, from: from, to: to})
	}
	kept := slices.DeleteFunc(b.numbers[begin:], func(n uint32) bool { return n < from || n >= to })
	b.numbers = b.numbers[:begin+len(kept)]
	if n := len(kept); n > 0 && int(kept[n-1]-kept[0]) == n-1 { // a stretch
		return b.check(check{kind: between, from: kept[0], to: kept[n-1] + 1})
	}
	return b.check(check{kind: among, from: uint32(begin), to: uint32(len(b.numbers))})
}
