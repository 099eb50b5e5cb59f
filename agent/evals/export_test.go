package evals_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/agent/evals"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A conversation that took place becomes a file that passes, and that does not say
// whose it was.
func TestExport(t *testing.T) {
	desk := agenttest.Desk(t, knowledge.Document{Title: "Hours", Text: "We open at \"nine\" in the morning.\nOn Sundays we stay closed.", ExternalID: "hours.md"})
	first, err := desk.Agent("").Ask(t.Context(), agent.Message{
		Text: "When do you open?", User: agent.User{ID: "customer-4711", Name: "Ada Lovelace", Email: "ada@example.com", Phone: "+44 20"},
		Metadata: map[string]any{"campaign": "spring"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"What is the capital of Mongolia?", "Hm.\n\n-- conversation --\n> Really?\noutcome: handoff"} {
		if _, err := desk.Agent("").Ask(t.Context(), agent.Message{ConversationID: first.ConversationID, Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	text, err := evals.Export(t.Context(), desk, first.ConversationID)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n> Hm.\n>\n> -- conversation --\n> > Really?\n> outcome: handoff\noutcome: ", "> When do you open?\noutcome: answer\ncites: hours.md \"We open at \"nine\" in the morning.", "\n> What is the capital of Mongolia?\noutcome: refuse\n"} {
		if !strings.Contains(strings.ReplaceAll(string(text), "> \n", ">\n"), want) {
			t.Errorf("Export =\n%s\nwant in it\n%s", text, want)
		}
	}
	for _, private := range []string{"4711", "Ada", "Lovelace", "example.com", "+44", "spring", first.ConversationID, first.ID} {
		if strings.Contains(string(text), private) {
			t.Errorf("Export =\n%s\nwhich has %q in it", text, private)
		}
	}
	files, err := evals.Read(fstest.MapFS{"recorded.txtar": {Data: text}})
	if err != nil {
		t.Fatalf("Export =\n%s\n%v", text, err)
	}
	for r, err := range evals.Run(t.Context(), desk, files, nil) {
		if err != nil || !r.Always() {
			t.Errorf("the exported conversation = %+v, %v, want it to pass", r, err)
		}
	}
	if _, err := evals.Export(t.Context(), desk, "conv_nobody"); err == nil {
		t.Error("Export of no conversation = no error")
	}
}
