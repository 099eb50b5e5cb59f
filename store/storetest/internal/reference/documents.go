package reference

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A document with all its texts and the passages of the last one.
type document struct {
	knowledge.Document          // without its text
	hash, textHash     [32]byte // as given with the last write
	texts              []string // of each version
	passages           []knowledge.Passage
}

// WriteDocuments implements [knowledge.Store].
func (s *Store) WriteDocuments(ctx context.Context, cm store.Commit, writes []knowledge.Write) (out knowledge.Written, err error) {
	err = s.step(ctx, cm, func(c *tenant, cm *store.Commit) error {
		var touched []string
		for i, w := range writes {
			d, status, err := c.write(w)
			if err != nil {
				return &knowledge.ItemError{Index: i, Err: err}
			}
			out.Documents = append(out.Documents, knowledge.WrittenDocument{Document: cloneDocument(d.Document), Status: status})
			if status == knowledge.Unchanged {
				continue
			}
			c.documents[d.ID] = d
			touched = append(touched, d.ID)
			kind := event.ContentUpdated
			if status == knowledge.Created {
				kind = event.ContentCreated
			}
			tell(cm, kind, d, d.Version)
		}
		c.changed(touched...)
		out.Revision = c.revision
		if cm.Receipt != nil {
			cm.Receipt = new(*cm.Receipt)
			cm.Receipt.Result = knowledge.AppendResult(cm.Receipt.Result, out.Documents)
		}
		if cm.Audit != nil && cm.Audit.Object == "" && len(writes) == 1 {
			cm.Audit = new(*cm.Audit)
			cm.Audit.Object = out.Documents[0].ID
		}
		return nil
	})
	if err != nil {
		return knowledge.Written{}, err
	}
	return out, nil
}

// CheckDocuments implements [knowledge.Store].
func (s *Store) CheckDocuments(ctx context.Context, company string, writes []knowledge.Write) (out []knowledge.Ingested, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		c = c.clone()
		for _, w := range writes {
			d, status, err := c.write(w)
			if err != nil {
				out = append(out, knowledge.Ingested{Document: knowledge.Document{ExternalID: w.ExternalID}, Err: err})
				continue
			}
			c.documents[d.ID] = d
			out = append(out, knowledge.Ingested{Document: cloneDocument(d.Document), Status: status})
		}
		return nil
	})
	return out, err
}

// tell adds the event of a change to a commit.
func tell(cm *store.Commit, kind event.Type, d document, version int) {
	cm.Events = append(slices.Clip(cm.Events), event.Event{
		ID: id.New(id.Event), Type: kind, Stream: d.ID, CreatedAt: time.Now(),
		Refs: event.Refs{AgentID: d.AgentID, DocumentID: d.ID, Version: version},
	})
}

// write returns a document as it is after a write, and what the write does.
func (c *tenant) write(w knowledge.Write) (d document, status knowledge.Status, err error) {
	if w.AgentID != "" {
		if _, err := c.agent(w.AgentID); err != nil {
			return d, "", err
		}
	}
	var old document
	found := false
	if w.ID != "" {
		if old, found = c.documents[w.ID]; !found {
			return d, "", store.NotFound("document", w.ID)
		}
		w.AgentID = cmp.Or(w.AgentID, old.AgentID)
	}
	named, taken := c.external(w.AgentID, w.ExternalID)
	if w.ID == "" {
		old, found = named, taken
	}
	switch {
	case found && (old.Kind != w.Kind || old.AgentID != w.AgentID):
		return d, "", fmt.Errorf("document %s: %w: it keeps its agent and kind", old.ID, store.ErrConflict)
	case w.KeepText && !found:
		return d, "", store.NotFound("document", w.ExternalID)
	case taken && named.ID != old.ID:
		return d, "", fmt.Errorf("document %s: %w: document %s has its external id", w.ID, store.ErrConflict, named.ID)
	case w.IfVersion != 0 && (!found || old.Version != w.IfVersion):
		return d, "", fmt.Errorf("document %s: %w: it is at version %d, not %d", old.ID, store.ErrConflict, old.Version, w.IfVersion)
	case !w.IfUpdated.IsZero() && !old.UpdatedAt.Equal(w.IfUpdated):
		return d, "", fmt.Errorf("document %s: %w: it has changed since it was read", old.ID, store.ErrConflict)
	case found && old.hash == w.Hash:
		return old, knowledge.Unchanged, nil
	}
	d = document{Document: cloneDocument(w.Document), hash: w.Hash, textHash: w.TextHash}
	d.Text, d.State = "", knowledge.StateReady
	d.CreatedAt, d.UpdatedAt = stored(w.CreatedAt), stored(w.UpdatedAt)
	if found {
		d.ID, d.CreatedAt = old.ID, old.CreatedAt
		if !d.UpdatedAt.After(old.UpdatedAt) {
			d.UpdatedAt = old.UpdatedAt.Add(time.Microsecond)
		}
		if w.KeepText || old.textHash == w.TextHash {
			d.Version, d.textHash, d.texts, d.passages = old.Version, old.textHash, old.texts, old.passages
			return d, knowledge.Updated, nil
		}
		status = knowledge.Updated
	} else {
		if _, there := c.documents[w.NewID]; there {
			return d, "", fmt.Errorf("document %s: %w: it is there already", w.NewID, store.ErrConflict)
		}
		d.ID, status = w.NewID, knowledge.Created
	}
	d.Version = old.Version + 1
	d.texts = append(slices.Clip(old.texts), w.Text)
	for _, p := range w.Passages {
		p.DocumentID, p.Version = d.ID, d.Version
		p.ID = id.Derive(id.Passage, d.ID, d.Version, p.Ordinal)
		p.Heading = slices.Clone(p.Heading)
		d.passages = append(d.passages, p)
	}
	return d, status, nil
}

// external finds the document with an external id.
func (c *tenant) external(agentID, externalID string) (document, bool) {
	for _, d := range c.documents {
		if externalID != "" && d.AgentID == agentID && d.ExternalID == externalID {
			return d, true
		}
	}
	return document{}, false
}

// changed raises the revision if documents were touched, and says so in the feed.
func (c *tenant) changed(ids ...string) {
	if len(ids) == 0 {
		return
	}
	c.revision++
	slices.Sort(ids)
	for _, docID := range slices.Compact(ids) {
		c.changes = append(c.changes, knowledge.Change{Revision: c.revision, DocumentID: docID})
	}
}

func cloneDocument(d knowledge.Document) knowledge.Document {
	d.Metadata, d.Questions = copied(d.Metadata), slices.Clone(d.Questions)
	return d
}

// OutOfReach implements [knowledge.Store].
func (*Store) OutOfReach() []string { return []string{"backups made before"} }

// DeleteDocument implements [knowledge.Store].
func (s *Store) DeleteDocument(ctx context.Context, cm store.Commit, docID string) (out knowledge.Deleted, err error) {
	err = s.step(ctx, cm, func(c *tenant, cm *store.Commit) error {
		d, ok := c.documents[docID]
		if !ok {
			return store.NotFound("document", docID)
		}
		delete(c.documents, docID)
		out = knowledge.Deleted{
			DocumentID: docID, Versions: len(d.texts), Passages: len(d.passages), Replies: c.erase(docID), DeletedAt: stored(time.Now()),
		}
		c.changed(docID)
		out.Revision = c.revision
		tell(cm, event.ContentDeleted, d, 0)
		return nil
	})
	if err != nil {
		return knowledge.Deleted{}, err
	}
	return out, nil
}

// document returns a document of the company.
func (c *tenant) document(docID string) (document, error) {
	d, ok := c.documents[docID]
	if !ok {
		return d, store.NotFound("document", docID)
	}
	return d, nil
}

// Document implements [knowledge.Store].
func (s *Store) Document(ctx context.Context, company, docID string) (out knowledge.Document, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		d, err := c.document(docID)
		out = cloneDocument(d.Document)
		return err
	})
	return out, err
}

// DocumentHashes implements [knowledge.Store].
func (s *Store) DocumentHashes(ctx context.Context, company, agentID string, externalIDs []string) (map[string][32]byte, error) {
	out := map[string][32]byte{}
	err := s.read(ctx, company, func(c tenant) error {
		for _, externalID := range externalIDs {
			if d, ok := c.external(agentID, externalID); ok {
				out[externalID] = d.hash
			}
		}
		return nil
	})
	return out, err
}

// DocumentText implements [knowledge.Store].
func (s *Store) DocumentText(ctx context.Context, company, docID string, version int) (out string, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		d, err := c.document(docID)
		if err != nil {
			return err
		}
		if version == 0 {
			version = d.Version
		}
		if version < 1 || version > len(d.texts) {
			return store.NotFound("version of document", docID)
		}
		out = d.texts[version-1]
		return nil
	})
	return out, err
}

// Documents implements [knowledge.Store].
func (s *Store) Documents(ctx context.Context, company string, f knowledge.Filter, p store.Page) (out store.List[knowledge.Document], err error) {
	err = s.read(ctx, company, func(c tenant) (err error) {
		var all []knowledge.Document
		for d := range maps.Values(c.documents) {
			if (f.AgentID == "" || f.AgentID == d.AgentID) && (f.Kind == "" || f.Kind == d.Kind) && (f.ExternalID == "" || f.ExternalID == d.ExternalID) {
				all = append(all, cloneDocument(d.Document))
			}
		}
		out, err = newest(all, p, func(d knowledge.Document) string { return d.ID },
			"documents", company, f.AgentID, string(f.Kind), f.ExternalID)
		return err
	})
	return out, err
}
