package agent

import (
	"context"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// Agents creates, reads, changes and deletes the agents of a company.
type Agents struct {
	engine  *Engine
	company string
}

// Agents returns the agents of a company.
func (e *Engine) Agents(company string) *Agents { return &Agents{engine: e, company: company} }

// Create adds an agent. It returns an [InvalidError] for a setting that cannot be
// stored; a name is required.
func (as *Agents) Create(ctx context.Context, s Settings) (Agent, error) {
	if err := s.check(); err != nil {
		return Agent{}, err
	}
	a := Agent{ID: id.New(id.Agent), Settings: s, Version: 1, CreatedAt: stamp()}
	a.UpdatedAt = a.CreatedAt
	return a, as.engine.store.CreateAgent(ctx, as.commit(event.AgentCreated, a), a)
}

// Get returns an agent; "" is the default one.
func (as *Agents) Get(ctx context.Context, agentID string) (Agent, error) {
	return as.engine.Agent(as.company, agentID).Get(ctx)
}

// List returns agents, newest first.
func (as *Agents) List(ctx context.Context, p store.Page) (store.List[Agent], error) {
	return as.engine.store.Agents(ctx, as.company, p)
}

// Update replaces the settings of an agent that is still at a.Version; if it has
// been changed since, it is a [store.ErrConflict].
func (as *Agents) Update(ctx context.Context, a Agent) (Agent, error) {
	if err := a.Settings.check(); err != nil {
		return Agent{}, err
	}
	there, err := as.Get(ctx, a.ID)
	if err != nil {
		return Agent{}, err
	}
	a.ID, a.UpdatedAt = there.ID, stamp()
	return as.engine.store.UpdateAgent(ctx, as.commit(event.AgentUpdated, a), a)
}

// Delete removes an agent with its own documents and its conversations. The
// default agent cannot be deleted: that is a [store.ErrConflict].
func (as *Agents) Delete(ctx context.Context, agentID string) error {
	a, err := as.Get(ctx, agentID)
	if err != nil {
		return err
	}
	return as.engine.store.DeleteAgent(ctx, as.commit(event.AgentDeleted, a), a.ID)
}

// commit tells of a change of an agent.
func (as *Agents) commit(t event.Type, a Agent) store.Commit {
	return store.Commit{Company: as.company, Events: []event.Event{{
		ID: id.New(id.Event), Type: t, Stream: a.ID, CreatedAt: stamp(), Refs: event.Refs{AgentID: a.ID},
	}}}
}
