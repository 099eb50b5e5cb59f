package client

import (
	"context"

	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/internal/raw"
)

// Users are the customers who have asked, by the ids that the caller gave them.
type Users struct{ client *Client }

// Get sums up what is stored about a customer.
func (u *Users) Get(ctx context.Context, id string, opts ...Option) (*api.UserRecord, error) {
	return send[api.UserRecord](ctx, u.client, getUser, opts)(raw.NewGetUserRequest(u.client.server, id))
}

// Export returns all that is stored about a customer, within [WithMaxResponseBytes].
func (u *Users) Export(ctx context.Context, id string, opts ...Option) (*api.UserExport, error) {
	return send[api.UserExport](ctx, u.client, exportUser, opts)(raw.NewExportUserRequest(u.client.server, id))
}

// Delete deletes all that is stored about a customer: when it returns, nothing of
// what they said is read any more.
func (u *Users) Delete(ctx context.Context, id string, opts ...Option) (*api.DeletionReceipt, error) {
	return send[api.DeletionReceipt](ctx, u.client, deleteUser, opts)(raw.NewDeleteUserRequest(u.client.server, id))
}
