package agent

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// standalone makes a message stand on its own for the search: a follow-up such as
// "and on Sundays?" is put behind what the user asked before. It reports whether
// it had to.
func (r *running) standalone(ctx context.Context, text string) (query string, rewritten bool, err error) {
	if !leans(text) {
		return text, false, nil
	}
	history, err := r.history(ctx)
	if err != nil {
		return "", false, err
	}
	query, rewritten = behind(history, text)
	return query, rewritten, nil
}

// behind puts a message behind those of the user that it leans on.
func behind(history []Message, text string) (query string, rewritten bool) {
	before := ""
	for _, m := range history {
		if m.Role != RoleUser {
			continue
		}
		if before == "" || !leans(m.Text) {
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

// leans reports whether a message leans on what was said before: it begins like a
// continuation, points back with a pronoun while saying little itself, or says
// nothing that could be looked up.
func leans(text string) bool {
	if len(text) > 400 {
		return false
	}
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '\'' && r != '’' && !unicode.Is(unicode.M, r)
	})
	if !slices.ContainsFunc(words, func(w string) bool { return !courtesy[w] }) {
		return false // thanks, and nothing more
	}
	if continues[words[0]] || len(words) > 1 && continues[words[0]+" "+words[1]] {
		return true
	}
	pronouns, content := 0, 0
	for _, w := range words {
		switch {
		case pointing[w]:
			pronouns++
		case !empty[w]:
			content++
		}
	}
	return content == 0 || pronouns > 0 && content <= 3
}

// Words of English that show a follow-up. Other languages come with their
// analysis.
var (
	continues = set("and", "or", "but", "also", "then", "otherwise", "instead", "what about", "how about", "what if", "why not", "same for", "else")
	pointing  = set("it", "its", "that", "this", "these", "those", "they", "them", "their", "there", "one", "ones", "he", "she", "him", "her", "his", "same", "it's", "that's", "else")
	courtesy  = set("thanks", "thank", "you", "hello", "hi", "hey", "ok", "okay", "yes", "no", "great", "good", "bye", "very", "much", "morning", "day")
	empty     = set("a", "an", "the", "is", "are", "was", "were", "be", "been", "do", "does", "did", "can", "could", "will", "would", "should", "may",
		"i", "you", "we", "my", "your", "our", "me", "us", "to", "of", "in", "on", "at", "for", "from", "with", "by", "as", "so", "if",
		"what", "when", "where", "which", "who", "whom", "whose", "why", "how", "much", "many", "long", "often", "yes", "no", "ok", "okay",
		"please", "thanks", "thank", "hello", "hi", "really", "sure", "not", "don't", "more", "some", "any", "have", "has", "had", "tell", "about", "explain", "mean", "up", "out")
)

func set(words ...string) map[string]bool {
	m := make(map[string]bool, len(words))
	for _, w := range words {
		m[w] = true
	}
	return m
}
