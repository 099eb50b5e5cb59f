package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/client"
)

// Client returns the typed client of the hosted API on a desk in this process: the
// same calls as over the network, with the same answers and errors, and no
// listener. It calls as the principal given. The options are those of
// [client.New] but for how to connect and which key to send; it panics if one of
// them is refused.
func Client(desk *answerdesk.Desk, p access.Principal, opts ...client.Option) *client.Client {
	h := New(desk, &Options{Authenticate: func(*http.Request) (access.Principal, error) { return p, nil }})
	opts = append(opts[:len(opts):len(opts)], client.WithHTTPClient(&http.Client{Transport: transport{h}}), client.WithAPIKey("in-process"))
	c, err := client.New("http://localhost", opts...)
	if err != nil {
		panic("server: " + err.Error())
	}
	return c
}

// A transport answers requests by calling a handler.
type transport struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper]. It returns when the handler has sent
// its headers; the body is read while it comes.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	served := r.Clone(ctx)
	if served.Body == nil {
		served.Body = http.NoBody
	}
	served.RequestURI = r.URL.RequestURI()
	body, sent := io.Pipe()
	w := &reply{header: http.Header{}, body: sent, begun: make(chan struct{})}
	go func() {
		defer cancel()
		defer func() {
			if p := recover(); p != nil { // the server answers for its own panics; this is an abort
				w.abort(errors.New("the server broke off the answer"))
			}
		}()
		defer served.Body.Close()
		t.handler.ServeHTTP(w, served)
		w.WriteHeader(http.StatusOK)
		_ = sent.Close() // a pipe has no error to close with
	}()
	select {
	case <-w.begun:
	case <-r.Context().Done():
		_ = body.CloseWithError(r.Context().Err())
		return nil, r.Context().Err()
	}
	if w.failed != nil {
		return nil, w.failed
	}
	stop := context.AfterFunc(r.Context(), func() { _ = sent.CloseWithError(r.Context().Err()) })
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sentHeader, Body: &replyBody{body, func() { stop(); cancel() }}, ContentLength: -1, Request: r,
	}, nil
}

// A replyBody is read by the caller. Closing it tells the handler that nobody
// reads any more.
type replyBody struct {
	*io.PipeReader
	done func()
}

// Close implements [io.Closer].
func (b *replyBody) Close() error {
	defer b.done()
	return b.PipeReader.Close()
}

// A reply is the [http.ResponseWriter] of a request in this process.
type reply struct {
	header http.Header
	body   *io.PipeWriter

	once       sync.Once
	begun      chan struct{} // closed when the headers are sent
	status     int
	sentHeader http.Header
	failed     error
}

// Header implements [http.ResponseWriter].
func (w *reply) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter].
func (w *reply) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sentHeader = status, w.header.Clone()
		close(w.begun)
	})
}

// Write implements [http.ResponseWriter].
func (w *reply) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Flush implements [http.Flusher]: what was written is with the reader already.
func (w *reply) Flush() { w.WriteHeader(http.StatusOK) }

func (w *reply) abort(err error) {
	w.once.Do(func() {
		w.failed = err
		close(w.begun)
	})
	_ = w.body.CloseWithError(err)
}
