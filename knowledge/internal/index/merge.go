package index

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/packed"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/postings"
)

// noRow is where what is gone moves to.
const noRow = 1<<32 - 1

// A merger makes one segment of several parts, without what is gone from them.
type merger struct {
	maker
	parts []merging
	text  []byte // the first of the strings the parts are at
	at    []int  // the parts that are at it

	from  []rowFrom // by row
	mixed bool      // the rows of the parts stand among each other
	stood []stood   // of the term under way
	often []uint8   // by row, see rows
}

// A rowFrom is which row of which part a row was.
type rowFrom struct{ part, row uint32 }

// A merging is a part that is merged.
type merging struct {
	part
	moved     []uint32 // by row: its new number
	documents []uint32 // by document
	attrs     []uint32 // by attribute
	terms     []uint32 // by term

	walk  *packed.Walk // the terms that are left
	term  uint32       // the number of the first of them
	front uint64       // its first eight bytes
	more  bool
}

// merge returns a segment of what is in parts, or nil if nothing is or ctx ends;
// and the new number of each document of each part.
func merge(ctx context.Context, o *Options, parts []part) (*segment, [][]uint32) {
	var m merger
	for _, p := range parts {
		m.parts = append(m.parts, merging{part: p})
	}
	m.mergeDocuments()
	moved := make([][]uint32, len(parts))
	for i := range m.parts {
		moved[i] = m.parts[i].documents
	}
	if len(m.firsts) == 0 || !m.mergeTerms(ctx) {
		return nil, moved
	}
	m.mergeTexts()
	for i := range m.questions {
		q := &m.questions[i]
		terms := m.parts[q.numbers[0]].terms
		q.numbers = q.numbers[1:]
		for j, n := range q.numbers {
			q.numbers[j] = terms[n] // which a row of the question holds too
		}
	}
	return m.segment(o), moved
}

// mergeDocuments numbers rows and documents anew.
func (m *merger) mergeDocuments() {
	m.mergeAttributes()
	for i := range m.parts {
		p := &m.parts[i]
		p.moved, p.documents = slices.Repeat([]uint32{noRow}, int(p.rows)), slices.Repeat([]uint32{noRow}, int(p.segment.documents))
	}
	var d madeDocument
	for _, at := range m.order() {
		p, n := &m.parts[at.part], at.document
		p.documents[n] = uint32(len(m.firsts))
		d.id = p.ids.Append(d.id[:0], n)
		d.version, d.stamp = p.versions.At(n), p.stamp+p.stamps.At(n)
		if l := p.language.Get(n); !p.languages.Is(l, d.language) {
			d.language = string(p.languages.Append(nil, l))
		}
		m.document(&d)
		for at := p.attrStarts[n]; at < p.attrStarts[n+1]; at++ {
			m.attrs = append(m.attrs, p.attrs[p.segment.attrs[at]])
		}
		first, end := p.rowsOf(n)
		for row := first; row < end; row++ {
			p.moved[row] = uint32(len(m.lengths))
			m.row(p.ordinals.Get(row), p.lengths[row])
			m.from = append(m.from, rowFrom{uint32(at.part), row})
		}
		from, to := p.questions.of(n)
		for q := from; q < to; q++ {
			w := wording{form: p.questions.form(q), words: p.questions.words(q), sense: p.questions.sense(q)}
			m.questions = append(m.questions, question{
				wording: w, document: p.documents[n],
				numbers: p.questions.appendTerms([]uint32{uint32(at.part)}, q), // behind the part
			})
		}
	}
}

// mergeAttributes numbers the attributes anew that a document has which is not gone.
func (m *merger) mergeAttributes() {
	for i := range m.parts {
		p := &m.parts[i]
		p.attrs = make([]uint32, p.attrKeys.Len())
		for n := range p.segment.documents {
			if p.isDocumentGone(n) {
				continue
			}
			for at := p.attrStarts[n]; at < p.attrStarts[n+1]; at++ {
				p.attrs[p.segment.attrs[at]] = 1
			}
		}
		p.begin(&p.attrKeys)
	}
	for {
		least := m.least()
		if least == nil {
			return
		}
		number, used := uint32(m.attrKeys.Len()), false
		for _, i := range m.at {
			p := &m.parts[i]
			used = used || p.attrs[p.term] != 0
			p.attrs[p.term] = number
		}
		if used {
			m.attribute(least)
		}
		m.pass()
	}
}

// mergeTerms writes the postings of all terms, with the new numbers of rows.
func (m *merger) mergeTerms(ctx context.Context) bool {
	for i := range m.parts {
		p := &m.parts[i]
		p.begin(&p.segment.terms)
		p.terms = make([]uint32, p.segment.terms.Len())
	}
	var cursor postings.Cursor
	for n := 0; ; n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return false
		}
		least := m.least()
		if least == nil {
			return true
		}
		total := uint32(0)
		number := uint32(m.terms.Len())
		for _, i := range m.at {
			p := &m.parts[i]
			p.terms[p.term] = number
			for cursor.Begin(p.list(p.term)); cursor.Next(); {
				for j, row := range cursor.Rows[:cursor.Len] {
					if row = p.moved[row]; row != noRow {
						frequency := uint8(1)
						if !cursor.Once {
							frequency += cursor.Counts[j]
						}
						total += uint32(frequency)
						if m.mixed {
							m.stood = append(m.stood, stood(row)<<8|stood(frequency))
						} else {
							m.postings.Add(row, frequency)
						}
					}
				}
			}
		}
		if total > 0 {
			if m.mixed {
				m.rows()
			}
			m.term(least, total)
		}
		m.pass()
	}
}

// mergeTexts writes the texts of all rows, with the new codes of terms.
func (m *merger) mergeTexts() {
	m.codes = ranked(m.totals)
	recodes := make([][]uint32, len(m.parts)) // by what they are in the part
	for i := range m.parts {
		p := &m.parts[i]
		recodes[i] = make([]uint32, len(p.terms))
		for n, number := range p.terms {
			if int(number) < len(m.codes) { // else it is of no row that is left
				recodes[i][p.texts.codes.At(uint32(n))] = m.codes[number]
			}
		}
	}
	for _, f := range m.from {
		m.texts.row()
		m.texts.data = recoded(m.texts.data, m.parts[f.part].texts.of(f.row), recodes[f.part])
	}
}

// begin sets a part before the first of some strings in order.
func (p *merging) begin(t *packed.Strings) {
	p.walk, p.term = t.Walk(0), 0
	p.pass()
}

// pass moves a part to the next string.
func (p *merging) pass() {
	if p.more = p.walk.Next(); p.more {
		var front [8]byte
		copy(front[:], p.walk.Text())
		p.front = binary.BigEndian.Uint64(front[:])
	}
}

// least finds the first of the strings the parts are at, and which are at it. It
// returns a copy; nil at the end.
func (m *merger) least() []byte {
	m.at = m.at[:0]
	for i := range m.parts {
		p := &m.parts[i]
		if !p.more {
			continue
		}
		order := -1
		if len(m.at) > 0 {
			first := &m.parts[m.at[0]]
			if order = cmp.Compare(p.front, first.front); order == 0 {
				order = bytes.Compare(p.walk.Text(), first.walk.Text())
			}
		}
		if order < 0 {
			m.at = m.at[:0]
		}
		if order <= 0 {
			m.at = append(m.at, i)
		}
	}
	if len(m.at) == 0 {
		return nil
	}
	m.text = append(m.text[:0], m.parts[m.at[0]].walk.Text()...)
	return m.text
}

// pass moves the parts on that are at the string that least found.
func (m *merger) pass() {
	for _, i := range m.at {
		p := &m.parts[i]
		p.pass()
		p.term++
	}
}
