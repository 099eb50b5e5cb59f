package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"time"
)

// A transport makes the attempts of all calls: it stands between retryablehttp
// and the transport that sends. It has no CloseIdleConnections: retryablehttp
// would throw away the connections of all calls whenever one fails.
type transport struct{ next http.RoundTripper }

// callKey is where the context of a request holds its *call.
type callKey struct{}

// maxErrorBody is how much is read of an answer that reports an error. The
// connection of a longer one is not used again.
const maxErrorBody = 64 << 10

// uploadPace is how many bytes a second are counted on when a request is large.
const uploadPace = 128 << 10

// RoundTrip makes one attempt: it waits for the rate limit's leave, sends, and
// reads the answer to its end, unless that is a stream. The answer it returns has
// no body then: the call has it.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	k := req.Context().Value(callKey{}).(*call)
	most := k.settings.retryAfter
	if k.settings.noWait {
		most = -inexact
	}
	waited, err := k.gate.enter(req.Context(), k.op, most)
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}

	ctx, cancel := context.WithCancelCause(req.Context())
	clock := k.settings.startClock(req, cancel)
	a := Attempt{Wait: k.wait + waited, Start: time.Now()}
	resp, err := t.next.RoundTrip(req.WithContext(ctx))
	if err == nil {
		a.Status = resp.StatusCode
		k.gate.learn(k.op, resp.StatusCode, resp.Header, a.Start, time.Now())
		if k.stream && eventStream(resp) && clock.stop() {
			k.live = newLiveBody(ctx, cancel, resp.Body, k.settings.idle)
			resp.Body = k.live
		} else {
			err = k.read(resp)
		}
	}
	if err != nil {
		err = cause(ctx, err)
	}
	if k.live == nil {
		clock.stop()
		cancel(nil)
	}
	a.Duration, a.Err = time.Since(a.Start), err
	k.note(req.Context(), a, resp)
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// A clock ends an attempt that takes too long. The zero clock does not.
type clock struct{ timer *time.Timer }

// startClock begins an attempt's time.
func (s *settings) startClock(req *http.Request, cancel context.CancelCauseFunc) clock {
	if s.attempt == 0 {
		return clock{}
	}
	size := req.ContentLength
	if size < 0 || size == 0 && req.Body != nil && req.Body != http.NoBody {
		size = maxUpload // not known
	}
	d := s.attempt + time.Duration(size/uploadPace)*time.Second
	return clock{time.AfterFunc(d, func() { cancel(&timeoutError{"no answer", d}) })}
}

// stop stops the clock, and says whether it was in time.
func (c clock) stop() bool { return c.timer == nil || c.timer.Stop() }

// A timeoutError is an attempt that took too long, or a stream that was silent
// for too long.
type timeoutError struct {
	what string
	d    time.Duration
}

func (e *timeoutError) Error() string { return fmt.Sprintf("%s within %v", e.what, e.d) }
func (e *timeoutError) Timeout() bool { return true }

// cause returns why the client ended ctx, if it did, in place of what came of
// that.
func cause(ctx context.Context, err error) error {
	if t, ok := errors.AsType[*timeoutError](context.Cause(ctx)); ok {
		return t
	}
	return err
}

// read takes in the body of an answer. Of an error it takes the beginning, and
// what cannot be read of it is not missed.
func (k *call) read(resp *http.Response) error {
	defer func() {
		resp.Body.Close()
		resp.Body = http.NoBody
	}()
	if resp.StatusCode >= http.StatusMultipleChoices {
		k.body, _ = readBody(resp.Body, resp.ContentLength, maxErrorBody)
		return nil
	}
	var err error
	k.body, err = readBody(resp.Body, resp.ContentLength, k.settings.maxBody)
	switch {
	case errors.Is(err, ErrResponseTooLarge):
		return fmt.Errorf("%w: more than %d bytes", err, k.settings.maxBody)
	case err != nil:
		return err
	}
	return k.decode(resp.StatusCode)
}

// readBody reads a body that is said to have size bytes, and up to limit of it.
func readBody(r io.Reader, size, limit int64) ([]byte, error) {
	b := make([]byte, 0, max(512, min(size+1, 1<<20))) // one more byte to see the end in
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > limit:
			return b[:limit], ErrResponseTooLarge
		case err == io.EOF:
			return b, nil
		case err != nil:
			return b, err
		}
	}
}

// eventStream says whether an answer is the stream that was asked for.
func eventStream(resp *http.Response) bool {
	if resp.StatusCode != http.StatusOK {
		return false
	}
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return err == nil && kind == "text/event-stream"
}

// note keeps an attempt that failed, and logs any.
func (k *call) note(ctx context.Context, a Attempt, resp *http.Response) {
	k.made++
	if a.Err != nil || a.Status >= http.StatusMultipleChoices {
		k.attempts = append(k.attempts, a)
	}
	k.answered = a.Err == nil
	if resp != nil {
		k.status, k.header, k.at = resp.StatusCode, resp.Header, time.Now()
	}
	log := k.settings.logger
	if log == nil || !log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("operation", k.op.id),
		slog.String("method", k.op.method),
		slog.String("path", k.op.path),
		slog.Int("attempt", k.made),
		slog.Duration("wait", a.Wait),
		slog.Duration("duration", a.Duration),
	}
	if a.Status != 0 {
		attrs = append(attrs, slog.Int("status", a.Status), slog.String("request_id", first(resp.Header, "X-Request-Id")))
	}
	if a.Err != nil {
		attrs = append(attrs, slog.String("error", a.Err.Error()))
	}
	log.LogAttrs(ctx, slog.LevelDebug, "answerdesk request", attrs...)
}
