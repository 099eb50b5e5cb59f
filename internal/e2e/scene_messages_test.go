package e2e

import (
	"errors"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
)

// A customer asks, is answered from what stands in a document, goes on with the
// conversation, and rates the reply; then the conversation is deleted.
func playMessages(s *suite) {
	s.begin(nil)
	ctx, c := s.Context(), s.admin
	doc := ok(c.Knowledge.Documents.Create(ctx, api.DocumentRequest{
		Title: "Öffnungszeiten", Text: "The shop is a blue house.\n\nWe open at nine o'clock — every day.\n", URL: "https://example.com/hours", ExternalID: "hours",
	}))(s)
	ann := api.UserInput{ID: "ann", Name: "Ann", Email: "ann@example.com", Phone: "+60123456789"}
	reply := ok(c.Messages.Create(ctx, api.MessageRequest{Message: "When do you open?", User: ann, Metadata: fields{"page": "/contact"}}))(s)
	wantQuoted(s, reply, doc)
	if refused := ok(c.Messages.Create(ctx, api.MessageRequest{Message: "Do you repair submarines?"}))(s); refused.Outcome != "refuse" ||
		len(refused.Citations) != 0 || refused.ConversationID == reply.ConversationID || refused.Confidence.Score >= refused.Confidence.Threshold {
		s.Errorf("a question about nothing known = %+v, want to be refused in a new conversation", refused)
	}
	again := ok(c.Messages.Create(ctx, api.MessageRequest{Message: "What colour is the house?", User: api.UserInput{ID: "ann"}}))(s)
	if again.ConversationID != reply.ConversationID {
		s.Errorf("the next message of the same user is in the conversation %s, want %s", again.ConversationID, reply.ConversationID)
	}
	third := ok(c.Messages.Create(ctx, api.MessageRequest{Message: "When do you open?", ConversationID: reply.ConversationID}))(s)
	if third.ConversationID != reply.ConversationID {
		s.Errorf("a message to the conversation %s is in %s", reply.ConversationID, third.ConversationID)
	}
	playReading(s, reply, third)
	playFeedback(s, reply)
	playExplanation(s, reply)

	gone := ok(c.Conversations.Delete(ctx, reply.ConversationID))(s)
	if gone.ID != reply.ConversationID || gone.Kind != "conversation" || gone.Conversations != 1 || gone.Messages < 2 || gone.DeletedAt.IsZero() {
		s.Errorf("Delete = %+v, want a receipt for conversation %s", gone, reply.ConversationID)
	}
	if _, err := c.Conversations.Get(ctx, reply.ConversationID); !errors.Is(err, client.ErrNotFound) {
		s.Errorf("Get of a deleted conversation = error %v, want %v", err, client.ErrNotFound)
	}
	for _, id := range []string{reply.ID, third.ID} {
		if _, err := c.Messages.Get(ctx, id); !errors.Is(err, client.ErrNotFound) {
			s.Errorf("Get of a message of a deleted conversation = error %v, want %v", err, client.ErrNotFound)
		}
	}
}

// wantQuoted checks that a reply quotes a document where it says.
func wantQuoted(s *suite, r *api.Reply, doc *api.Document) {
	s.Helper()
	if r.Outcome != "answer" || len(r.Citations) == 0 || r.Confidence.Score < r.Confidence.Threshold {
		s.Fatalf("reply = %+v, want an answer with a citation", r)
	}
	stored := ok(s.admin.Knowledge.Documents.Get(s.Context(), doc.ID))(s)
	for _, cited := range r.Citations {
		if cited.DocumentID != doc.ID || cited.DocumentVersion != stored.Version || cited.Title != doc.Title || cited.URL != doc.URL || cited.ExternalID != doc.ExternalID {
			s.Errorf("citation = %+v, want one of version %d of document %+v", cited, stored.Version, doc)
			continue
		}
		if cited.End > int64(len(stored.Text)) || stored.Text[cited.Start:cited.End] != cited.Quote || cited.Quote == "" {
			s.Errorf("bytes %d to %d of the document are not the quote %q", cited.Start, cited.End, cited.Quote)
		}
		if claim := r.Text[cited.ClaimStart:cited.ClaimEnd]; !strings.Contains(cited.Quote, strings.TrimSpace(claim)) {
			s.Errorf("the quote %q does not bear out %q", cited.Quote, claim)
		}
	}
}

// playReading reads the messages of a conversation in all ways.
func playReading(s *suite, first, third *api.Reply) {
	ctx, c := s.Context(), s.admin
	conversation := ok(c.Conversations.Get(ctx, first.ConversationID))(s)
	if conversation.Turns != 3 || conversation.Running || conversation.UserID != "ann" || conversation.AgentID != first.AgentID {
		s.Errorf("conversation = %+v, want one of ann's with three turns", conversation)
	}
	inside := ok(c.Conversations.Messages(ctx, first.ConversationID, nil))(s)
	if len(inside.Data) != 6 || inside.Data[0].ID != third.ID || inside.Data[4].ID != first.ID {
		s.Fatalf("the conversation has the messages %+v, want three of each, newest first", inside.Data)
	}
	asked := inside.Data[5]
	if asked.Role != "user" || asked.Text != "When do you open?" || asked.User != (api.User{ID: "ann", Name: "Ann", Email: "ann@example.com", Phone: "+60123456789"}) ||
		asked.Metadata["page"] != "/contact" || asked.State != "completed" {
		s.Errorf("the customer's message = %+v", asked)
	}
	read := ok(c.Messages.Get(ctx, first.ID))(s)
	if read.Role != "agent" || read.State != "completed" || read.Text != first.Text || read.Reply.ID != first.ID || !slices.EqualFunc(read.Reply.Citations, first.Citations, sameCitation) {
		s.Errorf("Get = %+v, want what Create returned: %+v", read, first)
	}
	for name, n := range map[string]struct {
		params api.ListMessagesParams
		want   int
	}{
		"conversation": {api.ListMessagesParams{ConversationID: &first.ConversationID}, 6},
		"user":         {api.ListMessagesParams{UserID: new("ann")}, 6},
		"nobody":       {api.ListMessagesParams{UserID: new("bob")}, 0},
		"agent":        {api.ListMessagesParams{AgentID: &first.AgentID}, 8},
		"all":          {api.ListMessagesParams{}, 8},
		"user, agent":  {api.ListMessagesParams{UserID: new("ann"), AgentID: &first.AgentID}, 6},
	} {
		if got := ok(c.Messages.List(ctx, &n.params))(s); len(got.Data) != n.want {
			s.Errorf("List by %s has %d messages, want %d", name, len(got.Data), n.want)
		}
	}
	if got := ok(c.Conversations.List(ctx, &api.ListConversationsParams{UserID: new("ann")}))(s); len(got.Data) != 1 || got.Data[0].ID != first.ConversationID {
		s.Errorf("ann's conversations = %+v, want %s", got.Data, first.ConversationID)
	}
	if got := ok(c.Conversations.List(ctx, &api.ListConversationsParams{AgentID: &first.AgentID}))(s); len(got.Data) != 2 {
		s.Errorf("the agent's conversations = %+v, want two", got.Data)
	}
}

func sameCitation(a, b api.Citation) bool {
	return a.PassageID == b.PassageID && a.Start == b.Start && a.End == b.End && a.Quote == b.Quote && a.ClaimStart == b.ClaimStart && a.ClaimEnd == b.ClaimEnd
}

// playExplanation asks why a reply came out as it did.
func playExplanation(s *suite, reply *api.Reply) {
	ctx, c := s.Context(), s.admin
	e := ok(c.Messages.Explanation(ctx, reply.ID))(s)
	if e.MessageID != reply.ID || e.Query != "When do you open?" || e.Rewritten || e.Outcome != "answer" || e.Decision != "answered" || e.Attempts != 1 || e.Recovered ||
		e.Confidence.Score != reply.Confidence.Score || e.Confidence.Threshold != reply.Confidence.Threshold || e.KnowledgeRevision != reply.KnowledgeRevision || e.SettingsVersion != 1 {
		s.Errorf("Explanation = %+v, want that of %+v", e, reply)
	}
	cited := slices.IndexFunc(e.Candidates, func(c api.Candidate) bool { return c.Cited })
	if cited < 0 || e.Candidates[cited].PassageID != reply.Citations[0].PassageID || e.Candidates[cited].Score <= 0 || len(e.Candidates[cited].Scores) == 0 {
		s.Errorf("the candidates are %+v, want passage %s among them, cited, with scores", e.Candidates, reply.Citations[0].PassageID)
	}
	if len(e.Timings) != 2 || e.Timings[0].Stage != "search" || e.Timings[0].DurationMs <= 0 || len(e.ModelCalls) != 0 || len(e.ToolCalls) != 0 {
		s.Errorf("Explanation = %+v, want how long searching and answering took, and that nothing was called", e)
	}
	if !strings.HasPrefix(e.Text, "decision    It answered") || strings.Contains(e.Text, "nine") {
		s.Errorf("Explanation says %q, want words, and none of a document", e.Text)
	}
	c.wantError(404, "not_found", "", request{method: "GET", path: "/v1/messages/msg_nobody/explanation"})
}

// playFeedback rates a reply, and thinks better of it.
func playFeedback(s *suite, reply *api.Reply) {
	ctx, c := s.Context(), s.admin
	first := ok(c.Messages.Feedback(ctx, reply.ID, api.FeedbackRequest{Rating: api.RatingDown, Remark: "Too short.", Reasons: []string{"short", "cold"}}))(s)
	if first.MessageID != reply.ID || first.Rating != "down" || first.Remark != "Too short." || !slices.Equal(first.Reasons, []string{"short", "cold"}) {
		s.Errorf("Feedback = %+v", first)
	}
	second := ok(c.Messages.Feedback(ctx, reply.ID, api.FeedbackRequest{Rating: api.RatingUp}))(s)
	if second.Rating != "up" || second.Remark != "" || len(second.Reasons) != 0 || !second.CreatedAt.Equal(first.CreatedAt) || second.UpdatedAt.Before(first.UpdatedAt) {
		s.Errorf("Feedback again = %+v, want it in place of %+v", second, first)
	}
	if m := ok(c.Messages.Get(ctx, reply.ID))(s); m.Feedback.Rating != "up" {
		s.Errorf("the message's feedback is %+v, want up", m.Feedback)
	}
	c.wantError(400, "invalid_request", "rating", request{method: "POST", path: "/v1/messages/" + reply.ID + "/feedback", body: fields{"rating": "so-so"}})
}
