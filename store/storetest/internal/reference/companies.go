package reference

import (
	"context"
	"fmt"
	"slices"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store"
)

// FirstCompany implements [access.Store].
func (s *Store) FirstCompany(ctx context.Context, cm store.Commit, c access.Company) (access.Company, error) {
	if err := s.enter(ctx); err != nil {
		return access.Company{}, err
	}
	defer s.mu.Unlock()
	if len(s.companies) == 0 {
		if err := s.add(cm, c); err != nil {
			return access.Company{}, err
		}
	}
	return s.companies[0].Company, nil
}

// CreateCompany implements [access.Store].
func (s *Store) CreateCompany(ctx context.Context, cm store.Commit, c access.Company) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	return s.add(cm, c)
}

func (s *Store) add(cm store.Commit, c access.Company) error {
	if s.find(c.ID) >= 0 {
		return fmt.Errorf("company %s: %w: it is there already", c.ID, store.ErrConflict)
	}
	c.CreatedAt = stored(c.CreatedAt)
	t := newTenant(c)
	t.agents[c.DefaultAgent] = agent.Agent{
		ID: c.DefaultAgent, Settings: agent.Settings{Name: c.Name}, Default: true, Version: 1,
		CreatedAt: c.CreatedAt, UpdatedAt: c.CreatedAt,
	}
	t.keepSettings(&cm, t.agents[c.DefaultAgent])
	cm.Company = c.ID
	moved, err := s.moveElsewhere(&cm)
	if err != nil {
		return err
	}
	if err := t.commit(cm); err != nil {
		return err
	}
	moved()
	s.companies = append(s.companies, t)
	return nil
}

// Company implements [access.Store].
func (s *Store) Company(ctx context.Context, id string) (out access.Company, err error) {
	err = s.read(ctx, id, func(c tenant) error {
		out = c.Company
		return nil
	})
	return out, err
}

// Companies implements [access.Store].
func (s *Store) Companies(ctx context.Context, p store.Page) (store.List[access.Company], error) {
	if err := s.enter(ctx); err != nil {
		return store.List[access.Company]{}, err
	}
	defer s.mu.Unlock()
	var all []access.Company
	for _, c := range s.companies {
		all = append(all, c.Company)
	}
	return newest(all, p, func(c access.Company) string { return c.ID }, "companies")
}

// DeleteCompany implements [access.Store].
func (s *Store) DeleteCompany(ctx context.Context, cm store.Commit) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	switch i := s.find(cm.Company); {
	case i < 0:
		return store.NotFound("company", cm.Company)
	case i == 0:
		return fmt.Errorf("company %s: %w: the first company cannot be deleted", cm.Company, store.ErrConflict)
	default:
		s.companies = slices.Delete(s.companies, i, i+1)
	}
	return nil
}
