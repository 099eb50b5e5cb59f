package clienttest

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// An answer is the response to a request, with the faults of its step.
type answer struct {
	http.ResponseWriter
	ctl  *http.ResponseController
	req  *http.Request
	conn *conn
	step Step

	begun bool // the status is decided, and sent unless mute
	mute  bool // nothing is sent: the handler goes on, and what it writes is lost
	sent  int  // bytes of the body
	cut   bool // the step has ended the connection
	gone  bool // the client went away before that, or before the answer was complete
}

func newAnswer(w http.ResponseWriter, r *http.Request, c *conn, step Step) *answer {
	return &answer{
		ResponseWriter: w,
		ctl:            http.NewResponseController(w),
		req:            r,
		conn:           c,
		step:           step,
		mute:           step.end != whole && step.at <= AfterReading,
	}
}

// errCut is what a handler learns of an end that its step has made.
var errCut = errors.New("clienttest: the step ended the connection")

func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	switch {
	case a.mute || a.begun:
		return
	case status < 200:
		a.ResponseWriter.WriteHeader(status) // the answer is yet to come
		return
	}
	a.begun = true
	a.pause(a.step.delay)
	a.look()
	if a.step.end != whole && a.step.at == AfterStatusLine {
		fmt.Fprintf(a.conn, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status)) //nolint:errcheck // its end follows
		a.endConn()
		return
	}
	maps.Copy(a.Header(), a.step.head)
	a.ResponseWriter.WriteHeader(status)
	a.endIfDue()
}

func (a *answer) Write(p []byte) (n int, err error) {
	a.WriteHeader(http.StatusOK)
	if a.mute {
		return len(p), nil
	}
	for n < len(p) {
		if a.cut {
			return n, errCut
		}
		if a.step.piece > 0 && a.sent > 0 {
			a.pause(a.step.every)
		}
		a.look()
		k, err := a.ResponseWriter.Write(p[n : n+a.next(len(p)-n)])
		n += k
		a.sent += k
		if err != nil {
			return n, err
		}
		if a.step.piece > 0 {
			if err := a.ctl.Flush(); err != nil {
				return n, err
			}
		}
		a.endIfDue()
	}
	return n, nil
}

// next says how many of n bytes to write at once.
func (a *answer) next(n int) int {
	if a.step.piece > 0 {
		n = min(n, a.step.piece)
	}
	if a.step.end != whole && a.step.at >= 0 {
		n = min(n, int(a.step.at)-a.sent)
	}
	return n
}

// Flush is for handlers that look for an [http.Flusher].
func (a *answer) Flush() {
	a.FlushError() //nolint:errcheck // Flush has nobody to tell
}

// FlushError is for an [http.ResponseController].
func (a *answer) FlushError() error {
	a.WriteHeader(http.StatusOK)
	switch {
	case a.mute:
		return nil
	case a.cut:
		return errCut
	}
	return a.ctl.Flush()
}

// endIfDue ends the connection as soon as the body has come to its stage: a
// stream may have long to go.
func (a *answer) endIfDue() {
	if a.step.end != whole && !a.cut && a.sent == int(a.step.at) {
		a.ctl.Flush() //nolint:errcheck // whoever went away needs no end
		a.endConn()
	}
}

// finish ends the connection if the step has yet to do so. The handler has
// returned, or was not called.
func (a *answer) finish() {
	switch {
	case a.cut:
	case a.step.end == whole:
		a.lookBack()
	case a.mute:
		a.pause(a.step.delay)
		a.endConn()
	default:
		if a.Flush(); !a.cut { // the body is shorter than the stage
			a.endConn()
		}
	}
}

func (a *answer) endConn() {
	a.lookBack()
	a.cut = true
	a.conn.end(a.step.end)
}

// look notes a client that went away before something is sent to it.
func (a *answer) look() {
	a.gone = a.gone || a.req.Context().Err() != nil
}

// lookBack notes a client that went away after all was sent that will be, unless
// it could tell that it had the whole answer.
func (a *answer) lookBack() {
	if a.Header().Get("Content-Length") != strconv.Itoa(a.sent) {
		a.look()
	}
}

// pause waits for as long as somebody waits for the answer.
func (a *answer) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-a.req.Context().Done():
	}
}
