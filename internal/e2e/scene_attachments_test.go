package e2e

import (
	"errors"
	"net/http"
	"reflect"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
)

// playAttachments has a message carry a file, what the customer looks at, and how the
// reply is to be; all of it reads back, and another conversation has none of it.
func playAttachments(s *suite) {
	s.begin(nil)
	ctx, c := s.Context(), s.admin
	file := client.FileFromBytes("receipt.txt", []byte("Paid in full."))
	a := ok(c.Attachments.Upload(ctx, file, client.WithIdempotencyKey("one")))(s)
	if a.Name != "receipt.txt" || a.MediaType != "text/plain" || a.Size != 13 || a.ExpiresAt.Sub(a.CreatedAt).Hours() != 24 {
		s.Errorf("Upload = %+v", a)
	}
	if again := ok(c.Attachments.Upload(ctx, file, client.WithIdempotencyKey("one")))(s); again.ID != a.ID {
		s.Errorf("the same upload again is %s, want %s", again.ID, a.ID)
	}
	if _, err := c.Attachments.Upload(ctx, client.FileFromBytes("b.txt", []byte("Other.")), client.WithIdempotencyKey("one")); !errors.Is(err, client.ErrConflict) {
		s.Errorf("another upload with the same key: %v", err)
	}
	req := api.MessageRequest{
		Message: "Is it paid?", Context: map[string]any{"screen": "billing", "order": fields{"id": "A-1"}},
		Attachments: []api.AttachmentRef{{ID: a.ID}}, ReplyFormat: api.ReplyFormat("plain"), ReplySchema: map[string]any{"type": "object"},
	}
	reply := ok(c.Messages.Create(ctx, req))(s)
	list := ok(c.Conversations.Messages(ctx, reply.ConversationID, nil))(s)
	if m := list.Data[1]; !reflect.DeepEqual(m.Context, req.Context) || len(m.Attachments) != 1 || m.Attachments[0].ID != a.ID || m.ReplyFormat != "plain" || !reflect.DeepEqual(m.ReplySchema, req.ReplySchema) {
		s.Errorf("the message reads back as %+v", m)
	}
	for _, id := range []string{a.ID, "att_00000000000000000000000000", "nothing"} {
		if _, err := c.Messages.Create(ctx, api.MessageRequest{Message: "Mine?", Attachments: []api.AttachmentRef{{ID: id}}}); !errors.Is(err, client.ErrNotFound) {
			s.Errorf("a new conversation with the attachment %s: %v", id, err)
		}
	}
	for field, body := range map[string]fields{
		"reply_format": {"reply_format": "html"}, "reply_schema": {"reply_schema": fields{"type": "string"}}, "attachments[0].id": {"attachments": []fields{{}}},
	} {
		body["message"] = "Hello?"
		c.wantError(http.StatusBadRequest, "invalid_request", field, request{method: "POST", path: "/v1/message", body: body})
	}
	f := form{{field: "agent_id", text: "agt"}, sampleFile}
	c.wantError(http.StatusBadRequest, "invalid_request", "agent_id", request{method: "POST", path: "/v1/attachments", body: f})

	ok(c.Conversations.Delete(ctx, reply.ConversationID))(s) // and its files with it
	if _, err := c.Attachments.Upload(ctx, file, client.WithIdempotencyKey("one")); !errors.Is(err, client.ErrNotFound) {
		s.Errorf("the upload again, of what is deleted: %v", err)
	}
}
