package server

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
	"github.com/answerdesk-go/answerdesk/store"
)

// messageOf is the message in a request.
func messageOf(b *api.MessageRequest) agent.Message {
	return agent.Message{
		Text: b.Message, ConversationID: b.ConversationID, Metadata: b.Metadata,
		User: agent.User{ID: b.User.ID, Name: b.User.Name, Email: b.User.Email, Phone: b.User.Phone},
	}
}

// CreateMessage serves POST /v1/message. The turn goes on when the caller is gone.
func (h *handlers) CreateMessage(ctx context.Context, r api.CreateMessageRequestObject) (api.CreateMessageResponseObject, error) {
	c := callOf(ctx)
	replyID, ok := c.made()
	if !ok {
		begun, err := c.company.Agent(r.Body.AgentID).Start(ctx, messageOf(r.Body))
		if err != nil {
			return nil, err
		}
		replyID = begun.ReplyID
	}
	reply, err := h.wait(ctx, c.company.Conversations(), replyID)
	c.goesOn = err != nil && !isOver(err)
	return api.CreateMessage200JSONResponse(replyShape(reply)), err
}

// StreamMessage serves POST /v1/message/stream.
func (h *handlers) StreamMessage(ctx context.Context, r api.StreamMessageRequestObject) (api.StreamMessageResponseObject, error) {
	c := callOf(ctx)
	leave, err := h.enterStream()
	if err != nil {
		return nil, err
	}
	replyID, ok := c.made()
	if !ok {
		begun, err := c.company.Agent(r.Body.AgentID).StartStream(ctx, messageOf(r.Body))
		if err != nil {
			leave()
			return nil, err
		}
		replyID = begun.ReplyID
	}
	return &stream{server: h.Server, ctx: ctx, call: c, replyID: replyID, leave: leave}, nil
}

// ListMessages serves GET /v1/messages.
func (h *handlers) ListMessages(ctx context.Context, r api.ListMessagesRequestObject) (api.ListMessagesResponseObject, error) {
	l, err := callOf(ctx).company.Conversations().Find(ctx, agent.MessageFilter{
		ConversationID: value(r.Params.ConversationID), AgentID: value(r.Params.AgentID), UserID: value(r.Params.UserID),
	}, page(r.Params.Limit, r.Params.Cursor))
	data, next, more, err := listed(l, err, messageShape)
	return api.ListMessages200JSONResponse{Data: data, NextCursor: next, HasMore: more}, err
}

// GetMessage serves GET /v1/messages/{id}.
func (h *handlers) GetMessage(ctx context.Context, r api.GetMessageRequestObject) (api.GetMessageResponseObject, error) {
	m, err := callOf(ctx).message(ctx, r.ID)
	return api.GetMessage200JSONResponse(m), err
}

// message returns a message, or what there is of a reply that is being made.
func (c *call) message(ctx context.Context, id string) (api.Message, error) {
	running, err := c.company.Conversations().Running(ctx, id)
	if errors.Is(err, store.ErrNotFound) { // it has ended, and does not run again
		m, err := c.company.Conversations().Message(ctx, id)
		return messageShape(m), err
	}
	if err != nil {
		return api.Message{}, err
	}
	return api.Message{
		ID: running.ReplyID, ConversationID: running.ConversationID, AgentID: running.AgentID,
		Role: string(agent.RoleAgent), State: string(agent.StateRunning), CreatedAt: running.CreatedAt,
	}, nil
}

// CancelMessage serves POST /v1/messages/{id}/cancel.
func (h *handlers) CancelMessage(ctx context.Context, r api.CancelMessageRequestObject) (api.CancelMessageResponseObject, error) {
	c := callOf(ctx)
	if _, err := c.company.Conversations().Cancel(ctx, r.ID); err != nil {
		return nil, err
	}
	m, err := c.message(ctx, r.ID)
	return api.CancelMessage200JSONResponse(m), err
}

// GiveFeedback serves POST /v1/messages/{id}/feedback.
func (h *handlers) GiveFeedback(ctx context.Context, r api.GiveFeedbackRequestObject) (api.GiveFeedbackResponseObject, error) {
	f, err := callOf(ctx).company.Conversations().PutFeedback(ctx, agent.Feedback{
		MessageID: r.ID, Rating: agent.Rating(r.Body.Rating), Remark: r.Body.Remark, Reasons: r.Body.Reasons,
	})
	return api.GiveFeedback200JSONResponse(feedbackShape(f)), err
}

// ListMessageEvents serves GET /v1/messages/{id}/events, as JSON or as a stream.
func (h *handlers) ListMessageEvents(ctx context.Context, r api.ListMessageEventsRequestObject) (api.ListMessageEventsResponseObject, error) {
	c := callOf(ctx)
	after := int(value(r.Params.After))
	if last := value(r.Params.LastEventID); last != "" {
		n, err := strconv.Atoi(last)
		if err != nil {
			return nil, wrong("Last-Event-ID", "is no number of an event")
		}
		after = max(after, n)
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
	events, done, err := h.eventsNow(ctx, c, m.ID, after, time.Duration(value(r.Params.Wait))*time.Second)
	return api.ListMessageEvents200JSONResponse{Data: events, Done: done}, err
}

// quiet is how long a reply that is being made may tell nothing before it is taken
// that there is nothing more to read for now.
const quiet = 20 * time.Millisecond

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
		patience.Reset(quiet)
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
