package generative_test

import (
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/agent/extractive"
	"github.com/answerdesk-go/answerdesk/agent/generative"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

// What attempts took that failed is in the usage of the reply and in its explanation,
// whether another one succeeded or none.
func TestFailedAttemptsAreSpent(t *testing.T) {
	price := llm.Price{Input: 1e6, Output: 1e6}
	broken := llmtest.Say("We open at").Fail(llm.Taking(llm.ErrIncomplete, llm.Usage{Input: 70, Output: 5}))
	whole := llmtest.Say("We open at nine [1].").Done(llm.Done{Usage: llm.Usage{Input: 70, Output: 9}})
	for _, tt := range []struct {
		name    string
		model   llm.Model
		in, out int
		failed  int
		kind    string
	}{
		{"one failed", llmtest.NewScript(broken, whole), 140, 14, 1, ""},
		{"all failed", llmtest.NewScript(broken, broken), 140, 10, 1, "incomplete"},
		{"none failed", llmtest.NewScript(whole), 70, 9, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := llm.Retry(llm.WithPrice(tt.model, price), &llm.RetryOptions{Times: 1, FirstWait: time.Nanosecond, Reset: true})
			desk := agenttest.DeskWith(t, &answerdesk.Options{Answerer: generative.New(m, &generative.Options{Fallback: extractive.New(nil)})}, shop)
			reply, err := desk.Agent("").Ask(t.Context(), agent.Message{Text: "When do you open?"})
			if err != nil {
				t.Fatal(err)
			}
			if u := reply.Usage; u.InputTokens != tt.in || u.OutputTokens != tt.out || u.Cost != float64(tt.in+tt.out) || u.ModelCalls != 1 || u.Estimated {
				t.Errorf("the usage is %+v, want %d tokens in and %d out", u, tt.in, tt.out)
			}
			e, err := desk.Conversations().Explain(t.Context(), reply.ID)
			if err != nil || len(e.ModelCalls) != 1 {
				t.Fatalf("Explain = %d calls of models, %v, want one", len(e.ModelCalls), err)
			}
			if c := e.ModelCalls[0]; c.Failed != tt.failed || c.Error != tt.kind || c.Usage.InputTokens != tt.in || c.Usage.OutputTokens != tt.out {
				t.Errorf("the explanation has %+v, want %d failed attempts and %d tokens in", c, tt.failed, tt.in)
			}
		})
	}
}
