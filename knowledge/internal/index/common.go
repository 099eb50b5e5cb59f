package index

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/postings"
)

// A common is a term that many rows of a segment hold. It tells in no time whether a
// row that other words speak for holds this one too.
type common struct {
	term   uint32
	rows   []uint64 // by block of 64 rows: a bit for each that holds the term
	before []uint32 // by block: how many rows are before them
	tops   []uint8  // by block: what the term gives one of the rows at most, see topOf
	counts []uint8  // how often the term stands in each of its rows
}

// A term is common that stands in one of commonShare rows or more, in a segment of
// commonRows or more. There are commonTerms of them at most, the commonest.
const (
	commonShare = 32
	commonTerms = 256
)

var commonRows uint32 = 1 << 10 // a test has less

// prepare finds the common terms of a segment that is well formed.
func (g *segment) prepare(o *Options) {
	if g.rows < commonRows {
		return
	}
	type frequent struct {
		term uint32
		postings.List
	}
	var list []frequent
	for n := range uint32(g.terms.Len()) {
		if g.lists.At(n+1)-g.lists.At(n) < uint64(g.rows/commonShare/8) {
			continue // a row takes a bit or more
		}
		if l := g.list(n); uint32(l.Count) >= g.rows/commonShare {
			list = append(list, frequent{n, l})
		}
	}
	slices.SortFunc(list, func(a, b frequent) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.term, b.term)) })
	list = list[:min(len(list), commonTerms)]
	slices.SortFunc(list, func(a, b frequent) int { return cmp.Compare(a.term, b.term) })
	norms := normsOf(o, g.average())
	var tops [tabled][256]uint8 // by count less one, and length
	for i, norm := range norms {
		for count := range tops {
			tops[count][i] = topOf(impact(uint32(count+1), norm))
		}
	}
	var c postings.Cursor
	for _, f := range list {
		blocks := (g.rows + 63) / 64
		m := common{f.term, make([]uint64, blocks), make([]uint32, blocks), make([]uint8, blocks), make([]uint8, 0, f.Count)}
		for c.Begin(f.List); c.Next(); {
			for i, row := range c.Rows[:c.Len] {
				m.rows[row/64] |= 1 << (row % 64)
				count := uint8(1)
				if !c.Once {
					count += c.Counts[i]
				}
				m.counts = append(m.counts, count)
				top := uint8(0)
				if count <= tabled {
					top = tops[count-1][g.lengths[row]]
				} else {
					top = topOf(impact(uint32(count), norms[g.lengths[row]]))
				}
				m.tops[row/64] = max(m.tops[row/64], top)
			}
		}
		before := 0
		for i, rows := range m.rows {
			m.before[i] = uint32(before)
			before += bits.OnesCount64(rows)
		}
		g.commons = append(g.commons, m)
	}
}

// common returns what tells of a term, nil unless it is common.
func (g *segment) common(term uint32, list *postings.List) *common {
	if len(g.commons) == 0 || uint32(list.Count) < g.rows/commonShare {
		return nil
	}
	i, found := slices.BinarySearchFunc(g.commons, term, func(c common, term uint32) int { return cmp.Compare(c.term, term) })
	if !found {
		return nil
	}
	return &g.commons[i]
}

// average returns that of the lengths of rows.
func (g *segment) average() float64 { return max(float64(g.total)/float64(g.rows), 1) }

// topOf writes an impact as a byte, rounded up.
func topOf(impact float32) uint8 { return uint8(min(impact*254+1, 255)) }

// topsOf returns what impacts there can be at most in a segment, by what topOf wrote
// of them when passages were of the average length of that segment, now that they are
// of another. An impact is x/(1+x), of an x that is the frequency over the norm; of
// that the norm of no length becomes less than its share of how the average grew.
func (g *segment) topsOf(average float64) (table [256]float32) {
	grown := max(average/g.average(), 1)
	for i := range table {
		impact := min(float64(i)/254, 1)
		table[i] = float32(impact * grown / (1 + impact*(grown-1)))
	}
	return table
}

// bytes returns the memory a segment takes.
func (g *segment) bytes() int64 {
	n := len(g.data) + 4*(len(g.docs)+len(g.firsts)+len(g.attrs)+len(g.attrStarts)) + g.terms.Extra() + g.attrKeys.Extra()
	for i := range g.commons {
		c := &g.commons[i]
		n += 8*len(c.rows) + 4*len(c.before) + len(c.tops) + len(c.counts)
	}
	return int64(n)
}
