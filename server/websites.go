package server

import (
	"context"
	"errors"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
	"github.com/answerdesk-go/answerdesk/store"
)

// ListWebsites serves GET /v1/knowledge/websites.
func (h *handlers) ListWebsites(ctx context.Context, r api.ListWebsitesRequestObject) (api.ListWebsitesResponseObject, error) {
	c := callOf(ctx)
	agentID, err := c.agentID(ctx, value(r.Params.AgentID))
	if err != nil {
		return nil, err
	}
	l, err := c.company.Knowledge().Websites(ctx, agentID, page(r.Params.Limit, r.Params.Cursor))
	data, next, more, err := listed(l, err, websiteShape)
	return api.ListWebsites200JSONResponse{Data: data, NextCursor: next, HasMore: more}, err
}

// CreateWebsite serves POST /v1/knowledge/websites.
func (h *handlers) CreateWebsite(ctx context.Context, r api.CreateWebsiteRequestObject) (api.CreateWebsiteResponseObject, error) {
	c, b := callOf(ctx), r.Body
	var w knowledge.Website
	var err error
	if made, ok := c.made(); ok {
		w, err = c.company.Knowledge().Website(ctx, made)
	} else {
		w, err = c.company.Knowledge().AddWebsite(ctx, knowledge.Website{
			Source:   knowledge.Source{URL: b.URL, AgentID: b.AgentID, Schedule: b.Schedule, Metadata: b.Metadata},
			MaxPages: int(value(b.MaxPages)), MaxDepth: depth(b.MaxDepth), Include: b.Include, Exclude: b.Exclude,
		})
	}
	if err != nil {
		return nil, err
	}
	c.created("/v1/knowledge/websites/", w.ID)
	return api.CreateWebsite201JSONResponse(c.website(w)), nil
}

// depth is how deep a crawl goes, in knowledge's words: there 0 is the default.
func depth(asked *int32) int {
	switch {
	case asked == nil:
		return 0
	case *asked == 0:
		return -1
	}
	return int(*asked)
}

// website is the shape of a website that is answered alone, with its tag.
func (c *call) website(w knowledge.Website) api.Website {
	out := websiteShape(w)
	c.header.Set("ETag", sourceTag(w.UpdatedAt, out))
	return out
}

// GetWebsite serves GET /v1/knowledge/websites/{id}.
func (h *handlers) GetWebsite(ctx context.Context, r api.GetWebsiteRequestObject) (api.GetWebsiteResponseObject, error) {
	c := callOf(ctx)
	w, err := c.company.Knowledge().Website(ctx, r.ID)
	return api.GetWebsite200JSONResponse(c.website(w)), err
}

// UpdateWebsite serves PATCH /v1/knowledge/websites/{id}.
func (h *handlers) UpdateWebsite(ctx context.Context, r api.UpdateWebsiteRequestObject) (api.UpdateWebsiteResponseObject, error) {
	c, b := callOf(ctx), r.Body
	updated, err := ifUpdated(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	p := knowledge.WebsitePatch{Include: reset(b.Include), Exclude: reset(b.Exclude), Schedule: reset(b.Schedule), IfUpdated: updated}
	if b.MaxPages.IsSpecified() {
		p.MaxPages = new(int(*reset(b.MaxPages)))
	}
	if b.MaxDepth.IsSpecified() {
		p.MaxDepth = new(depth(given(b.MaxDepth)))
	}
	p.ResetMetadata = b.Metadata.IsNull()
	p.Metadata = value(given(b.Metadata))
	w, err := c.company.Knowledge().UpdateWebsite(ctx, r.ID, p)
	if err != nil {
		return nil, raced(err, updated)
	}
	return api.UpdateWebsite200JSONResponse(c.website(w)), nil
}

// given returns what a field of a merge patch holds, and nil if that is nothing.
func given[T any](n nullable.Nullable[T]) *T {
	if !n.IsSpecified() || n.IsNull() {
		return nil
	}
	return new(n.MustGet())
}

// raced is the error of a change that another one got in the way of: the caller's
// tag, if there was one, is not that of what is there any more.
func raced(err error, updated time.Time) error {
	if !errors.Is(err, store.ErrConflict) {
		return err
	}
	if updated.IsZero() {
		return contended
	}
	return stale
}

// DeleteWebsite serves DELETE /v1/knowledge/websites/{id}.
func (h *handlers) DeleteWebsite(ctx context.Context, r api.DeleteWebsiteRequestObject) (api.DeleteWebsiteResponseObject, error) {
	out, err := callOf(ctx).company.Knowledge().DeleteWebsite(ctx, r.ID)
	receipt := deletionShape(out)
	receipt.Kind = "website"
	return api.DeleteWebsite200JSONResponse(receipt), err
}

// CrawlWebsite serves POST /v1/knowledge/websites/{id}/crawl.
func (h *handlers) CrawlWebsite(ctx context.Context, r api.CrawlWebsiteRequestObject) (api.CrawlWebsiteResponseObject, error) {
	b := value(r.Body)
	out, err := callOf(ctx).started(ctx, func(kb *knowledge.Base) (knowledge.Run, error) {
		return kb.CrawlWebsite(ctx, r.ID, &knowledge.RunOptions{Force: value(b.Force), NoNewPages: no(b.IncludeNewPages)})
	})
	return api.CrawlWebsite202JSONResponse(out), err
}

// ListWebsitePages serves GET /v1/knowledge/websites/{id}/report.
func (h *handlers) ListWebsitePages(ctx context.Context, r api.ListWebsitePagesRequestObject) (api.ListWebsitePagesResponseObject, error) {
	l, err := callOf(ctx).company.Knowledge().WebsiteReport(ctx, r.ID, page(r.Params.Limit, r.Params.Cursor))
	data, next, more, err := listed(l, err, pageShape)
	return api.ListWebsitePages200JSONResponse{Data: data, NextCursor: next, HasMore: more}, err
}
