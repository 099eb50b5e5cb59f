package server

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// pipeline leads the requests of an operation to the method that serves it.
func (s *Server) pipeline(op *operation, serve http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{op: op, id: w.Header().Get(requestIDHeader), header: w.Header(), accept: r.Header.Get("Accept")}
		answer := &answer{ResponseWriter: w, call: c, notModified: r.Header.Get("If-None-Match")}
		if err := s.pass(answer, r, c, serve); err != nil {
			s.fail(answer, r, c, err)
		}
		s.meters.served(op.id, answer.status)
		recordOf(r.Context()).call = c
	})
}

// pass does all that operations have in common, and then serves the request.
func (s *Server) pass(w *answer, r *http.Request, c *call, serve http.Handler) (err error) {
	if c.principal, err = s.authenticate(r); err != nil {
		return err
	}
	s.limits.count(c.principal, time.Now()).write(c.header)
	if err := s.authorize(c.principal, c.op); err != nil {
		return err
	}
	if c.body, err = readBody(w, r, c.op); err != nil {
		return err
	}
	if err := checkParams(r.Context(), r, c.op); err != nil {
		return err
	}
	if c.op.schema != nil && len(c.body) > 0 {
		if err := checkBody(c.body, c.op.schema); err != nil {
			return err
		}
	}
	for {
		if err := s.claim(r, c); err != nil {
			return err
		}
		c.company = s.desk.Company(c.principal.Company).By(c.request())
		c.err = nil
		rewind(r, c.body)
		serve.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callKey{}, c)))
		if c.claimed != nil && errors.Is(c.err, store.ErrFenced) && w.status == 0 {
			continue // the same request, made again meanwhile, has the work now
		}
		return c.err
	}
}

// fail answers a request that could not be served.
func (s *Server) fail(w *answer, r *http.Request, c *call, err error) {
	s.release(r.Context(), c)
	p := problemOf(err)
	if p.code == internalError && r.Context().Err() == nil {
		s.log.ErrorContext(r.Context(), "request failed", "request", c.id, "operation", c.op.id, "error", err)
	}
	if w.status == 0 {
		p.write(w, c.id)
	}
}

// kept keeps the error of an operation for the pipeline.
func kept(_ http.ResponseWriter, r *http.Request, err error) { callOf(r.Context()).err = err }

// unreadable keeps the error of a request that the contract lets pass, and that
// still cannot be read into its Go type.
func unreadable(_ http.ResponseWriter, r *http.Request, err error) {
	callOf(r.Context()).err = &problem{code: invalidRequest, message: "a parameter or a field of the body cannot be read: " + reasonOf(err)}
}

// recovered answers for a method that panics, and goes on with other requests.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			// Its value might hold a customer's words.
			id := w.Header().Get(requestIDHeader)
			s.log.ErrorContext(r.Context(), "panic while serving a request", "request", id, "stack", string(debug.Stack()))
			(&problem{code: internalError, message: "something went wrong here: tell whoever runs the server the request id"}).write(w, id)
		}()
		next.ServeHTTP(w, r)
	})
}

// An answer is the response to a call. It turns what a caller still has into 304.
type answer struct {
	http.ResponseWriter
	call        *call
	notModified string // If-None-Match
	status      int
	silent      bool // the body is left out
}

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) {
	if a.status != 0 {
		return
	}
	h := a.Header()
	if status == http.StatusOK && a.call.op.method == http.MethodGet && holds(a.notModified, h.Get("ETag")) {
		status, a.silent = http.StatusNotModified, true
		h.Del("Content-Type")
		h.Del("Content-Length")
	}
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.silent {
		return len(p), nil
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap lets [http.ResponseController] reach what it wraps.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
