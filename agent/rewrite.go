package agent

import (
	"context"
	"strings"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// standalone makes a message stand on its own for the search: a follow-up such as
// "and on Sundays?" is put behind what the user asked before. It reports whether
// it had to.
func (r *running) standalone(ctx context.Context, text string) (query string, rewritten bool, err error) {
	if r.turn.Number == 1 || !leans(text, r.agent.Languages) { // a first message has nothing to lean on
		return text, false, nil
	}
	history, err := r.history(ctx)
	if err != nil {
		return "", false, err
	}
	query, rewritten = behind(history, text, r.agent.Languages)
	return query, rewritten, nil
}

// behind puts a message behind those of the user that it leans on.
func behind(history []Message, text string, languages []string) (query string, rewritten bool) {
	before := ""
	for _, m := range history {
		if m.Role != RoleUser {
			continue
		}
		if before == "" || !leans(m.Text, languages) {
			before = m.Text
		} else {
			before += " " + m.Text
		}
	}
	if before == "" {
		return text, false
	}
	if keep := knowledge.MaxQuery - len(text) - 1; len(before) > keep {
		before = strings.ToValidUTF8(before[:max(keep, 0)], "")
	}
	return before + " " + text, true
}
