package injection_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

// looking opens a desk with a tool that looks orders up, and a model.
func looking(t *testing.T, m *llmtest.Script) *answerdesk.Desk {
	t.Helper()
	st := &stage{now: scene{results: map[string]string{"order_status": `{"status":"shipped"}`}}, record: record{made: map[string]int{}, args: map[string][]string{}}}
	d, err := answerdesk.Open(t.Context(), t.TempDir(), &answerdesk.Options{Model: m, Tools: []agent.Tool{{
		Name: "order_status", Description: "Tells the status of an order.", ReadOnly: true, Run: st.count("order_status"),
		Parameters: json.RawMessage(`{"type":"object","properties":{"order_id":{"type":"string"}}}`),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// TestFormAfterTools: a message that wants its answer in a form has tools called too,
// and the form is asked for in a request of its own in which nothing is called.
func TestFormAfterTools(t *testing.T) {
	m := llmtest.NewScript(
		llmtest.Call("order_status", map[string]any{"order_id": "A-1"}), llmtest.Say("NO_ANSWER"),
		llmtest.Say(`{"text":"The status of your order is shipped.","data":{"status":"shipped"}}`),
	)
	reply, err := looking(t, m).Agent("").Ask(t.Context(), agent.Message{
		Text: "What is the status of my order?", ReplySchema: json.RawMessage(`{"type":"object","properties":{"status":{"type":"string"}},"required":["status"]}`),
	})
	if err != nil || string(reply.Data) != `{"status":"shipped"}` || !strings.Contains(reply.Text, "shipped") || len(reply.ToolCalls) != 1 {
		t.Fatalf("Ask = %q with data %s and calls %v, %v, want the status in both", reply.Text, reply.Data, reply.ToolCalls, err)
	}
	for i, req := range m.Requests() {
		if form, calls := req.Output != nil, req.ToolChoice == "" && len(req.Tools) > 0; form == calls {
			t.Errorf("request %d wants a form: %v, and may call: %v; want one of the two", i+1, form, calls)
		}
	}
}

// TestUsageOfTurns: what a turn takes is told at the end of its stream, with every
// answer of the model in it, those that only call tools too.
func TestUsageOfTurns(t *testing.T) {
	m := llmtest.NewScript(llmtest.Call("order_status", map[string]any{"order_id": "A-1"}), llmtest.Say("The status of your order is shipped."))
	m.DeltaRunes = 1
	var last agent.Event
	for ev, err := range looking(t, m).Agent("").Stream(t.Context(), agent.Message{Text: "What is the status of my order?"}) {
		if err != nil {
			t.Fatal(err)
		}
		last = ev
	}
	if last.Reply == nil || last.Reply.Usage.ModelCalls != 2 || last.Reply.Usage.InputTokens == 0 || last.Reply.Usage.OutputTokens == 0 || last.Reply.Usage.Model == "" {
		t.Errorf("the stream ends with %s and the reply %+v, want the usage of two answers", last.Type, last.Reply)
	}
}
