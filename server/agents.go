package server

import (
	"context"
	"errors"

	"github.com/oapi-codegen/nullable"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
	"github.com/answerdesk-go/answerdesk/store"
)

// ListAgents serves GET /v1/agents.
func (h *handlers) ListAgents(ctx context.Context, r api.ListAgentsRequestObject) (api.ListAgentsResponseObject, error) {
	c := callOf(ctx)
	l, err := c.company.Agents().List(ctx, page(r.Params.Limit, r.Params.Cursor))
	out := api.ListAgents200JSONResponse{Data: make([]api.Agent, len(l.Data)), NextCursor: l.NextCursor, HasMore: l.HasMore}
	for i, a := range l.Data {
		if err == nil {
			out.Data[i], err = c.agent(ctx, a)
		}
	}
	return out, err
}

// agent is the shape of an agent, which tells how its website stands.
func (c *call) agent(ctx context.Context, a agent.Agent) (api.Agent, error) {
	out := agentShape(a)
	if a.WebsiteURL == "" {
		return out, nil
	}
	w, err := c.company.Knowledge().Website(ctx, websiteOf(a.ID))
	if errors.Is(err, store.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.WebsiteID = w.ID
	switch state := w.State(); {
	case !w.LastSuccessAt.IsZero():
	case state == knowledge.SourceQueued || state == knowledge.SourceRunning:
		out.Status = "training"
	case state == knowledge.SourceFailed:
		out.Status = "failed"
	}
	return out, nil
}

// websiteOf is the id of the website that an agent is created with.
func websiteOf(agentID string) string { return id.Derive(id.Source, agentID) }

// CreateAgent serves POST /v1/agents.
func (h *handlers) CreateAgent(ctx context.Context, r api.CreateAgentRequestObject) (api.CreateAgentResponseObject, error) {
	c := callOf(ctx)
	a, err := c.newAgent(ctx, r.Body)
	if err != nil {
		return nil, err
	}
	out, err := c.agent(ctx, a)
	c.header.Set("ETag", agentTag(out))
	c.created("/v1/agents/", a.ID)
	return api.CreateAgent201JSONResponse(out), err
}

// newAgent creates an agent, or finds the one that the same request created.
func (c *call) newAgent(ctx context.Context, b *api.AgentRequest) (agent.Agent, error) {
	if made, ok := c.made(); ok {
		return c.company.Agents().Get(ctx, made)
	}
	settings, err := newSettings(b)
	switch {
	case err != nil:
		return agent.Agent{}, err
	case b.WebsiteURL == "":
		return c.company.Agents().Create(ctx, settings)
	}
	w := knowledge.Website{Source: knowledge.Source{URL: b.WebsiteURL, Schedule: "weekly"}}
	if err := w.Check(); err != nil {
		if e, ok := errors.AsType[*knowledge.InvalidError](err); ok {
			return agent.Agent{}, wrong("website_url", "%s", e.Reason)
		}
		return agent.Agent{}, err
	}
	// Three commits: the agent, its website, and that all of it is done. After the
	// first one the receipt names the agent, and the website's id follows from the
	// agent's: whoever makes the request again adds what is missing.
	var a agent.Agent
	if begun, _ := c.made(); begun != "" {
		a, err = c.company.Agents().Get(ctx, begun)
	} else {
		a, err = c.company.Agents().By(store.Request{Actor: c.principal.ID, Receipt: c.claimed, More: true}).Create(ctx, settings)
	}
	if err != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), receiptLease)
	defer cancel()
	w.ID, w.AgentID = websiteOf(a.ID), a.ID
	_, err = c.company.Knowledge().By(store.Request{Actor: c.principal.ID}).AddWebsite(ctx, w)
	if err == nil || errors.Is(err, store.ErrConflict) { // it was added before
		err = c.settle(ctx, a.ID)
	}
	c.goesOn = err != nil && !errors.Is(err, store.ErrNotFound) // the agent was deleted meanwhile
	return a, err
}

// settle completes the receipt of a request whose steps are done.
func (c *call) settle(ctx context.Context, result string) error {
	if c.claimed == nil {
		return nil
	}
	receipt := *c.claimed
	receipt.Result = result
	_, err := c.company.Knowledge().By(store.Request{Actor: c.principal.ID, Receipt: &receipt}).PutAll(ctx)
	return err
}

func newSettings(b *api.AgentRequest) (agent.Settings, error) {
	s := agent.Settings{
		Name: b.Name, WebsiteURL: b.WebsiteURL, Industry: b.Industry, Languages: b.Languages,
		Instructions: b.Instructions, FallbackText: b.FallbackText, Threshold: value(b.Threshold), TargetError: value(b.TargetError),
		Persona: b.Persona, Tone: b.Tone, Model: b.Model, Temperature: b.Temperature, Unsupported: agent.Unsupported(b.Unsupported), Translated: agent.TranslatedSetting(b.Translated),
		KnowledgeFilter: b.KnowledgeFilter, Greeting: b.Greeting, StarterQuestions: b.StarterQuestions, HandoffText: b.HandoffText,
		Budget: agent.Budget{
			ModelCalls: int(b.Budget.ModelCalls), ToolCalls: int(b.Budget.ToolCalls), Tokens: int(b.Budget.Tokens), Cost: b.Budget.Cost, Seconds: int(b.Budget.Seconds),
		},
		RetentionDays: int(value(b.RetentionDays)),
	}
	tools, err := toolSettings(b.Tools)
	if err != nil {
		return s, err
	}
	s.Tools = tools
	if b.Language != "" {
		if len(b.Languages) > 0 && b.Languages[0] != b.Language {
			return s, wrong("language", "is not the first of languages: send one of the two")
		}
		if len(b.Languages) == 0 {
			s.Languages = []string{b.Language}
		}
	}
	return s, nil
}

// GetAgent serves GET /v1/agents/{id}.
func (h *handlers) GetAgent(ctx context.Context, r api.GetAgentRequestObject) (api.GetAgentResponseObject, error) {
	c := callOf(ctx)
	a, err := c.company.Agents().Get(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	out, err := c.agent(ctx, a)
	c.header.Set("ETag", agentTag(out))
	return api.GetAgent200JSONResponse(out), err
}

// DeleteAgent serves DELETE /v1/agents/{id}.
func (h *handlers) DeleteAgent(ctx context.Context, r api.DeleteAgentRequestObject) (api.DeleteAgentResponseObject, error) {
	c := callOf(ctx)
	a, err := c.company.Agents().Get(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	out, err := c.company.Agents().Delete(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	return api.DeleteAgent200JSONResponse(c.gone("agent", out)), nil
}

// gone is the receipt of a delete of what is no document.
func (c *call) gone(kind string, d agent.Deleted) api.DeletionReceipt {
	return api.DeletionReceipt{
		ID: d.ID, Kind: kind, Versions: int64(d.Versions), Passages: int64(d.Passages), Conversations: int64(d.Conversations), Messages: int64(d.Messages),
		KnowledgeRevision: d.Revision, DeletedAt: d.DeletedAt, OutOfReach: c.company.Knowledge().OutOfReach(),
	}
}

// GetAgentSettings serves GET /v1/agents/{id}/settings.
func (h *handlers) GetAgentSettings(ctx context.Context, r api.GetAgentSettingsRequestObject) (api.GetAgentSettingsResponseObject, error) {
	c := callOf(ctx)
	a, err := c.company.Agents().Get(ctx, r.ID)
	c.header.Set("ETag", settingsTag(a.Version))
	return api.GetAgentSettings200JSONResponse(settingsShape(a.Settings)), err
}

// UpdateAgentSettings serves PUT /v1/agents/{id}/settings.
func (h *handlers) UpdateAgentSettings(ctx context.Context, r api.UpdateAgentSettingsRequestObject) (api.UpdateAgentSettingsResponseObject, error) {
	c := callOf(ctx)
	version, err := ifAgent(r.Params.IfMatch)
	if err != nil {
		return nil, err
	}
	b := r.Body
	patch := agent.SettingsPatch{
		Name: b.Name, Instructions: reset(b.Instructions), FallbackText: reset(b.FallbackText), Threshold: reset(b.Threshold), TargetError: reset(b.TargetError),
		Languages: reset(b.Languages), WebsiteURL: reset(b.WebsiteURL), Industry: reset(b.Industry),
		Persona: reset(b.Persona), Tone: reset(b.Tone), Model: reset(b.Model), Unsupported: (*agent.Unsupported)(reset(b.Unsupported)), Translated: (*agent.TranslatedSetting)(reset(b.Translated)),
		KnowledgeFilter: reset(b.KnowledgeFilter), Greeting: reset(b.Greeting), StarterQuestions: reset(b.StarterQuestions), HandoffText: reset(b.HandoffText),
		Budget: budgetPatch(reset(b.Budget), b.Budget.IsNull()), RetentionDays: integer(reset(b.RetentionDays)),
	}
	if b.Temperature.IsNull() {
		patch.Temperature = new((*float64)(nil))
	} else if t := reset(b.Temperature); t != nil {
		patch.Temperature = &t
	}
	if tools := reset(b.Tools); tools != nil {
		changes, err := toolsPatch(*tools)
		if err != nil {
			return nil, err
		}
		patch.Tools = &changes
	}
	if b.Language.IsSpecified() {
		if b.Languages.IsSpecified() {
			return nil, wrong("language", "is short for languages: send one of the two")
		}
		patch.Languages = new([]string{})
		if !b.Language.IsNull() {
			patch.Languages = &[]string{b.Language.MustGet()}
		}
	}
	a, err := c.company.Agents().Patch(ctx, r.ID, patch, version)
	if version == 0 && errors.Is(err, agent.ErrVersion) { // which nobody has asked for
		return nil, contended
	}
	c.header.Set("ETag", settingsTag(a.Version))
	return api.UpdateAgentSettings200JSONResponse(settingsShape(a.Settings)), err
}

// reset returns what a field of a merge patch asks for: nil leaves what is there,
// and null asks for the zero value, which means the default.
func reset[T any](n nullable.Nullable[T]) *T {
	if !n.IsSpecified() {
		return nil
	}
	var v T
	if !n.IsNull() {
		v = n.MustGet()
	}
	return &v
}
