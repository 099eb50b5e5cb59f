package extract

import (
	"regexp"
	"strings"
)

var (
	markdownLink = regexp.MustCompile(`!?\[([^\[\]]*)\]\([^()\s]*(?:\s+"[^"]*")?\)`)
	markdownMark = regexp.MustCompile("\\*\\*([^*]+)\\*\\*|__([^_]+)__|`([^`]+)`")
)

// Words returns a line of Markdown as it is read aloud: links by their text,
// without emphasis and code marks, white space collapsed. Text without such
// marks comes back as it is.
func Words(line string) string {
	if strings.ContainsRune(line, '[') {
		line = markdownLink.ReplaceAllString(line, "$1")
	}
	if strings.ContainsAny(line, "*_`") {
		line = markdownMark.ReplaceAllString(line, "$1$2$3")
	}
	return strings.Join(strings.Fields(line), " ")
}
