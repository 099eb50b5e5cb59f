package analysis

import (
	"strings"
	"unicode/utf8"
)

// A Term is a term of a question.
type Term struct {
	Text string
	// Content is whether it says what the question is about, as "refund" does
	// and "how", "can" and "please" do not.
	Content bool
	// Whole is whether it is written as one of parts that are terms too.
	Whole bool
	// At is its place among the words of the question, as in [Token]. Terms of one
	// place that are not whole are alternatives: one word, read in two languages.
	At uint32
	// Stop is whether it is a stop word, see [Token]. Long questions list none.
	Stop bool
}

// longQuery is how many words make a question a text: then words like "what"
// and "because" are noise, where in "what do you do" they are all there is.
// Chosen by query length, the short list and the long list together gained
// .014 in mean nDCG@10 over ten English sets.
const longQuery = 20

// Question appends to dst the terms of a question to someone whose documents are
// in the languages among, of which none means English. It is read in the language
// that [Detect] tells, and if that is not sure in the two likeliest: a word that
// has another stem in the second is there twice at one place.
func Question(dst []Term, text string, among []string) []Term {
	first, second, sure := likeliest(text, among)
	a := For(first)
	if sure || second == "" {
		return a.query(dst, text, nil, true)
	}
	return a.query(dst, text, For(second), true)
}

// Query appends the terms of a question to dst, each as often as it is said, and no
// stop words.
func (a *Analyzer) Query(dst []Term, text string) []Term {
	return a.query(dst, text, nil, false)
}

// query appends the terms of a question as a reads it, and as b does too if that
// is not nil; with its stop words if they are asked for.
func (a *Analyzer) query(dst []Term, text string, b *Analyzer, stops bool) []Term {
	words := 0
	for s := (scanner{text: text}); words < longQuery && s.next(); {
		if s.kind == plainWord {
			words++
		}
	}
	left := stop
	if words >= longQuery {
		left |= long
	}
	s := scanner{text: text}
	at := uint32(0)
	run := asked{lists: &a.lists}
	for s.next() {
		switch s.kind {
		case plainWord:
			w := a.word(s.token)
			content, known := !w.is(function), w.term != "" && !w.is(left)
			var other *word
			if b != nil {
				other = b.word(s.token)
				content = content && !other.is(function)
				if words >= longQuery && (w.is(left) || other.is(left)) {
					known, other = false, nil
				}
			}
			if known {
				dst = append(dst, Term{Text: w.term, Content: content, At: at})
			} else if stops && words < longQuery && w.term != "" && (other == nil || other.is(stop)) {
				dst = append(dst, Term{Text: w.term, At: at, Stop: true})
			}
			if other != nil && other.term != "" && !other.is(left) && !(known && other.term == w.term) {
				dst = append(dst, Term{Text: other.term, Content: content, At: at})
			}
			at++
		case pair:
			dst = append(dst, Term{Text: s.token, Content: run.content(&s), At: at})
			at++
		case wholeWord:
			dst = append(dst, Term{Text: a.compound(s.token), Content: true, Whole: true, At: at - 1})
		}
	}
	return dst
}

// asked follows the pairs of a run and knows which say what a question is about:
// those that share no character with a word of asking.
type asked struct {
	lists *wordLists
	until int // where in the run the last word of asking ends
}

func (q *asked) content(s *scanner) bool {
	if len(q.lists.unspaced) == 0 {
		return true
	}
	end := len(s.run)
	if s.pairs > 0 {
		end = s.pairs + character(s.run[s.pairs:])
	}
	start := end - len(s.token)
	first := character(s.token)
	if start == 0 {
		q.until = 0
	}
	q.until = max(q.until, start+q.lists.asking(s.run[start:]))
	if start < q.until || start+first < end && start+first < max(q.until, start+first+q.lists.asking(s.run[start+first:])) {
		return false
	}
	return !q.lists.syllables || !japaneseEnding(s.token)
}

// japaneseEnding reports whether a pair of characters begins with a syllable of
// hiragana, as endings do, or ends with a particle.
func japaneseEnding(pair string) bool {
	r, n := utf8.DecodeRuneInString(pair)
	return r >= 0x3041 && r < 0x30A0 || n < len(pair) && strings.Contains("をはがのでにともへや", pair[n:])
}
