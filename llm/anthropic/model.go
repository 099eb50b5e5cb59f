package anthropic

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/internal/extra"
	"github.com/answerdesk-go/answerdesk/llm/internal/wire"
)

const (
	provider = "anthropic"
	version  = "2023-06-01" // of the API; there is no later one
)

// Options say which model answers, and how. Model is required.
type Options struct {
	// BaseURL is what "/v1/messages" is appended to, with or without its "/v1". The
	// default is "https://api.anthropic.com".
	BaseURL string

	// APIKey is sent as x-api-key.
	APIKey string

	// Model is the name that the provider knows the model by, at most 128 bytes.
	Model string

	// MaxTokens bounds an answer, thinking included, where the request does not say:
	// the API wants a number. The default is 8,192.
	MaxTokens int

	// Temperature sends the temperature of a request to any model. Models after
	// Claude 4.6 refuse one, so by default only those up to it are sent one.
	Temperature bool

	// Extra are fields that are sent with each request and that this package does
	// not know, such as {"thinking": {"type": "adaptive"}}. In objects that it sends
	// too, such as output_config, they are added.
	Extra map[string]any

	// Timeout bounds a whole answer, by default 10 minutes, and Silence the time in
	// which nothing of it comes, by default 2 minutes.
	Timeout, Silence time.Duration

	// MaxAnswerBytes bounds what is read of an answer, by default 16 MiB.
	MaxAnswerBytes int64

	// Client makes the requests. By default it is one that reaches public addresses
	// over https alone; for a gateway on this machine or a private network give
	// another, such as [http.DefaultClient]. It is copied, and follows no redirects.
	Client *http.Client
}

// A Model asks Claude. It is safe for concurrent use and starts no goroutine.
type Model struct {
	api         *wire.API
	maxTokens   int
	temperature bool
	extra       extra.Fields
}

var _ llm.Model = (*Model)(nil)

// New returns a model. It makes no network call.
func New(o Options) (*Model, error) {
	if o.MaxTokens < 0 {
		return nil, errors.New("anthropic: a limit is less than 0")
	}
	api, err := wire.New(provider, "https://api.anthropic.com", wire.Options{
		BaseURL: strings.TrimSuffix(strings.TrimRight(o.BaseURL, "/"), "/v1"), APIKey: o.APIKey, Model: o.Model,
		Client: o.Client, Timeout: o.Timeout, Silence: o.Silence, MaxAnswerBytes: o.MaxAnswerBytes,
	}, func(h http.Header, key string) {
		h.Set("Anthropic-Version", version)
		if key != "" {
			h.Set("X-Api-Key", key)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("anthropic: %w", err)
	}
	more, err := extra.New(o.Extra)
	if err != nil {
		return nil, fmt.Errorf("anthropic: %w", err)
	}
	return &Model{extra: more, api: api, maxTokens: cmp.Or(o.MaxTokens, 8192), temperature: o.Temperature || tempered(o.Model)}, nil
}

// tempered reports whether a model is one of those that take a temperature.
func tempered(model string) bool {
	for _, family := range []string{
		"claude-2", "claude-3", "claude-instant", "claude-sonnet-4-", "claude-haiku-4-",
		"claude-opus-4-0", "claude-opus-4-1", "claude-opus-4-2", "claude-opus-4-5", "claude-opus-4-6", // 4-2: a date
	} {
		if strings.Contains(model, family) {
			return true
		}
	}
	return false
}

// Generate implements [llm.Model].
func (m *Model) Generate(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		b, err := m.render(req)
		if err != nil {
			yield(nil, err)
			return
		}
		body, err := m.extra.With(b)
		if err != nil {
			yield(nil, m.api.BadRequest("the request cannot be written as JSON"))
			return
		}
		a := answer{api: m.api}
		for ev, err := range m.api.Stream(ctx, "/v1/messages", body) {
			if err != nil {
				yield(nil, a.failed(err))
				return
			}
			text, err := a.read(ev.Data)
			if err != nil {
				yield(nil, a.failed(err))
				return
			}
			if text != "" && !yield(llm.TextDelta{Text: text}, nil) {
				return
			}
			if a.whole {
				a.end(ctx, req, yield)
				return
			}
		}
		yield(nil, a.failed(m.api.Incomplete()))
	}
}
