package agent

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// Agents creates, reads, changes and deletes the agents of a company.
type Agents struct {
	engine  *Engine
	company string
	request store.Request
}

// Agents returns the agents of a company.
func (e *Engine) Agents(company string) *Agents { return &Agents{engine: e, company: company} }

// By returns the agents as changed for a request: the audit log says who asked for
// each change, and Create completes the request's receipt with the agent's id.
func (as *Agents) By(r store.Request) *Agents {
	by := *as
	by.request = r
	return &by
}

// Create adds an agent. It returns an [InvalidError] for a setting that cannot be
// stored, such as a model or a tool that the desk does not have; a name is required.
func (as *Agents) Create(ctx context.Context, s Settings) (Agent, error) {
	if err := as.check(&s, Settings{}); err != nil {
		return Agent{}, err
	}
	a := Agent{ID: id.New(id.Agent), Settings: s, Version: 1, CreatedAt: stamp()}
	a.UpdatedAt = a.CreatedAt
	c := as.request.Ending(as.commit(event.AgentCreated, "agent.create", a), a.ID)
	return a, as.engine.store.CreateAgent(ctx, c, a)
}

// check makes settings as they read back, and returns an [InvalidError] naming the first
// field that cannot be stored in place of those before.
func (as *Agents) check(s *Settings, before Settings) error {
	if err := s.check(); err != nil {
		return err
	}
	return as.engine.checkKnown(*s, before)
}

// Get returns an agent; "" is the default one.
func (as *Agents) Get(ctx context.Context, agentID string) (Agent, error) {
	return as.engine.Agent(as.company, agentID).Get(ctx)
}

// Languages returns those that the users of an agent ask in: its own or, if it names
// none, those of the company's default agent, which so are those of the company.
func (as *Agents) Languages(ctx context.Context, a Agent) ([]string, error) {
	return as.engine.languages(ctx, as.company, a)
}

func (e *Engine) languages(ctx context.Context, company string, a Agent) ([]string, error) {
	if len(a.Languages) > 0 || a.Default {
		return a.Languages, nil
	}
	own, err := e.store.Agent(ctx, company, "")
	return own.Languages, err
}

// List returns agents, newest first.
func (as *Agents) List(ctx context.Context, p store.Page) (store.List[Agent], error) {
	return as.engine.store.Agents(ctx, as.company, p)
}

// Update replaces the settings of an agent that is still at a.Version; if it has
// been changed since, it is an [ErrVersion].
func (as *Agents) Update(ctx context.Context, a Agent) (Agent, error) {
	there, err := as.Get(ctx, a.ID)
	if err != nil {
		return Agent{}, err
	}
	if err := as.check(&a.Settings, there.Settings); err != nil {
		return Agent{}, err
	}
	a.ID = there.ID
	return as.update(ctx, a)
}

// update writes settings that were checked to an agent whose id was read.
func (as *Agents) update(ctx context.Context, a Agent) (Agent, error) {
	a.UpdatedAt = stamp()
	updated, err := as.engine.store.UpdateAgent(ctx, as.commit(event.AgentUpdated, "agent.update", a), a)
	if errors.Is(err, store.ErrConflict) {
		return Agent{}, fmt.Errorf("agent %s: %w", a.ID, ErrVersion)
	}
	return updated, err
}

// patchTries bounds how often a patch begins again because of others.
const patchTries = 100

// Patch changes some settings of an agent that is at version ifVersion; at another
// one it is an [ErrVersion]. With 0 it changes what it names at any version, and
// undoes nothing that is changed meanwhile. If all is as the patch wants it, the
// agent stays at its version.
func (as *Agents) Patch(ctx context.Context, agentID string, p SettingsPatch, ifVersion int) (Agent, error) {
	for tries := 0; ; tries++ {
		a, err := as.Get(ctx, agentID)
		if err != nil {
			return Agent{}, err
		}
		if ifVersion != 0 && ifVersion != a.Version {
			return Agent{}, fmt.Errorf("agent %s: %w", a.ID, ErrVersion)
		}
		patched := p.apply(a.Settings)
		if err := p.clash(patched); err != nil {
			return Agent{}, err
		}
		if err := as.check(&patched, a.Settings); err != nil {
			return Agent{}, err
		}
		if reflect.DeepEqual(patched, a.Settings) {
			return a, nil
		}
		a.Settings = patched
		updated, err := as.update(ctx, a)
		if errors.Is(err, ErrVersion) && ifVersion == 0 && tries < patchTries {
			continue // it has changed since it was read
		}
		return updated, err
	}
}

// KeptVersions is how many settings of an agent are kept, those that it has included.
const KeptVersions = 100

// A SettingsVersion is the settings that an agent has, or has had.
type SettingsVersion struct {
	Version   int       `json:"version"` // as [Agent.Version]; explanations of replies name it
	Settings  Settings  `json:"settings"`
	CreatedAt time.Time `json:"created_at"`          // when they were set
	CreatedBy string    `json:"created_by,omitzero"` // the principal who set them, if that is known
}

// Versions lists the settings that an agent has had, newest first, those that it has
// included. The last [KeptVersions] are kept.
func (as *Agents) Versions(ctx context.Context, agentID string, p store.Page) (store.List[SettingsVersion], error) {
	a, err := as.Get(ctx, agentID)
	if err != nil {
		return store.List[SettingsVersion]{}, err
	}
	return as.engine.store.AgentVersions(ctx, as.company, a.ID, p)
}

// Delete removes an agent with its own documents and its conversations. The
// default agent cannot be deleted: that is a [store.ErrConflict].
func (as *Agents) Delete(ctx context.Context, agentID string) (Deleted, error) {
	a, err := as.Get(ctx, agentID)
	if err != nil {
		return Deleted{}, err
	}
	return as.engine.store.DeleteAgent(ctx, as.commit(event.AgentDeleted, "agent.delete", a), a.ID)
}

// commit tells of a change of an agent, and who made it.
func (as *Agents) commit(t event.Type, action string, a Agent) store.Commit {
	at := stamp()
	c := as.request.Commit(as.company, event.Event{
		ID: id.New(id.Event), Type: t, Stream: a.ID, CreatedAt: at, Refs: event.Refs{AgentID: a.ID},
	})
	return as.request.Audited(c, id.New(id.Audit), action, a.ID, at)
}
