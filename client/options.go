package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"strings"
	"time"
)

// The defaults of a client, each named by the option that changes it.
const (
	defaultRetries     = 2                // WithMaxRetries
	defaultRetryAfter  = time.Minute      // WithMaxRetryAfter
	defaultAttempt     = time.Minute      // WithAttemptTimeout
	defaultIdle        = 30 * time.Second // WithStreamIdleTimeout: the server sends a comment every 10 s
	defaultBudget      = 100              // WithRetryBudget
	defaultMaxResponse = 64 << 20         // WithMaxResponseBytes: a document of 16 MiB whose JSON is all escapes is 96 MiB, any other is less
)

// An Option sets one thing of a [Client], of a single call, or of either: each
// says which. Given where it makes no sense it is an error of [New] or of the
// call, and nothing is sent.
type Option struct {
	name string
	of   scope
	set  func(*settings) error
}

// A scope is where an option can be given.
type scope int

const (
	ofClient scope = 1 << iota
	ofCall
)

// settings are what options set.
type settings struct {
	// Of a client alone.
	http       *http.Client
	middleware []func(http.RoundTripper) http.RoundTripper
	tokens     *tokens
	budget     int
	rps        float64
	burst      int
	logger     *slog.Logger

	// Of a client, or of a call for itself.
	key        []string // as the values of Authorization, like agent of User-Agent: made once, sent often
	retries    int
	policy     RetryPolicy
	retryAfter time.Duration
	attempt    time.Duration // below 0: not said
	idle       time.Duration
	noWait     bool
	maxBody    int64
	agent      []string
	header     http.Header

	// Of a call alone.
	idempotencyKey string
	ifMatch        string
	ifNoneMatch    string
	response       **http.Response
}

func defaults() *settings {
	return &settings{
		budget:     defaultBudget,
		retries:    defaultRetries,
		policy:     DefaultRetryPolicy,
		retryAfter: defaultRetryAfter,
		attempt:    -1,
		idle:       defaultIdle,
		maxBody:    defaultMaxResponse,
		agent:      []string{"answerdesk-go/" + Version},
	}
}

// fill sets what depends on several options.
func (s *settings) fill() {
	switch {
	case s.attempt >= 0:
	case s.http != nil && s.http.Timeout > 0:
		s.attempt = s.http.Timeout
	default:
		s.attempt = defaultAttempt
	}
}

// take applies options that were given to a client or to a call.
func (s *settings) take(opts []Option, where scope) error {
	for _, o := range opts {
		switch {
		case o.set == nil:
			return errors.New("client: an option is the zero Option")
		case o.of&where == 0 && where == ofClient:
			return fmt.Errorf("client: %s is an option of a call: give it to a method", o.name)
		case o.of&where == 0:
			return fmt.Errorf("client: %s is an option of a client: give it to New", o.name)
		}
		if err := o.set(s); err != nil {
			return fmt.Errorf("client: %s: %w", o.name, err)
		}
	}
	return nil
}

// WithAPIKey sends key with each request, as a bearer token. Given to a call, it
// takes the place of the client's key, or of its tokens. The client keeps apart
// what it knows about the rate limits of different keys.
func WithAPIKey(key string) Option {
	return Option{"WithAPIKey", ofClient | ofCall, func(s *settings) error {
		if err := checkCredential(key); err != nil {
			return err
		}
		s.key = bearer(key)
		return nil
	}}
}

// WithBearer sends tokens that source returns, for deployments with an
// authentication of their own. A token is kept until the server answers 401;
// then source is asked for another one, and if that is a different one the
// request is sent once more. Calls that run at the same time share one asking;
// ctx is that of the call that asks. It is an option of a client.
func WithBearer(source func(ctx context.Context) (string, error)) Option {
	return Option{"WithBearer", ofClient, func(s *settings) error {
		if source == nil {
			return errors.New("the source is nil")
		}
		s.tokens = newTokens(source)
		return nil
	}}
}

// WithHTTPClient makes requests with a copy of hc: its transport and its cookie
// jar are used. Redirects are not followed whatever its CheckRedirect says. Its
// Timeout, if it has one, becomes that of an attempt where [WithAttemptTimeout]
// says nothing, so that it does not cut streams. It is an option of a
// client.
func WithHTTPClient(hc *http.Client) Option {
	return Option{"WithHTTPClient", ofClient, func(s *settings) error {
		if hc == nil {
			return errors.New("the http.Client is nil")
		}
		s.http = hc
		return nil
	}}
}

// WithTransportMiddleware wraps what sends the requests, once for every attempt
// and below all that the client does: the first one given is the outermost. It
// sees the key. It is an option of a client.
func WithTransportMiddleware(wrap func(http.RoundTripper) http.RoundTripper) Option {
	return Option{"WithTransportMiddleware", ofClient, func(s *settings) error {
		if wrap == nil {
			return errors.New("the middleware is nil")
		}
		s.middleware = append(s.middleware, wrap)
		return nil
	}}
}

// WithMaxRetries bounds how often a call is repeated after its first attempt. The
// default is 2; 0 means never. For a stream it also bounds how often it is taken
// up again.
func WithMaxRetries(n int) Option {
	return Option{"WithMaxRetries", ofClient | ofCall, func(s *settings) error {
		if n < 0 {
			return fmt.Errorf("%d is negative", n)
		}
		s.retries = n
		return nil
	}}
}

// WithRetryPolicy has p decide which failures are worth another attempt. The
// default is [DefaultRetryPolicy]. The number of attempts, the budget and the
// deadlines hold all the same.
func WithRetryPolicy(p RetryPolicy) Option {
	return Option{"WithRetryPolicy", ofClient | ofCall, func(s *settings) error {
		if p == nil {
			return errors.New("the policy is nil")
		}
		s.policy = p
		return nil
	}}
}

// WithRetryBudget sets how many tokens the client's calls may spend on retries
// between them: a retry costs 5, one after a 429 costs 1, and each success gives
// one back. It keeps a client from multiplying the load of a server that is
// down. When too few are left, a call returns its error as it is, joined with
// [ErrRetryBudget]. The default is 100; 0 means no budget, so that
// [WithMaxRetries] alone bounds retries. It is an option of a client.
func WithRetryBudget(tokens int) Option {
	return Option{"WithRetryBudget", ofClient, func(s *settings) error {
		if tokens < 0 {
			return fmt.Errorf("%d is negative", tokens)
		}
		s.budget = tokens
		return nil
	}}
}

// WithMaxRetryAfter bounds a wait that the server asks for, with Retry-After or
// with an exhausted rate limit. For a longer one the call does not wait but
// returns the error at once, joined with [ErrMaxRetryAfter] or
// [ErrRateLimitWait], and its RetryAfter says how long. The default is a minute.
func WithMaxRetryAfter(d time.Duration) Option {
	return Option{"WithMaxRetryAfter", ofClient | ofCall, func(s *settings) error {
		if d < 0 {
			return fmt.Errorf("%v is negative", d)
		}
		s.retryAfter = d
		return nil
	}}
}

// WithAttemptTimeout bounds one attempt, from sending it to the last byte of the
// answer, or to the first of a stream. For large requests it counts on top of a
// second for every 128 KiB sent. The default is a minute; 0 means no bound but
// that of ctx.
func WithAttemptTimeout(d time.Duration) Option {
	return Option{"WithAttemptTimeout", ofClient | ofCall, func(s *settings) error {
		if d < 0 {
			return fmt.Errorf("%v is negative", d)
		}
		s.attempt = d
		return nil
	}}
}

// WithStreamIdleTimeout bounds how long a stream may be silent before it counts
// as cut. The server sends at least a comment every 10 s. The default is 30 s; 0
// means no bound.
func WithStreamIdleTimeout(d time.Duration) Option {
	return Option{"WithStreamIdleTimeout", ofClient | ofCall, func(s *settings) error {
		if d < 0 {
			return fmt.Errorf("%v is negative", d)
		}
		s.idle = d
		return nil
	}}
}

// WithRateLimit keeps the client to rps requests a second for each key, with up
// to burst of them at once; retries count. Calls wait for their turn, as
// [WithMaxRetryAfter] and ctx allow. The default is no limit but the server's.
// It is an option of a client.
func WithRateLimit(rps float64, burst int) Option {
	return Option{"WithRateLimit", ofClient, func(s *settings) error {
		if !(rps > 0) || math.IsInf(rps, 1) {
			return fmt.Errorf("%v requests a second is no rate", rps)
		}
		if burst < 1 {
			return fmt.Errorf("a burst of %d lets nothing pass", burst)
		}
		s.rps, s.burst = rps, burst
		return nil
	}}
}

// WithoutRateLimitWait makes a call that would have to wait for a rate limit,
// the client's own or the server's, fail at once: with [ErrRateLimitWait] if it
// was not sent, and with the 429 if it was.
func WithoutRateLimitWait() Option {
	return Option{"WithoutRateLimitWait", ofClient | ofCall, func(s *settings) error {
		s.noWait = true
		return nil
	}}
}

// WithMaxResponseBytes bounds the body of an answer, unpacked. A longer one is
// [ErrResponseTooLarge]. The default is 64 MiB. An event of a stream is bounded
// by it and by 4 MiB.
func WithMaxResponseBytes(n int64) Option {
	return Option{"WithMaxResponseBytes", ofClient | ofCall, func(s *settings) error {
		if n < 1 || n == math.MaxInt64 {
			return fmt.Errorf("%d is no number of bytes to stop at", n)
		}
		s.maxBody = n
		return nil
	}}
}

// WithLogger has a line written for each attempt, at level debug: operation,
// method, path without ids and query, status, duration, attempt and request id,
// and never a body or a key. The default nil is silence. It is an option of a
// client.
func WithLogger(l *slog.Logger) Option {
	return Option{"WithLogger", ofClient, func(s *settings) error {
		s.logger = l
		return nil
	}}
}

// WithUserAgent puts product, such as "shop/2.1", before the client's own name
// in the User-Agent.
func WithUserAgent(product string) Option {
	return Option{"WithUserAgent", ofClient | ofCall, func(s *settings) error {
		if err := checkValue(product); err != nil || product == "" {
			return errors.New("the product cannot be sent in a header")
		}
		s.agent = []string{product + " answerdesk-go/" + Version}
		return nil
	}}
}

// WithIdempotencyKey sends key in place of one made for this call, so that the
// call can be repeated by another process, after a crash for instance: within 24
// hours the same key with the same request does nothing twice. It is an option
// of calls that create something.
func WithIdempotencyKey(key string) Option {
	return Option{"WithIdempotencyKey", ofCall, func(s *settings) error {
		if key == "" || len(key) > maxIdempotencyKey || strings.ContainsFunc(key, func(r rune) bool { return r < '!' || r > '~' }) {
			return fmt.Errorf("a key is 1 to %d visible ASCII characters", maxIdempotencyKey)
		}
		s.idempotencyKey = key
		return nil
	}}
}

// maxIdempotencyKey is how long the contract lets a key be.
const maxIdempotencyKey = 255

// WithHeader sends a header with each request, in place of one that was set by
// the same name before. Those that say who calls, what is sent and how to repeat
// it belong to the client and to other options, and are refused.
func WithHeader(name, value string) Option {
	return Option{"WithHeader", ofClient | ofCall, func(s *settings) error {
		name := http.CanonicalHeaderKey(name)
		if way, ours := reserved[name]; ours {
			return fmt.Errorf("the header %s is set by the client: %s", name, way)
		}
		if !token(name) {
			return errors.New("the name is none that a header can have")
		}
		if err := checkValue(value); err != nil {
			return fmt.Errorf("the header %s: %w", name, err)
		}
		s.header = maps.Clone(s.header) // a call's must not reach the client's
		if s.header == nil {
			s.header = http.Header{}
		}
		s.header[name] = []string{value}
		return nil
	}}
}

// reserved are the headers that WithHeader refuses, each with the way out.
var reserved = map[string]string{
	"Authorization":     "use WithAPIKey or WithBearer",
	"X-Api-Key":         "use WithAPIKey",
	"Idempotency-Key":   "use WithIdempotencyKey",
	"If-Match":          "use WithIfMatch",
	"If-None-Match":     "use WithIfNoneMatch",
	"User-Agent":        "use WithUserAgent",
	"Last-Event-Id":     "use Messages.Resume",
	"Accept":            "the operation decides",
	"Accept-Encoding":   "net/http unpacks what it asked for",
	"Content-Type":      "the operation decides",
	"Content-Length":    "the body decides",
	"Transfer-Encoding": "the body decides",
	"Connection":        "net/http decides",
	"Host":              "the base URL decides",
}

// WithIfMatch lets a change happen only while the thing still has this ETag;
// otherwise the error is [ErrPreconditionFailed]. [WithResponse] gives the ETag
// of what was read. It is an option of the calls that update.
func WithIfMatch(etag string) Option {
	return Option{"WithIfMatch", ofCall, func(s *settings) error {
		s.ifMatch = etag
		return checkTag(etag)
	}}
}

// WithIfNoneMatch reads a thing only if it no longer has this ETag; otherwise
// the error is [ErrNotModified]. It is an option of the calls that get one thing
// that has an ETag.
func WithIfNoneMatch(etag string) Option {
	return Option{"WithIfNoneMatch", ofCall, func(s *settings) error {
		s.ifNoneMatch = etag
		return checkTag(etag)
	}}
}

// WithResponse stores the answer's status and headers in *to, also when the call
// fails after an answer came. The body has been read and the Request, which
// holds the key, is left out. Of a call that takes several requests it is the
// last answer. See [ReadRateLimit] and [ReadKnowledgeRevision] for what headers
// tell.
func WithResponse(to **http.Response) Option {
	return Option{"WithResponse", ofCall, func(s *settings) error {
		if to == nil {
			return errors.New("the pointer is nil")
		}
		s.response = to
		return nil
	}}
}

func checkTag(etag string) error {
	if etag == "" {
		return errors.New("the ETag is empty")
	}
	return checkValue(etag)
}

// checkCredential says whether a key or token can be sent as a bearer token. Its
// errors do not quote it.
func checkCredential(v string) error {
	if v == "" {
		return errors.New("it is empty")
	}
	if strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("it has a character that no key has, such as a space or a line break")
	}
	return nil
}

// bearer returns the values of Authorization for a key or a token.
func bearer(v string) []string { return []string{"Bearer " + v} }

// checkValue says whether v can be the value of a header (RFC 9110 section 5.5).
func checkValue(v string) error {
	if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return errors.New("the value has a line break or another control character")
	}
	return nil
}

// token says whether s can be the name of a header (RFC 9110 section 5.6.2).
func token(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	})
}
