package analysis

import (
	"strings"
	"unicode/utf8"

	snowgerman "github.com/blevesearch/snowballstem/german"
)

var snowballGerman = snowball(snowgerman.Stem)

// stemGerman is Snowball's stemmer with two things added. It reads ae, oe and ue
// as the letters they stand for where those cannot be typed, unless after a vowel
// or q (neue, aktuelle, Quelle): Müller, Mueller and Muller are one, as the dots
// are taken off in the end. And it takes off the s of the names and loan words
// that end in a vowel or p: Autos, Apps, Warschaus.
func stemGerman(word string) string {
	stem := snowballGerman(umlauts(word))
	if n := len(stem); n >= 4 && stem[n-1] == 's' && strings.IndexByte("aeioup", stem[n-2]) >= 0 && (n >= 5 || stem[n-2] == 'p') {
		return stem[:n-1]
	}
	return stem
}

func umlauts(word string) string {
	if !strings.Contains(word, "ae") && !strings.Contains(word, "oe") && !strings.Contains(word, "ue") {
		return word
	}
	b := make([]byte, 0, len(word)+2)
	for i := 0; i < len(word); i++ {
		if at := strings.IndexByte("aou", word[i]); at >= 0 && i+1 < len(word) && word[i+1] == 'e' &&
			(i == 0 || strings.IndexByte("aeiouq", word[i-1]) < 0) {
			b = utf8.AppendRune(b, [...]rune{'ä', 'ö', 'ü'}[at])
			i++
			continue
		}
		b = append(b, word[i])
	}
	return string(b)
}
