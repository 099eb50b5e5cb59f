package sqlstore

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// keptVersions is how many texts of a document are kept.
const keptVersions = 20

// A documentRow is a document with what a write compares.
type documentRow struct {
	knowledge.Document
	hash, textHash []byte
	events         int64
}

const documentColumns = `id, agent_id, kind, title, url, external_id, metadata, format, questions, version, state,
	created_at, updated_at, hash, text_hash, events`

func scanDocument(r Rows) (d documentRow, err error) {
	var (
		metadata, questions string
		created, updated    int64
	)
	if err := r.Scan(&d.ID, &d.AgentID, &d.Kind, &d.Title, &d.URL, &d.ExternalID, &metadata, &d.Format, &questions,
		&d.Version, &d.State, &created, &updated, &d.hash, &d.textHash, &d.events); err != nil {
		return d, err
	}
	if err := json.Unmarshal([]byte(metadata), &d.Metadata); err != nil {
		return d, corrupt("documents", d.ID, err)
	}
	if err := json.Unmarshal([]byte(questions), &d.Questions); err != nil {
		return d, corrupt("documents", d.ID, err)
	}
	d.CreatedAt, d.UpdatedAt = moment(created), moment(updated)
	return d, nil
}

// findDocument returns the document that a condition chooses, if there is one.
func findDocument(tx Tx, where string, args ...any) (d documentRow, found bool, err error) {
	err = all(tx, func(r Rows) error {
		found = true
		d, err = scanDocument(r)
		return err
	}, `SELECT `+documentColumns+` FROM documents WHERE `+where, args...)
	return d, found, err
}

func readDocument(tx Tx, company, id string) (documentRow, error) {
	d, found, err := findDocument(tx, `company = ? AND id = ?`, company, id)
	if err == nil && !found {
		return d, store.NotFound("document", id)
	}
	return d, err
}

// WriteDocuments implements [knowledge.Store].
func (s *Store) WriteDocuments(ctx context.Context, c store.Commit, writes []knowledge.Write) (out knowledge.Written, err error) {
	err = s.engine.Write(ctx, func(tx Tx) error {
		c := c
		c.Events = foreign(c.Events)
		out = knowledge.Written{Documents: make([]knowledge.WrittenDocument, 0, len(writes))}
		var changed []string
		for _, w := range writes {
			d, status, err := writeDocument(tx, c.Company, w)
			if err != nil {
				return err
			}
			out.Documents = append(out.Documents, knowledge.WrittenDocument{Document: d.Document, Status: status})
			if status == knowledge.Unchanged {
				continue
			}
			changed = append(changed, d.ID)
			c.Events = append(c.Events, documentEvent(d, status))
		}
		var err error
		if out.Revision, err = advance(tx, c.Company, changed...); err != nil {
			return err
		}
		return s.write(c, tx)
	})
	return out, err
}

func documentEvent(d documentRow, status knowledge.Status) event.Event {
	t := event.ContentUpdated
	if status == knowledge.Created {
		t = event.ContentCreated
	}
	return event.Event{
		ID: id.New(id.Event), Type: t, Stream: d.ID, Sequence: d.events, CreatedAt: d.UpdatedAt,
		Refs: event.Refs{AgentID: d.AgentID, DocumentID: d.ID, Version: d.Version},
	}
}

// writeDocument adds or replaces one document. The events of the row returned
// count the one that will tell of it.
func writeDocument(tx Tx, company string, w knowledge.Write) (documentRow, knowledge.Status, error) {
	old, found, err := existing(tx, company, w)
	if err != nil {
		return old, "", err
	}
	if w.KeepText {
		if !found {
			return old, "", store.NotFound("document", w.ExternalID)
		}
		copy(w.TextHash[:], old.textHash)
	}
	if w.IfVersion != 0 && old.Version != w.IfVersion {
		return old, "", fmt.Errorf("document %s: %w: it is at version %d, not %d: read it again", old.ID, store.ErrConflict, old.Version, w.IfVersion)
	}
	if !w.IfUpdated.IsZero() && micros(old.UpdatedAt) != micros(w.IfUpdated) {
		return old, "", fmt.Errorf("document %s: %w: it has changed since it was read: read it again", old.ID, store.ErrConflict)
	}
	if found && bytes.Equal(old.hash, w.Hash[:]) {
		return old, knowledge.Unchanged, nil
	}
	if w.AgentID != "" {
		if err := haveAgent(tx, company, w.AgentID); err != nil {
			return old, "", err
		}
	}
	if w.ID != "" && w.ExternalID != "" {
		other, taken, err := findDocument(tx, `company = ? AND agent_id = ? AND external_id = ? AND external_id <> ''`, company, w.AgentID, w.ExternalID)
		if err != nil {
			return old, "", err
		}
		if taken && other.ID != old.ID {
			return old, "", fmt.Errorf("document %s: %w: external id %q is that of document %s", old.ID, store.ErrConflict, w.ExternalID, other.ID)
		}
	}

	d := documentRow{Document: w.Document, events: old.events + 1}
	d.Text, d.State = "", knowledge.StateReady
	newText := true
	if found {
		d.ID, d.Version, d.CreatedAt = old.ID, old.Version, old.CreatedAt
		if !d.UpdatedAt.After(old.UpdatedAt) {
			d.UpdatedAt = old.UpdatedAt.Add(time.Microsecond)
		}
		newText = !w.KeepText && !bytes.Equal(old.textHash, w.TextHash[:])
	} else {
		d.ID = w.NewID
	}
	if newText {
		d.Version++
		if err := writePassages(tx, company, d.ID, d.Version, w); err != nil {
			return d, "", err
		}
	}
	if err := upsertDocument(tx, company, d, w); err != nil {
		return d, "", err
	}
	if found {
		return d, knowledge.Updated, nil
	}
	return d, knowledge.Created, nil
}

// existing finds the document that a write replaces.
func existing(tx Tx, company string, w knowledge.Write) (d documentRow, found bool, err error) {
	switch {
	case w.ID != "":
		d, err = readDocument(tx, company, w.ID)
		return d, err == nil, err
	case w.ExternalID != "":
		return findDocument(tx, `company = ? AND agent_id = ? AND external_id = ? AND external_id <> ''`, company, w.AgentID, w.ExternalID)
	}
	return d, false, nil
}

func upsertDocument(tx Tx, company string, d documentRow, w knowledge.Write) error {
	metadata, err := json.Marshal(d.Metadata)
	if err != nil {
		return fmt.Errorf("document %s: metadata: %w", d.ID, err)
	}
	questions, err := json.Marshal(d.Questions)
	if err != nil {
		return fmt.Errorf("document %s: questions: %w", d.ID, err)
	}
	_, err = tx.Exec(`INSERT INTO documents (company, `+documentColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (company, id) DO UPDATE SET agent_id = excluded.agent_id, kind = excluded.kind, title = excluded.title,
			url = excluded.url, external_id = excluded.external_id, metadata = excluded.metadata, format = excluded.format,
			questions = excluded.questions, version = excluded.version, state = excluded.state, updated_at = excluded.updated_at,
			hash = excluded.hash, text_hash = excluded.text_hash, events = excluded.events`,
		company, d.ID, d.AgentID, string(d.Kind), d.Title, d.URL, d.ExternalID, string(metadata), string(d.Format), string(questions),
		d.Version, string(d.State), micros(d.CreatedAt), micros(d.UpdatedAt), w.Hash[:], w.TextHash[:], d.events)
	return err
}

// writePassages stores a new version, and drops the oldest one kept.
func writePassages(tx Tx, company, document string, version int, w knowledge.Write) error {
	if len(w.Passages) == 0 {
		return fmt.Errorf("document %s: it has no passage, so that its text could not be found", document)
	}
	bodyAt := 0
	for i, p := range w.Passages {
		bodyEnd := p.End
		if i == len(w.Passages)-1 {
			bodyEnd = len(w.Text)
		}
		if p.Start < bodyAt || p.End < p.Start || bodyEnd > len(w.Text) {
			return fmt.Errorf("document %s: passage %d, at %d to %d, does not follow the one before", document, i, p.Start, p.End)
		}
		heading, err := json.Marshal(p.Heading)
		if err != nil {
			return fmt.Errorf("document %s: heading of passage %d: %w", document, i, err)
		}
		_, err = tx.Exec(`INSERT INTO passages (company, document_id, version, ordinal, body_at, start_at, end_at, heading, body)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			company, document, version, i, bodyAt, p.Start, p.End, string(heading), w.Text[bodyAt:bodyEnd])
		if err != nil {
			return err
		}
		bodyAt = bodyEnd
	}
	if version <= keptVersions {
		return nil
	}
	_, err := tx.Exec(`DELETE FROM passages WHERE company = ? AND document_id = ? AND version <= ?`, company, document, version-keptVersions)
	return err
}

// Document implements [knowledge.Store].
func (s *Store) Document(ctx context.Context, company, id string) (d knowledge.Document, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		row, err := readDocument(tx, company, id)
		d = row.Document
		return err
	})
	return d, err
}

// DocumentHashes implements [knowledge.Store].
func (s *Store) DocumentHashes(ctx context.Context, company, agentID string, externalIDs []string) (hashes map[string][32]byte, err error) {
	err = s.engine.Read(ctx, func(tx Tx) error {
		hashes = make(map[string][32]byte, len(externalIDs))
		for _, external := range externalIDs {
			var hash []byte
			found, err := one(tx, []any{&hash}, `SELECT hash FROM documents WHERE company = ? AND agent_id = ? AND external_id = ? AND external_id <> ''`,
				company, agentID, external)
			if err != nil {
				return err
			}
			if found && len(hash) == 32 {
				hashes[external] = [32]byte(hash)
			}
		}
		return nil
	})
	return hashes, err
}

// DocumentText implements [knowledge.Store].
func (s *Store) DocumentText(ctx context.Context, company, id string, version int) (string, error) {
	var text strings.Builder
	err := s.engine.Read(ctx, func(tx Tx) error {
		text.Reset()
		d, err := readDocument(tx, company, id)
		if err != nil {
			return err
		}
		if version == 0 {
			version = d.Version
		}
		found := false
		err = all(tx, func(r Rows) error {
			var body string
			found = true
			err := r.Scan(&body)
			text.WriteString(body)
			return err
		}, `SELECT body FROM passages WHERE company = ? AND document_id = ? AND version = ? ORDER BY ordinal`, company, id, version)
		if err == nil && !found {
			return store.NotFound("document version", fmt.Sprintf("%s version %d", id, version))
		}
		return err
	})
	return text.String(), err
}

// Documents implements [knowledge.Store].
func (s *Store) Documents(ctx context.Context, company string, f knowledge.Filter, p store.Page) (store.List[knowledge.Document], error) {
	query, args := `SELECT `+documentColumns+` FROM documents WHERE company = ?`, []any{company}
	for _, cond := range []struct{ column, value string }{
		{"agent_id", f.AgentID}, {"kind", string(f.Kind)}, {"external_id", f.ExternalID},
	} {
		if cond.value != "" {
			query, args = query+` AND `+cond.column+` = ?`, append(args, cond.value)
		}
	}
	if f.ExternalID != "" {
		query += ` AND external_id <> ''` // as the index has it
	}
	return list(ctx, s, p, []string{"documents", company, f.AgentID, string(f.Kind), f.ExternalID},
		func(d knowledge.Document) string { return d.ID },
		func(r Rows) (knowledge.Document, error) {
			d, err := scanDocument(r)
			return d.Document, err
		}, query, args...)
}

// DeleteDocument implements [knowledge.Store].
func (s *Store) DeleteDocument(ctx context.Context, c store.Commit, documentID string) (out knowledge.Deleted, err error) {
	err = s.engine.Write(ctx, func(tx Tx) error {
		c := c
		d, err := readDocument(tx, c.Company, documentID)
		if err != nil {
			return err
		}
		out = knowledge.Deleted{DocumentID: d.ID, DeletedAt: time.Now().UTC().Truncate(time.Microsecond)}
		if err := removeDocument(tx, c.Company, d.ID, &out); err != nil {
			return err
		}
		if out.Revision, err = advance(tx, c.Company, d.ID); err != nil {
			return err
		}
		c.Events = append(foreign(c.Events), event.Event{
			ID: id.New(id.Event), Type: event.ContentDeleted, Stream: d.ID, Sequence: d.events + 1, CreatedAt: out.DeletedAt,
			Refs: event.Refs{AgentID: d.AgentID, DocumentID: d.ID},
		})
		return s.write(c, tx)
	})
	return out, err
}
