package index

import (
	"cmp"
	"slices"
	"unicode"
	"unicode/utf8"
)

// A word of the question that stands nowhere may be misspelt. The known terms that
// are nearest to it stand in for it, at a part of their weight: those that begin
// with the same letter and are one edit away, or two of a word of eight letters or
// more (an edit is a letter that is missing, added or another, or two that changed
// places: Damerau, 1964). Short words and what has digits are not guessed: too much
// is near to them.
const (
	guessWeight  = 0.5
	guessLetters = 5  // a word has at least
	guessTwo     = 8  // and to be two edits away
	guessLongest = 32 // letters
	guessTerms   = 3  // stand in for a word at most
	guessWords   = 4  // of a question are guessed at most
	guessLooks   = 1 << 16
)

// guessing is what finding words that stand in for unknown ones uses.
type guessing struct {
	asked   []rune
	letters []rune
	rows    [guessLongest + 3][guessLongest + 1]uint8 // of edits, by letters of the term and of what is asked
	guesses []guess
}

// A guess is a known term near an unknown one.
type guess struct {
	text  string
	edits uint8
	df    int
}

// guess looks for terms to stand in for those that are unknown.
func (s *search) guess() {
	words := 0
	for i := range len(s.terms) {
		t := &s.terms[i]
		if t.df > 0 || !t.Content || t.Whole || words == guessWords || s.isKnown(i) || !s.guessable(t.Text) {
			continue
		}
		words++
		edits := uint8(1)
		if len(s.asked) >= guessTwo {
			edits = 2
		}
		s.guesses = s.guesses[:0]
		for j := range s.view.parts {
			s.guessIn(&s.view.parts[j], edits)
		}
		slices.SortFunc(s.guesses, func(a, b guess) int {
			return cmp.Or(cmp.Compare(a.edits, b.edits), cmp.Compare(b.df, a.df), cmp.Compare(a.text, b.text))
		})
		nearest := 0
		for _, g := range s.guesses {
			if nearest == guessTerms || g.edits > s.guesses[0].edits {
				break
			}
			if s.hasTerm(g.text) {
				continue
			}
			nearest++
			stand := term{Term: s.terms[i].Term, count: s.terms[i].count, guess: i + 1}
			stand.Text = g.text
			s.look(stand)
			s.view.weigh(&s.terms[len(s.terms)-1])
		}
	}
}

// isKnown reports whether a term is known in another reading.
func (s *search) isKnown(i int) bool {
	for j := range s.terms {
		if s.terms[j].df > 0 && s.alternatives(i, j) {
			return true
		}
	}
	return false
}

func (s *search) hasTerm(text string) bool {
	return slices.ContainsFunc(s.terms, func(t term) bool { return t.Text == text })
}

// guessable takes a word apart, and reports whether it may be guessed.
func (s *search) guessable(word string) bool {
	s.asked = s.asked[:0]
	for _, r := range word {
		if !unicode.IsLetter(r) && !unicode.IsMark(r) {
			return false
		}
		s.asked = append(s.asked, r)
	}
	return len(s.asked) >= guessLetters && len(s.asked) <= guessLongest
}

// guessIn looks through the terms of a part that begin with the first letter asked.
// What begins as one that is too far away already is passed over.
func (s *search) guessIn(p *part, most uint8) {
	first := string(s.asked[0])
	from, _ := p.terms.Find([]byte(first))
	for i := range s.rows[0] {
		s.rows[0][i] = uint8(i)
	}
	s.letters = s.letters[:0]
	var before []byte // the term before
	far := 1 << 30    // so many of its bytes are too far away, whatever follows
	walk := p.terms.Walk(from)
	for n := from; n < from+guessLooks && walk.Next(); n++ {
		text := walk.Text()
		same := 0
		for same < len(before) && same < len(text) && text[same] == before[same] {
			same++
		}
		if same >= far {
			continue
		}
		for same > 0 && same < len(text) && !utf8.RuneStart(text[same]) {
			same--
		}
		before = append(before[:same], text[same:]...)
		s.letters = s.letters[:utf8.RuneCount(text[:same])]
		far = 1 << 30
		for at := same; at < len(text); {
			r, size := utf8.DecodeRune(text[at:])
			at += size
			s.letters = append(s.letters, r)
			if len(s.letters) > len(s.asked)+int(most) || s.row() > most {
				far = at
				break
			}
		}
		if len(s.letters) == 0 || s.letters[0] != s.asked[0] {
			return
		}
		if far < 1<<30 {
			continue
		}
		if edits := s.rows[len(s.letters)][len(s.asked)]; edits <= most {
			list := p.list(n)
			if df := p.df(n, &list); df > 0 {
				s.noteGuess(string(text), edits, df)
			}
		}
	}
}

// row counts the edits from what is asked to the letters so far, and returns the
// fewest there can be, whatever follows.
func (s *search) row() (least uint8) {
	n := len(s.letters)
	row, above := &s.rows[n], &s.rows[n-1]
	row[0] = uint8(n)
	least = row[0]
	for i, r := range s.asked {
		edits := above[i]
		if r != s.letters[n-1] {
			edits = 1 + min(above[i], above[i+1], row[i])
			if n > 1 && i > 0 && r == s.letters[n-2] && s.asked[i-1] == s.letters[n-1] {
				edits = min(edits, 1+s.rows[n-2][i-1])
			}
		}
		row[i+1] = edits
		least = min(least, edits)
	}
	if n > 1 { // two letters that change places may mend what the row before says
		least = min(least, slices.Min(above[:len(s.asked)+1])+1)
	}
	return least
}

func (s *search) noteGuess(text string, edits uint8, df int) {
	for i := range s.guesses {
		if s.guesses[i].text == text {
			s.guesses[i].df += df
			return
		}
	}
	s.guesses = append(s.guesses, guess{text, edits, df})
}
