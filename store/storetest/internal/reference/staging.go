package reference

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A plan is what a run will do to one document when it is published.
type plan struct {
	write *knowledge.Write // nil: delete it
	base  time.Time        // when the document was updated as it was found; zero if it was not there
}

// stages calls change with a run of a source, of which the holder of a lease may
// make a step.
func (s *Store) stages(ctx context.Context, l store.Lease, runID string, change func(c *tenant, r *run) error) error {
	return s.step(ctx, store.Commit{Company: l.Company}, func(c *tenant, _ *store.Commit) error {
		r, err := c.underWay(l, runID)
		if err != nil {
			return err
		}
		if r.SourceID == "" {
			return fmt.Errorf("run %s: %w: it is of no source", runID, store.ErrConflict)
		}
		r.plans, r.pages = maps.Clone(r.plans), slices.Clone(r.pages)
		if r.plans == nil {
			r.plans = map[string]plan{}
		}
		if err := change(c, &r); err != nil {
			return err
		}
		c.runs[r.ID] = r
		return nil
	})
}

// Stage implements [knowledge.RunStore].
func (s *Store) Stage(ctx context.Context, l store.Lease, runID string, st knowledge.Staging) (out []knowledge.Staged, err error) {
	err = s.stages(ctx, l, runID, func(c *tenant, r *run) error {
		for i, w := range st.Writes {
			staged, err := c.stage(r, w)
			if err != nil {
				return &knowledge.ItemError{Index: i, Err: err}
			}
			out = append(out, staged)
		}
		for _, docID := range st.Deletes {
			delete(r.plans, docID)
			if d, ok := c.live(r, docID); ok {
				r.plans[docID] = plan{base: d.UpdatedAt}
			}
		}
		for _, p := range st.Pages {
			r.see(p)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// see notes what a run saw at an address.
func (r *run) see(p knowledge.Page) {
	p.RunID = r.ID
	p.FetchedAt, p.Links = stored(p.FetchedAt), slices.Clone(p.Links)
	if i := slices.IndexFunc(r.pages, func(o knowledge.Page) bool { return o.URL == p.URL }); i >= 0 {
		p.Sequence = r.pages[i].Sequence
		r.pages[i] = p
		return
	}
	r.seen++
	p.Sequence = r.seen
	r.pages = append(r.pages, p)
}

// live returns a document of the run's source.
func (c *tenant) live(r *run, docID string) (document, bool) {
	d, ok := c.documents[docID]
	return d, ok && d.SourceID == r.SourceID
}

// named returns the id of the document that has an external id by what a run has
// staged or else, by what is live, or "".
func (c *tenant) named(r *run, externalID string) string {
	for docID, p := range r.plans {
		if p.write != nil && p.write.ExternalID == externalID {
			return docID
		}
	}
	for _, d := range c.documents {
		if d.SourceID == r.SourceID && d.ExternalID == externalID && r.plans[d.ID].write == nil {
			return d.ID
		}
	}
	return ""
}

// stage adds a write to what a run will publish.
func (c *tenant) stage(r *run, w knowledge.Write) (knowledge.Staged, error) {
	src, err := c.source(r.SourceID)
	if err != nil {
		return knowledge.Staged{}, err
	}
	w.SourceID, w.AgentID = src.ID, src.AgentID
	docID, named := w.ID, c.named(r, w.ExternalID)
	if docID == "" {
		docID = named
	}
	old, found := c.live(r, docID)
	switch {
	case w.ID != "" && !found && r.plans[docID].write == nil:
		return knowledge.Staged{}, store.NotFound("document", w.ID)
	case named != "" && named != docID:
		if taken, ok := r.plans[named]; !ok || taken.write != nil {
			return knowledge.Staged{}, fmt.Errorf("document %s: %w: document %s has its external id", w.ID, store.ErrConflict, named)
		}
	case docID == "":
		if _, there := c.documents[w.NewID]; there || r.plans[w.NewID].write != nil {
			return knowledge.Staged{}, fmt.Errorf("document %s: %w: it is there already", w.NewID, store.ErrConflict)
		}
	}
	if err := allowed(old, found, w); err != nil {
		return knowledge.Staged{}, err
	}
	if w.KeepText {
		w.TextHash = old.textHash
	}
	out := knowledge.Staged{DocumentID: docID, ExternalID: w.ExternalID, TextHash: w.TextHash}
	switch {
	case found && old.hash == w.Hash:
		delete(r.plans, docID)
		out.Status, out.TextHash = knowledge.Unchanged, old.textHash
		return out, nil
	case src.forbids(w.ExternalID, w.TextHash):
		out.Status = knowledge.Refused
		return out, nil
	case docID == "":
		out.DocumentID = w.NewID
	}
	w.ID, w.NewID = out.DocumentID, out.DocumentID
	w.Document = cloneDocument(w.Document)
	w.Passages = slices.Clone(w.Passages)
	p := plan{write: &w}
	if out.Status = knowledge.Created; found {
		out.Status, p.base = knowledge.Updated, old.UpdatedAt
	}
	r.plans[w.ID] = p
	return out, nil
}

// StagedDocuments implements [knowledge.RunStore].
func (s *Store) StagedDocuments(ctx context.Context, company, runID, after string, limit int) (out []knowledge.Staged, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		r := c.runs[runID]
		for _, docID := range slices.Sorted(maps.Keys(r.plans)) {
			w := r.plans[docID].write
			if w == nil || docID <= after || len(out) >= limit {
				continue
			}
			staged := knowledge.Staged{DocumentID: docID, ExternalID: w.ExternalID, Status: knowledge.Created, TextHash: w.TextHash}
			if _, found := c.live(&r, docID); found {
				staged.Status = knowledge.Updated
			}
			out = append(out, staged)
		}
		return nil
	})
	return out, err
}

// Restage implements [knowledge.RunStore].
func (s *Store) Restage(ctx context.Context, l store.Lease, runID, from, to string) error {
	return s.stages(ctx, l, runID, func(c *tenant, r *run) error {
		p := r.plans[from]
		d, found := c.live(r, to)
		switch _, there := c.live(r, from); {
		case p.write == nil:
			return store.NotFound("staged document", from)
		case there:
			return fmt.Errorf("document %s: %w: it would not be new", from, store.ErrConflict)
		case !found:
			return store.NotFound("document", to)
		}
		w := *p.write
		w.ID, w.NewID = to, to
		delete(r.plans, from)
		r.plans[to] = plan{write: &w, base: d.UpdatedAt}
		for i, page := range r.pages {
			if page.DocumentID == from {
				r.pages[i].DocumentID = to
			}
		}
		return nil
	})
}

// publish does all that a run has staged, but for what has changed meanwhile.
func (c *tenant) publish(cm *store.Commit, r *run) {
	r.Revision = c.revision
	src, ok := c.sources[r.SourceID]
	if !ok {
		return // a training, whose counts are those of its runs
	}
	r.Counts.Created, r.Counts.Updated, r.Counts.Deleted = 0, 0, 0
	todo := c.standing(src, r)
	plans := slices.Sorted(maps.Keys(todo))
	var touched []string
	for _, docID := range plans { // what goes makes room for what comes
		if todo[docID].write == nil {
			tell(cm, event.ContentDeleted, c.documents[docID].Document, r.ID)
			c.take(docID)
			touched = append(touched, docID)
			r.Counts.Deleted++
		}
	}
	for _, docID := range plans {
		w := todo[docID].write
		if w == nil {
			continue
		}
		old, found := c.documents[docID]
		d, status := written(old, found, *w, "")
		if status == knowledge.Unchanged {
			continue
		}
		*countOf(&r.Counts, status)++
		c.documents[docID] = d
		tell(cm, kindOf(status), d.Document, r.ID)
		touched = append(touched, docID)
	}
	c.changed(touched...)
	r.Revision = c.revision
	src.PublishedID = r.ID
	c.sources[src.ID] = src
	for _, o := range c.runs {
		if o.SourceID == src.ID && o.ID != r.ID {
			o.pages = nil
			c.runs[o.ID] = o
		}
	}
}

// standing returns the plans of a run that still stand.
func (c *tenant) standing(src source, r *run) map[string]plan {
	todo := maps.Clone(r.plans)
	maps.DeleteFunc(todo, func(docID string, p plan) bool {
		d, found := c.live(r, docID)
		return !d.UpdatedAt.Equal(p.base) || !found && p.write == nil ||
			p.write != nil && src.forbids(p.write.ExternalID, p.write.TextHash)
	})
	for again := true; again; { // what does not stand may keep its external id from another
		before := len(todo)
		maps.DeleteFunc(todo, func(docID string, p plan) bool {
			return p.write != nil && slices.ContainsFunc(slices.Collect(maps.Values(c.documents)), func(d document) bool {
				other, moves := todo[d.ID]
				moves = moves && (other.write == nil || other.write.ExternalID != d.ExternalID)
				return d.SourceID == src.ID && d.ID != docID && d.ExternalID == p.write.ExternalID && !moves
			})
		})
		again = len(todo) < before
	}
	return todo
}
