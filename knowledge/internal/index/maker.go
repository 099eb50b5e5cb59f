package index

import (
	"encoding/binary"
	"slices"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/packed"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/postings"
)

// A maker writes a segment: first its documents with their rows, attributes and
// questions, then its terms in order, then the texts of its rows.
type maker struct {
	lengths        []byte
	docs, ordinals []uint32

	ids               idWriter
	hashes            []uint64
	versions, stamps  []uint64
	firsts            []uint32
	languages         []string
	language          []uint32
	attrStarts, attrs []uint32
	attrKeys          packed.StringsWriter
	paths             []uint32 // of attrKeys, see reorder

	questions []question

	terms    packed.StringsWriter
	totals   []uint32 // how often each is said
	codes    []uint32 // see texts
	texts    textWriter
	lists    []uint32
	postings postings.Writer

	out []byte // the segment, before it is one
}

// reset lets the maker begin another segment, in the same memory.
func (m *maker) reset() {
	clear(m.questions)
	*m = maker{
		lengths: m.lengths[:0], docs: m.docs[:0], ordinals: m.ordinals[:0], ids: idWriter{m.ids.data[:0], m.ids.ends[:0]},
		hashes: m.hashes[:0], versions: m.versions[:0], stamps: m.stamps[:0], firsts: m.firsts[:0], languages: m.languages[:0],
		language: m.language[:0], attrStarts: m.attrStarts[:0], attrs: m.attrs[:0], attrKeys: m.attrKeys, paths: m.paths[:0], questions: m.questions[:0],
		terms: m.terms, totals: m.totals[:0], texts: textWriter{data: m.texts.data[:0], starts: m.texts.starts[:0]}, lists: m.lists[:0],
		postings: m.postings, out: m.out[:0],
	}
	m.attrKeys.Reset()
	m.terms.Reset()
	m.postings.Reset()
}

// A madeDocument is what a maker is told of a document.
type madeDocument struct {
	id             []byte
	version, stamp uint64
	language       string
}

// document begins a document. Its rows, attributes and questions follow.
func (m *maker) document(d *madeDocument) {
	m.ids.add(d.id)
	m.hashes = append(m.hashes, uint64(uint32(hash(d.id))))
	m.versions = append(m.versions, d.version)
	m.stamps = append(m.stamps, d.stamp)
	m.firsts = append(m.firsts, uint32(len(m.docs)))
	m.attrStarts = append(m.attrStarts, uint32(len(m.attrs)))
	n := slices.Index(m.languages, d.language)
	if n < 0 {
		n = len(m.languages)
		m.languages = append(m.languages, d.language)
	}
	m.language = append(m.language, uint32(n))
}

// row adds a row of the document begun last.
func (m *maker) row(ordinal uint32, length byte) {
	m.docs = append(m.docs, uint32(len(m.firsts)-1))
	m.ordinals = append(m.ordinals, ordinal)
	m.lengths = append(m.lengths, length)
}

// term adds a term that is said total times. The rows it stands in were added to
// m.postings.
func (m *maker) term(text []byte, total uint32) {
	m.terms.Add(text)
	m.totals = append(m.totals, total)
	m.postings.End()
	m.lists = append(m.lists, uint32(m.postings.Len()))
}

// segment returns what was made. The maker is to be reset afterwards.
func (m *maker) segment(o *Options) *segment {
	documents := len(m.firsts)
	out := slices.Grow(m.out, len(m.texts.data)+m.postings.Len()+m.terms.Bytes()+m.attrKeys.Bytes()+len(m.ids.data)+
		16*(len(m.docs)+documents+m.terms.Len())+4*len(m.attrs))
	out = binary.AppendUvarint(out, uint64(len(m.docs)))
	out = binary.AppendUvarint(out, uint64(documents))
	out = append(out, m.lengths...)
	out = packed.AppendInts(out, m.ordinals)

	out = m.ids.appendTo(out)
	out = packed.AppendInts(out, m.versions)
	first := slices.Min(m.stamps)
	for i := range m.stamps {
		m.stamps[i] -= first
	}
	out = binary.AppendUvarint(out, first)
	out = packed.AppendInts(out, m.stamps)
	out = appendCounts(out, m.firsts, uint32(len(m.docs)))
	out = m.appendLanguages(out)

	shift := hashShift(documents)
	for d, h := range m.hashes {
		m.hashes[d] = h>>shift<<32 | uint64(d)
	}
	slices.Sort(m.hashes)
	order := make([]uint32, documents)
	for i, h := range m.hashes {
		m.hashes[i], order[i] = h>>32, uint32(h)
	}
	out = packed.AppendInts(out, m.hashes)
	out = packed.AppendInts(out, order)

	out = m.attrKeys.AppendTo(out)
	out = binary.AppendUvarint(out, uint64(len(m.attrs)))
	out = packed.AppendInts(out, m.attrs)
	out = appendCounts(out, m.attrStarts, uint32(len(m.attrs)))

	out = m.terms.AppendTo(out)
	out = appendQuestions(out, m.questions)
	out = m.texts.appendTo(out, m.codes)
	out = binary.AppendUvarint(out, uint64(m.postings.Len()))
	out = packed.AppendInts(out, append([]uint32{0}, m.lists...))
	out = append(out, m.postings.Bytes()...)
	out = append(out, make([]byte, postings.Padding)...)
	m.out = out
	g, err := openSegment(slices.Clone(out))
	if err != nil {
		panic("index: " + err.Error()) // a maker writes what openSegment reads
	}
	g.prepare(o)
	return g
}

// appendCounts writes what counted reads: how many things documents have, by where they
// begin.
func appendCounts(out []byte, starts []uint32, end uint32) []byte {
	counts := make([]uint32, len(starts))
	for d, start := range starts {
		next := end
		if d+1 < len(starts) {
			next = starts[d+1]
		}
		counts[d] = next - start - 1
	}
	return packed.AppendInts(out, counts)
}

// appendLanguages writes the languages in order.
func (m *maker) appendLanguages(out []byte) []byte {
	sorted := slices.Sorted(slices.Values(m.languages))
	var w packed.StringsWriter
	for _, l := range sorted {
		w.AddString(l)
	}
	for i, n := range m.language {
		m.language[i] = uint32(slices.Index(sorted, m.languages[n]))
	}
	return packed.AppendInts(w.AppendTo(out), m.language)
}
