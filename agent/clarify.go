package agent

import (
	"fmt"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/internal/sentence"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

const (
	// fewWords is how many words of content a question has at most that may mean
	// several things; one with more says which.
	fewWords = 3

	// asGood is the share of the best hit's score that another has if it may be meant
	// as well.
	asGood = 0.95

	// longName bounds what a thing is called by, in bytes.
	longName = 100
)

// clarify returns a reply that asks which of two things is meant, if that is not clear
// from what was found: "kayak" where one page is on renting a kayak and another on
// returning a kayak, and both fit as well. It asks seldom: only when the question has
// few words, both names hold all of them, and each says more.
func (r *running) clarify(query string, found knowledge.Results) (Reply, bool) {
	hits := found.Hits
	if len(hits) < 2 || hits[1].Score < asGood*hits[0].Score || hits[0].Score <= 0 || hits[0].Kind == knowledge.KindQA || hits[1].Kind == knowledge.KindQA {
		return Reply{}, false
	}
	language := ""
	if len(found.Languages) > 0 {
		language = found.Languages[0]
	}
	var words []string
	for _, t := range knowledge.QueryTerms(query, language) {
		if t.Weight > 0 {
			words = append(words, t.Text)
		}
	}
	if len(words) == 0 || len(words) > fewWords {
		return Reply{}, false
	}
	a, b := calledBy(hits[0].Passage, hits[1].Passage)
	if a == "" || !saysMore(a, b, words, hits[0].Language) || !saysMore(b, a, words, hits[1].Language) {
		return Reply{}, false
	}
	return either(language, a, b, hits[0].Passage, hits[1].Passage), true
}

// calledBy returns what tells two passages apart: the titles of their documents, or
// the outermost headings that differ within one; empty if nothing does.
func calledBy(a, b knowledge.Passage) (nameA, nameB string) {
	if a.DocumentID != b.DocumentID {
		return fit(a.Title, b.Title)
	}
	for i := range min(len(a.Heading), len(b.Heading)) {
		if a.Heading[i] != b.Heading[i] {
			return fit(a.Heading[i], b.Heading[i])
		}
	}
	return "", ""
}

func fit(a, b string) (string, string) {
	a, b = strings.Join(strings.Fields(a), " "), strings.Join(strings.Fields(b), " ")
	if a == "" || b == "" || len(a) > longName || len(b) > longName {
		return "", ""
	}
	return a, b
}

// saysMore reports whether a name holds all the words of the question, and another one
// of content that neither the question nor the other name has.
func saysMore(name, other string, words []string, language string) bool {
	has, others := knowledge.QueryTerms(name, language), knowledge.QueryTerms(other, language)
	in := func(terms []knowledge.QueryTerm, word string) bool {
		return slices.ContainsFunc(terms, func(t knowledge.QueryTerm) bool { return t.Text == word })
	}
	for _, w := range words {
		if !in(has, w) {
			return false
		}
	}
	return slices.ContainsFunc(has, func(t knowledge.QueryTerm) bool {
		return t.Weight > 0 && !slices.Contains(words, t.Text) && !in(others, t.Text)
	})
}

// either is the reply that asks which of two things is meant. It cites both, so that a
// name is erased with its document.
func either(language, a, b string, pa, pb knowledge.Passage) Reply {
	code, _, _ := strings.Cut(language, "-")
	question, ok := eitherOr[code]
	if !ok {
		question = eitherOr["en"]
	}
	text := fmt.Sprintf(question, a, b)
	reply := Reply{Text: text, Outcome: Clarify, Reason: decidedClarify, SuggestedReplies: []string{a, b}}
	at := 0
	for _, named := range []struct {
		name    string
		passage knowledge.Passage
	}{{a, pa}, {b, pb}} {
		for start, end := range sentence.All(named.passage.Text) {
			c := Cite(named.passage, named.passage.Start+start, named.passage.Start+end)
			c.ClaimStart = at + strings.Index(text[at:], named.name)
			c.ClaimEnd = c.ClaimStart + len(named.name)
			at = c.ClaimEnd
			reply.Citations = append(reply.Citations, c)
			break
		}
	}
	return reply
}

// eitherOr asks which of two things is meant, by the language of the question.
var eitherOr = map[string]string{
	"en": "Do you mean “%s” or “%s”?",
	"de": "Meinen Sie „%s“ oder „%s“?",
	"fr": "Voulez-vous dire « %s » ou « %s » ?",
	"es": "¿Se refiere a «%s» o a «%s»?",
	"it": "Intende «%s» o «%s»?",
	"pt": "Refere-se a “%s” ou a “%s”?",
	"nl": "Bedoelt u ‘%s’ of ‘%s’?",
	"ru": "Вы имеете в виду «%s» или «%s»?",
	"tr": "“%s” mı yoksa “%s” mı demek istediniz?",
	"ar": "هل تقصد «%s» أم «%s»؟",
	"hi": "क्या आपका मतलब “%s” है या “%s”?",
	"ms": "Adakah anda maksudkan “%s” atau “%s”?",
	"id": "Apakah yang Anda maksud “%s” atau “%s”?",
	"vi": "Ý bạn là “%s” hay “%s”?",
	"th": "คุณหมายถึง “%s” หรือ “%s”",
	"zh": "您指的是“%s”还是“%s”？",
	"ja": "「%s」と「%s」のどちらのことでしょうか？",
	"ko": "“%s”와(과) “%s” 중 어느 것을 말씀하시나요?",
}
