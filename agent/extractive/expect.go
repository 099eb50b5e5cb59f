package extractive

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// expected is what a sentence that answers a question holds beside the question's
// words.
type expected uint8

const (
	aNumber  expected = 1 << iota // how many, how much
	aTime                         // when
	aName                         // who, where
	aSubject                      // what is: it begins with what is asked
)

// beside reports whether what is expected may stand in a sentence beside the one
// that holds the question's words.
func (e expected) beside() bool { return e&^aSubject != 0 }

// expects returns what the answer to a question holds, as far as its words tell.
func expects(question string) (out expected) {
	lower := strings.ToLower(question)
	if asksNumber.in(lower) {
		out |= aNumber
	}
	if asksTime.in(lower) {
		out |= aTime
	}
	if asksName.in(lower) {
		out |= aName
	}
	for _, s := range asksSubject {
		if strings.HasPrefix(lower, s) || strings.HasSuffix(strings.TrimRight(lower, "?？؟。 "), s) {
			out |= aSubject
		}
	}
	return out
}

// met reports whether a text of the passage holds what the question expects.
func (p *pick) met(text string) bool {
	switch want := p.asked.wants; {
	case want == 0:
		return false
	case want&(aNumber|aTime) != 0 && (newNumber(text, p.asked.text) || numbers.in(strings.ToLower(text))),
		want&aTime != 0 && calendar.in(strings.ToLower(text)),
		want&aName != 0 && newName(text, p.asked.text):
		return true
	default:
		return want&aSubject != 0 && p.begins(text)
	}
}

// begins reports whether a sentence begins with a word of the question.
func (r *reading) begins(sentence string) bool {
	n := 0
	for word := range fields(sentence[:min(openingBytes, len(sentence))]) {
		if r.held(word) != 0 {
			return true
		}
		if n++; n == openingWords {
			break
		}
	}
	return false
}

// An opening is the first words of a sentence, or of one without spaces so many
// bytes.
const (
	openingWords = 3
	openingBytes = 36
)

// newNumber reports whether a sentence has a number that the question has not.
func newNumber(sentence, question string) bool {
	for i := 0; i < len(sentence); {
		n := strings.IndexFunc(sentence[i:], unicode.IsDigit)
		if n < 0 {
			return false
		}
		i += n
		end := len(sentence)
		if n := strings.IndexFunc(sentence[i:], func(r rune) bool { return !unicode.IsDigit(r) }); n >= 0 {
			end = i + n
		}
		if !strings.Contains(question, sentence[i:end]) {
			return true
		}
		i = end
	}
	return false
}

// newName reports whether a word within a sentence begins with a capital that the
// question does not have. Of the first word a capital says nothing.
func newName(sentence, question string) bool {
	first := true
	for word := range fields(sentence) {
		r, _ := utf8.DecodeRuneInString(word)
		if !first && unicode.IsUpper(r) && len(word) > 1 && !strings.Contains(question, word) {
			return true
		}
		first = false
	}
	return false
}
