package wire

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/internal/egress"
)

// Options are what the options of all providers have.
type Options struct {
	BaseURL        string
	APIKey         string
	Model          string
	Client         *http.Client  // nil: one that reaches public addresses over https alone
	Timeout        time.Duration // of a whole answer; 0: 10 minutes
	Silence        time.Duration // in which nothing comes; 0: 2 minutes, or Timeout if that is less
	MaxAnswerBytes int64         // 0: 16 MiB
}

// An API is how a provider is reached. It is safe for use by many goroutines.
type API struct {
	provider  string
	base      string
	model     string
	client    *http.Client
	sign      func(http.Header) // holds the key, where printing does not find it
	timeout   time.Duration
	silence   time.Duration
	maxAnswer int64
}

// New checks options and returns the API they describe; base is the address
// where they name none. Sign puts a key, if there is one, and what else every
// request has, into a header.
func New(provider, base string, o Options, sign func(h http.Header, key string)) (*API, error) {
	u, err := url.Parse(strings.TrimRight(cmp.Or(o.BaseURL, base), "/"))
	switch {
	case err != nil:
		return nil, errors.New("base URL cannot be read") // the cause would print it, with what secrets it has
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("base URL must be http or https with a host, and no user name, query or fragment")
	case !isModel(o.Model):
		return nil, errors.New("model must be a name of 1 to 128 bytes")
	case strings.ContainsFunc(o.APIKey, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, errors.New("API key must be printable ASCII without spaces")
	case o.Timeout < 0 || o.Silence < 0 || o.MaxAnswerBytes < 0:
		return nil, errors.New("a limit is less than 0")
	}
	a := &API{provider: provider, base: u.String(), model: o.Model}
	a.timeout = cmp.Or(o.Timeout, 10*time.Minute)
	a.silence = cmp.Or(o.Silence, min(a.timeout, 2*time.Minute))
	a.maxAnswer = cmp.Or(o.MaxAnswerBytes, 16<<20)
	key := o.APIKey
	a.sign = func(h http.Header) { sign(h, key) }
	if o.Client == nil {
		out, err := egress.New(&egress.Options{HeaderTimeout: a.silence, Timeout: a.timeout, MaxBody: a.maxAnswer + 1})
		if err != nil {
			return nil, err
		}
		o.Client = out.HTTP()
	}
	client := *o.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // a key goes to one address only
	}
	a.client = &client
	return a, nil
}

// Model is the name that requests give.
func (a *API) Model() string { return a.model }

// Answered is what llm.Done calls the model: "PROVIDER:MODEL", with the name that
// the provider gives it, if that can be one, else with the one that was asked for.
func (a *API) Answered(model string) string {
	if !isModel(model) {
		model = a.model
	}
	return a.provider + ":" + model
}

func isModel(s string) bool {
	return s != "" && len(s) <= 128 && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
