package openai

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"net/http"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/internal/wire"
)

// What errors, answers and vectors call the provider, and where it is.
const (
	provider  = "openai"
	publicURL = "https://api.openai.com/v1"
)

// sign sends a key as a bearer token.
func sign(h http.Header, key string) {
	if key != "" {
		h.Set("Authorization", "Bearer "+key)
	}
}

// A Model asks a server to go on with conversations. It is safe for concurrent use
// and starts no goroutine that outlives an answer.
type Model struct {
	o   Options
	api *wire.API
}

var _ llm.Model = (*Model)(nil)

// New returns a model. It makes no network call.
func New(o Options) (*Model, error) {
	api, err := o.fill()
	if err != nil {
		return nil, fmt.Errorf("openai: %w", err)
	}
	o.APIKey = "" // the API has it, where printing does not find it
	o.Extra = maps.Clone(o.Extra)
	return &Model{o: o, api: api}, nil
}

// Generate asks for an answer, once. What it makes of a request:
//
// An Output is asked for as the response_format json_schema, strictly if every
// object of the schema names all its properties as required and allows no others,
// which is what OpenAI takes for that. A result that failed is sent as any other.
// What is to be cached is not said, since these servers see it for themselves. The
// Signature of a call is its extra_content, as Gemini has it in this protocol.
//
// A refusal in the model's own words is text, and ends with [llm.FinishFiltered]. An
// answer that has all its tokens in the middle of a call ends with
// [llm.FinishLength] and without that call.
func (m *Model) Generate(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		if len(req.Messages) == 0 {
			yield(nil, m.api.BadRequest("there is no message"))
			return
		}
		a := answer{api: m.api}
		for ev, err := range m.api.Stream(ctx, "/chat/completions", m.body(req)) {
			if err != nil {
				if a.finish != "" && ctx.Err() == nil {
					break // all was there
				}
				yield(nil, err)
				return
			}
			text, done, err := a.read(ev.Data)
			if err != nil {
				yield(nil, err)
				return
			}
			if text != "" && !yield(llm.TextDelta{Text: text}, nil) {
				return
			}
			if done {
				break
			}
		}
		calls, end, err := a.end(req)
		if err == nil && ctx.Err() != nil {
			err = m.api.Ended(ctx)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for _, c := range calls {
			if !yield(c, nil) {
				return
			}
			if ctx.Err() != nil {
				yield(nil, m.api.Ended(ctx))
				return
			}
		}
		yield(end, nil)
	}
}
