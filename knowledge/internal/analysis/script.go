package analysis

import "unicode/utf8"

// A script is what a text is written in.
type script uint8

const (
	noScript script = iota // digits, or one that nothing is known of
	latin
	cyrillic
	greek
	hebrew
	arabicScript
	devanagari
	thaiScript
	han
	kana
	hangul
	otherScript
)

// unspaced reports whether the words of a script are not parted, or have endings
// that no stemmer here takes off, so that pairs of characters are indexed.
func (s script) unspaced() bool {
	return s == han || s == kana || s == hangul || s == thaiScript
}

// scriptOf tells the script of a letter.
func scriptOf(r rune) script {
	switch {
	case r < 'A':
		return noScript
	case r < 0x250:
		if r|0x20 >= 'a' && r|0x20 <= 'z' || r >= 0xC0 || r == 0xAA || r == 0xBA {
			return latin
		}
		return noScript
	case r < 0x370:
		return noScript
	case r < 0x400:
		return greek
	case r < 0x530:
		return cyrillic
	case r < 0x590:
		return otherScript
	case r < 0x600:
		return hebrew
	case r < 0x700, r >= 0x750 && r < 0x780, r >= 0x8A0 && r < 0x900:
		return arabicScript
	case r < 0x900:
		return otherScript
	case r < 0x980:
		return devanagari
	case r < 0xE00:
		return otherScript
	case r < 0xE80:
		return thaiScript
	case r < 0x1100:
		return otherScript
	case r < 0x1200:
		return hangul
	case r < 0x1E00:
		return otherScript
	case r < 0x1F00:
		return latin
	case r < 0x2000:
		return greek
	case r >= 0x3041 && r < 0x3100, r >= 0xFF66 && r < 0xFFA0:
		return kana
	case r == 0x3005, r >= 0x3400 && r < 0xA000, r >= 0xF900 && r < 0xFB00, r >= 0x20000 && r < 0x32000:
		return han
	case r >= 0xAC00 && r < 0xD7A4:
		return hangul
	case r >= 0xFB50 && r < 0xFE00, r >= 0xFE70 && r < 0xFF00:
		return arabicScript
	}
	return noScript
}

// startsIn tells the script of a word by its first letter.
func startsIn(word string) script {
	for _, r := range word {
		if s := scriptOf(r); s != noScript || r >= utf8.RuneSelf {
			return s
		}
	}
	return noScript
}

// foreign is the stemmer of words that stand in a text of another script: the one
// of the language that is likeliest to be quoted. English words are in texts all
// over the world.
func foreign(s script) string {
	switch s {
	case latin:
		return English
	case arabicScript:
		return "ar"
	case cyrillic:
		return "ru"
	case devanagari:
		return "hi"
	}
	return ""
}
