package analysis

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normalize lower-cases a word and makes one of the ways it can be written:
// composed and decomposed, full width and not, Arabic letters that people do not
// tell apart when typing, digits of other scripts. It drops apostrophes, soft
// hyphens and joiners, and accents where they are left out at will.
func (l *language) normalize(raw string) string {
	plain := true
	for i := range len(raw) {
		if c := raw[i]; c >= utf8.RuneSelf || c >= 'A' && c <= 'Z' || c == '\'' {
			plain = false
			break
		}
	}
	if plain {
		return raw
	}
	if !norm.NFKC.IsNormalString(raw) {
		raw = clip(norm.NFKC.String(raw)) // some letters are long words
	}
	raw = l.apostrophe(raw)
	var b strings.Builder
	b.Grow(len(raw))
	for _, r := range raw {
		switch {
		case r < utf8.RuneSelf:
			if r == 'I' && l.dotless {
				b.WriteRune('ı')
				continue
			}
			if r >= 'A' && r <= 'Z' {
				r += 'a' - 'A'
			}
			if r != '\'' {
				b.WriteByte(byte(r))
			}
			continue
		case r == 'ß' && l.accent == leftOut:
			b.WriteByte('s')
			r = 's'
		case r >= 0xC0 && r < 0x180 && l.accent == leftOut:
			if base := unaccented[r-0xC0]; base != ' ' {
				r = rune(base)
			}
		case r >= 0x300 && r < 0x370 && l.accent == leftOut, r == '’', r == 0xAD, r == 0x200C, r == 0x200D:
			continue // combining accents and what is not seen
		case r >= 0x600 && r < 0x700:
			r = foldArabic(r)
		case r == 0x901: // of Devanagari, the moon and the dot over a letter are one nasal
			r = 0x902
		case r == 0x93C:
			continue // the dot below, which is often left out
		}
		if r < 0 {
			continue
		}
		if r >= 0x660 {
			r = digitOf(r)
		}
		b.WriteRune(unicode.ToLower(r))
	}
	if l.respell != nil {
		return l.respell.Replace(b.String())
	}
	return b.String()
}

// apostrophe takes off the word that is elided before an apostrophe, or an
// ending after one.
func (l *language) apostrophe(raw string) string {
	if l.elided == nil && !l.dotless && l.ending == "" {
		return raw
	}
	at := strings.IndexAny(raw, "'’")
	if at < 0 {
		return raw
	}
	if l.dotless {
		return raw[:at]
	}
	_, n := utf8.DecodeRuneInString(raw[at:])
	if l.ending != "" && raw[at+n:] == l.ending {
		return raw[:at]
	}
	if l.elided[strings.ToLower(raw[:at])] && at+n < len(raw) {
		return raw[at+n:]
	}
	return raw
}

// unaccented are the base letters of U+00C0 to U+017F; a space keeps the letter.
const unaccented = "aaaaaa ceeeeiiii nooooo ouuuuy  aaaaaa ceeeeiiii nooooo ouuuuy y" +
	"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii  jjkk llllllllllnnnnnnn  oooooo  rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"

// unaccent takes the accents off a stem, but not that of ñ, which is another
// letter: año, ano.
func unaccent(s string) string {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] < utf8.RuneSelf
	}
	if plain {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0x300 && r < 0x370:
			return -1
		case r == 'ñ' || r < 0xC0 || r >= 0x180 || unaccented[r-0xC0] == ' ':
			return r
		}
		return rune(unaccented[r-0xC0])
	}, s)
}

// foldArabic unifies the ways a letter is written, as people do not tell them
// apart when typing; -1 drops vowel marks and the tatweel. Letters of Persian and
// Urdu keyboards become the Arabic ones.
func foldArabic(r rune) rune {
	switch {
	case r >= 0x64B && r <= 0x65F, r == 0x670, r == 0x640:
		return -1
	case r == 0x622, r == 0x623, r == 0x625, r == 0x671:
		return 0x627 // alef
	case r == 0x649, r == 0x6CC, r == 0x6D2:
		return 0x64A // ya
	case r == 0x629, r == 0x6C0, r == 0x6C1, r == 0x6C2, r == 0x6D5:
		return 0x647 // ha
	case r == 0x6A9:
		return 0x643 // kaf
	}
	return r
}

// zeros are the digits 0 of scripts whose digits follow it.
var zeros = []rune{0x660, 0x6F0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50, 0xED0, 0xF20, 0x1040, 0x17E0}

func digitOf(r rune) rune {
	for _, zero := range zeros {
		if r >= zero && r < zero+10 {
			return r - zero + '0'
		}
	}
	return r
}
