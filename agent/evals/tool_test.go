package evals_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/agent/evals"
	"github.com/answerdesk-go/answerdesk/agent/generative"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

const orders = `-- tool find_order --
Finds an order by its number.
parameters: {
  "type": "object",
  "properties": {"number": {"type": "string"}},
  "required": ["number"]
}
read only
{"number": "4711"} => {"state": "sent", "carrier": "Postal"}
{"number": "4712"} => error: there is no such order
`

// clerk looks up the order whose number stands in the question, and says its state.
func clerk(req llm.Request) llmtest.Answer {
	last := req.Messages[len(req.Messages)-1]
	if last.Role == llm.Tool {
		for _, r := range last.Results {
			if state := r.Content; strings.Contains(state, "sent") {
				return llmtest.Say("Your order was sent by Postal.")
			}
		}
		return llmtest.Say("I could not look up the order.")
	}
	for _, number := range []string{"4711", "4712", "4713"} {
		if strings.Contains(fmt.Sprint(last), number) {
			return llmtest.Call("find_order", map[string]string{"number": number})
		}
	}
	return llmtest.Say("NO_ANSWER")
}

// Tools give what the file says, and what was called is expected as replies are.
func TestTools(t *testing.T) {
	desk := agenttest.DeskWith(t, &answerdesk.Options{Answerer: generative.New(llmtest.Reply(clerk), nil)})
	results := play(t, desk, nil, orders+`-- conversation found --
> Where is my order 4711?
outcome: answer
says: sent by Postal
calls: find_order {"number": "4711"}
-- conversation another --
> Where is my order 4712?
calls: find_order
never calls: find_order {"number": "4711"}
never says: sent
-- conversation wrong --
> Where is my order 4711?
calls: find_order {"number": "4713"}
calls: nothing
-- conversation not in the file --
> Where is my order 4713?
never says: sent
`)
	want := map[string][]string{
		"found": nil, "another": nil,
		"wrong":           {`want calls: find_order {"number": "4713"}, but it calls find_order {"number":"4711"} (completed)`, `want calls: nothing, but it calls find_order`},
		"not in the file": {`the file has no result for find_order {"number":"4713"}`},
	}
	for _, r := range results {
		got := r.Runs[0].Failures
		if len(got) != len(want[r.Name]) {
			t.Errorf("%s fails with %v, want %q", r.Name, got, want[r.Name])
			continue
		}
		for i, f := range got {
			if !strings.Contains(f.Message, want[r.Name][i]) {
				t.Errorf("%s fails with %v, want %q", r.Name, f, want[r.Name][i])
			}
		}
	}
	if len(results) != len(want) {
		t.Errorf("%d conversations were held, want %d", len(results), len(want))
	}
}

// A call that waits for somebody waits for what the file says.
func TestApprovals(t *testing.T) {
	var called []string
	tool := agent.Tool{
		Name: "find_order", Description: "Finds an order.", Parameters: json.RawMessage(`{"type":"object","properties":{"number":{"type":"string"}}}`), Approval: agent.ApprovalAsk,
		Run: func(_ context.Context, c agent.Call) (json.RawMessage, error) {
			called = append(called, string(c.Arguments))
			return json.RawMessage(`{"state": "sent", "carrier": "Postal"}`), nil
		},
	}
	desk := agenttest.DeskWith(t, &answerdesk.Options{Answerer: generative.New(llmtest.Reply(clerk), nil), Tools: []agent.Tool{tool}})
	results := play(t, desk, &evals.Options{Keep: true}, `-- conversation yes --
> Where is my order 4711?
approves: find_order
says: sent
-- conversation no --
> Where is my order 4712?
rejects: find_order
never says: sent
calls: find_order
-- conversation unsaid --
> Where is my order 4713?
never says: sent
`)
	for i, failures := range []int{0, 0, 1} {
		if got := results[i].Runs[0].Failures; len(got) != failures || failures == 1 && !strings.Contains(got[0].Message, "a call of find_order waits to be approved: say approves: find_order, or rejects: find_order") {
			t.Errorf("%s fails with %v, want %d failures", results[i].Name, got, failures)
		}
	}
	if !slices.Equal(called, []string{`{"number":"4711"}`}) {
		t.Errorf("the tool was called with %q, want the call that was approved", called)
	}

	// Exported, the call stands in the file with its result, and needs no tool.
	text, err := evals.Export(t.Context(), desk, results[0].Runs[0].ConversationID)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"-- tool find_order --\n", `{"number":"4711"} => {"state":"sent","carrier":"Postal"}`, `calls: find_order {"number":"4711"}`, "approves: find_order\n"} {
		if !strings.Contains(string(text), part) {
			t.Errorf("Export =\n%s\nwant %q in it", text, part)
		}
	}
	if again := play(t, desk, nil, string(text)); !again[0].Always() {
		t.Errorf("the exported conversation fails with %v in\n%s", again[0].Runs[0].Failures, text)
	}
}

// A call that is asked for after data was read needs nobody's yes if the tool changes
// nothing, and otherwise it does.
func TestReadOnly(t *testing.T) {
	twice := func(req llm.Request) llmtest.Answer {
		results := 0
		for _, m := range req.Messages {
			results += len(m.Results)
		}
		if results < 2 {
			return llmtest.Call("find_order", map[string]string{"number": []string{"4711", "4712"}[results]})
		}
		return llmtest.Say("Your order was sent by Postal.")
	}
	desk := agenttest.DeskWith(t, &answerdesk.Options{Answerer: generative.New(llmtest.Reply(twice), nil)})
	const talk = "-- conversation --\n> Where are my orders?\ncalls: find_order {\"number\": \"4712\"}\n"
	if r := play(t, desk, nil, orders+talk)[0]; !r.Always() {
		t.Errorf("with a tool that is read only it fails: %v", r.Runs[0].Failures)
	}
	r := play(t, desk, nil, strings.Replace(orders, "read only\n", "", 1)+talk)[0]
	if got := r.Runs[0].Failures; len(got) != 1 || !strings.Contains(got[0].Message, "waits to be approved") {
		t.Errorf("with another tool it fails with %v, want that a call waits to be approved", got)
	}
}

// An agent is asked without what its settings name and this desk does not have, as its
// customers would be, and a tool of the file keeps the approval that the settings say.
func TestMissingTools(t *testing.T) {
	folder := t.TempDir()
	order := agent.MustTool("find_order", "Finds an order.", func(context.Context, struct{}) (string, error) { return "", nil }, nil)
	crm := agent.MustTool("crm", "Reads.", func(context.Context, struct{}) (string, error) { return "", nil }, nil)
	model := llmtest.Reply(clerk)
	full, err := answerdesk.Open(t.Context(), folder, &answerdesk.Options{Model: model, Models: map[string]llm.Model{"small": model}, Tools: []agent.Tool{order, crm}})
	if err != nil {
		t.Fatal(err)
	}
	never := agent.ToolSettings{Approval: agent.ApprovalNever}
	made, err := full.Agents().Create(t.Context(), agent.Settings{Name: "Clerk", Model: "small", Tools: map[string]agent.ToolSettings{"find_order": never, "crm": never}})
	if err := errors.Join(err, full.Close()); err != nil {
		t.Fatal(err)
	}
	desk, err := answerdesk.Open(t.Context(), folder, &answerdesk.Options{Model: model})
	if err != nil {
		t.Fatal(err)
	}
	defer desk.Close()
	results := play(t, desk, &evals.Options{AgentID: made.ID}, orders+`-- conversation never --
> Where is my order 4711?
outcome: refuse
`)
	if len(results) != 1 || !results[0].Always() {
		t.Errorf("the results are %+v, want that the tool was not called", results)
	}
}
