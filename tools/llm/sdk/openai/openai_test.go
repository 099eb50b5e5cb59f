// Package openai compares llm/openai with OpenAI's SDK.
package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	vendor "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/openai"
	"github.com/answerdesk-go/answerdesk/tools/llm/sdk/recorded"
)

// odd are recordings of other servers than OpenAI's, whose answers its SDK reads
// otherwise than ours, and not as they are meant. What we send is compared all the
// same.
var odd = map[string]string{
	"call-repeated": "the name of a call comes with each delta, and the SDK adds them up",
	"calls-ollama":  "calls at one index with ids of their own, which the SDK makes one of",
	"calls-same":    "calls at one index without ids, likewise",
	"calls-whole":   "arguments that are an object and no string",
	"text-json":     "an answer that is one JSON value and no stream",
	"text-parts":    "text that is a list of parts",
	"text-vllm":     "counts so far in each event, and the SDK adds them up",
}

func TestSame(t *testing.T) {
	recorded.Each(t, "../../../../llm/openai/testdata/chat", func(t *testing.T, r *recorded.Recording) {
		s := r.Server(t)
		m, err := openai.New(openai.Options{BaseURL: s.URL, APIKey: recorded.Key, Model: "gpt-5-mini", MaxTokensField: "max_completion_tokens", Client: s.Client()})
		if err != nil {
			t.Fatal(err)
		}
		ours, sent := r.Ours(t, m)

		var params vendor.ChatCompletionNewParams
		if err := json.Unmarshal(sent, &params); err != nil {
			t.Fatalf("the SDK does not read what we send: %v", err)
		}
		// The SDK cannot tell the forms of this union from each other when it reads them.
		var choice struct {
			Tool json.RawMessage `json:"tool_choice"`
		}
		if err := json.Unmarshal(sent, &choice); err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(choice.Tool, []byte("{")) {
			named := new(vendor.ChatCompletionNamedToolChoiceParam)
			if err := json.Unmarshal(choice.Tool, named); err != nil {
				t.Fatal(err)
			}
			params.ToolChoice = vendor.ChatCompletionToolChoiceOptionUnionParam{OfFunctionToolChoice: named}
		}
		client := vendor.NewClient(option.WithBaseURL(s.URL), option.WithAPIKey(recorded.Key), option.WithHTTPClient(s.Client()), option.WithMaxRetries(0))
		stream := client.Chat.Completions.NewStreaming(t.Context(), params)
		var (
			theirs recorded.Heard
			whole  vendor.ChatCompletionAccumulator
		)
		for stream.Next() {
			whole.AddChunk(stream.Current())
		}
		theirs.Err = stream.Err()
		if failed, ok := errors.AsType[*vendor.Error](theirs.Err); ok {
			theirs.Code = failed.StatusCode
		}
		recorded.Same(t, sent, r.Sent())

		if len(whole.Choices) > 0 {
			message := whole.Choices[0].Message
			theirs.Text = message.Content + message.Refusal
			if theirs.Err == nil {
				for _, c := range message.ToolCalls {
					if args := c.Function.Arguments; args == "" || json.Valid([]byte(args)) {
						theirs.Calls = append(theirs.Calls, recorded.Call{ID: c.ID, Name: c.Function.Name, Arguments: []byte(args)})
					}
				}
			}
		}
		u := whole.Usage
		theirs.Usage = llm.Usage{
			Input: int(u.PromptTokens), Cached: int(u.PromptTokensDetails.CachedTokens),
			Output: int(u.CompletionTokens), Reasoning: int(u.CompletionTokensDetails.ReasoningTokens),
		}
		if odd[r.Name] == "" {
			recorded.Compare(t, ours, theirs)
		}
	})
}
