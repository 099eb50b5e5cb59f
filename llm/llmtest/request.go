package llmtest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/answerdesk-go/answerdesk/llm"
)

// CheckRequest returns an [llm.Error] of kind [llm.BadRequest] if a provider would
// refuse a request: there is no message; a call has no result in the message
// after it, or a result no call; arguments or schemas are no JSON objects; names
// are not as llm.ToolSpec says, or stand twice.
func CheckRequest(req llm.Request) error {
	if len(req.Messages) == 0 {
		return refuse("there is no message")
	}
	tools := map[string]bool{}
	for _, t := range req.Tools {
		switch {
		case !isName(t.Name):
			return refuse("a tool's name has %d bytes or others than letters, digits, _ and -", len(t.Name))
		case tools[t.Name]:
			return refuse("tool %s stands twice", t.Name)
		case t.Parameters != nil && !isObject(t.Parameters):
			return refuse("the parameters of tool %s are no JSON object", t.Name)
		}
		tools[t.Name] = true
	}
	switch c := req.ToolChoice; {
	case c == llm.ToolRequired && len(tools) == 0:
		return refuse("a call is required, and there is no tool")
	case c != llm.ToolAuto && c != llm.ToolNone && c != llm.ToolRequired && !tools[string(c)]:
		return refuse("the tool that must be called is not among the tools")
	}
	if o := req.Output; o != nil && (!isName(o.Name) || !isObject(o.Schema)) {
		return refuse("the output has no proper name or no schema")
	}
	var open []llm.ToolCall
	for i, m := range req.Messages {
		if len(m.Results) != len(open) {
			return refuse("message %d has %d results for %d calls", i, len(m.Results), len(open))
		}
		for j, r := range m.Results {
			if r.CallID != open[j].ID || r.Name != open[j].Name {
				return refuse("result %d of message %d is not that of call %d", j, i, j)
			}
		}
		open = m.ToolCalls
		switch {
		case m.Role != llm.User && m.Role != llm.Assistant && m.Role != llm.Tool:
			return refuse("message %d has no role", i)
		case m.Role == llm.Tool && (len(m.Results) == 0 || m.Text != ""), m.Role != llm.Tool && len(m.Results) > 0:
			return refuse("message %d: results, and nothing else, stand in a message of role tool", i)
		case m.Role != llm.Assistant && len(m.ToolCalls) > 0:
			return refuse("message %d: only an assistant calls tools", i)
		case m.Role == llm.User && m.Text == "":
			return refuse("message %d is empty", i)
		}
		for _, c := range m.ToolCalls {
			if c.ID == "" || c.Name == "" || !isObject(c.Arguments) {
				return refuse("message %d has a call without id, name or arguments", i)
			}
		}
	}
	if len(open) > 0 {
		return refuse("the last message has %d calls without results", len(open))
	}
	return nil
}

func refuse(format string, args ...any) error {
	return &llm.Error{Provider: "llmtest", Kind: llm.BadRequest, Detail: fmt.Sprintf(format, args...)}
}

func isName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
}

func isObject(raw json.RawMessage) bool {
	var o map[string]json.RawMessage
	return json.Unmarshal(raw, &o) == nil && o != nil
}
