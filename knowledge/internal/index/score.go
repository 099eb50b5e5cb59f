package index

import (
	"math"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/postings"
)

// Rows are scored a window at a time, so that their scores stay in a near cache of the
// processor.
var window uint32 = 1 << 17 // a multiple of 64; a test has less

// Sums of scores that are added up in different orders differ by less than slack,
// which is that of 256 additions of float32 and more.
const slack = 1e-4

// scoring is what the first stage of a search uses.
type scoring struct {
	lanes   []lane   // of the window, by block: what the terms that are not common give each row
	scored  []uint64 // the rows that have a score
	peaks   []uint32 // the bits of the greatest score
	cursors []cursor
	sweeping
	best ranking
}

// A lane is the scores of a block of 64 rows.
type lane [64]float32

// A cursor is where a term is in its postings.
type cursor struct {
	postings.Cursor
	next   int // in the block
	weight float32
	common *common
}

// run ranks the rows of all parts by their words.
func (s *search) run(q *Query, limit int) {
	s.best.begin(s.view, limit, s.top)
	for i := range s.view.parts {
		s.runPart(q, uint32(i))
	}
	s.top = s.best.done()
}

// runPart ranks the rows of a part. Terms are added up the rarest first, and common
// ones are left aside: what they can give a row at most is known of each block of
// rows, and what they do give is looked up for those rows that may have enough
// (MaxScore: Turtle and Flood, "Query evaluation: strategies and optimizations",
// 1995; with the bounds of blocks: Ding and Suel, "Faster top-k document retrieval
// using block-max indexes", 2011).
func (s *search) runPart(q *Query, number uint32) {
	p := &s.view.parts[number]
	cursors := s.start(number)
	if len(cursors) == 0 {
		return
	}
	f := s.filter(p, q)
	if f.kind() == never {
		return
	}
	if f.kind() != always && p.rows >= verdictRows {
		f.verdict = p.verdicts.of(p.segment, f.binder, f.root)
	}
	leading := len(cursors)
	for leading > 0 && cursors[leading-1].common != nil {
		leading--
	}
	w := sweep{search: s, part: p, number: number, filter: &f, single: int(p.rows) == p.passages}
	w.begin(cursors[:leading], cursors[leading:])
	s.makeRoom(int(min(window, p.rows)+63) / 64)
	for base := uint32(0); base < p.rows; base += window {
		end := min(base+window, p.rows)
		for i := range cursors[:leading] {
			s.add(p, &cursors[i], base, end)
		}
		w.run(base, end)
	}
	s.best.flush()
}

// makeRoom makes room for a window of some blocks. What was there before is clear.
func (s *scoring) makeRoom(blocks int) {
	if blocks > len(s.lanes) {
		s.lanes, s.scored, s.peaks = make([]lane, blocks), make([]uint64, blocks), make([]uint32, blocks)
	}
}

// start sets cursors before the postings of a part, the rarest terms first.
func (s *search) start(number uint32) []cursor {
	terms := 0
	for _, i := range s.order {
		found := s.found(i, number)
		if found.Count == 0 {
			continue
		}
		if terms == len(s.cursors) {
			s.cursors = append(s.cursors, cursor{})
		}
		c := &s.cursors[terms]
		c.Begin(found.List)
		c.next, c.weight, c.common = 0, s.terms[i].weight, found.common
		terms++
	}
	return s.cursors[:terms]
}

// add adds what a term gives the rows from base to end.
func (s *search) add(p *part, c *cursor, base, end uint32) {
	for c.next < c.Len || c.Next() {
		if c.next >= c.Len {
			c.next = 0
		}
		to := c.Len
		if c.Rows[to-1] >= end {
			to = c.next
			for c.Rows[to] < end {
				to++
			}
		}
		if to > c.next {
			s.addBlock(p, c, c.next, to, base)
		}
		c.next = to
		if to < c.Len {
			return
		}
	}
}

// addBlock adds what a term gives the rows of a block from one to before another.
func (s *search) addBlock(p *part, c *cursor, from, to int, base uint32) {
	lengths := p.lengths
	weight := c.weight
	rows := c.Rows[from:to]
	if c.Once {
		impacts := &s.view.impacts[0]
		for _, row := range rows {
			s.gain(row-base, weight*impacts[lengths[row]])
		}
		return
	}
	counts := c.Counts[from:to]
	for i, row := range rows {
		score := float32(0)
		if tf := counts[i]; tf < tabled {
			score = weight * s.view.impacts[tf][lengths[row]]
		} else {
			score = weight * impact(uint32(tf)+1, s.view.norms[lengths[row]])
		}
		s.gain(row-base, score)
	}
}

// gain adds to the score of a row of the window.
func (s *scoring) gain(row uint32, score float32) {
	b, slot := row/64, row%64
	score += s.lanes[b][slot]
	s.lanes[b][slot] = score
	s.scored[b] |= 1 << slot
	s.peaks[b] = max(s.peaks[b], math.Float32bits(score))
}
