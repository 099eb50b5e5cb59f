package analysis

import (
	"strings"
	"unicode"
	"unicode/utf8"
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
	pairs string // what is left of a run of characters to be paired
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
	if s.pairs != "" {
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
				s.run()
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

// word reads the word at pos, and sees whether it goes on a chain or ends one.
func (s *scanner) word() {
	start := s.pos
	if s.parts == 0 {
		s.chain = start
	}
	s.pos = s.wordEnd(start)
	s.token, s.kind = clip(s.text[start:s.pos]), plainWord
	s.parts++
	if s.pos+1 < len(s.text) && class[s.text[s.pos]] == joiner && s.joins() {
		s.pos++
		return
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
			if i+1 < len(text) && class[text[i+1]] == letter {
				i++
				continue
			}
		case utf8Lead:
			r, n := utf8.DecodeRuneInString(text[i:])
			if wordRune(r) && !paired(r) {
				i += n
				continue
			}
			if r == '’' && i+n < len(text) && class[text[i+n]] == letter {
				i += n
				continue
			}
		}
		return i
	}
	return i
}

// run reads the paired characters at pos.
func (s *scanner) run() {
	start := s.pos
	for s.pos < len(s.text) {
		r, n := utf8.DecodeRuneInString(s.text[s.pos:])
		if !paired(r) {
			break
		}
		s.pos += n
	}
	s.parts = 0
	s.pairs = s.text[start:s.pos]
	s.nextPair()
}

// nextPair takes two characters off pairs, of which the second stays for the
// next pair. A character alone is a token too.
func (s *scanner) nextPair() {
	first := character(s.pairs)
	rest := s.pairs[first:]
	second := character(rest)
	s.token, s.kind = s.pairs[:first+second], pair
	s.pairs = rest
	if second == len(rest) {
		s.pairs = ""
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
		return r < 0x3097 || r > 0x30A0 && r != 0x30FB // kana
	}
	return r >= 0x3400 && r < 0x4DC0 || r >= 0x4E00 && r < 0xA000 || r == 0x3005 || r >= 0xAC00 && r < 0xD7A4 ||
		r >= 0xF900 && r < 0xFB00 || r >= 0xFF66 && r < 0xFFA0 || r >= 0x20000 && r < 0x32000
}

// wordRune reports whether a character beyond ASCII belongs to a word.
func wordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r) || r == 0x200C || r == 0x200D || r == 0xAD
}

// clip shortens a word to maxToken bytes.
func clip(token string) string {
	if len(token) <= maxToken {
		return token
	}
	n := maxToken
	for !utf8.RuneStart(token[n]) {
		n--
	}
	return token[:n]
}
