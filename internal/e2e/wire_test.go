package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/sse"
)

// An exchanged is a request with its answer, both as they were sent, but for
// their encoding.
type exchanged struct {
	request   *http.Request // with a body that can be read
	operation string        // empty if the contract has none
	status    int
	header    http.Header
	body      []byte
	cut       bool // the answer ended before its time: the caller left, or the connection broke
}

// A wire lies between a caller and a transport, and holds what comes by against
// the contract.
type wire struct {
	t        testing.TB
	contract *contract
	next     http.RoundTripper
	each     func(*exchanged) // is told of every exchange; nil if nobody is
}

// RoundTrip implements [http.RoundTripper].
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	out := r.Clone(r.Context())
	if r.Body != nil {
		out.Body = io.NopCloser(bytes.NewReader(body))
	}
	resp, err := w.next.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	x := &exchanged{request: r.Clone(r.Context()), status: resp.StatusCode, header: resp.Header}
	x.request.Body = io.NopCloser(bytes.NewReader(plain(r.Header, body)))
	x.request.GetBody = nil
	told := sync.OnceFunc(func() {
		for _, err := range w.contract.check(x) {
			w.t.Errorf("%s %s: %d: %v", r.Method, r.URL.RequestURI(), x.status, err)
		}
		if w.each != nil {
			w.each(x)
		}
	})
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		resp.Body = &overheard{body: resp.Body, x: x, told: told}
		return resp, nil
	}
	sent, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(sent))
	x.body = plain(resp.Header, sent)
	told()
	return resp, nil
}

// plain undoes the encoding of a body.
func plain(h http.Header, body []byte) []byte {
	if h.Get("Content-Encoding") != "gzip" {
		return body
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return body
	}
	out, err := io.ReadAll(z)
	if err != nil {
		return body
	}
	return out
}

// An overheard is the body of a stream, whose bytes are kept as they come.
type overheard struct {
	body io.ReadCloser
	x    *exchanged
	told func()
}

func (o *overheard) Read(p []byte) (int, error) {
	n, err := o.body.Read(p)
	o.x.body = append(o.x.body, p[:n]...)
	if err != nil {
		o.x.cut = err != io.EOF
		o.told()
	}
	return n, err
}

// Close tells of a stream that the caller leaves.
func (o *overheard) Close() error {
	o.x.cut = o.x.cut || !terminal(o.x.body)
	o.told()
	return o.body.Close()
}

// terminal reports whether the bytes of a stream end with the last event of a
// reply or a run.
func terminal(body []byte) bool {
	events, _ := eventsIn(body)
	return len(events) > 0 && last(events[len(events)-1].Type)
}

func last(kind string) bool {
	switch kind {
	case "message.completed", "error", "run.completed", "run.failed", "run.cancelled":
		return true
	}
	return false
}

// eventsIn returns the whole events in the bytes of a stream.
func eventsIn(body []byte) (out []sse.Event, err error) {
	in := sse.NewReader(bytes.NewReader(body), nil)
	for {
		ev, err := in.Next()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, ev)
	}
}

// checkEvents compares the events of a stream with the contract. One that was cut
// off may end anywhere.
func (c *contract) checkEvents(x *exchanged) error {
	events, err := eventsIn(x.body)
	if err != nil && !(x.cut && errors.Is(err, io.ErrUnexpectedEOF)) {
		return err
	}
	schema := c.doc.Components.Schemas["StreamEvent"].Value
	if x.operation == "listRunEvents" {
		schema = c.doc.Components.Schemas["RunEvent"].Value
	}
	sequence := int64(0)
	for i, ev := range events {
		var v any
		var head struct {
			Type     string
			Sequence int64
		}
		if err := errors.Join(json.Unmarshal([]byte(ev.Data), &v), json.Unmarshal([]byte(ev.Data), &head)); err != nil {
			return fmt.Errorf("event %d: %w", i, err)
		}
		if err := errors.Join(schema.VisitJSON(v), knownValue("", schema, v)); err != nil {
			return fmt.Errorf("event %d, %s: %w", i, ev.Data, err)
		}
		if ev.Type != head.Type || ev.ID != strconv.FormatInt(head.Sequence, 10) {
			return fmt.Errorf("event %d has the type %q and the id %q around %s", i, ev.Type, ev.ID, ev.Data)
		}
		if head.Sequence <= sequence {
			return fmt.Errorf("event %d has the sequence %d after %d", i, head.Sequence, sequence)
		}
		sequence = head.Sequence
		if last(ev.Type) != (i == len(events)-1) && !(x.cut && !last(ev.Type)) {
			return fmt.Errorf("event %d of %d is %s", i, len(events), ev.Type)
		}
	}
	if resumed := x.request.Header.Get("Last-Event-ID") != ""; len(events) == 0 && !x.cut && !resumed {
		return errors.New("it has no event")
	}
	return nil
}
