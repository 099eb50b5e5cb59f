package analysis

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// normalize lower-cases a word, drops apostrophes, soft hyphens and joiners,
// folds full-width letters and Arabic digits and vowel marks, and with fold
// takes the accents off Latin letters.
func normalize(raw string, fold bool) string {
	plain := true
	for i := range len(raw) {
		if c := raw[i]; c >= utf8.RuneSelf || c >= 'A' && c <= 'Z' || c == '\'' {
			plain = false
			break
		}
	}
	if plain {
		return strings.Clone(raw)
	}
	var b strings.Builder
	b.Grow(len(raw))
	for _, r := range raw {
		switch {
		case r < utf8.RuneSelf:
			if r >= 'A' && r <= 'Z' {
				r += 'a' - 'A'
			}
			if r != '\'' {
				b.WriteByte(byte(r))
			}
			continue
		case r >= 0xFF10 && r <= 0xFF5A: // full-width digits and letters
			r = unicode.ToLower(r - 0xFEE0)
		case r == 'ß' && fold:
			b.WriteByte('s')
			r = 's'
		case r >= 0xC0 && r < 0x180 && fold:
			if base := unaccented[r-0xC0]; base != ' ' {
				r = rune(base)
			}
		case r >= 0x300 && r < 0x370 && fold, r == '’', r == 0xAD, r == 0x200C, r == 0x200D:
			continue // combining accents and what is not seen
		case r >= 0x600 && r < 0x700:
			if r = foldArabic(r); r < 0 {
				continue
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// unaccented are the base letters of U+00C0 to U+017F; a space keeps the letter.
const unaccented = "aaaaaa ceeeeiiii nooooo ouuuuy  aaaaaa ceeeeiiii nooooo ouuuuy y" +
	"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii  jjkk llllllllllnnnnnnn  oooooo  rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"

// compound writes a chain of words as one term: lower case, without the commas
// of a number.
func compound(raw string) string {
	s := strings.ToLower(raw)
	if strings.IndexByte(s, ',') >= 0 {
		s = strings.ReplaceAll(s, ",", "")
	}
	return s
}

func isArabic(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return r >= 0x620 && r < 0x64B || r >= 0x671 && r < 0x6D4
}

// foldArabic unifies the ways a letter is written, as people do not tell them
// apart when typing; -1 drops vowel marks and the tatweel. Persian and Arabic
// digits become ASCII.
func foldArabic(r rune) rune {
	switch {
	case r >= 0x64B && r <= 0x65F, r == 0x670, r == 0x640:
		return -1
	case r == 0x622, r == 0x623, r == 0x625, r == 0x671:
		return 0x627 // alef
	case r == 0x649:
		return 0x64A // ya
	case r == 0x629:
		return 0x647 // ha
	case r >= 0x660 && r <= 0x669:
		return r - 0x660 + '0'
	case r >= 0x6F0 && r <= 0x6F9:
		return r - 0x6F0 + '0'
	}
	return r
}
