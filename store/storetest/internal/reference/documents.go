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

// A document with its texts.
type document struct {
	knowledge.Document           // without its text
	hash, textHash     [32]byte  // as given with the last write
	versions           []version // that are kept, oldest first; the last is the live one
}

// live is the version that is found.
func (d document) live() version { return d.versions[len(d.versions)-1] }

// WriteDocuments implements [knowledge.Store].
func (s *Store) WriteDocuments(ctx context.Context, cm store.Commit, writes []knowledge.Write) (out knowledge.Written, err error) {
	err = s.step(ctx, cm, func(c *tenant, cm *store.Commit) error {
		actor := ""
		if cm.Audit != nil {
			actor = cm.Audit.Actor
		}
		runID, err := c.staged(writes)
		if err != nil {
			return err
		}
		var touched []string
		for i, w := range writes {
			d, status, err := c.write(w, actor)
			if err != nil {
				return &knowledge.ItemError{Index: i, Err: err}
			}
			out.Documents = append(out.Documents, knowledge.WrittenDocument{Document: cloneDocument(d.Document), Status: status})
			if status == knowledge.Unchanged {
				continue
			}
			c.documents[d.ID] = d
			touched = append(touched, d.ID)
			tell(cm, kindOf(status), d.Document, "")
		}
		c.changed(touched...)
		out.Revision = c.revision
		for i, w := range writes {
			c.recordFile(w, out.Documents[i])
		}
		c.completeBulk(runID, out)
		if cm.Receipt != nil {
			cm.Receipt = new(*cm.Receipt)
			cm.Receipt.Result = knowledge.AppendResult(cm.Receipt.Result, out.Documents)
		}
		if len(writes) == 1 {
			about(cm, out.Documents[0].ID)
		}
		return nil
	})
	if err != nil {
		return knowledge.Written{}, err
	}
	return out, nil
}

// about names the object of a commit's audit entry, if it has none.
func about(cm *store.Commit, object string) {
	if cm.Audit != nil && cm.Audit.Object == "" {
		cm.Audit = new(*cm.Audit)
		cm.Audit.Object = object
	}
}

// recordFile records the run that took a file, if a write says that there was one.
func (c *tenant) recordFile(w knowledge.Write, d knowledge.WrittenDocument) {
	if _, there := c.runs[w.RunID]; there || w.RunID == "" {
		return
	}
	now := stored(time.Now())
	r := run{Run: knowledge.Run{
		ID: w.RunID, Kind: knowledge.RunFile, State: knowledge.RunCompleted, Phase: "completed", AgentID: d.AgentID,
		Counts:   knowledge.Counts{Total: 1, Done: 1, Bytes: int64(len(w.Text))},
		Revision: c.revision, Attempts: 1, CreatedAt: now, StartedAt: now, UpdatedAt: now, EndedAt: now,
	}}
	*countOf(&r.Counts, d.Status)++
	c.runs[r.ID] = r
}

// countOf is the count of documents to which the same was done.
func countOf(n *knowledge.Counts, status knowledge.Status) *int {
	switch status {
	case knowledge.Created:
		return &n.Created
	case knowledge.Updated:
		return &n.Updated
	}
	return &n.Unchanged
}

// CheckDocuments implements [knowledge.Store].
func (s *Store) CheckDocuments(ctx context.Context, company string, writes []knowledge.Write) (out []knowledge.Ingested, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		c = c.clone()
		for _, w := range writes {
			d, status, err := c.write(w, "")
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

// kindOf is the event of a write.
func kindOf(status knowledge.Status) event.Type {
	if status == knowledge.Created {
		return event.ContentCreated
	}
	return event.ContentUpdated
}

// tell adds the event of a change to a commit; runID is the run that made it, if
// one did.
func tell(cm *store.Commit, kind event.Type, d knowledge.Document, runID string) {
	ev := event.Event{
		ID: id.New(id.Event), Type: kind, Stream: d.ID, CreatedAt: time.Now(),
		Refs: event.Refs{AgentID: d.AgentID, DocumentID: d.ID, Version: d.Version, SourceID: d.SourceID, RunID: runID},
	}
	if kind == event.ContentDeleted {
		ev.Refs.Version = 0
	}
	cm.Events = append(slices.Clip(cm.Events), ev)
}

// write returns a document as it is after a write that is no run's, and what the
// write does.
func (c *tenant) write(w knowledge.Write, actor string) (d document, status knowledge.Status, err error) {
	if w.SourceID != "" {
		return d, "", fmt.Errorf("document %s: %w: the runs of source %s alone write it", w.ID, store.ErrConflict, w.SourceID)
	}
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
		if old.SourceID != "" {
			return d, "", fmt.Errorf("document %s: %w: the runs of source %s alone write it", w.ID, store.ErrConflict, old.SourceID)
		}
		w.AgentID = cmp.Or(w.AgentID, old.AgentID)
	}
	named, taken := c.external("", w.AgentID, w.ExternalID)
	if w.ID == "" {
		old, found = named, taken
	}
	if taken && named.ID != old.ID {
		return d, "", fmt.Errorf("document %s: %w: document %s has its external id", w.ID, store.ErrConflict, named.ID)
	}
	if err := allowed(old, found, w); err != nil {
		return d, "", err
	}
	if !found {
		if _, there := c.documents[w.NewID]; there {
			return d, "", fmt.Errorf("document %s: %w: it is there already", w.NewID, store.ErrConflict)
		}
	}
	d, status = written(old, found, w, actor)
	return d, status, nil
}

// allowed returns why a write may not be made to the document that it would
// replace, if it found one.
func allowed(old document, found bool, w knowledge.Write) error {
	switch {
	case found && (old.Kind != w.Kind || old.AgentID != w.AgentID):
		return fmt.Errorf("document %s: %w: it keeps its agent and kind", old.ID, store.ErrConflict)
	case w.KeepText && !found:
		return store.NotFound("document", w.ExternalID)
	case w.IfVersion != 0 && (!found || old.Version != w.IfVersion):
		return fmt.Errorf("document %s: %w: it is at version %d, not %d", old.ID, store.ErrConflict, old.Version, w.IfVersion)
	case !w.IfUpdated.IsZero() && !old.UpdatedAt.Equal(w.IfUpdated):
		return fmt.Errorf("document %s: %w: it has changed since it was read", old.ID, store.ErrConflict)
	}
	return nil
}

// written returns a document as it is after a write, and what the write does.
func written(old document, found bool, w knowledge.Write, actor string) (d document, status knowledge.Status) {
	if found && old.hash == w.Hash {
		return old, knowledge.Unchanged
	}
	d = document{Document: cloneDocument(w.Document), hash: w.Hash, textHash: w.TextHash, versions: old.versions}
	d.ID, d.Text, d.State, status = w.NewID, "", knowledge.StateReady, knowledge.Created
	d.CreatedAt, d.UpdatedAt = stored(w.CreatedAt), stored(w.UpdatedAt)
	if found {
		d.ID, d.CreatedAt, d.Version, status = old.ID, old.CreatedAt, old.Version, knowledge.Updated
		d.UpdatedAt = later(d.UpdatedAt, old.UpdatedAt)
		if w.KeepText || old.textHash == w.TextHash {
			d.textHash = old.textHash
			return d, status
		}
	}
	d.Version = old.Version + 1
	v := version{Version: knowledge.Version{
		Version: d.Version, Title: d.Title, Format: d.Format, Bytes: len(w.Text), Actor: actor, CreatedAt: d.UpdatedAt,
	}, text: w.Text, textHash: w.TextHash}
	for _, p := range w.Passages {
		p.DocumentID, p.Version = d.ID, d.Version
		p.ID = id.Derive(id.Passage, d.ID, d.Version, p.Ordinal)
		p.Heading = slices.Clone(p.Heading)
		v.passages = append(v.passages, p)
	}
	d.versions = append(slices.Clip(d.versions), v)
	return d, status
}

// later returns a time of update that is after the one before it.
func later(given, before time.Time) time.Time {
	if given.After(before) {
		return given
	}
	return before.Add(time.Microsecond)
}

// external finds the document with an external id, of a source or of none.
func (c *tenant) external(sourceID, agentID, externalID string) (document, bool) {
	for _, d := range c.documents {
		if externalID != "" && d.SourceID == sourceID && d.AgentID == agentID && d.ExternalID == externalID {
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
	c.forgetVectors(ids...)
	for _, docID := range slices.Compact(slices.Sorted(slices.Values(ids))) {
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
		d, err := c.document(docID)
		if err != nil {
			return err
		}
		out = c.remove(docID)
		out.DocumentID = docID
		tell(cm, event.ContentDeleted, d.Document, "")
		c.forbid(d)
		return nil
	})
	if err != nil {
		return knowledge.Deleted{}, err
	}
	return out, nil
}

// remove removes documents at a new revision, and says what is gone.
func (c *tenant) remove(ids ...string) knowledge.Deleted {
	out := c.take(ids...)
	c.changed(ids...)
	out.Revision = c.revision
	return out
}

// take removes documents and what was quoted of them.
func (c *tenant) take(ids ...string) knowledge.Deleted {
	out := knowledge.Deleted{Replies: c.erase(ids...), DeletedAt: stored(time.Now())}
	for _, docID := range ids {
		for _, v := range c.documents[docID].versions {
			out.Versions++
			out.Passages += len(v.passages)
		}
		delete(c.documents, docID)
	}
	return out
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
			if d, ok := c.external("", agentID, externalID); ok {
				out[externalID] = d.hash
			}
		}
		return nil
	})
	return out, err
}

// DocumentText implements [knowledge.Store].
func (s *Store) DocumentText(ctx context.Context, company, docID string, number int) (out string, err error) {
	err = s.read(ctx, company, func(c tenant) error {
		d, err := c.document(docID)
		if err != nil {
			return err
		}
		v, err := d.version(cmp.Or(number, d.Version))
		out = v.text
		return err
	})
	return out, err
}

// Documents implements [knowledge.Store].
func (s *Store) Documents(ctx context.Context, company string, f knowledge.Filter, p store.Page) (out store.List[knowledge.Document], err error) {
	err = s.read(ctx, company, func(c tenant) (err error) {
		var all []knowledge.Document
		for d := range maps.Values(c.documents) {
			if (f.AgentID == "" || f.AgentID == d.AgentID) && (f.Kind == "" || f.Kind == d.Kind) && (f.ExternalID == "" || f.ExternalID == d.ExternalID) &&
				(f.SourceID == "" || f.SourceID == d.SourceID) {
				all = append(all, cloneDocument(d.Document))
			}
		}
		out, err = newest(all, p, func(d knowledge.Document) string { return d.ID },
			"documents", company, f.AgentID, string(f.Kind), f.ExternalID, f.SourceID)
		return err
	})
	return out, err
}
