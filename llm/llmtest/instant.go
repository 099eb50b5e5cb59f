package llmtest

import (
	"context"
	"iter"

	"github.com/answerdesk-go/answerdesk/llm"
)

// Instant is a model that always answers the same, at once, and does next to
// nothing for it: for benchmarks of what is around a model.
type Instant struct {
	// Text is the answer.
	Text string

	// Call, if it is not nil, is what it asks for first: until the last message of
	// the request has the results of tools.
	Call *llm.ToolCall
}

var _ llm.Model = (*Instant)(nil)

// Generate yields the answer.
func (m *Instant) Generate(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(nil, ended(err))
			return
		}
		done := llm.Done{Reason: llm.FinishStop, Model: "llmtest:instant", Usage: llm.Usage{Input: 100, Output: 10}}
		if n := len(req.Messages); m.Call != nil && n > 0 && req.Messages[n-1].Role != llm.Tool {
			done.Reason = llm.FinishTools
			if !yield(*m.Call, nil) {
				return
			}
		} else if m.Text != "" && !yield(llm.TextDelta{Text: m.Text}, nil) {
			return
		}
		yield(done, nil)
	}
}
