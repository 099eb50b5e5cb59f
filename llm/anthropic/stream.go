package anthropic

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/internal/wire"
)

// An event is one of those of a stream; Type says which of the others it has.
type event struct {
	Type    string `json:"type"`
	Index   int    `json:"index"`
	Message struct {
		Model string `json:"model"`
		Usage usage  `json:"usage"`
	} `json:"message"`
	Block struct {
		Type      string          `json:"type"`
		Text      string          `json:"text"`
		ID        string          `json:"id"`
		Name      string          `json:"name"`
		Input     json.RawMessage `json:"input"`
		Thinking  string          `json:"thinking"`
		Signature string          `json:"signature"`
		Data      string          `json:"data"`
	} `json:"content_block"`
	Delta struct {
		Type       string `json:"type"`
		Text       string `json:"text"`
		JSON       string `json:"partial_json"`
		Thinking   string `json:"thinking"`
		Signature  string `json:"signature"`
		StopReason string `json:"stop_reason"`
	} `json:"delta"`
	Usage usage `json:"usage"`
}

// usage is what was counted so far. What an event does not name stays as it was.
type usage struct {
	Input    *int `json:"input_tokens"`
	CacheNew *int `json:"cache_creation_input_tokens"`
	Cached   *int `json:"cache_read_input_tokens"`
	Output   *int `json:"output_tokens"`
	Details  struct {
		Thinking *int `json:"thinking_tokens"`
	} `json:"output_tokens_details"`
}

// A part is a content block that is being read.
type part struct {
	index     int
	kind      string
	id, name  string
	input     json.RawMessage // as the block began
	json      strings.Builder
	thinking  strings.Builder
	signature string
	data      string
}

// An answer is what was read of one.
type answer struct {
	api    *wire.API
	model  string
	parts  []*part // without those of text
	reason string
	counts usage
	text   int // bytes
	whole  bool
}

// read takes in an event, and returns the text it has. Events and blocks that it
// does not know it passes over: the API may have others, later.
func (a *answer) read(data string) (text string, err error) {
	var ev event
	if err := json.Unmarshal([]byte(data), &ev); err != nil {
		return "", a.api.Malformed("an event is not the JSON of one") // the cause may quote it
	}
	switch ev.Type {
	case "message_start":
		a.model = ev.Message.Model
		a.counts.take(ev.Message.Usage)
	case "content_block_start":
		text = ev.Block.Text
		if ev.Block.Type != "text" {
			text = ""
			p := &part{index: ev.Index, kind: ev.Block.Type, id: ev.Block.ID, name: ev.Block.Name, input: ev.Block.Input, signature: ev.Block.Signature, data: ev.Block.Data}
			p.thinking.WriteString(ev.Block.Thinking)
			a.parts = append(a.parts, p)
		}
	case "content_block_delta":
		p := a.part(ev.Index)
		switch {
		case ev.Delta.Type == "text_delta":
			text = ev.Delta.Text
		case p == nil:
		case ev.Delta.Type == "input_json_delta":
			p.json.WriteString(ev.Delta.JSON)
		case ev.Delta.Type == "thinking_delta":
			p.thinking.WriteString(ev.Delta.Thinking)
		case ev.Delta.Type == "signature_delta":
			p.signature += ev.Delta.Signature
		}
	case "message_delta":
		if ev.Delta.StopReason != "" {
			a.reason = ev.Delta.StopReason
		}
		a.counts.take(ev.Usage)
	case "message_stop":
		a.whole = true
	case "error":
		return "", a.api.Refused([]byte(data))
	}
	a.text += len(text)
	return text, nil
}

// part returns the block with an index that began last.
func (a *answer) part(index int) *part {
	for i := len(a.parts) - 1; i >= 0; i-- {
		if a.parts[i].index == index {
			return a.parts[i]
		}
	}
	return nil
}

// end yields the calls, and then that the answer is over.
func (a *answer) end(ctx context.Context, req llm.Request, yield func(llm.Event, error) bool) {
	done := llm.Done{Reason: reason(a.reason), Model: a.api.Answered(a.model)}
	calls, written, err := a.calls(done.Reason)
	if err != nil {
		yield(nil, err)
		return
	}
	switch {
	case len(calls) > 0 && done.Reason == llm.FinishStop:
		done.Reason = llm.FinishTools
	case len(calls) == 0 && done.Reason == llm.FinishTools:
		done.Reason = llm.FinishStop
	}
	for _, c := range calls {
		if ctx.Err() != nil {
			break
		}
		if !yield(c, nil) {
			return
		}
	}
	if ctx.Err() != nil {
		yield(nil, a.api.Ended(ctx))
		return
	}
	if done.Usage = a.counts.sum(); done.Usage.Input+done.Usage.Output == 0 {
		done.Usage = wire.Estimate(req, a.text+written)
	}
	yield(done, nil)
}

// calls returns what the model asks for, and how many bytes of it there are. Of an
// answer that was cut off it leaves out what was not written to its end, and one
// that was stopped has none.
func (a *answer) calls(why llm.FinishReason) (calls []llm.ToolCall, written int, err error) {
	var thought []block
	for _, p := range a.parts {
		switch p.kind {
		case "thinking":
			thought = append(thought, block{Type: p.kind, Thinking: new(p.thinking.String()), Signature: p.signature})
		case "redacted_thinking":
			thought = append(thought, block{Type: p.kind, Data: p.data})
		case "tool_use":
			raw := []byte(p.json.String())
			if len(raw) == 0 {
				raw = p.input
			}
			args, ok := wire.Arguments(raw)
			written += len(raw)
			switch {
			case why == llm.FinishFiltered || !ok && why == llm.FinishLength:
				continue
			case !ok:
				return nil, 0, a.api.Malformed("the arguments of a call are no JSON object")
			case p.name == "":
				return nil, 0, a.api.Malformed("a call has no name")
			}
			c := llm.ToolCall{ID: p.id, Name: p.name, Arguments: args}
			if len(thought) > 0 {
				signature, err := json.Marshal(thought)
				if err != nil {
					return nil, 0, err // cannot be: they are strings
				}
				c.Signature, thought = string(signature), nil
			}
			calls = append(calls, c)
		}
	}
	wire.CallIDs(calls)
	return calls, written, nil
}

// reason names why an answer ended in our words. "pause_turn" is an answer that is
// not over, which only tools of the provider have, and we declare none.
func reason(said string) llm.FinishReason {
	switch said {
	case "tool_use":
		return llm.FinishTools
	case "max_tokens", "model_context_window_exceeded", "pause_turn":
		return llm.FinishLength
	case "refusal":
		return llm.FinishFiltered
	}
	return llm.FinishStop // "end_turn", "stop_sequence", and what is not known yet
}

func (u *usage) take(v usage) {
	for _, n := range []struct{ to, from **int }{
		{&u.Input, &v.Input}, {&u.CacheNew, &v.CacheNew}, {&u.Cached, &v.Cached},
		{&u.Output, &v.Output}, {&u.Details.Thinking, &v.Details.Thinking},
	} {
		if *n.from != nil {
			*n.to = *n.from
		}
	}
}

// sum adds what was read from the cache and written to it to the input, which the
// API counts apart.
func (u *usage) sum() llm.Usage {
	count := func(n *int) int {
		if n == nil {
			return 0
		}
		return min(max(0, *n), 1<<30)
	}
	s := llm.Usage{Cached: count(u.Cached), CacheNew: count(u.CacheNew), Output: count(u.Output)}
	s.Input = count(u.Input) + s.Cached + s.CacheNew
	s.Reasoning = min(count(u.Details.Thinking), s.Output)
	return s
}

// failed returns an error with what was taken before it, if the provider has counted
// something: of the answer that is often less than what was read.
func (a *answer) failed(err error) error {
	u := a.counts.sum()
	if read := (a.text + 3) / 4; u != (llm.Usage{}) && read > u.Output {
		u.Output, u.Estimated = read, true
	}
	return llm.Taking(err, u)
}
