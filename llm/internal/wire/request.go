package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"mime"
	"net/http"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/sse"
)

// maxEvent bounds one event of a stream, in bytes.
const maxEvent = 4 << 20

// JSON posts a request to a path below the base address and returns the answer's
// bytes.
func (a *API) JSON(ctx context.Context, path string, request any) ([]byte, error) {
	c, err := a.post(ctx, path, "application/json", request)
	if err != nil {
		return nil, err
	}
	defer c.close()
	answer, err := io.ReadAll(c)
	if err != nil {
		return nil, a.lost(c, err)
	}
	return answer, nil
}

// Stream posts a request to a path below the base address once the sequence is
// read, and yields the events of the answer until it ends; whether that was its
// end, they say. An error is the last of the sequence; if the answer had begun it
// wraps llm.ErrIncomplete. An answer that is one JSON value and no stream, as some
// servers send, is one event.
//
// An event whose blank line never came is none.
func (a *API) Stream(ctx context.Context, path string, request any) iter.Seq2[sse.Event, error] {
	return func(yield func(sse.Event, error) bool) {
		c, err := a.post(ctx, path, "text/event-stream", request)
		if err != nil {
			yield(sse.Event{}, err)
			return
		}
		defer c.close()
		if kind, _, _ := mime.ParseMediaType(c.resp.Header.Get("Content-Type")); kind == "application/json" {
			answer, err := io.ReadAll(c)
			if err != nil {
				yield(sse.Event{}, a.lost(c, err))
				return
			}
			yield(sse.Event{Data: string(answer)}, nil)
			return
		}
		in := sse.NewReader(c, &sse.ReaderOptions{MaxEvent: maxEvent})
		for {
			ev, err := in.Next()
			if ended := c.outer.Err(); ended != nil {
				err = ended // also when there is more that was read before
			}
			switch {
			case err == io.EOF || err == io.ErrUnexpectedEOF && c.clean:
				return
			case errors.Is(err, sse.ErrTooLarge):
				yield(sse.Event{}, a.Malformed("an event has more than %d bytes", maxEvent))
				return
			case err != nil:
				yield(sse.Event{}, a.lost(c, err))
				return
			case !yield(ev, nil):
				return
			}
		}
	}
}

// A call is a request under way, and reads the bytes of its answer.
type call struct {
	outer context.Context // the caller's
	inner context.Context
	end   context.CancelFunc
	timer *time.Timer // ends inner in silence
	quiet time.Duration
	resp  *http.Response
	left  int64 // bytes that may be read
	clean bool  // the answer came to its end
}

var (
	errSilent  = errors.New("nothing came for too long")
	errTooLong = errors.New("the answer is too long")
)

// post makes a request and returns its answer, which has status 200.
func (a *API) post(ctx context.Context, path, accept string, request any) (*call, error) {
	if ctx.Err() != nil {
		return nil, a.Ended(ctx)
	}
	sent, err := json.Marshal(request)
	if err != nil {
		return nil, a.BadRequest("the request cannot be written as JSON")
	}
	timed, stop := context.WithTimeout(ctx, a.timeout)
	inner, cancel := context.WithCancelCause(timed)
	c := &call{outer: ctx, inner: inner, quiet: a.silence, left: a.maxAnswer}
	c.timer = time.AfterFunc(a.silence, func() { cancel(errSilent) })
	c.end = func() { c.timer.Stop(); cancel(nil); stop() }

	req, err := http.NewRequestWithContext(inner, http.MethodPost, a.base+path, bytes.NewReader(sent))
	if err != nil {
		c.end()
		return nil, a.BadRequest("the request has no proper address")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", accept)
	// Without a value it is not sent, and has net/http make the request again, on
	// another connection, if the one that it had kept open was closed by the server
	// before it answered: some close them without a word.
	req.Header["Idempotency-Key"] = nil
	a.sign(req.Header)
	c.resp, err = a.client.Do(req) //nolint:bodyclose // close closes it
	if err != nil {
		defer c.end()
		return nil, a.lost(c, err)
	}
	if c.resp.StatusCode != http.StatusOK {
		defer c.close()
		said, err := io.ReadAll(io.LimitReader(c, maxRefusal)) // what there is will do
		if ended := ctx.Err(); ended != nil {
			return nil, a.lost(c, err)
		}
		return nil, a.refused(c.resp.StatusCode, c.resp.Header, said)
	}
	return c, nil
}

// Read reads the answer. Time counts only while somebody reads.
func (c *call) Read(p []byte) (int, error) {
	if c.left < 0 {
		return 0, errTooLong
	}
	c.timer.Reset(c.quiet)
	n, err := c.resp.Body.Read(p[:min(int64(len(p)), c.left+1)])
	c.timer.Stop()
	if c.left -= int64(n); c.left < 0 {
		return 0, errTooLong
	}
	c.clean = err == io.EOF
	return n, err
}

func (c *call) close() {
	c.end()
	_ = c.resp.Body.Close()
}
