package analysis

import (
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ByCommonWords tells the language of a document's text by its most common words;
// "" if they do not say, as for a short one.
func ByCommonWords(text string) string {
	var count, different [32]int
	var seen [8]uint64
	words := 0
	var word [longestCommon]byte
	for at, n := nextWord(text, 0, &word); n > 0; at, n = nextWord(text, at, &word) {
		words++
		if n > longestCommon || commonLengths[word[0]]&(1<<n) == 0 {
			continue
		}
		w, ok := commonWords[string(word[:n])]
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
	tag := commonLanguages[best].tag
	for i, l := range commonLanguages {
		if i == best || alike(tag, l.tag) || 2*count[best] >= 3*count[i] {
			continue
		}
		return ""
	}
	if different[best] < 3 || count[best]*10 < words {
		return ""
	}
	if tag == "ms" || tag == "id" {
		return malayOr(text)
	}
	return tag
}

// longestCommon is how many bytes a common word has at most.
const longestCommon = 16

// nextWord reads the next word of letters from a place in a text, in small letters,
// and returns where it ends and how many bytes it has: 0 if there is none. Of one that
// is longer than word, that is only said.
func nextWord(text string, at int, word *[longestCommon]byte) (end, n int) {
	for at < len(text) {
		r := rune(text[at])
		if r < utf8.RuneSelf {
			switch {
			case 'a' <= r && r <= 'z':
			case 'A' <= r && r <= 'Z':
				r += 'a' - 'A'
			case n > 0:
				return at, n
			default:
				at++
				continue
			}
			if n < len(word) {
				word[n] = byte(r)
			}
			at, n = at+1, n+1
			continue
		}
		r, size := utf8.DecodeRuneInString(text[at:])
		if !unicode.IsLetter(r) {
			if n > 0 {
				return at, n
			}
			at += size
			continue
		}
		at += size
		var small [utf8.UTFMax]byte
		length := utf8.EncodeRune(small[:], unicode.ToLower(r))
		if n+length <= len(word) {
			copy(word[n:], small[:length])
		} else {
			n = len(word) // no word that is this long is common
		}
		n += length
	}
	return at, n
}

// malayOr tells Malay from Indonesian, by the words that only one of them has. Of a text
// without any it says Malay; what is made of either is the same.
func malayOr(text string) string {
	malay := 0
	for said := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		switch word := strings.ToLower(said); {
		case onlyMalay[word]:
			malay++
		case onlyIndonesian[word]:
			malay--
		}
	}
	if malay < 0 {
		return "id"
	}
	return "ms"
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

// commonLengths has the lengths, as bits, of the common words that begin with a byte.
var commonLengths = func() (lengths [256]uint32) {
	for word := range commonWords {
		if len(word) > longestCommon {
			panic("longestCommon is too short for " + word)
		}
		lengths[word[0]] |= 1 << len(word)
	}
	return lengths
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

// Words that tell Malay from Indonesian, which have most of their common words in
// common.
var (
	onlyMalay = set(`boleh bolehkah nak kerana kepada hendaklah sila bila bilakah camana macamana kat ialah awak soalan mahu bahawa sahaja semasa encik puan cik kad
		laluan akaun wang percuma telefon kedai pejabat emel tempahan diskaun sesawang tarikh hujung minit penghantaran`)
	onlyIndonesian = set(`bisa bisakah karena bahwa kapan kapankah gimana gak nggak mau saja silakan pertanyaan mas mbak kartu sandi akun uang gratis
		telepon toko kantor surel diskon tanggal ponsel pengiriman kenapa kalo yg`)
)
