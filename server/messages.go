package server

import (
	"context"
	"errors"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
	"github.com/answerdesk-go/answerdesk/store"
)

// asked is the message in a request, whose body is also b.
func (c *call) asked(b *api.MessageRequest) agent.Message {
	schema, _ := schemaOf(b.ReplySchema) // it was JSON
	return agent.Message{
		Context: c.object("context"), Attachments: attachmentRefs(b.Attachments), ReplyFormat: agent.ReplyFormat(b.ReplyFormat), ReplySchema: schema,
		Text: b.Message, ConversationID: b.ConversationID, Metadata: c.object("metadata"), MinRevision: b.MinRevision,
		User: agent.User{ID: b.User.ID, Name: b.User.Name, Email: b.User.Email, Phone: b.User.Phone},
	}
}

// CreateMessage serves POST /v1/message. The turn goes on when the caller is gone.
func (h *handlers) CreateMessage(ctx context.Context, r api.CreateMessageRequestObject) (api.CreateMessageResponseObject, error) {
	c := callOf(ctx)
	replyID, ok := c.made()
	if !ok {
		begun, err := c.company.Agent(r.Body.AgentID).Start(ctx, c.asked(r.Body))
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
		begun, err := c.company.Agent(r.Body.AgentID).StartStream(ctx, c.asked(r.Body))
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
