package index

import (
	"encoding/binary"
	"fmt"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/packed"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/postings"
)

// A segment is some documents, which never change. All of it lies in data, as it is
// written to a snapshot, and is read there.
//
// A row is a passage, or a passage with one of its questions. The rows of a document
// follow each other, and documents are numbered in the order of their rows.
type segment struct {
	data []byte

	rows, documents uint32
	passages        int
	total           uint64 // of the lengths of rows

	// By row.
	lengths  []byte
	docs     []uint32
	ordinals packed.Ints

	// By document.
	ids        idList
	versions   packed.Ints
	stamps     packed.Ints // behind the first
	stamp      uint64      // the first
	firsts     []uint32    // rows; and, last, how many there are
	language   packed.Ints // its number
	attrStarts []uint32    // in attrs; and, last, how many there are

	hashes, byHash packed.Ints // of ids, in order of hash, and whose they are; see hashOf

	languages packed.Strings
	spoken    []int          // documents in each language
	attrKeys  packed.Strings // in order, see attributes
	attrs     []uint32       // of document after document, in order

	questions questions
	texts     texts

	terms    packed.Strings // in order
	lists    packed.Ints    // where they begin in postings; and, last, where they end
	postings []byte
	commons  []common // in the order of their terms
	verdicts verdicts
}

// openSegment reads a segment where it lies. What it checks is what it costs little
// to check and what reading rests on; see check for the rest.
func openSegment(data []byte) (*segment, error) {
	const most = 1<<31 - 2
	g := &segment{data: data}
	r := packed.NewReader(data)
	g.rows = uint32(r.Uint(postings.MaxRow + 1))
	g.documents = uint32(r.Uint(uint64(g.rows)))
	rows, documents := int(g.rows), int(g.documents)
	g.lengths = r.Bytes(rows)
	g.ordinals = r.Ints(rows, most)

	g.ids.read(r, documents)
	g.versions = r.Ints(documents, 1<<packed.MaxWidth-1)
	g.stamp = r.Uint(1<<packed.MaxWidth - 1)
	g.stamps = r.Ints(documents, 1<<packed.MaxWidth-1)
	g.firsts = counted(r, documents, rows)
	g.languages = r.Strings(documents, true)
	g.language = r.Ints(documents, uint64(max(g.languages.Len(), 1)-1))
	g.hashes = r.Ints(documents, 1<<32-1)
	g.byHash = r.Ints(documents, uint64(max(documents, 1)-1))

	g.attrKeys = r.Strings(most, true)
	n := r.Uint(most)
	attrs := r.Ints(int(n), uint64(max(g.attrKeys.Len(), 1)-1))
	g.attrStarts = counted(r, documents, int(n))

	g.terms = r.Strings(most, true)
	g.questions.read(r, g)
	g.texts.read(r, g)
	size := r.Uint(1<<32 - 1)
	g.lists = r.Rising(g.terms.Len()+1, size)
	g.postings = r.Bytes(int(size) + postings.Padding)
	if r.Err() == nil && (r.Rest() > 0 || documents == 0 || g.languages.Len() == 0 || n > 0 && g.attrKeys.Len() == 0) {
		r.Fail("end")
	}
	if r.Err() != nil {
		return nil, fmt.Errorf("segment: %w", r.Err())
	}
	g.attrs = attrs.Plain()
	g.docs = make([]uint32, rows)
	for d := range g.documents {
		for row := g.firsts[d]; row < g.firsts[d+1]; row++ {
			g.docs[row] = d
		}
	}
	g.spoken = make([]int, g.languages.Len())
	for d := range g.documents {
		g.spoken[g.language.At(d)]++
		g.passages += g.passagesOf(d)
	}
	for _, b := range g.lengths {
		g.total += uint64(lengthOf[b])
	}
	return g, nil
}

// check makes sure of what openSegment takes for granted.
func (g *segment) check() error {
	for d := range g.documents {
		if d > 0 && g.hashes.At(d) < g.hashes.At(d-1) {
			return fmt.Errorf("segment: order of hashes: %w", packed.ErrMalformed)
		}
	}
	for t := range uint32(g.terms.Len()) {
		from, to := g.lists.At(t), g.lists.At(t+1)
		if err := postings.Check(g.postings[from:to+postings.Padding], g.rows); err != nil {
			return fmt.Errorf("segment: term %d: %w", t, err)
		}
	}
	return g.questions.check(g)
}

// rowsOf returns the rows of a document, from first to before end.
func (g *segment) rowsOf(d uint32) (first, end uint32) {
	return g.firsts[d], g.firsts[d+1]
}

// passagesOf counts the passages of a document.
func (g *segment) passagesOf(d uint32) int {
	first, end := g.rowsOf(d)
	n := 1
	for row := first + 1; row < end; row++ {
		if g.ordinals.At(row) != g.ordinals.At(row-1) {
			n++
		}
	}
	return n
}

// hashShift is how many bits of a hash of 32 are left out in a segment of so many
// documents: seven more than tell them apart if they fall well are kept.
func hashShift(documents int) int { return max(32-7-packed.Width(uint32(documents)), 0) }

// counted reads how many things each of some documents has, less one, and returns where
// they begin, and, last, how many there are, which is known.
func counted(r *packed.Reader, documents, all int) []uint32 {
	counts := r.Ints(documents, uint64(all))
	if r.Err() != nil {
		return nil
	}
	starts := make([]uint32, documents+1)
	at := uint64(0)
	for d := range uint32(documents) {
		starts[d] = uint32(at)
		at += counts.At(d) + 1
	}
	if starts[documents] = uint32(at); at != uint64(all) {
		r.Fail("counts")
	}
	return starts
}

// document returns the number of a document, by its id and the hash of that, gone or
// not.
func (g *segment) document(id string, hash uint64) (uint32, bool) {
	h := uint64(uint32(hash) >> hashShift(int(g.documents)))
	for i := g.hashes.Search(h); i < g.documents && g.hashes.At(i) == h; i++ {
		if d := g.byHash.Get(i); g.ids.Is(d, id) {
			return d, true
		}
	}
	return 0, false
}

// list returns the postings of a term.
func (g *segment) list(term uint32) postings.List {
	return postings.Open(g.postings[g.lists.At(term):])
}

// find returns the number and the postings of a term.
func (g *segment) find(term []byte) (uint32, postings.List) {
	if n, ok := g.terms.Find(term); ok {
		return n, g.list(n)
	}
	return 0, postings.List{}
}

var le = binary.LittleEndian
