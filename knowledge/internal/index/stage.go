package index

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"sync"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/analysis"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/postings"
)

// fieldGap is how far the fields of a passage stand apart, so that a word that ends
// one is not beside the word that begins the next.
const fieldGap = 8

// stagedTokens is how many tokens of texts are gathered before they become a
// segment: about 7 MB of text.
const stagedTokens = 1 << 20

// keptVocabulary is how many bytes of a vocabulary are kept for the next documents: the
// words of some MB of text.
const keptVocabulary = 8 << 20

// A stager makes segments of documents: it gathers their terms, and writes them when
// there are enough.
type stager struct {
	x    *Index
	made []*segment
	maker

	vocabulary analysis.Vocabulary
	known      []stagedTerm // by number of a term in the vocabulary
	used       []uint32     // the terms of the segment under way
	tokens     []uint32     // row after row, see token
	ends       []uint32     // of each row in tokens, as they were put
	was        []uint32     // which of those a row is; nil: the same
	words      []analysis.Numbered
	text       []byte // the term that is written

	attrNumbers map[string]uint32
	attrTexts   []string
}

// A stagedTerm is what is known of a term in the segment under way.
type stagedTerm struct {
	last  uint32 // row that holds it, plus one
	count uint32 // of the rows that hold it
	at    uint32 // where the next of its rows goes; then its number
	code  uint32
}

// scattered marks the last row of a term as one that was met again, when its rows are
// put where they go.
const scattered = 1 << 31

// stage makes segments of the documents that are put, but those of which a later
// change is among them. Their text is not needed afterwards.
func (x *Index) stage(changes []Change, last map[string]int) []*segment {
	s := x.stager()
	defer s.end()
	for i, c := range changes {
		if c.Put != nil && last[c.Put.ID] == i && len(c.Put.Passages) > 0 {
			s.put(c.Put)
			if len(s.tokens) > stagedTokens {
				s.flush()
			}
		}
	}
	s.flush()
	return s.made
}

var stagers = sync.Pool{New: func() any { return &stager{attrNumbers: map[string]uint32{}} }}

// stager returns one that nobody else uses.
func (x *Index) stager() *stager {
	s := stagers.Get().(*stager)
	s.x = x
	return s
}

// end gives the stager back. The pool keeps no index, no text, and not much memory.
func (s *stager) end() {
	s.reset()
	s.x, s.made = nil, nil
	if cap(s.tokens) <= stagedTokens/4 {
		stagers.Put(s)
	}
}

// reset lets the stager begin another segment.
func (s *stager) reset() {
	s.maker.reset()
	for _, n := range s.used {
		s.known[n] = stagedTerm{}
	}
	clear(s.attrNumbers)
	clear(s.attrTexts)
	s.used, s.tokens, s.ends, s.was, s.attrTexts = s.used[:0], s.tokens[:0], s.ends[:0], nil, s.attrTexts[:0]
	if s.vocabulary.Size() > keptVocabulary {
		s.vocabulary, s.known = analysis.Vocabulary{}, nil
	}
}

func (s *stager) put(d *Document) {
	language := cmp.Or(d.Language, s.x.options.Language)
	analyzer := analysis.For(language)
	s.document(&madeDocument{
		id: []byte(d.ID), version: uint64(max(d.Version, 0)), stamp: uint64(max(d.Stamp, 0)), language: language,
	})
	first := len(s.attrs)
	attributes(d, func(key []byte) {
		n, ok := s.attrNumbers[string(key)]
		if !ok {
			n = uint32(len(s.attrTexts))
			text := string(key)
			s.attrNumbers[text] = n
			s.attrTexts = append(s.attrTexts, text)
		}
		s.attrs = append(s.attrs, n)
	})
	slices.Sort(s.attrs[first:])
	s.attrs = append(s.attrs[:first], slices.Compact(s.attrs[first:])...)
	for i := range d.Passages {
		p := &d.Passages[i]
		for j := range max(1, len(p.Questions)) {
			question := ""
			if len(p.Questions) > 0 {
				question = p.Questions[j]
			}
			s.passage(analyzer, p, question)
		}
	}
	for _, text := range d.Passages[0].Questions {
		w := word(analyzer, text)
		q := question{document: uint32(len(s.firsts) - 1), wording: w}
		for _, t := range w.terms {
			q.numbers = append(q.numbers, s.vocabulary.Number(t))
		}
		s.questions = append(s.questions, q)
	}
}

// passage reads a passage, together with one of its questions. Stop words are not
// part of its length: only the second stage of a search looks at them.
func (s *stager) passage(a *analysis.Analyzer, p *Passage, question string) {
	o := &s.x.options
	from, length := uint32(0), 0
	row := uint32(len(s.ends)) + 1
	place, counts := noPlace, 1
	field := func(text string, weight int) {
		if text == "" {
			return
		}
		s.words = s.vocabulary.Tokens(s.words[:0], a, text)
		if n := s.vocabulary.Len(); n > len(s.known) {
			s.known = roomy(s.known, n)[:n]
		}
		s.tokens = roomy(s.tokens, len(s.tokens)+3*len(s.words))
		last := uint32(0)
		for _, w := range s.words {
			last = w.At
			step := from + last - place
			place = from + last
			if step == 1 && weight == counts {
				s.tokens = append(s.tokens, w.Number<<1)
			} else {
				s.tokens = append(s.tokens, w.Number<<1|1, step, uint32(weight))
				counts = weight
			}
			if t := &s.known[w.Number]; t.last != row {
				if t.last == 0 {
					s.used = append(s.used, w.Number)
				}
				t.last = row
				t.count++
			}
			if !w.Stop {
				length += weight
			}
		}
		from += last + fieldGap
	}
	field(p.Title, o.TitleWeight)
	field(p.Heading, o.HeadingWeight)
	field(question, o.QuestionWeight)
	field(p.Body, 1)
	s.ends = append(s.ends, uint32(len(s.tokens)))
	s.row(uint32(p.Ordinal), lengthByte(length))
}

// roomy returns a list with room for so many elements: twice as much as before if there
// was not enough, where append would move a long list far more often.
func roomy[T any](list []T, n int) []T {
	if n > cap(list) {
		list = append(make([]T, 0, max(n, 2*cap(list))), list...)
	}
	return list
}

// A token is a term where it stands in a row. It is written as its number twice; or, if
// it is not one place behind the one before, or counts otherwise, as that plus one, how
// many places behind that one it stands, and how often it counts.
type token struct {
	number, step, weight uint32
}

// next reads the token at the front of list, of which the one before counted as token
// says, and returns the rest.
func (t *token) next(list []uint32) []uint32 {
	t.number, t.step = list[0]>>1, 1
	if list[0]&1 == 0 {
		return list[1:]
	}
	t.step, t.weight = list[1], list[2]
	return list[3:]
}

// flush makes a segment of what was put, and begins another.
func (s *stager) flush() {
	if len(s.ends) > 0 {
		s.sortAttributes()
		s.was = s.reorder()
		s.sortTokens()
		s.made = append(s.made, s.segment(&s.x.options))
	}
	s.reset()
}

// sortAttributes numbers attributes in their order, in which each document has its own.
func (s *stager) sortAttributes() {
	order := sorted(s.attrTexts)
	moved := make([]uint32, len(order))
	for i, n := range order {
		s.attribute([]byte(s.attrTexts[n]))
		moved[n] = uint32(i)
	}
	for i, n := range s.attrs {
		s.attrs[i] = moved[n]
	}
	for d, first := range s.attrStarts {
		end := uint32(len(s.attrs))
		if d+1 < len(s.attrStarts) {
			end = s.attrStarts[d+1]
		}
		slices.Sort(s.attrs[first:end])
	}
}

// sortTokens writes the terms in order, each with its rows, and the texts of rows.
func (s *stager) sortTokens() {
	s.sortTerms()
	s.scatter()
	s.codes = ranked(s.totals)
	for i, n := range s.used {
		s.known[n].at, s.known[n].code = uint32(i), s.codes[i]
	}
	s.texts.data = roomy(s.texts.data, 2*len(s.tokens)) // most take a byte or two
	for row := range s.ends {
		s.texts.row()
		t := token{weight: 1}
		for list := s.tokensOf(row); len(list) > 0; {
			list = t.next(list)
			s.texts.add(s.known[t.number].code, t.step, uint8(t.weight))
		}
	}
	for _, q := range s.questions {
		for i, n := range q.numbers {
			q.numbers[i] = s.known[n].at // which a row of the question holds too
		}
	}
}

// tokensOf returns the tokens of a row.
func (s *stager) tokensOf(row int) []uint32 {
	if s.was != nil {
		row = int(s.was[row])
	}
	from := uint32(0)
	if row > 0 {
		from = s.ends[row-1]
	}
	return s.tokens[from:s.ends[row]]
}

// scatter finds the rows of each term, and writes its postings.
func (s *stager) scatter() {
	end := uint32(0)
	for _, n := range s.used {
		s.known[n].at = end
		end += s.known[n].count
	}
	rows, frequencies := make([]uint32, end), make([]uint8, end)
	for row := range s.ends {
		t := token{weight: 1}
		for list := s.tokensOf(row); len(list) > 0; {
			list = t.next(list)
			k := &s.known[t.number]
			if k.last != uint32(row)|scattered {
				k.last = uint32(row) | scattered
				rows[k.at] = uint32(row)
				k.at++
			}
			f := &frequencies[k.at-1]
			*f = uint8(min(uint32(*f)+t.weight, postings.MaxFrequency))
		}
	}
	for _, n := range s.used {
		k := &s.known[n]
		total := uint32(0)
		for j := k.at - k.count; j < k.at; j++ {
			s.postings.Add(rows[j], frequencies[j])
			total += uint32(frequencies[j])
		}
		s.text = append(s.text[:0], s.vocabulary.Term(n)...)
		s.term(s.text, total)
	}
}

// sortTerms puts the terms that are used in their order.
func (s *stager) sortTerms() {
	texts := make([]string, len(s.used))
	for i, n := range s.used {
		texts[i] = s.vocabulary.Term(n)
	}
	order := sorted(texts)
	for i, o := range order {
		order[i] = s.used[o]
	}
	copy(s.used, order)
}

// sorted returns the numbers of texts in the order of the texts.
func sorted(texts []string) []uint32 {
	type entry struct {
		front uint64 // the first eight bytes
		n     uint32
	}
	list := make([]entry, len(texts))
	for i, t := range texts {
		var front [8]byte
		copy(front[:], t)
		list[i] = entry{binary.BigEndian.Uint64(front[:]), uint32(i)}
	}
	slices.SortFunc(list, func(a, b entry) int {
		if a.front != b.front {
			return cmp.Compare(a.front, b.front)
		}
		return strings.Compare(texts[a.n], texts[b.n])
	})
	out := make([]uint32, len(list))
	for i, e := range list {
		out[i] = e.n
	}
	return out
}
