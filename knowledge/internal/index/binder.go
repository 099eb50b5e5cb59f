package index

import "slices"

// A check is a filter of which the names and values were looked up in a part.
// Those of one filter are a list, each leading to the next.
type check struct {
	kind        checkKind
	first, next int32  // checks that it is made of; none
	from, to    uint32 // numbers of attributes from one to before another, or where they are in binder.numbers
}

const none = -1

type checkKind uint8

const (
	never checkKind = iota
	always
	all
	some
	not
	owned   // the first attribute is from or to
	among   // some attribute is one of some numbers, in order
	between // some attribute is in a stretch
)

// A binder looks filters up in a part, and keeps what they became.
type binder struct {
	part    *part
	checks  []check
	numbers []uint32
	key     []byte
	one     [1]any
}

func (b *binder) reset(p *part) {
	b.part = p
	clear(b.checks)
	b.checks, b.numbers, b.one[0] = b.checks[:0], b.numbers[:0], nil
}

// check keeps a check and returns its number. A check for nothing is never.
func (b *binder) check(c check) int32 {
	if (c.kind == among || c.kind == between) && c.from >= c.to {
		c = check{}
	}
	c.next = none
	b.checks = append(b.checks, c)
	return int32(len(b.checks) - 1)
}

// combine looks up filters of which one that is decisive decides, and those that
// are idle do not count.
func (b *binder) combine(filters []Filter, kind, decisive, idle checkKind) int32 {
	first, last := int32(none), int32(none)
	for _, f := range filters {
		c := f.look(b)
		switch b.checks[c].kind {
		case decisive:
			return c
		case idle:
			continue
		}
		if first == none {
			first = c
		} else {
			b.checks[last].next = c
		}
		last = c
	}
	switch {
	case first == none:
		return b.check(check{kind: idle})
	case first == last:
		return first
	}
	return b.check(check{kind: kind, first: first})
}

// at returns the first attribute whose key is not less than b.key.
func (b *binder) at() uint32 {
	n, _ := b.part.attrKeys.Find(b.key)
	return n
}

// end returns the first attribute whose key is greater than all that begin with
// b.key, which ends in no byte 255.
func (b *binder) end() uint32 {
	b.key[len(b.key)-1]++
	n := b.at()
	b.key[len(b.key)-1]--
	return n
}

// bounds returns the attributes that pass a test against b.key, of which the first
// kind bytes are name and type: a value of another type never does.
func (b *binder) bounds(op Op, kind int) (from, to uint32) {
	at, found := b.part.attrKeys.Find(b.key)
	behind := at
	if found {
		behind++
	}
	whole := b.key
	b.key = whole[:kind]
	from, to = b.at(), b.end()
	b.key = whole
	switch op {
	case Gt:
		from = behind
	case Gte:
		from = at
	case Lt:
		to = at
	case Lte:
		to = behind
	case Prefix:
		from, to = at, b.end()
	}
	return from, to
}

// name puts the attributes of values behind begin, in order; if others were named
// before, those of them.
func (b *binder) name(values []any, name, begin int, named bool) {
	middle := len(b.numbers)
	for _, v := range values {
		key, ok := appendValue(b.key[:name], v)
		b.key = key
		if n, found := b.part.attrKeys.Find(key); ok && found {
			b.numbers = append(b.numbers, n)
		}
	}
	b.key = b.key[:name]
	list := b.numbers[middle:]
	slices.Sort(list)
	list = slices.Compact(list)
	if named {
		before := b.numbers[begin:middle]
		list = slices.DeleteFunc(list, func(n uint32) bool { return !slices.Contains(before, n) })
	}
	b.numbers = append(b.numbers[:begin], list...)
}

// A filter tells which documents of a part a query may find.
type filter struct {
	*binder
	root     int32
	document uint32 // the last one asked for, plus one
	passed   bool
	verdict  *verdict // what is remembered, if anything is
}

// filter looks up what a query asks for in a part.
func (b *binder) filter(p *part, q *Query) filter {
	b.reset(p)
	var filters [2]Filter
	n := 0
	if q.AgentID != "" {
		filters[n] = ownedBy(q.AgentID)
		n++
	}
	if q.Filter != nil {
		filters[n] = q.Filter
		n++
	}
	return filter{binder: b, root: b.combine(filters[:n], all, never, always)}
}

// ownedBy chooses the documents of an agent and those of all agents.
type ownedBy string

func (f ownedBy) look(b *binder) int32 {
	b.key = append(append(b.key[:0], agentKey("")...), f...)
	own, found := b.part.attrKeys.Find(b.key)
	b.key = b.key[:len(agentKey(""))]
	everyone, foundToo := b.part.attrKeys.Find(b.key)
	switch {
	case !found && !foundToo:
		return b.check(check{})
	case !found:
		own = everyone
	case !foundToo:
		everyone = own
	}
	return b.check(check{kind: owned, from: own, to: everyone})
}

// kind returns the kind of check that the filter is.
func (f *filter) kind() checkKind { return f.checks[f.root].kind }

// allows reports whether the rows of a document may be found. Asking for the same
// one again costs nothing.
func (f *filter) allows(document uint32) bool {
	if f.document != document+1 {
		f.document, f.passed = document+1, f.passes(f.root, document)
	}
	return f.passed
}

// allowsRow reports whether a row may be found.
func (f *filter) allowsRow(row uint32) bool {
	if f.verdict == nil {
		return f.allows(f.part.docs[row])
	}
	known, yes := f.verdict.find(row)
	if !known {
		yes = f.allows(f.part.docs[row])
		f.verdict.note(row, yes)
	}
	return yes
}

// few numbers are looked for one by one.
const few = 8

// passes reports whether a document is chosen.
func (b *binder) passes(number int32, document uint32) bool {
	c := &b.checks[number]
	switch c.kind {
	case always:
		return true
	case all, some:
		for n := c.first; n != none; n = b.checks[n].next {
			if b.passes(n, document) != (c.kind == all) {
				return c.kind == some
			}
		}
		return c.kind == all
	case not:
		return !b.passes(c.first, document)
	}
	p := b.part
	at, end := p.attrStarts[document], p.attrStarts[document+1]
	switch c.kind {
	case owned:
		n := p.attrs[at]
		return n == c.from || n == c.to
	case between:
		return p.hasAttribute(at, end, c.from, c.to)
	case among:
		list := b.numbers[c.from:c.to]
		if len(list) <= few {
			for _, n := range list {
				if p.hasAttribute(at, end, n, n+1) {
					return true
				}
			}
			return false
		}
		for ; at < end; at++ {
			if _, found := slices.BinarySearch(list, p.attrs[at]); found {
				return true
			}
		}
	}
	return false
}

// hasAttribute reports whether one of the attributes at some places, which are in
// order, is from one to before another.
func (g *segment) hasAttribute(at, end, from, to uint32) bool {
	for at < end {
		middle := (at + end) / 2
		switch n := g.attrs[middle]; {
		case n >= to:
			end = middle
		case n < from:
			at = middle + 1
		default:
			return true
		}
	}
	return false
}
