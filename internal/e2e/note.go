package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// The steps of a [Load].
const (
	doPut    = "put"    // some documents, all or none
	doPatch  = "patch"  // a document's metadata
	doDelete = "delete" // a document
	doAsk    = "ask"    // a question
	doForget = "forget" // a conversation is deleted
	doQueue  = "queue"  // work, an event, a receipt and an entry of the audit log in one commit
)

// A Note is one line about a step: that it is about to be taken or, if it is
// Done, that the call has returned.
type Note struct {
	Step int    `json:"step"`
	Do   string `json:"do"`
	Done bool   `json:"done,omitzero"`

	// Keys are what the step is about: external ids of documents, the id of a
	// user, of a conversation, of queued work.
	Keys []string `json:"keys"`

	// Got is what the call returned: the ids of the documents put, a reply.
	Got json.RawMessage `json:"got,omitzero"`
}

// Text is what the document called key says after the step that puts it: the
// same each time, in one case of ten over several pages of the database.
func Text(key string, step int) string {
	r := rand.New(rand.NewPCG(uint64(step), 1))
	var b strings.Builder
	fmt.Fprintf(&b, "The code of %s is %s.\n", key, mark(step))
	paragraphs := 1 + r.IntN(3)
	if r.IntN(10) == 0 {
		paragraphs = 40
	}
	for range paragraphs {
		b.WriteString("\nIt")
		for range 20 + r.IntN(60) {
			b.WriteString(" " + filler[r.IntN(len(filler))])
		}
		b.WriteString(".\n")
	}
	return b.String()
}

// mark is the word that only the texts of one step have.
func mark(step int) string { return fmt.Sprintf("mark%d", step) }

// question is what is asked about the document called key.
func question(key string) string { return "What is the code of " + key + "?" }

var filler = strings.Fields(`opens closes weighs holds turns carries keeps needs takes shows gives makes stands
	quickly slowly often seldom together apart outside inside above below north south window table lamp
	bottle river garden paper stone metal glass wooden silver green yellow heavy narrow ancient modern`)
