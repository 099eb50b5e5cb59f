package server

import (
	"encoding/json"
	"maps"

	"github.com/oapi-codegen/nullable"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
	"github.com/answerdesk-go/answerdesk/store"
)

func agentShape(a agent.Agent) api.Agent {
	out := api.Agent{
		ID: a.ID, Name: a.Name, WebsiteURL: a.WebsiteURL, Industry: a.Industry, Languages: a.Languages, Instructions: a.Instructions,
		Threshold: a.Threshold, TargetError: a.TargetError, FallbackText: a.FallbackText, IsDefault: a.Default, Status: "active", Version: int64(a.Version), CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
		Persona: a.Persona, Tone: a.Tone, Model: a.Model, Temperature: a.Temperature, Unsupported: string(a.Unsupported), Translated: string(a.Translated), KnowledgeFilter: a.KnowledgeFilter,
		Greeting: a.Greeting, StarterQuestions: a.StarterQuestions, HandoffText: a.HandoffText, Budget: budgetShape(a.Budget), RetentionDays: int32(a.RetentionDays),
	}
	if len(a.Tools) > 0 {
		out.Tools = toolsShape(a.Tools)
	}
	return out
}

// settingsShape fills in the defaults of settings.
func settingsShape(s agent.Settings) api.AgentSettings {
	out := api.AgentSettings{
		Name: s.Name, WebsiteURL: s.WebsiteURL, Industry: s.Industry, Languages: s.Languages, Instructions: s.Instructions,
		Threshold: s.Threshold, TargetError: s.TargetError, FallbackText: s.FallbackText,
		Persona: s.Persona, Tone: s.Tone, Model: s.Model, Temperature: s.Temperature, Unsupported: string(s.Unsupported), Translated: string(s.Translates()), KnowledgeFilter: s.KnowledgeFilter,
		Greeting: s.Greeting, StarterQuestions: s.StarterQuestions, HandoffText: s.HandoffText, Tools: toolsShape(s.Tools),
		Budget: budgetShape(s.Budget.Filled()), RetentionDays: int32(s.RetentionDays),
	}
	if out.StarterQuestions == nil {
		out.StarterQuestions = []string{}
	}
	if out.Unsupported == "" {
		out.Unsupported = string(agent.UnsupportedDrop)
	}
	if out.HandoffText == "" {
		out.HandoffText = agent.DefaultHandoffText
	}
	if out.Languages == nil {
		out.Languages = []string{}
	}
	switch {
	case s.TargetError != 0:
		out.Threshold = 1 - s.TargetError
	case s.Threshold == 0:
		out.Threshold = agent.DefaultThreshold
	}
	if out.FallbackText == "" {
		out.FallbackText = agent.DefaultFallbackText
	}
	return out
}

func replyShape(r agent.Reply) api.Reply {
	out := api.Reply{
		ID: r.ID, ConversationID: r.ConversationID, AgentID: r.AgentID, Text: r.Text, Outcome: string(r.Outcome),
		Confidence: api.Confidence{Score: r.Confidence.Score, Threshold: r.Confidence.Threshold, Calibrated: r.Confidence.Calibrated, Reasons: r.Confidence.Reasons},
		Citations:  make([]api.Citation, len(r.Citations)),
		Reason:     r.Reason, SuggestedReplies: r.SuggestedReplies, Data: objectShape(r.Data),
		Language: r.Language, KnowledgeRevision: r.KnowledgeRevision, CreatedAt: r.CreatedAt,
	}
	if out.Confidence.Reasons == nil {
		out.Confidence.Reasons = []string{}
	}
	for i, c := range r.Citations {
		out.Citations[i] = citationShape(c)
	}
	for _, c := range r.ToolCalls {
		out.ToolCalls = append(out.ToolCalls, toolCallShape(c))
	}
	out.Unsupported, out.Translated = spansShape(r.Unsupported), spansShape(r.Translated)
	if r.Usage.ModelCalls > 0 {
		out.Usage = usageShape(r.Usage)
	}
	return out
}

func spansShape(spans []agent.Span) (out []api.Span) {
	for _, s := range spans {
		out = append(out, api.Span{Start: int64(s.Start), End: int64(s.End)})
	}
	return out
}

func citationShape(c agent.Citation) api.Citation {
	return api.Citation{
		DocumentID: c.DocumentID, DocumentVersion: int64(c.DocumentVersion), PassageID: c.PassageID, Start: int64(c.Start), End: int64(c.End), Quote: c.Quote,
		Title: c.Title, URL: c.URL, ExternalID: c.ExternalID, Heading: c.Heading, Page: int32(c.Page), Kind: string(c.Kind), ClaimStart: int64(c.ClaimStart), ClaimEnd: int64(c.ClaimEnd), Erased: c.Erased,
	}
}

func eventShape(e agent.Event) api.StreamEvent {
	out := api.StreamEvent{Type: string(e.Type), Sequence: int64(e.Sequence), MessageID: e.MessageID, ConversationID: e.ConversationID, Delta: e.Delta}
	if e.Type == agent.MessageReplaced {
		out.Text, out.Delta = e.Delta, ""
	}
	if e.Citation != nil {
		out.Citation = citationShape(*e.Citation)
	}
	if e.ToolCall != nil {
		out.ToolCall = toolCallShape(*e.ToolCall)
	}
	if e.Reply != nil {
		out.Reply = replyShape(*e.Reply)
	}
	return out
}

func messageShape(m agent.Message) api.Message {
	out := api.Message{
		ID: m.ID, ConversationID: m.ConversationID, AgentID: m.AgentID, Role: string(m.Role), State: string(agent.StateCompleted), Text: m.Text,
		User:     api.User{ID: m.User.ID, Name: m.User.Name, Email: m.User.Email, Phone: m.User.Phone},
		Metadata: m.Metadata, CreatedAt: m.CreatedAt, Context: m.Context, ReplyFormat: string(m.ReplyFormat),
	}
	for _, a := range m.Attachments {
		out.Attachments = append(out.Attachments, api.MessageAttachment{ID: a.ID})
	}
	if m.ReplySchema != nil {
		_ = json.Unmarshal(m.ReplySchema, &out.ReplySchema) // it was checked when it was stored
	}
	switch {
	case m.Reply == nil:
	case m.Reply.Failure == "cancelled":
		out.State = string(agent.StateCancelled)
	case m.Reply.Failure != "":
		out.State = string(agent.StateFailed)
	default:
		out.Reply = replyShape(*m.Reply)
		out.Text = m.Reply.Text
	}
	if m.Feedback != nil {
		out.Feedback = feedbackShape(*m.Feedback)
	}
	return out
}

func feedbackShape(f agent.Feedback) api.Feedback {
	return api.Feedback{MessageID: f.MessageID, Rating: string(f.Rating), Remark: f.Remark, Reasons: f.Reasons, CreatedAt: f.CreatedAt, UpdatedAt: f.UpdatedAt}
}

func conversationShape(c agent.Conversation) api.Conversation {
	return api.Conversation{
		ID: c.ID, AgentID: c.AgentID, UserID: c.UserID, Turns: int64(c.Turns), Running: c.Running, ReplyID: c.ReplyID, CreatedAt: c.CreatedAt, LastMessageAt: c.LastMessageAt,
	}
}

func userShape(u agent.UserRecord) api.UserRecord {
	return api.UserRecord{
		ID: u.ID, Name: u.Name, Email: u.Email, Phone: u.Phone, Conversations: int64(u.Conversations), Messages: int64(u.Messages),
		FirstSeenAt: u.FirstSeenAt, LastSeenAt: u.LastSeenAt,
	}
}

func documentShape(d knowledge.Document) api.Document {
	return api.Document{
		ID: d.ID, AgentID: d.AgentID, Kind: string(d.Kind), Title: d.Title, URL: d.URL, ExternalID: d.ExternalID, Format: string(d.Format),
		Version: int64(d.Version), State: string(d.State), Metadata: d.Metadata, Text: d.Text, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
		SourceID: d.SourceID, Language: d.Language,
	}
}

func versionShape(v knowledge.Version) api.DocumentVersion {
	return api.DocumentVersion{
		Version: int64(v.Version), Title: v.Title, Format: string(v.Format), Bytes: int64(v.Bytes), Live: v.Live, Actor: v.Actor, CreatedAt: v.CreatedAt,
	}
}

func qaShape(d knowledge.Document) api.QAPair {
	out := api.QAPair{
		ID: d.ID, AgentID: d.AgentID, Answer: d.Text, ExternalID: d.ExternalID, Metadata: d.Metadata, Alternates: []string{},
		Version: int64(d.Version), State: string(d.State), CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
	}
	if len(d.Questions) > 0 {
		out.Question, out.Alternates = d.Questions[0], append(out.Alternates, d.Questions[1:]...)
	}
	return out
}

func contentShape(d knowledge.Document) api.Content {
	metadata := map[string]any{"title": d.Title}
	maps.Copy(metadata, d.Metadata)
	return api.Content{
		ID: d.ID, AgentID: d.AgentID, Content: d.Text, Metadata: metadata, ExternalID: d.ExternalID,
		Version: int64(d.Version), State: string(d.State), CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
	}
}

func deletionShape(d knowledge.Deleted) api.DeletionReceipt {
	return api.DeletionReceipt{
		ID: d.DocumentID, Kind: "document", Versions: int64(d.Versions), Passages: int64(d.Passages), RepliesErased: int64(d.Replies),
		KnowledgeRevision: d.Revision, DeletedAt: d.DeletedAt, OutOfReach: d.OutOfReach,
	}
}

func searchShape(r knowledge.Results) api.SearchResults {
	out := api.SearchResults{Data: make([]api.SearchHit, len(r.Hits)), Languages: r.Languages, KnowledgeRevision: r.Revision}
	out.Confidence = api.SearchConfidence{Score: r.Confidence, Calibrated: r.Calibrated, Reasons: r.Reasons}
	if out.Confidence.Reasons == nil {
		out.Confidence.Reasons = []string{}
	}
	for i, h := range r.Hits {
		out.Data[i] = api.SearchHit{
			PassageID: h.ID, DocumentID: h.DocumentID, ExternalID: h.ExternalID, Title: h.Title, Text: h.Text, URL: h.URL, Heading: h.Heading,
			Page: int32(h.Page), Start: int64(h.Start), End: int64(h.End), Score: h.Score, Scores: h.Scores, Metadata: h.Metadata,
		}
		if h.Scores == nil {
			out.Data[i].Scores = map[string]float64{}
		}
	}
	for _, c := range r.Candidates {
		out.Candidates = append(out.Candidates, api.SearchCandidate{
			PassageID: c.PassageID, DocumentID: c.DocumentID, DocumentVersion: int64(c.Version), Title: c.Title,
			Rank: int32(c.Rank), Score: c.Score, Scores: c.Scores, Left: c.Left,
		})
	}
	return out
}

func keyShape(k access.Key) api.APIKey {
	return api.APIKey{
		ID: k.ID, CompanyID: k.Company, Name: k.Name, Scope: string(k.Scope), Plan: string(k.Plan), Hint: k.Hint,
		CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, LastUsedAt: k.LastUsedAt, ReplacedBy: k.ReplacedBy,
	}
}

// newKeyShape is a key with its secret; "" is one that is not shown again.
func newKeyShape(k access.Key, secret string) api.NewAPIKey {
	s := keyShape(k)
	out := api.NewAPIKey{
		ID: s.ID, CompanyID: s.CompanyID, Name: s.Name, Scope: s.Scope, Plan: s.Plan, Hint: s.Hint,
		CreatedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt, LastUsedAt: s.LastUsedAt, ReplacedBy: s.ReplacedBy, Secret: nullable.NewNullNullable[string](),
	}
	if secret != "" {
		out.Secret = nullable.NewNullableWithValue(secret)
	}
	return out
}

func companyShape(c access.Company) api.Company {
	return api.Company{ID: c.ID, Name: c.Name, DefaultAgentID: c.DefaultAgent, CreatedAt: c.CreatedAt}
}

func auditShape(a store.Audit) api.AuditEntry {
	return api.AuditEntry{ID: a.ID, Actor: a.Actor, Action: a.Action, ObjectID: a.Object, CreatedAt: a.At}
}
