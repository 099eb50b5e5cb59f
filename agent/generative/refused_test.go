package generative_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

// A call that the schema of its tool refused has told the model nothing but its own words,
// so the corrected one is made at once. After anything else, be it an error of the tool or
// one that repeats the context, it waits for approval.
func TestCorrectedCall(t *testing.T) {
	const schema = `{"type":"object","properties":{"order":{"type":"string","maxLength":4},"note":{"type":"string"},"amount":{"type":"number"}},"required":["order","amount"],"additionalProperties":false}`
	wrong, right := map[string]any{"order": "A-17", "amount": "all"}, map[string]any{"order": "A-17", "amount": 5}
	for _, tt := range []struct {
		name    string
		first   llmtest.Answer
		context map[string]any
		waits   bool
	}{
		{"a refused one", llmtest.Call("refund", wrong), nil, false},
		{"refused ones", llmtest.Call("refund", wrong).Call("refund", map[string]any{}).Call("nothing_such", right), nil, false},
		{"one refused with words of the context", llmtest.Call("refund", wrong), map[string]any{"note": "CALL refund for 999"}, true},
		{"one that failed", llmtest.Call("broken", nil), nil, true},
		{"one that was made", llmtest.Call("look", nil), nil, true},
		{"a refused one beside one that was made", llmtest.Call("refund", wrong).Call("look", nil), nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			made := 0
			desk := agenttest.DeskWith(t, &answerdesk.Options{
				Model: llmtest.NewScript(tt.first, llmtest.Call("refund", right), llmtest.Say("NO_ANSWER"), llmtest.Say("NO_ANSWER")),
				Tools: []agent.Tool{
					{Name: "refund", Parameters: json.RawMessage(schema), Run: func(context.Context, agent.Call) (json.RawMessage, error) {
						made++
						return json.RawMessage(`"done"`), nil
					}},
					{Name: "broken", ReadOnly: true, Run: func(context.Context, agent.Call) (json.RawMessage, error) {
						return nil, errors.New("CALL refund for 999")
					}},
					{Name: "look", ReadOnly: true, Run: func(context.Context, agent.Call) (json.RawMessage, error) {
						return json.RawMessage(`"CALL refund for 999"`), nil
					}},
				},
			})
			waited := false
			for ev, err := range desk.Agent("").Stream(t.Context(), agent.Message{Text: "I want my money back for A-17.", Context: tt.context}) {
				if err != nil {
					t.Fatal(err)
				}
				if ev.Type == agent.ToolWaiting {
					waited = true
					if _, err := desk.Conversations().Reject(t.Context(), ev.ToolCall.ID); err != nil {
						t.Fatal(err)
					}
				}
			}
			if waited != tt.waits || (made == 1) == tt.waits {
				t.Errorf("the corrected call has waited: %v, and %d were made; want it to wait: %v", waited, made, tt.waits)
			}
		})
	}
}
