package gemini_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/gemini"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

var _ = flag.Bool("update", false, "write the sections request and want of testdata/*.txtar anew")

func TestModel(t *testing.T) {
	llmtest.TestModel(t, "testdata", func(c *http.Client) (llm.Model, error) {
		return gemini.New(gemini.Options{APIKey: llmtest.Key, Model: "gemini-3-flash", Client: c})
	})
}

// A server answers in memory, and keeps what it was sent.
type server struct {
	body string
	got  *http.Request
	sent []byte
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.got, s.sent = r, sent
	h := http.Header{"Content-Type": {"text/event-stream"}}
	return &http.Response{StatusCode: 200, Header: h, Request: r, Body: io.NopCloser(strings.NewReader(s.body))}, nil
}

func model(t testing.TB, s *server, o gemini.Options) *gemini.Model {
	t.Helper()
	o.Client = &http.Client{Transport: s}
	if o.Model == "" {
		o.Model = "gemini-2.5-flash"
	}
	m, err := gemini.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// recorded returns the answer of a recording.
func recorded(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(b).Files {
		if f.Name == "answer" {
			_, body, _ := bytes.Cut(f.Data, []byte("\n\n"))
			return body
		}
	}
	t.Fatalf("%s has no answer", name)
	return nil
}

// heard writes an answer down in one line.
func heard(answer iter.Seq2[llm.Event, error]) string {
	var b strings.Builder
	for ev, err := range answer {
		switch ev := ev.(type) {
		case llm.TextDelta:
			b.WriteString("|" + ev.Text)
		case llm.ToolCall:
			fmt.Fprintf(&b, "<%s %s %s>", ev.ID, ev.Name, ev.Arguments)
		case llm.Done:
			fmt.Fprintf(&b, "<%s %s %d>", ev.Reason, ev.Model, ev.Usage.Output)
		}
		if err != nil {
			fmt.Fprintf(&b, "<%v>", err)
		}
	}
	return b.String()
}

var question = llm.Request{Messages: []llm.Message{{Role: llm.User, Text: "When do you open?"}}}

// What no recording has: streams that are none, errors within them, and what other
// servers may send.
func TestStreams(t *testing.T) {
	call := func(s string) string {
		return `{"candidates":[{"content":{"parts":[{"functionCall":` + s + `}]},"finishReason":"STOP"}],"usageMetadata":{"candidatesTokenCount":7}}`
	}
	for data, want := range map[string]string{
		`{}`: "<gemini: network: the answer broke off>",
		`[`:  "<gemini: malformed: an event is not the JSON of one>",
		`{"error":{"code":429,"message":"no","status":"RESOURCE_EXHAUSTED"}}`:                                              "<gemini: rate_limit, code RESOURCE_EXHAUSTED>",
		`{"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}`:       "<gemini: auth, code API_KEY_INVALID>",
		`{"error":null,"candidates":[{"content":{"parts":[{"text":"So."}]},"finishReason":"NEW"}],"modelVersion":"other"}`: "|So.<stop gemini:other 1>",
		call(`{"name":"x","args":[]}`):                             "<gemini: malformed: the arguments of a call are no JSON object>",
		call(`{"args":{}}`):                                        "<gemini: malformed: a call has no name>",
		call(`{"name":"x","args":null}`):                           "<call_0 x {}><tool_calls gemini:gemini-2.5-flash 7>",
		`{"candidates":[{"finishReason":"UNEXPECTED_TOOL_CALL"}]}`: "<gemini: malformed: the model ended with UNEXPECTED_TOOL_CALL>",
		`{"candidates":[{"index":1,"content":{"parts":[{"text":"no"}]}},{"content":{"parts":[{"text":"yes"}]},"finishReason":"STOP"}],"usageMetadata":null}`: "|yes<stop gemini:gemini-2.5-flash 1>",
		`{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":-4,"cachedContentTokenCount":9,"candidatesTokenCount":2}}`:              "<stop gemini:gemini-2.5-flash 2>",
	} {
		if got := heard(model(t, &server{body: "data: " + data + "\r\n\r\n"}, gemini.Options{}).Generate(t.Context(), question)); got != want {
			t.Errorf("%s: heard %s, want %s", data, got, want)
		}
	}
}

func TestWhereTo(t *testing.T) {
	for model, want := range map[string]string{
		"gemini-2.5-flash":        "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
		"models/gemini-2.5-flash": "/v1beta/models/gemini-2.5-flash:streamGenerateContent",
		"tunedModels/my shop?":    "/v1beta/tunedModels/my%20shop%3F:streamGenerateContent",
	} {
		s := &server{body: string(recorded(t, "text"))}
		m, err := gemini.New(gemini.Options{APIKey: "AIza-secret", Model: model, Client: &http.Client{Transport: s}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := llm.Collect(m.Generate(t.Context(), question)); err != nil {
			t.Fatal(err)
		}
		if u := s.got.URL; u.EscapedPath() != want || u.RawQuery != "alt=sse" || u.Host != "generativelanguage.googleapis.com" || s.got.Header.Get("X-Goog-Api-Key") != "AIza-secret" {
			t.Errorf("%s is asked at %s with %v", model, u, s.got.Header)
		}
	}
}

func TestOptions(t *testing.T) {
	s := &server{body: string(recorded(t, "text"))}
	m := model(t, s, gemini.Options{MaxTokens: 500, Extra: map[string]any{
		"safetySettings":   []any{},
		"contents":         "not these",
		"generationConfig": map[string]any{"maxOutputTokens": 7, "thinkingConfig": map[string]any{"thinkingLevel": "low"}},
	}})
	if _, err := llm.Collect(m.Generate(t.Context(), question)); err != nil {
		t.Fatal(err)
	}
	if got, want := string(s.sent), `{"contents":[{"role":"user","parts":[{"text":"When do you open?"}]}],"generationConfig":{"maxOutputTokens":500,"thinkingConfig":{"thinkingLevel":"low"}},"safetySettings":[]}`; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
	for name, o := range map[string]gemini.Options{
		"no model":     {},
		"a key":        {Model: "m", APIKey: "two words"},
		"a base URL":   {Model: "m", BaseURL: "https://user:pw@example.com"},
		"max tokens":   {Model: "m", MaxTokens: -1},
		"a time limit": {Model: "m", Timeout: -1},
		"extra fields": {Model: "m", Extra: map[string]any{"pw": make(chan int)}},
	} {
		if m, err := gemini.New(o); err == nil || m != nil || strings.Contains(err.Error(), "pw") || strings.Contains(err.Error(), "two words") {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
	m, err := gemini.New(gemini.Options{Model: "m", APIKey: "AIza-secret"})
	if err != nil {
		t.Fatal(err)
	}
	if printed := fmt.Sprintf("%+v %#v", m, m); strings.Contains(printed, "AIza-secret") {
		t.Errorf("a model prints its key: %s", printed)
	}
	deep := json.RawMessage(strings.Repeat(`{"items":`, 99) + "{}" + strings.Repeat("}", 99))
	for name, req := range map[string]llm.Request{
		"no message":     {},
		"empty messages": {Messages: []llm.Message{{Role: llm.User, Text: " "}}},
		"an output":      {Messages: question.Messages, Output: &llm.Output{Name: "x", Schema: json.RawMessage(`[]`)}},
		"a tool":         {Messages: question.Messages, Tools: []llm.ToolSpec{{Name: "x", Parameters: deep}}},
	} {
		s := &server{}
		_, err := llm.Collect(model(t, s, gemini.Options{}).Generate(t.Context(), req))
		if failed, ok := errors.AsType[*llm.Error](err); !ok || failed.Kind != llm.BadRequest || s.got != nil {
			t.Errorf("%s: %v, sent %v", name, err, s.got != nil)
		}
	}
}

// The signature of a call goes back with it, and only models that want one are told
// that another model made a call.
func TestSignatures(t *testing.T) {
	r, err := llm.Collect(model(t, &server{body: string(recorded(t, "calls"))}, gemini.Options{}).Generate(t.Context(), question))
	if err != nil || len(r.ToolCalls) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	foreign := llm.ToolCall{ID: "toolu_1", Name: "opening_hours", Arguments: json.RawMessage(`{}`), Signature: "[]"}
	for _, c := range []struct {
		model string
		calls []llm.ToolCall
		want  string
	}{
		{"gemini-2.5-flash", r.ToolCalls, `{"functionCall":{"name":"opening_hours","args":{"day":"Sunday"}},"thoughtSignature":"CiQBjz1rX0ilumvPg6k0sMMUtISoQCLJv2bPJ7Vv9r+Xw0o="},{"functionCall":{"name":"list_shops","args":{}}}]`},
		{"gemini-3-flash", r.ToolCalls, `"thoughtSignature":"CiQBjz1rX0ilumvPg6k0sMMUtISoQCLJv2bPJ7Vv9r+Xw0o="},{"functionCall":{"name":"list_shops","args":{}}}]`},
		{"gemini-2.5-flash", []llm.ToolCall{foreign}, `{"functionCall":{"id":"toolu_1","name":"opening_hours","args":{}}}]`},
		{"gemini-3-flash", []llm.ToolCall{foreign}, `"args":{}},"thoughtSignature":"skip_thought_signature_validator"}]`},
	} {
		var results []llm.ToolResult
		for _, call := range c.calls {
			results = append(results, llm.ToolResult{CallID: call.ID, Name: call.Name, Content: "closed"})
		}
		s := &server{body: string(recorded(t, "text"))}
		if _, err := llm.Collect(model(t, s, gemini.Options{Model: c.model}).Generate(t.Context(), llm.Request{Messages: []llm.Message{
			question.Messages[0], {Role: llm.Assistant, ToolCalls: c.calls}, {Role: llm.Tool, Results: results},
		}})); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(s.sent), c.want) {
			t.Errorf("%s is sent %s, want %s in it", c.model, s.sent, c.want)
		}
	}
}

func FuzzStream(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		f.Add(recorded(f, strings.TrimSuffix(filepath.Base(name), ".txtar")))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		ended := false
		for ev, err := range model(t, &server{body: string(stream)}, gemini.Options{}).Generate(t.Context(), question) {
			if ended {
				t.Fatalf("%v, %v after the end", ev, err)
			}
			switch ev := ev.(type) {
			case nil:
				ended = true
				if _, ok := errors.AsType[*llm.Error](err); !ok {
					t.Fatalf("an error of another kind: %v", err)
				}
			case llm.TextDelta:
				if ev.Text == "" {
					t.Fatal("an empty delta")
				}
			case llm.ToolCall:
				var args map[string]any
				if ev.ID == "" || ev.Name == "" || json.Unmarshal(ev.Arguments, &args) != nil || args == nil {
					t.Fatalf("a call that is not complete: %+v", ev)
				}
			case llm.Done:
				ended = true
				if u := ev.Usage; u.Input < u.Cached || u.Output < u.Reasoning || min(u.Cached, u.Reasoning) < 0 {
					t.Fatalf("usage that does not add up: %+v", u)
				}
			}
		}
		if !ended {
			t.Fatal("neither Done nor an error")
		}
	})
}
