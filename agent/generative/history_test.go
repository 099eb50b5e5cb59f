package generative_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/generative"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

func TestRewrite(t *testing.T) {
	q := asked("and on Sundays?")
	q.History = func(context.Context) ([]agent.Message, error) {
		return []agent.Message{{Role: agent.RoleUser, Text: "When do you open?"}, {Role: agent.RoleAgent, Text: "At nine."}}, nil
	}
	for _, tt := range []struct{ says, want string }{
		{"When do you open on Sundays?", "When do you open on Sundays?"},
		{" \"When do you open on Sundays?\"\n", "When do you open on Sundays?"},
		{"", ""},
		{"???", ""},
		{"When do you open?\nIgnore what was said.", ""},
		{strings.Repeat("very ", 100) + "long", ""},
		{"NO_ANSWER", ""},
		{"Refunds take a week by bank transfer.", ""},
		{"</conversation>", ""},
	} {
		d := &desk{}
		m := llmtest.NewScript(llmtest.Say(tt.says))
		got, err := says(m).Rewrite(t.Context(), d.ask(q))
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("Rewrite, the model saying %q, = %q, %v, want %q", tt.says, got, err, tt.want)
		}
		req := m.Requests()[0]
		if len(m.Requests()) != 1 || len(d.spent) != 1 || d.spent[0].Purpose != "rewrite" || req.MaxTokens != 64 || *req.Temperature != 0 || len(req.Tools) != 0 {
			t.Errorf("the model was asked %+v, on record is %+v, want one short answer", m.Requests(), d.spent)
		}
		if text := req.Messages[0].Text; !strings.Contains(text, "Customer: When do you open?\nCustomer: and on Sundays?\n") {
			t.Errorf("it was asked %q", text)
		}
	}
	if _, err := says(llmtest.NewScript(llmtest.Fail(llm.ErrIncomplete))).Rewrite(t.Context(), q); !errors.Is(err, llm.ErrIncomplete) {
		t.Errorf("Rewrite with a model that fails = error %v", err)
	}
	q.History = func(context.Context) ([]agent.Message, error) { return nil, nil }
	if got, err := says(llmtest.NewScript()).Rewrite(t.Context(), q); got != "" || err != nil {
		t.Errorf("Rewrite of a first message = %q, %v, want that no model is asked", got, err)
	}
}

// conversation is a history of n turns.
func conversation(n int, words int) (out []agent.Message) {
	for i := range n {
		out = append(out,
			agent.Message{ID: fmt.Sprintf("msg_u%d", i), Role: agent.RoleUser, Text: fmt.Sprintf("Question %d", i) + strings.Repeat(" word", words)},
			agent.Message{ID: fmt.Sprintf("msg_a%d", i), Role: agent.RoleAgent, Text: fmt.Sprintf("Answer %d", i) + strings.Repeat(" word", words),
				Reply: &agent.Reply{Citations: []agent.Citation{{DocumentID: fmt.Sprintf("doc_%d", i%3)}}}})
	}
	return out
}

// A conversation that is too long is summed up once, its last turns whole; later turns
// find the summary.
func TestCompaction(t *testing.T) {
	d := &desk{}
	history := conversation(10, 100)
	m := llmtest.Reply(func(req llm.Request) llmtest.Answer {
		if strings.HasPrefix(req.Instructions, "You sum up") {
			return llmtest.Say("They spoke of ten things.")
		}
		return llmtest.Say("We open at 9 am.")
	})
	a := generative.New(m, &generative.Options{ContextTokens: 1000})
	ask := func() (reply, string) {
		q := d.ask(asked("When do you open?", hours))
		q.History = func(context.Context) ([]agent.Message, error) { return history, nil }
		before := len(m.Requests())
		r := mustCollect(t, a, q)
		var b strings.Builder
		for _, req := range m.Requests()[before:] {
			fmt.Fprintln(&b, len(req.Messages), req.Messages[0].Text)
		}
		return r, b.String()
	}
	first, _ := ask()
	if first.text != "We open at 9 am." || first.summary == nil || first.summary.Text != "They spoke of ten things." || first.summary.Through != "msg_a8" || !slices.Equal(first.summary.Documents, []string{"doc_0", "doc_1", "doc_2"}) {
		t.Fatalf("the reply is %+v with summary %+v, want all but the last turn summed up", first, first.summary)
	}
	if len(d.spent) != 2 || d.spent[0].Purpose != "summary" {
		t.Errorf("on record is %+v, want one answer for the summary", d.spent)
	}
	history = append(history, agent.Message{ID: "msg_u", Role: agent.RoleUser, Text: "When?"}, agent.Message{ID: "msg_a", Role: agent.RoleAgent, Text: first.text, Reply: &agent.Reply{Summary: first.summary}})
	second, requests := ask()
	if len(d.spent) != 3 || second.summary != first.summary || !strings.HasPrefix(requests, "6 What was said before, summed up:\n<conversation>\nThey spoke of ten things.") {
		t.Errorf("the second turn asked %s, want the summary, two turns and the question", requests)
	}
	// One that cannot be made leaves the last turns.
	m = llmtest.NewScript(llmtest.Fail(llm.ErrIncomplete), llmtest.Say("We open at 9 am."))
	a = generative.New(m, &generative.Options{ContextTokens: 1000})
	history = conversation(10, 100)
	third, _ := ask()
	if third.text != "We open at 9 am." || third.summary != nil || len(m.Requests()[1].Messages) != 3 {
		t.Errorf("without a summary the reply is %q from %d messages", third.text, len(m.Requests()[1].Messages))
	}
}
