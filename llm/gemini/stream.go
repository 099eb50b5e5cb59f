package gemini

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/internal/wire"
)

// A chunk is one event of a stream.
type chunk struct {
	Candidates []struct {
		Index   int `json:"index"`
		Content struct {
			Parts []struct {
				Text      string `json:"text"`
				Thought   bool   `json:"thought"`
				Signature string `json:"thoughtSignature"`
				Call      *call  `json:"functionCall"`
			} `json:"parts"`
		} `json:"content"`
		FinishReason string `json:"finishReason"`
	} `json:"candidates"`
	Feedback struct {
		BlockReason string `json:"blockReason"`
	} `json:"promptFeedback"`
	Usage *usage          `json:"usageMetadata"`
	Model string          `json:"modelVersion"`
	Error json.RawMessage `json:"error"`
}

// usage is what was counted so far.
type usage struct {
	Prompt   int `json:"promptTokenCount"`
	Cached   int `json:"cachedContentTokenCount"`
	Answer   int `json:"candidatesTokenCount"`
	Thoughts int `json:"thoughtsTokenCount"`
	Tools    int `json:"toolUsePromptTokenCount"`
}

// blocked is the reason of an answer to a prompt that the provider refuses.
const blocked = "PROMPT_BLOCKED"

// An answer is what was read of one.
type answer struct {
	api    *wire.API
	model  string
	calls  []llm.ToolCall
	finish string
	counts usage
	size   int // bytes of text and calls
}

// read takes in a chunk, and returns the text it has.
func (a *answer) read(data string) (text string, err error) {
	var c chunk
	if err := json.Unmarshal([]byte(data), &c); err != nil {
		return "", a.api.Malformed("an event is not the JSON of one") // the cause may quote it
	}
	if len(c.Error) > 0 && string(c.Error) != "null" {
		return "", a.api.Refused([]byte(data))
	}
	if c.Model != "" {
		a.model = c.Model
	}
	if c.Usage != nil {
		a.counts = *c.Usage
	}
	if c.Feedback.BlockReason != "" && len(c.Candidates) == 0 {
		a.finish = blocked
	}
	var said strings.Builder
	for _, candidate := range c.Candidates {
		if candidate.Index != 0 {
			continue // nobody has asked for more than one
		}
		for _, p := range candidate.Content.Parts {
			if p.Call != nil {
				args, ok := wire.Arguments(p.Call.Args)
				if !ok {
					return "", a.api.Malformed("the arguments of a call are no JSON object")
				}
				if p.Call.Name == "" {
					return "", a.api.Malformed("a call has no name")
				}
				a.calls = append(a.calls, llm.ToolCall{ID: p.Call.ID, Name: p.Call.Name, Arguments: args, Signature: p.Signature})
				a.size += len(p.Call.Name) + len(args)
			} else if !p.Thought {
				said.WriteString(p.Text)
			}
		}
		if candidate.FinishReason != "" {
			a.finish = candidate.FinishReason
		}
	}
	a.size += said.Len()
	return said.String(), nil
}

// end yields the calls, and then that the answer is over.
func (a *answer) end(ctx context.Context, req llm.Request, yield func(llm.Event, error) bool) {
	done, err := a.done(req)
	if err != nil {
		yield(nil, err)
		return
	}
	if done.Reason == llm.FinishFiltered {
		a.calls = nil
	}
	wire.CallIDs(a.calls)
	for _, c := range a.calls {
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
	yield(done, nil)
}

// done says how the answer ended: https://ai.google.dev/api/generate-content#FinishReason.
func (a *answer) done(req llm.Request) (llm.Done, error) {
	d := llm.Done{Reason: llm.FinishStop, Usage: a.counts.sum(), Model: a.api.Answered(a.model)}
	switch a.finish {
	case "":
		return d, a.api.Incomplete()
	case "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE":
		return d, a.api.Malformed("the model ended with %s", a.finish)
	case "MAX_TOKENS":
		d.Reason = llm.FinishLength
	case blocked, "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "OTHER":
		d.Reason = llm.FinishFiltered
	default: // "STOP", and what is not known yet
		if len(a.calls) > 0 {
			d.Reason = llm.FinishTools
		}
	}
	if d.Usage.Input+d.Usage.Output == 0 {
		d.Usage = wire.Estimate(req, a.size)
	}
	return d, nil
}

// sum has the tokens of thinking among those of the answer, which the API counts
// apart.
func (u usage) sum() llm.Usage {
	count := func(n int) int { return min(max(0, n), 1<<30) }
	s := llm.Usage{Input: count(u.Prompt) + count(u.Tools), Reasoning: count(u.Thoughts)}
	s.Cached = min(count(u.Cached), s.Input)
	s.Output = count(u.Answer) + s.Reasoning
	return s
}

// failed returns an error with what was taken before it, if the provider has counted
// something: of the answer that is often less than what was read.
func (a *answer) failed(err error) error {
	u := a.counts.sum()
	if read := (a.size + 3) / 4; u != (llm.Usage{}) && read > u.Output {
		u.Output, u.Estimated = read, true
	}
	return llm.Taking(err, u)
}
