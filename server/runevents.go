package server

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// ListRunEvents serves GET /v1/runs/{id}/events, as JSON or as a stream.
func (h *handlers) ListRunEvents(ctx context.Context, r api.ListRunEventsRequestObject) (api.ListRunEventsResponseObject, error) {
	c := callOf(ctx)
	after, err := lastEvent(r.Params.After, r.Params.LastEventID)
	if err != nil {
		return nil, err
	}
	run, err := c.company.Knowledge().Run(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	if strings.Contains(c.accept, "text/event-stream") {
		leave, err := h.enterStream()
		if err != nil {
			return nil, err
		}
		return &runStream{server: h.Server, ctx: ctx, call: c, runID: run.ID, last: int64(after), leave: leave}, nil
	}
	events, done, err := h.runEvents(ctx, c.company.Knowledge(), run.ID, int64(after), time.Duration(value(r.Params.Wait))*time.Second)
	if err != nil {
		return nil, err
	}
	out := api.ListRunEvents200JSONResponse{Data: make([]api.RunEvent, len(events)), Done: done}
	for i, ev := range events {
		out.Data[i] = runEventShape(ev)
	}
	return out, nil
}

// runPause is how long to wait before looking for more events of a run.
const runPause = 100 * time.Millisecond

// runEvents reads the events that there are, waiting for the first one if asked to.
func (s *Server) runEvents(ctx context.Context, kb *knowledge.Base, runID string, after int64, wait time.Duration) ([]knowledge.RunEvent, bool, error) {
	late := time.Now().Add(wait)
	for {
		events, done, err := kb.RunEvents(ctx, runID, after)
		left := time.Until(late)
		if err != nil || done || len(events) > 0 || left <= 0 {
			return events, done, err
		}
		select {
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case <-s.draining.Done():
			late = time.Now()
		case <-time.After(min(left, runPause)):
		}
	}
}

// A runStream is the answer that tells the events of a run as they come. When the
// caller is gone, the server drains or something goes wrong it ends, and the run goes
// on: whoever misses its last event takes the stream up again.
type runStream struct {
	server *Server
	ctx    context.Context // of the request: the generated code hands an answer none
	call   *call
	runID  string
	last   int64 // the number of the last event that the caller has
	leave  func()
}

// VisitListRunEventsResponse writes the stream.
func (st *runStream) VisitListRunEventsResponse(w http.ResponseWriter) error {
	defer st.leave()
	out, stop, err := beginStream(w, st.runID)
	defer stop()
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(st.ctx)
	defer cancel()
	defer context.AfterFunc(st.server.drained, cancel)()
	kb, told := st.call.company.Knowledge(), false
	for ev, err := range kb.WatchRun(ctx, st.runID, st.last) {
		if err != nil {
			if ctx.Err() == nil {
				st.server.report(st.ctx, st.call, err)
			}
			return nil
		}
		told = true
		if send(out, ev.Type, ev.Sequence, runEventShape(ev)) != nil {
			return nil
		}
	}
	if told || st.last == 0 {
		return nil
	}
	// The caller has all there is, and is told the last event again, so that the
	// stream has an end.
	events, _, err := kb.RunEvents(ctx, st.runID, st.last-1)
	if err != nil {
		st.server.report(st.ctx, st.call, err)
	}
	for _, ev := range events {
		_ = send(out, ev.Type, ev.Sequence, runEventShape(ev)) // the caller is gone
	}
	return nil
}
