package generative

import (
	"regexp"
	"strings"

	"github.com/answerdesk-go/answerdesk/agent"
)

var (
	links    = regexp.MustCompile(`!?\[([^\]\n]*)\]\(([^()\s]*)\)`)
	emphasis = regexp.MustCompile(`\*\*|__|~~|` + "`+")
	starred  = regexp.MustCompile(`(^|[\s(])[*_]([^\s*_](?:[^*_\n]*[^\s*_])?)[*_]($|[\s).,;:!?])`)
	address  = regexp.MustCompile(`https?://(?:www\.)?([^\s/<>"')]+)(?:/[^\s<>"')]*)?|www\.([^\s/<>"')]+)(?:/[^\s<>"')]*)?`)
	rows     = regexp.MustCompile(`\s*\|\s*`)
)

// formatted returns a unit in the format that the reply has.
func formatted(text string, format agent.ReplyFormat, code bool) string {
	if format != agent.FormatPlain && format != agent.FormatSpeech {
		return text
	}
	if code {
		lines := strings.Split(text, "\n")[1:]
		if n := len(lines); n > 0 && (strings.HasPrefix(strings.TrimSpace(lines[n-1]), "```") || strings.HasPrefix(strings.TrimSpace(lines[n-1]), "~~~")) {
			lines = lines[:n-1]
		}
		text = strings.Join(lines, "\n")
	} else {
		text = unformatted(text, format)
	}
	if format == agent.FormatSpeech {
		text = strings.Join(strings.Fields(address.ReplaceAllString(text, "$1$2")), " ")
	}
	return text
}

// unformatted takes the marks of Markdown out of a unit.
func unformatted(text string, format agent.ReplyFormat) string {
	if strings.HasPrefix(text, "|") {
		text = strings.Trim(rows.ReplaceAllString(text, ", "), ", ")
		if !strings.ContainsFunc(text, isWord) {
			return ""
		}
	}
	if !strings.ContainsFunc(text, isWord) {
		return "" // a rule
	}
	if m := bullets.FindString(text); m != "" && (format == agent.FormatSpeech || !strings.ContainsAny(m, "0123456789")) {
		text = text[len(m):]
	}
	text = links.ReplaceAllStringFunc(text, func(link string) string {
		m := links.FindStringSubmatch(link)
		if format == agent.FormatSpeech || m[1] == m[2] || m[2] == "" {
			return m[1]
		}
		return m[1] + " (" + m[2] + ")"
	})
	text = emphasis.ReplaceAllString(text, "")
	return strings.TrimSpace(starred.ReplaceAllString(text, "$1$2$3"))
}
