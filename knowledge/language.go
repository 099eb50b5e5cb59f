package knowledge

import (
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/abadojack/whatlanggo"

	"github.com/answerdesk-go/answerdesk/knowledge/extract"
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
	if tag := byCommonWords(sample); tag != "" || ascii == letters { // code, names, numbers
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

// commonWords are the words that texts in some languages are full of, each with
// its number and the languages it is common in. They tell those languages apart a
// hundred times faster than whatlanggo does, which is asked where they do not.
var commonWords = func() map[string]commonWord {
	m := map[string]commonWord{}
	for i, l := range commonLanguages {
		for text := range strings.FieldsSeq(l.words) {
			w, ok := m[text]
			if !ok {
				w.number = len(m)
			}
			w.in |= 1 << i
			m[text] = w
		}
	}
	return m
}()

type commonWord struct {
	number int
	in     uint32 // bits of commonLanguages
}

var commonLanguages = []struct{ tag, words string }{
	{"ar", "من في على إلى أن هذا التي عن مع ما لا هذه كان أو ذلك كل بعد قبل هو هي الذي كما يمكن لم قد بين عند إذا يتم"},
	{"fa", "در به از که این است را با برای آن یک های شود می تا بر هم شما باید کنید خود یا"},
	{"ur", "کے میں کی ہے اور سے کا کو نے پر یہ ہیں اس کہ ایک نہیں بھی لئے آپ جو"},
	{"ru", "не на что по как это для при или если его от из за вы мы вас также можно все будет до"},
	{"uk", "не на що по як це для при або якщо його від із за ви ми вас також можна все буде до та"},
	{"en", "the of and to in is you that it for are with as be this or by on can not from your have if will an which when we"},
	{"de", "der die und das ist nicht sie zu mit den ein eine auf für von dem sich des auch werden wird bei oder wir kann im wenn ihre"},
	{"fr", "le la les des et est une que pour dans vous qui sur pas avec ce au il par sont votre nous ou du être peut cette aux"},
	{"es", "el la los las de que en es un una por con para se del su no al lo como más este puede son si sus"},
	{"pt", "os as de que em um uma para com não do da se por no na dos mais ou ser como você seu pode são"},
	{"it", "il di che la un una per con non del della le si nel da sono alla dei gli come più questo può anche"},
	{"nl", "de het een en van is op dat te niet met voor zijn in je of aan die ook bij wordt kan deze naar er worden uw als"},
	{"sv", "och att det som en på är av för med den till inte om ett har kan du vi eller från ska din de"},
	{"pl", "na się nie do jest że to jak od po za przez są lub dla oraz co przy może tym"},
	{"tr", "ve bir bu için ile da de olarak daha veya çok olan ne gibi en her değil kadar sonra siz olur var"},
	{"id", "yang dan di dengan untuk pada dari ini itu tidak adalah dalam akan atau anda dapat kami bisa juga karena bahwa harus silakan uang"},
	{"tl", "ang ng sa na mga ay at si ko mo ito hindi para kung may isang siya ka po inyong"},
	{"sw", "ya na wa kwa ni katika la za cha kama au hii kuwa yako hayo huu si kila baada"},
	{"ms", "yang dan di dengan untuk pada dari ini itu tidak adalah dalam akan atau anda boleh kami ialah kepada kerana bahawa hendaklah sila wang"},
}

// byCommonWords tells a language by its most common words; "" if they do not say.
func byCommonWords(sample string) string {
	var count, different [32]int
	var seen [8]uint64
	words := 0
	for text := range strings.FieldsFuncSeq(sample, func(r rune) bool { return !unicode.IsLetter(r) }) {
		words++
		w, ok := commonWords[strings.ToLower(text)]
		if !ok {
			continue
		}
		first := seen[w.number/64]&(1<<(w.number%64)) == 0
		seen[w.number/64] |= 1 << (w.number % 64)
		for in := w.in; in != 0; in &= in - 1 {
			i := bits.TrailingZeros32(in)
			count[i]++
			if first {
				different[i]++
			}
		}
	}
	best := 0
	for i, n := range count {
		if n > count[best] {
			best = i
		}
	}
	for i, l := range commonLanguages {
		clear := 2*count[best] >= 3*count[i]
		if l.words[:20] == commonLanguages[best].words[:20] { // Malay and Indonesian have most in common
			clear = count[best] > count[i]
		}
		if i != best && !clear {
			return ""
		}
	}
	if different[best] < 3 || count[best]*10 < words {
		return ""
	}
	return commonLanguages[best].tag
}
