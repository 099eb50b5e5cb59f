package client

import (
	"context"
	"iter"

	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/internal/raw"
)

// APISources are APIs of the business whose items become documents: they are synced,
// by themselves if they have a schedule, and what was read is found when it is
// published.
type APISources struct{ client *Client }

// Preview asks an API for its first answer, and says which paths are in it, how it
// could be mapped, and what its first items would become. It writes nothing. That the
// API cannot be read stands in the preview's Error.
func (a *APISources) Preview(ctx context.Context, req api.APISourcePreviewRequest, opts ...Option) (*api.APISourcePreview, error) {
	return send[api.APISourcePreview](ctx, a.client, previewAPISource, opts)(raw.NewPreviewAPISourceRequest(a.client.server, req))
}

// Create adds an API source, and has it synced at once: [Runs.Watch] follows the run
// that its RunID names.
func (a *APISources) Create(ctx context.Context, req api.APISourceRequest, opts ...Option) (*api.APISource, error) {
	return send[api.APISource](ctx, a.client, createAPISource, opts)(raw.NewCreateAPISourceRequest(a.client.server, nil, req))
}

// Get reads an API source without its secrets, and how it stands.
func (a *APISources) Get(ctx context.Context, id string, opts ...Option) (*api.APISource, error) {
	return send[api.APISource](ctx, a.client, getAPISource, opts)(raw.NewGetAPISourceRequest(a.client.server, id, nil))
}

// List returns a page of API sources, newest first. A nil params means the first page
// of all.
func (a *APISources) List(ctx context.Context, params *api.ListAPISourcesParams, opts ...Option) (*api.APISourceList, error) {
	return send[api.APISourceList](ctx, a.client, listAPISources, opts)(raw.NewListAPISourcesRequest(a.client.server, params))
}

// All yields the API sources that List has, over all pages.
func (a *APISources) All(ctx context.Context, params *api.ListAPISourcesParams, opts ...Option) iter.Seq2[*api.APISource, error] {
	return all(params, func(p *api.ListAPISourcesParams) **string { return &p.Cursor },
		func(p *api.ListAPISourcesParams) (*api.APISourceList, error) { return a.List(ctx, p, opts...) })
}

// Update changes what patch sets, which the next sync obeys. Who changes the host
// gives the secrets again.
func (a *APISources) Update(ctx context.Context, id string, patch api.APISourcePatch, opts ...Option) (*api.APISource, error) {
	return send[api.APISource](ctx, a.client, updateAPISource, opts)(raw.NewUpdateAPISourceRequest(a.client.server, id, nil, patch))
}

// Delete deletes an API source with all its documents, and stops its sync. When it
// returns, no search, reply or citation holds the text of one.
func (a *APISources) Delete(ctx context.Context, id string, opts ...Option) (*api.DeletionReceipt, error) {
	return send[api.DeletionReceipt](ctx, a.client, deleteAPISource, opts)(raw.NewDeleteAPISourceRequest(a.client.server, id))
}

// Sync has an API source read now, and returns the run, or the one that waits already.
func (a *APISources) Sync(ctx context.Context, id string, req api.SyncRequest, opts ...Option) (*api.Run, error) {
	return send[api.Run](ctx, a.client, syncAPISource, opts)(raw.NewSyncAPISourceRequest(a.client.server, id, nil, req))
}
