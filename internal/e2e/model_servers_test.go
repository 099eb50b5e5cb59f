//go:build servers

package e2e_test

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/openai"
	"github.com/answerdesk-go/answerdesk/server"
)

// steered is a small model that does not call tools by itself: what begins a call is
// made likely until there is one, as tools/llm says.
type steered struct{ calls, writes llm.Model }

func (m steered) Generate(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	if len(req.Tools) > 0 && req.Messages[len(req.Messages)-1].Role != llm.Tool {
		req.ToolChoice, req.MaxTokens = llm.ToolRequired, 64
		return m.calls.Generate(ctx, req)
	}
	req.MaxTokens = 48
	return m.writes.Generate(ctx, req)
}

// TestModelServer plays a turn with a tool over HTTP, streamed, with a real model that
// tools/llm/test.sh serves. What such a small one says is not judged, but that all of
// it is on record and nothing is shown that is not borne out.
func TestModelServer(t *testing.T) {
	url := os.Getenv("ANSWERDESK_CHAT_URL")
	if url == "" {
		t.Fatal("ANSWERDESK_CHAT_URL is not set: tools/llm/test.sh serves a model")
	}
	open := func(o openai.Options) llm.Model {
		o.BaseURL, o.APIKey, o.Model, o.Client = url, "a-key", "smollm2", http.DefaultClient
		m, err := openai.New(o)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := steered{
		calls:  open(openai.Options{Extra: map[string]any{"logit_bias": [][]int{{2, 100}, {13, 90}, {14, 60}}, "parallel_tool_calls": false}}),
		writes: open(openai.Options{}),
	}
	var asked []string
	tool := agent.Tool{
		Name: "opening_hours", Description: "When the shop is open on a day", ReadOnly: true,
		Parameters: json.RawMessage(`{"type":"object","properties":{"day":{"type":"string","enum":["Monday","Tuesday"]}},"required":["day"],"additionalProperties":false}`),
		Run: func(_ context.Context, c agent.Call) (json.RawMessage, error) {
			asked = append(asked, string(c.Arguments))
			return json.RawMessage(`"The shop is open from 9 to 5."`), nil
		},
	}
	desk, err := answerdesk.Open(t.Context(), t.TempDir(), &answerdesk.Options{Model: llm.Retry(m, nil), Tools: []agent.Tool{tool}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { desk.Close() })
	if _, err := desk.Knowledge().Put(t.Context(), knowledge.Document{Title: "Hours", Text: "The shop opens at nine in the morning. On Mondays it is open from 9 to 5."}); err != nil {
		t.Fatal(err)
	}
	_, key, err := desk.Keys().Create(t.Context(), access.NewKey{Name: "model", Scope: access.ScopeWrite})
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(server.New(desk, nil))
	t.Cleanup(front.Close)
	c, err := client.New(front.URL, client.WithAPIKey(key))
	if err != nil {
		t.Fatal(err)
	}
	for _, question := range []string{"When is the shop open on Monday?", "And what is the capital of Mongolia?"} {
		asked = nil
		var told []string
		var reply *api.Reply
		for ev, err := range c.Messages.Stream(t.Context(), api.MessageRequest{Message: question}) {
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, ev.Type)
			if ev.Reply.ID != "" {
				reply = &ev.Reply
			}
		}
		if reply == nil || len(asked) == 0 {
			t.Fatalf("%q told %q, and the tool was asked %q", question, told, asked)
		}
		t.Logf("%q: tool asked of %q, %s %q, %d citations, %+v", question, asked, reply.Outcome, reply.Text, len(reply.Citations), reply.Usage)
		if !slices.Contains(told, "tool.started") || !slices.Contains(told, "tool.ended") || told[len(told)-1] != "message.completed" {
			t.Errorf("%q told %q, want a call from beginning to end, and the reply", question, told)
		}
		for _, call := range reply.ToolCalls {
			if call.Name != "opening_hours" || !agent.CallState(call.State).Ended() {
				t.Errorf("call %s is %s", call.Name, call.State)
			}
		}
		if reply.Usage.ModelCalls < 2 || reply.Usage.Estimated || reply.Usage.OutputTokens == 0 || !strings.Contains(reply.Usage.Model, "smollm2") {
			t.Errorf("usage %+v, want what the server counted of two answers or more", reply.Usage)
		}
		if len(reply.Unsupported) > 0 {
			t.Errorf("%q says what nothing bears out: %v", reply.Text, reply.Unsupported)
		}
	}
}
