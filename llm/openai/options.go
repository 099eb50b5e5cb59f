package openai

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/llm/internal/wire"
)

// Options say which server answers, with which model, and how. Model is required.
type Options struct {
	// BaseURL is what "/chat/completions" is appended to. The default is
	// "https://api.openai.com/v1".
	BaseURL string

	// APIKey is sent as a bearer token, or in the header that KeyHeader names, such
	// as "api-key". Servers of one's own often need none.
	APIKey, KeyHeader string

	// Model is the name that the server knows the model by, at most 128 bytes.
	Model string

	// MaxTokens bounds answers whose request does not; 0 leaves it to the server.
	MaxTokens int

	// MaxTokensField is the field in which the bound is sent. The default is
	// "max_completion_tokens" for addresses below openai.com and azure.com, whose
	// models that think refuse the other, and "max_tokens" for all others, since
	// some know only that and pass over what they do not know.
	MaxTokensField string

	// NoStreamOptions leaves out the request for usage, for servers that refuse it.
	// Unless they send it all the same, usage is estimated.
	NoStreamOptions bool

	// Extra are fields that are sent with each request and that this package does
	// not know, such as {"reasoning_effort": "low"}.
	Extra map[string]any

	// Timeout bounds a whole answer, by default 10 minutes, and Silence the time in
	// which nothing of it comes, by default 2 minutes. A shorter deadline of the
	// context counts.
	Timeout, Silence time.Duration

	// MaxAnswerBytes bounds what is read of an answer, by default 16 MiB.
	MaxAnswerBytes int64

	// Client makes the requests; it follows no redirect. By default it is one that
	// reaches public addresses over https alone; for a server on this machine or a
	// private network give another, such as [http.DefaultClient].
	Client *http.Client
}

// fill checks o, puts the defaults in, and returns the server that they name.
func (o *Options) fill() (*wire.API, error) {
	switch {
	case o.MaxTokens < 0:
		return nil, errors.New("a limit is less than 0")
	case o.MaxTokensField != "" && o.MaxTokensField != newMaxTokens && o.MaxTokensField != oldMaxTokens:
		return nil, fmt.Errorf("the field for the most tokens is not %q or %q", newMaxTokens, oldMaxTokens)
	case strings.ContainsFunc(o.KeyHeader, func(r rune) bool { return r != '-' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z') }):
		return nil, errors.New("the key's header is no name of one")
	}
	if _, err := json.Marshal(o.Extra); err != nil {
		return nil, errors.New("the extra fields cannot be written as JSON") // the cause may quote them
	}
	if o.MaxTokensField == "" {
		o.MaxTokensField = oldMaxTokens
		if u, err := url.Parse(o.BaseURL); o.BaseURL == "" || err == nil && (below(u.Hostname(), "openai.com") || below(u.Hostname(), "azure.com")) {
			o.MaxTokensField = newMaxTokens
		}
	}
	header := o.KeyHeader
	return wire.New(provider, publicURL, wire.Options{
		BaseURL: o.BaseURL, APIKey: o.APIKey, Model: o.Model, Client: o.Client, Timeout: o.Timeout, Silence: o.Silence, MaxAnswerBytes: o.MaxAnswerBytes,
	}, func(h http.Header, key string) {
		if header == "" {
			sign(h, key)
		} else if key != "" {
			h.Set(header, key)
		}
	})
}

// The fields that bound an answer.
const (
	newMaxTokens = "max_completion_tokens"
	oldMaxTokens = "max_tokens"
)

func below(host, domain string) bool { return host == domain || strings.HasSuffix(host, "."+domain) }
