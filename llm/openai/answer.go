package openai

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/internal/wire"
)

// Bounds on what a server may answer with.
const (
	maxCalls = 128
	maxName  = 256 // bytes of a tool's name
)

// A chunk is what is read of an event of a stream, or of an answer that is none.
type chunk struct {
	Error   json.RawMessage `json:"error"`
	Model   text            `json:"model"`
	Choices []struct {
		Index   int    `json:"index"`
		Finish  text   `json:"finish_reason"`
		Delta   *delta `json:"delta"`
		Message *delta `json:"message"`
	} `json:"choices"`
	Usage *usage `json:"usage"`
}

type delta struct {
	Content text        `json:"content"`
	Refusal text        `json:"refusal"`
	Calls   []callDelta `json:"tool_calls"`
}

type callDelta struct {
	Index    *int            `json:"index"`
	ID       text            `json:"id"`
	Extra    json.RawMessage `json:"extra_content"`
	Function struct {
		Name      text            `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"function"`
}

type usage struct {
	Prompt     count `json:"prompt_tokens"`
	Completion count `json:"completion_tokens"`
	Hit        count `json:"prompt_cache_hit_tokens"` // of DeepSeek
	In         struct {
		Cached  count `json:"cached_tokens"`
		Written count `json:"cache_write_tokens"` // of OpenRouter
	} `json:"prompt_tokens_details"`
	Out struct {
		Reasoning count `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
}

// A text is a string, the texts of a list of parts, or "" for anything else.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	switch b[0] {
	case '"':
		return json.Unmarshal(b, (*string)(t))
	case '[':
		if json.Unmarshal(b, &parts) != nil {
			return nil
		}
	}
	for _, p := range parts {
		if p.Type == "text" {
			*t += text(p.Text)
		}
	}
	return nil
}

// A count is a number of tokens; what cannot be one is 0.
type count int

func (c *count) UnmarshalJSON(b []byte) error {
	var n float64
	if json.Unmarshal(b, &n) == nil && n > 0 {
		*c = count(min(n, math.MaxInt32))
	}
	return nil
}

// An answer is what was read of one so far.
type answer struct {
	api     *wire.API
	calls   []*call // in the order of their beginnings
	bytes   int     // of text
	finish  string
	refused bool
	model   string
	usage   *usage
}

// A call is one that is being put together.
type call struct {
	index     int
	id, name  string
	arguments []byte
	extra     string
}

// read takes in an event, and returns the text in it; done if it is the last.
func (a *answer) read(data string) (string, bool, error) {
	if strings.TrimSpace(data) == "[DONE]" {
		if a.finish == "" && (a.bytes > 0 || len(a.calls) > 0) {
			a.finish = "stop"
		}
		return "", true, nil
	}
	var c chunk
	err := json.Unmarshal([]byte(data), &c)
	if _, other := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !other { // other fields are read all the same
		return "", false, a.api.Malformed("an event is not JSON") // the cause may quote it
	}
	if len(c.Error) > 0 && string(c.Error) != "null" {
		return "", false, a.api.Refused([]byte(data))
	}
	if c.Model != "" {
		a.model = string(c.Model)
	}
	if c.Usage != nil {
		a.usage = c.Usage
	}
	var said strings.Builder
	for _, choice := range c.Choices {
		if choice.Index != 0 {
			continue // nobody asked for more than one
		}
		d := cmp.Or(choice.Delta, choice.Message, &delta{})
		said.WriteString(string(d.Content) + string(d.Refusal))
		a.refused = a.refused || d.Refusal != ""
		for _, part := range d.Calls {
			if err := a.add(part); err != nil {
				return "", false, err
			}
		}
		if choice.Finish != "" {
			a.finish = string(choice.Finish)
		}
	}
	a.bytes += len(said.String())
	return said.String(), false, nil
}

// add puts a part of a call to the one it belongs to.
func (a *answer) add(d callDelta) error {
	args := []byte(d.Function.Arguments)
	if len(args) > 0 && args[0] == '"' {
		var s string
		if err := json.Unmarshal(args, &s); err != nil {
			return a.api.Malformed("the arguments of a call are no string of JSON")
		}
		args = []byte(s)
	} else if string(args) == "null" {
		args = nil
	}
	c := a.callOf(d, args)
	if c == nil {
		if len(a.calls) == maxCalls {
			return a.api.Malformed("an answer has more than %d calls", maxCalls)
		}
		c = &call{index: len(a.calls)}
		if d.Index != nil {
			c.index = *d.Index
		}
		a.calls = append(a.calls, c)
	}
	c.id = cmp.Or(c.id, string(d.ID))
	c.name = cmp.Or(c.name, string(d.Function.Name))
	c.arguments = append(c.arguments, args...)
	if len(d.Extra) > 0 && d.Extra[0] == '{' {
		c.extra = string(d.Extra)
	}
	if len(c.name) > maxName || len(c.id) > maxName {
		return a.api.Malformed("the name or id of a call has more than %d bytes", maxName)
	}
	return nil
}

// callOf returns the call that a part goes on with, or nil if it begins one. Some
// servers give every call the index 0, some give none, some repeat id and name with
// each part.
func (a *answer) callOf(d callDelta, args []byte) *call {
	id, name := string(d.ID), string(d.Function.Name)
	for _, c := range slices.Backward(a.calls) {
		switch {
		case d.Index != nil && c.index != *d.Index:
			continue
		case d.Index == nil && id != "" && c.id != id:
			continue
		case id != "" && id == c.id:
			return c
		case name == "":
			return c
		case id != "" && c.id != "", d.Index == nil, c.name != "" && c.name != name:
			return nil // it has a name, and is another's
		}
		if _, whole := wire.Arguments(c.arguments); whole && len(c.arguments) > 0 && len(args) > 0 {
			return nil
		}
		return c
	}
	return nil
}

// end returns the calls of an answer and its end.
func (a *answer) end(req llm.Request) (calls []llm.ToolCall, done llm.Done, err error) {
	done = llm.Done{Model: a.api.Answered(a.model)}
	switch a.finish {
	case "", "error", "abort", "insufficient_system_resource": // of OpenRouter, vLLM, DeepSeek
		return nil, done, a.api.Incomplete()
	case "length", "max_tokens":
		done.Reason = llm.FinishLength
	case "content_filter":
		done.Reason = llm.FinishFiltered
	default:
		done.Reason = llm.FinishStop
		if a.refused {
			done.Reason = llm.FinishFiltered
		}
	}
	slices.SortStableFunc(a.calls, func(x, y *call) int { return cmp.Compare(x.index, y.index) })
	size := a.bytes
	for i, c := range a.calls {
		size += len(c.name) + len(c.arguments)
		args, ok := wire.Arguments(c.arguments)
		ok = ok && c.name != ""
		if done.Reason != llm.FinishStop && (!ok || len(c.arguments) == 0) {
			continue // it broke off
		}
		if !ok {
			return nil, done, a.api.Malformed("call %d has no name, or arguments that are no JSON object", i)
		}
		calls = append(calls, llm.ToolCall{ID: c.id, Name: c.name, Arguments: args, Signature: c.extra})
	}
	wire.CallIDs(calls)
	if len(calls) > 0 && done.Reason == llm.FinishStop {
		done.Reason = llm.FinishTools
	}
	done.Usage = wire.Estimate(req, size)
	if u := a.usage; u != nil && (u.Prompt > 0 || u.Completion > 0) {
		done.Usage = llm.Usage{
			Cached: int(max(u.In.Cached, u.Hit)), CacheNew: int(u.In.Written),
			Reasoning: int(u.Out.Reasoning),
		}
		done.Usage.Input = max(int(u.Prompt), done.Usage.Cached+done.Usage.CacheNew)
		done.Usage.Output = max(int(u.Completion), done.Usage.Reasoning)
	}
	return calls, done, nil
}
