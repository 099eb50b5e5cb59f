package sse

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"
)

// A Writer writes events to a response, each sent at once. It sets no header:
// the handler does. It may be used by several goroutines at once, while the
// handler runs.
type Writer struct {
	// Timeout bounds each write, so that a client that stops reading cannot
	// hold the handler. [NewWriter] sets 30 s; 0 means no bound. It is not to
	// be changed once something was written.
	Timeout time.Duration

	w    http.ResponseWriter
	ctl  *http.ResponseController
	lock chan struct{} // holds one value while somebody writes
	buf  []byte
	last time.Time // when the last write ended
	err  error     // of the write that failed: what follows would be read wrongly
}

// NewWriter returns a Writer to w.
func NewWriter(w http.ResponseWriter) *Writer {
	return &Writer{
		Timeout: 30 * time.Second,
		w:       w,
		ctl:     http.NewResponseController(w),
		lock:    make(chan struct{}, 1),
		last:    time.Now(),
	}
}

// Event writes an event. It refuses line breaks in ev's id and type, which
// would be read as lines of their own, and a retry that is no whole number of
// milliseconds; nothing is written then, and the stream can go on. After any
// other error nothing more can be written, and it is returned again.
func (w *Writer) Event(ev Event) error {
	w.lock <- struct{}{}
	defer func() { <-w.lock }()
	b, err := ev.append(w.buf[:0])
	if err != nil {
		return err
	}
	return w.send(b)
}

// Comment writes a comment, which readers pass over but proxies and idle timers
// see.
func (w *Writer) Comment(text string) error {
	w.lock <- struct{}{}
	defer func() { <-w.lock }()
	return w.comment(text)
}

// Heartbeat writes an empty comment whenever nothing was written for as long as
// every. It must be stopped before the handler returns: stop waits for one that
// is under way, and leaves the deadline of one more write, for what is sent
// when the handler has returned. It takes no goroutine while it waits. If every
// is not positive there are no heartbeats.
func (w *Writer) Heartbeat(every time.Duration) (stop func()) {
	w.lock <- struct{}{}
	defer func() { <-w.lock }()
	if every <= 0 {
		every = math.MaxInt64
	}
	stopped := false
	var timer *time.Timer
	timer = time.AfterFunc(every, func() {
		w.lock <- struct{}{}
		defer func() { <-w.lock }()
		if stopped {
			return
		}
		if idle := time.Since(w.last); idle < every {
			timer.Reset(every - idle)
		} else if w.comment("") == nil {
			timer.Reset(every)
		}
	})
	return func() {
		w.lock <- struct{}{}
		defer func() { <-w.lock }()
		timer.Stop()
		if !stopped && w.err == nil {
			w.err = w.deadline(w.Timeout)
		}
		stopped = true
	}
}

// comment is Comment for who holds the lock.
func (w *Writer) comment(text string) error {
	return w.send(append(lines(w.buf[:0], ": ", text), '\n'))
}

// send writes and flushes b under a deadline, which must not last: HTTP/2 would
// end a stream at it that is merely idle.
func (w *Writer) send(b []byte) error {
	const keep = 64 << 10 // what one large event took is not held until the end
	if w.buf = b; cap(b) > keep {
		w.buf = nil
	}
	if w.err != nil {
		return w.err
	}
	err := w.deadline(w.Timeout)
	if err == nil {
		_, err = w.w.Write(b)
	}
	if err == nil {
		err = w.ctl.Flush()
	}
	if err == nil {
		err = w.deadline(0)
	}
	if err != nil {
		w.err = fmt.Errorf("sse: write: %w", err)
	}
	w.last = time.Now()
	return w.err
}

// deadline bounds the writes that follow by a time from now, or by none if it
// is 0. Where a response has no deadlines there is nothing to set.
func (w *Writer) deadline(d time.Duration) error {
	if w.Timeout <= 0 {
		return nil
	}
	var at time.Time
	if d > 0 {
		at = time.Now().Add(d)
	}
	if err := w.ctl.SetWriteDeadline(at); !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}
