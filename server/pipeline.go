package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/server/internal/api"
	"github.com/answerdesk-go/answerdesk/store"
)

// pipeline leads the requests of an operation to the method that serves it.
func (s *Server) pipeline(op *operation, serve http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{
			op: op, id: w.Header().Get(requestIDHeader), header: w.Header(), root: s.root,
			accept: strings.Join(r.Header.Values("Accept"), ","), notModified: strings.Join(r.Header.Values("If-None-Match"), ","),
		}
		rec := recordOf(r.Context())
		rec.operation, rec.call = op.id, c
		answer := &answer{ResponseWriter: w, call: c}
		if err := s.pass(answer, r, c, serve); err != nil {
			s.fail(answer, r, c, err)
		}
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
	if err := checkParams(r, c.op); err != nil {
		return err
	}
	leave, err := s.spaceFor(c.op).take(r.Context(), sizeOf(r, c.op))
	if err != nil {
		return err
	}
	defer leave()
	defer func() { c.upload.close() }()
	if err := s.receive(w, r, c); err != nil {
		return err
	}
	if c.upload != nil { // it is read into memory now, whole if it is a PDF
		leave, err := s.space.take(r.Context(), c.upload.Size)
		if err != nil {
			return err
		}
		defer leave()
	}
	for tries := 1; ; tries++ {
		if err := s.claim(r, c); err != nil {
			return err
		}
		c.company = s.desk.Company(c.principal.Company).By(c.request())
		c.err = nil
		c.rewind(r)
		serve.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callKey{}, c)))
		if c.claimed != nil && errors.Is(c.err, store.ErrFenced) && w.status == 0 && tries < claimTries {
			continue // the same request, made again meanwhile, has the work now
		}
		return c.err
	}
}

// receive reads the body and compares it with the contract.
func (s *Server) receive(w *answer, r *http.Request, c *call) (err error) {
	if c.op.id == bulkID {
		c.pieces, c.hash, err = readBulkBody(w, r, c.op, s.bulk.mostItems())
		return err
	}
	if c.op.media == formMedia {
		if c.upload, err = receiveUpload(w, r, c.op); err == nil {
			c.hash = c.upload.sum.Sum(nil)
		}
		return err
	}
	if c.body, err = readBody(w, r, c.op); err != nil {
		return err
	}
	if c.op.schema == nil || len(c.body) == 0 && c.op.optionalBody {
		return nil
	}
	if p := checkJSON(c.body); p != nil {
		return p
	}
	c.value, err = read(c.body, c.op.schema)
	return err
}

// fail answers a request that could not be served.
func (s *Server) fail(w *answer, r *http.Request, c *call, err error) {
	s.release(r.Context(), c, err)
	if left(r, err) {
		recordOf(r.Context()).gone = w.status == 0
	} else {
		s.report(r.Context(), c, err)
	}
	if w.status == 0 {
		problemOf(err).write(w, c.id)
	}
}

// report tells the log of an error that whoever runs the server should know of. Why
// a turn has failed is not told here: it may be in a customer's words.
func (s *Server) report(ctx context.Context, c *call, err error) {
	level := slog.LevelWarn
	switch problemOf(err).code {
	case internalError:
		level = slog.LevelError
	case storeUnavailable, knowledgeTooLarge, serverBusy:
	default:
		return
	}
	s.log.LogAttrs(ctx, level, "request failed", slog.String("request", c.id), slog.String("operation", c.op.id), slog.Any("error", err))
}

// kept keeps the error of an operation for the pipeline.
func kept(_ http.ResponseWriter, r *http.Request, err error) { callOf(r.Context()).err = err }

// unreadable keeps the error of a request that the contract lets pass, and that
// still cannot be read into its Go type.
func unreadable(_ http.ResponseWriter, r *http.Request, err error) {
	field := "body"
	if e, ok := errors.AsType[*api.InvalidParamFormatError](err); ok {
		field = e.ParamName
	}
	callOf(r.Context()).err = wrong(field, "cannot be read: it is not of the type that %s takes", callOf(r.Context()).op.id)
}
