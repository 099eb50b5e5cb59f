package generative_test

import (
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/agent/generative"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

// A file that a message names reaches the model, as what the customer has attached.
func TestFilesReachTheModel(t *testing.T) {
	m := llmtest.NewScript(llmtest.Say("We open at nine in the morning [1]."), llmtest.Say("We open at nine in the morning [1]."))
	desk := agenttest.DeskWith(t, &answerdesk.Options{Answerer: generative.New(m, nil)}, shop)
	note, err := desk.Attachments().Put(t.Context(), "appointment.txt", strings.NewReader("Appointment: Thursday, counter Q17-B."))
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range []agent.Message{
		{Text: "When do you open?", Attachments: []agent.AttachmentRef{{ID: note.ID}}},
		{Text: "When do you open?"},
	} {
		if _, err := desk.Agent("").Ask(t.Context(), message); err != nil {
			t.Fatal(err)
		}
	}
	asked := m.Requests()
	if len(asked) != 2 {
		t.Fatalf("the model was asked %d times, want 2", len(asked))
	}
	for i, want := range []bool{true, false} {
		var said strings.Builder
		for _, turn := range asked[i].Messages {
			said.WriteString(turn.Text)
		}
		for _, part := range []string{"appointment.txt", "counter Q17-B"} {
			if strings.Contains(said.String(), part) != want {
				t.Errorf("the request of message %d has %q: %v, want %v:\n%s", i+1, part, !want, want, said.String())
			}
		}
		if strings.Contains(asked[i].Instructions, "Q17-B") {
			t.Errorf("the file stands among the instructions: %s", asked[i].Instructions)
		}
	}
}
