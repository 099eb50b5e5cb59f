package reference

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store"
)

// CreateAgent implements [agent.AgentStore].
func (s *Store) CreateAgent(ctx context.Context, cm store.Commit, a agent.Agent) error {
	return s.step(ctx, cm, func(c *tenant, cm *store.Commit) error {
		if _, there := c.agents[a.ID]; there {
			return fmt.Errorf("agent %s: %w: it is there already", a.ID, store.ErrConflict)
		}
		a.Settings, a.Default, a.Version = copied(a.Settings), false, 1
		a.CreatedAt, a.UpdatedAt = stored(a.CreatedAt), stored(a.CreatedAt)
		c.agents[a.ID] = a
		c.keepSettings(cm, a)
		return nil
	})
}

// keepSettings notes the settings that an agent has from now on.
func (c *tenant) keepSettings(cm *store.Commit, a agent.Agent) {
	v := agent.SettingsVersion{Version: a.Version, Settings: copied(a.Settings), CreatedAt: a.UpdatedAt}
	if cm.Audit != nil {
		v.CreatedBy = cm.Audit.Actor
	}
	all := append(slices.Clip(c.settings[a.ID]), v)
	c.settings[a.ID] = all[max(0, len(all)-agent.KeptVersions):]
}

// AgentVersions implements [agent.AgentStore].
func (s *Store) AgentVersions(ctx context.Context, company, id string, p store.Page) (out store.List[agent.SettingsVersion], err error) {
	err = s.read(ctx, company, func(c tenant) (err error) {
		out, err = newest(slices.Clone(c.settings[id]), p, func(v agent.SettingsVersion) string { return fmt.Sprintf("%09d", v.Version) }, "settings", company, id)
		out.Data = slices.Clone(out.Data)
		for i, v := range out.Data {
			out.Data[i].Settings = copied(v.Settings)
		}
		return err
	})
	return out, err
}

// agent returns an agent of the company; "" is the default one.
func (c *tenant) agent(id string) (agent.Agent, error) {
	if id == "" {
		id = c.DefaultAgent
	}
	a, ok := c.agents[id]
	if !ok {
		return a, store.NotFound("agent", id)
	}
	a.Settings = copied(a.Settings)
	return a, nil
}

// Agent implements [agent.AgentStore].
func (s *Store) Agent(ctx context.Context, company, id string) (out agent.Agent, err error) {
	err = s.read(ctx, company, func(c tenant) (err error) {
		out, err = c.agent(id)
		return err
	})
	return out, err
}

// Agents implements [agent.AgentStore].
func (s *Store) Agents(ctx context.Context, company string, p store.Page) (out store.List[agent.Agent], err error) {
	err = s.read(ctx, company, func(c tenant) (err error) {
		all := slices.Collect(maps.Values(c.agents))
		out, err = newest(all, p, func(a agent.Agent) string { return a.ID }, "agents", company)
		out.Data = slices.Clone(out.Data)
		for i, a := range out.Data {
			out.Data[i].Settings = copied(a.Settings)
		}
		return err
	})
	return out, err
}

// UpdateAgent implements [agent.AgentStore].
func (s *Store) UpdateAgent(ctx context.Context, cm store.Commit, a agent.Agent) (out agent.Agent, err error) {
	err = s.step(ctx, cm, func(c *tenant, cm *store.Commit) error {
		there, ok := c.agents[a.ID]
		if !ok {
			return store.NotFound("agent", a.ID)
		}
		if there.Version != a.Version {
			return fmt.Errorf("agent %s: %w: it is at version %d, not %d", a.ID, store.ErrConflict, there.Version, a.Version)
		}
		there.Settings, there.Version, there.UpdatedAt = copied(a.Settings), there.Version+1, stored(a.UpdatedAt)
		c.agents[a.ID] = there
		c.keepSettings(cm, there)
		out = there
		out.Settings = copied(there.Settings)
		return nil
	})
	if err != nil {
		return agent.Agent{}, err
	}
	return out, nil
}

// DeleteAgent implements [agent.AgentStore].
func (s *Store) DeleteAgent(ctx context.Context, cm store.Commit, id string) (out agent.Deleted, err error) {
	err = s.step(ctx, cm, func(c *tenant, _ *store.Commit) error {
		a, err := c.agent(id)
		if err != nil {
			return err
		}
		if a.Default {
			return fmt.Errorf("agent %s: %w: it is the company's default agent", a.ID, store.ErrConflict)
		}
		delete(c.agents, a.ID)
		delete(c.settings, a.ID)
		out = agent.Deleted{ID: a.ID}
		for _, v := range c.conversations {
			if v.AgentID == a.ID {
				delete(c.conversations, v.ID)
				out.Conversations++
				out.Messages += len(v.messages)
			}
		}
		for _, src := range c.sources {
			if src.AgentID == a.ID {
				c.removeSource(src.ID)
			}
		}
		maps.DeleteFunc(c.runs, func(_ string, r run) bool { return r.AgentID == a.ID })
		var gone []string
		for docID, d := range c.documents {
			if d.AgentID == a.ID {
				gone = append(gone, docID)
			}
		}
		docs := c.remove(gone...)
		out.Versions, out.Passages, out.Revision, out.DeletedAt = docs.Versions, docs.Passages, docs.Revision, docs.DeletedAt
		return nil
	})
	return out, err
}
