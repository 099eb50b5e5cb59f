package server

import (
	"context"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// ListConversations serves GET /v1/conversations.
func (h *handlers) ListConversations(ctx context.Context, r api.ListConversationsRequestObject) (api.ListConversationsResponseObject, error) {
	c := callOf(ctx)
	agentID, err := c.agentID(ctx, value(r.Params.AgentID))
	if err != nil {
		return nil, err
	}
	l, err := c.company.Conversations().List(ctx, agent.ConversationFilter{AgentID: agentID, UserID: value(r.Params.UserID)}, page(r.Params.Limit, r.Params.Cursor))
	data, next, more, err := listed(l, err, conversationShape)
	return api.ListConversations200JSONResponse{Data: data, NextCursor: next, HasMore: more}, err
}

// GetConversation serves GET /v1/conversations/{id}.
func (h *handlers) GetConversation(ctx context.Context, r api.GetConversationRequestObject) (api.GetConversationResponseObject, error) {
	c, err := callOf(ctx).company.Conversations().Get(ctx, r.ID)
	return api.GetConversation200JSONResponse(conversationShape(c)), err
}

// DeleteConversation serves DELETE /v1/conversations/{id}.
func (h *handlers) DeleteConversation(ctx context.Context, r api.DeleteConversationRequestObject) (api.DeleteConversationResponseObject, error) {
	c := callOf(ctx)
	there, err := c.company.Conversations().Get(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	out, err := c.company.Conversations().Delete(ctx, there.ID)
	if err != nil {
		return nil, err
	}
	return api.DeleteConversation200JSONResponse(c.gone("conversation", out)), nil
}

// ListConversationMessages serves GET /v1/conversations/{id}/messages.
func (h *handlers) ListConversationMessages(ctx context.Context, r api.ListConversationMessagesRequestObject) (api.ListConversationMessagesResponseObject, error) {
	l, err := callOf(ctx).company.Conversations().Messages(ctx, r.ID, page(r.Params.Limit, r.Params.Cursor))
	data, next, more, err := listed(l, err, messageShape)
	return api.ListConversationMessages200JSONResponse{Data: data, NextCursor: next, HasMore: more}, err
}
