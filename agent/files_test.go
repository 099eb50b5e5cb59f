package agent_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
)

// Whoever answers gets the text of the files that a message names, in its order, and
// none that a message before it has named.
func TestFilesOfAMessage(t *testing.T) {
	var got [][]agent.Attachment
	d := newDesk(t, parts{Answerer: answering(func(_ context.Context, q agent.Question, say func(agent.Part)) error {
		got = append(got, q.Files)
		say(agent.Part{Text: "At nine."})
		return nil
	})}, screens...)
	var refs []agent.AttachmentRef
	for _, name := range []string{"first.txt", "second.txt"} {
		a, err := d.Attachments(d.company).Put(t.Context(), name, strings.NewReader("This is "+name+"."))
		if err != nil {
			t.Fatal(err)
		}
		refs = append(refs, agent.AttachmentRef{ID: a.ID})
	}
	slices.Reverse(refs)
	conversation := ""
	for _, m := range []agent.Message{{Attachments: refs}, {}} {
		m.Text, m.ConversationID = "When do you open on Sundays?", conversation
		reply, err := d.Agent(d.company, "").Ask(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		conversation = reply.ConversationID
	}
	if len(got) != 2 || len(got[0]) != 2 || len(got[1]) != 0 {
		t.Fatalf("the questions had the files %+v, want two and none", got)
	}
	for i, name := range []string{"second.txt", "first.txt"} {
		if f := got[0][i]; f.ID != refs[i].ID || f.Name != name || f.Text != "This is "+name+"." || !f.ExpiresAt.IsZero() {
			t.Errorf("file %d = %+v, want %s with its text", i, f, name)
		}
	}
}
