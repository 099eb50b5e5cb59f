package reference

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A source with what its runs may not bring back.
type source struct {
	knowledge.Source // without what is filled in on reading
	tombstones       []tombstone
}

// A tombstone is what is left of a document of a source that somebody deleted.
type tombstone struct {
	externalID string
	textHash   [32]byte
}

// forbids reports whether a document is kept away by a tombstone.
func (s source) forbids(externalID string, textHash [32]byte) bool {
	return slices.ContainsFunc(s.tombstones, func(t tombstone) bool { return t.externalID == externalID || t.textHash == textHash })
}

// source returns a source of the company.
func (c *tenant) source(sourceID string) (source, error) {
	s, ok := c.sources[sourceID]
	if !ok {
		return s, store.NotFound("source", sourceID)
	}
	return s, nil
}

// reads returns a source as it is read.
func (c *tenant) reads(s source) knowledge.Source {
	out := s.Source
	out.Metadata, out.Settings = copied(s.Metadata), slices.Clone(s.Settings)
	if r, ok := c.runs[s.RunID]; ok {
		out.Run = c.readRun(r)
		out.LastError = out.Run.Error
	}
	out.LastSuccessAt = c.runs[s.PublishedID].EndedAt
	for _, d := range c.documents {
		if d.SourceID == s.ID {
			out.Documents++
		}
	}
	return out
}

// CreateSource implements [knowledge.SourceStore].
func (s *Store) CreateSource(ctx context.Context, cm store.Commit, src knowledge.Source, r *knowledge.Run) error {
	return s.step(ctx, cm, func(c *tenant, _ *store.Commit) error {
		if src.AgentID != "" {
			if _, err := c.agent(src.AgentID); err != nil {
				return err
			}
		}
		if _, there := c.sources[src.ID]; there {
			return fmt.Errorf("source %s: %w: it is there already", src.ID, store.ErrConflict)
		}
		c.sources[src.ID] = source{Source: knowledge.Source{
			ID: src.ID, Kind: src.Kind, AgentID: src.AgentID, Name: src.Name, URL: src.URL, Schedule: src.Schedule,
			Metadata: copied(src.Metadata), Settings: slices.Clone(src.Settings),
			NextRunAt: stored(src.NextRunAt), CreatedAt: stored(src.CreatedAt), UpdatedAt: stored(src.CreatedAt),
		}}
		if r == nil {
			return nil
		}
		if _, there := c.runs[r.ID]; there {
			return fmt.Errorf("run %s: %w: it is there already", r.ID, store.ErrConflict)
		}
		first := *r
		first.SourceID, first.AgentID = src.ID, src.AgentID
		c.add(first)
		return nil
	})
}

// UpdateSource implements [knowledge.SourceStore].
func (s *Store) UpdateSource(ctx context.Context, cm store.Commit, src knowledge.Source, ifUpdated time.Time) (out knowledge.Source, err error) {
	err = s.step(ctx, cm, func(c *tenant, _ *store.Commit) error {
		there, err := c.source(src.ID)
		if err != nil {
			return err
		}
		if !ifUpdated.IsZero() && !there.UpdatedAt.Equal(ifUpdated) {
			return fmt.Errorf("source %s: %w: it has changed since it was read", src.ID, store.ErrConflict)
		}
		there.Name, there.URL, there.Schedule = src.Name, src.URL, src.Schedule
		there.Metadata, there.Settings, there.NextRunAt = copied(src.Metadata), slices.Clone(src.Settings), stored(src.NextRunAt)
		there.UpdatedAt = later(stored(src.UpdatedAt), there.UpdatedAt)
		c.sources[src.ID] = there
		out = c.reads(there)
		return nil
	})
	if err != nil {
		return knowledge.Source{}, err
	}
	return out, nil
}

// DeleteSource implements [knowledge.SourceStore].
func (s *Store) DeleteSource(ctx context.Context, cm store.Commit, sourceID string) (out knowledge.Deleted, err error) {
	err = s.step(ctx, cm, func(c *tenant, cm *store.Commit) error {
		if _, err := c.source(sourceID); err != nil {
			return err
		}
		var gone []string
		for _, d := range c.documents {
			if d.SourceID == sourceID {
				gone = append(gone, d.ID)
			}
		}
		slices.Sort(gone)
		for _, docID := range gone {
			tell(cm, event.ContentDeleted, c.documents[docID].Document, "")
		}
		out = c.remove(gone...)
		out.DocumentID = sourceID
		c.removeSource(sourceID)
		return nil
	})
	if err != nil {
		return knowledge.Deleted{}, err
	}
	return out, nil
}

// removeSource removes a source, all but its documents, and cancels its runs.
func (c *tenant) removeSource(sourceID string) {
	delete(c.sources, sourceID)
	for _, r := range c.runs {
		if r.SourceID != sourceID {
			continue
		}
		if !r.State.Ended() {
			r.end(knowledge.RunCancelled)
		}
		r.pages = nil
		c.runs[r.ID] = r
	}
}

// forbid keeps a document that somebody deleted from being brought back by runs of
// its source, and takes out what these have staged of it.
func (c *tenant) forbid(d document) {
	src, ok := c.sources[d.SourceID]
	if !ok {
		return
	}
	for _, v := range d.versions {
		src.tombstones = append(slices.Clip(src.tombstones), tombstone{d.ExternalID, v.textHash})
	}
	c.sources[src.ID] = src
	for _, r := range c.runs {
		if r.SourceID == src.ID {
			r.plans = maps.Clone(r.plans)
			maps.DeleteFunc(r.plans, func(docID string, p plan) bool {
				return docID == d.ID || p.write != nil && src.forbids(p.write.ExternalID, p.write.TextHash)
			})
			c.runs[r.ID] = r
		}
	}
}

// Source implements [knowledge.SourceStore].
func (s *Store) Source(ctx context.Context, company, sourceID string) (out knowledge.Source, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		src, err := c.source(sourceID)
		if err == nil {
			out = c.reads(src)
		}
		return err
	})
	return out, err
}

// Sources implements [knowledge.SourceStore].
func (s *Store) Sources(ctx context.Context, company string, f knowledge.SourceFilter, p store.Page) (out store.List[knowledge.Source], err error) {
	err = s.read(ctx, company, func(c tenant) (err error) {
		var all []knowledge.Source
		for _, src := range c.sources {
			if (f.Kind == "" || f.Kind == src.Kind) && (f.AgentID == "" || f.AgentID == src.AgentID) {
				all = append(all, c.reads(src))
			}
		}
		out, err = newest(all, p, func(s knowledge.Source) string { return s.ID }, "sources", company, string(f.Kind), f.AgentID)
		return err
	})
	return out, err
}

// DueSources implements [knowledge.SourceStore].
func (s *Store) DueSources(ctx context.Context, limit int) (out []knowledge.DueSource, err error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	now := time.Now()
	for _, c := range s.companies {
		for _, src := range c.sources {
			if !src.NextRunAt.IsZero() && !src.NextRunAt.After(now) {
				out = append(out, knowledge.DueSource{Company: c.ID, Source: c.reads(src)})
			}
		}
	}
	slices.SortFunc(out, func(a, b knowledge.DueSource) int {
		return cmp.Or(a.NextRunAt.Compare(b.NextRunAt), compare(a.Company, b.Company), compare(a.ID, b.ID))
	})
	return out[:min(len(out), limit)], nil
}

// SourceDocuments implements [knowledge.SourceStore].
func (s *Store) SourceDocuments(ctx context.Context, company, sourceID, after string, limit int) (out []knowledge.SourceDocument, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		for _, docID := range slices.Sorted(maps.Keys(c.documents)) {
			d := c.documents[docID]
			if sourceID != "" && d.SourceID == sourceID && d.ID > after && len(out) < limit {
				out = append(out, knowledge.SourceDocument{
					ID: d.ID, ExternalID: d.ExternalID, URL: d.URL, Version: d.Version, Hash: d.hash, TextHash: d.textHash,
				})
			}
		}
		return nil
	})
	return out, err
}

// Page implements [knowledge.SourceStore].
func (s *Store) Page(ctx context.Context, company, runID, url string) (out knowledge.Page, found bool, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		for _, p := range c.runs[runID].pages {
			if p.URL == url {
				out, found = p, true
				out.Links = slices.Clone(p.Links)
			}
		}
		return nil
	})
	return out, found, err
}

// Pages implements [knowledge.SourceStore].
func (s *Store) Pages(ctx context.Context, company, runID string, p store.Page) (out store.List[knowledge.Page], err error) {
	err = s.read(ctx, company, func(c tenant) (err error) {
		var all []knowledge.Page
		for _, p := range slices.Backward(c.runs[runID].pages) {
			p.Links = nil
			all = append(all, p)
		}
		place := func(p knowledge.Page) string { return fmt.Sprintf("%019d", p.Sequence) }
		out, err = page(all, p, place, func(p knowledge.Page, last string) bool { return place(p) >= last }, "pages", company, runID)
		return err
	})
	return out, err
}
