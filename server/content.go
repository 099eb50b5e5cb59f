package server

import (
	"context"
	"errors"
	"maps"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// contentDocument is the document that a piece of content is kept as: the title in
// its metadata is the document's.
func contentDocument(agentID string, item api.BulkItem) (knowledge.Document, error) {
	d := knowledge.Document{Kind: knowledge.KindContent, AgentID: agentID, Text: item.Content, ExternalID: item.ExternalID}
	title, rest, err := splitTitle(item.Metadata)
	d.Title, d.Metadata = value(title), rest
	return d, err
}

// splitTitle takes the title out of metadata.
func splitTitle(metadata map[string]any) (title *string, rest map[string]any, err error) {
	t, ok := metadata["title"]
	if !ok {
		return nil, metadata, nil
	}
	s, ok := t.(string)
	if !ok && t != nil {
		return nil, nil, wrong("metadata.title", "must be a string")
	}
	rest = maps.Clone(metadata)
	delete(rest, "title")
	return &s, rest, nil
}

// ListContent serves GET /v1/content.
func (h *handlers) ListContent(ctx context.Context, r api.ListContentRequestObject) (api.ListContentResponseObject, error) {
	l, err := callOf(ctx).documents(ctx, knowledge.Filter{Kind: knowledge.KindContent, ExternalID: value(r.Params.ExternalID)}, r.Params.AgentID, page(r.Params.Limit, r.Params.Cursor))
	data, next, more, err := listed(l, err, contentShape)
	return api.ListContent200JSONResponse{Data: data, NextCursor: next, HasMore: more}, err
}

// CreateContent serves POST /v1/content.
func (h *handlers) CreateContent(ctx context.Context, r api.CreateContentRequestObject) (api.CreateContentResponseObject, error) {
	b := r.Body
	d, err := contentDocument(b.AgentID, api.BulkItem{Content: b.Content, ExternalID: b.ExternalID, Metadata: b.Metadata})
	if err != nil {
		return nil, err
	}
	out, err := put(ctx, d)
	if err != nil {
		return nil, inContent(err)
	}
	written := callOf(ctx).wrote("/v1/content/", out[0])
	if out[0].Status == knowledge.Created {
		return api.CreateContent201JSONResponse(contentShape(written)), nil
	}
	return api.CreateContent200JSONResponse(contentShape(written)), nil
}

// inContent calls the fields of a document what they are called in content.
func inContent(err error) error {
	e, ok := errors.AsType[*knowledge.InvalidError](err)
	switch {
	case ok && e.Field == "text":
		return wrong("content", "%s", e.Reason)
	case ok && e.Field == "title":
		return wrong("metadata.title", "%s", e.Reason)
	}
	return err
}

// GetContent serves GET /v1/content/{id}.
func (h *handlers) GetContent(ctx context.Context, r api.GetContentRequestObject) (api.GetContentResponseObject, error) {
	if _, err := ofKind(ctx, knowledge.KindContent, "content", r.ID); err != nil {
		return nil, err
	}
	d, err := whole(ctx, r.ID)
	return api.GetContent200JSONResponse(contentShape(d)), err
}

// UpdateContent serves PUT /v1/content/{id}.
func (h *handlers) UpdateContent(ctx context.Context, r api.UpdateContentRequestObject) (api.UpdateContentResponseObject, error) {
	if _, err := ofKind(ctx, knowledge.KindContent, "content", r.ID); err != nil {
		return nil, err
	}
	patch, metadata := knowledge.Patch{Text: r.Body.Content}, r.Body.Metadata
	switch {
	case metadata.IsNull():
		patch.Title = new("")
	case metadata.IsSpecified():
		title, rest, err := splitTitle(metadata.MustGet())
		if err != nil {
			return nil, err
		}
		patch.Title = title
		metadata.Set(rest)
	}
	d, err := callOf(ctx).patch(ctx, r.ID, patch, metadata, r.Params.IfMatch)
	if err != nil {
		return nil, inContent(err)
	}
	return api.UpdateContent200JSONResponse(contentShape(d)), nil
}

// DeleteContent serves DELETE /v1/content/{id}.
func (h *handlers) DeleteContent(ctx context.Context, r api.DeleteContentRequestObject) (api.DeleteContentResponseObject, error) {
	d, err := ofKind(ctx, knowledge.KindContent, "content", r.ID)
	if err != nil {
		return nil, err
	}
	out, err := callOf(ctx).company.Knowledge().Delete(ctx, d.ID)
	return api.DeleteContent200JSONResponse(deletionShape(out)), err
}
