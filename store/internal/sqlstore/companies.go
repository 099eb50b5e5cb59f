package sqlstore

import (
	"context"
	"fmt"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store"
)

const companyColumns = `id, name, default_agent, created_at`

func scanCompany(r Rows) (c access.Company, err error) {
	var created int64
	err = r.Scan(&c.ID, &c.Name, &c.DefaultAgent, &created)
	c.CreatedAt = moment(created)
	return c, err
}

// FirstCompany implements [access.Store].
func (s *Store) FirstCompany(ctx context.Context, cm store.Commit, c access.Company) (access.Company, error) {
	first, err := s.firstCompany(ctx)
	if err != nil || first.ID != "" {
		return first, err
	}
	err = s.engine.Write(ctx, func(tx Tx) error {
		var operator string
		if _, err := one(tx, []any{&operator}, `SELECT company FROM operators WHERE id = 1`+forUpdate); err != nil {
			return err
		}
		if operator != "" {
			first, _, err = readFirst(tx)
			return err
		}
		if _, err := tx.Exec(`UPDATE operators SET company = ? WHERE id = 1`, c.ID); err != nil {
			return err
		}
		first = c
		return s.createCompany(tx, cm, c)
	})
	return first, err
}

func (s *Store) firstCompany(ctx context.Context) (c access.Company, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		c, _, err = readFirst(tx)
		return err
	})
	return c, err
}

func readFirst(tx Tx) (c access.Company, found bool, err error) {
	err = all(tx, func(r Rows) error {
		found = true
		c, err = scanCompany(r)
		return err
	}, `SELECT `+companyColumns+` FROM companies WHERE id = (SELECT company FROM operators WHERE id = 1)`)
	return c, found, err
}

// CreateCompany implements [access.Store].
func (s *Store) CreateCompany(ctx context.Context, cm store.Commit, c access.Company) error {
	return s.engine.Write(ctx, func(tx Tx) error { return s.createCompany(tx, cm, c) })
}

func (s *Store) createCompany(tx Tx, cm store.Commit, c access.Company) error {
	n, err := tx.Exec(`INSERT INTO companies (`+companyColumns+`) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		c.ID, c.Name, c.DefaultAgent, micros(c.CreatedAt))
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("company %s: %w: it is there already", c.ID, store.ErrConflict)
	}
	cm.Company = c.ID
	return s.createAgent(tx, cm, agent.Agent{
		ID: c.DefaultAgent, Settings: agent.Settings{Name: c.Name}, CreatedAt: c.CreatedAt,
	})
}

// Company implements [access.Store].
func (s *Store) Company(ctx context.Context, id string) (c access.Company, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		found := false
		err := all(tx, func(r Rows) error {
			found = true
			c, err = scanCompany(r)
			return err
		}, `SELECT `+companyColumns+` FROM companies WHERE id = ?`, id)
		if err == nil && !found {
			return store.NotFound("company", id)
		}
		return err
	})
	return c, err
}

// Companies implements [access.Store].
func (s *Store) Companies(ctx context.Context, p store.Page) (store.List[access.Company], error) {
	return list(ctx, s, p, []string{"companies"}, func(c access.Company) string { return c.ID }, scanCompany,
		`SELECT `+companyColumns+` FROM companies WHERE 1 = 1`)
}

// owned names every table whose rows belong to a company. Rows that others are
// added under, by steps that hold them, come before those others.
var owned = []string{"agents", "agent_versions", "sources", "runs", "conversations", "attachments", "documents", "messages", "document_versions",
	"passages", "vector_spaces", "passage_vectors", "calibrations", "staged", "tombstones", "pages", "run_events", "steps", "citations", "knowledge_changes", "api_keys",
	"work_keys", "work_jobs", "work_dead", "streams", "events", "receipts", "audit_log"}

// DeleteCompany implements [access.Store].
func (s *Store) DeleteCompany(ctx context.Context, cm store.Commit) error {
	return s.engine.Write(ctx, func(tx Tx) error {
		first, _, err := readFirst(tx)
		if err != nil {
			return err
		}
		if first.ID == cm.Company {
			return fmt.Errorf("company %s: %w: the first company cannot be deleted", cm.Company, store.ErrConflict)
		}
		n, err := tx.Exec(`DELETE FROM companies WHERE id = ?`, cm.Company)
		if err != nil {
			return err
		}
		if n == 0 {
			return store.NotFound("company", cm.Company)
		}
		for _, table := range owned {
			if _, err := tx.Exec(`DELETE FROM `+table+` WHERE company = ?`, cm.Company); err != nil {
				return err
			}
		}
		return nil
	})
}

// haveCompany returns a [store.NotFoundError] if the company is not there. A step
// that writes gives the lock under which it stays there.
func haveCompany(tx Tx, company, lock string) error {
	var defaultAgent string
	found, err := one(tx, []any{&defaultAgent}, `SELECT default_agent FROM companies WHERE id = ?`+lock, company)
	if err == nil && !found {
		return store.NotFound("company", company)
	}
	return err
}
