package index

import (
	"strings"
)

// A batch is changes made ready to be appended: everything that takes long is
// done before searches have to wait.
type batch struct {
	terms   []string // of the batch, by local number
	changes []stagedChange
}

type stagedChange struct {
	id   string // of the document to put or delete
	put  bool
	doc  document
	attr []string // keys of the document's attributes
	rows []stagedRow
	// passages is how many rows are different passages.
	passages      int
	questions     []stagedQuestion
	external, url string
}

// A stagedRow is a passage, or a passage with one of its questions.
type stagedRow struct {
	ordinal uint32
	length  uint16
	counts  []uint32 // local term number << 8 | how often
}

const maxLength = 1<<16 - 1

// stager gathers the terms of a batch.
type stager struct {
	x      *Index
	batch  batch
	number map[string]uint32
	last   []uint32 // by local term: 1 + where in counts of the row under way
	words  []string
}

// stage analyzes changes. The text of documents is not needed afterwards.
func (x *Index) stage(changes []Change) batch {
	s := stager{x: x, number: map[string]uint32{}}
	for _, c := range changes {
		if c.Put == nil {
			s.batch.changes = append(s.batch.changes, stagedChange{id: c.Delete})
			continue
		}
		s.put(c.Put)
	}
	return s.batch
}

func (s *stager) put(d *Document) {
	c := stagedChange{id: strings.Clone(d.ID), put: true, attr: attributes(d), passages: len(d.Passages), external: d.ExternalID, url: d.URL}
	c.doc = document{id: c.id, version: d.Version}
	for i := range d.Passages {
		p := &d.Passages[i]
		if len(p.Questions) == 0 {
			c.rows = append(c.rows, s.row(p, ""))
		}
		for _, q := range p.Questions {
			c.rows = append(c.rows, s.row(p, q))
		}
	}
	if len(d.Passages) > 0 {
		for _, q := range d.Passages[0].Questions {
			c.questions = append(c.questions, s.question(q))
		}
	}
	s.batch.changes = append(s.batch.changes, c)
}

// question reads a question whose terms a row holds.
func (s *stager) question(text string) stagedQuestion {
	q := stagedQuestion{wording: word(s.x.analyzer, text)}
	for _, t := range q.terms {
		q.numbers = append(q.numbers, s.number[t])
	}
	q.terms = nil
	return q
}

// row counts the terms of a passage, together with one of its questions.
func (s *stager) row(p *Passage, question string) stagedRow {
	o := &s.x.options
	r := stagedRow{ordinal: uint32(p.Ordinal), counts: make([]uint32, 0, 8+len(p.Body)/12)}
	length := 0
	field := func(text string, weight int) {
		if text == "" {
			return
		}
		s.words = s.x.analyzer.Terms(s.words[:0], text)
		length += weight * len(s.words)
		for _, w := range s.words {
			n, ok := s.number[w]
			if !ok {
				w = strings.Clone(w)
				n = uint32(len(s.batch.terms))
				s.number[w] = n
				s.batch.terms = append(s.batch.terms, w)
				s.last = append(s.last, 0)
			}
			at := s.last[n]
			if at == 0 {
				r.counts = append(r.counts, n<<8)
				at = uint32(len(r.counts))
				s.last[n] = at
			}
			c := &r.counts[at-1]
			*c = *c&^maxCount | min(*c&maxCount+uint32(weight), maxCount)
		}
	}
	field(p.Title, o.TitleWeight)
	field(p.Heading, o.HeadingWeight)
	field(question, o.QuestionWeight)
	field(p.Body, 1)
	for _, c := range r.counts {
		s.last[c>>8] = 0
	}
	r.length = uint16(min(length, maxLength))
	return r
}
