package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// A call is one call of a method: all its attempts, or all the requests that a
// stream takes.
type call struct {
	client   *Client
	op       *operation
	settings settings
	gate     *gate
	retry    retryablehttp.Client // of this call alone: its hooks are methods of it

	into   any  // what the answer is read into; nil if nothing is
	stream bool // the answer is to be a stream
	single bool // the body can be sent once only

	// How it went so far.
	token    string        // the bearer token in use
	renewed  bool          // because the one before was refused
	retries  int           // how many were spent
	wait     time.Duration // before the next attempt
	stop     error         // why there was no further attempt, if not for the policy
	made     int           // attempts
	attempts []Attempt     // those that failed

	// The last answer.
	answered bool // the last attempt has one
	status   int
	header   http.Header
	body     []byte
	live     *liveBody // its body, if that is a stream
	at       time.Time
}

// begin checks the options of a call and makes what all its attempts share.
func (c *Client) begin(op *operation, opts []Option) (*call, error) {
	k := &call{client: c, op: op, settings: *c.settings, gate: c.gates.own}
	if len(opts) > 0 {
		k.settings.key = nil
		if err := k.settings.take(opts, ofCall); err != nil {
			return nil, fmt.Errorf("%w (%s)", err, op.id)
		}
		if err := op.allows(&k.settings); err != nil {
			return nil, err
		}
		switch own := k.settings.key; {
		case own == nil:
			k.settings.key = c.settings.key
		case c.settings.key == nil || own[0] != c.settings.key[0]:
			k.settings.tokens = nil
			k.gate = c.gates.of(own[0])
		}
	}
	if op.repeat == keyed && k.settings.idempotencyKey == "" {
		k.settings.idempotencyKey = rand.Text() // 130 bits
	}
	k.retry = retryablehttp.Client{
		HTTPClient:   c.http,
		RetryMax:     math.MaxInt32, // check counts, for streams over several requests
		CheckRetry:   k.check,
		Backoff:      k.backoff,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	if k.settings.tokens != nil {
		k.retry.PrepareRetry = k.prepare
	}
	return k, nil
}

// send returns what turns a request, as package raw builds it, into the answer
// of a method.
func send[T any](ctx context.Context, c *Client, op *operation, opts []Option) func(*http.Request, error) (*T, error) {
	return func(req *http.Request, err error) (*T, error) {
		if err != nil {
			return nil, fmt.Errorf("client: %s: %w", op.id, err)
		}
		k, err := c.begin(op, opts)
		if err != nil {
			return nil, err
		}
		answer := new(T)
		k.into = answer
		if err := k.send(ctx, req); err != nil {
			return nil, err
		}
		return answer, nil
	}
}

// none is the answer of an operation that has none.
type none struct{}

// send makes the attempts of a request, and leaves the answer in the call.
func (k *call) send(ctx context.Context, req *http.Request) error {
	if err := k.op.check(k.client.base, req.URL); err != nil {
		return err
	}
	if err := k.dress(ctx, req); err != nil {
		return k.failure(err)
	}
	r := &retryablehttp.Request{Request: req.WithContext(context.WithValue(ctx, callKey{}, k))}
	switch {
	case req.GetBody != nil:
		if err := replay(r, req); err != nil {
			return k.failure(err)
		}
	case req.Body != nil:
		k.single = true
	}
	k.stop, k.answered, k.status, k.header, k.body, k.live = nil, false, 0, nil, nil, nil

	resp, err := k.retry.Do(r) //nolint:bodyclose // what decodes or streams the answer closes it
	if k.settings.response != nil && k.header != nil {
		*k.settings.response = k.response(resp) //nolint:bodyclose // a copy without its body
	}
	if err == nil && resp.StatusCode < http.StatusMultipleChoices {
		k.client.budget.earn()
		return nil
	}
	return k.failure(err)
}

// dress sets the headers of a request.
func (k *call) dress(ctx context.Context, req *http.Request) error {
	s := &k.settings
	h := req.Header
	maps.Copy(h, s.header)
	h["User-Agent"] = s.agent
	h["Accept"] = acceptJSON
	if k.stream {
		h["Accept"] = acceptEvents
	}
	if s.key != nil {
		h["Authorization"] = s.key
	}
	if s.tokens != nil {
		if k.token == "" {
			token, err := s.tokens.get(ctx, "")
			if err != nil {
				return err
			}
			k.token = token
		}
		h["Authorization"] = bearer(k.token)
	}
	if s.idempotencyKey != "" && k.op.repeat == keyed {
		h["Idempotency-Key"] = []string{s.idempotencyKey}
	}
	if s.ifMatch != "" {
		h["If-Match"] = []string{s.ifMatch}
	}
	if s.ifNoneMatch != "" {
		h["If-None-Match"] = []string{s.ifNoneMatch}
	}
	return nil
}

// What requests accept. The values are shared by all of them: a transport may
// not change a request.
var (
	acceptJSON   = []string{"application/json"}
	acceptEvents = []string{"text/event-stream"}
)

// replay has each attempt send a body of its own, without keeping a copy of it.
func replay(r *retryablehttp.Request, req *http.Request) error {
	measured := false
	err := r.SetBody(retryablehttp.ReaderFunc(func() (io.Reader, error) {
		if !measured { // SetBody looks at a first one
			measured = true
			return http.NoBody, nil
		}
		return req.GetBody()
	}))
	r.ContentLength, r.GetBody = req.ContentLength, req.GetBody // which SetBody forgets
	return err
}

// errUnreadable means that an answer came whole and is not what it should be.
var errUnreadable = errors.New("the answer cannot be read")

// decode reads the answer of a method. That it ends too early counts as a lost
// connection, which another attempt may mend.
func (k *call) decode(status int) error {
	if k.into == nil || status >= http.StatusMultipleChoices {
		return nil
	}
	if _, ok := k.into.(*none); ok {
		return nil
	}
	err := json.Unmarshal(k.body, k.into)
	switch {
	case err == nil:
		return nil
	case len(k.body) > 0 && err.Error() == brokenOff:
		return io.ErrUnexpectedEOF
	}
	return errUnreadable
}

// brokenOff is what encoding/json says of a text that ends too early.
var brokenOff = json.Unmarshal([]byte("{"), new(any)).Error()

// response returns the last answer for WithResponse: without its request, which
// holds the key.
func (k *call) response(resp *http.Response) *http.Response {
	r := &http.Response{Status: fmt.Sprintf("%d %s", k.status, http.StatusText(k.status)), StatusCode: k.status, Header: k.header, Body: http.NoBody}
	if resp != nil {
		r.Status, r.Proto, r.ProtoMajor, r.ProtoMinor, r.TLS = resp.Status, resp.Proto, resp.ProtoMajor, resp.ProtoMinor, resp.TLS
		r.Uncompressed, r.ContentLength = resp.Uncompressed, int64(len(k.body))
	}
	return r
}

// failure makes the error of a call out of the answer to its last attempt and
// what else went wrong. A request that the client held back is no attempt: the
// answer before it is what the error is about.
func (k *call) failure(err error) *Error {
	e := &Error{op: k.op.id, Attempts: k.attempts, cause: k.stop}
	err = bare(err)
	if n := len(k.attempts); n > 0 && k.attempts[n-1].Status != 0 {
		e.RequestID = first(k.header, "X-Request-Id")
	}
	if k.answered || errors.Is(err, errUnreadable) {
		e.read(k.status, k.header, k.body, k.at)
	}
	switch {
	case err == nil || errors.Is(err, errUnreadable):
	case k.stop != nil:
		e.cause = fmt.Errorf("%w: %w", err, k.stop)
	default:
		e.cause = err
	}
	if held, ok := errors.AsType[*heldBack](err); ok {
		e.RetryAfter = held.wait
	}
	return e
}
