package index

import (
	"bytes"
	"cmp"
	"slices"
)

// In a large segment documents stand in the order of their paths: those of one folder
// are about one thing, so that a word stands in few blocks of rows, often, and most
// blocks can be left out of a search (Silvestri, "Sorting out the document identifier
// assignment problem", 2007). What a search finds does not depend on it.
//
// A path is a URL, or an external id with a slash. Documents without one come first,
// as they were put.

// orderedRows is how many rows a segment has that is put in order, or more: smaller
// ones are searched soon anyway, and written often.
var orderedRows = inline // a test has less

// pathFields are what the attributes begin with that may be paths.
var pathFields = [][]byte{
	append(appendName(nil, externalField), textValue),
	append(appendName(nil, urlField), textValue),
}

// attribute adds an attribute. They come in order.
func (m *maker) attribute(key []byte) {
	isPath := func(field []byte) bool { return bytes.HasPrefix(key, field) && bytes.IndexByte(key, '/') >= 0 }
	if slices.ContainsFunc(pathFields, isPath) {
		m.paths = append(m.paths, uint32(m.attrKeys.Len()))
	}
	m.attrKeys.Add(key)
}

// place returns what a document with some attributes is put in order by.
func (m *maker) place(attrs []uint32) (place uint64) {
	for _, n := range attrs {
		if at, found := slices.BinarySearch(m.paths, n); found {
			place = uint64(at) + 1
		}
	}
	return place
}

// reorder puts the documents in the order of their paths, if they are many. It returns
// which row each one was, nil if it is the same as before.
func (m *maker) reorder() (rows []uint32) {
	if len(m.docs) < orderedRows || len(m.paths) == 0 {
		return nil
	}
	old := *m
	places := make([]uint64, len(old.firsts))
	for d := range places {
		places[d] = m.place(stretch(old.attrs, old.attrStarts, uint32(d)))<<32 | uint64(d)
	}
	if slices.IsSorted(places) {
		return nil
	}
	slices.Sort(places)
	rows = make([]uint32, 0, len(old.docs))
	moved := make([]uint32, len(places))
	m.lengths, m.docs, m.ordinals = make([]byte, 0, len(old.docs)), make([]uint32, 0, len(old.docs)), make([]uint32, 0, len(old.docs))
	m.ids = idWriter{make([]byte, 0, len(old.ids.data)), make([]int, 0, len(places))}
	m.hashes, m.versions, m.stamps = reordered(old.hashes, places), reordered(old.versions, places), reordered(old.stamps, places)
	m.language = reordered(old.language, places)
	m.firsts, m.attrStarts, m.attrs = make([]uint32, 0, len(places)), make([]uint32, 0, len(places)), make([]uint32, 0, len(old.attrs))
	for _, p := range places {
		d := uint32(p)
		moved[d] = uint32(len(m.firsts))
		from := 0
		if d > 0 {
			from = old.ids.ends[d-1]
		}
		m.ids.add(old.ids.data[from:old.ids.ends[d]])
		m.firsts = append(m.firsts, uint32(len(m.docs)))
		m.attrStarts = append(m.attrStarts, uint32(len(m.attrs)))
		m.attrs = append(m.attrs, stretch(old.attrs, old.attrStarts, d)...)
		row := old.firsts[d]
		for _, ordinal := range stretch(old.ordinals, old.firsts, d) {
			m.row(ordinal, old.lengths[row])
			rows = append(rows, row)
			row++
		}
	}
	for i := range m.questions {
		m.questions[i].document = moved[m.questions[i].document]
	}
	slices.SortStableFunc(m.questions, func(a, b question) int { return cmp.Compare(a.document, b.document) })
	return rows
}

// stretch returns those of a list that are of document d, of which the first ones are at
// starts.
func stretch(list, starts []uint32, d uint32) []uint32 {
	if int(d)+1 < len(starts) {
		return list[starts[d]:starts[d+1]]
	}
	return list[starts[d]:]
}

// reordered returns a list in the order of the lower halves of places.
func reordered[T any](list []T, places []uint64) []T {
	out := make([]T, len(list))
	for i, p := range places {
		out[i] = list[uint32(p)]
	}
	return out
}

// A place is where a document comes from that is merged.
type place struct {
	path     uint64
	part     int
	document uint32
}

// order returns the documents of the parts that are not gone, as they are to stand.
func (m *merger) order() []place {
	var list []place
	rows := 0
	for i := range m.parts {
		p := &m.parts[i]
		for d := range p.segment.documents {
			first, end := p.rowsOf(d)
			if p.isGone(first) {
				continue
			}
			list = append(list, place{part: i, document: d})
			rows += int(end - first)
		}
	}
	if rows < orderedRows || len(m.paths) == 0 {
		return list
	}
	var attrs []uint32
	for i := range list {
		at := &list[i]
		p := &m.parts[at.part]
		attrs = attrs[:0]
		for _, n := range p.segment.attrs[p.attrStarts[at.document]:p.attrStarts[at.document+1]] {
			attrs = append(attrs, p.attrs[n])
		}
		at.path = m.place(attrs)
	}
	byPath := func(a, b place) int { return cmp.Compare(a.path, b.path) }
	if !slices.IsSortedFunc(list, byPath) {
		m.mixed = true
		slices.SortStableFunc(list, byPath)
	}
	return list
}

// A stood is a row that holds a term, and how often: 8 bits below the row.
type stood uint64

// rows writes the rows of a term that were collected from parts, in their order.
func (m *merger) rows() {
	list := m.stood
	if len(list)*32 < len(m.lengths) {
		slices.Sort(list)
		for _, s := range list {
			m.postings.Add(uint32(s>>8), uint8(s))
		}
	} else {
		if m.often == nil {
			m.often = make([]uint8, len(m.lengths))
		}
		for _, s := range list {
			m.often[s>>8] = uint8(s)
		}
		for row, n := range m.often {
			if n > 0 {
				m.postings.Add(uint32(row), n)
				m.often[row] = 0
			}
		}
	}
	m.stood = list[:0]
}
