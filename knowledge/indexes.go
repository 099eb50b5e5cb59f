package knowledge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
	"github.com/answerdesk-go/answerdesk/store"
)

const (
	loadBytes   = 4 << 20 // of text read from the store at a time while an index is loaded
	changesRead = 1000    // entries of the feed read at a time
)

// indexes are the indexes in memory, one a company, within a budget.
type indexes struct {
	store  Store
	budget int64
	log    *slog.Logger

	mu        sync.Mutex
	byCompany map[string]*followed
	refused   map[string]refusal // companies that were too large
	clock     int64              // counts uses, to tell which was least recent
}

// A refusal is why a company was too large, and at which revision: until it
// changes, it is not tried again.
type refusal struct {
	err      error
	revision int64
}

// followed is the index of a company and how far it has followed the feed. Whoever
// holds the pointer may go on reading it when the budget has freed it.
type followed struct {
	index *index.Index

	following chan struct{} // holds a token while nobody changes the index
	mu        sync.Mutex
	loaded    bool
	revision  int64
	used      int64 // under indexes.mu
}

func newIndexes(s Store, o Options) *indexes {
	return &indexes{store: s, budget: o.IndexMemory, log: o.Logger, byCompany: map[string]*followed{}, refused: map[string]refusal{}}
}

// get returns a company's index, caught up with a revision that the store has
// now, and that revision.
func (x *indexes) get(ctx context.Context, company string) (*index.Index, int64, error) {
	revision, err := x.store.Revision(ctx, company)
	if err != nil {
		return nil, 0, err
	}
	x.mu.Lock()
	if r, ok := x.refused[company]; ok && r.revision >= revision {
		x.mu.Unlock()
		return nil, 0, r.err
	}
	f := x.byCompany[company]
	if f == nil {
		f = &followed{index: index.New(nil), following: make(chan struct{}, 1)}
		f.following <- struct{}{}
		x.byCompany[company] = f
	}
	x.clock++
	f.used = x.clock
	x.mu.Unlock()

	if at := f.at(); at >= revision {
		return f.index, at, nil
	}
	if err := x.advance(ctx, company, f, revision); err != nil {
		return nil, 0, err
	}
	return f.index, f.at(), nil
}

// follow lets the index of a company, if it is in memory, follow the feed up to a
// revision. That it cannot is no error of the write that was made: a search
// catches up, or says why not.
func (x *indexes) follow(ctx context.Context, company string, revision int64) {
	x.mu.Lock()
	f := x.byCompany[company]
	x.mu.Unlock()
	if f == nil || f.at() < 0 || f.at() >= revision {
		return
	}
	if err := x.advance(context.WithoutCancel(ctx), company, f, revision); err != nil {
		x.log.WarnContext(ctx, "index could not follow a write", "company", company, "error", err)
	}
}

// at returns the revision the index has, or -1 before it is loaded.
func (f *followed) at() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.loaded {
		return -1
	}
	return f.revision
}

func (f *followed) set(revision int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loaded, f.revision = true, revision
}

// advance brings an index to a revision at least. One caller works; the others
// wait for it.
func (x *indexes) advance(ctx context.Context, company string, f *followed, revision int64) error {
	select {
	case <-f.following:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { f.following <- struct{}{} }()
	at := f.at()
	if at >= revision {
		return nil
	}
	if at < 0 {
		if err := x.load(ctx, company, f, revision); err != nil {
			x.forget(company, f)
			return err
		}
		at = revision
	}
	for at < revision {
		changes, err := x.store.Changes(ctx, company, at, changesRead)
		if err != nil {
			return err
		}
		if len(changes) == 0 {
			return fmt.Errorf("the feed of company %s ends at revision %d, before %d", company, at, revision)
		}
		if err := x.apply(ctx, company, f, changes); err != nil {
			return err
		}
		at = changes[len(changes)-1].Revision
		f.set(at)
	}
	return x.fit(company, f, at)
}

// load reads all of a company's documents. What is written meanwhile is seen
// again when the feed is followed from the revision noted before.
func (x *indexes) load(ctx context.Context, company string, f *followed, revision int64) error {
	after := ""
	for {
		docs, err := x.store.LiveDocuments(ctx, company, after, loadBytes)
		if err != nil {
			return err
		}
		if len(docs) == 0 {
			break
		}
		changes := make([]index.Change, len(docs))
		for i, d := range docs {
			changes[i] = index.Change{Put: indexed(d)}
		}
		f.index.Apply(changes)
		if err := x.fit(company, f, revision); err != nil {
			return err
		}
		after = docs[len(docs)-1].ID
	}
	f.set(revision)
	x.log.DebugContext(ctx, "index loaded", "company", company, "revision", revision, "passages", f.index.Passages(), "bytes", f.index.Bytes())
	return nil
}

// apply brings the documents of some changes to the state they have now.
func (x *indexes) apply(ctx context.Context, company string, f *followed, changes []Change) error {
	var out []index.Change
	seen := map[string]bool{}
	for _, c := range changes {
		if seen[c.DocumentID] {
			continue
		}
		seen[c.DocumentID] = true
		d, err := x.store.LiveDocument(ctx, company, c.DocumentID)
		switch {
		case errors.Is(err, store.ErrNotFound):
			out = append(out, index.Change{Delete: c.DocumentID})
		case err != nil:
			return err
		default:
			out = append(out, index.Change{Put: indexed(d)})
		}
	}
	f.index.Apply(out)
	return nil
}

// fit frees the least recently used indexes of others until all are within the
// budget, or returns [ErrTooLarge] if this one alone is not at a revision.
func (x *indexes) fit(company string, f *followed, revision int64) error {
	own := f.index.Bytes()
	if own > x.budget {
		err := fmt.Errorf("company %s: its index needs more than %d bytes: %w: raise IndexMemory, which is %d", company, own, ErrTooLarge, x.budget)
		x.forget(company, f)
		x.mu.Lock()
		defer x.mu.Unlock()
		x.refused[company] = refusal{err: err, revision: revision}
		x.log.Warn("index too large", "company", company, "bytes", own)
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.refused, company)
	for {
		total, oldest := int64(0), ""
		for c, g := range x.byCompany {
			total += g.index.Bytes()
			if g != f && g.at() >= 0 && (oldest == "" || g.used < x.byCompany[oldest].used) {
				oldest = c
			}
		}
		if total <= x.budget || oldest == "" {
			return nil
		}
		delete(x.byCompany, oldest)
		x.log.Debug("index freed", "company", oldest)
	}
}

// forget drops an index that is of no use.
func (x *indexes) forget(company string, f *followed) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byCompany[company] == f {
		delete(x.byCompany, company)
	}
}

// indexed is what the index knows of a document.
func indexed(d Live) *index.Document {
	out := &index.Document{
		ID: d.ID, Version: d.Version, AgentID: d.AgentID, Kind: string(d.Kind), Metadata: d.Metadata,
		Passages: make([]index.Passage, len(d.Passages)),
	}
	for i, p := range d.Passages {
		out.Passages[i] = index.Passage{
			Ordinal: p.Ordinal, Title: d.Title, Heading: headingText(p.Heading), Body: p.Text, Questions: d.Questions,
		}
	}
	return out
}
