package llmtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// A replay answers requests with a recording, in the way that a test asks for.
type replay struct {
	recording *recording
	body      string
	chunk     int   // bytes a Read gives at most; 0: as many as fit
	err       error // what comes after the body; nil: io.EOF
	hang      bool  // nothing comes after the body, until the request ends

	mu    sync.Mutex
	asked []*http.Request
	sent  []string // the bodies of requests
	open  int      // bodies that were not closed
}

// RoundTrip answers.
func (p *replay) RoundTrip(r *http.Request) (*http.Response, error) {
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if err := r.Body.Close(); err != nil {
		return nil, err
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked, p.sent = append(p.asked, r), append(p.sent, string(sent))
	p.open++
	return p.recording.response(r, &replayed{p: p, ctx: r.Context(), left: p.body})
}

// opened reports how many bodies were left open.
func (p *replay) opened() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

// replayed is the body of an answer.
type replayed struct {
	p      *replay
	ctx    context.Context
	left   string
	closed bool
}

func (b *replayed) Read(buf []byte) (int, error) {
	switch {
	case b.closed:
		return 0, errors.New("read after close")
	case b.ctx.Err() != nil:
		return 0, b.ctx.Err()
	case b.left == "" && b.p.hang:
		<-b.ctx.Done()
		return 0, b.ctx.Err()
	case b.left == "" && b.p.err != nil:
		return 0, b.p.err
	case b.left == "":
		return 0, io.EOF
	}
	if b.p.chunk > 0 {
		buf = buf[:min(len(buf), b.p.chunk)]
	}
	n := copy(buf, b.left)
	b.left = b.left[n:]
	return n, nil
}

func (b *replayed) Close() error {
	if !b.closed {
		b.closed = true
		b.p.mu.Lock()
		defer b.p.mu.Unlock()
		b.p.open--
	}
	return nil
}

// An endless body repeats a piece, and counts what was read of it.
type endless struct {
	piece string
	read  *int
}

func (e endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], e.piece[(*e.read+n)%len(e.piece):])
	}
	*e.read += n
	return n, nil
}

func (endless) Close() error { return nil }

// Record returns a transport that sends through next and hands each answer to keep,
// once it was read or given up, as a file for [TestModel]: with the sections
// "request" and "answer". Of the header only the type of the content and the time
// to wait are kept, and each of the secrets is replaced by "SECRET" wherever it
// stands; a request that holds no secret by itself is kept as it is. Whoever
// records adds the section "ask", and reads what was recorded before it is shared.
func Record(next http.RoundTripper, keep func(file []byte), secrets ...string) http.RoundTripper {
	return &recorder{next, keep, slices.DeleteFunc(slices.Clone(secrets), func(s string) bool { return s == "" })}
}

type recorder struct {
	next    http.RoundTripper
	keep    func([]byte)
	secrets []string
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	sent, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	if err := req.Body.Close(); err != nil {
		return nil, err
	}
	out := req.Clone(req.Context())
	out.Body = io.NopCloser(bytes.NewReader(sent))
	resp, err := r.next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer
	fmt.Fprintf(&file, "-- request --\n%s-- answer --\nHTTP/1.1 %s\n", tidy(sent), resp.Status)
	for _, name := range []string{"Content-Type", "Retry-After", "Retry-After-Ms"} {
		if v := resp.Header.Get(name); v != "" {
			fmt.Fprintf(&file, "%s: %s\n", name, v)
		}
	}
	file.WriteString("\n")
	resp.Body = &recorded{ReadCloser: resp.Body, file: &file, end: sync.OnceFunc(func() {
		text := file.String()
		for _, s := range r.secrets {
			text = strings.ReplaceAll(text, s, "SECRET")
		}
		r.keep([]byte(text))
	})}
	return resp, nil
}

type recorded struct {
	io.ReadCloser
	file *bytes.Buffer
	end  func()
}

func (r *recorded) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.file.Write(p[:n])
	return n, err
}

func (r *recorded) Close() error {
	r.end()
	return r.ReadCloser.Close()
}
