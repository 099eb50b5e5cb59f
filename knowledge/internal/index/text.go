package index

import (
	"encoding/binary"
	"slices"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/packed"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/postings"
)

// texts are the terms of rows in the order in which they stand there: of the few
// rows that a search looks at closely, all is read at once.
//
// A term is written as its code, which is how many terms of the segment are said
// more often. A row begins before place 0, with words that count once; each term
// stands one place behind the one before, unless a mark says otherwise.
type texts struct {
	codes  packed.Ints // by term
	starts packed.Ints // by row; and, last, where they end
	data   []byte
}

// The first byte of what is written.
const (
	twoBytes  = 192 // up to here a code; up to the next, the upper part of one, the rest follows
	newField  = 251 // how often its words count follows, a byte; it begins fieldGap places on
	newWeight = 252 // the same, one place on
	otherStep = 253 // how many places on the next term stands follows, a uvarint
	noStep    = 254 // the next term stands where the last one does
	longCode  = 255 // what a code has above longCodes follows, a uvarint
	longCodes = twoBytes + (newField-twoBytes)<<8
)

// A textWriter writes the texts of rows.
type textWriter struct {
	data   []byte
	starts []uint32
	weight uint8 // of the term before
}

// row begins a row.
func (w *textWriter) row() {
	w.starts = append(w.starts, uint32(len(w.data)))
	w.weight = 1
}

// noPlace is one before the first.
const noPlace = ^uint32(0)

// add adds a term, some places behind the one before, that counts weight times.
func (w *textWriter) add(code, step uint32, weight uint8) {
	if weight != w.weight {
		if w.weight = weight; step == fieldGap {
			w.data, step = append(w.data, newField, weight), 1
		} else {
			w.data = append(w.data, newWeight, weight)
		}
	}
	switch step {
	case 0:
		w.data = append(w.data, noStep)
	case 1:
	default:
		w.data = binary.AppendUvarint(append(w.data, otherStep), uint64(step))
	}
	w.data = appendCode(w.data, code)
}

func appendCode(dst []byte, code uint32) []byte {
	switch {
	case code < twoBytes:
		return append(dst, byte(code))
	case code < longCodes:
		code -= twoBytes
		return append(dst, byte(twoBytes+code>>8), byte(code))
	}
	return binary.AppendUvarint(append(dst, longCode), uint64(code-longCodes))
}

// An item is a mark or a term of a text.
type item struct {
	mark  byte // 0: a term
	value uint32
}

// next reads what stands at the front of data, and how many bytes it takes, 0 if
// that is nothing a textWriter writes.
func next(data []byte) (w item, n int) {
	b := data[0]
	switch {
	case b < twoBytes:
		return item{value: uint32(b)}, 1
	case b == noStep:
		return item{mark: b}, 1
	case len(data) < 2:
		return w, 0
	case b < newField:
		return item{value: twoBytes + uint32(b-twoBytes)<<8 + uint32(data[1])}, 2
	case b <= newWeight:
		return item{b, uint32(data[1])}, 2
	}
	v, n := binary.Uvarint(data[1:])
	if n <= 0 || v >= 1<<31 {
		return w, 0
	}
	if b == longCode {
		return item{value: longCodes + uint32(v)}, 1 + n
	}
	return item{b, uint32(v)}, 1 + n
}

// recoded appends a text with other codes, up to what no textWriter wrote.
func recoded(dst, text []byte, codes []uint32) []byte {
	for len(text) > 0 {
		w, n := next(text)
		if n == 0 || w.mark == 0 && int(w.value) >= len(codes) {
			return dst
		}
		if w.mark != 0 {
			dst = append(dst, text[:n]...)
		} else {
			dst = appendCode(dst, codes[w.value])
		}
		text = text[n:]
	}
	return dst
}

// of returns the text of a row.
func (t *texts) of(row uint32) []byte { return t.data[t.starts.At(row):t.starts.At(row+1)] }

// appendTo appends the texts, of terms with some codes.
func (w *textWriter) appendTo(dst []byte, codes []uint32) []byte {
	dst = packed.AppendInts(dst, codes)
	dst = binary.AppendUvarint(dst, uint64(len(w.data)))
	dst = packed.AppendInts(dst, append(w.starts, uint32(len(w.data))))
	return append(dst, w.data...)
}

// read reads the texts of a segment of which rows and terms are read.
func (t *texts) read(r *packed.Reader, g *segment) {
	terms := g.terms.Len()
	t.codes = r.Ints(terms, uint64(max(terms, 1)-1))
	size := r.Uint(1<<32 - 1)
	t.starts = r.Rising(int(g.rows)+1, size)
	t.data = r.Bytes(int(size))
}

// ranked returns a code for each term: those that are said most have the least.
func ranked(totals []uint32) []uint32 {
	order := make([]uint64, len(totals))
	for n, total := range totals {
		order[n] = uint64(^total)<<32 | uint64(n)
	}
	slices.Sort(order)
	codes := make([]uint32, len(totals))
	for code, o := range order {
		codes[uint32(o)] = uint32(code)
	}
	return codes
}

// A reading is what a search knows of the rows it looks at closely: where its terms
// stand in the last one.
type reading struct {
	part    uint32 // whose codes are in codes, plus one
	codes   []uint32
	endings [2 << 8]uint8 // by how many bytes a code takes, less one, and the last of them: the term whose code is so, plus one
	places  [][]uint32    // by term, one for each time that it counts
}

// forget lets go of the part.
func (r *reading) forget() { r.part = 0 }

// read finds the terms of the question in a row. Most terms of a row are of one or
// two bytes and in no question: which of the two they are is not asked, but counted,
// as no processor would guess it. A text that no textWriter wrote is read up to what
// is wrong with it.
func (s *search) read(part, row uint32) {
	r := &s.reading
	if r.part != part+1 {
		s.readPart(part)
	}
	for i := range r.places[:len(s.terms)] {
		r.places[i] = r.places[i][:0]
	}
	text := s.view.parts[part].texts.of(row)
	place, weight := noPlace, 1
	for i := 0; i < len(text); {
		b := uint32(text[i])
		code := b
		if b < newField {
			two := (b-twoBytes)>>31 ^ 1 // 1 if b is twoBytes or more
			last := i + int(two)
			if last >= len(text) {
				return
			}
			i = last + 1
			place++
			term := int(r.endings[two<<8|uint32(text[last])])
			if term == 0 {
				continue
			}
			if two != 0 {
				code = twoBytes + (b-twoBytes)<<8 + uint32(text[last])
			}
			if term < severalTerms {
				if r.codes[term-1] == code {
					r.note(term-1, place, weight)
				}
				continue
			}
		} else {
			w, n := next(text[i:])
			if n == 0 {
				return
			}
			i += n
			switch w.mark {
			case newField:
				place, weight = place+fieldGap-1, int(w.value)
				continue
			case newWeight:
				weight = int(w.value)
				continue
			case otherStep, noStep:
				place += w.value - 1
				continue
			}
			code = w.value
			place++
		}
		for n, c := range r.codes {
			if c == code {
				r.note(n, place, weight)
			}
		}
	}
}

// note notes that a term stands at a place where it counts weight times.
func (r *reading) note(term int, place uint32, weight int) {
	list := r.places[term]
	if weight == 1 && len(list) < postings.MaxFrequency {
		r.places[term] = append(list, place)
		return
	}
	for range min(weight, postings.MaxFrequency-len(list)) {
		list = append(list, place)
	}
	r.places[term] = list
}

// severalTerms stands in endings for several terms, or one behind them.
const severalTerms = 255

// readPart looks up the codes of the question's terms in a part.
func (s *search) readPart(part uint32) {
	r := &s.reading
	r.part = part + 1
	r.codes, r.endings = r.codes[:0], [2 << 8]uint8{}
	for len(r.places) < len(s.terms) {
		r.places = append(r.places, nil)
	}
	p := &s.view.parts[part]
	for i := range s.terms {
		code := noPlace
		if f := s.found(i, part); f.Count > 0 {
			code = p.texts.codes.Get(f.number)
			if code < twoBytes {
				r.ending(code, i)
			} else {
				r.ending(1<<8|(code-twoBytes)%256, i) // longer ones are not asked of endings
			}
		}
		r.codes = append(r.codes, code)
	}
}

// ending notes how the code of a term ends.
func (r *reading) ending(at uint32, term int) {
	if r.endings[at] > 0 || term >= severalTerms-1 {
		term = severalTerms - 1
	}
	r.endings[at] = uint8(term + 1)
}
