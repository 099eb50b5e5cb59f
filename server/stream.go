package server

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/internal/sse"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// A stream is the answer that tells the events of a reply as they come. When the
// caller is gone it ends, and the turn goes on.
type stream struct {
	server  *Server
	ctx     context.Context
	call    *call
	replyID string
	after   int // the number of the last event that the caller has
	leave   func()
}

// enterStream counts a stream, or says that there are too many.
func (s *Server) enterStream() (leave func(), err error) {
	if n := s.meters.streams.Add(1); n > int64(s.opts.MaxStreams) {
		s.meters.streams.Add(-1)
		return nil, &problem{code: tooManyStreams, message: "too many streams are open: try again in a moment, or ask without a stream"}
	}
	return func() { s.meters.streams.Add(-1) }, nil
}

// write sends the events, the last of which says how the reply ended.
func (st *stream) write(w http.ResponseWriter) error {
	defer st.leave()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Accel-Buffering", "no") // for proxies that would keep events back
	w.WriteHeader(http.StatusOK)
	out := sse.NewWriter(w)
	defer out.Heartbeat(heartbeat)()
	if err := out.Comment(st.replyID); err != nil { // the headers go out at once
		return nil
	}
	for ev, err := range st.call.company.Conversations().Watch(st.ctx, st.replyID, st.after) {
		if st.ctx.Err() != nil {
			return nil
		}
		if err != nil {
			st.server.release(st.ctx, st.call)
			_ = st.send(out, st.call.failed(st.replyID, err))
			return nil
		}
		if st.send(out, eventShape(ev)) != nil {
			return nil // nobody reads any more
		}
		if ev.Type == agent.MessageCompleted {
			return nil
		}
	}
	return nil
}

func (st *stream) send(out *sse.Writer, ev api.StreamEvent) error {
	data, err := json.Marshal(ev)
	if err != nil {
		return err
	}
	return out.Event(sse.Event{ID: strconv.FormatInt(ev.Sequence, 10), Type: ev.Type, Data: string(data)})
}
