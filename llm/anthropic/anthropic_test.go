package anthropic_test

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
	"github.com/answerdesk-go/answerdesk/llm/anthropic"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

var _ = flag.Bool("update", false, "write the sections request and want of testdata/*.txtar anew")

func TestModel(t *testing.T) {
	llmtest.TestModel(t, "testdata", func(c *http.Client) (llm.Model, error) {
		return anthropic.New(anthropic.Options{APIKey: llmtest.Key, Model: "claude-haiku-4-5", Client: c})
	})
}

// A server answers in memory, and keeps what it was sent.
type server struct {
	status int
	header http.Header
	body   io.Reader

	got  *http.Request
	sent []byte
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.got, s.sent = r, sent
	h := s.header
	if h == nil {
		h = http.Header{"Content-Type": {"text/event-stream; charset=utf-8"}}
	}
	return &http.Response{StatusCode: max(s.status, 200), Header: h, Request: r, Body: io.NopCloser(s.body)}, nil
}

func model(t testing.TB, s *server, o anthropic.Options) *anthropic.Model {
	t.Helper()
	o.Client = &http.Client{Transport: s}
	if o.Model == "" {
		o.Model = "claude-haiku-5-5"
	}
	m, err := anthropic.New(o)
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
			u := ev.Usage
			fmt.Fprintf(&b, "<%s %s %d %d %d %d %d %v>", ev.Reason, ev.Model, u.Input, u.Cached, u.CacheNew, u.Output, u.Reasoning, u.Estimated)
		}
		if err != nil {
			fmt.Fprintf(&b, "<%v>", err)
		}
	}
	return b.String()
}

var question = llm.Request{
	Instructions: "You answer for a shop.",
	Messages:     []llm.Message{{Role: llm.User, Text: "When do you open?"}},
}

// Errors within a stream, and streams that are none.
func TestErrors(t *testing.T) {
	for data, want := range map[string]string{
		"{}": "anthropic: network: the answer broke off",
		`[`:  "anthropic: malformed: an event is not the JSON of one",
		`{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"1","name":"x"}}` + "\n\n" + `data: {"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"[1]"}}` + "\n\n" + `data: {"type":"message_stop"}`: "anthropic: malformed: the arguments of a call are no JSON object",
		`{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"1"}}` + "\n\n" + `data: {"type":"message_stop"}`:                                                                                                                                 "anthropic: malformed: a call has no name",
		`{"type":"error","error":{"type":"authentication_error","message":"sk-ant-secret"}}`:                                                                                                                                                                               "anthropic: auth, code authentication_error",
		`{"type":"error","error":{"type":"rate_limit_error"}}`:                                     "anthropic: rate_limit, code rate_limit_error",
		`{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long"}}`: "anthropic: too_large, code invalid_request_error",
		`{"type":"error"}`: "anthropic: server, code error",
	} {
		_, err := llm.Collect(model(t, &server{body: strings.NewReader("data: " + data + "\n\n")}, anthropic.Options{}).Generate(t.Context(), question))
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", data, err, want)
		}
	}
}

// A call without an id, or with that of another, gets one; what it does not know it
// passes over.
func TestOtherServers(t *testing.T) {
	stream := `
data: {"type":"something_new","index":"7 of 9"}

data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"x","input":{"whole":true}}}

data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"a","name":"y","input":null}}

data: {"type":"content_block_start","index":2,"content_block":{"type":"server_tool_use","id":"s","name":"web_search","input":{}}}

data: {"type":"content_block_start","index":3,"content_block":{"type":"text","text":"So."}}

data: {"type":"content_block_delta","index":9,"delta":{"type":"input_json_delta","partial_json":"{"}}

data: {"type":"content_block_delta","index":3,"delta":{"type":"citations_delta","citation":{"type":"page_location"}}}

data: {"type":"message_delta","delta":{"stop_reason":"something_new"},"usage":{"output_tokens":-3,"input_tokens":4}}

data: {"type":"message_stop"}

data: {"type":"error"}

`
	stream = strings.Replace(stream, `"index":"7 of 9"`, `"at":"7 of 9"`, 1)
	m := model(t, &server{body: strings.NewReader(stream)}, anthropic.Options{Model: "mine"})
	if got, want := heard(m.Generate(t.Context(), question)), `|So.<a x {"whole":true}><call_1 y {}><tool_calls anthropic:mine 4 0 0 0 0 false>`; got != want {
		t.Errorf("heard\n%s, want\n%s", got, want)
	}
}

// The thoughts before a call come back with it, as they were.
func TestThoughts(t *testing.T) {
	r, err := llm.Collect(model(t, &server{body: bytes.NewReader(recorded(t, "both-thinking"))}, anthropic.Options{}).Generate(t.Context(), question))
	if err != nil || len(r.ToolCalls) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	s := &server{body: bytes.NewReader(recorded(t, "text"))}
	_, err = llm.Collect(model(t, s, anthropic.Options{}).Generate(t.Context(), llm.Request{Messages: []llm.Message{
		question.Messages[0],
		{Role: llm.Assistant, Text: r.Text, ToolCalls: r.ToolCalls},
		{Role: llm.Tool, Results: []llm.ToolResult{{CallID: r.ToolCalls[0].ID, Name: r.ToolCalls[0].Name}}},
	}}))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"role":"assistant","content":[` +
		`{"type":"thinking","thinking":"They ask for Sunday.","signature":"EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds"},` +
		`{"type":"redacted_thinking","data":"EmwKAhgBEgy3va3pzix"},{"type":"text","text":"One moment."},` +
		`{"type":"tool_use","id":"toolu_01Kz","name":"opening_hours","input":{"day":"Sunday"}}]},` +
		`{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_01Kz"}]}`
	if !strings.Contains(string(s.sent), want) {
		t.Errorf("sent %s, want %s in it", s.sent, want)
	}
}

func TestTemperature(t *testing.T) {
	for _, c := range []struct {
		model  string
		always bool
		want   string
	}{
		{"claude-haiku-4-5-20251001", false, `"temperature":0.2`},
		{"anthropic/claude-opus-4-6", false, `"temperature":0.2`},
		{"claude-opus-4-20250514", false, `"temperature":0.2`},
		{"claude-opus-4-7", false, ""},
		{"claude-opus-5", false, ""},
		{"mine", false, ""},
		{"mine", true, `"temperature":0.2`},
	} {
		s := &server{body: bytes.NewReader(recorded(t, "text"))}
		m := model(t, s, anthropic.Options{Model: c.model, Temperature: c.always})
		if _, err := llm.Collect(m.Generate(t.Context(), llm.Request{Messages: question.Messages, Temperature: new(0.2)})); err != nil {
			t.Fatal(err)
		}
		if sent := string(s.sent); !strings.Contains(sent, c.want) || c.want == "" && strings.Contains(sent, "temperature") {
			t.Errorf("%s is sent %s, want %q", c.model, sent, c.want)
		}
	}
}

func TestRefusesOptions(t *testing.T) {
	for name, o := range map[string]anthropic.Options{
		"no model":     {},
		"a key":        {Model: "m", APIKey: "two words"},
		"a base URL":   {Model: "m", BaseURL: "https://user:pw@example.com"},
		"max tokens":   {Model: "m", MaxTokens: -1},
		"a time limit": {Model: "m", Timeout: -1},
		"extra fields": {Model: "m", Extra: map[string]any{"pw": make(chan int)}},
	} {
		if m, err := anthropic.New(o); err == nil || m != nil || strings.Contains(err.Error(), "pw") || strings.Contains(err.Error(), "two words") {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
	m, err := anthropic.New(anthropic.Options{Model: "m", APIKey: "sk-ant-secret"})
	if err != nil {
		t.Fatal(err)
	}
	if printed := fmt.Sprintf("%+v %#v", m, m); strings.Contains(printed, "sk-ant-secret") {
		t.Errorf("a model prints its key: %s", printed)
	}
	for name, req := range map[string]llm.Request{
		"no message":     {},
		"empty messages": {Messages: []llm.Message{{Role: llm.User, Text: " "}}},
		"a schema":       {Messages: question.Messages, Output: &llm.Output{Name: "x", Schema: json.RawMessage(`[]`)}},
		"a deep schema":  {Messages: question.Messages, Output: &llm.Output{Name: "x", Schema: json.RawMessage(strings.Repeat(`{"items":`, 99) + "{}" + strings.Repeat("}", 99))}},
	} {
		s := &server{body: strings.NewReader("")}
		_, err := llm.Collect(model(t, s, anthropic.Options{}).Generate(t.Context(), req))
		if failed, ok := errors.AsType[*llm.Error](err); !ok || failed.Kind != llm.BadRequest || s.got != nil {
			t.Errorf("%s: %v, sent %v", name, err, s.got != nil)
		}
	}
}

func TestExtra(t *testing.T) {
	s := &server{body: bytes.NewReader(recorded(t, "text"))}
	m := model(t, s, anthropic.Options{Extra: map[string]any{
		"thinking": map[string]any{"type": "adaptive"}, "output_config": map[string]any{"effort": "low"}, "stream": false,
	}})
	if _, err := llm.Collect(m.Generate(t.Context(), llm.Request{Messages: question.Messages, Output: &llm.Output{Name: "x", Schema: json.RawMessage(`{"type":"string"}`)}})); err != nil {
		t.Fatal(err)
	}
	if got, want := string(s.sent), `{"max_tokens":8192,"messages":[{"role":"user","content":[{"type":"text","text":"When do you open?"}]}],"model":"claude-haiku-5-5",`+
		`"output_config":{"effort":"low","format":{"type":"json_schema","schema":{"type":"string"}}},"stream":true,"thinking":{"type":"adaptive"}}`; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
}

func TestBaseURL(t *testing.T) {
	for _, base := range []string{"http://127.0.0.1:4000", "http://127.0.0.1:4000/", "http://127.0.0.1:4000/v1", "http://127.0.0.1:4000/v1/"} {
		s := &server{body: bytes.NewReader(recorded(t, "text"))}
		if _, err := llm.Collect(model(t, s, anthropic.Options{BaseURL: base}).Generate(t.Context(), question)); err != nil || s.got.URL.String() != "http://127.0.0.1:4000/v1/messages" {
			t.Errorf("with base %s: %v, %v", base, s.got.URL, err)
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
		m := model(t, &server{body: bytes.NewReader(stream)}, anthropic.Options{})
		ended := false
		for ev, err := range m.Generate(t.Context(), question) {
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
				if u := ev.Usage; u.Input < u.Cached+u.CacheNew || u.Output < u.Reasoning || min(u.Cached, u.CacheNew, u.Reasoning) < 0 {
					t.Fatalf("usage that does not add up: %+v", u)
				}
			}
		}
		if !ended {
			t.Fatal("neither Done nor an error")
		}
	})
}
