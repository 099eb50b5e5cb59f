package access

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// maxName bounds the name of a company or a key, in characters.
const maxName = 200

// A Company is a tenant.
type Company struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	DefaultAgent string    `json:"default_agent_id"` // born with the company
	CreatedAt    time.Time `json:"created_at"`
}

// Companies creates, reads and deletes companies.
type Companies struct {
	store Store
	by    store.Request
}

// NewCompanies returns the companies in s.
func NewCompanies(s Store) *Companies { return &Companies{store: s} }

// By returns the same companies, where Create is put down to a request: the new
// company's audit log says who asked for it, and the receipt, which names the
// company it belongs to, is completed with the new one's id.
func (cs *Companies) By(r store.Request) *Companies {
	out := *cs
	out.by = r
	return &out
}

// First returns the operator's company, making it if the store is new.
func (cs *Companies) First(ctx context.Context) (Company, error) {
	c := newCompany("Default")
	return cs.store.FirstCompany(ctx, born(c), c)
}

// Create adds a company with a default agent of the same name.
func (cs *Companies) Create(ctx context.Context, name string) (Company, error) {
	name, err := checkName(name)
	if err != nil {
		return Company{}, err
	}
	c := newCompany(name)
	cm := cs.by.Audited(born(c), id.New(id.Audit), "company.create", c.ID, c.CreatedAt)
	if err := cs.store.CreateCompany(ctx, cs.by.Ending(cm, c.ID), c); err != nil {
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

// Delete removes a company, its agents, documents, conversations and keys. The
// first company cannot be deleted.
func (cs *Companies) Delete(ctx context.Context, company string) error {
	c, err := cs.Get(ctx, company)
	if err != nil {
		return err
	}
	return cs.store.DeleteCompany(ctx, store.Commit{Company: c.ID})
}

func newCompany(name string) Company {
	return Company{ID: id.New(id.Company), Name: name, DefaultAgent: id.New(id.Agent), CreatedAt: now()}
}

// born is the commit that tells of a new company's default agent.
func born(c Company) store.Commit {
	return store.Commit{Company: c.ID, Events: []event.Event{{
		ID: id.New(id.Event), Type: event.AgentCreated, Stream: c.DefaultAgent,
		CreatedAt: c.CreatedAt, Refs: event.Refs{AgentID: c.DefaultAgent},
	}}}
}

// checkName returns a name without the white space around it.
func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n == 0 || n > maxName || !utf8.ValidString(name) {
		return "", invalid("name", "must have 1 to %d characters of valid UTF-8", maxName)
	}
	return name, nil
}

// now is a time as stores keep it.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
