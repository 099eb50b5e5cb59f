package index

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/analysis"
)

// A wording is a question as it is compared with others.
type wording struct {
	form  uint64   // hash of its normal form; 0 if that is empty
	terms []string // that say what is asked, each once, in order
	words uint64   // hash of the terms, in any order
	sense sense
}

// A sense is what two questions of the same terms may differ in and then ask
// something else.
type sense struct {
	marks    uint64 // hash of numbers, negations, and words such as "before" and "without"
	asks     asks
	speakers speakers
	owners   owners
	directed bool // the order of the terms matters, as in "from Graz to Linz"
}

// asks are the words of asking in a question, a bit each.
type asks uint16

// speakers says whether "I" or "you" comes first, if both do.
type speakers uint8

// owners are those whose things a question is about: who asks 1, who is asked 2.
type owners uint8

// agrees reports whether two questions of the same terms ask the same.
func (s sense) agrees(t sense) bool {
	return s.marks == t.marks && (s.speakers == t.speakers || s.speakers == 0 || t.speakers == 0) &&
		(s.owners == t.owners || s.owners == 0 || t.owners == 0) &&
		(s.asks == t.asks || s.asks == 0 && t.asks&^plainAsks == 0 || t.asks == 0 && s.asks&^plainAsks == 0)
}

// maxWording is how long a question may be that is compared, in bytes.
const maxWording = 4 << 10

// word reads how a question is worded.
func word(a *analysis.Analyzer, text string) (w wording) {
	if len(text) > maxWording {
		return w
	}
	form := normal(text)
	if form == "" {
		return w
	}
	w.form = max(1, hash(form))
	w.sense = senseOf(form)
	filler := fillers(a)
	for _, t := range a.Terms(nil, text) {
		if !filler[t] && !slices.Contains(w.terms, t) {
			w.terms = append(w.terms, t)
			w.words += hash(t)
		}
	}
	return w
}

// normal returns the form that texts have in common which differ in nothing but
// case, width, punctuation and spaces. Symbols stay, as in "C#" and "€", and so do
// the marks inside a number.
func normal(text string) string {
	runes := []rune(norm.NFKC.String(text))
	var b strings.Builder
	var last rune // written
	apart := false
	digit := func(i int) bool { return i >= 0 && i < len(runes) && unicode.IsNumber(runes[i]) }
	for i, r := range runes {
		switch {
		case strings.ContainsRune("'’ʼ`´\u00ad\u0640", r), unicode.Is(unicode.Cf, r), r >= 0xFE00 && r < 0xFE10:
			continue // dropped, and what is beside it is one word
		case r == '−':
			r = '-'
		}
		switch {
		case unicode.IsLetter(r), unicode.IsNumber(r), unicode.IsMark(r), unicode.IsSymbol(r), strings.ContainsRune("%#&", r):
		case strings.ContainsRune(".,:/-", r) && digit(i-1) && digit(i+1), r == '-' && digit(i+1) && last == 0, r == '-' && digit(i+1) && apart:
		default:
			apart = true
			continue
		}
		if apart && last != 0 && !unspaced(last) && !unspaced(r) {
			b.WriteByte(' ')
		}
		last, apart = unicode.ToLower(unicode.ToUpper(r)), false
		b.WriteRune(last)
	}
	return b.String()
}

// unspaced reports whether a character is of a script that parts no words.
func unspaced(r rune) bool {
	return r >= 0xE00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// senseOf reads the sense of a normal form.
func senseOf(form string) (s sense) {
	var marks []byte
	for word := range strings.FieldsSeq(form) {
		s.asks |= askWords[word]
		s.owners |= ownerWords[word]
		if who := speakerWords[word]; who != 0 && s.speakers < 3 && s.speakers&who == 0 {
			s.speakers = s.speakers<<2 | who // 1, 2, then 6 or 9
		}
		s.directed = s.directed || directions[word]
		if markWords[word] {
			marks = append(append(marks, word...), ' ')
		}
	}
	if s.speakers < 3 {
		s.speakers = 0
	}
	number := func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && r != ' ' }
	for n := range strings.FieldsFuncSeq(form, func(r rune) bool { return !number(r) }) {
		marks = append(append(marks, n...), ' ')
	}
	s.marks = hash(marks)*31 + uint64(negations(form))
	return s
}

// negations counts the words and signs of a normal form that say no.
func negations(form string) int {
	n := 0
	for word := range strings.FieldsSeq(form) {
		if noWords[word] {
			n++
		}
	}
	for _, sign := range noSigns {
		n += strings.Count(form, sign)
	}
	return n
}
