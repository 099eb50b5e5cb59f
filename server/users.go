package server

import (
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// GetUser serves GET /v1/users/{id}.
func (h *handlers) GetUser(ctx context.Context, r api.GetUserRequestObject) (api.GetUserResponseObject, error) {
	u, err := callOf(ctx).company.Users().Get(ctx, r.ID)
	return api.GetUser200JSONResponse(userShape(u)), err
}

// DeleteUser serves DELETE /v1/users/{id}.
func (h *handlers) DeleteUser(ctx context.Context, r api.DeleteUserRequestObject) (api.DeleteUserResponseObject, error) {
	c := callOf(ctx)
	out, err := c.company.Users().Delete(ctx, r.ID)
	gone := agent.Deleted{ID: out.UserID, Conversations: out.Conversations, Messages: out.Messages, DeletedAt: out.DeletedAt}
	return api.DeleteUser200JSONResponse(c.gone("user", gone)), err
}

// ExportUser serves GET /v1/users/{id}/export.
func (h *handlers) ExportUser(ctx context.Context, r api.ExportUserRequestObject) (api.ExportUserResponseObject, error) {
	users := callOf(ctx).company.Users()
	u, err := users.Get(ctx, r.ID)
	return &userExport{ctx: ctx, users: users, user: u}, err
}

// A userExport is the answer that tells all about a customer. It is written as it is
// read, since it may be more than should be held.
type userExport struct {
	ctx   context.Context // of the request: the generated code hands an answer none
	users *agent.Users
	user  agent.UserRecord
}

// VisitExportUserResponse writes the answer. What goes wrong once it has begun breaks
// it off, so that nobody takes it for a whole one.
func (e *userExport) VisitExportUserResponse(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", jsonMedia)
	w.WriteHeader(http.StatusOK)
	out := &jsonParts{out: w}
	out.part(`{"user":`, userShape(e.user))
	between := `,"conversations":[`
	for c, err := range e.users.Export(e.ctx, e.user.ID) {
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		out.part(between, api.UserConversation{Conversation: conversationShape(c.Conversation), Messages: shapes(c.Messages, messageShape)})
		if between = ","; out.err != nil {
			return nil // the caller is gone
		}
	}
	if between != "," {
		out.raw(between)
	}
	out.raw("]}\n")
	return nil
}

// jsonParts writes JSON in parts. After the first part that cannot be written it
// writes no more.
type jsonParts struct {
	out io.Writer
	err error
}

func (j *jsonParts) raw(s string) {
	if j.err == nil {
		_, j.err = io.WriteString(j.out, s)
	}
}

func (j *jsonParts) part(before string, v any) {
	j.raw(before)
	if j.err == nil {
		j.err = json.NewEncoder(j.out).Encode(v)
	}
}
