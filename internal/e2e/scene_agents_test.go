package e2e

import (
	"errors"
	"net/http"
	"slices"

	"github.com/oapi-codegen/nullable"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
)

// An agent is made, read, changed and deleted; the one that the company was born
// with stays.
func playAgents(s *suite) {
	s.begin(nil)
	ctx, agents := s.Context(), s.admin.Agents
	born := ok(agents.List(ctx, nil))(s)
	if len(born.Data) != 1 || !born.Data[0].IsDefault || born.HasMore {
		s.Fatalf("a new company has the agents %+v, want the default one", born)
	}
	if _, err := agents.Delete(ctx, born.Data[0].ID); !errors.Is(err, client.ErrConflict) {
		s.Errorf("Delete of the default agent = error %v, want %v", err, client.ErrConflict)
	}

	var resp *http.Response
	made := ok(agents.Create(ctx, api.AgentRequest{
		Name: "Sales", WebsiteURL: "https://example.com", Languages: []string{"en", "ms"}, Industry: "Retail",
		Instructions: "Be brief.", Threshold: new(0.25), FallbackText: "Ask us.",
	}, client.WithResponse(&resp)))(s)
	if got := resp.Header.Get("Location"); got != "/v1/agents/"+made.ID {
		s.Errorf("Location = %q, want that of agent %s", got, made.ID)
	}
	etag := resp.Header.Get("ETag")
	read := ok(agents.Get(ctx, made.ID, client.WithResponse(&resp)))(s)
	if resp.Header.Get("ETag") != etag || read.Version != 1 || read.Name != "Sales" || read.Threshold != 0.25 || !slices.Equal(read.Languages, made.Languages) {
		s.Errorf("Get = %+v with the tag %s, want what Create returned, %+v with %s", read, resp.Header.Get("ETag"), made, etag)
	}
	playAgentSettings(s, made.ID, etag)

	ok(s.admin.Knowledge.Documents.Create(ctx, api.DocumentRequest{AgentID: made.ID, Text: "We open at nine."}))(s)
	ok(s.admin.Messages.Create(ctx, api.MessageRequest{AgentID: made.ID, Message: "When do you open?"}))(s)
	gone := ok(agents.Delete(ctx, made.ID))(s)
	if gone.ID != made.ID || gone.Kind != "agent" || len(gone.OutOfReach) == 0 || gone.DeletedAt.IsZero() ||
		gone.Versions != 1 || gone.Passages != 1 || gone.Conversations != 1 || gone.Messages != 2 || gone.KnowledgeRevision == 0 {
		s.Errorf("Delete = %+v, want a receipt for agent %s with a document and a conversation", gone, made.ID)
	}
	if _, err := agents.Get(ctx, made.ID); !errors.Is(err, client.ErrNotFound) {
		s.Errorf("Get of a deleted agent = error %v, want %v", err, client.ErrNotFound)
	}
	if _, err := s.admin.Messages.Create(ctx, api.MessageRequest{AgentID: made.ID, Message: "Hello?"}); !errors.Is(err, client.ErrNotFound) {
		s.Errorf("a message to a deleted agent = error %v, want %v", err, client.ErrNotFound)
	}
	short := ok(agents.Create(ctx, api.AgentRequest{Name: "Short", Language: "de"}))(s)
	if !slices.Equal(short.Languages, []string{"de"}) {
		s.Errorf("an agent of the language de has the languages %v", short.Languages)
	}
	s.admin.wantError(http.StatusBadRequest, "invalid_request", "language", request{
		method: "POST", path: "/v1/agents", body: fields{"name": "Both", "language": "de", "languages": []string{"en"}},
	})
}

// playAgentSettings changes the settings of an agent, whose tag moves on with each
// change.
func playAgentSettings(s *suite, id, etag string) {
	ctx, agents := s.Context(), s.admin.Agents
	if _, err := agents.Get(ctx, id, client.WithIfNoneMatch(etag)); !errors.Is(err, client.ErrNotModified) {
		s.Errorf("Get with the tag it has = error %v, want %v", err, client.ErrNotModified)
	}
	if _, err := agents.Settings(ctx, id, client.WithIfNoneMatch(etag)); !errors.Is(err, client.ErrNotModified) {
		s.Errorf("Settings with the tag they have = error %v, want %v", err, client.ErrNotModified)
	}
	ok(agents.Get(ctx, id, client.WithIfNoneMatch(`"other"`)))(s)

	var resp *http.Response
	got := ok(agents.UpdateSettings(ctx, id, api.AgentSettingsPatch{
		Name: new("Service"), Threshold: nullable.NewNullNullable[float64](), FallbackText: nullable.NewNullNullable[string](),
		Industry: nullable.NewNullNullable[string](), Languages: nullable.NewNullableWithValue([]string{"fr"}),
	}, client.WithIfMatch(etag), client.WithResponse(&resp)))(s)
	want := api.AgentSettings{
		Name: "Service", WebsiteURL: "https://example.com", Instructions: "Be brief.", // as they were
		Threshold: agent.DefaultThreshold, FallbackText: agent.DefaultFallbackText, Languages: []string{"fr"},
	}
	same := func(a, b api.AgentSettings) bool {
		return slices.Equal(a.Languages, b.Languages) && a.Name == b.Name && a.WebsiteURL == b.WebsiteURL && a.Industry == b.Industry &&
			a.Instructions == b.Instructions && a.Threshold == b.Threshold && a.FallbackText == b.FallbackText
	}
	if !same(*got, want) {
		s.Errorf("UpdateSettings = %+v, want %+v", got, want)
	}
	if read := ok(agents.Settings(ctx, id))(s); !same(*read, want) {
		s.Errorf("Settings = %+v, want %+v", read, want)
	}
	if moved := resp.Header.Get("ETag"); moved == etag || moved == "" {
		s.Errorf("after a change the tag is %q, as before", moved)
	}
	for _, stale := range []string{etag, `"no tag of ours"`} {
		if _, err := agents.UpdateSettings(ctx, id, api.AgentSettingsPatch{Name: new("Late")}, client.WithIfMatch(stale)); !errors.Is(err, client.ErrPreconditionFailed) {
			s.Errorf("UpdateSettings if they match %s = error %v, want %v", stale, err, client.ErrPreconditionFailed)
		}
	}
	ok(agents.UpdateSettings(ctx, id, api.AgentSettingsPatch{Name: new("Any")}, client.WithIfMatch("*")))(s)
	if after := ok(agents.UpdateSettings(ctx, id, api.AgentSettingsPatch{Language: nullable.NewNullNullable[string]()}))(s); len(after.Languages) != 0 {
		s.Errorf("after language was reset the languages are %v", after.Languages)
	}
	for field, body := range map[string]any{
		"name": fields{"name": nil}, "threshold": fields{"threshold": 2}, "website_url": fields{"website_url": "ftp://example.com"}, "nickname": fields{"nickname": "S"},
	} {
		s.admin.wantError(http.StatusBadRequest, "invalid_request", field, request{method: "PUT", path: "/v1/agents/" + id + "/settings", body: body})
	}
}
