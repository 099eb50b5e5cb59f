package client

import (
	"context"
	"iter"

	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/internal/raw"
)

// Content is knowledge as text with metadata.
type Content struct{ client *Client }

// Create adds a piece of content, or replaces the one with the same external id.
func (c *Content) Create(ctx context.Context, req api.ContentRequest, opts ...Option) (*api.Content, error) {
	return send[api.Content](ctx, c.client, createContent, opts)(raw.NewCreateContentRequest(c.client.server, nil, req))
}

// Get reads a piece of content with its text.
func (c *Content) Get(ctx context.Context, id string, opts ...Option) (*api.Content, error) {
	return send[api.Content](ctx, c.client, getContent, opts)(raw.NewGetContentRequest(c.client.server, id, nil))
}

// List returns a page of content without texts, newest first. A nil params means
// the first page of all.
func (c *Content) List(ctx context.Context, params *api.ListContentParams, opts ...Option) (*api.ContentList, error) {
	return send[api.ContentList](ctx, c.client, listContent, opts)(raw.NewListContentRequest(c.client.server, params))
}

// All yields the content that List has, over all pages.
func (c *Content) All(ctx context.Context, params *api.ListContentParams, opts ...Option) iter.Seq2[*api.Content, error] {
	return all(params, func(p *api.ListContentParams) **string { return &p.Cursor },
		func(p *api.ListContentParams) (*api.ContentList, error) { return c.List(ctx, p, opts...) })
}

// Update changes what patch sets, and returns the content without its text.
func (c *Content) Update(ctx context.Context, id string, patch api.ContentPatch, opts ...Option) (*api.Content, error) {
	return send[api.Content](ctx, c.client, updateContent, opts)(raw.NewUpdateContentRequest(c.client.server, id, nil, patch))
}

// Delete deletes a piece of content with all its versions.
func (c *Content) Delete(ctx context.Context, id string, opts ...Option) (*api.DeletionReceipt, error) {
	return send[api.DeletionReceipt](ctx, c.client, deleteContent, opts)(raw.NewDeleteContentRequest(c.client.server, id))
}
