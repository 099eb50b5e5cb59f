package index

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/packed"
)

// questions are those that the passages of a segment answer, in the order of their
// documents. A question's passage is the first one of its document, and its row is
// there at the place that the question has among those of the document.
type questions struct {
	count     uint32
	records   []byte      // see record
	documents packed.Ints // in order
	starts    packed.Ints // in terms; and, last, how many there are
	terms     packed.Ints // numbers, each once, in the order of the words
	byForm    packed.Ints // in the order of the hashes of their forms
	byWords   packed.Ints // in the order of those of their words
}

// A question is one that is written.
type question struct {
	wording
	document uint32
	numbers  []uint32 // of its terms
}

// A record is what a question is compared by: the hashes of form, words and marks,
// and the rest of its sense.
const record = 28

func (q *questions) form(n uint32) uint64  { return le.Uint64(q.records[n*record:]) }
func (q *questions) words(n uint32) uint64 { return le.Uint64(q.records[n*record+8:]) }

func (q *questions) sense(n uint32) sense {
	b := q.records[n*record+16:][:12]
	return sense{
		marks: le.Uint64(b), asks: asks(le.Uint16(b[8:])), speakers: speakers(b[10]),
		owners: owners(b[11] & 127), directed: b[11]>>7 != 0,
	}
}

// of returns the questions of a document, from first to before end.
func (q *questions) of(document uint32) (first, end uint32) {
	if q.count == 0 {
		return 0, 0
	}
	return q.documents.Search(uint64(document)), q.documents.Search(uint64(document) + 1)
}

// appendTerms appends the numbers of a question's terms.
func (q *questions) appendTerms(dst []uint32, n uint32) []uint32 {
	for i := q.starts.Get(n); i < q.starts.Get(n+1); i++ {
		dst = append(dst, q.terms.Get(i))
	}
	return dst
}

// with calls yield with the questions of which key returns a hash, of those in its
// order.
func (q *questions) with(order *packed.Ints, key func(uint32) uint64, hash uint64, yield func(n uint32)) {
	from, to := uint32(0), q.count
	for from < to {
		if at := (from + to) / 2; key(order.Get(at)) < hash {
			from = at + 1
		} else {
			to = at
		}
	}
	for ; from < q.count && key(order.Get(from)) == hash; from++ {
		yield(order.Get(from))
	}
}

func appendQuestions(out []byte, list []question) []byte {
	out = binary.AppendUvarint(out, uint64(len(list)))
	if len(list) == 0 {
		return out
	}
	var documents, starts, terms []uint32
	order := make([]uint32, len(list))
	for i, q := range list {
		out = le.AppendUint64(out, q.form)
		out = le.AppendUint64(out, q.words)
		out = le.AppendUint64(out, q.sense.marks)
		out = le.AppendUint16(out, uint16(q.sense.asks))
		directed := byte(0)
		if q.sense.directed {
			directed = 1 << 7
		}
		out = append(out, byte(q.sense.speakers), byte(q.sense.owners)|directed)
		documents = append(documents, q.document)
		starts = append(starts, uint32(len(terms)))
		terms = append(terms, q.numbers...)
		order[i] = uint32(i)
	}
	out = packed.AppendInts(out, documents)
	out = binary.AppendUvarint(out, uint64(len(terms)))
	out = packed.AppendInts(out, append(starts, uint32(len(terms))))
	out = packed.AppendInts(out, terms)
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Or(cmp.Compare(list[a].form, list[b].form), cmp.Compare(a, b)) })
	out = packed.AppendInts(out, order)
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Or(cmp.Compare(list[a].words, list[b].words), cmp.Compare(a, b)) })
	return packed.AppendInts(out, order)
}

// read reads the questions of a segment of which rows, documents and terms are read.
func (q *questions) read(r *packed.Reader, g *segment) {
	q.count = uint32(r.Uint(uint64(g.rows)))
	if q.count == 0 {
		return
	}
	n := int(q.count)
	q.records = r.Bytes(n * record)
	q.documents = r.Ints(n, uint64(max(g.documents, 1)-1))
	terms := r.Uint(1<<31 - 1)
	q.starts = r.Rising(n+1, terms)
	q.terms = r.Ints(int(terms), uint64(max(g.terms.Len(), 1)-1))
	q.byForm = r.Ints(n, uint64(n-1))
	q.byWords = r.Ints(n, uint64(n-1))
	if terms > 0 && g.terms.Len() == 0 {
		r.Fail("terms of questions")
	}
}

// check makes sure of what read takes for granted.
func (q *questions) check(g *segment) error {
	for i := uint32(0); i < q.count; {
		d := q.documents.Get(i)
		first, end := g.rowsOf(d)
		n := uint32(1)
		for ; i+n < q.count && q.documents.Get(i+n) == d; n++ {
		}
		if n > end-first || i > 0 && q.documents.Get(i-1) > d {
			return fmt.Errorf("segment: questions of document %d: %w", d, packed.ErrMalformed)
		}
		for j := range n {
			for at := q.starts.Get(i + j); at < q.starts.Get(i+j+1); at++ {
				if list := g.list(q.terms.Get(at)); list.In(first+j) == 0 {
					return fmt.Errorf("segment: terms of question %d: %w", i+j, packed.ErrMalformed)
				}
			}
		}
		i += n
	}
	return nil
}
