package openai_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/tools/txtar"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
	"github.com/answerdesk-go/answerdesk/llm/openai"
)

var _ = flag.Bool("update", false, "write what is sent and read into the recordings")

func TestModel(t *testing.T) {
	llmtest.TestModel(t, "testdata/chat", func(c *http.Client) (llm.Model, error) {
		return openai.New(openai.Options{APIKey: llmtest.Key, Model: "gpt-5-mini", Client: c})
	})
}

// A chat answers requests with one stream, and keeps what it was asked.
type chat struct {
	stream  string
	request *http.Request
	sent    map[string]any
}

func (c *chat) RoundTrip(r *http.Request) (*http.Response, error) {
	c.request, c.sent = r, nil
	if err := json.NewDecoder(r.Body).Decode(&c.sent); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(c.stream)), Request: r}, nil
}

func ask(t testing.TB, o openai.Options, c *chat, req llm.Request) (llm.Response, error) {
	t.Helper()
	o.Client = &http.Client{Transport: c}
	if o.Model == "" {
		o.Model = "m"
	}
	m, err := openai.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if req.Messages == nil {
		req.Messages = []llm.Message{{Role: llm.User, Text: "words"}}
	}
	return llm.Collect(m.Generate(t.Context(), req))
}

const hello = "data: {\"choices\":[{\"delta\":{\"content\":\"Hello\"},\"finish_reason\":\"stop\"}]}\n\n"

// TestModelOptions holds what is sent because of options.
func TestModelOptions(t *testing.T) {
	for name, o := range map[string]openai.Options{
		"model":       {},
		"base URL":    {Model: "m", BaseURL: "https://user:secret@example.com"},
		"API key":     {Model: "m", APIKey: "secret\nsecret"},
		"key's":       {Model: "m", KeyHeader: "a: secret"},
		"limit":       {Model: "m", MaxTokens: -1},
		"most tokens": {Model: "m", MaxTokensField: "secret"},
		"extra":       {Model: "m", Extra: map[string]any{"secret": make(chan int)}},
	} {
		if _, err := openai.New(o); err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "secret") {
			t.Errorf("New(%s) = %v, want an error that says %q and no secret", name, err, name)
		}
	}
	m, err := openai.New(openai.Options{Model: "m", APIKey: "secret"})
	if s := fmt.Sprintf("%v %+v %#v", m, m, m); err != nil || strings.Contains(s, "secret") {
		t.Errorf("a model (%v) is printed with its key: %s", err, s)
	}

	for address, field := range map[string]string{
		"": "max_completion_tokens", "https://eu.api.openai.com/v1": "max_completion_tokens", "https://desk.openai.azure.com/openai/v1": "max_completion_tokens",
		"http://127.0.0.1:11434/v1": "max_tokens", "https://openai.com.example.com": "max_tokens",
	} {
		c := &chat{stream: hello}
		if _, err := ask(t, openai.Options{BaseURL: address, MaxTokens: 9}, c, llm.Request{}); err != nil || c.sent[field] != 9. {
			t.Errorf("%s: %v, sent %v, want %s", address, err, c.sent, field)
		}
	}
	c := &chat{stream: hello}
	_, err = ask(t, openai.Options{
		BaseURL: "http://gateway.example.com/v1/", APIKey: "secret", KeyHeader: "api-key", MaxTokens: 9, MaxTokensField: "max_completion_tokens",
		NoStreamOptions: true, Extra: map[string]any{"reasoning_effort": "low", "model": "another"},
	}, c, llm.Request{MaxTokens: 5, Temperature: new(0.)})
	if err != nil || c.request.URL.String() != "http://gateway.example.com/v1/chat/completions" || c.request.Header.Get("Api-Key") != "secret" || c.request.Header.Get("Authorization") != "" {
		t.Errorf("%v, sent to %s with %v", err, c.request.URL, c.request.Header)
	}
	if got := fmt.Sprint(c.sent); got != "map[max_completion_tokens:5 messages:[map[content:words role:user]] model:m reasoning_effort:low stream:true temperature:0]" {
		t.Errorf("sent %s", got)
	}
}

// TestStrict asks for a strict schema where OpenAI takes one.
func TestStrict(t *testing.T) {
	for schema, want := range map[string]bool{
		`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`:                                                                       true,
		`{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]}`:                                                                                                    false,
		`{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`:                                                                                        false,
		`{"type":"object","properties":{"a":{"type":"array","items":{"type":"object"}}},"required":["a"],"additionalProperties":false}`:                                              false,
		`{"type":"object","properties":{"a":{"$ref":"#/$defs/b"}},"required":["a"],"additionalProperties":false,"$defs":{"b":{"type":"object","properties":{"c":{"type":"null"}}}}}`: false,
	} {
		c := &chat{stream: hello}
		_, err := ask(t, openai.Options{}, c, llm.Request{Output: &llm.Output{Name: "a", Schema: json.RawMessage(schema)}})
		format, _ := c.sent["response_format"].(map[string]any)
		said, _ := format["json_schema"].(map[string]any)
		if err != nil || said["strict"] != want {
			t.Errorf("%s: %v, strict = %v, want %v", schema, err, said["strict"], want)
		}
	}
}

// TestSignature sends back what came with a call, unless it is another provider's.
func TestSignature(t *testing.T) {
	for signature, want := range map[string]string{`{"google":{"thought_signature":"CiQB"}}`: "map[google:map[thought_signature:CiQB]]", "EuYBCkQ=": "<nil>", "": "<nil>", "{": "<nil>"} {
		c := &chat{stream: hello}
		_, err := ask(t, openai.Options{}, c, llm.Request{Messages: []llm.Message{
			{Role: llm.User, Text: "words"},
			{Role: llm.Assistant, ToolCalls: []llm.ToolCall{{ID: "1", Name: "t", Arguments: json.RawMessage("{}"), Signature: signature}}},
			{Role: llm.Tool, Results: []llm.ToolResult{{CallID: "1", Name: "t", Content: "ok"}}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		asked := c.sent["messages"].([]any)[1].(map[string]any)
		if got := fmt.Sprint(asked["tool_calls"].([]any)[0].(map[string]any)["extra_content"]); got != want {
			t.Errorf("signature %s is sent as %s, want %s", signature, got, want)
		}
		if _, there := asked["content"]; there {
			t.Errorf("a message of calls alone is sent with content %v", asked["content"])
		}
	}
}

// TestMalformedAnswers reads what is not what was asked for.
func TestMalformedAnswers(t *testing.T) {
	end := "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\ndata: [DONE]\n\n"
	call := func(parts string) string {
		return "data: {\"choices\":[{\"delta\":{\"tool_calls\":[" + parts + "]}}]}\n\n"
	}
	for name, c := range map[string]struct {
		stream string
		kind   llm.Kind
		broken bool
	}{
		"nothing":              {"", llm.Network, true},
		"the last mark alone":  {"data: [DONE]\n\n", llm.Network, true},
		"no JSON":              {"data: <html>secret\n\n", llm.Malformed, false},
		"no chunks":            {"data: 7\n\ndata: []\n\ndata: {\"choices\":\"secret\"}\n\n", llm.Network, true},
		"half a call":          {call(`{"index":0,"id":"1","function":{"name":"t","arguments":"{\"a\":"}}`) + end, llm.Malformed, false},
		"two objects":          {call(`{"index":0,"id":"1","function":{"name":"t","arguments":"{}{}"}}`) + end, llm.Malformed, false},
		"a list":               {call(`{"index":0,"id":"1","function":{"name":"t","arguments":"[]"}}`) + end, llm.Malformed, false},
		"no name":              {call(`{"index":0,"id":"1","function":{"arguments":"{}"}}`) + end, llm.Malformed, false},
		"a long name":          {call(`{"index":0,"id":"1","function":{"name":"`+strings.Repeat("n", 300)+`"}}`) + end, llm.Malformed, false},
		"too many calls":       {call(strings.TrimSuffix(strings.Repeat(`{"function":{"name":"t","arguments":"{}"}},`, 200), ",")) + end, llm.Malformed, false},
		"an error of a string": {"data: {\"error\":\"secret\"}\n\n", llm.Server, false},
		"another's failure":    {"data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"insufficient_system_resource\"}]}\n\n", llm.Network, true},
	} {
		got, err := ask(t, openai.Options{}, &chat{stream: c.stream}, llm.Request{})
		e, ok := errors.AsType[*llm.Error](err)
		if !ok || e.Kind != c.kind || errors.Is(err, llm.ErrIncomplete) != c.broken || len(got.ToolCalls) > 0 || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, %v, want kind %s", name, got, err, c.kind)
		}
	}
	if _, err := ask(t, openai.Options{}, &chat{}, llm.Request{Messages: []llm.Message{}}); err == nil || !strings.Contains(err.Error(), "no message") {
		t.Errorf("a request without a message: %v", err)
	}
	odd := `data: {"model":7,"usage":{"prompt_tokens":-4,"completion_tokens":1e99,"prompt_tokens_details":null},"choices":[{"index":1,"delta":{"content":"no"}},{"delta":{"content":"yes"},"finish_reason":"eos"}]}` + "\n\n"
	got, err := ask(t, openai.Options{}, &chat{stream: odd}, llm.Request{})
	if err != nil || got.Text != "yes" || got.Usage.Input != 0 || got.Usage.Output != 1<<31-1 || got.Model != "openai:m" || got.Reason != llm.FinishStop {
		t.Errorf("odd fields: %+v, %v", got, err)
	}
}

// FuzzModel reads any stream: there is one end, and what is before it is whole.
func FuzzModel(f *testing.F) {
	files, err := filepath.Glob("testdata/chat/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		archive := txtar.Parse(b)
		i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "answer" })
		_, body, _ := strings.Cut(string(archive.Files[i].Data), "\n\n")
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, stream string) {
		m, err := openai.New(openai.Options{Model: "m", MaxAnswerBytes: 64 << 10, Client: &http.Client{Transport: &chat{stream: stream}}})
		if err != nil {
			t.Fatal(err)
		}
		ended := 0
		ids := map[string]bool{}
		for ev, err := range m.Generate(t.Context(), llm.Request{Messages: []llm.Message{{Role: llm.User, Text: "words"}}}) {
			if ended > 0 {
				t.Fatalf("an event after the end: %v, %v", ev, err)
			}
			if err != nil {
				if _, ok := errors.AsType[*llm.Error](err); !ok {
					t.Fatalf("%v, want an llm.Error", err)
				}
				ended++
				continue
			}
			switch ev := ev.(type) {
			case llm.TextDelta:
				if ev.Text == "" || !utf8.ValidString(ev.Text) {
					t.Fatalf("delta %q", ev.Text)
				}
			case llm.ToolCall:
				var o map[string]any
				if json.Unmarshal(ev.Arguments, &o) != nil || o == nil || ev.ID == "" || ids[ev.ID] || ev.Name == "" {
					t.Fatalf("call %+v", ev)
				}
				ids[ev.ID] = true
			case llm.Done:
				if u := ev.Usage; u.Cached > u.Input || u.Reasoning > u.Output || min(u.Input, u.Output, u.Cached, u.Reasoning, u.CacheNew) < 0 {
					t.Fatalf("usage %+v", u)
				}
				ended++
			}
		}
		if ended != 1 {
			t.Fatalf("%d ends", ended)
		}
	})
}
