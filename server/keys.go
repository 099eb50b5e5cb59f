package server

import (
	"context"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
	"github.com/answerdesk-go/answerdesk/store"
)

// overlap is how long a key goes on working after it was rotated, if nothing else
// is asked for.
const overlap = 24 * time.Hour

// ListAPIKeys serves GET /v1/api-keys.
func (h *handlers) ListAPIKeys(ctx context.Context, r api.ListAPIKeysRequestObject) (api.ListAPIKeysResponseObject, error) {
	l, err := callOf(ctx).company.Keys().List(ctx, page(r.Params.Limit, r.Params.Cursor))
	data, next, more, err := listed(l, err, keyShape)
	return api.ListAPIKeys200JSONResponse{Data: data, NextCursor: next, HasMore: more}, err
}

// CreateAPIKey serves POST /v1/api-keys.
func (h *handlers) CreateAPIKey(ctx context.Context, r api.CreateAPIKeyRequestObject) (api.CreateAPIKeyResponseObject, error) {
	c := callOf(ctx)
	company, plan, err := h.keyFor(ctx, c, r.Body)
	if err != nil {
		return nil, err
	}
	if made, ok := c.made(); ok {
		k, err := company.Keys().Get(ctx, made)
		return api.CreateAPIKey201JSONResponse(newKeyShape(k, "")), err
	}
	k, secret, err := company.Keys().Create(ctx, access.NewKey{Name: r.Body.Name, Scope: access.Scope(r.Body.Scope), Plan: plan, ExpiresAt: r.Body.ExpiresAt})
	return api.CreateAPIKey201JSONResponse(newKeyShape(k, secret)), err
}

// keyFor says whose a new key is and which plan it has. Only the operator may
// choose: to others, another company is one that is not there.
func (h *handlers) keyFor(ctx context.Context, c *call, b *api.APIKeyRequest) (*answerdesk.Company, access.Plan, error) {
	plan := access.Plan(b.Plan)
	if c.principal.Company == h.desk.ID() {
		if b.CompanyID == "" {
			return c.company, plan, nil
		}
		there, err := h.desk.Companies().Get(ctx, b.CompanyID)
		if err != nil {
			return nil, "", err
		}
		if there.ID == c.principal.Company {
			return c.company, plan, nil
		}
		return h.desk.Company(there.ID).By(c.request()), plan, nil
	}
	if own := h.desk.Company(b.CompanyID); b.CompanyID != "" && own.ID() != c.principal.Company {
		return nil, "", store.NotFound("company", clip(b.CompanyID))
	}
	if plan != "" && plan != c.principal.Plan {
		return nil, "", &problem{insufficientScope, "only the operator chooses the plan of a key: leave it out", map[string]any{"field": "plan", "scope": "operator"}}
	}
	return c.company, c.principal.Plan, nil
}

// DeleteAPIKey serves DELETE /v1/api-keys/{id}.
func (h *handlers) DeleteAPIKey(ctx context.Context, r api.DeleteAPIKeyRequestObject) (api.DeleteAPIKeyResponseObject, error) {
	return api.DeleteAPIKey204Response{}, callOf(ctx).company.Keys().Revoke(ctx, r.ID)
}

// RotateAPIKey serves POST /v1/api-keys/{id}/rotate.
func (h *handlers) RotateAPIKey(ctx context.Context, r api.RotateAPIKeyRequestObject) (api.RotateAPIKeyResponseObject, error) {
	c := callOf(ctx)
	if made, ok := c.made(); ok {
		k, err := c.company.Keys().Get(ctx, made)
		return api.RotateAPIKey201JSONResponse(newKeyShape(k, "")), err
	}
	keep := overlap
	if r.Body != nil && r.Body.OverlapSeconds != nil {
		keep = time.Duration(*r.Body.OverlapSeconds) * time.Second
	}
	k, secret, err := c.company.Keys().Rotate(ctx, r.ID, keep)
	return api.RotateAPIKey201JSONResponse(newKeyShape(k, secret)), err
}

// ListCompanies serves GET /v1/companies.
func (h *handlers) ListCompanies(ctx context.Context, r api.ListCompaniesRequestObject) (api.ListCompaniesResponseObject, error) {
	l, err := h.desk.Companies().List(ctx, page(r.Params.Limit, r.Params.Cursor))
	data, next, more, err := listed(l, err, companyShape)
	return api.ListCompanies200JSONResponse{Data: data, NextCursor: next, HasMore: more}, err
}

// CreateCompany serves POST /v1/companies.
func (h *handlers) CreateCompany(ctx context.Context, r api.CreateCompanyRequestObject) (api.CreateCompanyResponseObject, error) {
	c := callOf(ctx)
	if made, ok := c.made(); ok {
		company, err := h.desk.Companies().Get(ctx, made)
		return api.CreateCompany201JSONResponse(companyShape(company)), err
	}
	company, err := h.desk.Companies().By(c.request()).Create(ctx, r.Body.Name)
	return api.CreateCompany201JSONResponse(companyShape(company)), err
}
