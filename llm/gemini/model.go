package gemini

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/internal/extra"
	"github.com/answerdesk-go/answerdesk/llm/internal/wire"
)

const provider = "gemini"

// Options say which model answers, and how. Model is required.
type Options struct {
	// BaseURL is what "/models/MODEL:streamGenerateContent" is appended to. The
	// default is "https://generativelanguage.googleapis.com/v1beta".
	BaseURL string

	// APIKey is sent as x-goog-api-key, never in the address.
	APIKey string

	// Model is the name that the provider knows the model by, at most 128 bytes, such
	// as "gemini-2.5-flash" or "tunedModels/mine".
	Model string

	// MaxTokens bounds answers whose request does not, thinking included; 0 leaves it
	// to the provider.
	MaxTokens int

	// Extra are fields that are sent with each request and that this package does
	// not know, such as {"safetySettings": […]}. In objects that it sends too they are
	// added, such as {"generationConfig": {"thinkingConfig": {"thinkingLevel": "low"}}}.
	Extra map[string]any

	// Timeout bounds a whole answer, by default 10 minutes, and Silence the time in
	// which nothing of it comes, by default 2 minutes. A shorter deadline of the
	// context counts.
	Timeout, Silence time.Duration

	// MaxAnswerBytes bounds what is read of an answer, by default 16 MiB.
	MaxAnswerBytes int64

	// Client makes the requests; it follows no redirect. By default it is one that
	// reaches public addresses over https alone; for a gateway on this machine or a
	// private network give another, such as [http.DefaultClient].
	Client *http.Client
}

// A Model asks Gemini. It is safe for concurrent use and starts no goroutine that
// outlives an answer.
type Model struct {
	api       *wire.API
	path      string
	maxTokens int
	signed    bool // it wants the signatures of calls
	extra     extra.Fields
}

var _ llm.Model = (*Model)(nil)

// New returns a model. It makes no network call.
func New(o Options) (*Model, error) {
	if o.MaxTokens < 0 {
		return nil, errors.New("gemini: a limit is less than 0")
	}
	api, err := wire.New(provider, "https://generativelanguage.googleapis.com/v1beta", wire.Options{
		BaseURL: o.BaseURL, APIKey: o.APIKey, Model: o.Model,
		Client: o.Client, Timeout: o.Timeout, Silence: o.Silence, MaxAnswerBytes: o.MaxAnswerBytes,
	}, func(h http.Header, key string) {
		if key != "" {
			h.Set("X-Goog-Api-Key", key)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("gemini: %w", err)
	}
	more, err := extra.New(o.Extra)
	if err != nil {
		return nil, fmt.Errorf("gemini: %w", err)
	}
	return &Model{api: api, path: path(o.Model), maxTokens: o.MaxTokens, signed: signed(o.Model), extra: more}, nil
}

// path is where a model is asked, below the base address.
func path(model string) string {
	if !strings.Contains(model, "/") {
		model = "models/" + model
	}
	var b strings.Builder
	for elem := range strings.SplitSeq(model, "/") {
		b.WriteString("/" + url.PathEscape(elem))
	}
	return b.String() + ":streamGenerateContent?alt=sse"
}

// signed reports whether a model refuses calls without a signature, as those from
// Gemini 3 on do.
func signed(model string) bool {
	_, version, ok := strings.Cut(model, "gemini-")
	return ok && !strings.HasPrefix(version, "1") && !strings.HasPrefix(version, "2")
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
		for ev, err := range m.api.Stream(ctx, m.path, body) {
			if err != nil {
				if a.finish != "" && ctx.Err() == nil {
					break // all was there
				}
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
		}
		a.end(ctx, req, yield)
	}
}
