package llm

import (
	"errors"
	"iter"
	"strings"
)

// ErrIncomplete is wrapped by the error of an answer that broke off before its end.
var ErrIncomplete = errors.New("the answer broke off")

// A Response is a whole answer.
type Response struct {
	Text      string
	ToolCalls []ToolCall
	Done
}

// Collect reads an answer to its end. With an error it returns what came before it.
func Collect(answer iter.Seq2[Event, error]) (Response, error) {
	var (
		r    Response
		text strings.Builder
		done bool
	)
	for ev, err := range answer {
		if err != nil {
			r.Text = text.String()
			return r, err
		}
		switch ev := ev.(type) {
		case TextDelta:
			text.WriteString(ev.Text)
		case ToolCall:
			r.ToolCalls = append(r.ToolCalls, ev)
		case Reset:
			text.Reset()
			r.ToolCalls = nil
		case Done:
			r.Done, done = ev, true
		}
	}
	r.Text = text.String()
	if !done {
		return r, ErrIncomplete
	}
	return r, nil
}
