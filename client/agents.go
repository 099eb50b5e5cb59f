package client

import (
	"context"
	"iter"

	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/internal/raw"
)

// Agents answer the customers of a company. It is born with one, the default.
type Agents struct{ client *Client }

// Create creates an agent.
func (a *Agents) Create(ctx context.Context, req api.AgentRequest, opts ...Option) (*api.Agent, error) {
	return send[api.Agent](ctx, a.client, createAgent, opts)(raw.NewCreateAgentRequest(a.client.server, nil, req))
}

// Get reads an agent.
func (a *Agents) Get(ctx context.Context, id string, opts ...Option) (*api.Agent, error) {
	return send[api.Agent](ctx, a.client, getAgent, opts)(raw.NewGetAgentRequest(a.client.server, id, nil))
}

// List returns a page of agents, newest first. A nil params means the first
// page.
func (a *Agents) List(ctx context.Context, params *api.ListAgentsParams, opts ...Option) (*api.AgentList, error) {
	return send[api.AgentList](ctx, a.client, listAgents, opts)(raw.NewListAgentsRequest(a.client.server, params))
}

// All yields the agents that List has, over all pages.
func (a *Agents) All(ctx context.Context, params *api.ListAgentsParams, opts ...Option) iter.Seq2[*api.Agent, error] {
	return all(params, func(p *api.ListAgentsParams) **string { return &p.Cursor },
		func(p *api.ListAgentsParams) (*api.AgentList, error) { return a.List(ctx, p, opts...) })
}

// Delete deletes an agent with its own documents and its conversations. The
// default agent cannot be deleted: [ErrConflict].
func (a *Agents) Delete(ctx context.Context, id string, opts ...Option) (*api.DeletionReceipt, error) {
	return send[api.DeletionReceipt](ctx, a.client, deleteAgent, opts)(raw.NewDeleteAgentRequest(a.client.server, id))
}

// Settings reads the settings of an agent, with the defaults filled in.
func (a *Agents) Settings(ctx context.Context, id string, opts ...Option) (*api.AgentSettings, error) {
	return send[api.AgentSettings](ctx, a.client, getAgentSettings, opts)(raw.NewGetAgentSettingsRequest(a.client.server, id, nil))
}

// UpdateSettings changes the settings that patch sets, resets those it sets to
// null, and returns all of them.
func (a *Agents) UpdateSettings(ctx context.Context, id string, patch api.AgentSettingsPatch, opts ...Option) (*api.AgentSettings, error) {
	return send[api.AgentSettings](ctx, a.client, updateAgentSettings, opts)(raw.NewUpdateAgentSettingsRequest(a.client.server, id, nil, patch))
}

// SettingsVersions returns a page of the settings that an agent has had and that are
// still kept, newest first, those that it has included. A nil params means the first
// page.
func (a *Agents) SettingsVersions(ctx context.Context, id string, params *api.ListAgentSettingsVersionsParams, opts ...Option) (*api.AgentSettingsVersionList, error) {
	return send[api.AgentSettingsVersionList](ctx, a.client, listAgentSettingsVersions, opts)(raw.NewListAgentSettingsVersionsRequest(a.client.server, id, params))
}
