package index

import (
	"bytes"
	"cmp"
)

// samePassage reports whether two rows are of one passage.
func (v *view) samePassage(a, b candidate) bool {
	return v.sameDocument(a, b) && v.parts[a.part].ordinals.At(a.row) == v.parts[a.part].ordinals.At(b.row)
}

// sameDocument reports whether two rows are of one document.
func (v *view) sameDocument(a, b candidate) bool {
	return a.part == b.part && v.parts[a.part].docs[a.row] == v.parts[a.part].docs[b.row]
}

// less reports whether candidate a is behind b.
func (v *view) less(a, b *candidate) bool {
	return a.score < b.score || a.score == b.score && v.compare(*a, *b) > 0
}

// compare orders candidates best first.
func (v *view) compare(a, b candidate) int {
	switch {
	case a.score > b.score:
		return -1
	case a.score < b.score:
		return 1
	}
	p, q := &v.parts[a.part], &v.parts[b.part]
	c, d := p.docs[a.row], q.docs[b.row]
	if a.part != b.part || c != d {
		var first, second [64]byte
		return bytes.Compare(p.ids.Append(first[:0], c), q.ids.Append(second[:0], d))
	}
	return cmp.Compare(p.ordinals.At(a.row), p.ordinals.At(b.row))
}
