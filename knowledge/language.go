package knowledge

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/abadojack/whatlanggo"

	"github.com/answerdesk-go/answerdesk/knowledge/extract"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/analysis"
)

const (
	// languageSample is how many bytes of a text are looked at for its words, and
	// shortSample for its letters, which takes much longer.
	languageSample = 2 << 10
	shortSample    = 512
	// enoughLetters is how many letters of an alphabet that many languages share it
	// takes to tell one from the others.
	enoughLetters = 120
)

// DetectLanguage tells which of some languages, BCP 47 tags, the text of a question
// is in, and whether that is sure: as far as its letters and its words such as "the"
// and "is" tell those languages apart. It is "" and not sure if it is in none of them.
func DetectLanguage(text string, among []string) (tag string, sure bool) {
	tag, sure = analysis.Detect(text, among)
	if !slices.Contains(among, tag) {
		return "", false
	}
	return tag, sure
}

// languageOf tells which language texts are written in, by how the first of them
// begin; "" if that is too short, or fits several languages.
func languageOf(texts ...string) string {
	sample := begin(strings.Join(texts, "\n"), languageSample)
	letters, ascii, han, kana := 0, 0, 0, 0
	for _, r := range sample {
		switch {
		case r < utf8.RuneSelf:
			if r |= 0x20; r >= 'a' && r <= 'z' {
				letters, ascii = letters+1, ascii+1
			}
		case !unicode.IsLetter(r):
		default:
			letters++
			switch {
			case unicode.In(r, unicode.Hiragana, unicode.Katakana):
				kana++
			case unicode.Is(unicode.Han, r):
				han++
			}
		}
	}
	if kana*10 > han+kana && (han+kana)*2 > letters {
		return "ja" // whose Chinese characters may well be more than its own
	}
	if tag := analysis.ByCommonWords(sample); tag != "" || ascii == letters { // code, names, numbers
		return tag
	}
	if letters < enoughLetters && (han+kana)*2 <= letters {
		return ""
	}
	found := whatlanggo.Detect(begin(sample, shortSample))
	if !found.IsReliable() {
		return ""
	}
	tag := found.Lang.Iso6391()
	if tag == "" {
		tag = found.Lang.Iso6393()
	}
	return extract.LanguageTag(tag)
}

// begin returns the first n bytes of text, or less.
func begin(text string, n int) string {
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n], "")
}
