package analysis

import (
	"strings"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/arabic"
	"github.com/blevesearch/snowballstem/english"
)

// A language is what an [Analyzer] knows of one.
type language struct {
	stem func(string) string // nil: words stay as they are
	fold bool                // accents on Latin letters do not tell words apart

	stop     map[string]bool // never indexed
	long     map[string]bool // stems left out of long questions
	function map[string]bool // words that say nothing about the subject
}

// languages by ISO 639-1 code. Every language also pairs the characters of the
// scripts that need it and stems Arabic, so documents in several languages
// live in one index.
var languages = map[string]language{
	"und":   {},
	"ar":    {},
	English: {stem: stemEnglish, fold: true, stop: set(englishStop), long: stems(englishLong), function: set(englishStop, englishLong, englishFunction)},
}

func stemEnglish(word string) string {
	if len(word) < 3 {
		return word
	}
	env := snowballstem.NewEnv(word)
	english.Stem(env)
	return env.Current()
}

func stemArabic(word string) string {
	env := snowballstem.NewEnv(word)
	arabic.Stem(env)
	return env.Current()
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

func stems(list string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(list) {
		m[stemEnglish(w)] = true
	}
	return m
}

// englishStop are the 33 words that Lucene's English analyzer drops. Questions
// keep what, how, when and who: lists that drop them ruin the search of FAQs.
const englishStop = `a an and are as at be but by for if in into is it no not of on or such that the their then there
	these they this to was will with`

// englishLong is Snowball's list of English stop words, without the contractions
// that look like other words once the apostrophe is gone (well, shell, id).
const englishLong = `i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers
	herself its itself them theirs themselves what which who whom those am were been being have has had having do does did
	doing would should could ought im youre hes shes theyre ive youve weve theyve youd theyd youll theyll isnt arent wasnt
	werent hasnt havent hadnt doesnt dont didnt wont wouldnt shouldnt cant cannot couldnt mustnt lets thats whos whats heres
	theres whens wheres whys hows because until while about against between through during before after above below from up
	down out off over under again further once here when where why how all any both each few more most other some nor only
	own same so than too very can just now`

// englishFunction are words of asking, greeting and wanting: a passage need not
// hold them to be the answer.
const englishFunction = `please tell know want wanna need like get getting got give let help hi hello hey thanks thank ok okay us
	may might shall must also much many id ill anyone someone something anything there's question wondering possible able
	long often far soon time times go going come find out show explain say said mean means ask way ways make makes making made`
