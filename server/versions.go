package server

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
	"github.com/answerdesk-go/answerdesk/store"
)

// ListDocumentVersions serves GET /v1/knowledge/documents/{id}/versions.
func (h *handlers) ListDocumentVersions(ctx context.Context, r api.ListDocumentVersionsRequestObject) (api.ListDocumentVersionsResponseObject, error) {
	kb := callOf(ctx).company.Knowledge()
	d, err := kb.Get(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	all, err := kb.Versions(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	l, err := cut(all, page(r.Params.Limit, r.Params.Cursor), func(v knowledge.Version) int { return v.Version }, "versions", d.ID)
	data, next, more, err := listed(l, err, versionShape)
	return api.ListDocumentVersions200JSONResponse{Data: data, NextCursor: next, HasMore: more}, err
}

// cut returns a page of a list that is there whole, ordered by a number that falls.
// The scope tells the list from others.
func cut[T any](all []T, p store.Page, number func(T) int, scope ...string) (store.List[T], error) {
	if p.Cursor != "" {
		last, err := store.DecodeCursor(p.Cursor, scope...)
		if err != nil {
			return store.List[T]{}, err
		}
		n, err := strconv.Atoi(last)
		if err != nil {
			return store.List[T]{}, store.ErrCursor
		}
		begin := slices.IndexFunc(all, func(t T) bool { return number(t) < n })
		if begin < 0 {
			begin = len(all)
		}
		all = all[begin:]
	}
	limit := p.Limit
	if limit == 0 {
		limit = store.DefaultLimit
	}
	if len(all) <= limit {
		return store.List[T]{Data: all}, nil
	}
	next := store.EncodeCursor(strconv.Itoa(number(all[limit-1])), scope...)
	return store.List[T]{Data: all[:limit], NextCursor: next, HasMore: true}, nil
}

// ListDocumentReplies serves GET /v1/knowledge/documents/{id}/replies.
func (h *handlers) ListDocumentReplies(ctx context.Context, r api.ListDocumentRepliesRequestObject) (api.ListDocumentRepliesResponseObject, error) {
	c := callOf(ctx)
	d, err := c.company.Knowledge().Get(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	l, err := c.company.Conversations().Citing(ctx, d.ID, page(r.Params.Limit, r.Params.Cursor))
	data, next, more, err := listed(l, err, replyShape)
	return api.ListDocumentReplies200JSONResponse{Data: data, NextCursor: next, HasMore: more}, err
}

// RollbackDocument serves POST /v1/knowledge/documents/{id}/rollback.
func (h *handlers) RollbackDocument(ctx context.Context, r api.RollbackDocumentRequestObject) (api.RollbackDocumentResponseObject, error) {
	c := callOf(ctx)
	updated, err := ifUpdated(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	var d knowledge.Document
	if _, ok := c.made(); ok {
		d, err = c.company.Knowledge().Get(ctx, r.ID)
	} else {
		d, err = c.rollback(ctx, r.ID, int(r.Body.Version), updated)
	}
	c.header.Set("ETag", documentTag(d.UpdatedAt))
	return api.RollbackDocument200JSONResponse(documentShape(d)), err
}

// rollback gives a document an earlier text again. One that was changed meanwhile is
// not what the caller's tag says any more.
func (c *call) rollback(ctx context.Context, id string, version int, updated time.Time) (knowledge.Document, error) {
	kb := c.company.Knowledge()
	d, err := kb.Rollback(ctx, id, version, updated)
	if errors.Is(err, store.ErrConflict) && !updated.IsZero() {
		if there, e := kb.Get(ctx, id); e == nil && !there.UpdatedAt.Equal(updated) {
			return d, stale
		}
	}
	return d, err
}
