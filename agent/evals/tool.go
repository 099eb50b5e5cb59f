package evals

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/agent"
)

// A tool is one that a file declares, with what comes of calling it.
type tool struct {
	name        string
	description string
	parameters  json.RawMessage
	readOnly    bool
	results     []scripted
}

// scripted is what a tool gives when it is called with some arguments at least.
type scripted struct {
	line      int
	arguments map[string]any // nil: any
	result    json.RawMessage
	failure   string // instead of a result
}

// anything is the schema of a tool that says nothing of its parameters.
const anything = `{"type":"object"}`

// tool reads a section of a tool: what it does, its parameters as a JSON Schema, and
// a line for each result, {"arguments": …} => {"result": …}.
func (r *reader) tool(name string, line int, data string) {
	t := tool{name: name, parameters: json.RawMessage(anything)}
	var about []string
	lines := strings.Split(strings.TrimSuffix(data, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		at, text := line+i, strings.TrimSpace(lines[i])
		schema, isSchema := strings.CutPrefix(text, "parameters:")
		given, result, isResult := strings.Cut(text, "=>")
		switch {
		case text == "" || strings.HasPrefix(text, "#"):
		case text == "read only":
			t.readOnly = true
		case isSchema:
			for !json.Valid([]byte(schema)) && i+1 < len(lines) {
				i++
				schema += "\n" + lines[i]
			}
			var object map[string]any
			if err := json.Unmarshal([]byte(schema), &object); err != nil {
				r.fault(at, "parameters: must be a JSON Schema of an object: %v", err)
			}
			t.parameters = json.RawMessage(strings.TrimSpace(schema))
		case isResult:
			s := scripted{line: at}
			if given = strings.TrimSpace(given); given != "" {
				if err := json.Unmarshal([]byte(given), &s.arguments); err != nil || s.arguments == nil {
					r.fault(at, "what stands before => must be a JSON object of arguments, or nothing for any")
				}
			}
			result = strings.TrimSpace(result)
			if failure, failed := strings.CutPrefix(result, "error:"); failed {
				s.failure = strings.TrimSpace(failure)
			} else if !json.Valid([]byte(result)) {
				r.fault(at, "what stands behind => must be JSON, or error: and why")
			}
			s.result = json.RawMessage(result)
			t.results = append(t.results, s)
		default:
			about = append(about, text)
		}
	}
	if t.description = strings.Join(about, " "); t.description == "" {
		r.fault(line-1, "say what tool %q does, for the model to know", name)
	}
	if len(t.results) == 0 {
		r.fault(line-1, "tool %q gives nothing: say what it does with a line such as {\"number\": \"4711\"} => {\"state\": \"sent\"}", name)
	}
	r.file.tools = append(r.file.tools, t)
}

// result is what a call gives; false: the file does not say.
func (t tool) result(arguments json.RawMessage) (scripted, bool) {
	for _, s := range t.results {
		if within(s.arguments, arguments) {
			return s, true
		}
	}
	return scripted{}, false
}

// serve gives a call that waits what the file says: a yes or a no, or its result.
func (f File) serve(ctx context.Context, desk Desk, t turn, c agent.ToolCall, fail func(int, string, ...any)) error {
	var err error
	conversations := desk.Conversations()
	switch c.State {
	case agent.CallAwaitingApproval:
		approved, ok := t.decided[c.Name]
		if !ok {
			fail(t.line, "%s: a call of %s waits to be approved: say approves: %s, or rejects: %s", shown(t.text), c.Name, c.Name, c.Name)
		}
		if approved {
			_, err = conversations.Approve(ctx, c.ID)
		} else {
			_, err = conversations.Reject(ctx, c.ID)
		}
	case agent.CallAwaitingResult:
		given, failed := json.RawMessage(nil), true
		i := slices.IndexFunc(f.tools, func(t tool) bool { return t.name == c.Name })
		if i >= 0 {
			s, ok := f.tools[i].result(c.Arguments)
			given, failed = s.result, s.failure != ""
			if failed {
				given, err = json.Marshal(s.failure)
			}
			if !ok {
				i = -1
			}
		}
		if i < 0 {
			fail(t.line, "%s: the file has no result for %s %s", shown(t.text), c.Name, compact(c.Arguments))
			given, failed = json.RawMessage(`"the call has no result"`), true
		}
		if err == nil {
			_, err = conversations.Answer(ctx, c.ID, given, failed)
		}
	}
	if err != nil && !errors.Is(err, ctx.Err()) {
		return fmt.Errorf("call %s of %s: %w", c.ID, c.Name, err)
	}
	return err
}
