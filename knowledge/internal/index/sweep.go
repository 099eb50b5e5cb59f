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
	most     []float32 // of asides
	ceilings []float32 // by block of 64 rows: what the common terms give a row there at most
	scored   []scored  // in order
	summit   uint32    // the bits of the most that a row can have
	sample   []float32
}

// An aside is a common term.
type aside struct {
	*common
	weight float32
	most   []float32 // by block: what it gives a row there

	// Of the block of rows that is looked at.
	word  uint64  // the rows that hold it
	gives float32 // most
	rest  float32 // what it and those behind it give
}

// A scored is a row, what the terms that are not common give it, and the most that all
// give it.
type scored struct {
	row         uint32
	score, most float32
}

// begin finds out what terms can give the rows of each block.
func (w *sweep) begin(leading, common []cursor) {
	blocks := int(w.part.rows+63) / 64
	w.asides = w.asides[:0]
	w.most = slices.Grow(w.most[:0], len(common)*blocks)[:len(common)*blocks]
	w.ceilings = slices.Grow(w.ceilings[:0], blocks)[:blocks]
	clear(w.ceilings)
	tops := &w.view.tops[w.number]
	top := float32(0)
	for i := range leading {
		top += leading[i].weight * (1 + slack)
	}
	for i := range common {
		c := &common[i]
		most := w.most[i*blocks : (i+1)*blocks]
		w.asides = append(w.asides, aside{common: c.common, weight: c.weight, most: most})
		weight := c.weight * (1 + slack)
		top += weight
		ceilings := w.ceilings[:len(most)]
		for b, t := range c.common.tops[:len(most)] {
			m := weight * tops[t]
			most[b] = m
			ceilings[b] += m
		}
	}
	w.summit = math.Float32bits(top)
}

// gather takes the rows of a window that have a score, but those that cannot have
// enough: neither have these if they are taken for rows without a score. It goes
// through all of them in the same way, for no processor would guess which they are.
func (w *sweep) gather(base uint32) {
	need := w.best.enough * (1 - slack)
	from := len(w.scored)
	list := slices.Grow(w.scored, window)[:from+window]
	n := from
	for i, word := range w.touched {
		if word == 0 {
			continue
		}
		w.touched[i] = 0
		row := base + 64*uint32(i)
		ceiling := w.ceilings[row/64]
		scores := (*[64]float32)(w.scores[64*i:])
		for ; word != 0; word &= word - 1 {
			slot := uint32(bits.TrailingZeros64(word)) % 64
			score := scores[slot]
			scores[slot] = 0
			list[n] = scored{row + slot, score, score}
			n += reaches(score+ceiling, need)
		}
	}
	list = list[:n]
	for i := range w.asides {
		a := &w.asides[i]
		holds, most := a.bits, a.most[:len(a.bits)]
		for j := range list[from:] {
			s := &list[from+j]
			b := s.row / 64
			s.most += math.Float32frombits(math.Float32bits(most[b]) & -uint32(holds[b]>>(s.row%64)&1))
		}
	}
	n = from
	for _, s := range list[from:] {
		list[n] = s
		n += reaches(s.most, need)
	}
	w.scored = list[:n]
}

// reaches returns 1 if a score is need or more, else 0, both not negative: as numbers
// their bits are in the same order.
func reaches(score, need float32) int {
	return 1 + int(int32(math.Float32bits(score)-math.Float32bits(need))>>31)
}

// run ranks the rows from begin to before end, of which those in w.scored are scored.
func (w *sweep) run(begin, end uint32) {
	if w.single && len(w.best.list) < w.best.limit {
		w.foresee(begin, end)
	}
	list := w.scored
	scores := (*[64]float32)(w.scores[:])
	for b := begin / 64; 64*b < end; b++ {
		ceiling := w.ceilings[b]
		need := w.best.enough * (1 - slack)
		if ceiling < need && (len(list) == 0 || list[0].row/64 != b) {
			continue
		}
		rows, no := uint64(0), w.no(b)
		for ; len(list) > 0 && list[0].row/64 == b; list = list[1:] {
			if slot := list[0].row % 64; list[0].most >= need && no>>slot&1 == 0 {
				rows |= 1 << slot
				scores[slot] = list[0].score
			}
		}
		if ceiling >= need {
			w.enter(b)
			rows |= w.holding(0, need, ^(rows | no))
		}
		for ; rows != 0; rows &= rows - 1 {
			slot := uint32(bits.TrailingZeros64(rows)) % 64
			row := 64*b + slot
			score := w.complete(row, scores[slot])
			scores[slot] = 0
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
	for i := len(w.asides) - 1; i >= 0; i-- {
		a := &w.asides[i]
		a.word, a.gives = a.bits[block], a.most[block]
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
		if tf := a.in(row); tf > 0 {
			score += a.weight * w.view.impact(tf, length)
		}
	}
	return score
}

// foresee scores some rows that look good, to know how good a row has to be before
// the first one is ranked. It ranks none.
func (w *sweep) foresee(begin, end uint32) {
	limit := w.best.limit
	if limit > mostForeseen {
		return
	}
	w.sample = w.sample[:0]
	if len(w.scored) >= limit {
		for i := range w.scored {
			w.sample = append(w.sample, w.scored[i].most)
		}
		cut := w.cut(w.sample, 2*limit)
		w.sample = w.sample[:0]
		for i := range w.scored {
			if s := &w.scored[i]; s.most >= cut && w.allows(s.row) {
				w.sample = append(w.sample, w.complete(s.row, s.score))
			}
		}
	} else {
		ceilings := w.ceilings[begin/64 : (end+63)/64]
		cut := w.cut(ceilings, limit)
		for i, ceiling := range ceilings {
			if ceiling < cut || ceiling == 0 {
				continue
			}
			block := begin/64 + uint32(i)
			w.enter(block)
			for rows := w.holding(0, ceiling*3/4, ^w.no(block)); rows != 0; rows &= rows - 1 {
				if row := 64*block + uint32(bits.TrailingZeros64(rows)); w.allows(row) {
					w.sample = append(w.sample, w.complete(row, 0))
				}
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
