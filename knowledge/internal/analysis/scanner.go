package analysis

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxToken is how many bytes of a word are looked at. Longer ones are hashes
// and encoded data.
const maxToken = 64

type tokenKind uint8

const (
	plainWord tokenKind = iota
	pair                // two characters of a script without spaces
	wholeWord           // several plain words written as one
)

// A scanner walks over the tokens of a text: its words, then what a chain of
// them is as a whole.
type scanner struct {
	text string
	pos  int

	token string // the current one, as written
	kind  tokenKind

	chain int // where the chain of words under way began
	parts int // how many it has
	queue string
	run   string // characters to be paired
	pairs int    // where in run the next pair begins; 0: there is none
}

// The classes of ASCII bytes.
const (
	other = iota
	letter
	digit
	quote  // inside a word it is dropped
	joiner // between words it makes them one
	utf8Lead
)

var class = func() (c [256]uint8) {
	for i := range 256 {
		switch b := byte(i); {
		case b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z':
			c[i] = letter
		case b >= '0' && b <= '9':
			c[i] = digit
		case b == '\'':
			c[i] = quote
		case strings.IndexByte("_.@-&,", b) >= 0:
			c[i] = joiner
		case b >= utf8.RuneSelf:
			c[i] = utf8Lead
		}
	}
	return c
}()

// next moves to the next token.
func (s *scanner) next() bool {
	if s.pairs > 0 {
		s.nextPair()
		return true
	}
	if s.queue != "" {
		s.token, s.kind, s.queue = s.queue, wholeWord, ""
		return true
	}
	for s.pos < len(s.text) {
		switch class[s.text[s.pos]] {
		case letter, digit:
			s.word()
			return true
		case utf8Lead:
			r, n := utf8.DecodeRuneInString(s.text[s.pos:])
			switch {
			case paired(r):
				s.unspaced()
				return true
			case wordRune(r):
				s.word()
				return true
			}
			s.pos += n
		default:
			s.pos++
		}
	}
	return false
}

// simple moves to the next token if that is a word of ASCII letters and digits that is
// in no chain, as most are, and returns it. Else it returns "", and next is to tell. It
// is what next would do, and sooner.
func (s *scanner) simple() string {
	if s.pairs > 0 || s.queue != "" || s.parts > 0 {
		return ""
	}
	text, start := s.text, s.pos
	for start < len(text) && class[text[start]]-letter > digit-letter {
		if class[text[start]] == utf8Lead {
			s.pos = start
			return ""
		}
		start++
	}
	s.pos = start
	end := start
	for end < len(text) && class[text[end]]-letter <= digit-letter {
		end++
	}
	if end-start > maxToken {
		return ""
	}
	if end < len(text) {
		switch class[text[end]] {
		case quote, utf8Lead:
			return ""
		case joiner:
			if end+1 < len(text) && class[text[end+1]]-letter <= digit-letter {
				return ""
			}
		default:
			if end-start <= 2 && (text[end] == '#' || text[end] == '+') {
				return ""
			}
		}
	}
	s.pos = end
	return text[start:end]
}

// word reads the word at pos, and sees whether it goes on a chain or ends one.
func (s *scanner) word() {
	start := s.pos
	if s.parts == 0 {
		s.chain = start
	}
	s.pos = s.wordEnd(start)
	s.token, s.kind = clip(s.text[start:s.pos]), plainWord
	s.parts++
	if s.pos+1 < len(s.text) {
		switch c := class[s.text[s.pos]]; {
		case c == joiner && s.joins():
			s.pos++
			return
		case c == utf8Lead && len(s.token) <= 3 && strings.Trim(s.token, "0123456789") == "":
			if n := thousandsSpace(s.text[s.pos:]); n > 0 {
				s.pos += n
				return
			}
		}
	}
	end := s.pos
	if s.pos-start <= 2 && s.pos < len(s.text) { // C#, F#, C++
		if rest := s.text[s.pos:]; rest[0] == '#' || strings.HasPrefix(rest, "++") {
			end++
			if rest[0] == '+' {
				end++
			}
			s.parts++
		}
	}
	if s.parts > 1 && end-s.chain <= maxToken {
		s.queue = s.text[s.chain:end]
	}
	s.pos, s.parts = end, 0
}

// thousandsSpace returns the length of the space that does not break, before the
// three digits that go on a number: 1 299.
func thousandsSpace(text string) int {
	n := 0
	if strings.HasPrefix(text, "\u00a0") || strings.HasPrefix(text, "\u202f") {
		_, n = utf8.DecodeRuneInString(text)
	}
	if n == 0 || len(text) < n+3 {
		return 0
	}
	for i := n; i < n+4 && i < len(text); i++ {
		if isDigit := class[text[i]] == digit; isDigit != (i < n+3) {
			return 0
		}
	}
	return n
}

// joins reports whether the joiner at pos makes one word of what stands on both
// sides of it: always in an identifier, an address or a version, between parts
// of a number, in a part number or date, and not where a sentence's full stop
// lacks its space.
func (s *scanner) joins() bool {
	before, after := s.text[s.pos-1], s.text[s.pos+1]
	if c := class[after]; c != letter && c != digit {
		return false
	}
	switch s.text[s.pos] {
	case ',':
		return class[before] == digit && class[after] == digit
	case '-':
		return class[before] == digit || class[after] == digit
	case '.':
		return !(before >= 'a' && before <= 'z' && after >= 'A' && after <= 'Z')
	}
	return true
}

// wordEnd returns where the word that begins at i ends.
func (s *scanner) wordEnd(i int) int {
	text := s.text
	for i < len(text) {
		switch class[text[i]] {
		case letter, digit:
			i++
			continue
		case quote:
			if i+1 < len(text) && beginsWord(text[i+1:]) {
				i++
				continue
			}
		case utf8Lead:
			r, n := utf8.DecodeRuneInString(text[i:])
			if wordRune(r) && !paired(r) {
				i += n
				continue
			}
			if r == '’' && i+n < len(text) && beginsWord(text[i+n:]) {
				i += n
				continue
			}
		}
		return i
	}
	return i
}

// beginsWord reports whether text goes on with a letter.
func beginsWord(text string) bool {
	c := class[text[0]]
	if c != utf8Lead {
		return c == letter
	}
	r, _ := utf8.DecodeRuneInString(text)
	return unicode.IsLetter(r) && !paired(r)
}

// unspaced reads the run of paired characters at pos.
func (s *scanner) unspaced() {
	start, variant := s.pos, false
	for s.pos < len(s.text) {
		r, n := utf8.DecodeRuneInString(s.text[s.pos:])
		if !paired(r) {
			break
		}
		variant = variant || r >= 0xF900 || r < 0x1200 && r >= 0x1100 || r == 0x3099 || r == 0x309A
		s.pos += n
	}
	s.parts = 0
	s.run = s.text[start:s.pos]
	if variant { // of half width, or letters of Hangul
		s.run = norm.NFKC.String(s.run)
	}
	s.nextPair()
}

// nextPair takes two characters of the run, of which the second is the first of
// the next pair. A character alone is a token too.
func (s *scanner) nextPair() {
	first := s.pairs + character(s.run[s.pairs:])
	end := first + character(s.run[first:])
	s.token, s.kind = s.run[s.pairs:end], pair
	s.pairs = first
	if end == len(s.run) {
		s.pairs = 0
	}
}

// character returns the length of s's first character with the marks on it.
func character(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	if s == "" {
		return 0
	}
	for n < len(s) {
		r, m := utf8.DecodeRuneInString(s[n:])
		if !unicode.Is(unicode.Mn, r) {
			break
		}
		n += m
	}
	return n
}

// paired reports whether r is of a script that writes words without spaces, or
// as Korean does with endings that no stemmer here takes off.
func paired(r rune) bool {
	switch {
	case r < 0x0E00:
		return false
	case r < 0x0F00: // Thai, Lao: letters and marks
		return r != 0x0E3F && r != 0x0E4F && !(r >= 0x0E50 && r <= 0x0E5B) && !(r >= 0x0ED0 && r <= 0x0ED9)
	case r < 0x1100:
		return r >= 0x1000 && r < 0x1040 // Burmese
	case r < 0x1200:
		return true // Hangul letters
	case r < 0x2E80:
		return r >= 0x1780 && r < 0x17D4 // Khmer
	case r >= 0x3041 && r < 0x3100:
		return r < 0x3097 || r == 0x3099 || r == 0x309A || r > 0x30A0 && r != 0x30FB // kana
	}
	return r >= 0x3400 && r < 0x4DC0 || r >= 0x4E00 && r < 0xA000 || r == 0x3005 || r >= 0xAC00 && r < 0xD7A4 ||
		r >= 0xF900 && r < 0xFB00 || r >= 0xFF66 && r < 0xFFA0 || r >= 0x20000 && r < 0x32000
}

// wordRune reports whether a character beyond ASCII belongs to a word.
func wordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r) || r == 0x200C || r == 0x200D || r == 0xAD
}

// clip shortens a word to maxToken bytes.
func clip(token string) string { return clipTo(token, maxToken) }

// clipTo shortens a text to n bytes, or a little less, as a character is whole.
func clipTo(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
