package analysis

import (
	"strings"

	"github.com/blevesearch/snowballstem"
	snowdanish "github.com/blevesearch/snowballstem/danish"
	snowdutch "github.com/blevesearch/snowballstem/dutch"
	snowenglish "github.com/blevesearch/snowballstem/english"
	snowfinnish "github.com/blevesearch/snowballstem/finnish"
	snowfrench "github.com/blevesearch/snowballstem/french"
	snowhungarian "github.com/blevesearch/snowballstem/hungarian"
	snowitalian "github.com/blevesearch/snowballstem/italian"
	snownorwegian "github.com/blevesearch/snowballstem/norwegian"
	snowportuguese "github.com/blevesearch/snowballstem/portuguese"
	snowromanian "github.com/blevesearch/snowballstem/romanian"
	snowrussian "github.com/blevesearch/snowballstem/russian"
	snowspanish "github.com/blevesearch/snowballstem/spanish"
	snowswedish "github.com/blevesearch/snowballstem/swedish"
	snowturkish "github.com/blevesearch/snowballstem/turkish"
)

// A language is what an [Analyzer] knows of one.
type language struct {
	script script
	lists  lists
	stem   func(string) string // nil: words stay as they are
	accent accent
	// respell rewrites a normalized word before it is stemmed; nil: as it is.
	respell *strings.Replacer
	// elided are the words that stand before an apostrophe and are no part of the
	// word after it: "l'hôtel". Other apostrophes are dropped.
	elided map[string]bool
	// ending is what is taken off after an apostrophe: foto's.
	ending string
	// dotless is whether I is the capital of ı, and an apostrophe parts a word
	// from its endings: Turkish.
	dotless bool
	// pointed is whether points part thousands.
	pointed bool
}

// An accent says what becomes of the accents of Latin letters.
type accent uint8

const (
	tellsApart   accent = iota // they stay
	leftOut                    // speakers leave them out at will: off, before stemming
	leftOutLater               // the same, but the stemmer reads them
)

// languages by ISO 639-1 code. All of them pair the characters of scripts that
// part no words, and stem words in a script that is not their own: see foreign.
var languages = map[string]language{
	"und": {},
	"en":  {script: latin, lists: english, stem: snowball(snowenglish.Stem), accent: leftOut},
	"de":  {script: latin, lists: german, stem: stemGerman, respell: strings.NewReplacer("ß", "ss"), pointed: true},
	"fr":  {script: latin, lists: french, stem: snowball(snowfrench.Stem), accent: leftOutLater, elided: set("l d j m t s n c qu jusqu lorsqu puisqu quoiqu")},
	"es":  {script: latin, lists: spanish, stem: accented(snowball(snowspanish.Stem), "cion", "ción", "sion", "sión"), accent: leftOutLater, pointed: true},
	"pt":  {script: latin, lists: portuguese, stem: accented(snowball(snowportuguese.Stem), "cao", "ção", "coes", "ções"), accent: leftOutLater, pointed: true},
	"it":  {script: latin, lists: italian, stem: snowball(snowitalian.Stem), accent: leftOutLater, elided: set("l un d c dell all dall nell sull coll quest quell sant bell m t s v"), pointed: true},
	"nl":  {script: latin, lists: dutch, stem: snowball(snowdutch.Stem), accent: leftOutLater, ending: "s", pointed: true},
	"ms":  {script: latin, lists: malay, stem: stemMalay, accent: leftOut},
	"id":  {script: latin, lists: malay, stem: stemMalay, accent: leftOut, pointed: true},
	"tr":  {script: latin, lists: turkish, stem: snowball(snowturkish.Stem), dotless: true, pointed: true},
	"vi":  {script: latin, lists: vietnamese, respell: vietnameseTones, pointed: true},
	"da":  {script: latin, stem: snowball(snowdanish.Stem), pointed: true},
	"fi":  {script: latin, stem: snowball(snowfinnish.Stem)},
	"hu":  {script: latin, stem: snowball(snowhungarian.Stem)},
	"no":  {script: latin, stem: snowball(snownorwegian.Stem)},
	"ro":  {script: latin, stem: snowball(snowromanian.Stem), respell: strings.NewReplacer("ș", "ş", "ț", "ţ"), pointed: true},
	"sv":  {script: latin, stem: snowball(snowswedish.Stem)},
	"ru":  {script: cyrillic, lists: russian, stem: snowball(snowrussian.Stem), respell: strings.NewReplacer("ё", "е")},
	"ar":  {script: arabicScript, lists: arabic, stem: stemArabic},
	"fa":  {script: arabicScript},
	"ur":  {script: arabicScript},
	"hi":  {script: devanagari, lists: hindi, stem: stemHindi},
	"mr":  {script: devanagari},
	"ne":  {script: devanagari},
	"zh":  {script: han, lists: chinese},
	"ja":  {script: kana, lists: japanese},
	"ko":  {script: hangul, lists: korean},
	"th":  {script: thaiScript, lists: thai},
	"uk":  {script: cyrillic},
	"bg":  {script: cyrillic},
	"el":  {script: greek},
	"he":  {script: hebrew},
}

// vietnameseTones writes the tone of an open syllable where the older spelling has
// it: hòa, and so of hoà.
var vietnameseTones = strings.NewReplacer("oà", "òa", "oá", "óa", "oả", "ỏa", "oã", "õa", "oạ", "ọa",
	"oè", "òe", "oé", "óe", "oẻ", "ỏe", "oẽ", "õe", "oẹ", "ọe", "uỳ", "ùy", "uý", "úy", "uỷ", "ủy", "uỹ", "ũy", "uỵ", "ụy")

// sameAs are codes of languages that are analyzed as another one.
var sameAs = map[string]string{"": English, "nb": "no", "nn": "no", "in": "id", "zsm": "ms", "yue": "zh", "cmn": "zh", "iw": "he"}

func snowball(stem func(*snowballstem.Env) bool) func(string) string {
	return func(word string) string {
		if len(word) < 3 {
			return word
		}
		env := snowballstem.NewEnv(word)
		stem(env)
		return env.Current()
	}
}

// accented puts the accent back on endings that stem would not know without: pairs
// of one without and one with it.
func accented(stem func(string) string, endings ...string) func(string) string {
	return func(word string) string {
		for i := 0; i < len(endings); i += 2 {
			if rest, ok := strings.CutSuffix(word, endings[i]); ok && len(rest) >= 3 {
				return stem(rest + endings[i+1])
			}
		}
		return stem(word)
	}
}

func set(lists ...string) map[string]bool {
	m := map[string]bool{}
	for _, list := range lists {
		for w := range strings.FieldsSeq(list) {
			m[w] = true
		}
	}
	return m
}
