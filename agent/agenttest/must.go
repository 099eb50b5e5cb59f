package agenttest

import (
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
)

// MustAnswer asks a question and ends the test unless the agent answers it with
// a citation of the document that has the title, in whose quote the words stand.
// It returns the reply.
func MustAnswer(t testing.TB, h *agent.Handle, question, title, words string) agent.Reply {
	t.Helper()
	reply := ask(t, h, question)
	if reply.Outcome != agent.Answer {
		t.Fatalf("Ask(%q) = %s with confidence %.2f below %.2f or no answer found, want an answer from %q",
			question, reply.Outcome, reply.Confidence.Score, reply.Confidence.Threshold, title)
	}
	for _, c := range reply.Citations {
		if c.Title == title && strings.Contains(c.Quote, words) {
			return reply
		}
	}
	t.Fatalf("Ask(%q) = %q, which cites %s, want a quote of %q with %q", question, reply.Text, cited(reply), title, words)
	return reply
}

// MustRefuse asks a question and ends the test unless the agent says that it does
// not know. It returns the reply.
func MustRefuse(t testing.TB, h *agent.Handle, question string) agent.Reply {
	t.Helper()
	reply := ask(t, h, question)
	if reply.Outcome != agent.Refuse {
		t.Fatalf("Ask(%q) = %s %q with confidence %.2f, which cites %s, want %s",
			question, reply.Outcome, reply.Text, reply.Confidence.Score, cited(reply), agent.Refuse)
	}
	return reply
}

func ask(t testing.TB, h *agent.Handle, question string) agent.Reply {
	t.Helper()
	reply, err := h.Ask(t.Context(), agent.Message{Text: question})
	if err != nil {
		t.Fatalf("Ask(%q) = error %v, want a reply", question, err)
	}
	return reply
}

// cited names the titles of the documents a reply cites.
func cited(r agent.Reply) string {
	if len(r.Citations) == 0 {
		return "nothing"
	}
	titles := make([]string, len(r.Citations))
	for i, c := range r.Citations {
		titles[i] = `"` + c.Title + `"`
	}
	return strings.Join(titles, ", ")
}
