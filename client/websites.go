package client

import (
	"context"
	"iter"

	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/internal/raw"
)

// Websites are sites whose pages become documents: they are crawled, by themselves
// if they have a schedule, and what was read is found when it is published.
type Websites struct{ client *Client }

// Create adds a website, and has it crawled at once: [Runs.Watch] follows the run
// that its RunID names.
func (w *Websites) Create(ctx context.Context, req api.WebsiteRequest, opts ...Option) (*api.Website, error) {
	return send[api.Website](ctx, w.client, createWebsite, opts)(raw.NewCreateWebsiteRequest(w.client.server, nil, req))
}

// Get reads a website, and how it stands.
func (w *Websites) Get(ctx context.Context, id string, opts ...Option) (*api.Website, error) {
	return send[api.Website](ctx, w.client, getWebsite, opts)(raw.NewGetWebsiteRequest(w.client.server, id, nil))
}

// List returns a page of websites, newest first. A nil params means the first page
// of all.
func (w *Websites) List(ctx context.Context, params *api.ListWebsitesParams, opts ...Option) (*api.WebsiteList, error) {
	return send[api.WebsiteList](ctx, w.client, listWebsites, opts)(raw.NewListWebsitesRequest(w.client.server, params))
}

// All yields the websites that List has, over all pages.
func (w *Websites) All(ctx context.Context, params *api.ListWebsitesParams, opts ...Option) iter.Seq2[*api.Website, error] {
	return all(params, func(p *api.ListWebsitesParams) **string { return &p.Cursor },
		func(p *api.ListWebsitesParams) (*api.WebsiteList, error) { return w.List(ctx, p, opts...) })
}

// Update changes what patch sets, which the next crawl obeys.
func (w *Websites) Update(ctx context.Context, id string, patch api.WebsitePatch, opts ...Option) (*api.Website, error) {
	return send[api.Website](ctx, w.client, updateWebsite, opts)(raw.NewUpdateWebsiteRequest(w.client.server, id, nil, patch))
}

// Delete deletes a website with all its pages, and stops its crawl. When it returns,
// no search, reply or citation holds the text of one.
func (w *Websites) Delete(ctx context.Context, id string, opts ...Option) (*api.DeletionReceipt, error) {
	return send[api.DeletionReceipt](ctx, w.client, deleteWebsite, opts)(raw.NewDeleteWebsiteRequest(w.client.server, id))
}

// Crawl has a website crawled now, and returns the run, or the one that waits
// already.
func (w *Websites) Crawl(ctx context.Context, id string, req api.CrawlRequest, opts ...Option) (*api.Run, error) {
	return send[api.Run](ctx, w.client, crawlWebsite, opts)(raw.NewCrawlWebsiteRequest(w.client.server, id, nil, req))
}

// Report returns a page of what the latest crawl did with each address, the last
// one first. A nil params means the first page.
func (w *Websites) Report(ctx context.Context, id string, params *api.ListWebsitePagesParams, opts ...Option) (*api.WebsitePageList, error) {
	return send[api.WebsitePageList](ctx, w.client, listWebsitePages, opts)(raw.NewListWebsitePagesRequest(w.client.server, id, params))
}

// ReportAll yields the addresses that Report has, over all pages.
func (w *Websites) ReportAll(ctx context.Context, id string, params *api.ListWebsitePagesParams, opts ...Option) iter.Seq2[*api.WebsitePage, error] {
	return all(params, func(p *api.ListWebsitePagesParams) **string { return &p.Cursor },
		func(p *api.ListWebsitePagesParams) (*api.WebsitePageList, error) {
			return w.Report(ctx, id, p, opts...)
		})
}
