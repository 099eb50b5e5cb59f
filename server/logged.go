package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"
)

// A record is what the log and the counters tell of a request.
type record struct {
	operation string // its id, or unroutedOperation
	call      *call  // nil if the operation needs no key
	status    int    // of the answer; 0 until it has begun
	bytes     int64  // of the answer, on the wire
	gone      bool   // the caller has left before there was an answer
}

const (
	// unroutedOperation stands for the operation of requests that no
	// operation takes.
	unroutedOperation = "none"

	// statusGone is what the log and the counters tell of a request whose
	// caller has left, which is nobody's fault here. Nobody is sent it.
	statusGone = 499
)

type recordKey struct{}

func recordOf(ctx context.Context) *record { return ctx.Value(recordKey{}).(*record) }

// logged tells the log and the counters of each request.
func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun, rec := time.Now(), &record{operation: unroutedOperation}
		r = r.WithContext(context.WithValue(r.Context(), recordKey{}, rec))
		defer func() { s.note(r, w.Header().Get(requestIDHeader), rec, time.Since(begun)) }() // also when it is broken off
		next.ServeHTTP(&watchedWriter{ResponseWriter: w, control: http.NewResponseController(w), record: rec}, r)
	})
}

// told tells of requests which operation they are, where no pipeline does.
func told(op *operation, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recordOf(r.Context()).operation = op.id
		next.ServeHTTP(w, r)
	})
}

// note tells the log of a request: ids, sizes and times, nothing that a customer
// wrote and no path or query, which may hold a customer's id.
func (s *Server) note(r *http.Request, requestID string, rec *record, took time.Duration) {
	status := rec.status
	switch {
	case rec.gone:
		status = statusGone
	case status == 0:
		status = http.StatusOK // as net/http has it
	}
	s.meters.served(rec.operation, status, took)
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs,
		slog.String("request", requestID), slog.String("method", clip(r.Method)), slog.String("operation", rec.operation),
		slog.Int("status", status), slog.Int64("bytes", rec.bytes), slog.Duration("took", took),
	)
	if c := rec.call; c != nil {
		attrs = append(attrs, slog.String("company", c.principal.Company), slog.String("principal", c.principal.ID))
	}
	level := slog.LevelInfo
	if status == http.StatusOK && (rec.operation == "getHealth" || rec.operation == "getReadiness" || rec.operation == "getMetrics") {
		level = slog.LevelDebug // they come every few seconds
	}
	s.log.LogAttrs(r.Context(), level, "request", attrs...)
}

// left reports whether an error is that the caller has left.
func left(r *http.Request, err error) bool {
	return errors.Is(r.Context().Err(), context.Canceled) && errors.Is(err, context.Canceled)
}

// A watchedWriter notes what is answered, and gives up on a caller who does not
// read it.
type watchedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	record  *record
}

// writeTime is how long each part of an answer may take to be sent, besides the
// time for its length at slowest bytes a second.
const writeTime = 30 * time.Second

// WriteHeader implements [http.ResponseWriter].
func (w *watchedWriter) WriteHeader(status int) {
	if w.record.status == 0 && status >= 200 { // 1xx come before the answer
		w.record.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *watchedWriter) Write(p []byte) (int, error) {
	if w.record.status == 0 {
		w.record.status = http.StatusOK
	}
	_ = w.control.SetWriteDeadline(time.Now().Add(writeTime + timeFor(len(p)))) // not every server has deadlines
	n, err := w.ResponseWriter.Write(p)
	w.record.bytes += int64(n)
	return n, err
}

// Unwrap lets [http.ResponseController] reach what it wraps.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
