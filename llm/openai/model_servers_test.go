//go:build servers

package openai_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/openai"
)

// TestChatServer meets a server with a model that others wrote, which
// tools/llm/test.sh starts.
func TestChatServer(t *testing.T) {
	address := os.Getenv("ANSWERDESK_CHAT_URL")
	if address == "" {
		t.Fatal("no server: run tools/llm/test.sh")
	}
	open := func(o openai.Options) *openai.Model {
		if o.APIKey == "" {
			o.APIKey = "a-key"
		}
		o.BaseURL, o.Model, o.Client = address, "smollm2", http.DefaultClient // it is on this machine
		m, err := openai.New(o)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	ask := func(text string, most int) llm.Request {
		return llm.Request{Instructions: "Answer in one short sentence.", Messages: []llm.Message{{Role: llm.User, Text: text}}, MaxTokens: most, Temperature: new(0.)}
	}
	hours := llm.ToolSpec{
		Name: "opening_hours", Description: "When the office is open on a day.",
		Parameters: json.RawMessage(`{"type":"object","properties":{"day":{"type":"string","enum":["Monday","Tuesday"]}},"required":["day"],"additionalProperties":false}`),
	}

	t.Run("text", func(t *testing.T) {
		deltas := 0
		var text strings.Builder
		for ev, err := range open(openai.Options{}).Generate(t.Context(), ask("What is the capital of France?", 40)) {
			if err != nil {
				t.Fatal(err)
			}
			switch ev := ev.(type) {
			case llm.TextDelta:
				deltas++
				text.WriteString(ev.Text)
			case llm.Done:
				u := ev.Usage
				if ev.Reason != llm.FinishStop || u.Estimated || u.Input < 15 || u.Output < deltas || !strings.HasPrefix(ev.Model, "openai:") {
					t.Errorf("%+v after %d deltas, want a stop and what the server counted", ev, deltas)
				}
			}
		}
		if deltas < 5 || !strings.Contains(text.String(), "Paris") {
			t.Errorf("%d deltas: %s, want some, with Paris in them", deltas, text.String())
		}
		t.Log(text.String())
	})

	t.Run("length", func(t *testing.T) {
		got, err := llm.Collect(open(openai.Options{MaxTokens: 3}).Generate(t.Context(), ask("Tell a long story of a boat.", 0)))
		if err != nil || got.Reason != llm.FinishLength || got.Usage.Output != 3 || got.Text == "" {
			t.Errorf("%+v, %v, want three tokens", got, err)
		}
	})

	t.Run("a call and its result", func(t *testing.T) {
		req := ask("When are you open on Monday?", 64)
		req.Tools, req.ToolChoice = []llm.ToolSpec{hours}, llm.ToolRequired
		// The tokens of tools.jinja that begin and end a call, and, before them, the end of the answer.
		prefer := openai.Options{Extra: map[string]any{"logit_bias": [][]int{{2, 100}, {13, 90}, {14, 60}}, "parallel_tool_calls": false}}
		got, err := llm.Collect(open(prefer).Generate(t.Context(), req))
		if err != nil || len(got.ToolCalls) != 1 || got.Reason != llm.FinishTools || got.Usage.Estimated {
			t.Fatalf("%+v, %v, want a call", got, err)
		}
		call := got.ToolCalls[0]
		var args struct{ Day string }
		if err := json.Unmarshal(call.Arguments, &args); err != nil || call.Name != "opening_hours" || args.Day != "Monday" && args.Day != "Tuesday" {
			t.Errorf("call %s %s, %v, want opening_hours of a day", call.Name, call.Arguments, err)
		}
		t.Log(call.Name, string(call.Arguments))
		req.Messages = append(req.Messages,
			llm.Message{Role: llm.Assistant, Text: got.Text, ToolCalls: got.ToolCalls},
			llm.Message{Role: llm.Tool, Results: []llm.ToolResult{{CallID: call.ID, Name: call.Name, Content: "We are open from 9 to 5."}}},
			llm.Message{Role: llm.User, Text: "Say that again."})
		req.ToolChoice, req.MaxTokens = llm.ToolNone, 12
		got, err = llm.Collect(open(openai.Options{}).Generate(t.Context(), req))
		if err != nil || got.Text == "" || len(got.ToolCalls) > 0 || got.Usage.Cached > got.Usage.Input {
			t.Errorf("after the result: %+v, %v, want text", got, err)
		}
		t.Log(got.Text)
	})

	t.Run("output", func(t *testing.T) {
		req := ask("Is Paris in France?", 40)
		req.Output = &llm.Output{Name: "answer", Schema: json.RawMessage(`{"type":"object","properties":{"answer":{"type":"string","enum":["yes","no"]}},"required":["answer"],"additionalProperties":false}`)}
		got, err := llm.Collect(open(openai.Options{}).Generate(t.Context(), req))
		var o struct{ Answer string }
		if err != nil || json.Unmarshal([]byte(got.Text), &o) != nil || o.Answer != "yes" && o.Answer != "no" {
			t.Errorf("%+v, %v, want yes or no in the form of the schema", got, err)
		}
		t.Log(got.Text)
	})

	t.Run("several at once, and one given up", func(t *testing.T) {
		for _, err := range open(openai.Options{}).Generate(t.Context(), ask("Tell a very long story of a boat.", 2000)) {
			if err != nil {
				t.Error(err)
			}
			break
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				got, err := llm.Collect(open(openai.Options{}).Generate(t.Context(), ask("What is the capital of Italy?", 8)))
				if err != nil || got.Text == "" {
					t.Errorf("%+v, %v, want text", got, err)
				}
			})
		}
		wg.Wait()
	})

	t.Run("refused", func(t *testing.T) {
		for kind, m := range map[llm.Kind]*openai.Model{llm.Auth: open(openai.Options{APIKey: "another-key"}), llm.TooLarge: open(openai.Options{})} {
			_, err := llm.Collect(m.Generate(t.Context(), ask(strings.Repeat("boat and harbour ", 2000), 8)))
			if failed, ok := errors.AsType[*llm.Error](err); !ok || failed.Kind != kind {
				t.Errorf("%v, want kind %s", err, kind)
			}
		}
	})
}
