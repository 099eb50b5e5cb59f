package index

import (
	"github.com/answerdesk-go/answerdesk/knowledge/internal/postings"
)

// Rows are scored a window at a time, so that their scores stay in the
// processor's nearest cache.
const window = 1 << 12

// Sums of scores that are added up in different orders differ by less than slack,
// which is that of 256 additions of float32 and more.
const slack = 1e-4

// scoring is what the first stage of a search uses.
type scoring struct {
	scores  [window]float32
	touched [window / 64]uint64 // a bit for each row of the window that has a score
	cursors []cursor
	sweeping
	best ranking
}

// A cursor is where a term is in its postings.
type cursor struct {
	postings.Cursor
	next   int // in the block
	weight float32
	common *common
}

// mostScored is about how many rows are scored before they are swept.
const mostScored = 1 << 9

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
	for base := uint32(0); base < p.rows; {
		begin := base
		s.scored = s.scored[:0]
		for base < p.rows && len(s.scored) < mostScored {
			end := min(base+window, p.rows)
			for i := range cursors[:leading] {
				s.add(p, &cursors[i], base, end)
			}
			w.gather(base)
			base = end
		}
		w.run(begin, base)
	}
	s.best.flush()
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
	lengths := p.lengths[base:]
	weight := c.weight
	rows := c.Rows[from:to]
	if c.Once {
		impacts := &s.view.impacts[0]
		for _, row := range rows {
			slot := (row - base) % window
			s.scores[slot] += weight * impacts[lengths[slot]]
			s.touched[slot/64] |= 1 << (slot % 64)
		}
		return
	}
	counts := c.Counts[from:to]
	for i, row := range rows {
		slot := (row - base) % window
		s.touched[slot/64] |= 1 << (slot % 64)
		if tf := counts[i]; tf < tabled {
			s.scores[slot] += weight * s.view.impacts[tf][lengths[slot]]
		} else {
			s.scores[slot] += weight * impact(uint32(tf)+1, s.view.norms[lengths[slot]])
		}
	}
}
