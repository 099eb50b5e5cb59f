package index

import (
	"cmp"
	"slices"
)

// A view is what a search looks at. It never changes.
type view struct {
	parts []part // those of most rows first

	live      int    // rows
	total     uint64 // of their lengths
	passages  int
	questions bool     // some part has any
	languages []string // of documents, those of most first

	k1      float64
	norms   [256]float32         // by length byte: how much it damps
	tops    [][256]float32       // by part, see topsOf
	impacts [tabled][256]float32 // by frequency less one, and length byte: frequency / (frequency + norm)
}

// tabled is for how many frequencies impacts are kept.
const tabled = 8

// A part is a segment and what is gone from it.
type part struct {
	*segment
	gone *gone // nil: nothing
}

func newView(o *Options, parts []part) *view {
	v := &view{k1: o.K1}
	spoken := map[string]int{}
	for _, p := range parts {
		if p.live() == 0 {
			continue
		}
		v.parts = append(v.parts, p)
		v.live += int(p.live())
		v.passages += p.passages
		v.total += p.total
		v.questions = v.questions || p.questions.count > 0
		if p.gone != nil {
			v.passages -= p.gone.passages
			v.total -= p.gone.total
		}
		for i, n := range p.spoken {
			if p.gone != nil {
				n -= p.gone.spoken[i]
			}
			if n > 0 {
				spoken[string(p.languages.Append(nil, uint32(i)))] += n
			}
		}
	}
	slices.SortStableFunc(v.parts, func(a, b part) int { return cmp.Compare(b.rows, a.rows) })
	for l := range spoken {
		v.languages = append(v.languages, l)
	}
	slices.SortFunc(v.languages, func(a, b string) int { return cmp.Or(cmp.Compare(spoken[b], spoken[a]), cmp.Compare(a, b)) })
	v.setNorms(o)
	return v
}

// setNorms computes what depends on the average length.
func (v *view) setNorms(o *Options) {
	average := 1.0
	if v.live > 0 && v.total > 0 {
		average = float64(v.total) / float64(v.live)
	}
	v.norms = normsOf(o, average)
	for i, norm := range v.norms {
		for tf := range v.impacts {
			v.impacts[tf][i] = impact(uint32(tf+1), norm)
		}
	}
	v.tops = make([][256]float32, len(v.parts))
	for i, p := range v.parts {
		if len(p.commons) > 0 {
			v.tops[i] = p.topsOf(average)
		}
	}
}

// normsOf returns k1·(1−b+b·length/average) for every length there is.
func normsOf(o *Options, average float64) (norms [256]float32) {
	for i, length := range lengthOf {
		norms[i] = float32(o.K1 * (1 - o.B + o.B*float64(length)/average))
	}
	return norms
}

// impact is what a term that stands in a passage tf times gives it, of its weight.
func impact(tf uint32, norm float32) float32 { return float32(tf) / (float32(tf) + norm) }

// impact is the same for a length byte.
func (v *view) impact(tf uint32, length byte) float32 {
	if tf <= tabled {
		return v.impacts[tf-1][length]
	}
	return impact(tf, v.norms[length])
}

// live returns how many rows are not gone.
func (p *part) live() uint32 {
	if p.gone == nil {
		return p.rows
	}
	return p.rows - p.gone.rows
}

// without returns the parts without some documents, by id.
func (v *view) without(ids map[string]int) []part {
	parts := slices.Clone(v.parts)
	if len(parts) == 0 {
		return nil
	}
	found := make([][]uint32, len(parts))
	for id := range ids {
		h := hash(id)
		for i := range parts {
			p := &parts[i]
			if d, ok := p.document(id, h); ok && !p.isDocumentGone(d) {
				found[i] = append(found[i], d)
			}
		}
	}
	for i, list := range found {
		if len(list) > 0 {
			parts[i].gone = parts[i].less(list)
		}
	}
	return parts
}

// find returns the part and the number of a document that is not gone.
func (v *view) find(id string) (*part, uint32, bool) {
	h := hash(id)
	for i := range v.parts {
		p := &v.parts[i]
		if d, ok := p.document(id, h); ok && !p.isDocumentGone(d) {
			return p, d, true
		}
	}
	return nil, 0, false
}

// df returns how many rows hold a term.
func (v *view) df(term []byte) int {
	n := 0
	for i := range v.parts {
		p := &v.parts[i]
		number, list := p.find(term)
		n += p.df(number, &list)
	}
	return n
}
