package access

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// ErrInvalid is wrapped by the errors about a company's fields.
var ErrInvalid = errors.New("invalid company")

// maxName bounds a company's name, in characters.
const maxName = 200

// A Company is a tenant.
type Company struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	DefaultAgent string    `json:"default_agent_id"` // born with the company
	CreatedAt    time.Time `json:"created_at"`
}

// A Store is what this room needs of a store, as storetest checks it.
type Store interface {
	// FirstCompany returns the oldest company. If there is none yet, it makes
	// c the first one, as CreateCompany would.
	FirstCompany(ctx context.Context, cm store.Commit, c Company) (Company, error)

	// CreateCompany adds a company, and an agent with the id c.DefaultAgent,
	// the name c.Name and default settings.
	CreateCompany(ctx context.Context, cm store.Commit, c Company) error

	// Company returns a company by its id, or a [store.NotFoundError].
	Company(ctx context.Context, id string) (Company, error)

	// Companies lists the companies, newest first.
	Companies(ctx context.Context, p store.Page) (store.List[Company], error)

	// DeleteCompany removes a company with everything that is its. The first
	// company stays: deleting it is a [store.ErrConflict].
	DeleteCompany(ctx context.Context, cm store.Commit) error
}

// Companies creates, reads and deletes companies.
type Companies struct{ store Store }

// NewCompanies returns the companies in s.
func NewCompanies(s Store) *Companies { return &Companies{store: s} }

// First returns the operator's company, making it if the store is new.
func (cs *Companies) First(ctx context.Context) (Company, error) {
	c := newCompany("Default")
	return cs.store.FirstCompany(ctx, born(c), c)
}

// Create adds a company with a default agent of the same name.
func (cs *Companies) Create(ctx context.Context, name string) (Company, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n == 0 || n > maxName || !utf8.ValidString(name) {
		return Company{}, fmt.Errorf("%w: name must have 1 to %d characters of valid UTF-8", ErrInvalid, maxName)
	}
	c := newCompany(name)
	if err := cs.store.CreateCompany(ctx, born(c), c); err != nil {
		return Company{}, err
	}
	return c, nil
}

// Get returns a company by its id.
func (cs *Companies) Get(ctx context.Context, company string) (Company, error) {
	canonical, err := id.Parse(id.Company, company)
	if err != nil {
		return Company{}, store.NotFound("company", company)
	}
	return cs.store.Company(ctx, canonical)
}

// List returns companies, newest first.
func (cs *Companies) List(ctx context.Context, p store.Page) (store.List[Company], error) {
	return cs.store.Companies(ctx, p)
}

// Delete removes a company, its agents, documents and conversations. The first
// company cannot be deleted.
func (cs *Companies) Delete(ctx context.Context, company string) error {
	c, err := cs.Get(ctx, company)
	if err != nil {
		return err
	}
	return cs.store.DeleteCompany(ctx, store.Commit{Company: c.ID})
}

func newCompany(name string) Company {
	return Company{ID: id.New(id.Company), Name: name, DefaultAgent: id.New(id.Agent), CreatedAt: time.Now().UTC().Truncate(time.Microsecond)}
}

// born is the commit that tells of a new company's default agent.
func born(c Company) store.Commit {
	return store.Commit{Company: c.ID, Events: []event.Event{{
		ID: id.New(id.Event), Type: event.AgentCreated, Stream: c.DefaultAgent,
		CreatedAt: c.CreatedAt, Refs: event.Refs{AgentID: c.DefaultAgent},
	}}}
}
