package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/internal/sse"
)

// A stream is the answer that tells the events of a reply as they come. When the
// caller is gone it ends, and the turn goes on.
type stream struct {
	server  *Server
	ctx     context.Context // of the request: the generated code hands an answer none
	call    *call
	replyID string
	last    int // the number of the last event that the caller has
	leave   func()
}

// enterStream counts a stream, or says that there are too many.
func (s *Server) enterStream() (leave func(), err error) {
	if !s.meters.entered(s.opts.MaxStreams) {
		return nil, &problem{code: tooManyStreams, message: "too many streams are open: try again in a moment, or ask without a stream"}
	}
	return s.meters.left, nil
}

// VisitListMessageEventsResponse writes the stream.
func (st *stream) VisitListMessageEventsResponse(w http.ResponseWriter) error { return st.write(w) }

// VisitStreamMessageResponse writes the stream.
func (st *stream) VisitStreamMessageResponse(w http.ResponseWriter) error { return st.write(w) }

// write sends the events, the last of which says how the reply ended. What goes
// wrong from here on is told there.
func (st *stream) write(w http.ResponseWriter) error {
	defer st.leave()
	out, stop, err := beginStream(w, st.replyID)
	defer stop()
	if err != nil {
		return nil
	}
	for ev, err := range st.server.watch(st.ctx, st.call.company.Conversations(), st.replyID, st.last) {
		switch {
		case st.ctx.Err() != nil:
			return nil // nobody reads any more
		case err != nil:
			st.fail(out, err)
			return nil
		}
		st.last = ev.Sequence
		if send(out, string(ev.Type), int64(ev.Sequence), eventShape(ev)) != nil {
			return nil
		}
	}
	return nil
}

// fail sends the error that the stream ends with. A reply that may still come keeps
// its receipt, and the number of the last event, so that the stream can be taken up
// again behind it.
func (st *stream) fail(out *sse.Writer, err error) {
	if isOver(err) {
		st.last = agent.StoredSequence
		st.server.release(st.ctx, st.call, err)
	}
	st.server.report(st.ctx, st.call, err)
	last := st.call.failed(st.ctx, st.replyID, st.last, err)
	_ = send(out, last.Type, last.Sequence, last) // the caller is gone
}

// beginStream sends the headers of a stream, and a comment with the id of what it is
// about. The heartbeat goes on until stop is called.
func beginStream(w http.ResponseWriter, id string) (out *sse.Writer, stop func(), err error) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Accel-Buffering", "no") // for proxies that would keep events back
	w.WriteHeader(http.StatusOK)
	out = sse.NewWriter(w)
	stop = out.Heartbeat(heartbeat)
	return out, stop, out.Comment(id) // the headers go out at once
}

// send sends an event. One of the number 0 has none.
func send(out *sse.Writer, kind string, sequence int64, ev any) error {
	data, err := json.Marshal(ev)
	if err != nil {
		return err
	}
	id := ""
	if sequence > 0 {
		id = strconv.FormatInt(sequence, 10)
	}
	return out.Event(sse.Event{ID: id, Type: kind, Data: string(data)})
}
