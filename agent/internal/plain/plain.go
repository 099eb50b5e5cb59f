// Package plain takes the marks of Markdown out of the text of replies that are shown as
// they are, or read aloud.
package plain

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/agent"
)

// Bullets are what a line begins with that is a heading, a quotation or an item of a list.
var Bullets = regexp.MustCompile(`^\s*(?:>\s*)*(?:#{1,6}\s+|[-*+•–]\s+|\d{1,3}[.)]\s+)`)

var (
	links    = regexp.MustCompile(`!?\[([^\]\n]*)\]\(([^()\s]*)\)`)
	emphasis = regexp.MustCompile(`\*\*|__|~~`)
	starred  = regexp.MustCompile(`(^|[\s(])[*_]([^\s*_](?:[^*_\n]*[^\s*_])?)[*_]($|[\s).,;:!?])`)
	address  = regexp.MustCompile(`https?://(?:www\.)?([^\s/<>"')]+)(?:/[^\s<>"')]*)?|www\.([^\s/<>"')]+)(?:/[^\s<>"')]*)?`)
	rows     = regexp.MustCompile(`\s*\|\s*`)
	spans    = regexp.MustCompile("``[^\n]+?``|`[^`\n]+`")
	quoted   = regexp.MustCompile(`^\s*(?:>\s*)+`)
)

// Wanted reports whether replies in a format have no marks.
func Wanted(format agent.ReplyFormat) bool {
	return format == agent.FormatPlain || format == agent.FormatSpeech
}

// Text returns a text of many lines in a format.
func Text(text string, format agent.ReplyFormat) string {
	if !Wanted(format) {
		return text
	}
	fence := "" // of the block of code that goes on
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		bare := strings.TrimSpace(quoted.ReplaceAllString(line, ""))
		switch {
		case fence != "" && strings.HasPrefix(bare, fence):
			fence = ""
		case fence != "":
			lines = append(lines, line)
		case strings.HasPrefix(bare, "```") || strings.HasPrefix(bare, "~~~"):
			fence = bare[:3]
		case bare == "":
			lines = append(lines, "")
		default:
			if line = Line(bare, format); line != "" {
				lines = append(lines, line)
			}
		}
	}
	if format == agent.FormatSpeech {
		return aloud(lines)
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// aloud makes sentences of lines.
func aloud(lines []string) string {
	var b strings.Builder
	for i, line := range lines {
		line = Aloud(line)
		if line == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(line)
		next := "" // in the lines behind
		if i+1 < len(lines) {
			next = lines[i+1]
		}
		if last, _ := utf8.DecodeLastRuneInString(line); i+1 < len(lines) && isWord(last) && begins(next) {
			b.WriteByte('.')
		}
	}
	return b.String()
}

// begins reports whether a line does not go on with a sentence of the line before.
func begins(line string) bool {
	first, _ := utf8.DecodeRuneInString(line)
	return !unicode.IsLower(first)
}

// Aloud returns a line as it is read: of an address its host.
func Aloud(line string) string {
	return strings.Join(strings.Fields(address.ReplaceAllString(line, "$1$2")), " ")
}

// Line returns a line without marks: a row of a table as a list of its cells, and nothing
// of a rule. What is said to be code stays as it is.
func Line(text string, format agent.ReplyFormat) string {
	if strings.HasPrefix(text, "|") {
		text = strings.Trim(rows.ReplaceAllString(text, ", "), ", ")
	}
	if !strings.ContainsFunc(text, isWord) {
		return "" // a rule
	}
	if m := Bullets.FindString(text); m != "" && (format == agent.FormatSpeech || !strings.ContainsAny(m, "0123456789")) {
		text = text[len(m):]
	}
	text = links.ReplaceAllStringFunc(text, func(link string) string {
		m := links.FindStringSubmatch(link)
		if format == agent.FormatSpeech || m[1] == m[2] || m[2] == "" {
			return m[1]
		}
		return m[1] + " (" + m[2] + ")"
	})
	var code []string
	text = spans.ReplaceAllStringFunc(text, func(span string) string {
		code = append(code, strings.Trim(span, "`"))
		return "\x00"
	})
	text = emphasis.ReplaceAllString(text, "")
	text = strings.ReplaceAll(starred.ReplaceAllString(text, "$1$2$3"), "`", "")
	for _, c := range code {
		text = strings.Replace(text, "\x00", c, 1)
	}
	return strings.TrimSpace(text)
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
