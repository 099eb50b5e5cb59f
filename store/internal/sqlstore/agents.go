package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store"
)

const selectAgent = `SELECT a.id, a.settings, a.version, a.created_at, a.updated_at, CASE WHEN c.default_agent = a.id THEN 1 ELSE 0 END
	FROM agents a JOIN companies c ON c.id = a.company`

func scanAgent(r Rows) (a agent.Agent, err error) {
	var (
		settings         string
		created, updated int64
		isDefault        int64
	)
	if err := r.Scan(&a.ID, &settings, &a.Version, &created, &updated, &isDefault); err != nil {
		return a, err
	}
	if err := json.Unmarshal([]byte(settings), &a.Settings); err != nil {
		return a, corrupt("agents", a.ID, err)
	}
	a.CreatedAt, a.UpdatedAt, a.Default = moment(created), moment(updated), isDefault == 1
	return a, nil
}

// readAgent reads an agent; "" is the default one. The lock, if any, is that of the
// agent's row.
func readAgent(tx Tx, company, id, lock string) (a agent.Agent, err error) {
	if lock != "" {
		lock += ` OF a`
	}
	query, args := selectAgent+` WHERE a.company = ? AND a.id = ?`, []any{company, id}
	if id == "" {
		query, args = selectAgent+` WHERE a.company = ? AND a.id = c.default_agent`, []any{company}
	}
	found := false
	err = all(tx, func(r Rows) error {
		found = true
		a, err = scanAgent(r)
		return err
	}, query+lock, args...)
	if err == nil && !found {
		return a, store.NotFound("agent", id)
	}
	return a, err
}

// CreateAgent implements [agent.AgentStore].
func (s *Store) CreateAgent(ctx context.Context, c store.Commit, a agent.Agent) error {
	return s.engine.Write(ctx, func(tx Tx) error {
		if err := haveCompany(tx, c.Company, keyShare); err != nil {
			return err
		}
		return s.createAgent(tx, c, a)
	})
}

func (s *Store) createAgent(tx Tx, c store.Commit, a agent.Agent) error {
	settings, err := json.Marshal(a.Settings)
	if err != nil {
		return fmt.Errorf("agent %s: %w", a.ID, err)
	}
	events, last := numbered(c.Events, a.ID, 0)
	c.Events = events
	n, err := tx.Exec(`INSERT INTO agents (company, id, settings, version, events, created_at, updated_at, retention_days)
		VALUES (?, ?, ?, 1, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		c.Company, a.ID, string(settings), last, micros(a.CreatedAt), micros(a.CreatedAt), a.RetentionDays)
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("agent %s: %w: it is there already", a.ID, store.ErrConflict)
	}
	if err := keepSettings(tx, c, a.ID, 1, string(settings), a.CreatedAt); err != nil {
		return err
	}
	return s.write(c, tx)
}

// Agent implements [agent.AgentStore].
func (s *Store) Agent(ctx context.Context, company, id string) (a agent.Agent, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		a, err = readAgent(tx, company, id, "")
		return err
	})
	return a, err
}

// Agents implements [agent.AgentStore].
func (s *Store) Agents(ctx context.Context, company string, p store.Page) (store.List[agent.Agent], error) {
	return listBy(ctx, s, p, []string{"agents", company}, order{"a.id", "?"}, func(a agent.Agent) string { return a.ID }, scanAgent,
		selectAgent+` WHERE a.company = ?`, company)
}

// UpdateAgent implements [agent.AgentStore].
func (s *Store) UpdateAgent(ctx context.Context, c store.Commit, a agent.Agent) (updated agent.Agent, err error) {
	settings, err := json.Marshal(a.Settings)
	if err != nil {
		return a, fmt.Errorf("agent %s: %w", a.ID, err)
	}
	err = s.engine.Write(ctx, func(tx Tx) error {
		there, err := readAgent(tx, c.Company, a.ID, forChange)
		if err != nil {
			return err
		}
		if there.Version != a.Version {
			return fmt.Errorf("agent %s: %w: it is at version %d, not %d: read it again", a.ID, store.ErrConflict, there.Version, a.Version)
		}
		var last int64
		if _, err := one(tx, []any{&last}, `SELECT events FROM agents WHERE company = ? AND id = ?`, c.Company, a.ID); err != nil {
			return err
		}
		c := c
		c.Events, last = numbered(c.Events, a.ID, last)
		if _, err := tx.Exec(`UPDATE agents SET settings = ?, version = version + 1, events = ?, updated_at = ?, retention_days = ? WHERE company = ? AND id = ?`,
			string(settings), last, micros(a.UpdatedAt), a.RetentionDays, c.Company, a.ID); err != nil {
			return err
		}
		if err := keepSettings(tx, c, a.ID, there.Version+1, string(settings), a.UpdatedAt); err != nil {
			return err
		}
		if updated, err = readAgent(tx, c.Company, a.ID, ""); err != nil {
			return err
		}
		return s.write(c, tx)
	})
	return updated, err
}

// DeleteAgent implements [agent.AgentStore].
func (s *Store) DeleteAgent(ctx context.Context, c store.Commit, id string) (out agent.Deleted, err error) {
	err = s.engine.Write(ctx, func(tx Tx) error {
		if err := lockKnowledge(tx, c.Company); err != nil {
			return err
		}
		a, err := readAgent(tx, c.Company, id, forUpdate)
		if err != nil {
			return err
		}
		if a.Default {
			return fmt.Errorf("agent %s: %w: it is the company's default agent", a.ID, store.ErrConflict)
		}
		c := c
		out = agent.Deleted{ID: a.ID, DeletedAt: time.Now().UTC().Truncate(time.Microsecond)}
		if err := deleteAgentSources(tx, c.Company, a.ID); err != nil {
			return err
		}
		if err := deleteAgentConversations(tx, c.Company, a.ID, &out); err != nil {
			return err
		}
		if err := deleteAgentDocuments(tx, c.Company, a.ID, &out); err != nil {
			return err
		}
		var last int64
		if _, err := one(tx, []any{&last}, `DELETE FROM agents WHERE company = ? AND id = ? RETURNING events`, c.Company, a.ID); err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM agent_versions WHERE company = ? AND agent_id = ?`, c.Company, a.ID); err != nil {
			return err
		}
		c.Events, _ = numbered(c.Events, a.ID, last)
		return s.write(c, tx)
	})
	return out, err
}

// keepSettings notes the settings that an agent has from now on, and forgets those
// that it has had too long ago.
func keepSettings(tx Tx, c store.Commit, agentID string, version int, settings string, at time.Time) error {
	if _, err := tx.Exec(`INSERT INTO agent_versions (company, agent_id, version, settings, actor, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
		c.Company, agentID, version, settings, actorOf(c), micros(at)); err != nil {
		return err
	}
	if version <= agent.KeptVersions {
		return nil
	}
	_, err := tx.Exec(`DELETE FROM agent_versions WHERE company = ? AND agent_id = ? AND version <= ?`, c.Company, agentID, version-agent.KeptVersions)
	return err
}

// AgentVersions implements [agent.AgentStore].
func (s *Store) AgentVersions(ctx context.Context, company, id string, p store.Page) (store.List[agent.SettingsVersion], error) {
	return listBy(ctx, s, p, []string{"settings", company, id}, order{"version", "CAST(? AS BIGINT)"},
		func(v agent.SettingsVersion) string { return strconv.Itoa(v.Version) },
		func(r Rows) (v agent.SettingsVersion, err error) {
			var settings string
			var created int64
			if err := r.Scan(&v.Version, &settings, &v.CreatedBy, &created); err != nil {
				return v, err
			}
			if err := json.Unmarshal([]byte(settings), &v.Settings); err != nil {
				return v, corrupt("agent_versions", id, err)
			}
			v.CreatedAt = moment(created)
			return v, nil
		}, `SELECT version, settings, actor, created_at FROM agent_versions WHERE company = ? AND agent_id = ?`, company, id)
}
