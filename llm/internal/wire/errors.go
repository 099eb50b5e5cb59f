package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/egress"
	"github.com/answerdesk-go/answerdesk/llm"
)

// maxRefusal is how much of an answer is read whose status is not 200.
const maxRefusal = 16 << 10

// Malformed is the error of an answer that is not what was asked for. What is
// said of it must hold nothing of the answer.
func (a *API) Malformed(format string, args ...any) error {
	return &llm.Error{Provider: a.provider, Kind: llm.Malformed, Detail: fmt.Sprintf(format, args...)}
}

// BadRequest is the error of a request that is not worth sending.
func (a *API) BadRequest(format string, args ...any) error {
	return &llm.Error{Provider: a.provider, Kind: llm.BadRequest, Detail: fmt.Sprintf(format, args...)}
}

// Incomplete is the error of a stream that ended before its answer did.
func (a *API) Incomplete() error {
	return &llm.Error{Provider: a.provider, Kind: llm.Network, Err: llm.ErrIncomplete}
}

// Ended is the error of an answer whose context has ended.
func (a *API) Ended(ctx context.Context) error {
	return &llm.Error{Provider: a.provider, Kind: llm.Network, Err: ctx.Err()}
}

// lost is the error of a call that had no whole answer. If the caller's context
// has ended that is the cause.
func (a *API) lost(c *call, err error) error {
	e := &llm.Error{Provider: a.provider, Kind: llm.Network, Err: safe(err)}
	tooLarge, ok := errors.AsType[*egress.Error](err)
	switch ended := c.outer.Err(); {
	case ended != nil:
		e.Err = ended
		return e
	case errors.Is(err, errTooLong) || ok && tooLarge.Class == egress.TooLarge:
		return a.Malformed("the answer has more than %d bytes", a.maxAnswer)
	case errors.Is(context.Cause(c.inner), errSilent):
		e.Err = &cause{fmt.Sprintf("nothing came for %v", a.silence), context.DeadlineExceeded}
	case c.inner.Err() != nil:
		e.Err = &cause{fmt.Sprintf("no whole answer within %v", a.timeout), context.DeadlineExceeded}
	}
	if c.resp != nil {
		e.Err = &broken{e.Err}
	}
	return e
}

// A broken answer is one that had begun.
type broken struct{ cause error }

func (b *broken) Error() string   { return llm.ErrIncomplete.Error() + ": " + b.cause.Error() }
func (b *broken) Unwrap() []error { return []error{llm.ErrIncomplete, b.cause} }

// A cause is an error with words of ours.
type cause struct {
	text string
	err  error
}

func (c *cause) Error() string { return c.text }
func (c *cause) Unwrap() error { return c.err }

// safe gives an error of the network words without names and addresses.
func safe(err error) error {
	if e, ok := errors.AsType[*egress.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	text := "the connection failed"
	var timeout net.Error
	_, name := errors.AsType[*net.DNSError](err)
	switch no, system := errors.AsType[syscall.Errno](err); {
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		text = "the connection was closed"
	case name:
		text = "the host's name could not be resolved"
	case system:
		text = no.Error()
	case errors.As(err, &timeout) && timeout.Timeout():
		text = "no answer in time"
	}
	return &cause{text, err}
}

// Refused is the error of an error object within a stream, as the provider wrote
// it.
func (a *API) Refused(said []byte) error { return a.refused(0, nil, said) }

// refused is the error of an answer whose status is not 200, or of an object within
// one whose status is. Of what the server wrote only its code is kept, since the
// rest may repeat the texts or the key.
func (a *API) refused(status int, h http.Header, said []byte) error {
	r := readRefusal(said)
	e := &llm.Error{Provider: a.provider, Status: status, Code: r.code, RetryAfter: max(retryAfter(h), r.wait)}
	if status == 0 {
		status = r.status
	}
	code := strings.ToLower(r.code)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(code, w) {
				return true
			}
		}
		return false
	}
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		e.Kind = llm.Auth
	case status == http.StatusTooManyRequests || status == http.StatusPaymentRequired:
		e.Kind = llm.RateLimit
	case status == http.StatusRequestEntityTooLarge || saysTooLarge(said):
		e.Kind = llm.TooLarge
	case status == http.StatusRequestTimeout || status >= 500:
		e.Kind = llm.Server
	case has("api_key_invalid"): // of Gemini, with status 400
		e.Kind = llm.Auth
	case status != 0:
		e.Kind = llm.BadRequest
	case has("auth", "permission", "api_key"):
		e.Kind = llm.Auth
	case has("rate_limit", "quota", "resource_exhausted", "too_many", "billing"):
		e.Kind = llm.RateLimit
	case has("invalid", "not_found", "bad_request", "badrequest", "failed_precondition", "unsupported"):
		e.Kind = llm.BadRequest
	default:
		e.Kind = llm.Server // it had begun to answer
	}
	return e
}

// A refusal is what can be said of an error that a provider wrote.
type refusal struct {
	code   string
	status int // that the error names itself, 400 or more; else 0
	wait   time.Duration
}

// readRefusal finds the code of {"error":{"code"}}, or its type or status, if it
// looks like one, in the forms of OpenAI, Anthropic, Gemini and others, also in a
// list.
func readRefusal(said []byte) (r refusal) {
	var list []json.RawMessage
	if json.Unmarshal(said, &list) == nil && len(list) > 0 {
		said = list[0]
	}
	var outer map[string]any
	if json.Unmarshal(said, &outer) != nil {
		return r
	}
	o, ok := outer["error"].(map[string]any)
	if !ok {
		o = outer
	}
	names := []any{o["code"], o["status"], o["type"]}
	details, _ := o["details"].([]any)
	for _, d := range details {
		if d, ok := d.(map[string]any); ok {
			names = append([]any{d["reason"]}, names...) // google.rpc.ErrorInfo
			delay, _ := d["retryDelay"].(string)         // google.rpc.RetryInfo
			if wait, err := time.ParseDuration(delay); err == nil {
				r.wait = max(0, min(wait, 24*time.Hour))
			}
		}
	}
	for _, name := range names {
		switch c := name.(type) {
		case string:
			if r.code == "" && len(c) <= 64 && strings.Trim(c, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") == "" {
				r.code = c
			}
		case float64:
			if c >= 400 && c < 600 {
				r.status = int(c)
			}
		}
	}
	return r
}

// saysTooLarge reports whether a server that has no status of its own for it says
// that there is too much text, in the words of OpenAI, Anthropic, Gemini, vLLM,
// llama.cpp, LiteLLM and text-embeddings-inference.
func saysTooLarge(said []byte) bool {
	text := strings.ToLower(string(said))
	for _, words := range []string{
		"context_length", "context length", "context size", "context_size", "context window",
		"prompt is too long", "exceeds the maximum number of tokens", // Anthropic, Gemini
		"too large to process", "input is too long", "maximum input length", "max_tokens_per_request",
		"must have less than", "batch size", // the latter two of text-embeddings-inference
	} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

// retryAfter reads how long a server asks to wait, in milliseconds as OpenAI says
// it, in seconds or until a date; 0 if it does not, or not so that it can be read.
func retryAfter(h http.Header) time.Duration {
	if n, err := strconv.Atoi(h.Get("Retry-After-Ms")); err == nil {
		return time.Duration(max(0, min(n, 24*60*60*1000))) * time.Millisecond
	}
	s := h.Get("Retry-After")
	if n, err := strconv.Atoi(s); err == nil {
		return time.Duration(max(0, min(n, 24*60*60))) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(0, min(time.Until(t), 24*time.Hour))
	}
	return 0
}
