package llm_test

import (
	"errors"
	"iter"
	"testing"
	"testing/synctest"

	"github.com/answerdesk-go/answerdesk/llm"
)

// usageOf returns what an answer took, whether or not it failed.
func usageOf(t *testing.T, answer iter.Seq2[llm.Event, error]) (u llm.Usage, failed error) {
	t.Helper()
	for ev, err := range answer {
		if err != nil {
			return llm.Taken(err), err
		}
		if done, ok := ev.(llm.Done); ok {
			u = done.Usage
		}
	}
	return u, nil
}

// What failed attempts took is counted: as the provider did, else by an estimate where
// something was read of them, and as attempts in any case.
func TestFailedAttemptsAreCounted(t *testing.T) {
	req := llm.Request{Messages: []llm.Message{{Role: llm.User, Text: "When do you open?"}}} // 17 bytes: 5 tokens
	counted := llm.Done{Reason: llm.FinishStop, Usage: llm.Usage{Input: 8, Output: 3}}
	text := llm.TextDelta{Text: "We open "} // 2 tokens
	call := llm.ToolCall{ID: "1", Name: "open", Arguments: []byte(`{}`)}
	reported := llm.Taking(errCut, llm.Usage{Input: 9, Cached: 4, Output: 1})
	resets := &llm.RetryOptions{Reset: true, Times: 2}
	price := llm.Price{Input: 1e6, Cached: 5e5, Output: 1e7}
	for name, tt := range map[string]struct {
		model  func() llm.Model
		failed error
		want   llm.Usage
	}{
		"no attempt failed":     {func() llm.Model { return llm.Retry(says([]any{text, counted}), nil) }, nil, llm.Usage{Input: 8, Output: 3}},
		"one said nothing":      {func() llm.Model { return llm.Retry(says([]any{down}, []any{counted}), nil) }, nil, llm.Usage{Input: 8, Output: 3, Failed: 1}},
		"one broke off":         {func() llm.Model { return llm.Retry(says([]any{text, errCut}, []any{counted}), resets) }, nil, llm.Usage{Input: 13, Output: 5, Estimated: true, Failed: 1}},
		"one broke off in call": {func() llm.Model { return llm.Retry(says([]any{call, down}, []any{counted}), resets) }, nil, llm.Usage{Input: 13, Output: 5, Estimated: true, Failed: 1}},
		"two, one counted": {func() llm.Model {
			return llm.Retry(says([]any{text, reported}, []any{text, down}, []any{counted}), resets)
		}, nil,
			llm.Usage{Input: 22, Cached: 4, Output: 6, Estimated: true, Failed: 2}},
		"all failed":          {func() llm.Model { return llm.Retry(says([]any{text, reported}), resets) }, errCut, llm.Usage{Input: 27, Cached: 12, Output: 3, Failed: 2}},
		"all said nothing":    {func() llm.Model { return llm.Retry(says([]any{down}), resets) }, down, llm.Usage{Failed: 2}},
		"not asked again":     {func() llm.Model { return llm.Retry(says([]any{text, errCut}), nil) }, errCut, llm.Usage{Input: 5, Output: 2, Estimated: true}},
		"a model that stops":  {func() llm.Model { return llm.Fallback(says([]any{text})) }, llm.ErrIncomplete, llm.Usage{Input: 5, Output: 2, Estimated: true}},
		"the next model":      {func() llm.Model { return llm.Fallback(says([]any{text, reported}), says([]any{counted})) }, nil, llm.Usage{Input: 17, Cached: 4, Output: 4, Failed: 1}},
		"retried, then other": {func() llm.Model { return llm.Fallback(llm.Retry(says([]any{down}), resets), says([]any{counted})) }, nil, llm.Usage{Input: 8, Output: 3, Failed: 3}},
		"no model":            {func() llm.Model { return llm.Fallback(says([]any{down}), says([]any{text, reported})) }, down, llm.Usage{Input: 9, Cached: 4, Output: 1, Failed: 1}},
		"priced within": {func() llm.Model {
			return llm.Retry(llm.WithPrice(says([]any{text, reported}, []any{counted}), price), resets)
		}, nil,
			llm.Usage{Input: 17, Cached: 4, Output: 4, Cost: 55, Failed: 1}},
		"priced around": {func() llm.Model {
			return llm.WithPrice(llm.Retry(says([]any{text, reported}, []any{counted}), resets), price)
		}, nil,
			llm.Usage{Input: 17, Cached: 4, Output: 4, Cost: 55, Failed: 1}},
		"priced, and failed": {func() llm.Model { return llm.WithPrice(says([]any{text, errCut}), price) }, errCut, llm.Usage{Input: 5, Output: 2, Cost: 25, Estimated: true}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got, err := usageOf(t, tt.model().Generate(t.Context(), req)); got != tt.want || !errors.Is(err, tt.failed) {
					t.Errorf("the answer took %+v and failed with %v, want %+v and %v", got, err, tt.want, tt.failed)
				}
			})
		})
	}
}

// An error says what it did without what was taken, and stays what it is.
func TestTaking(t *testing.T) {
	u := llm.Usage{Input: 3}
	err := llm.Taking(down, u)
	if failed, ok := errors.AsType[*llm.Error](err); !ok || failed.Kind != llm.Server || err.Error() != down.Error() || llm.Taken(err) != u {
		t.Errorf("Taking = %v with %+v, want %v with %+v", err, llm.Taken(err), down, u)
	}
	if llm.Taking(nil, u) != nil || !errors.Is(llm.Taking(errCut, llm.Usage{}), errCut) || llm.Taken(errCut) != (llm.Usage{}) || llm.Taken(nil) != (llm.Usage{}) {
		t.Error("an error without usage, or a usage without error, is made into something")
	}
}
