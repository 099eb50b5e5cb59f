package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/client/api"
)

// What an [*Error] is, to branch on with errors.Is. By status:
var (
	ErrInvalidRequest     = errors.New("invalid request")     // 400, and any 4xx that is none of the following
	ErrUnauthorized       = errors.New("unauthorized")        // 401: no key, or one that does not work
	ErrForbidden          = errors.New("forbidden")           // 403: the key may not do this
	ErrNotFound           = errors.New("not found")           // 404
	ErrConflict           = errors.New("conflict")            // 409: Code says which, such as turn_in_progress
	ErrPreconditionFailed = errors.New("precondition failed") // 412: what WithIfMatch names has changed
	ErrRateLimited        = errors.New("rate limited")        // 429
	ErrServer             = errors.New("server error")        // 5xx
	ErrNotModified        = errors.New("not modified")        // 304: what WithIfNoneMatch names still holds
)

// What an [*Error] is beside its status: why there was no answer, or none that
// can be used, or no further attempt.
var (
	// ErrIncompleteStream means that a stream ended before the reply was
	// complete, and could not be taken up again. The turn may go on:
	// Messages.Get and Messages.Resume tell.
	ErrIncompleteStream = errors.New("the stream ended before the reply was complete")

	// ErrResponseTooLarge means that an answer is longer than
	// [WithMaxResponseBytes] allows, or that an event is.
	ErrResponseTooLarge = errors.New("the answer is too large")

	// ErrRetryBudget means that another attempt would have been made if the
	// client's calls had not failed so often: see [WithRetryBudget].
	ErrRetryBudget = errors.New("not repeated: the client's retry budget is spent")

	// ErrRateLimitWait means that the client itself held the request back,
	// because a rate limit asks for a longer wait than ctx and
	// [WithMaxRetryAfter] allow, or for any after [WithoutRateLimitWait].
	// RetryAfter says how long.
	ErrRateLimitWait = errors.New("held back by the client-side rate limit")

	// ErrMaxRetryAfter means that the server asks for a longer wait than
	// [WithMaxRetryAfter] allows. RetryAfter says how long.
	ErrMaxRetryAfter = errors.New("not repeated: the server asks for a longer wait than is allowed")
)

// An Error is a call that failed on its way to the server, there, or on its way
// back. What is wrong with the arguments of a call is an error of another type,
// and nothing was sent.
type Error struct {
	// StatusCode is that of the last answer; 0 if none came. Of an error that
	// ended a stream it is 200.
	StatusCode int

	// Code is the contract's word for the error, such as "turn_in_progress".
	// It is empty if whoever answered was not the API.
	Code string

	// Message says what is wrong and what to do about it.
	Message string

	// Details are facts about the error, such as "field".
	Details map[string]any

	// RequestID is the X-Request-Id to ask the operator about.
	RequestID string

	// RetryAfter is how long to wait before a next call; 0 if nobody said.
	RetryAfter time.Duration

	// RateLimit is what the last answer said of the tightest window; nil if
	// nothing.
	RateLimit *RateLimit

	// Attempts are those that failed, in order. The last one is what the error
	// is about, unless the client held it back.
	Attempts []Attempt

	// Body is the beginning of the answer's body, up to 4 KiB.
	Body []byte

	op    string
	cause error // why there is no answer, or no further attempt
}

// An Attempt is one request of a call that failed.
type Attempt struct {
	Wait     time.Duration // how long the client waited before it: between attempts, and for rate limits
	Start    time.Time     // when it was sent
	Duration time.Duration // until the answer, or the failure
	Status   int           // of the answer; 0 if none came
	Err      error         // why none came, or none that can be used
}

// maxSnippet is how many bytes of a body an Error keeps.
const maxSnippet = 4 << 10

// Error says what was called and what came of it. It quotes neither the request
// nor the body.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("client: " + e.op)
	if e.StatusCode != 0 {
		fmt.Fprintf(&b, ": %d", e.StatusCode)
		if e.Code != "" {
			b.WriteString(" " + plain(e.Code, 64))
		}
		if e.Message != "" {
			b.WriteString(": " + plain(e.Message, 512))
		}
	}
	if e.cause != nil {
		b.WriteString(": " + e.cause.Error())
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, " (retry after %v)", e.RetryAfter.Round(time.Millisecond))
	}
	if len(e.Attempts) > 1 {
		fmt.Fprintf(&b, " (%d attempts)", len(e.Attempts))
	}
	if e.RequestID != "" {
		b.WriteString(" (request " + plain(e.RequestID, 128) + ")")
	}
	return b.String()
}

// plain makes what a server said fit for one line of a log.
func plain(s string, most int) string {
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}

// Is says whether e is one of the sentinels that stand for a status. Of an error
// that came within a stream, its code decides.
func (e *Error) Is(target error) bool {
	kind := e.kind()
	return kind != nil && target == kind
}

func (e *Error) kind() error {
	switch s := e.StatusCode; {
	case s == http.StatusNotModified:
		return ErrNotModified
	case s == http.StatusUnauthorized:
		return ErrUnauthorized
	case s == http.StatusForbidden:
		return ErrForbidden
	case s == http.StatusNotFound:
		return ErrNotFound
	case s == http.StatusConflict:
		return ErrConflict
	case s == http.StatusPreconditionFailed:
		return ErrPreconditionFailed
	case s == http.StatusTooManyRequests:
		return ErrRateLimited
	case s >= 500:
		return ErrServer
	case s >= 400:
		return ErrInvalidRequest
	}
	switch e.Code {
	case "not_found":
		return ErrNotFound
	case "rate_limit_exceeded":
		return ErrRateLimited
	case "turn_failed", "internal_error", "store_unavailable", "server_draining", "knowledge_too_large":
		return ErrServer
	}
	return nil
}

// Unwrap returns why no answer came, none that can be used or no further
// attempt, if that is what happened: an error of the network, of ctx, or one of
// the sentinels.
func (e *Error) Unwrap() error { return e.cause }

// Timeout says whether time ran out, of an attempt or of ctx, as [net.Error] has
// it.
func (e *Error) Timeout() bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](e.cause)
	return ok && t.Timeout()
}

// read fills e from an answer that is none of those expected.
func (e *Error) read(status int, header http.Header, body []byte, now time.Time) {
	e.StatusCode = status
	e.RequestID = header.Get("X-Request-Id")
	e.RetryAfter, _ = askedWait(status, header, now)
	if limit, ok := ReadRateLimit(header); ok {
		e.RateLimit = &limit
	}
	e.Body = body[:min(len(body), maxSnippet)]
	var answer api.ErrorResponse
	if err := json.Unmarshal(body, &answer); err == nil && answer.Error.Code != "" {
		e.body(&answer.Error)
		return
	}
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	switch {
	case status == http.StatusNotModified:
	case status >= 300 && status < 400:
		e.Message = "the answer is a redirect" + toHost(header) + ", which is not followed: check the base URL"
	case len(body) == 0:
		e.Message = "the answer is empty"
	case kind == "":
		e.Message = "the answer is none of this API"
	default:
		e.Message = "the answer is none of this API but of type " + kind
	}
}

// body takes over what the API said.
func (e *Error) body(b *api.ErrorBody) {
	e.Code, e.Message, e.Details = b.Code, b.Message, b.Details
	if e.RequestID == "" {
		e.RequestID = b.RequestID
	}
}

// toHost names the host that a redirect leads to, and not the rest: it may hold
// what the request held.
func toHost(h http.Header) string {
	if u, err := url.Parse(h.Get("Location")); err == nil && u.Host != "" {
		return " to " + u.Host
	}
	return ""
}

// bare takes the URL off an error of http.Client, whose text quotes it with its
// query.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
