package client

import (
	"context"
	"iter"

	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/internal/raw"
)

// Conversations are runs of turns between one customer and one agent.
type Conversations struct{ client *Client }

// List returns a page of conversations, newest first. A nil params means the
// first page of all.
func (c *Conversations) List(ctx context.Context, params *api.ListConversationsParams, opts ...Option) (*api.ConversationList, error) {
	return send[api.ConversationList](ctx, c.client, listConversations, opts)(raw.NewListConversationsRequest(c.client.server, params))
}

// All yields the conversations that List has, over all pages.
func (c *Conversations) All(ctx context.Context, params *api.ListConversationsParams, opts ...Option) iter.Seq2[*api.Conversation, error] {
	return all(params, func(p *api.ListConversationsParams) **string { return &p.Cursor },
		func(p *api.ListConversationsParams) (*api.ConversationList, error) { return c.List(ctx, p, opts...) })
}

// Get reads a conversation, without its messages.
func (c *Conversations) Get(ctx context.Context, id string, opts ...Option) (*api.Conversation, error) {
	return send[api.Conversation](ctx, c.client, getConversation, opts)(raw.NewGetConversationRequest(c.client.server, id))
}

// Delete deletes a conversation with all its messages. A turn that runs there
// ends without a reply.
func (c *Conversations) Delete(ctx context.Context, id string, opts ...Option) (*api.DeletionReceipt, error) {
	return send[api.DeletionReceipt](ctx, c.client, deleteConversation, opts)(raw.NewDeleteConversationRequest(c.client.server, id))
}

// Messages returns a page of the messages of a conversation, newest first. A nil
// params means the first page.
func (c *Conversations) Messages(ctx context.Context, id string, params *api.ListConversationMessagesParams, opts ...Option) (*api.MessageList, error) {
	return send[api.MessageList](ctx, c.client, listConversationMessages, opts)(raw.NewListConversationMessagesRequest(c.client.server, id, params))
}

// AllMessages yields the messages that Messages has, over all pages.
func (c *Conversations) AllMessages(ctx context.Context, id string, params *api.ListConversationMessagesParams, opts ...Option) iter.Seq2[*api.Message, error] {
	return all(params, func(p *api.ListConversationMessagesParams) **string { return &p.Cursor },
		func(p *api.ListConversationMessagesParams) (*api.MessageList, error) {
			return c.Messages(ctx, id, p, opts...)
		})
}
