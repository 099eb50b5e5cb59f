package server

import (
	"context"
	"errors"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// ListAgents serves GET /v1/agents.
func (h *handlers) ListAgents(ctx context.Context, r api.ListAgentsRequestObject) (api.ListAgentsResponseObject, error) {
	l, err := callOf(ctx).company.Agents().List(ctx, page(r.Params.Limit, r.Params.Cursor))
	data, next, more, err := listed(l, err, agentShape)
	return api.ListAgents200JSONResponse{Data: data, NextCursor: next, HasMore: more}, err
}

// CreateAgent serves POST /v1/agents.
func (h *handlers) CreateAgent(ctx context.Context, r api.CreateAgentRequestObject) (api.CreateAgentResponseObject, error) {
	c := callOf(ctx)
	var a agent.Agent
	var err error
	if made, ok := c.made(); ok {
		a, err = c.company.Agents().Get(ctx, made)
	} else {
		var settings agent.Settings
		if settings, err = newSettings(r.Body); err != nil {
			return nil, err
		}
		a, err = c.company.Agents().Create(ctx, settings)
	}
	if err != nil {
		return nil, err
	}
	c.header.Set("ETag", settingsTag(a.Version))
	c.created("/v1/agents/", a.ID)
	return api.CreateAgent201JSONResponse(agentShape(a)), nil
}

func newSettings(b *api.AgentRequest) (agent.Settings, error) {
	s := agent.Settings{
		Name: b.Name, WebsiteURL: b.WebsiteURL, Industry: b.Industry, Languages: b.Languages,
		Instructions: b.Instructions, FallbackText: b.FallbackText, Threshold: value(b.Threshold),
	}
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
	c.header.Set("ETag", settingsTag(a.Version))
	return api.GetAgent200JSONResponse(agentShape(a)), err
}

// DeleteAgent serves DELETE /v1/agents/{id}.
func (h *handlers) DeleteAgent(ctx context.Context, r api.DeleteAgentRequestObject) (api.DeleteAgentResponseObject, error) {
	c := callOf(ctx)
	a, err := c.company.Agents().Get(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	if err := c.company.Agents().Delete(ctx, a.ID); err != nil {
		return nil, err
	}
	return api.DeleteAgent200JSONResponse(c.gone("agent", a.ID)), nil
}

// gone is the receipt of a delete that counts nothing.
func (c *call) gone(kind, id string) api.DeletionReceipt {
	return api.DeletionReceipt{ID: id, Kind: kind, DeletedAt: time.Now().UTC().Truncate(time.Microsecond), OutOfReach: c.company.Knowledge().OutOfReach()}
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
		Name: b.Name, Instructions: reset(b.Instructions), FallbackText: reset(b.FallbackText), Threshold: reset(b.Threshold),
		Languages: reset(b.Languages), WebsiteURL: reset(b.WebsiteURL), Industry: reset(b.Industry),
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
