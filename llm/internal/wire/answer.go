package wire

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/answerdesk-go/answerdesk/llm"
)

// Arguments returns the arguments of a call as a JSON object; none, "" or null
// are {}. It reports false if they are anything else.
func Arguments(raw []byte) (json.RawMessage, bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return json.RawMessage("{}"), true
	}
	if raw[0] != '{' || !json.Valid(raw) {
		return nil, false
	}
	return bytes.Clone(raw), true
}

// CallIDs gives each call that has no id, or that of one before it, an id of ours.
func CallIDs(calls []llm.ToolCall) {
	taken := map[string]bool{}
	for i := range calls {
		for n := i; calls[i].ID == "" || taken[calls[i].ID]; n++ {
			calls[i].ID = fmt.Sprintf("call_%d", n)
		}
		taken[calls[i].ID] = true
	}
}

// Estimate guesses the usage of an answer that the provider did not count, of so
// many bytes.
func Estimate(req llm.Request, answer int) llm.Usage {
	n := len(req.Instructions)
	for _, m := range req.Messages {
		n += len(m.Text)
		for _, c := range m.ToolCalls {
			n += len(c.Name) + len(c.Arguments)
		}
		for _, r := range m.Results {
			n += len(r.Content)
		}
	}
	for _, t := range req.Tools {
		n += len(t.Name) + len(t.Description) + len(t.Parameters)
	}
	if req.Output != nil {
		n += len(req.Output.Schema)
	}
	return llm.Usage{Input: (n + 3) / 4, Output: (answer + 3) / 4, Estimated: true} // as llm.EstimateTokens
}
