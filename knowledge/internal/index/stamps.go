package index

import (
	"cmp"
	"iter"
	"slices"
)

// Stamp returns the stamp of a document, and whether it is there.
func (x *Index) Stamp(documentID string) (int64, bool) {
	p, d, ok := x.view.Load().find(documentID)
	if !ok {
		return 0, false
	}
	return p.stampOf(d), true
}

// Stamps yields the documents that are there and their stamps, in the order of ids.
func (x *Index) Stamps() iter.Seq2[string, int64] {
	v := x.view.Load()
	return func(yield func(string, int64) bool) {
		type stamped struct {
			id    string
			stamp int64
		}
		var list []stamped
		for i := range v.parts {
			p := &v.parts[i]
			for d := range p.documents {
				if !p.isDocumentGone(d) {
					list = append(list, stamped{string(p.ids.Append(nil, d)), p.stampOf(d)})
				}
			}
		}
		slices.SortFunc(list, func(a, b stamped) int { return cmp.Compare(a.id, b.id) })
		for _, s := range list {
			if !yield(s.id, s.stamp) {
				return
			}
		}
	}
}

func (g *segment) stampOf(d uint32) int64 { return int64(g.stamp + g.stamps.At(d)) }
