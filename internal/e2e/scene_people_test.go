package e2e

import (
	"errors"
	"net/http"
	"strings"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
)

// The replies that cite a document are listed, and say what they quote.
func playReplies(s *suite) {
	s.begin(nil)
	ctx, c := s.Context(), s.admin
	doc := ok(c.Knowledge.Documents.Create(ctx, api.DocumentRequest{Title: "Hours", Text: "# Opening\n\nWe open at nine.", Format: api.FormatMarkdown}))(s)
	pair := ok(c.Knowledge.QAPairs.Create(ctx, api.QAPairsRequest{Question: "Do you ship to Mars?", Answer: "Not before 2040."}))(s).Data[0]
	if none := ok(c.Knowledge.Documents.Replies(ctx, doc.ID, nil))(s); len(none.Data) != 0 {
		s.Errorf("Replies before a question = %+v, want none", none)
	}
	var asked []string
	for range 3 {
		asked = append(asked, ok(c.Messages.Create(ctx, api.MessageRequest{Message: "When do you open?"}))(s).ID)
	}
	ok(c.Messages.Create(ctx, api.MessageRequest{Message: "Do you ship to Mars?"}))(s)
	page := ok(c.Knowledge.Documents.Replies(ctx, doc.ID, &api.ListDocumentRepliesParams{Limit: new(int32(2))}))(s)
	if len(page.Data) != 2 || !page.HasMore || page.Data[0].ID != asked[2] || page.Data[1].ID != asked[1] || page.Data[0].Citations[0].Kind != "upload" {
		s.Errorf("Replies = %+v, want the last two of %v", page, asked)
	}
	page = ok(c.Knowledge.Documents.Replies(ctx, doc.ID, &api.ListDocumentRepliesParams{Limit: new(int32(2)), Cursor: &page.NextCursor}))(s)
	if len(page.Data) != 1 || page.HasMore || page.Data[0].ID != asked[0] {
		s.Errorf("the second page of Replies = %+v, want the first of %v", page, asked)
	}
	if of := ok(c.Knowledge.Documents.Replies(ctx, pair.ID, nil))(s).Data; len(of) != 1 || of[0].Citations[0].Kind != "qa" {
		s.Errorf("Replies of a pair = %+v, want one that cites it as a pair", of)
	}
	ok(c.Knowledge.Documents.Delete(ctx, doc.ID))(s)
	if _, err := c.Knowledge.Documents.Replies(ctx, doc.ID, nil); !errors.Is(err, client.ErrNotFound) {
		s.Errorf("Replies of a deleted document = error %v, want %v", err, client.ErrNotFound)
	}
}

// What is stored about a customer is summed up, exported and deleted.
func playUsers(s *suite) {
	s.begin(nil)
	ctx, c, users := s.Context(), s.admin, s.admin.Users
	ok(c.Knowledge.Documents.Create(ctx, api.DocumentRequest{Text: "We open at nine."}))(s)
	ada := api.UserInput{ID: "ada of \"home\" & co", Name: "Ada", Email: "ada@example.com"}
	first := ok(c.Messages.Create(ctx, api.MessageRequest{Message: "When do you open?", User: ada}))(s)
	ok(c.Messages.Create(ctx, api.MessageRequest{Message: "And on the moon?", User: ada}))(s)
	agent := ok(c.Agents.Create(ctx, api.AgentRequest{Name: "Second"}))(s)
	ok(c.Messages.Create(ctx, api.MessageRequest{Message: "When do you open?", User: ada, AgentID: agent.ID}))(s)
	other := ok(c.Messages.Create(ctx, api.MessageRequest{Message: "Hello there?", User: api.UserInput{ID: "bob"}}))(s)

	got := ok(users.Get(ctx, ada.ID))(s)
	if got.ID != ada.ID || got.Name != "Ada" || got.Email != "ada@example.com" || got.Conversations != 2 || got.Messages != 6 || got.FirstSeenAt.After(got.LastSeenAt) {
		s.Errorf("Get = %+v, want Ada with two conversations and six messages", got)
	}
	all := ok(users.Export(ctx, ada.ID))(s)
	if all.User.ID != ada.ID || len(all.Conversations) != 2 || all.Conversations[0].Conversation.ID != first.ConversationID || len(all.Conversations[0].Messages) != 4 ||
		all.Conversations[0].Messages[0].Text != "When do you open?" || all.Conversations[0].Messages[1].Reply.ID != first.ID || len(all.Conversations[1].Messages) != 2 {
		s.Errorf("Export = %+v, want all that was said, in order", all)
	}
	gone := ok(users.Delete(ctx, ada.ID))(s)
	if gone.ID != ada.ID || gone.Kind != "user" || gone.Conversations != 2 || gone.Messages != 6 || len(gone.OutOfReach) == 0 || gone.DeletedAt.IsZero() {
		s.Errorf("Delete = %+v, want a receipt for two conversations", gone)
	}
	for name, err := range map[string]error{
		"Get": failure(users.Get(ctx, ada.ID)), "Export": failure(users.Export(ctx, ada.ID)), "Delete": failure(users.Delete(ctx, ada.ID)), "Messages.Get": failure(c.Messages.Get(ctx, first.ID)),
	} {
		if !errors.Is(err, client.ErrNotFound) {
			s.Errorf("%s after the delete = error %v, want %v", name, err, client.ErrNotFound)
		}
	}
	ok(c.Messages.Get(ctx, other.ID))(s)
	// "home" is of the name of the user; no id can have its "o".
	if log := c.want(http.StatusOK, request{method: "GET", path: "/v1/audit-log"}); !has(log.body, "user.delete") || strings.Contains(string(log.body), "home") {
		s.Errorf("the audit log is %s, want the delete without the name", log.body)
	}
}

// failure is the error of a call.
func failure[T any](_ T, err error) error { return err }
