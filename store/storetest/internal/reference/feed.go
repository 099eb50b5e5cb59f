package reference

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// read returns a document with the passages of its live version.
func (d document) read() knowledge.Live {
	out := knowledge.Live{Document: cloneDocument(d.Document)}
	if len(d.versions) > 0 { // it is there
		out.Passages = d.passages(d.live())
	}
	return out
}

// passages returns the passages of a version as they are read.
func (d document) passages(v version) (out []knowledge.Passage) {
	for _, p := range v.passages {
		p.Heading = slices.Clone(p.Heading)
		p.Title, p.URL, p.ExternalID, p.AgentID, p.Kind, p.Language = d.Title, d.URL, d.ExternalID, d.AgentID, d.Kind, d.Language
		p.Metadata = copied(d.Metadata)
		out = append(out, p)
	}
	return out
}

// Passages implements [knowledge.Store].
func (s *Store) Passages(ctx context.Context, company string, refs []knowledge.Ref) (out []knowledge.Passage, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		for _, ref := range refs {
			for _, p := range c.documents[ref.DocumentID].read().Passages {
				if p.Ref == ref {
					out = append(out, p)
				}
			}
		}
		return nil
	})
	return out, err
}

// Revision implements [knowledge.Store].
func (s *Store) Revision(ctx context.Context, company string) (out int64, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		out = c.revision
		return nil
	})
	return out, err
}

// Changes implements [knowledge.Store].
func (s *Store) Changes(ctx context.Context, company string, after int64, limit int) (out []knowledge.Change, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		if after < c.pruned {
			return fmt.Errorf("changes after revision %d: %w", after, knowledge.ErrFeedPruned)
		}
		for _, ch := range c.changes {
			if ch.Revision <= after {
				continue
			}
			if n := len(out); n >= max(limit, 1) && ch.Revision != out[n-1].Revision {
				break
			}
			out = append(out, ch)
		}
		return nil
	})
	return out, err
}

// LiveDocuments implements [knowledge.Store].
func (s *Store) LiveDocuments(ctx context.Context, company, after string, maxBytes int) (out []knowledge.Live, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		size := 0
		for _, id := range slices.Sorted(maps.Keys(c.documents)) {
			if id <= after {
				continue
			}
			if size >= maxBytes && len(out) > 0 {
				break
			}
			d := c.documents[id]
			out = append(out, d.read())
			size += len(d.live().text)
		}
		return nil
	})
	return out, err
}

// Stamps implements [knowledge.Store].
func (s *Store) Stamps(ctx context.Context, company, after string, limit int) (out []knowledge.Stamp, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		for _, id := range slices.Sorted(maps.Keys(c.documents)) {
			if id > after && len(out) < limit {
				out = append(out, knowledge.Stamp{DocumentID: id, UpdatedAt: c.documents[id].read().UpdatedAt})
			}
		}
		return nil
	})
	return out, err
}

// LiveDocument implements [knowledge.Store].
func (s *Store) LiveDocument(ctx context.Context, company, id string) (out knowledge.Live, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		d, err := c.document(id)
		out = d.read()
		return err
	})
	return out, err
}
