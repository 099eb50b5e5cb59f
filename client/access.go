package client

import (
	"context"
	"iter"

	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/internal/raw"
)

// APIKeys are the keys of a company. All of it takes a key of scope full.
type APIKeys struct{ client *Client }

// Create creates a key. Its secret is shown this once; it is empty if the call
// had to be repeated after the key was made, and the answer with it was lost.
func (a *APIKeys) Create(ctx context.Context, req api.APIKeyRequest, opts ...Option) (*api.NewAPIKey, error) {
	return send[api.NewAPIKey](ctx, a.client, createAPIKey, opts)(raw.NewCreateAPIKeyRequest(a.client.server, nil, req))
}

// List returns a page of keys without their secrets, newest first. A nil params
// means the first page.
func (a *APIKeys) List(ctx context.Context, params *api.ListAPIKeysParams, opts ...Option) (*api.APIKeyList, error) {
	return send[api.APIKeyList](ctx, a.client, listAPIKeys, opts)(raw.NewListAPIKeysRequest(a.client.server, params))
}

// All yields the keys that List has, over all pages.
func (a *APIKeys) All(ctx context.Context, params *api.ListAPIKeysParams, opts ...Option) iter.Seq2[*api.APIKey, error] {
	return all(params, func(p *api.ListAPIKeysParams) **string { return &p.Cursor },
		func(p *api.ListAPIKeysParams) (*api.APIKeyList, error) { return a.List(ctx, p, opts...) })
}

// Delete revokes a key. It stops working at once.
func (a *APIKeys) Delete(ctx context.Context, id string, opts ...Option) error {
	_, err := send[none](ctx, a.client, deleteAPIKey, opts)(raw.NewDeleteAPIKeyRequest(a.client.server, id))
	return err
}

// Rotate puts a new key in the place of one, which goes on working for a while.
// The secret is shown as Create shows it.
func (a *APIKeys) Rotate(ctx context.Context, id string, req api.RotateAPIKeyRequest, opts ...Option) (*api.NewAPIKey, error) {
	return send[api.NewAPIKey](ctx, a.client, rotateAPIKey, opts)(raw.NewRotateAPIKeyRequest(a.client.server, id, nil, req))
}

// Companies are the tenants. All of it takes a key of scope full of the first
// company, which is the operator's.
type Companies struct{ client *Client }

// Create creates a company with its default agent.
func (c *Companies) Create(ctx context.Context, req api.CompanyRequest, opts ...Option) (*api.Company, error) {
	return send[api.Company](ctx, c.client, createCompany, opts)(raw.NewCreateCompanyRequest(c.client.server, nil, req))
}

// List returns a page of companies, newest first. A nil params means the first
// page.
func (c *Companies) List(ctx context.Context, params *api.ListCompaniesParams, opts ...Option) (*api.CompanyList, error) {
	return send[api.CompanyList](ctx, c.client, listCompanies, opts)(raw.NewListCompaniesRequest(c.client.server, params))
}

// All yields the companies that List has, over all pages.
func (c *Companies) All(ctx context.Context, params *api.ListCompaniesParams, opts ...Option) iter.Seq2[*api.Company, error] {
	return all(params, func(p *api.ListCompaniesParams) **string { return &p.Cursor },
		func(p *api.ListCompaniesParams) (*api.CompanyList, error) { return c.List(ctx, p, opts...) })
}

// AuditLog says who changed what. It takes a key of scope full.
type AuditLog struct{ client *Client }

// List returns a page of the log, newest first. A nil params means the first
// page.
func (a *AuditLog) List(ctx context.Context, params *api.ListAuditLogParams, opts ...Option) (*api.AuditLog, error) {
	return send[api.AuditLog](ctx, a.client, listAuditLog, opts)(raw.NewListAuditLogRequest(a.client.server, params))
}

// All yields the entries that List has, over all pages.
func (a *AuditLog) All(ctx context.Context, params *api.ListAuditLogParams, opts ...Option) iter.Seq2[*api.AuditEntry, error] {
	return all(params, func(p *api.ListAuditLogParams) **string { return &p.Cursor },
		func(p *api.ListAuditLogParams) (*api.AuditLog, error) { return a.List(ctx, p, opts...) })
}
