package server

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
	"github.com/answerdesk-go/answerdesk/store"
)

// ListMessageEvents serves GET /v1/messages/{id}/events, as JSON or as a stream.
func (h *handlers) ListMessageEvents(ctx context.Context, r api.ListMessageEventsRequestObject) (api.ListMessageEventsResponseObject, error) {
	c := callOf(ctx)
	after, err := lastEvent(r.Params.After, r.Params.LastEventID)
	if err != nil {
		return nil, err
	}
	m, err := c.message(ctx, r.ID)
	if err == nil && m.Role != string(agent.RoleAgent) {
		err = store.NotFound("reply", m.ID)
	}
	if err != nil {
		return nil, err
	}
	if strings.Contains(c.accept, "text/event-stream") {
		leave, err := h.enterStream()
		if err != nil {
			return nil, err
		}
		return &stream{server: h.Server, ctx: ctx, call: c, replyID: m.ID, last: after, leave: leave}, nil
	}
	wait := time.Duration(value(r.Params.Wait)) * time.Second
	if m.State != string(agent.StateRunning) {
		wait = forever // its events are there, however long the store takes to find them
	}
	events, done, err := h.eventsNow(ctx, c, m.ID, after, wait)
	return api.ListMessageEvents200JSONResponse{Data: events, Done: done}, err
}

// lastEvent is the number of the last event that a caller has, who may say so in two
// ways.
func lastEvent(after *api.After, id *api.LastEventID) (int, error) {
	n := int(value(after))
	if last := value(id); last != "" {
		told, err := strconv.Atoi(last)
		if err != nil {
			return 0, wrong("Last-Event-ID", "is no number of an event")
		}
		n = max(n, told)
	}
	return n, nil
}

// quiet is how long a reply that is being made may tell nothing before it is taken
// that there is nothing more to read for now.
const quiet = 20 * time.Millisecond

// forever is how long is waited for what is sure to come.
const forever = time.Duration(math.MaxInt64)

// eventsNow reads the events that there are, waiting for the first one if asked to.
func (s *Server) eventsNow(ctx context.Context, c *call, replyID string, after int, wait time.Duration) (events []api.StreamEvent, done bool, err error) {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	patience := time.AfterFunc(max(wait, quiet), stop)
	defer patience.Stop()
	events = []api.StreamEvent{}
	for ev, err := range s.watch(reading, c.company.Conversations(), replyID, after) {
		switch {
		case err != nil && errors.Is(err, reading.Err()) && ctx.Err() == nil:
			return events, false, nil // nothing more for now
		case err != nil && isOver(err):
			return append(events, c.failed(ctx, replyID, agent.StoredSequence, err)), true, nil
		case err != nil:
			return nil, false, err
		}
		if wait != forever {
			patience.Reset(quiet)
		}
		events = append(events, eventShape(ev))
	}
	return events, true, nil
}

// failed is the last event of a reply that was not completed, or that is not told
// here any more.
func (c *call) failed(ctx context.Context, replyID string, sequence int, err error) api.StreamEvent {
	ev := api.StreamEvent{Type: "error", Sequence: int64(sequence), MessageID: replyID, Error: problemOf(err).body(c.id)}
	if m, err := c.message(ctx, replyID); err == nil {
		ev.ConversationID = m.ConversationID
	}
	return ev
}
