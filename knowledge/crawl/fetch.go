package crawl

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/egress"
)

// Bounds of asking for one address.
const (
	maxTries     = 3        // for 429 and 503
	maxHops      = 10       // redirects of a page
	maxFileHops  = 5        // redirects of a robots.txt (RFC 9309 section 2.3.1.2) or a sitemap
	maxDrain     = 16 << 10 // bytes of an unwanted body that are read so that the connection can be used again
	acceptHeader = "text/html,application/xhtml+xml,text/markdown;q=0.9,text/plain;q=0.8,application/pdf;q=0.7,*/*;q=0.1"
)

// An answer is what came of asking for an address.
type answer struct {
	status   int
	header   http.Header
	location *url.URL // of a redirect, normal; nil if there is none to follow
	reason   Reason   // why nothing, or no more, came: of network and bounds, not of status
	took     time.Duration
}

// get asks for u, more than once if the server says so, and hands the body of
// a success to read, whose answer becomes the reason.
func (r *Run) get(ctx context.Context, u *url.URL, known Known, read func(*http.Response, io.Reader) Reason) answer {
	var took time.Duration
	for try := 1; ; try++ {
		leave, err := r.gate.enter(ctx)
		if err != nil {
			return answer{reason: r.reasonOf(ctx, err), took: took}
		}
		a := r.ask(ctx, u, known, read)
		leave()
		took += a.took
		a.took = took
		if a.status != http.StatusTooManyRequests && a.status != http.StatusServiceUnavailable || try == maxTries || a.reason != "" {
			return a
		}
		wait := retryAfter(a.header, try)
		if wait > r.crawler.opts.MaxRetryAfter {
			return a
		}
		r.gate.rest(wait)
	}
}

// retryAfter is how long to wait after the answer to a given try.
func retryAfter(h http.Header, try int) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.Atoi(v); err == nil && s >= 0 {
		return time.Duration(min(s, 1<<30)) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, time.Until(at))
	}
	return time.Second << try
}

// ask makes one request.
func (r *Run) ask(ctx context.Context, u *url.URL, known Known, read func(*http.Response, io.Reader) Reason) answer {
	ctx, cancel := context.WithTimeout(ctx, r.crawler.opts.PageTimeout)
	defer cancel()
	began := time.Now()
	a := answer{}
	defer func() { a.took = time.Since(began) }()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, text(u), nil)
	if err != nil {
		a.reason = BadURL
		return a
	}
	req.Header.Set("User-Agent", r.crawler.opts.UserAgent)
	req.Header.Set("Accept", acceptHeader)
	req.Header.Set("Accept-Encoding", "gzip")
	if known.ETag != "" {
		req.Header.Set("If-None-Match", known.ETag)
	}
	if known.LastModified != "" {
		req.Header.Set("If-Modified-Since", known.LastModified)
	}
	r.requests.Add(1)
	resp, err := r.crawler.client.Do(req)
	if err != nil {
		a.reason = r.reasonOf(ctx, err)
		return a
	}
	defer resp.Body.Close()
	a.status, a.header = resp.StatusCode, resp.Header
	if a.status/100 != 2 {
		if to := resp.Header.Get("Location"); a.status/100 == 3 && to != "" {
			a.location, _, _ = resolve(u, to)
		}
		_, _ = io.CopyN(io.Discard, resp.Body, maxDrain) // only for the connection's sake
		return a
	}
	body := &countingReader{in: resp.Body, total: &r.bytes, max: r.crawler.opts.MaxBytes}
	switch strings.ToLower(resp.Header.Get("Content-Encoding")) {
	case "", "identity":
		a.reason = read(resp, body)
	case "gzip", "x-gzip":
		zip, err := gzip.NewReader(resp.Body)
		if err != nil {
			a.reason = r.reasonOf(ctx, err)
			return a
		}
		body.in = zip
		a.reason = read(resp, body)
	default:
		a.reason = Broken // nobody asked for that encoding
		return a
	}
	if body.err != nil && a.reason != TooLarge {
		a.reason = r.reasonOf(ctx, body.err)
	}
	return a
}

// errBytes ends a read that would go beyond Options.MaxBytes.
var errBytes = errors.New("the run has read as many bytes as it may")

// A countingReader counts what a run reads, and ends it at the bound.
type countingReader struct {
	in    io.Reader
	total interface {
		Add(delta int64) int64
	}
	max int64
	err error // other than io.EOF, that ended the reading
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	if c.total.Add(int64(n)) > c.max && (err == nil || err == io.EOF) {
		err = errBytes
	}
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// reasonOf says why a request under ctx failed with err.
func (r *Run) reasonOf(ctx context.Context, err error) Reason {
	if errors.Is(err, errBytes) {
		return LimitBytes
	}
	if r.outOfTime() {
		return LimitTime
	}
	if e, ok := errors.AsType[*egress.Error](err); ok {
		switch e.Class {
		case egress.Refused:
			return Blocked
		case egress.Name:
			return DNS
		case egress.Connect:
			return Connect
		case egress.TLS:
			return TLS
		case egress.Timeout:
			return Timeout
		case egress.TooLarge:
			return TooLarge
		}
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return DNS
	}
	if e, ok := errors.AsType[net.Error](err); ctx.Err() != nil || ok && e.Timeout() {
		return Timeout
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return Connect
	}
	return Broken
}

// readAll reads a body of at most limit bytes.
func readAll(resp *http.Response, in io.Reader, limit int64) ([]byte, Reason) {
	size := resp.ContentLength
	if size > limit {
		return nil, TooLarge
	}
	if size < 0 {
		size = 16 << 10 // it was not told
	}
	buf := make([]byte, 0, size+512)
	for {
		n, err := in.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return nil, TooLarge
		case err == io.EOF:
			return buf, ""
		case err != nil:
			return nil, Broken // the reader knows better, see [Run.ask]
		}
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
	}
}
