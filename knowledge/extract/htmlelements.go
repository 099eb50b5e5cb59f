package extract

// maxOpen is how many elements may be open at once; browsers stop at 512.
// Text nested deeper is left out.
const maxOpen = 1 << 12

// elements are the open elements that matter: blocks, what is skipped and
// everything inside it. Each tag takes amortised constant time, whatever the
// nesting: a name's open elements are found by at, and what one tag pushed is
// popped once.
type elements struct {
	stack    []element
	at       map[string][]int32 // where in stack the elements of a name are
	scopes   []int32            // where the tables, cells and captions are
	overflow int                // elements open beyond maxOpen
	skipAt   int                // 1 + where the skipped element is; 0: none

	heading               uint8 // level of the open one, or 0
	pre, quote            int
	main, article, chrome int
	lists                 []list
	tables                []int32 // numbers of the open tables
}

type element struct {
	name string
	tag  tag
	skip bool
}

// A list is an open ol or ul.
type list struct {
	number int32 // of the last item; stays 0 in an ul
	fresh  bool  // an item began and has shown no text yet
	open   bool  // ordered
}

func (s *elements) skipping() bool { return s.skipAt > 0 || s.overflow > 0 }

func (s *elements) table() int32 {
	if len(s.tables) == 0 {
		return 0
	}
	return s.tables[len(s.tables)-1]
}

func (s *elements) region() region {
	var r region
	if s.main > 0 {
		r |= inMain
	}
	if s.article > 0 {
		r |= inArticle
	}
	if s.chrome > 0 {
		r |= inChrome
	}
	return r
}

// push opens e and reports whether there was room.
func (s *elements) push(e element) bool {
	if len(s.stack) >= maxOpen {
		s.overflow++
		return false
	}
	if e.tag&furniture != 0 && s.main+s.article > 0 {
		e.tag &^= furniture // the header of an article is part of it
	}
	at := int32(len(s.stack))
	s.stack = append(s.stack, e)
	s.at[e.name] = append(s.at[e.name], at)
	if e.tag&scope != 0 {
		s.scopes = append(s.scopes, at)
	}
	if s.skipAt > 0 {
		return true
	}
	if e.skip {
		s.skipAt = int(at) + 1
		return true
	}
	switch t := e.tag; {
	case t&heading != 0:
		s.heading = e.name[1] - '0'
	case t&(ordered|unordered) != 0:
		s.lists = append(s.lists, list{open: t&ordered != 0})
	case t&listItem != 0 && len(s.lists) > 0:
		l := &s.lists[len(s.lists)-1]
		l.fresh = true
		if l.open {
			l.number++
		}
	}
	s.count(e.tag, 1)
	return true
}

func (s *elements) count(t tag, by int) {
	switch {
	case t&pre != 0:
		s.pre += by
	case t&quote != 0:
		s.quote += by
	case t&mainTag != 0:
		s.main += by
	case t&articleTag != 0:
		s.article += by
	case t&furniture != 0:
		s.chrome += by
	}
}

// closeTo closes all elements from the one at position to on, telling each
// block's end.
func (s *elements) closeTo(to int32, boundary func(tag)) {
	for int32(len(s.stack)) > to {
		at := len(s.stack) - 1
		e := s.stack[at]
		if s.skipAt == 0 && e.tag&block != 0 {
			boundary(e.tag)
		}
		s.stack = s.stack[:at]
		s.at[e.name] = s.at[e.name][:len(s.at[e.name])-1]
		if e.tag&scope != 0 {
			s.scopes = s.scopes[:len(s.scopes)-1]
		}
		switch {
		case s.skipAt == at+1:
			s.skipAt = 0
			continue
		case s.skipAt > 0:
			continue
		case e.tag&heading != 0:
			s.heading = 0
		case e.tag&(ordered|unordered) != 0:
			s.lists = s.lists[:len(s.lists)-1]
		case e.tag&tableTag != 0 && len(s.tables) > 0:
			s.tables = s.tables[:len(s.tables)-1]
		}
		s.count(e.tag, -1)
	}
}

// last returns where the innermost element with one of names is, or -1.
func (s *elements) last(names ...string) int32 {
	last := int32(-1)
	for _, name := range names {
		if at := s.at[name]; len(at) > 0 {
			last = max(last, at[len(at)-1])
		}
	}
	return last
}

// scope returns where the innermost table, cell or caption is, or -1: other
// tags close nothing outside it.
func (s *elements) scope() int32 {
	if len(s.scopes) == 0 {
		return -1
	}
	return s.scopes[len(s.scopes)-1]
}

// closeImplied closes what the start of a block of this name closes by itself:
// a paragraph, the item before the next, the cell before the next.
func (s *elements) closeImplied(name string, t tag, boundary func(tag)) {
	if p := s.last("p"); p > s.scope() {
		s.closeTo(p, boundary)
	}
	within := s.scope()
	var names []string
	switch {
	case t&heading != 0:
		names = headingNames
	case name == "li":
		within = max(within, s.last("ul", "ol", "menu", "dir"))
		names = []string{"li"}
	case name == "dt" || name == "dd":
		within = max(within, s.last("dl"))
		names = []string{"dt", "dd"}
	case t&cell != 0:
		within, names = s.last("table"), []string{"td", "th", "caption"}
	case t&row != 0:
		within, names = s.last("table"), []string{"tr", "td", "th", "caption"}
	case name == "thead" || name == "tbody" || name == "tfoot":
		within, names = s.last("table"), []string{"thead", "tbody", "tfoot", "caption"}
	}
	for _, n := range names {
		if at := s.last(n); at > within {
			s.closeTo(at, boundary)
		}
	}
}

// closeNamed closes the innermost element of the name an end tag has.
func (s *elements) closeNamed(name string, t tag, boundary func(tag)) {
	if s.overflow > 0 {
		s.overflow--
		return
	}
	at, within := s.last(name), s.scope()
	switch {
	case t&heading != 0:
		at = s.last(headingNames...)
	case t&(cell|row|scope) != 0 || name == "thead" || name == "tbody" || name == "tfoot":
		within = s.last("table") - 1
	}
	if at >= 0 && at > within {
		s.closeTo(at, boundary)
	}
}
