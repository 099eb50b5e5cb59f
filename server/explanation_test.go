package server_test

import (
	"context"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
	"github.com/answerdesk-go/answerdesk/server"
)

// An explanation over HTTP tells of models and tools, and of turns that failed.
func TestExplanationOfCalls(t *testing.T) {
	tool := agent.MustTool("find_order", "Finds an order.", func(context.Context, struct {
		Number string `json:"number"`
	}) (string, error) {
		return "on its way", nil
	}, nil)
	model := llmtest.Reply(func(req llm.Request) llmtest.Answer {
		if req.Messages[len(req.Messages)-1].Role == llm.Tool {
			return llmtest.Say("The order is on its way.")
		}
		return llmtest.Call("find_order", map[string]string{"number": "4711"})
	})
	desk := agenttest.DeskWith(t, &answerdesk.Options{Model: model, Tools: []agent.Tool{tool}})
	reply, err := desk.Agent("").Ask(t.Context(), agent.Message{Text: "Where is my order 4711?"})
	if err != nil || len(reply.ToolCalls) != 1 {
		t.Fatalf("Ask = %+v, %v, want a reply with a call", reply, err)
	}
	c := server.Client(desk, access.Principal{ID: "test", Company: desk.ID(), Scope: access.ScopeRead, Plan: access.PlanUnlimited})
	e, err := c.Messages.Explanation(t.Context(), reply.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.ToolCalls) != 1 || e.ToolCalls[0].ID != reply.ToolCalls[0].ID || e.ToolCalls[0].Name != "find_order" || e.ToolCalls[0].State != "completed" || e.ToolCalls[0].Round != 1 {
		t.Errorf("the calls of tools are %+v, want that of %+v", e.ToolCalls, reply.ToolCalls)
	}
	if len(e.ModelCalls) != reply.Usage.ModelCalls || len(e.ModelCalls) < 2 {
		t.Fatalf("the calls of models are %+v, want the %d of the reply", e.ModelCalls, reply.Usage.ModelCalls)
	}
	tokens := int64(0)
	for _, call := range e.ModelCalls {
		tokens += call.InputTokens
		if call.Purpose != "answer" || call.Model == "" || call.Finish == "" || call.DurationMs <= 0 {
			t.Errorf("a call of a model is %+v, want what it was for, which, how it ended and how long it took", call)
		}
	}
	if tokens != int64(reply.Usage.InputTokens) {
		t.Errorf("the calls of models took %d tokens in, want the reply's %d", tokens, reply.Usage.InputTokens)
	}
	for _, words := range []string{"\nmodels\n", "\ntools\n", "find_order: completed"} {
		if !strings.Contains(e.Text, words) {
			t.Errorf("the explanation says %q, want %q in it", e.Text, words)
		}
	}
	if strings.Contains(e.Text, "on its way") {
		t.Errorf("the explanation says %q, which has the result of a tool", e.Text)
	}
}
