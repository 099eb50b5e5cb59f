package server

import (
	"context"

	"github.com/answerdesk-go/answerdesk/server/internal/api"
	"github.com/answerdesk-go/answerdesk/store"
)

// handlers serve the operations, one method each: what the contract says is said
// to the desk, and what the desk says is put in the contract's shapes (shapes.go).
type handlers struct{ *Server }

var _ api.StrictServerInterface = (*handlers)(nil)

// page is the page that the parameters of a list ask for.
func page(limit *api.Limit, cursor *api.Cursor) store.Page {
	return store.Page{Limit: int(value(limit)), Cursor: value(cursor)}
}

// listed puts a page in the form of the contract. A cursor that is not of this
// list is the caller's mistake.
func listed[A, B any](l store.List[A], err error, shape func(A) B) ([]B, string, bool, error) {
	return shapes(l.Data, shape), l.NextCursor, l.HasMore, err
}

// shapes are the shapes of several things; none of none.
func shapes[A, B any](all []A, shape func(A) B) []B {
	out := make([]B, len(all))
	for i, a := range all {
		out[i] = shape(a)
	}
	return out
}

// value returns what a parameter holds, or the zero value if it was not sent.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// agentID returns the id of the agent that a request names; empty if it names none.
func (c *call) agentID(ctx context.Context, named string) (string, error) {
	if named == "" {
		return "", nil
	}
	a, err := c.company.Agents().Get(ctx, named)
	return a.ID, err
}

// ListAuditLog serves GET /v1/audit-log.
func (h *handlers) ListAuditLog(ctx context.Context, r api.ListAuditLogRequestObject) (api.ListAuditLogResponseObject, error) {
	l, err := callOf(ctx).company.AuditLog(ctx, page(r.Params.Limit, r.Params.Cursor))
	data, next, more, err := listed(l, err, auditShape)
	return api.ListAuditLog200JSONResponse{Data: data, NextCursor: next, HasMore: more}, err
}
