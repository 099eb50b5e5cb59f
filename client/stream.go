package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/internal/sse"
)

// The events that end a stream.
const (
	eventCompleted = "message.completed"
	eventError     = "error"
)

// maxEvent bounds an event of a stream, beside WithMaxResponseBytes.
const maxEvent = 4 << 20

// Accumulate reads a stream to its end and returns the reply.
func Accumulate(stream iter.Seq2[api.StreamEvent, error]) (*api.Reply, error) {
	for ev, err := range stream {
		if err != nil {
			return nil, err
		}
		if ev.Type == eventCompleted {
			return &ev.Reply, nil
		}
	}
	return nil, fmt.Errorf("client: %w", ErrIncompleteStream)
}

// A feed is what tells one kind of stream from another.
type feed[E any] struct {
	resume   *operation // that goes on behind an event
	request  func(c *Client, id string, after int64) (*http.Request, error)
	sequence func(*E) *int64
	id       func(*E) string         // of what the events are of, if they say so
	last     func(*E) bool           // whether it is the end of what they are of
	failed   func(*E) *api.ErrorBody // what the stream fails of by the event, if it does
	long     bool                    // it outlives connections: each that tells something may be followed by others
}

// replyFeed are the events of a reply.
var replyFeed = feed[api.StreamEvent]{
	resume: listMessageEvents, request: (*Client).resumption,
	sequence: func(ev *api.StreamEvent) *int64 { return &ev.Sequence },
	id:       func(ev *api.StreamEvent) string { return ev.MessageID },
	last:     func(ev *api.StreamEvent) bool { return ev.Type == eventCompleted || ev.Type == eventError },
	failed: func(ev *api.StreamEvent) *api.ErrorBody {
		if ev.Type != eventError {
			return nil
		}
		return &ev.Error
	},
}

// A follower reads the events of one thing over as many connections as it takes.
type follower[E any] struct {
	*feed[E]
	call *call
	of   string // what the events are of; empty until an event has told it
	at   int64  // sequence of the last event that was yielded
	seen bool   // an event was
}

// stream yields the events that answer a request, made by build, and goes on
// where it was when the connection is lost.
func stream[E any](ctx context.Context, c *Client, of *feed[E], op *operation, opts []Option, id string, after int64, build func() (*http.Request, error)) iter.Seq2[E, error] {
	var used atomic.Bool
	var none E
	return func(yield func(E, error) bool) {
		if used.Swap(true) {
			yield(none, errors.New("client: a stream can be read once"))
			return
		}
		k, err := c.begin(op, opts)
		if err != nil {
			yield(none, err)
			return
		}
		k.stream = true
		req, err := build()
		if err != nil {
			yield(none, fmt.Errorf("client: %s: %w", op.id, err))
			return
		}
		f := &follower[E]{feed: of, call: k, of: id, at: after}
		if err := f.follow(ctx, req, yield); err != nil {
			yield(none, err)
		}
	}
}

// follow yields events until the last one or until the caller leaves; then it
// returns nil.
func (f *follower[E]) follow(ctx context.Context, req *http.Request, yield func(E, error) bool) error {
	k := f.call
	for {
		if err := k.send(ctx, req); err != nil {
			return f.incomplete(ctx, err)
		}
		if k.live == nil {
			return k.failure(errUnreadable)
		}
		err := f.read(yield)
		if _, told := errors.AsType[*Error](err); told || err == nil {
			return err
		}
		k.answered = false
		k.attempts = append(k.attempts, Attempt{Start: k.at, Duration: time.Since(k.at), Status: http.StatusOK, Err: err})
		if ctx.Err() != nil {
			return k.failure(ctx.Err())
		}
		if !k.again(ctx, nil, err) {
			return f.incomplete(ctx, k.failure(err))
		}
		if _, err := sleep(ctx, k.wait, k.wait); err != nil {
			return k.failure(err)
		}
		if f.of == "" {
			continue // nothing was yielded: the same request, with the same key
		}
		if req, err = f.request(k.client, f.of, f.at); err != nil {
			return fmt.Errorf("client: %s: %w", f.resume.id, err)
		}
		k.op = f.resume
	}
}

// incomplete says of what ended a stream early that it did so: when ctx did, the
// caller knows.
func (f *follower[E]) incomplete(ctx context.Context, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || ctx.Err() != nil || !f.seen && f.call.live == nil {
		return err
	}
	if e.cause == nil {
		e.cause = ErrIncompleteStream
	} else {
		e.cause = fmt.Errorf("%w: %w", ErrIncompleteStream, e.cause)
	}
	return e
}

// read yields the events of one connection. It returns nil when there is nothing
// more to be read, an *Error when there is no use in reading on, and otherwise
// how the connection was lost.
func (f *follower[E]) read(yield func(E, error) bool) error {
	k := f.call
	defer k.live.Close()
	in := sse.NewReader(k.live, &sse.ReaderOptions{MaxEvent: int(min(maxEvent, k.settings.maxBody))})
	for {
		got, err := in.Next()
		switch {
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case errors.Is(err, sse.ErrTooLarge):
			return k.failure(fmt.Errorf("%w: an event", ErrResponseTooLarge))
		case err != nil:
			return err
		}
		var ev E
		if err := json.Unmarshal([]byte(got.Data), &ev); err != nil {
			e := k.failure(ErrIncompleteStream)
			e.Message = "an event of the stream is none of this API"
			return e
		}
		sequence, last := f.sequence(&ev), f.last(&ev)
		if *sequence == 0 {
			*sequence, _ = strconv.ParseInt(got.ID, 10, 64)
		}
		if *sequence > 0 && *sequence <= f.at && !last {
			continue // from before the connection was lost
		}
		f.at = max(f.at, *sequence)
		if f.of == "" {
			f.of = f.id(&ev)
		}
		if failed := f.failed(&ev); failed != nil {
			k.live.drain()
			e := k.failure(nil)
			e.Message = ""
			e.body(failed)
			return e
		}
		if f.long {
			k.retries = 0
		}
		f.seen = true
		if more := yield(ev, nil); last {
			k.live.drain()
			return nil
		} else if !more {
			return nil
		}
	}
}

// A liveBody is the body of a stream. A read of it may be silent for a while
// only; how long the caller takes between two does not count.
type liveBody struct {
	body   io.ReadCloser
	cancel context.CancelCauseFunc
	why    func(error) error
	idle   time.Duration // 0: no bound
	timer  *time.Timer
}

func newLiveBody(ctx context.Context, cancel context.CancelCauseFunc, body io.ReadCloser, idle time.Duration) *liveBody {
	b := &liveBody{body: body, cancel: cancel, idle: idle, why: func(err error) error { return cause(ctx, err) }}
	b.bound(idle)
	return b
}

// bound sets how long a read may be silent.
func (b *liveBody) bound(idle time.Duration) {
	if b.idle = idle; idle == 0 {
		return
	}
	b.timer = time.AfterFunc(idle, func() { b.cancel(&timeoutError{"nothing came", idle}) })
	b.timer.Stop()
}

func (b *liveBody) Read(p []byte) (int, error) {
	if b.idle > 0 {
		b.timer.Reset(b.idle)
		defer b.timer.Stop()
	}
	n, err := b.body.Read(p)
	if err != nil && err != io.EOF {
		err = b.why(err)
	}
	return n, err
}

// Close ends the request. The connection is used again only if the body was read
// to its end.
func (b *liveBody) Close() error {
	err := b.body.Close()
	b.cancel(nil)
	return err
}

// drain reads what is left of a stream that has told all, so that its connection
// can be used again: next to nothing, if the server ends it too.
func (b *liveBody) drain() {
	b.bound(drainFor)
	_, _ = io.CopyN(io.Discard, b, 4<<10) // whatever is wrong with it, the stream was whole
}

// drainFor is how long the end of a stream is waited for after its last event.
const drainFor = 100 * time.Millisecond
