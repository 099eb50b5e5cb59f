package clienttest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// A Step says how one request is answered. It is made by [Respond], [SSE],
// [Handler] and the like; its methods return a copy to which a fault was added,
// so a step may be used in many scripts.
type Step struct {
	serve http.Handler
	delay time.Duration
	head  http.Header // set over the headers of serve
	piece int         // write so many bytes at once, if not 0
	every time.Duration
	end   ending
	at    Stage // of the end
}

// An ending is how the connection of an answer ends.
type ending int

const (
	whole  ending = iota // it does not, unless the client or HTTP say so
	closed               // as at the end of a process
	reset                // as when a process is killed, or a load balancer forgets it
)

// A Stage is a moment in the answer to a request. A number of 0 or more is a
// number of bytes of the answer's body that are sent before.
type Stage int

// The stages before the body.
const (
	BeforeReading   Stage = iota - 3 // the headers of the request were read, but not its body; a handler is not called
	AfterReading                     // the answer is ready, and a handler has returned, but nothing of it was sent
	AfterStatusLine                  // only the first line was sent
)

// Respond is an answer with a status and a body, after all of the request was
// read. A string or []byte is sent as it is, nil is no body, and anything else
// is sent as JSON; Respond panics if it cannot be. The Content-Type is
// application/json unless [Step.Header] says otherwise, so that "{" is JSON
// gone wrong.
func Respond(status int, body any) Step {
	header := http.Header{}
	if body != nil {
		header.Set("Content-Type", "application/json")
	}
	return canned(status, header, encode(body))
}

// canned is an answer of a header and a body, which may be nil.
func canned(status int, header http.Header, body []byte) Step {
	return Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		discard(r)
		maps.Copy(w.Header(), header)
		if body != nil {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		}
		w.WriteHeader(status)
		send(w, body)
	}))
}

// SSE is a stream of server-sent events, which is sent at once and unchecked,
// chunked as streams are. Give it part of a stream for one that ends early but
// well, and use [Step.Truncate] or [Step.Reset] for one that is cut.
func SSE(text string) Step {
	return Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		discard(r)
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(200)
		if http.NewResponseController(w).Flush() == nil {
			send(w, []byte(text))
		}
	}))
}

// RateLimited is an answer of status 429, in the form of Answerdesk's errors.
// Its Retry-After may be in any of the forms that servers use, or none of them;
// empty means that there is none.
func RateLimited(retryAfter string) Step {
	header := http.Header{"Content-Type": {"application/json"}}
	if retryAfter != "" {
		header.Set("Retry-After", retryAfter)
	}
	return canned(http.StatusTooManyRequests, header, []byte(
		`{"error":{"code":"rate_limit_exceeded","message":"too many requests","details":{},"request_id":"req_clienttest"}}`))
}

// HTML502 is the page that a proxy sends when it cannot reach the server.
func HTML502() Step {
	return canned(http.StatusBadGateway, http.Header{"Content-Type": {"text/html"}}, []byte(
		"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"))
}

// Hang never answers. It ends when the client goes away or the server closes.
func Hang() Step {
	return Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		discard(r)
		<-r.Context().Done()
	}))
}

// Reset resets the connection, without an answer unless at is a later stage
// than [AfterReading]: then the answer begins as an empty one of status 200.
func Reset(at Stage) Step { return Respond(http.StatusOK, nil).Reset(at) }

// Handler is the answer of h. Requests that reach it are recorded like others,
// as far as h reads them.
func Handler(h http.Handler) Step { return Step{serve: h} }

// Header returns the step with a header added to its answer. It replaces those
// of the answer itself; called again for one key, it adds another value.
func (s Step) Header(key, value string) Step {
	if s.head = s.head.Clone(); s.head == nil {
		s.head = http.Header{}
	}
	s.head.Add(key, value)
	return s
}

// RetryAfter returns the step with a Retry-After header, sent as it is.
func (s Step) RetryAfter(value string) Step { return s.Header("Retry-After", value) }

// Delay returns the step with the first byte of its answer, or its reset, held
// back for d. A handler does its work before that.
func (s Step) Delay(d time.Duration) Step {
	s.delay = d
	return s
}

// SlowBody returns the step with its body sent in pieces of at most n bytes and
// a pause between them.
func (s Step) SlowBody(n int, pause time.Duration) Step {
	s.piece, s.every = max(n, 1), pause
	return s
}

// Reset returns the step with its connection reset at a stage: clients see
// ECONNRESET, but at [AfterStatusLine] those of net/http see an unexpected end.
// If the body is shorter than the stage says, all of it is sent first, but what
// shows that the answer is complete may be missing. (On Windows a reset
// overtakes what was sent before it and not yet read.)
func (s Step) Reset(at Stage) Step {
	s.end, s.at = reset, at
	return s
}

// Truncate returns the step with its connection closed at a stage, without an
// error but too early: clients see an unexpected end. Systems reset a connection
// that is closed with bytes unread, as with [BeforeReading] they may be.
func (s Step) Truncate(at Stage) Step {
	s.end, s.at = closed, at
	return s
}

// encode makes the bytes of a body.
func encode(body any) []byte {
	switch body := body.(type) {
	case nil:
		return nil
	case string:
		return []byte(body)
	case []byte:
		return slices.Clone(body)
	}
	data, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("clienttest: the body of a step cannot be JSON: %v", err))
	}
	return data
}

// discard reads the request to its end, so that it is recorded, and so that
// net/http notices when the client goes away.
func discard(r *http.Request) {
	io.Copy(io.Discard, r.Body) //nolint:errcheck // a body that breaks off is recorded as that
}

// send writes what a client may no longer want.
func send(w http.ResponseWriter, data []byte) {
	w.Write(data) //nolint:errcheck // the request's record says that the client went away
}
