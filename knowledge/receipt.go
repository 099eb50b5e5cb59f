package knowledge

import (
	"errors"
	"fmt"
	"strings"

	"github.com/answerdesk-go/answerdesk/internal/id"
)

// The tokens of a receipt's result, parted by spaces. A document that was written
// is the letter of its status, a colon and its id.
const (
	refusedToken = "-" // a document that was refused
	keptToken    = "?" // the place of a document that is being written
)

// letters are the statuses as tokens have them.
var letters = map[Status]string{Created: "c:", Updated: "u:", Unchanged: "n:"}

func token(d WrittenDocument) string {
	if letter, ok := letters[d.Status]; ok {
		return letter + d.ID
	}
	return refusedToken
}

// AppendResult returns the result of a receipt with what was done to some
// documents, in order: "c:doc_x u:doc_y" for one that was created and one that was
// updated, n for one that was left unchanged, and "-" for one without a status,
// which was refused. Where the result has places kept for documents, each a "?",
// the first documents take those.
func AppendResult(result string, docs []WrittenDocument) string {
	tokens := strings.Fields(result)
	at := 0
	for _, d := range docs {
		for at < len(tokens) && tokens[at] != keptToken {
			at++
		}
		if at < len(tokens) {
			tokens[at] = token(d)
		} else {
			tokens = append(tokens, token(d))
		}
	}
	return strings.Join(tokens, " ")
}

// Made is what a receipt says of a document.
type Made struct {
	Status     Status // empty if it was refused
	DocumentID string // empty if it was refused
}

// RunOf returns the id of the run that a result begins with, which is recorded with
// what was done; "" if there is none.
func RunOf(result string) string {
	first, _, _ := strings.Cut(result, " ")
	if canonical, err := id.Parse(id.Run, first); err == nil {
		return canonical
	}
	return ""
}

// ParseResult returns what a result that [AppendResult] made says of documents, in
// order.
func ParseResult(result string) ([]Made, error) {
	var made []Made
	result = strings.TrimPrefix(result, RunOf(result))
	for i, t := range strings.Fields(result) {
		m, err := parseToken(t)
		if err != nil {
			return nil, fmt.Errorf("token %d of a receipt's result: %w", i, err)
		}
		made = append(made, m)
	}
	return made, nil
}

func parseToken(t string) (Made, error) {
	if t == refusedToken {
		return Made{}, nil
	}
	for status, letter := range letters {
		if id, ok := strings.CutPrefix(t, letter); ok && id != "" {
			return Made{Status: status, DocumentID: id}, nil
		}
	}
	return Made{}, errors.New("says nothing of a document")
}
