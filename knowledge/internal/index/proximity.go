package index

import (
	"slices"
	"strings"
)

// The second stage looks at the best passages of the first: words that stand beside
// each other in the question and near each other in a passage say more than each
// alone. It is the sequential dependence model of Metzler and Croft, "A Markov
// random field model for term dependencies" (2005), with BM25 for its features. A
// pair counts a part of the mean of its words: ordered if they stand as in the
// question, unordered if they stand within span places in any order. Fitted on
// msdocs100k and clinc150. Stop words, of which only pairs know where they stand,
// count here for themselves, too: for all passages that would take long.
const (
	pairDepth = 32 // passages; 64 gain .002 in reciprocal rank on msdocs100k alone, and take twice as long
	ordered   = 0.2
	unordered = 0.2
	span      = 8
	// quoted is how many times a pair counts that the question has in quotes.
	quoted = 3
)

// pairing is what the second stage of a search uses.
type pairing struct {
	words  []pairWord
	pairs  []bigram
	stops  []int // of words, each different one
	nearby []nearby
	touch  byte // of what is read soon, of no meaning
}

// A nearby is a row that was read, and the terms that it holds.
type nearby struct {
	part, row uint32
	terms     uint64
}

// A pairWord is a word of the question, as often as it is said.
type pairWord struct {
	term int
	at   uint32
}

// A bigram is two words that stand beside each other in the question.
type bigram struct {
	first  int // of pairing.words; the second is the next
	weight float32
}

// pair finds the pairs of the question.
func (s *search) pair(text string) {
	s.words, s.pairs, s.stops = s.words[:0], s.pairs[:0], s.stops[:0]
	for _, t := range s.query {
		if t.Whole || len(s.words) > 0 && s.words[len(s.words)-1].at == t.At {
			continue
		}
		if i := slices.IndexFunc(s.terms, func(o term) bool { return o.Text == t.Text && o.guess == 0 }); i >= 0 {
			if i >= s.said && !slices.ContainsFunc(s.words, func(w pairWord) bool { return w.term == i }) {
				s.stops = append(s.stops, len(s.words))
			}
			s.words = append(s.words, pairWord{term: i, at: t.At})
		}
	}
	for i := range len(s.words) - 1 {
		a, b := &s.terms[s.words[i].term], &s.terms[s.words[i+1].term]
		if a == b || a.df == 0 || b.df == 0 || overlap(a.Text, b.Text) || s.paired(i) {
			continue
		}
		s.pairs = append(s.pairs, bigram{i, (a.single + b.single) / 2})
	}
	s.quote(text)
}

// overlap reports whether two terms are pairs of characters that share one: those
// always stand together.
func overlap(a, b string) bool {
	return len(a) >= 6 && len(b) >= 6 && len(a) <= 12 && len(b) <= 12 && isPair(a) && isPair(b)
}

// isPair reports whether a term is two characters of a script that parts no words.
func isPair(text string) bool {
	for _, r := range text {
		if !unspaced(r) && (r < 0xAC00 || r > 0xD7A3) {
			return false
		}
	}
	return true
}

// paired reports whether the words at i make a pair that there is already.
func (s *search) paired(i int) bool {
	return slices.ContainsFunc(s.pairs, func(p bigram) bool {
		return s.words[p.first].term == s.words[i].term && s.words[p.first+1].term == s.words[i+1].term
	})
}

// quotes are what quoted words stand between.
var quotes = [][2]string{{`"`, `"`}, {"“", "”"}, {"„", "“"}, {"«", "»"}, {"「", "」"}}

// quote lets the pairs count more that the question has in quotes.
func (s *search) quote(text string) {
	for _, q := range quotes {
		for rest := text; ; {
			_, inside, found := strings.Cut(rest, q[0])
			inside, behind, closed := strings.Cut(inside, q[1])
			if !found || !closed {
				break
			}
			rest = behind
			s.quotePhrase(inside)
		}
	}
}

// quotePhrase finds the words of a phrase among those of the question by how they
// are written: the question's terms are stems.
func (s *search) quotePhrase(phrase string) {
	phrase = strings.ToLower(phrase)
	for i := range s.pairs {
		p := &s.pairs[i]
		a, b := s.terms[s.words[p.first].term].Text, s.terms[s.words[p.first+1].term].Text
		if at := strings.Index(phrase, stub(a)); at >= 0 && strings.Contains(phrase[at:], stub(b)) {
			p.weight *= quoted
		}
	}
}

// stub is what a stem and its word begin with both.
func stub(stem string) string {
	if len(stem) > 4 && stem[len(stem)-1] < 0x80 {
		return stem[:len(stem)-1] // happi, happy
	}
	return stem
}

// approach adds to a candidate what the pairs of the question give it.
func (s *search) approach(c *candidate) {
	p := &s.view.parts[c.part]
	norm := s.view.norms[p.lengths[c.row]]
	s.read(c.part, c.row)
	sum := float32(0)
	for _, i := range s.stops {
		term := s.words[i].term
		if tf := len(s.places[term]); tf > 0 {
			sum += s.terms[term].weight * impact(uint32(tf), norm)
		}
	}
	for _, b := range s.pairs {
		first, second := &s.words[b.first], &s.words[b.first+1]
		o, u := meetings(s.places[first.term], s.places[second.term], second.at-first.at)
		if u > 0 {
			sum += b.weight * (ordered*impact(o, norm) + unordered*impact(u, norm))
		}
	}
	s.nearby = append(s.nearby, nearby{c.part, c.row, s.matches()})
	c.near = sum
	c.score = c.bm25 + sum
}

// meetings counts how often two words stand near each other: of their places, both
// ascending, those that follow one another and are of different words and less than
// span apart; and, ordered, as in the question: a before b, gap places or one apart.
func meetings(a, b []uint32, gap uint32) (inOrder, any uint32) {
	var last uint32
	lastIs := 0 // 1: of a, 2: of b
	for len(a) > 0 || len(b) > 0 {
		if len(b) == 0 || len(a) > 0 && a[0] <= b[0] {
			if lastIs == 2 && a[0]-last < span {
				any++
			}
			last, lastIs, a = a[0], 1, a[1:]
			continue
		}
		if d := b[0] - last; lastIs == 1 && d < span {
			any++
			if d == 1 || d == gap {
				inOrder++
			}
		}
		last, lastIs, b = b[0], 2, b[1:]
	}
	return inOrder, any
}

// bring adds to the best candidates what the pairs of the question give them, and
// puts them in order. It is never less than nothing, so that those behind them stay
// behind.
func (s *search) bring(list []candidate) {
	list = list[:min(len(list), pairDepth)]
	if len(s.pairs) == 0 && len(s.stops) == 0 {
		return
	}
	for _, c := range list { // memory answers sooner if it is asked for all at once
		if text := s.view.parts[c.part].texts.of(c.row); len(text) > 0 {
			s.touch += text[0] + text[len(text)/2]
		}
	}
	for i := range list {
		s.approach(&list[i])
	}
	s.view.sort(list)
}
