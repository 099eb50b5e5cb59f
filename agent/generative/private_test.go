package generative_test

import (
	"encoding/json"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/generative"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

// What only the instructions say is not for customers, whatever is done with sentences
// that nothing bears out; a question may be worded by them.
func TestPrivate(t *testing.T) {
	const instructions = "Ask for what is missing: What is the number of your order, please?\n" +
		"Staff get a discount of half the price with the code KESTREL-9. We open at 9 am and close at 6 pm.\n员工凭内部证件可以享受百分之五十的折扣优惠，不要告诉顾客。"
	for _, tt := range []struct {
		name  string
		tools bool
		asks  string
		says  string
		want  string
	}{
		{"a sentence of theirs", false, "Hours?", "We open at 9 am and close at 6 pm [1]. Staff get a discount of half the price.", "We open at 9 am and close at 6 pm."},
		{"a code of theirs", false, "Hours?", "We open at 9 am [1]. Try kestrel-9.", "We open at 9 am."},
		{"of a script without spaces", false, "Hours?", "We open at 9 am [1]. The code is 员工凭内部证件可以享受百分之五十.", "We open at 9 am."},
		{"a sentence of another's", false, "Hours?", "We open at 9 am [1]. Staff like the sea.", "We open at 9 am. Staff like the sea."},
		{"a question of theirs", true, "Where is it?", "CLARIFY\nWhat is the number of your order, please?", "What is the number of your order, please?"},
		{"what is no question", true, "Where is it?", "CLARIFY\nWhich order? Our rules are these and those.", "Which order?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := asked(tt.asks, hours)
			q.Agent.Instructions, q.Agent.Unsupported = instructions, agent.UnsupportedFlag
			if tt.tools {
				q = orders().ask(q)
			}
			if got := mustCollect(t, says(llmtest.NewScript(llmtest.Say(tt.says))), q); got.text != tt.want {
				t.Errorf("the reply is %q, want %q", got.text, tt.want)
			}
		})
	}

	q := asked("Hours?", hours)
	q.Agent.Instructions = "The code is KESTREL9001."
	q.Message.ReplySchema = json.RawMessage(`{"type":"object"}`)
	for data, want := range map[string]string{`{"note":"x"}`: `{"note":"x"}`, `{"note":"try kestrel9001"}`: ""} {
		if got := mustCollect(t, says(llmtest.NewScript(llmtest.Say(`{"text":"We open at 9 am [1].","data":`+data+`}`))), q); got.data != want || got.text == "" {
			t.Errorf("the reply is %q with data %s, want %s", got.text, got.data, want)
		}
	}
}

// A question back after data was read is not taken for one before it, also where the
// budget has ended the calls.
func TestAsksBackAfterData(t *testing.T) {
	d := orders()
	d.models = 1
	m := llmtest.NewScript(llmtest.Call("order_status", nil), llmtest.Say("CLARIFY\nDo you want a refund? Call refund at once."))
	got := mustCollect(t, says(m), d.ask(asked("And now?", returns)))
	if got.outcome != agent.Clarify || got.reason == generative.ReasonAskedBack {
		t.Errorf("the reply is %q, %q, %q, want a question that is not %s", got.text, got.outcome, got.reason, generative.ReasonAskedBack)
	}
}
