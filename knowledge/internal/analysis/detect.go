package analysis

import (
	"math/bits"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/abadojack/whatlanggo"
)

// detectSample is how many bytes of a text are looked at to tell its language.
const detectSample = 2 << 10

// maxCandidates is how many languages in Latin letters are told apart: the first
// of those that a company has.
const maxCandidates = 16

// Detect tells which of the languages among a question is in, and whether that is
// sure. It is the first of them if nothing says which, and English without among.
// Only a text in a script that none of them is written in is told to be in
// another language, the likeliest of that script.
func Detect(text string, among []string) (best string, sure bool) {
	best, _, sure = likeliest(text, among)
	return best, sure
}

// likeliest tells the two likeliest of the languages among, the second "" if
// there is none or the first is sure.
func likeliest(text string, among []string) (first, second string, sure bool) {
	if len(text) > detectSample {
		text = clipTo(text, detectSample)
	}
	s, kanaSeen := mostly(text)
	if s == noScript { // numbers
		s = latin
		if len(among) > 0 {
			return among[0], "", true
		}
	}
	if s != latin {
		return ofScript(s, kanaSeen, among), "", true
	}
	var space [maxCandidates]string
	candidates := space[:0]
	for _, code := range among {
		l, ok := languages[base(code)]
		known := slices.ContainsFunc(candidates, func(c string) bool { return base(c) == base(code) })
		if (!ok || l.script == latin) && !known && len(candidates) < maxCandidates {
			candidates = append(candidates, code)
		}
	}
	switch len(candidates) {
	case 0:
		return English, "", true
	case 1:
		return candidates[0], "", true
	}
	return latinLanguage(text, candidates)
}

// mostly tells which script most of a text is in, counting a Chinese character
// for the several letters that it is worth, and whether it has Japanese syllables.
func mostly(text string) (best script, kanaSeen bool) {
	var count [otherScript + 1]int
	for i := 0; i < len(text); {
		b := text[i]
		if b < utf8.RuneSelf {
			if class[b] == letter {
				count[latin]++
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		s := scriptOf(r)
		if s.unspaced() {
			count[s] += 2
		}
		if s == han || s == hangul {
			count[s]++
		}
		count[s]++
	}
	kanaSeen = count[kana] > 0
	count[han] += count[kana]
	count[kana], count[noScript] = 0, 0
	for s := range count {
		if count[s] > count[best] {
			best = script(s)
		}
	}
	return best, kanaSeen
}

// scriptLanguages are the languages of a script other than the Latin one, the
// likeliest first.
var scriptLanguages = [otherScript + 1][]string{
	cyrillic: {"ru", "uk", "bg"}, greek: {"el"}, hebrew: {"he"}, arabicScript: {"ar", "fa", "ur"}, devanagari: {"hi", "mr", "ne"},
	thaiScript: {"th"}, han: {"zh", "ja"}, hangul: {"ko"}, otherScript: {"und"},
}

// ofScript tells the language of a text in a script: the first that is among
// those of the company, or else the likeliest.
func ofScript(s script, kanaSeen bool, among []string) string {
	list := scriptLanguages[s]
	if kanaSeen && s == han {
		list = list[1:] // Chinese has none of them
	}
	for _, code := range among {
		if slices.Contains(list, base(code)) {
			return code
		}
	}
	return list[0]
}

// latinLanguage tells the two likeliest of several languages by the words that
// are common in them and by the letters they have, each counting for less if more
// of them have it. Without either the trigrams of whatlanggo are asked.
func latinLanguage(text string, candidates []string) (first, second string, sure bool) {
	p := profiles()
	var of [maxCandidates]uint64 // the bit of each candidate
	all := uint64(0)
	for i, code := range candidates {
		of[i] = p.bit[base(code)]
		all |= of[i]
	}
	var score [maxCandidates]float64
	var space [128]uint64 // the languages of each word that says something
	said := space[:0]
	words := 0
	var lower [32]byte
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) }) {
		words++
		in, n := all, 0
		known := false
		for _, r := range word {
			r = unicode.ToLower(r)
			if r >= utf8.RuneSelf {
				if w, ok := p.letters[r]; ok && w&all != 0 {
					in, known = in&w, true
				}
			}
			if n += utf8.RuneLen(r); n > len(lower) {
				break
			}
			utf8.EncodeRune(lower[n-utf8.RuneLen(r):], r)
		}
		if n <= len(lower) {
			if w := p.words[string(lower[:n])] & all; w != 0 {
				in, known = w, true
			}
		}
		if known && in != 0 && in != all && len(said) < cap(said) {
			said = append(said, in)
			for i := range candidates {
				if of[i]&in != 0 {
					score[i] += 1 / float64(bits.OnesCount64(in))
				}
			}
		}
	}
	a := 0
	for i := range candidates {
		if score[i] > score[a] {
			a = i
		}
	}
	b := -1
	for i := range candidates {
		if i != a && !alike(candidates[i], candidates[a]) && (b < 0 || score[i] > score[b]) {
			b = i
		}
	}
	if b < 0 {
		return candidates[a], "", true
	}
	if score[a] == 0 {
		if i := byTrigrams(text, candidates); i > 0 {
			return candidates[i], candidates[0], false
		}
	}
	forA, forB := 0, 0
	for _, in := range said {
		switch isA, isB := of[a]&in != 0, of[b]&in != 0; {
		case isA && !isB:
			forA++
		case isB && !isA:
			forB++
		}
	}
	return candidates[a], candidates[b], forA >= 8*forB && forA >= max(1, min(3, words/4))
}

// alike reports whether two languages are read alike, so that it does no harm to
// take one for the other.
func alike(a, b string) bool {
	a, b = base(a), base(b)
	return a == "ms" && b == "id" || a == "id" && b == "ms"
}

// byTrigrams returns which of the candidates whatlanggo takes a text for, -1 if
// none.
func byTrigrams(text string, candidates []string) int {
	only := make(map[whatlanggo.Lang]bool, len(candidates))
	for _, code := range candidates {
		if l := whatlanggo.CodeToLang(profiles().iso3[base(code)]); l >= 0 {
			only[l] = true
		}
	}
	if len(only) < 2 {
		return -1
	}
	found := whatlanggo.DetectLangWithOptions(clipTo(text, 256), whatlanggo.Options{Whitelist: only})
	return slices.IndexFunc(candidates, func(code string) bool {
		return profiles().iso3[base(code)] == found.Iso6393()
	})
}

// A profile is what tells languages in Latin letters apart.
type profile struct {
	bit     map[string]uint64 // of a language
	words   map[string]uint64 // bits of the languages a word is common in
	letters map[rune]uint64   // bits of the languages that have a letter beyond a to z
	iso3    map[string]string // the codes of three letters that whatlanggo knows
}

var profiles = sync.OnceValue(func() *profile {
	p := &profile{bit: map[string]uint64{}, words: map[string]uint64{}, letters: map[rune]uint64{}, iso3: map[string]string{}}
	for code, l := range letters {
		iso3, list, _ := strings.Cut(l, " ")
		p.iso3[code] = iso3
		p.bit[code] = 1 << len(p.bit)
		for _, r := range list {
			p.letters[r] |= p.bit[code]
		}
		for _, list := range []string{languages[code].lists.stop, languages[code].lists.long, languages[code].lists.function} {
			for w := range strings.FieldsSeq(list) {
				if code == "ms" && onlyIndonesian[w] || code == "id" && onlyMalay[w] {
					continue
				}
				p.words[w] |= p.bit[code]
			}
		}
	}
	for w := range onlyMalay {
		p.words[w] |= p.bit["ms"]
	}
	for w := range onlyIndonesian {
		p.words[w] |= p.bit["id"]
	}
	for _, l := range commonLanguages {
		if p.bit[l.tag] == 0 {
			continue // another script
		}
		for w := range strings.FieldsSeq(l.words) {
			p.words[w] |= p.bit[l.tag]
		}
	}
	return p
})

// letters are the languages in Latin letters that are told apart, with their
// codes of three letters and the letters they have beyond a to z.
var letters = map[string]string{
	"en": "eng", "de": "deu äöüß", "fr": "fra àâçéèêëîïôùûüœ", "es": "spa áéíóúüñ", "pt": "por áâãàçéêíóôõúü", "it": "ita àèéìíòóù",
	"nl": "nld éëïóö", "ms": "msa", "id": "ind", "tr": "tur çğıöşüâî", "vi": "vie àáâãèéêìíòóôõùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
	"sv": "swe åäöé", "da": "dan æøå", "no": "nob æøå", "fi": "fin äöå", "pl": "pol ąćęłńóśźż", "hu": "hun áéíóöőúüű", "ro": "ron ăâîșțşţ",
	"cs": "ces áčďéěíňóřšťúůýž", "tl": "tgl ñ", "sw": "swh",
}
