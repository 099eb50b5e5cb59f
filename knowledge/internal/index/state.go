package index

import (
	"math/bits"
	"slices"
	"sync/atomic"
)

// A posting is the number of a row << 8 | how often the term stands in it, up
// to 255: beyond that BM25 does not tell counts apart. So an index holds up to
// 16 million rows, deleted ones included until they are swept out.
const (
	maxCount = 1<<8 - 1
	maxRows  = 1 << 24
)

// state is the index proper. A row is a passage, or a passage with one of its
// questions; rows are numbered as they come and only ever appended, until
// compacted leaves out the dead ones.
type state struct {
	k1, b float64

	terms    map[string]uint32 // number in postings
	postings []postings

	lengths  []uint16 // by row, in terms
	docs     []uint32 // by row: number in documents
	ordinals []uint32 // by row
	dead     []uint64 // by row, a bit each

	documents []document
	byID      map[string]uint32
	attrs     map[string]uint32 // numbers of what documents are filtered by, see attributes
	attrKeys  []string          // by number
	attrLists []uint32          // those of document after document
	texts     []byte            // see putTexts
	order     []uint32          // the first so many of attrs in order, see Index.order

	questions     []question
	questionTerms []uint32          // those of question after question
	byHash        map[uint64]uint32 // the last question of a hash of its form or terms, plus one

	live     int    // rows
	total    uint64 // length of the live rows
	passages int
	writes   uint32

	norms       []float32 // by length: how much it damps, see setNorms
	size        int64     // bytes of what does not grow by row, roughly
	longest     int
	deadUnswept int
}

// postings are the rows a term is in. With dead rows among them, how many are
// live is counted at the first search after a write and kept in known.
type postings struct {
	rows  []uint32
	known uint64 // writes << 32 | live rows; atomic
}

type document struct {
	id        string
	version   int
	attrs     uint32 // where they begin in attrLists
	attrCount uint32
	first     uint32 // row
	rows      uint32
	passages  int

	texts         texts
	questions     uint32 // the first one in questions
	questionCount uint32
}

func newState(k1, b float64) state {
	s := state{k1: k1, b: b, terms: map[string]uint32{}, byID: map[string]uint32{}, attrs: map[string]uint32{}, byHash: map[uint64]uint32{}}
	s.setNorms()
	return s
}

// apply appends a batch.
func (s *state) apply(b batch) {
	numbers := make([]uint32, len(b.terms))
	for i, t := range b.terms {
		n, ok := s.terms[t]
		if !ok {
			n = uint32(len(s.postings))
			s.terms[t] = n
			s.postings = append(s.postings, postings{})
			s.size += int64(len(t)) + 72 // its share of map and slice
		}
		numbers[i] = n
	}
	for i := range b.changes {
		c := &b.changes[i]
		s.delete(c.id)
		if c.put {
			for _, q := range c.questions {
				for i, n := range q.numbers {
					q.numbers[i] = numbers[n]
				}
			}
			s.put(c, numbers)
		}
	}
	s.writes++
	s.setNorms()
}

func (s *state) put(c *stagedChange, numbers []uint32) {
	d := c.doc
	if room := maxRows - len(s.lengths); len(c.rows) > room {
		c.rows, c.questions = c.rows[:room], nil // far beyond any memory budget
	}
	d.first, d.rows, d.passages = uint32(len(s.lengths)), uint32(len(c.rows)), c.passages
	d.attrs, d.attrCount = uint32(len(s.attrLists)), uint32(len(c.attr))
	for _, key := range c.attr {
		s.attrLists = append(s.attrLists, s.attribute(key))
	}
	d.texts = s.putTexts(c.external, c.url)
	number := uint32(len(s.documents))
	s.documents = append(s.documents, d)
	s.byID[d.id] = number
	s.size += int64(len(d.id)) + 136
	s.passages += d.passages
	s.putQuestions(number, c.questions)
	for _, r := range c.rows {
		row := uint32(len(s.lengths))
		for _, n := range r.counts {
			p := &s.postings[numbers[n>>8]]
			before := cap(p.rows)
			p.rows = append(p.rows, row<<8|n&maxCount)
			s.size += 4 * int64(cap(p.rows)-before)
		}
		s.lengths = append(s.lengths, r.length)
		s.docs = append(s.docs, number)
		s.ordinals = append(s.ordinals, r.ordinal)
		if row%64 == 0 {
			s.dead = append(s.dead, 0)
		}
		s.longest = max(s.longest, int(r.length))
		s.total += uint64(r.length)
		s.live++
	}
}

func (s *state) delete(id string) {
	number, ok := s.byID[id]
	if !ok {
		return
	}
	delete(s.byID, id)
	d := &s.documents[number]
	for row := d.first; row < d.first+d.rows; row++ {
		s.dead[row/64] |= 1 << (row % 64)
		s.total -= uint64(s.lengths[row])
	}
	s.live -= int(d.rows)
	s.passages -= d.passages
	s.deadUnswept++
}

func (s *state) isDead(row uint32) bool { return s.dead[row/64]&(1<<(row%64)) != 0 }

// df returns how many live rows hold a term.
func (s *state) df(p *postings) int {
	if s.live == len(s.lengths) {
		return len(p.rows)
	}
	if known := atomic.LoadUint64(&p.known); uint32(known>>32) == s.writes {
		return int(uint32(known))
	}
	n := len(p.rows)
	for _, r := range p.rows {
		n -= int(s.dead[r>>14] >> (r >> 8 % 64) & 1)
	}
	atomic.StoreUint64(&p.known, uint64(s.writes)<<32|uint64(n))
	return n
}

// setNorms computes k1·(1−b+b·length/average) for every length there is.
func (s *state) setNorms() {
	average := 1.0
	if s.live > 0 && s.total > 0 {
		average = float64(s.total) / float64(s.live)
	}
	s.norms = slices.Grow(s.norms[:0], s.longest+1)[:s.longest+1]
	for i := range s.norms {
		s.norms[i] = float32(s.k1 * (1 - s.b + s.b*float64(i)/average))
	}
}

// wasteful reports whether enough is dead to be worth sweeping.
func (s *state) wasteful() bool {
	dead := len(s.lengths) - s.live
	return dead > 256 && dead > len(s.lengths)/4 || s.deadUnswept > 256 && s.deadUnswept > len(s.documents)/2
}

// compacted returns the state without its dead rows and what only they used.
func (s *state) compacted() state {
	c := newState(s.k1, s.b)
	moved := make([]uint32, len(s.lengths)) // new row by old row
	for i := range s.documents {
		d := s.documents[i]
		if n, ok := s.byID[d.id]; !ok || int(n) != i {
			continue
		}
		change := stagedChange{id: d.id, put: true, doc: d, passages: d.passages, external: string(s.external(&d)), url: string(s.url(&d))}
		for _, n := range s.attributes(uint32(i)) {
			change.attr = append(change.attr, s.attrKeys[n])
		}
		for row := d.first; row < d.first+d.rows; row++ {
			moved[row] = uint32(len(c.lengths) + len(change.rows))
			change.rows = append(change.rows, stagedRow{ordinal: s.ordinals[row], length: s.lengths[row]})
		}
		for _, q := range s.questionsOf(&d) {
			staged := stagedQuestion{numbers: s.termsOf(&q)}
			staged.form, staged.words, staged.sense = q.form.hash, q.words.hash, q.sense
			change.questions = append(change.questions, staged)
		}
		c.put(&change, nil)
	}
	renumbered := make([]uint32, len(s.postings))
	for term, n := range s.terms {
		p := &s.postings[n]
		live := s.df(p)
		if live == 0 {
			continue
		}
		rows := make([]uint32, 0, live)
		for _, r := range p.rows {
			if !s.isDead(r >> 8) {
				rows = append(rows, moved[r>>8]<<8|r&maxCount)
			}
		}
		renumbered[n] = uint32(len(c.postings))
		c.terms[term] = renumbered[n]
		c.postings = append(c.postings, postings{rows: rows})
		c.size += int64(len(term)) + 72 + 4*int64(cap(rows))
	}
	for i, n := range c.questionTerms {
		c.questionTerms[i] = renumbered[n] // which a row of the question holds too
	}
	c.writes = s.writes
	c.setNorms()
	return c
}

func (s *state) bytes() int64 {
	rows := 16*cap(s.attrKeys) + 4*cap(s.attrLists) + 4*cap(s.order) + cap(s.texts) + 2*cap(s.lengths) + 4*cap(s.docs) + 4*cap(s.ordinals) + 8*cap(s.dead) + 4*cap(s.norms)
	rows += 64*cap(s.questions) + 4*cap(s.questionTerms) + 24*len(s.byHash)
	return s.size + int64(rows) + int64(bits.UintSize)
}
