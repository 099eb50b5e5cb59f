package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

// playSettings sets every setting, changes some of what stands in others, resets
// them, and finds in what order they were.
func playSettings(s *suite) {
	model := llmtest.Reply(func(llm.Request) llmtest.Answer { return llmtest.Say("Yes.") })
	tool := func(name string) agent.Tool {
		return agent.MustTool(name, "A tool.", func(context.Context, struct{}) (string, error) { return "", nil }, nil)
	}
	s.begin(&answerdesk.Options{Model: model, Models: map[string]llm.Model{"openai:small": model}, Tools: []agent.Tool{tool("refund"), tool("crm")}})
	ctx, agents := s.Context(), s.admin.Agents
	schema := fields{"type": "object", "properties": fields{"id": fields{"type": "string"}}}
	made := fields{
		"name": "Every", "persona": "Mia", "tone": "warm", "model": "openai:small", "temperature": 0, "unsupported": "flag", "translated": "drop",
		"knowledge_filter": fields{"screen": "billing"}, "greeting": "Hello.", "starter_questions": []string{"Where?"}, "handoff_text": "Wait.",
		"tools":  fields{"refund": fields{"approval": "ask"}, "order": fields{"description": "Looks it up.", "parameters": schema, "timeout_seconds": 30}},
		"budget": fields{"tokens": 5000, "cost": 0.5}, "retention_days": 30,
	}
	var a api.Agent
	readAs(s, http.StatusCreated, request{method: "POST", path: "/v1/agents", body: made}, &a)
	path := "/v1/agents/" + a.ID + "/settings"
	want := fields{
		"threshold": agent.DefaultThreshold, "fallback_text": agent.DefaultFallbackText, "languages": []string{},
		"budget": fields{"model_calls": 8, "tool_calls": 16, "tokens": 5000, "cost": 0.5, "seconds": 120},
	}
	for name, value := range made {
		if want[name] == nil {
			want[name] = value
		}
	}
	var versions []fields
	settings := func(step string) {
		s.Helper()
		var got fields
		readAs(s, http.StatusOK, request{method: "GET", path: path}, &got)
		if asJSON(s, got) != asJSON(s, want) {
			s.Errorf("%s the settings are\n%s, want\n%s", step, asJSON(s, got), asJSON(s, want))
		}
		versions = slices.Insert(versions, 0, got)
	}
	settings("at first")
	s.admin.want(http.StatusOK, request{method: "PUT", path: path, body: fields{
		"tools":  fields{"refund": nil, "order": fields{"timeout_seconds": nil, "idempotent": true}, "crm": fields{"approval": "never"}},
		"budget": fields{"tokens": nil, "seconds": 10}, "temperature": 0.5,
	}})
	want["tools"] = fields{"order": fields{"description": "Looks it up.", "parameters": schema, "idempotent": true}, "crm": fields{"approval": "never"}}
	want["budget"] = fields{"model_calls": 8, "tool_calls": 16, "tokens": 100_000, "cost": 0.5, "seconds": 10}
	want["temperature"] = 0.5
	settings("after a patch")
	reset := fields{}
	for name := range made {
		if name != "name" {
			reset[name] = nil
		}
	}
	s.admin.want(http.StatusOK, request{method: "PUT", path: path, body: reset})
	want = fields{
		"name": "Every", "threshold": agent.DefaultThreshold, "fallback_text": agent.DefaultFallbackText, "languages": []string{}, "unsupported": "drop", "translated": "flag",
		"handoff_text": agent.DefaultHandoffText, "starter_questions": []string{}, "tools": fields{}, "retention_days": 0,
		"budget": fields{"model_calls": 8, "tool_calls": 16, "tokens": 100_000, "seconds": 120},
	}
	settings("after all were reset")

	page := ok(agents.SettingsVersions(ctx, a.ID, &api.ListAgentSettingsVersionsParams{Limit: new(int32(2))}))(s)
	rest := ok(agents.SettingsVersions(ctx, a.ID, &api.ListAgentSettingsVersionsParams{Cursor: new(page.NextCursor)}))(s)
	list := slices.Concat(page.Data, rest.Data)
	if len(list) != len(versions) || !page.HasMore || rest.HasMore {
		s.Fatalf("%d versions are listed, want %d", len(list), len(versions))
	}
	for i, v := range list {
		if v.Version != int64(len(versions)-i) || v.CreatedBy == "" || v.CreatedAt.IsZero() || asJSON(s, v.Settings) != asJSON(s, versions[i]) {
			s.Errorf("version %d of the list is %+v", i, v)
		}
	}
	for field, body := range map[string]any{
		"tools.order.parameters": fields{"tools": fields{"order": fields{"parameters": fields{"type": "string"}}}},
		"tools.order.approval":   fields{"tools": fields{"order": fields{"approval": "maybe"}}},
		"tools":                  fields{"tools": fields{"an order": fields{}}},
		"budget.tool_calls":      fields{"budget": fields{"tool_calls": 101}},
		"starter_questions[1]":   fields{"starter_questions": []string{"a", ""}},
		"knowledge_filter.$xor":  fields{"knowledge_filter": fields{"$xor": 1}},
		"temperature":            fields{"temperature": 3},
		"unsupported":            fields{"unsupported": "keep"},
		"translated":             fields{"translated": "keep"},
		"model":                  fields{"model": "openai:smal"},
		"tools.refnd":            fields{"tools": fields{"refnd": fields{"approval": "never"}}},
	} {
		s.admin.wantError(http.StatusBadRequest, "invalid_request", field, request{method: "PUT", path: path, body: body})
	}
	ok(agents.Delete(ctx, a.ID))(s)
	s.admin.wantError(http.StatusNotFound, "not_found", "", request{method: "GET", path: path + "/versions"})
}

// readAs sends a request and reads what comes back.
func readAs(s *suite, status int, r request, into any) {
	s.Helper()
	if err := json.Unmarshal(s.admin.want(status, r).body, into); err != nil {
		s.Fatalf("%s %s: %v", r.method, r.path, err)
	}
}

// asJSON is a value with its names in order.
func asJSON(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	var plain any
	if err == nil {
		err = json.Unmarshal(b, &plain)
	}
	if err == nil {
		b, err = json.Marshal(plain)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
