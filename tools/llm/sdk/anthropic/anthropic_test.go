// Package anthropic compares llm/anthropic with Anthropic's SDK.
package anthropic

import (
	"encoding/json"
	"errors"
	"testing"

	vendor "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/anthropic"
	"github.com/answerdesk-go/answerdesk/tools/llm/sdk/recorded"
)

func TestSame(t *testing.T) {
	recorded.Each(t, "../../../../llm/anthropic/testdata", func(t *testing.T, r *recorded.Recording) {
		s := r.Server(t)
		m, err := anthropic.New(anthropic.Options{BaseURL: s.URL, APIKey: recorded.Key, Model: "claude-haiku-4-5", Client: s.Client()})
		if err != nil {
			t.Fatal(err)
		}
		ours, sent := r.Ours(t, m)

		var params vendor.MessageNewParams
		if err := json.Unmarshal(sent, &params); err != nil {
			t.Fatalf("the SDK does not read what we send: %v", err)
		}
		client := vendor.NewClient(option.WithBaseURL(s.URL), option.WithAPIKey(recorded.Key), option.WithHTTPClient(s.Client()), option.WithMaxRetries(0))
		stream := client.Messages.NewStreaming(t.Context(), params)
		var (
			theirs recorded.Heard
			whole  vendor.Message
		)
		for stream.Next() {
			ev := stream.Current()
			if err := whole.Accumulate(ev); err != nil {
				t.Fatal(err)
			}
			if ev.Type == "content_block_delta" {
				theirs.Text += ev.Delta.Text
			}
		}
		theirs.Err = stream.Err()
		if failed, ok := errors.AsType[*vendor.Error](theirs.Err); ok {
			theirs.Code = failed.StatusCode
		}
		recorded.Same(t, sent, r.Sent())

		u := whole.Usage
		theirs.Usage = llm.Usage{
			Input:  int(u.InputTokens + u.CacheReadInputTokens + u.CacheCreationInputTokens),
			Cached: int(u.CacheReadInputTokens), CacheNew: int(u.CacheCreationInputTokens),
			Output: int(u.OutputTokens), Reasoning: int(u.OutputTokensDetails.ThinkingTokens),
		}
		if theirs.Err == nil {
			for _, b := range whole.Content {
				// A call that was cut off is none to us; the SDK empties it.
				cut := whole.StopReason == vendor.StopReasonMaxTokens && string(b.Input) == "{}"
				if b.Type == "tool_use" && !cut {
					theirs.Calls = append(theirs.Calls, recorded.Call{ID: b.ID, Name: b.Name, Arguments: b.Input})
				}
			}
		}
		recorded.Compare(t, ours, theirs)
	})
}
