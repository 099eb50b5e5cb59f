package index

import (
	"math"
	"math/bits"
	"slices"
)

// A sweep ranks the rows of a part that were scored by the terms that are not
// common, and those that hold common terms only.
type sweep struct {
	*search
	part   *part
	number uint32
	filter *filter
	single bool // each row is a passage of its own
	looks  int  // that holding may take
}

// sweeping is what sweeps use.
type sweeping struct {
	asides   []aside
	ceilings []float32 // by block of 64 rows: what the common terms give a row there at most
	summit   uint32    // the bits of the most that a row can have
	mosts    []float32 // by block of the window: the same of all terms
	due      []uint32  // blocks of the window
	sample   []float32
}

// An aside is a common term.
type aside struct {
	*common
	weight float32
	bound  float32 // no less, whatever sums are rounded to

	// Of the block of rows that is looked at.
	word  uint64  // the rows that hold it
	gives float32 // most
	rest  float32 // what it and those behind it give
}

// begin finds out what terms can give the rows of each block.
func (w *sweep) begin(leading, common []cursor) {
	blocks := int(w.part.rows+63) / 64
	w.asides = w.asides[:0]
	w.ceilings = slices.Grow(w.ceilings[:0], blocks)[:blocks]
	clear(w.ceilings)
	tops := &w.view.tops[w.number]
	top := float32(0)
	for i := range leading {
		top += leading[i].weight * (1 + slack)
	}
	for i := range common {
		c := &common[i]
		bound := c.weight * (1 + slack)
		w.asides = append(w.asides, aside{common: c.common, weight: c.weight, bound: bound})
		top += bound
		ceilings := w.ceilings
		for b, t := range c.common.tops[:len(ceilings)] {
			ceilings[b] += bound * tops[t]
		}
	}
	w.summit = math.Float32bits(top)
}

// reaches returns 1 if a score is need or more, else 0, both not negative: as numbers
// their bits are in the same order.
func reaches(score, need float32) int {
	return 1 + int(int32(math.Float32bits(score)-math.Float32bits(need))>>31)
}

// run ranks the rows of a window, from begin to before end.
func (w *sweep) run(begin, end uint32) {
	first, blocks := begin/64, int(end-begin+63)/64
	w.bound(w.ceilings[first:][:blocks])
	if w.single {
		w.lead(first)
		if len(w.best.list) < w.best.limit {
			w.foresee(first, blocks)
		}
	}
	w.choose(first)
	for _, b := range w.due {
		i := b - first
		need := w.best.enough * (1 - slack)
		if w.mosts[i] < need {
			continue
		}
		w.enter(b)
		no, rows := w.no(b), uint64(0)
		if w.peaks[i] != 0 {
			rows = w.promising(&w.lanes[i], w.scored[i]&^no, need)
		}
		if among := ^(w.scored[i] | no); among != 0 && w.ceilings[b] >= need {
			rows |= w.holding(0, need, among)
		}
		w.rank(b, &w.lanes[i], rows)
	}
	for i, scored := range w.scored[:blocks] {
		if scored != 0 {
			w.lanes[i] = lane{}
		}
	}
	clear(w.scored[:blocks])
	clear(w.peaks[:blocks])
}

// choose finds the blocks of the window that have to be looked at. Memory answers sooner
// if it is asked for all of them at once.
func (w *sweep) choose(first uint32) {
	need := w.best.enough * (1 - slack)
	w.due = slices.Grow(w.due[:0], len(w.mosts))[:len(w.mosts)]
	n := 0
	for i, most := range w.mosts {
		w.due[n] = first + uint32(i)
		n += reaches(most, need)
	}
	w.due = w.due[:n]
	for i := range w.asides {
		rows := w.asides[i].rows
		for _, b := range w.due {
			w.touch += byte(rows[b])
		}
	}
}

// bound finds out what all terms can give the rows of each block of the window.
func (w *sweep) bound(ceilings []float32) {
	w.mosts = slices.Grow(w.mosts[:0], len(ceilings))[:len(ceilings)]
	peaks := w.peaks[:len(ceilings)]
	for i, ceiling := range ceilings {
		w.mosts[i] = ceiling + math.Float32frombits(peaks[i])
	}
}

// lead ranks the rows that the terms that are not common speak for in the blocks where
// all terms together may give most: so that it is known soon how good a row has to be.
func (w *sweep) lead(first uint32) {
	if w.best.limit > mostForeseen || len(w.mosts) < w.best.limit {
		return
	}
	cut := w.cut(w.mosts, w.best.limit)
	for i, bound := range w.mosts {
		if bound >= cut && w.scored[i] != 0 {
			b := first + uint32(i)
			w.enter(b)
			w.rank(b, &w.lanes[i], w.promising(&w.lanes[i], w.scored[i]&^w.no(b), w.best.enough*(1-slack)))
			w.peaks[i], w.mosts[i] = 0, w.ceilings[b]
		}
	}
}

// promising returns those of some rows of the block that has been entered to which all terms may
// give what is needed. It goes through all of them in the same way, for no processor
// would guess which they are.
func (w *sweep) promising(l *lane, among uint64, need float32) (rows uint64) {
	for ; among != 0; among &= among - 1 {
		slot := bits.TrailingZeros64(among) % 64
		most := l[slot]
		for i := range w.asides {
			a := &w.asides[i]
			most += math.Float32frombits(math.Float32bits(a.gives) & -uint32(a.word>>slot&1))
		}
		rows |= uint64(reaches(most, need)) << slot
	}
	return rows
}

// rank ranks rows of the block that has been entered.
func (w *sweep) rank(block uint32, l *lane, rows uint64) {
	for ; rows != 0; rows &= rows - 1 {
		slot := uint32(bits.TrailingZeros64(rows)) % 64
		row := 64*block + slot
		score := w.complete(row, l[slot])
		if score < w.best.enough || !w.allows(row) {
			continue
		}
		c := candidate{bm25: score, score: score, part: w.number, row: row}
		if w.single {
			w.best.push(c)
		} else {
			w.best.offer(c)
		}
	}
}

// allows reports whether a row is there and may be found.
func (w *sweep) allows(row uint32) bool {
	return !w.part.isGone(row) && (w.filter.kind() == always || w.filter.allowsRow(row))
}

// no returns those rows of a block that are gone, or that the filter is known to leave
// out. They cost no more than that.
func (w *sweep) no(block uint32) (rows uint64) {
	if w.part.gone != nil {
		rows = w.part.gone.bits[block]
	}
	if w.filter.verdict != nil {
		rows |= w.filter.verdict.no(block)
	}
	return rows
}

// enter moves the common terms to a block.
func (w *sweep) enter(block uint32) {
	w.looks = 64
	rest := float32(0)
	tops := &w.view.tops[w.number]
	for i := len(w.asides) - 1; i >= 0; i-- {
		a := &w.asides[i]
		a.word, a.gives = a.rows[block], a.bound*tops[a.tops[block]]
		rest += a.gives
		a.rest = rest
	}
}

// holding returns those of some rows of the block to which the common terms from one
// on may give what they need: it takes the terms one by one, each time for the rows
// that hold it and for those that do not. After many looks it takes all rows that
// hold any.
func (w *sweep) holding(term int, need float32, among uint64) (rows uint64) {
	for i := range w.asides[term:] {
		a := &w.asides[term+i]
		if a.rest < need {
			break
		}
		if hold := among & a.word; hold != 0 {
			w.looks--
			if a.gives >= need || w.looks < 0 {
				rows |= hold
			} else {
				rows |= w.holding(term+i+1, need-a.gives, hold)
			}
			among &^= hold
		}
	}
	return rows
}

// complete adds to the score of a row what the common terms give it.
func (w *sweep) complete(row uint32, score float32) float32 {
	length := w.part.lengths[row]
	for i := range w.asides {
		a := &w.asides[i]
		if a.word>>(row%64)&1 != 0 {
			tf := a.counts[a.before[row/64]+uint32(bits.OnesCount64(a.word&(1<<(row%64)-1)))]
			score += a.weight * w.view.impact(uint32(tf), length)
		}
	}
	return score
}

// foresee scores some rows that the common terms speak for, to know how good a row
// has to be before others are ranked. It ranks none.
func (w *sweep) foresee(first uint32, blocks int) {
	limit := w.best.limit
	if limit > mostForeseen {
		return
	}
	ceilings := w.ceilings[first:][:blocks]
	cut := w.cut(ceilings, limit)
	w.sample = w.sample[:0]
	for i, ceiling := range ceilings {
		if ceiling < cut || ceiling == 0 {
			continue
		}
		block := first + uint32(i)
		w.enter(block)
		for rows := w.holding(0, ceiling*3/4, ^w.no(block)); rows != 0; rows &= rows - 1 {
			if slot := uint32(bits.TrailingZeros64(rows)) % 64; w.allows(64*block + slot) {
				w.sample = append(w.sample, w.complete(64*block+slot, w.lanes[i][slot]))
			}
		}
	}
	if len(w.sample) >= limit {
		slices.Sort(w.sample)
		w.best.enough = max(w.best.enough, w.sample[len(w.sample)-limit])
	}
}

// cut returns what about many of some values reach, or a few more.
func (w *sweep) cut(values []float32, many int) float32 {
	var steps [256]uint32 // how many are so many 32nds of an octave below the most there can be
	for _, v := range values {
		steps[min((w.summit-math.Float32bits(v))>>step, uint32(len(steps)-1))]++
	}
	below := uint32(0)
	for left := int64(many); below < uint32(len(steps))-1 && left > 0; below++ {
		left -= int64(steps[below])
	}
	return math.Float32frombits(w.summit - min(w.summit, below<<step-1))
}

// mostForeseen is how many passages are looked for at most if there is foresight.
const mostForeseen = 128

// step is the shift that leaves of the bits of a float32 32nds of octaves.
const step = 18
