package index

import (
	"math/bits"
	"sync/atomic"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/postings"
)

// gone is what was deleted from a segment, or replaced. It never changes, but for
// what is known.
type gone struct {
	bits      []uint64 // by row
	rows      uint32
	documents uint32
	passages  int
	total     uint64
	spoken    []int // documents by language

	// known is how many rows hold a term that are not gone, for terms that were
	// searched lately: the code of the term + 1 << 32 | the count, where the code says.
	known []atomic.Uint64
}

// A segment of so many rows or more has mostKnown terms in gone.known, and a smaller
// one has fewer, of which the rows are counted sooner.
const (
	mostKnown  = 1 << 12
	leastKnown = 1 << 6
)

func (p *part) isGone(row uint32) bool {
	return p.gone != nil && p.gone.bits[row/64]>>(row%64)&1 != 0
}

// isDocumentGone reports the same of a document.
func (p *part) isDocumentGone(d uint32) bool { return p.gone != nil && p.isGone(p.firsts[d]) }

// df returns how many rows hold a term that are not gone.
func (p *part) df(term uint32, list *postings.List) int {
	if p.gone == nil || list.Count == 0 {
		return list.Count
	}
	code := p.texts.codes.Get(term)
	slot := p.gone.slot(code)
	if known := slot.Load(); uint32(known>>32) == code+1 {
		return int(uint32(known))
	}
	n := list.Count
	if int(p.gone.rows)*8 < list.Count {
		for i, word := range p.gone.bits {
			for ; word != 0; word &= word - 1 {
				if list.In(uint32(64*i+bits.TrailingZeros64(word))) > 0 {
					n--
				}
			}
		}
	} else {
		var c postings.Cursor
		for c.Begin(*list); c.Next(); {
			for _, row := range c.Rows[:c.Len] {
				n -= int(p.gone.bits[row/64] >> (row % 64) & 1)
			}
		}
	}
	slot.Store(uint64(code+1)<<32 | uint64(n))
	return n
}

func (g *gone) slot(code uint32) *atomic.Uint64 { return &g.known[code%uint32(len(g.known))] }

// less returns gone and more documents, of a part, that are not gone yet.
func (p *part) less(documents []uint32) *gone {
	out := &gone{bits: make([]uint64, (p.rows+63)/64), spoken: make([]int, len(p.spoken))}
	out.known = make([]atomic.Uint64, min(max(int(p.rows)/32, leastKnown), mostKnown))
	if old := p.gone; old != nil {
		copy(out.bits, old.bits)
		copy(out.spoken, old.spoken)
		out.rows, out.documents, out.passages, out.total = old.rows, old.documents, old.passages, old.total
		for i := range old.known {
			out.known[i].Store(old.known[i].Load())
		}
	}
	seen := make([]uint32, len(out.known)) // the last row, plus one, that a slot was told of
	for _, d := range documents {
		first, end := p.rowsOf(d)
		for row := first; row < end; row++ {
			out.bits[row/64] |= 1 << (row % 64)
			out.total += uint64(lengthOf[p.lengths[row]])
			if p.gone != nil {
				out.forget(p.texts.of(row), row, seen)
			}
		}
		out.rows += end - first
		out.documents++
		out.passages += p.passagesOf(d)
		out.spoken[p.language.At(d)]++
	}
	return out
}

// forget takes a row from what is known of the terms of its text, each of which the
// row is one of the rows of.
func (g *gone) forget(text []byte, row uint32, seen []uint32) {
	for len(text) > 0 {
		w, n := next(text)
		if n == 0 {
			return
		}
		text = text[n:]
		if w.mark != 0 {
			continue
		}
		slot := g.slot(w.value)
		known := slot.Load()
		if at := &seen[w.value%uint32(len(seen))]; uint32(known>>32) == w.value+1 && *at != row+1 {
			*at = row + 1
			if uint32(known) > 0 {
				slot.Store(known - 1)
			}
		}
	}
}
