package generative

import (
	"strings"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/internal/plain"
)

// formatted returns a unit in the format that the reply has.
func formatted(text string, format agent.ReplyFormat, code bool) string {
	if !plain.Wanted(format) {
		return text
	}
	if code {
		lines := strings.Split(text, "\n")[1:]
		if n := len(lines); n > 0 && (strings.HasPrefix(strings.TrimSpace(lines[n-1]), "```") || strings.HasPrefix(strings.TrimSpace(lines[n-1]), "~~~")) {
			lines = lines[:n-1]
		}
		text = strings.Join(lines, "\n")
	} else {
		text = plain.Line(text, format)
	}
	if format == agent.FormatSpeech {
		text = plain.Aloud(text)
	}
	return text
}
