package knowledge

import "github.com/answerdesk-go/answerdesk/knowledge/internal/analysis"

// AppendTerms appends the terms of a text to dst, as the index knows its words:
// lower case, without endings, without the commonest. They compare with those of
// [Results.Terms].
func AppendTerms(dst []string, text string) []string {
	return analysis.For(analysis.English).Terms(dst, text)
}
