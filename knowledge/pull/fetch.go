package pull

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/egress"
)

// Bounds of asking for one page.
const (
	maxTries = 5        // one request and four more
	maxHops  = 5        // redirects
	maxDrain = 16 << 10 // bytes of an unwanted body that are read so that the connection can be used again
)

// An answer is what came of asking for an address.
type answer struct {
	url    *url.URL // where it came from, after redirects
	status int      // 0 if none came
	header http.Header
	body   []byte // of a success; good until the next request
	cause  error  // why nothing, or no more, came
}

var (
	errBytes     = errors.New("the run has read as many bytes as it may")
	errPageBytes = errors.New("the page is too large")
	errElsewhere = errors.New("redirect to another host")
	errHops      = errors.New("too many redirects")
	errEncoding  = errors.New("an encoding that was not asked for")
)

// get asks for u, more than once if that may help. An End says that a bound of
// the run was reached.
func (r *Run) get(ctx context.Context, u *url.URL, known Known) (answer, *Error, End) {
	for try := 1; ; try++ {
		if err := r.rest(ctx); err != nil {
			return answer{url: u}, r.fail(u, 0, &Error{Kind: KindNetwork, Message: "no complete answer in time"}), r.outOfTime()
		}
		a := r.follow(ctx, u, known)
		if a.cause == nil && (a.status/100 == 2 || a.status == http.StatusNotModified && known != Known{}) {
			return a, nil, ""
		}
		if errors.Is(a.cause, errBytes) {
			return a, nil, EndBytes
		}
		if ctx.Err() != nil {
			return a, r.fail(a.url, a.status, r.failure(a, 0)), r.outOfTime()
		}
		wait, again := r.again(a, try)
		if !again || wait > r.puller.opts.MaxRetryAfter {
			return a, r.fail(a.url, a.status, r.failure(a, wait)), ""
		}
		if time.Now().Add(wait).After(r.deadline) {
			return a, nil, EndTime
		}
		r.next = time.Now().Add(max(wait, r.pause))
	}
}

func (r *Run) outOfTime() End {
	if time.Now().Before(r.deadline) {
		return ""
	}
	return EndTime
}

// rest waits until the next request may be made.
func (r *Run) rest(ctx context.Context) error {
	t := time.NewTimer(time.Until(r.next))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	r.next = time.Now().Add(r.pause)
	return ctx.Err()
}

// again says whether asking again after the answer to a given try may help, and
// how long to wait before.
func (r *Run) again(a answer, try int) (time.Duration, bool) {
	switch {
	case limited(a) || a.status == http.StatusServiceUnavailable:
		return retryAfter(a.header, try), try < maxTries
	case a.status >= 500 && a.status != http.StatusNotImplemented:
		return time.Second << (try - 1), try < 3
	case a.cause == nil || errors.Is(a.cause, errPageBytes) || errors.Is(a.cause, errElsewhere) || errors.Is(a.cause, errHops) || errors.Is(a.cause, errEncoding):
		return 0, false
	}
	if e, ok := errors.AsType[*egress.Error](a.cause); ok && (e.Class == egress.Refused || e.Class == egress.TLS || e.Class == egress.TooLarge) {
		return 0, false
	}
	return time.Second << (try - 1), try < 3
}

// limited says whether an answer says that there were too many requests; some
// APIs do so with 403.
func limited(a answer) bool {
	if a.status == http.StatusForbidden {
		return a.header.Get("Retry-After") != "" || a.header.Get("X-Ratelimit-Remaining") == "0"
	}
	return a.status == http.StatusTooManyRequests
}

// retryAfter is how long to wait after the answer to a given try: what
// Retry-After says (RFC 9110 section 10.2.3) or, without it, when the limit is
// reset by the names that are in use for that, as seconds or as a Unix time.
func retryAfter(h http.Header, try int) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if at, err := http.ParseTime(v); err == nil {
		return max(0, time.Until(at))
	}
	for _, v := range []string{v, h.Get("Ratelimit-Reset"), h.Get("X-Ratelimit-Reset"), h.Get("X-Rate-Limit-Reset")} {
		s, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		switch {
		case err != nil || !(s >= 0):
		case s > 1e8: // a time, since nobody asks to wait for three years
			return max(0, time.Until(time.Unix(int64(min(s, 1e11)), 0)))
		default:
			return time.Duration(s * float64(time.Second))
		}
	}
	return time.Second << try
}

// follow makes a request, and those that redirects within its host ask for.
func (r *Run) follow(ctx context.Context, u *url.URL, known Known) answer {
	for hop := 0; ; hop++ {
		a := r.ask(ctx, u, known)
		to := a.header.Get("Location")
		if a.cause != nil || a.status/100 != 3 || a.status == http.StatusNotModified || to == "" {
			return a
		}
		next, err := r.plan.within(u, to)
		switch {
		case err != nil:
			a.cause = errElsewhere
			return a
		case hop == maxHops:
			a.cause = errHops
			return a
		}
		u = next
	}
}

// ask makes one request.
func (r *Run) ask(ctx context.Context, u *url.URL, known Known) answer {
	ctx, cancel := context.WithTimeout(ctx, r.puller.opts.PageTimeout)
	defer cancel()
	a := answer{url: u}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		a.cause = err
		return a
	}
	req.Header.Set("User-Agent", r.puller.opts.UserAgent)
	req.Header.Set("Accept", accepted)
	for name, values := range maps.All(r.plan.Header) {
		req.Header.Set(name, values[0])
	}
	req.Header.Set("Accept-Encoding", "gzip")
	if known.ETag != "" {
		req.Header.Set("If-None-Match", known.ETag)
	}
	if known.LastModified != "" {
		req.Header.Set("If-Modified-Since", known.LastModified)
	}
	r.count(func(rep *Report) { rep.Requests++ })
	resp, err := r.puller.client.Do(req)
	if err != nil {
		a.cause = err
		return a
	}
	defer resp.Body.Close()
	a.status, a.header = resp.StatusCode, resp.Header
	if a.status/100 != 2 {
		_, _ = io.CopyN(io.Discard, resp.Body, maxDrain) // only for the connection's sake
		return a
	}
	a.body, a.cause = r.read(resp)
	return a
}

// read reads the body of a success, unpacked.
func (r *Run) read(resp *http.Response) ([]byte, error) {
	limit := r.puller.opts.MaxPageBytes
	if resp.ContentLength > limit {
		return nil, errPageBytes
	}
	var in io.Reader = resp.Body
	switch strings.ToLower(resp.Header.Get("Content-Encoding")) {
	case "", "identity":
	case "gzip", "x-gzip":
		zip, err := gzip.NewReader(resp.Body)
		if err == io.EOF { // an empty body needs no packing
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		in = zip
	default:
		return nil, errEncoding
	}
	left := r.puller.opts.MaxBytes - r.bytes
	r.buf.Reset()
	n, err := r.buf.ReadFrom(io.LimitReader(in, min(limit, left)+1))
	r.bytes += n
	r.count(func(rep *Report) { rep.Bytes += n })
	switch {
	case err != nil:
		return nil, err
	case n > left:
		return nil, errBytes
	case n > limit:
		return nil, errPageBytes
	}
	return r.buf.Bytes(), nil
}

// failure says why an answer is none; wait is how long it asks to wait.
func (r *Run) failure(a answer, wait time.Duration) *Error {
	switch {
	case a.cause != nil:
		return r.cause(a)
	case limited(a):
		if most := r.puller.opts.MaxRetryAfter; wait > most {
			return &Error{Kind: KindRateLimit, Message: fmt.Sprintf("the API answered %s and asks to wait %v, longer than %v: pull less often, or ask for larger pages", status(a.status), wait.Round(time.Second), most)}
		}
		return &Error{Kind: KindRateLimit, Message: fmt.Sprintf("the API answered %s %d times: pull less often, or ask for larger pages", status(a.status), maxTries)}
	case a.status == http.StatusUnauthorized:
		return &Error{Kind: KindAuth, Message: "the API answered " + status(a.status) + ": the key or token in the headers is missing, wrong or expired"}
	case a.status == http.StatusForbidden:
		return &Error{Kind: KindAuth, Message: "the API answered " + status(a.status) + ": the key or token in the headers may not read this"}
	case a.status >= 500:
		return &Error{Kind: KindNetwork, Message: "the API answered " + status(a.status) + ": its server has failed; it is asked again with the next run"}
	case a.status == http.StatusNotFound || a.status == http.StatusGone:
		return &Error{Kind: KindNetwork, Message: "the API answered " + status(a.status) + ": check the address"}
	}
	return &Error{Kind: KindNetwork, Message: "the API answered " + status(a.status) + ": check the address and its parameters"}
}

func status(code int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
}

// cause says why no answer came.
func (r *Run) cause(a answer) *Error {
	switch {
	case errors.Is(a.cause, errPageBytes):
		return r.tooLarge()
	case errors.Is(a.cause, errElsewhere):
		return &Error{Kind: KindNetwork, Message: "the address redirects to another host: write the address that it leads to"}
	case errors.Is(a.cause, errHops):
		return &Error{Kind: KindNetwork, Message: fmt.Sprintf("the address redirects more than %d times", maxHops)}
	case errors.Is(a.cause, errEncoding):
		return &Error{Kind: KindNetwork, Message: "the answer has an encoding other than gzip, which nobody asked for"}
	}
	if e, ok := errors.AsType[*egress.Error](a.cause); ok {
		if e.Class == egress.TooLarge {
			return r.tooLarge()
		}
		return &Error{Kind: KindNetwork, Message: strings.TrimPrefix(e.Error(), string(e.Class)+": ")}
	}
	if _, ok := errors.AsType[*net.DNSError](a.cause); ok {
		return &Error{Kind: KindNetwork, Message: "the host's name could not be resolved"}
	}
	if e, ok := errors.AsType[net.Error](a.cause); ok && e.Timeout() || errors.Is(a.cause, context.DeadlineExceeded) {
		return &Error{Kind: KindNetwork, Message: "no complete answer in time"}
	}
	if e, ok := errors.AsType[*net.OpError](a.cause); ok && e.Op == "dial" {
		return &Error{Kind: KindNetwork, Message: "no connection could be made"}
	}
	return &Error{Kind: KindNetwork, Message: "the answer broke off, or breaks a rule of HTTP"}
}

func (r *Run) tooLarge() *Error {
	return &Error{Kind: KindSchema, Message: fmt.Sprintf("the page is larger than %d bytes: ask for fewer items a page", r.puller.opts.MaxPageBytes)}
}

// fail completes an error with what the run knows, and takes secrets out of it.
func (r *Run) fail(u *url.URL, status int, e *Error) *Error {
	m := r.plan.mask
	e.Status, e.Message, e.Item, e.Curl = status, m.text(e.Message), m.text(e.Item), m.curl(u)
	return e
}
