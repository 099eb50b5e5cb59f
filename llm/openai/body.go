package openai

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/llm"
)

// The parts of a request to /chat/completions that this package sends, as in
// OpenAI's reference of the API.
type (
	message struct {
		Role    string         `json:"role"`
		Content *string        `json:"content,omitempty"`
		Calls   []functionCall `json:"tool_calls,omitempty"`
		CallID  string         `json:"tool_call_id,omitempty"`
	}
	functionCall struct {
		ID       string          `json:"id"`
		Type     string          `json:"type"`
		Function calledFunction  `json:"function"`
		Extra    json.RawMessage `json:"extra_content,omitempty"` // of Gemini
	}
	calledFunction struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	}
	tool struct {
		Type     string   `json:"type"`
		Function function `json:"function"`
	}
	function struct {
		Name        string          `json:"name"`
		Description string          `json:"description,omitempty"`
		Parameters  json.RawMessage `json:"parameters"`
	}
)

// body is what a request is sent as.
func (m *Model) body(req llm.Request) map[string]any {
	b := maps.Clone(m.o.Extra)
	if b == nil {
		b = map[string]any{}
	}
	b["model"] = m.api.Model()
	b["messages"] = messages(req)
	b["stream"] = true
	if !m.o.NoStreamOptions {
		b["stream_options"] = map[string]any{"include_usage": true}
	}
	if req.MaxTokens > 0 {
		b[m.o.MaxTokensField] = req.MaxTokens
	} else if m.o.MaxTokens > 0 {
		b[m.o.MaxTokensField] = m.o.MaxTokens
	}
	if req.Temperature != nil {
		b["temperature"] = *req.Temperature
	}
	if len(req.Tools) > 0 {
		b["tools"] = tools(req.Tools)
		switch c := req.ToolChoice; c {
		case llm.ToolAuto: // is the default
		case llm.ToolNone, llm.ToolRequired:
			b["tool_choice"] = strings.TrimPrefix(string(c), "-")
		default:
			b["tool_choice"] = map[string]any{"type": "function", "function": map[string]any{"name": c}}
		}
	}
	if o := req.Output; o != nil {
		b["response_format"] = map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": o.Name, "schema": o.Schema, "strict": strict(o.Schema)}}
	}
	return b
}

func messages(req llm.Request) (all []message) {
	if req.Instructions != "" {
		all = append(all, message{Role: "system", Content: &req.Instructions})
	}
	for _, m := range req.Messages {
		if m.Role == llm.Tool {
			for _, r := range m.Results {
				all = append(all, message{Role: "tool", Content: &r.Content, CallID: r.CallID})
			}
			continue
		}
		sent := message{Role: string(m.Role)}
		if m.Text != "" || len(m.ToolCalls) == 0 {
			sent.Content = &m.Text
		}
		for _, c := range m.ToolCalls {
			call := functionCall{ID: c.ID, Type: "function", Function: calledFunction{c.Name, string(c.Arguments)}}
			if strings.HasPrefix(c.Signature, "{") && json.Valid([]byte(c.Signature)) { // else it is another provider's
				call.Extra = json.RawMessage(c.Signature)
			}
			sent.Calls = append(sent.Calls, call)
		}
		all = append(all, sent)
	}
	return all
}

func tools(specs []llm.ToolSpec) (all []tool) {
	for _, t := range specs {
		if t.Parameters == nil {
			t.Parameters = json.RawMessage(`{"type":"object","properties":{}}`)
		}
		all = append(all, tool{"function", function{t.Name, t.Description, t.Parameters}})
	}
	return all
}

// strict reports whether OpenAI takes a schema as strict: every object in it
// requires all its properties and allows no others. Of keywords that it does not
// know there it says itself what it thinks.
func strict(schema json.RawMessage) bool {
	var v any
	return json.Unmarshal(schema, &v) == nil && strictly(v)
}

func strictly(v any) bool {
	switch v := v.(type) {
	case []any:
		return !slices.ContainsFunc(v, func(e any) bool { return !strictly(e) })
	case map[string]any:
		properties, object := v["properties"].(map[string]any)
		if object || v["type"] == "object" {
			required, _ := v["required"].([]any)
			for name := range properties {
				if !slices.Contains(required, any(name)) {
					return false
				}
			}
			if v["additionalProperties"] != false {
				return false
			}
		}
		for _, e := range v {
			if !strictly(e) {
				return false
			}
		}
	}
	return true
}
