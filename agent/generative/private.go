package generative

import (
	"encoding/json"
	"strings"
	"unicode"

	"github.com/answerdesk-go/answerdesk/agent/generative/internal/evidence"
)

// Bounds of what is taken for a piece of the instructions.
const (
	// privateRun is how long a run of words is that gives instructions away: six
	// words, or twelve characters of a script without spaces.
	privateRun = 12

	mostQuestion = 200 // bytes of a question or choice that may be theirs
)

// write passes a unit on to be checked, unless it gives away what is for the model
// alone, or says more than a question back may that nothing is there to check.
func (t *turn) write(u unit) {
	if t.private(u.text) || t.out.clean && !t.mayAsk(u.text) {
		t.out.dropped++
		t.out.skip(u.before)
		return
	}
	t.out.write(u)
}

// mayAsk reports whether a unit may stand before any data was read: within a question
// back only questions, choices and courtesies, and nowhere a heading.
func (t *turn) mayAsk(text string) bool {
	rest, begins := strings.CutPrefix(strings.TrimSpace(text), markClarify)
	if !begins && !t.out.clarify {
		return !isLead(text)
	}
	rest = strings.TrimLeft(rest, ":. \t\r\n")
	return rest == "" || len(rest) <= mostQuestion && (isQuestion(rest) || strings.HasPrefix(rest, "- ") || evidence.NewClaim(rest).None(t.q.Language))
}

// isQuestion reports whether a text ends as a question does.
func isQuestion(text string) bool {
	return endsIn(strings.TrimRight(text, "*_\"')”’」 "), "?？؟")
}

// private reports whether a text repeats the agent's instructions where neither what
// was found nor the customer says the same: they say how to answer and not what, and
// may hold what customers are not to know. A short question may be worded by them.
func (t *turn) private(text string) bool {
	if t.q.Agent.Instructions == "" {
		return false
	}
	if t.confided == nil {
		var open strings.Builder
		open.WriteString(t.q.Message.Text + "\n" + t.q.Query + "\n")
		for _, h := range t.q.Passages {
			open.WriteString(h.Title + "\n" + strings.Join(h.Heading, "\n") + "\n" + h.URL + "\n" + h.Text + "\n")
		}
		for _, tool := range t.q.Tools {
			open.WriteString(tool.Description + "\n" + string(tool.Parameters) + "\n")
		}
		t.confided, t.open = wordsOf(t.q.Agent.Instructions), newWording(wordsOf(open.String()))
		t.own = newWording(t.confided)
	}
	results := func(phrase string) bool {
		for _, m := range t.rounds {
			for _, r := range m.Results {
				if newWording(wordsOf(r.Content)).has(phrase) {
					return true
				}
			}
		}
		return false
	}
	words := wordsOf(text)
	asks := len(text) <= mostQuestion && isQuestion(text)
	for field := range strings.FieldsSeq(text) {
		if code := strings.Join(wordsOf(field), " "); isCode(code) && t.own.has(code) && !t.open.has(code) && !results(code) {
			return true
		}
	}
	if asks {
		return false
	}
	for i := range words {
		if run := runFrom(words[i:]); run != "" && t.own.has(run) && !t.open.has(run) && !results(run) {
			return true
		}
	}
	return false
}

// privateData reports whether a text within data is private.
func (t *turn) privateData(data json.RawMessage) bool { return t.private(flat(data)) }

// isCode reports whether a word is of the kind that codes, passwords and numbers of
// customers are.
func isCode(word string) bool {
	return len(word) >= 4 && strings.ContainsFunc(word, unicode.IsDigit)
}

// A wording is the words of a text, each with a space before and behind.
type wording string

func newWording(words []string) wording { return wording(" " + strings.Join(words, " ") + " ") }

func (w wording) has(phrase string) bool { return strings.Contains(string(w), " "+phrase+" ") }

// runFrom returns the words that a text begins with, as many as make a run; empty if
// it is shorter.
func runFrom(words []string) string {
	n := 0
	for i, w := range words {
		n++
		if len(w) > 1 && !isPacked([]rune(w)[0]) || len(w) == 1 {
			n++
		}
		if n >= privateRun {
			return strings.Join(words[:i+1], " ")
		}
	}
	return ""
}

// isPacked reports whether a character is of a script without spaces.
func isPacked(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// wordsOf returns the words of a text in small letters; those of scripts without
// spaces character by character.
func wordsOf(text string) (words []string) {
	var word strings.Builder
	end := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for _, r := range text {
		switch {
		case isPacked(r):
			end()
			words = append(words, string(r))
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			word.WriteRune(unicode.ToLower(r))
		case unicode.Is(unicode.Cf, r): // nobody sees it
		default:
			end()
		}
	}
	end()
	return words
}
