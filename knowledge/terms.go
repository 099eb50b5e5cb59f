package knowledge

import (
	"cmp"
	"slices"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/analysis"
)

// AppendTerms appends the terms of a text to dst, as the index knows its words if
// they are in a language: lower case, without endings, without the commonest. They
// compare with those of [Results.Terms]. The language is a passage's, an ISO 639-1
// code; "" is read as English is, and words in another script by what that is.
func AppendTerms(dst []string, text, language string) []string {
	return analysis.For(cmp.Or(language, analysis.English)).Terms(dst, text)
}

// QueryTerms returns the words of a query in a language, as [AppendTerms] takes it,
// for a retriever that does not know how common they are: 1 is the weight of those
// that say what it is about, and 0 that of words such as "how" and "you", unless
// there are no others.
func QueryTerms(query, language string) []QueryTerm {
	var out []QueryTerm
	content := false
	for _, t := range analysis.For(cmp.Or(language, analysis.English)).Query(nil, query) {
		if slices.ContainsFunc(out, func(o QueryTerm) bool { return o.Text == t.Text }) {
			continue
		}
		q := QueryTerm{Text: t.Text}
		if t.Content {
			q.Weight, content = 1, true
		}
		out = append(out, q)
	}
	for i := range out {
		if !content {
			out[i].Weight = 1
		}
	}
	return out
}

// ContentWords counts the words of a text in a language that say what it is about: those
// of weight 1 in [QueryTerms], and none where there are no others.
func ContentWords(text, language string) int {
	n := 0
	for _, t := range analysis.For(cmp.Or(language, analysis.English)).Query(nil, text) {
		if t.Content {
			n++
		}
	}
	return n
}
