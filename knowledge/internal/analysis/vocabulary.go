package analysis

import (
	"hash/maphash"
	"math/bits"
	"math/rand/v2"
	"strings"
)

// A Vocabulary numbers the terms of texts, from 0 in the order in which they are met.
// The zero value knows none. It remembers what became of each spelling over many texts,
// so that most words are looked up in one small table.
type Vocabulary struct {
	tables map[*Analyzer]*spellings
	words  map[string]uint32
	terms  []string // by number
}

// spellings are the words that an analyzer met, each where its key says, or behind
// that.
type spellings struct {
	slots []spelling
	shift int // 64 less the bits of the number of a slot
	count int // of slots that are taken
}

// A spelling is a word as it is written, and the term it is.
type spelling struct {
	key    uint64 // never 0
	number uint32 // of the term, and stopWord if it is one; noWord: it is no term
}

const (
	stopWord = 1 << 31
	noWord   = 1<<32 - 1
)

// scatter spreads the keys of short words, in a way that nobody knows beforehand.
var scatter = rand.Uint64() | 1

// A Numbered is a [Token] whose term is a number.
type Numbered struct {
	Number uint32
	At     uint32
	Stop   bool
}

// Len returns how many terms have a number.
func (v *Vocabulary) Len() int { return len(v.terms) }

// Term returns a term by its number.
func (v *Vocabulary) Term(n uint32) string { return v.terms[n] }

// Size returns about how many bytes the vocabulary takes.
func (v *Vocabulary) Size() int {
	n := 96 * len(v.terms) // a term, its texts and its place among the words
	for _, t := range v.tables {
		n += 16 * len(t.slots)
	}
	return n
}

// Number returns the number of a term.
func (v *Vocabulary) Number(term string) uint32 {
	n, ok := v.words[term]
	if !ok {
		if v.words == nil {
			v.words = map[string]uint32{}
		}
		n = uint32(len(v.terms))
		term = strings.Clone(term) // the text it is of is forgotten sooner
		v.words[term] = n
		v.terms = append(v.terms, term)
	}
	return n
}

// Tokens appends what [Analyzer.Tokens] finds in a text to dst.
func (v *Vocabulary) Tokens(dst []Numbered, a *Analyzer, text string) []Numbered {
	t := v.tables[a]
	if t == nil {
		t = &spellings{}
		t.grow()
		if v.tables == nil {
			v.tables = map[*Analyzer]*spellings{}
		}
		v.tables[a] = t
	}
	s := scanner{text: text}
	at := uint32(0)
	for {
		token := s.simple()
		if token == "" {
			if !s.next() {
				return dst
			}
			switch s.kind {
			case pair:
				dst = append(dst, Numbered{v.Number(s.token), at, false})
				at++
				continue
			case wholeWord:
				dst = append(dst, Numbered{v.Number(a.compound(s.token)), at - 1, false})
				continue
			}
			token = s.token
		}
		key := a.key(token)
		slot := t.slot(key)
		n := slot.number
		if slot.key == 0 {
			n = v.met(a, token)
			t.keep(slot, spelling{key, n})
		}
		if n != noWord {
			dst = append(dst, Numbered{n &^ stopWord, at, n&stopWord != 0})
		}
		at++
	}
}

// met returns the number of a spelling that was not met before.
func (v *Vocabulary) met(a *Analyzer, raw string) uint32 {
	w := a.word(raw)
	if w.term == "" {
		return noWord
	}
	n := v.Number(w.term)
	if w.is(stop) {
		n |= stopWord
	}
	return n
}

// key is the word itself if it has up to seven bytes: them, and behind them one more
// than there are. Of a longer one it is a hash of 63 bits: two of 65,000 words have the same
// once in some 2^32 processes, whoever chose them, for each process hashes in a way of
// its own.
func (a *Analyzer) key(raw string) uint64 {
	if len(raw) > 7 {
		return maphash.String(a.seed, raw) | 1<<63
	}
	key := uint64(len(raw)+1) << 56
	for i := range len(raw) {
		key |= uint64(raw[i]) << (8 * i)
	}
	return key
}

// slot returns where the spelling of a key is, or goes.
func (t *spellings) slot(key uint64) *spelling {
	mask := uint64(len(t.slots) - 1)
	for at := key * scatter >> t.shift; ; at = (at + 1) & mask {
		if s := &t.slots[at&mask]; s.key == key || s.key == 0 {
			return s
		}
	}
}

// keep keeps a spelling in a slot that is free.
func (t *spellings) keep(slot *spelling, s spelling) {
	*slot = s
	if t.count++; 2*t.count > len(t.slots) {
		t.grow()
	}
}

// grow makes room for twice as many spellings.
func (t *spellings) grow() {
	old := t.slots
	t.slots = make([]spelling, max(1<<10, 2*len(old)))
	t.shift = 64 - bits.Len(uint(len(t.slots)-1))
	for _, s := range old {
		if s.key != 0 {
			*t.slot(s.key) = s
		}
	}
}
