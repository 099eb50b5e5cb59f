package llmtest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/llm"
)

// An Answer is what a [Script] does for one request, step after step. [Say],
// [Call], [Fail], [Wait] and [Until] begin one; its methods return it with a step
// more, so that the same beginning can be gone on with in several ways. Where no
// step ends it, a Done follows the last: with [llm.FinishTools] if there was a
// call, else [llm.FinishStop], and with a usage that is estimated.
type Answer struct{ steps []step }

// A step is one of the fields.
type step struct {
	text  string
	call  *llm.ToolCall
	reset bool
	wait  time.Duration
	until <-chan struct{}
	err   error
	done  *llm.Done
}

func (a Answer) with(s step) Answer { return Answer{append(slices.Clip(a.steps), s)} }

// Say begins an answer with text.
func Say(text string) Answer { return Answer{}.Say(text) }

// Call begins an answer with a call of a tool; see [Answer.Call].
func Call(tool string, arguments any) Answer { return Answer{}.Call(tool, arguments) }

// Fail is an answer that is an error and nothing else.
func Fail(err error) Answer { return Answer{}.Fail(err) }

// Wait begins an answer with a time in which nothing happens.
func Wait(d time.Duration) Answer { return Answer{}.Wait(d) }

// Until begins an answer that goes on once a channel is closed.
func Until(c <-chan struct{}) Answer { return Answer{}.Until(c) }

// Say adds text.
func (a Answer) Say(text string) Answer { return a.with(step{text: text}) }

// Call adds a call of a tool. The arguments are made JSON of; nil is "{}", and a
// json.RawMessage is taken as it is. The call's id is made up, anew for each
// answer that is given. Call panics if the arguments cannot be JSON.
func (a Answer) Call(tool string, arguments any) Answer {
	if arguments == nil {
		arguments = struct{}{}
	}
	args, err := json.Marshal(arguments)
	if err != nil {
		panic(fmt.Sprintf("llmtest: the arguments of a call of %s: %v", tool, err))
	}
	return a.ToolCall(llm.ToolCall{Name: tool, Arguments: args})
}

// ToolCall adds a call with the id and signature it has; an empty id is made up.
func (a Answer) ToolCall(c llm.ToolCall) Answer { return a.with(step{call: &c}) }

// Reset adds an llm.Reset: what was said before it counts no more.
func (a Answer) Reset() Answer { return a.with(step{reset: true}) }

// Wait adds a time in which nothing happens, unless the context ends. In a bubble
// of testing/synctest it takes none.
func (a Answer) Wait(d time.Duration) Answer { return a.with(step{wait: d}) }

// Until adds a wait for a channel to be closed, or for the context to end.
func (a Answer) Until(c <-chan struct{}) Answer { return a.with(step{until: c}) }

// Fail ends the answer with an error, such as llm.ErrIncomplete or an *llm.Error.
func (a Answer) Fail(err error) Answer { return a.with(step{err: err}) }

// Done ends the answer with d. An empty reason or model is filled in.
func (a Answer) Done(d llm.Done) Answer { return a.with(step{done: &d}) }

// play yields the events of an answer, its text in pieces of so many characters.
func (a Answer) play(ctx context.Context, req llm.Request, number, runes int, yield func(llm.Event, error) bool) {
	done := llm.Done{Usage: llm.Usage{Input: inputTokens(req), Estimated: true}}
	output, calls := 0, 0
	for _, s := range a.steps {
		if err := ctx.Err(); err != nil {
			yield(nil, ended(err))
			return
		}
		switch {
		case s.err != nil:
			yield(nil, s.err)
			return
		case s.done != nil:
			done = *s.done
			yield(finished(done, calls), nil)
			return
		case s.reset:
			calls = 0
			if !yield(llm.Reset{}, nil) {
				return
			}
		case s.call != nil:
			c := *s.call
			if c.ID == "" {
				c.ID = fmt.Sprintf("call_%d_%d", number, calls)
			}
			calls++
			output += llm.EstimateTokens(c.Name + string(c.Arguments))
			if !yield(c, nil) {
				return
			}
		case s.wait != 0 || s.until != nil:
			if err := pause(ctx, s); err != nil {
				yield(nil, err)
				return
			}
		default:
			output += llm.EstimateTokens(s.text)
			for piece := range pieces(s.text, runes) {
				if err := ctx.Err(); err != nil {
					yield(nil, ended(err))
					return
				}
				if !yield(llm.TextDelta{Text: piece}, nil) {
					return
				}
			}
		}
	}
	if err := ctx.Err(); err != nil {
		yield(nil, ended(err))
		return
	}
	done.Usage.Output = output
	yield(finished(done, calls), nil)
}

// finished fills in what a Done does not say.
func finished(d llm.Done, calls int) llm.Done {
	if d.Reason == "" {
		d.Reason = llm.FinishStop
		if calls > 0 {
			d.Reason = llm.FinishTools
		}
	}
	if d.Model == "" {
		d.Model = "llmtest:script"
	}
	return d
}

func pause(ctx context.Context, s step) error {
	until := s.until
	if until == nil {
		timer := time.NewTimer(s.wait)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ended(ctx.Err())
		}
	}
	select {
	case <-until:
		return nil
	case <-ctx.Done():
		return ended(ctx.Err())
	}
}

// ended is the error of an answer whose context has ended.
func ended(err error) error { return &llm.Error{Provider: "llmtest", Kind: llm.Network, Err: err} }

// pieces cuts a text after every so many characters; 0 means not at all.
func pieces(text string, runes int) func(func(string) bool) {
	return func(yield func(string) bool) {
		if text == "" {
			return
		}
		if runes <= 0 {
			yield(text)
			return
		}
		n, start := 0, 0
		for i := range text {
			if n == runes {
				if !yield(text[start:i]) {
					return
				}
				n, start = 0, i
			}
			n++
		}
		yield(text[start:])
	}
}
