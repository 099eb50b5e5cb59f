package server

import (
	"context"
	"encoding/json"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// ListAgentSettingsVersions serves GET /v1/agents/{id}/settings/versions.
func (h *handlers) ListAgentSettingsVersions(ctx context.Context, r api.ListAgentSettingsVersionsRequestObject) (api.ListAgentSettingsVersionsResponseObject, error) {
	l, err := callOf(ctx).company.Agents().Versions(ctx, r.ID, page(r.Params.Limit, r.Params.Cursor))
	data, next, more, err := listed(l, err, func(v agent.SettingsVersion) api.AgentSettingsVersion {
		return api.AgentSettingsVersion{Version: int64(v.Version), Settings: settingsShape(v.Settings), CreatedAt: v.CreatedAt, CreatedBy: v.CreatedBy}
	})
	return api.ListAgentSettingsVersions200JSONResponse{Data: data, NextCursor: next, HasMore: more}, err
}

// toolSettings are those of tools in a request.
func toolSettings(tools map[string]api.ToolSettingsInput) (map[string]agent.ToolSettings, error) {
	out := make(map[string]agent.ToolSettings, len(tools))
	for name, t := range tools {
		parameters, err := schemaOf(t.Parameters)
		if err != nil {
			return nil, err
		}
		out[name] = agent.ToolSettings{
			Approval: agent.Approval(t.Approval), Parameters: parameters, Description: t.Description,
			Idempotent: t.Idempotent, ReadOnly: t.ReadOnly, TimeoutSeconds: int(t.TimeoutSeconds),
		}
	}
	return out, nil
}

// schemaOf is a schema in a request as it is stored.
func schemaOf(schema map[string]any) (json.RawMessage, error) {
	if schema == nil {
		return nil, nil
	}
	return json.Marshal(schema)
}

// toolsPatch is what a merge patch asks for of tools.
func toolsPatch(tools map[string]*api.ToolSettingsPatch) (map[string]*agent.ToolSettingsPatch, error) {
	if tools == nil {
		return nil, nil
	}
	out := make(map[string]*agent.ToolSettingsPatch, len(tools))
	for name, t := range tools {
		if t == nil {
			out[name] = nil
			continue
		}
		p := &agent.ToolSettingsPatch{
			Approval: (*agent.Approval)(reset(t.Approval)), Description: reset(t.Description),
			Idempotent: reset(t.Idempotent), ReadOnly: reset(t.ReadOnly), TimeoutSeconds: integer(reset(t.TimeoutSeconds)),
		}
		if schema := reset(t.Parameters); schema != nil {
			parameters, err := schemaOf(*schema)
			if err != nil {
				return nil, err
			}
			p.Parameters = &parameters
		}
		out[name] = p
	}
	return out, nil
}

// budgetPatch is what a merge patch asks for of a budget: null resets all of it.
func budgetPatch(b *api.BudgetPatch, null bool) *agent.BudgetPatch {
	switch {
	case null:
		return &agent.BudgetPatch{ModelCalls: new(0), ToolCalls: new(0), Tokens: new(0), Cost: new(0.0), Seconds: new(0)}
	case b == nil:
		return nil
	}
	return &agent.BudgetPatch{
		ModelCalls: integer(reset(b.ModelCalls)), ToolCalls: integer(reset(b.ToolCalls)), Tokens: integer(reset(b.Tokens)),
		Cost: reset(b.Cost), Seconds: integer(reset(b.Seconds)),
	}
}

// integer is a number as the engine counts.
func integer(n *int32) *int {
	if n == nil {
		return nil
	}
	return new(int(*n))
}

func budgetShape(b agent.Budget) api.Budget {
	return api.Budget{ModelCalls: int32(b.ModelCalls), ToolCalls: int32(b.ToolCalls), Tokens: int32(b.Tokens), Cost: b.Cost, Seconds: int32(b.Seconds)}
}

func toolsShape(tools map[string]agent.ToolSettings) map[string]api.ToolSettings {
	out := make(map[string]api.ToolSettings, len(tools))
	for name, t := range tools {
		shape := api.ToolSettings{
			Approval: string(t.Approval), Description: t.Description, Idempotent: t.Idempotent, ReadOnly: t.ReadOnly, TimeoutSeconds: int32(t.TimeoutSeconds),
		}
		_ = json.Unmarshal(t.Parameters, &shape.Parameters) // it was checked when it was stored
		out[name] = shape
	}
	return out
}
