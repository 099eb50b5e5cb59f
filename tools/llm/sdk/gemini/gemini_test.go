// Package gemini compares llm/gemini with Google's SDK.
package gemini

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"google.golang.org/genai"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/gemini"
	"github.com/answerdesk-go/answerdesk/tools/llm/sdk/recorded"
)

const model = "gemini-3-flash"

// unsigned is what Google documents as the signature of another model's call. It is
// base64 for addresses, which the API takes and the SDK does not read.
var unsigned = []byte("skip_thought_signature_validator")

func TestSame(t *testing.T) {
	recorded.Each(t, "../../../../llm/gemini/testdata", func(t *testing.T, r *recorded.Recording) {
		s := r.Server(t)
		m, err := gemini.New(gemini.Options{BaseURL: s.URL + "/v1beta", APIKey: recorded.Key, Model: model, Client: s.Client()})
		if err != nil {
			t.Fatal(err)
		}
		ours, sent := r.Ours(t, m)
		sent = bytes.ReplaceAll(sent, unsigned, bytes.ReplaceAll(unsigned, []byte("_"), []byte("/")))

		var request struct {
			System     *genai.Content               `json:"systemInstruction"`
			Contents   []*genai.Content             `json:"contents"`
			Tools      []*genai.Tool                `json:"tools"`
			ToolConfig *genai.ToolConfig            `json:"toolConfig"`
			Generation *genai.GenerateContentConfig `json:"generationConfig"`
		}
		strict := json.NewDecoder(bytes.NewReader(sent))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&request); err != nil {
			t.Fatalf("the SDK does not read what we send: %v", err)
		}
		config := request.Generation
		if config == nil {
			config = &genai.GenerateContentConfig{}
		}
		config.SystemInstruction, config.Tools, config.ToolConfig = request.System, request.Tools, request.ToolConfig
		client, err := genai.NewClient(t.Context(), &genai.ClientConfig{
			Backend: genai.BackendGeminiAPI, APIKey: recorded.Key, HTTPClient: s.Client(), HTTPOptions: genai.HTTPOptions{BaseURL: s.URL},
		})
		if err != nil {
			t.Fatal(err)
		}
		var theirs recorded.Heard
		filtered := false
		for chunk, err := range client.Models.GenerateContentStream(t.Context(), model, request.Contents, config) {
			if err != nil {
				theirs.Err = err
				if failed, ok := errors.AsType[genai.APIError](err); ok {
					theirs.Code = failed.Code
				}
				break
			}
			if u := chunk.UsageMetadata; u != nil {
				theirs.Usage = llm.Usage{
					Input: int(u.PromptTokenCount + u.ToolUsePromptTokenCount), Cached: int(u.CachedContentTokenCount),
					Output: int(u.CandidatesTokenCount + u.ThoughtsTokenCount), Reasoning: int(u.ThoughtsTokenCount),
				}
			}
			for _, c := range chunk.Candidates {
				filtered = filtered || c.FinishReason == genai.FinishReasonRecitation
				if c.FinishReason == genai.FinishReasonMalformedFunctionCall {
					theirs.Err = errors.New(string(c.FinishReason)) // the SDK leaves that to its user
				}
				if c.Content == nil {
					continue
				}
				for _, p := range c.Content.Parts {
					if p.FunctionCall != nil {
						args, err := json.Marshal(p.FunctionCall.Args)
						if err != nil {
							t.Fatal(err)
						}
						theirs.Calls = append(theirs.Calls, recorded.Call{ID: p.FunctionCall.ID, Name: p.FunctionCall.Name, Arguments: args})
					} else if !p.Thought {
						theirs.Text += p.Text
					}
				}
			}
		}
		if filtered {
			theirs.Calls = nil // no call of an answer that was stopped is one to us
		}
		recorded.Same(t, full(t, sent), full(t, r.Sent()))
		recorded.Compare(t, ours, theirs)
	})
}

// full returns JSON without the empty objects in it, which the SDK leaves out or
// puts in, and which say nothing to the API.
func full(t *testing.T, raw []byte) []byte {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	var prune func(any)
	prune = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, below := range v {
				prune(below)
				if o, ok := below.(map[string]any); ok && len(o) == 0 {
					delete(v, k)
				}
			}
		case []any:
			for _, below := range v {
				prune(below)
			}
		}
	}
	prune(v)
	pruned, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return pruned
}
