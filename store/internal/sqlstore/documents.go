package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// longText is how much text a short step writes, in bytes.
const longText = 64 << 10

// A documentRow is a document with what a write compares.
type documentRow struct {
	knowledge.Document
	hash, textHash []byte
	events         int64
}

const documentColumns = `id, agent_id, kind, title, url, external_id, source_id, language, metadata, format, questions, version, state,
	created_at, updated_at, hash, text_hash, events`

func scanDocument(r Rows) (d documentRow, err error) {
	var (
		metadata, questions string
		created, updated    int64
	)
	if err := r.Scan(&d.ID, &d.AgentID, &d.Kind, &d.Title, &d.URL, &d.ExternalID, &d.SourceID, &d.Language, &metadata, &d.Format, &questions,
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

func readDocument(tx Tx, company, id, lock string) (documentRow, error) {
	d, found, err := findDocument(tx, `company = ? AND id = ?`+lock, company, id)
	if err == nil && !found {
		return d, store.NotFound("document", id)
	}
	return d, err
}

// WriteDocuments implements [knowledge.Store].
func (s *Store) WriteDocuments(ctx context.Context, c store.Commit, writes []knowledge.Write) (out knowledge.Written, err error) {
	write := s.engine.Write
	if isLong(writes) {
		write = s.engine.WriteLong
	}
	err = write(ctx, func(tx Tx) error {
		c := c
		c.Events = foreign(c.Events)
		out = knowledge.Written{Documents: make([]knowledge.WrittenDocument, 0, len(writes))}
		if err := lockKnowledge(tx, c.Company); err != nil {
			return err
		}
		texts, err := openTexts(tx, c.Company, writes)
		if err != nil {
			return err
		}
		sh, err := readShelf(tx, c.Company, writes, forChange)
		if err != nil {
			return err
		}
		var changed []string
		var rows documentRows
		for i, w := range writes {
			d, status, newText, err := sh.judge(w)
			if err == nil && status != knowledge.Unchanged {
				sh.put(d)
				err = rows.add(c.Company, actorOf(c), d, w, newText)
			}
			if err == nil && w.StagedBy != "" {
				err = texts.use(c.Company, d, w, newText)
			}
			if err != nil {
				return ofItem(i, err)
			}
			out.Documents = append(out.Documents, knowledge.WrittenDocument{Document: d.Document, Status: status})
			if status == knowledge.Unchanged {
				continue
			}
			changed = append(changed, d.ID)
			c.Events = append(c.Events, documentEvent(d, status))
		}
		if err := rows.write(tx); err != nil {
			return err
		}
		if out.Revision, err = advance(tx, c.Company, changed...); err != nil {
			return err
		}
		if err := recordFiles(tx, c.Company, writes, out); err != nil {
			return err
		}
		if texts != nil {
			if err := texts.publish(tx, c.Company, out); err != nil {
				return err
			}
		}
		return s.write(madeOf(c, out.Documents), tx)
	})
	if err != nil {
		return knowledge.Written{}, err
	}
	return out, nil
}

// isLong reports whether writes take longer than one that somebody waits for.
func isLong(writes []knowledge.Write) bool {
	return len(writes) > 1 || len(writes) == 1 && len(writes[0].Text) > longText
}

// CheckDocuments implements [knowledge.Store].
func (s *Store) CheckDocuments(ctx context.Context, company string, writes []knowledge.Write) (out []knowledge.Ingested, err error) {
	err = s.engine.Read(ctx, func(tx Tx) error {
		if err := haveCompany(tx, company, ""); err != nil {
			return err
		}
		out = make([]knowledge.Ingested, len(writes))
		sh, err := readShelf(tx, company, writes, "")
		if err != nil {
			return err
		}
		for i, w := range writes {
			d, status, _, err := sh.judge(w)
			switch {
			case err == nil:
				out[i] = knowledge.Ingested{Document: d.Document, Status: status}
				sh.put(d)
			case isItem(err):
				out[i] = knowledge.Ingested{Document: knowledge.Document{ExternalID: w.ExternalID}, Err: err}
			default:
				return err
			}
		}
		return nil
	})
	return out, err
}

// isItem reports whether an error is about one write, and not about the store.
func isItem(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict)
}

func ofItem(i int, err error) error {
	if isItem(err) {
		return &knowledge.ItemError{Index: i, Err: err}
	}
	return err
}

// madeOf returns a commit with what is known of the documents only now.
func madeOf(c store.Commit, docs []knowledge.WrittenDocument) store.Commit {
	if c.Receipt != nil {
		r := *c.Receipt
		r.Result = knowledge.AppendResult(r.Result, docs)
		c.Receipt = &r
	}
	if c.Audit != nil && c.Audit.Object == "" && len(docs) == 1 {
		a := *c.Audit
		a.Object = docs[0].ID
		c.Audit = &a
	}
	return c
}

func documentEvent(d documentRow, status knowledge.Status) event.Event {
	t := event.ContentUpdated
	if status == knowledge.Created {
		t = event.ContentCreated
	}
	return event.Event{
		ID: id.New(id.Event), Type: t, Stream: d.ID, Sequence: d.events, CreatedAt: d.UpdatedAt,
		Refs: event.Refs{AgentID: d.AgentID, DocumentID: d.ID, Version: d.Version, SourceID: d.SourceID},
	}
}

// Document implements [knowledge.Store].
func (s *Store) Document(ctx context.Context, company, id string) (d knowledge.Document, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		row, err := readDocument(tx, company, id, "")
		d = row.Document
		return err
	})
	return d, err
}

// DocumentHashes implements [knowledge.Store].
func (s *Store) DocumentHashes(ctx context.Context, company, agentID string, externalIDs []string) (hashes map[string][32]byte, err error) {
	err = s.engine.Read(ctx, func(tx Tx) error {
		hashes = make(map[string][32]byte, len(externalIDs))
		return among(tx, `SELECT external_id, hash FROM documents WHERE company = ? AND agent_id = ? AND source_id = '' AND external_id <> ''
			AND external_id IN `, ``, []any{company, agentID}, externalIDs, func(r Rows) error {
			var external string
			var hash []byte
			err := r.Scan(&external, &hash)
			if len(hash) == 32 {
				hashes[external] = [32]byte(hash)
			}
			return err
		})
	})
	return hashes, err
}

// DocumentText implements [knowledge.Store].
func (s *Store) DocumentText(ctx context.Context, company, id string, version int) (string, error) {
	var text strings.Builder
	err := s.engine.Read(ctx, func(tx Tx) error {
		text.Reset()
		d, err := readDocument(tx, company, id, "")
		if err != nil {
			return err
		}
		if version == 0 {
			version = d.Version
		}
		if version > d.Version {
			return noVersion(id, version) // it is staged
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
			return noVersion(id, version)
		}
		return err
	})
	return text.String(), err
}

func noVersion(document string, version int) error {
	return store.NotFound("document version", fmt.Sprintf("%s version %d", document, version))
}

// Documents implements [knowledge.Store].
func (s *Store) Documents(ctx context.Context, company string, f knowledge.Filter, p store.Page) (store.List[knowledge.Document], error) {
	query, args := `SELECT `+documentColumns+` FROM documents WHERE company = ?`, []any{company}
	for _, cond := range []struct{ column, value string }{
		{"agent_id", f.AgentID}, {"kind", string(f.Kind)}, {"external_id", f.ExternalID}, {"source_id", f.SourceID},
	} {
		if cond.value != "" {
			query, args = query+` AND `+cond.column+` = ?`, append(args, cond.value)
		}
	}
	if f.ExternalID != "" {
		query += ` AND external_id <> ''` // as the index has it
	}
	if f.SourceID != "" {
		query += ` AND source_id <> ''`
	}
	if f.AgentID != "" {
		query += ` AND agent_id <> ''`
	}
	return list(ctx, s, p, []string{"documents", company, f.AgentID, string(f.Kind), f.ExternalID, f.SourceID},
		func(d knowledge.Document) string { return d.ID },
		func(r Rows) (knowledge.Document, error) {
			d, err := scanDocument(r)
			return d.Document, err
		}, query, args...)
}
