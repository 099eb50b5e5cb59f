package server

import (
	"context"
	"errors"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/knowledge/pull"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// ListAPISources serves GET /v1/knowledge/api-sources.
func (h *handlers) ListAPISources(ctx context.Context, r api.ListAPISourcesRequestObject) (api.ListAPISourcesResponseObject, error) {
	c := callOf(ctx)
	agentID, err := c.agentID(ctx, value(r.Params.AgentID))
	if err != nil {
		return nil, err
	}
	l, err := c.company.Knowledge().APISources(ctx, agentID, page(r.Params.Limit, r.Params.Cursor))
	data, next, more, err := listed(l, err, apiSourceShape)
	return api.ListAPISources200JSONResponse{Data: data, NextCursor: next, HasMore: more}, err
}

// CreateAPISource serves POST /v1/knowledge/api-sources.
func (h *handlers) CreateAPISource(ctx context.Context, r api.CreateAPISourceRequestObject) (api.CreateAPISourceResponseObject, error) {
	c, b := callOf(ctx), r.Body
	var a knowledge.APISource
	var err error
	if made, ok := c.made(); ok {
		a, err = c.company.Knowledge().APISource(ctx, made)
	} else {
		a, err = c.company.Knowledge().AddAPISource(ctx, knowledge.APISource{
			Source: knowledge.Source{Name: b.Name, URL: b.URL, AgentID: b.AgentID, Schedule: b.Schedule, Metadata: b.Metadata},
			Items:  b.Items, Mapping: mappingOf(b.Mapping), Pagination: paginationOf(b.Pagination), MaxItems: int(value(b.MaxItems)),
			Auth: authOf(b.Auth), Header: b.Headers,
		})
	}
	if err != nil {
		return nil, inAPISource(err)
	}
	c.created("/v1/knowledge/api-sources/", a.ID)
	return api.CreateAPISource201JSONResponse(c.apiSource(a)), nil
}

func authOf(a api.APISourceAuth) knowledge.APIAuth {
	return knowledge.APIAuth{
		Kind: knowledge.AuthKind(a.Type), Token: a.Token, Username: a.Username, Password: a.Password, HeaderName: a.HeaderName, HeaderValue: a.HeaderValue,
	}
}

func mappingOf(m api.APISourceMappingInput) pull.Mapping {
	return pull.Mapping{ID: m.ID, Title: m.Title, URL: m.URL, Text: m.Text, Texts: m.Texts, Metadata: m.Metadata, Flatten: m.Flatten}
}

func paginationOf(p api.APISourcePaginationInput) pull.Pagination {
	out := pull.Pagination{
		Kind: pull.Paging(p.Type), Param: p.Parameter, FromZero: p.FromZero, Size: int(p.Size), SizeParam: p.SizeParameter, Path: p.Path, More: p.More,
	}
	if p.Type == api.APISourcePaginationInputTypeNone {
		out.Kind = pull.None
	}
	return out
}

// inAPISource calls the fields of an API source what the contract calls them.
func inAPISource(err error) error {
	e, ok := errors.AsType[*knowledge.InvalidError](err)
	if !ok {
		return err
	}
	names := map[string]string{"pagination.kind": "pagination.type", "pagination.param": "pagination.parameter", "pagination.size_param": "pagination.size_parameter"}
	if name, other := names[e.Field]; other {
		return wrong(name, "%s", e.Reason)
	}
	return err
}

// apiSource is the shape of an API source that is answered alone, with its tag.
func (c *call) apiSource(a knowledge.APISource) api.APISource {
	out := apiSourceShape(a)
	c.header.Set("ETag", sourceTag(a.UpdatedAt, out))
	return out
}

// GetAPISource serves GET /v1/knowledge/api-sources/{id}.
func (h *handlers) GetAPISource(ctx context.Context, r api.GetAPISourceRequestObject) (api.GetAPISourceResponseObject, error) {
	c := callOf(ctx)
	a, err := c.company.Knowledge().APISource(ctx, r.ID)
	return api.GetAPISource200JSONResponse(c.apiSource(a)), err
}

// UpdateAPISource serves PATCH /v1/knowledge/api-sources/{id}.
func (h *handlers) UpdateAPISource(ctx context.Context, r api.UpdateAPISourceRequestObject) (api.UpdateAPISourceResponseObject, error) {
	c, b := callOf(ctx), r.Body
	updated, err := ifUpdated(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	p := knowledge.APISourcePatch{
		Name: b.Name, URL: b.URL, Items: reset(b.Items), Schedule: reset(b.Schedule), Header: reset(b.Headers), IfUpdated: updated,
		ResetMetadata: b.Metadata.IsNull(), Metadata: value(given(b.Metadata)),
	}
	if b.Auth.IsSpecified() {
		p.Auth = new(authOf(value(given(b.Auth))))
	}
	if b.Mapping != nil {
		p.Mapping = new(mappingOf(*b.Mapping))
	}
	if b.Pagination.IsSpecified() {
		p.Pagination = new(paginationOf(value(given(b.Pagination))))
	}
	if b.MaxItems.IsSpecified() {
		p.MaxItems = new(int(value(given(b.MaxItems))))
	}
	a, err := c.company.Knowledge().UpdateAPISource(ctx, r.ID, p)
	if err != nil {
		return nil, raced(inAPISource(err), updated)
	}
	return api.UpdateAPISource200JSONResponse(c.apiSource(a)), nil
}

// DeleteAPISource serves DELETE /v1/knowledge/api-sources/{id}.
func (h *handlers) DeleteAPISource(ctx context.Context, r api.DeleteAPISourceRequestObject) (api.DeleteAPISourceResponseObject, error) {
	out, err := callOf(ctx).company.Knowledge().DeleteAPISource(ctx, r.ID)
	receipt := deletionShape(out)
	receipt.Kind = "api_source"
	return api.DeleteAPISource200JSONResponse(receipt), err
}

// SyncAPISource serves POST /v1/knowledge/api-sources/{id}/sync.
func (h *handlers) SyncAPISource(ctx context.Context, r api.SyncAPISourceRequestObject) (api.SyncAPISourceResponseObject, error) {
	b := value(r.Body)
	out, err := callOf(ctx).started(ctx, func(kb *knowledge.Base) (knowledge.Run, error) {
		return kb.SyncAPISource(ctx, r.ID, &knowledge.RunOptions{Force: value(b.Force)})
	})
	return api.SyncAPISource202JSONResponse(out), err
}

// PreviewAPISource serves POST /v1/knowledge/api-sources/preview. That the API cannot
// be read is what the caller asks for, and no error of the request.
func (h *handlers) PreviewAPISource(ctx context.Context, r api.PreviewAPISourceRequestObject) (api.PreviewAPISourceResponseObject, error) {
	b := r.Body
	out, err := callOf(ctx).company.Knowledge().PreviewAPISource(ctx, knowledge.APISource{
		Source: knowledge.Source{URL: b.URL}, Items: b.Items, Mapping: mappingOf(b.Mapping), Pagination: paginationOf(b.Pagination),
		Auth: authOf(b.Auth), Header: b.Headers,
	})
	shape := previewShape(out)
	if e, ok := errors.AsType[*knowledge.RunError](err); ok {
		shape.Error, err = runErrorShape(*e), nil
	}
	return api.PreviewAPISource200JSONResponse(shape), inAPISource(err)
}
