package sqlstore

import (
	"encoding/json"
	"fmt"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// documentRows are the rows that the writes of a step come to, to be written
// together: each list goes to the database at one time.
type documentRows struct {
	documents, versions, passages [][]any
	changed                       [][]any          // documents that are there
	replaced                      [][]any          // documents whose text before had vectors
	live                          map[string][]any // of the texts noted, the rows of their versions, by document
}

// add notes what a write of an actor makes of a document.
func (r *documentRows) add(company, actor string, d documentRow, w knowledge.Write, newText bool) error {
	metadata, err := json.Marshal(d.Metadata)
	if err != nil {
		return fmt.Errorf("document %s: metadata: %w", d.ID, err)
	}
	questions, err := json.Marshal(d.Questions)
	if err != nil {
		return fmt.Errorf("document %s: questions: %w", d.ID, err)
	}
	r.documents = append(r.documents, []any{
		company, d.ID, d.AgentID, string(d.Kind), d.Title, d.URL, d.ExternalID, d.SourceID, d.Language, string(metadata), string(d.Format), string(questions),
		d.Version, string(d.State), micros(d.CreatedAt), micros(d.UpdatedAt), d.hash, d.textHash, d.events, len(w.Text), actor, micros(d.UpdatedAt),
	})
	if version, noted := r.live[d.ID]; noted {
		r.versions = append(r.versions, version)
	} else if d.events > 1 {
		r.changed = append(r.changed, []any{company, d.ID})
	}
	if !newText {
		return nil
	}
	if d.Version > 1 {
		r.replaced = append(r.replaced, []any{company, d.ID})
	}
	if r.live == nil {
		r.live = map[string][]any{}
	}
	r.live[d.ID] = []any{company, d.ID, d.Version, d.Title, string(d.Format), len(w.Text), d.textHash, actor, micros(d.UpdatedAt)}
	if w.StagedBy != "" {
		return nil // they are there already
	}
	return r.addPassages(company, d.ID, d.Version, w)
}

// addPassages notes the passages of a new version.
func (r *documentRows) addPassages(company, document string, version int, w knowledge.Write) error {
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
		r.passages = append(r.passages, []any{company, document, version, i, bodyAt, p.Start, p.End, p.Page, string(heading), w.Text[bodyAt:bodyEnd]})
		bodyAt = bodyEnd
	}
	return nil
}

// overwriteDocument is what a statement that inserts documents does to those that are
// there, in the end: of an unchanged text it keeps who wrote it, and when.
const overwriteDocument = `title = excluded.title, url = excluded.url, external_id = excluded.external_id, language = excluded.language,
	metadata = excluded.metadata, format = excluded.format, questions = excluded.questions,
	bytes = CASE WHEN excluded.version > documents.version THEN excluded.bytes ELSE documents.bytes END,
	actor = CASE WHEN excluded.version > documents.version THEN excluded.actor ELSE documents.actor END,
	written_at = CASE WHEN excluded.version > documents.version THEN excluded.written_at ELSE documents.written_at END,
	version = excluded.version, state = excluded.state, updated_at = excluded.updated_at, hash = excluded.hash, text_hash = excluded.text_hash`

// keepVersions begins a statement that gives the live texts of documents rows of
// their own, which a document that stays as it was written needs none of. It ends in
// ON CONFLICT DO NOTHING: they may have them.
const keepVersions = `INSERT INTO document_versions (company, document_id, version, title, format, bytes, text_hash, actor, created_at)
	SELECT d.company, d.id, d.version, d.title, d.format, d.bytes, d.text_hash, d.actor, d.written_at FROM documents d`

// write writes what was noted, in the order of the notes.
func (r *documentRows) write(tx Tx) error {
	if err := tx.Each(keepVersions+` WHERE d.company = ? AND d.id = ? ON CONFLICT DO NOTHING`, r.changed); err != nil {
		return err
	}
	if err := tx.Each(`INSERT INTO documents (company, `+documentColumns+`, bytes, actor, written_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (company, id) DO UPDATE SET agent_id = excluded.agent_id, kind = excluded.kind, `+overwriteDocument+`,
			events = excluded.events`, r.documents); err != nil {
		return err
	}
	if err := tx.Each(`INSERT INTO document_versions (company, document_id, version, title, format, bytes, text_hash, actor, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`, r.versions); err != nil {
		return err
	}
	if err := dropVectors(tx, r.replaced); err != nil {
		return err
	}
	return r.writePassages(tx)
}

func (r *documentRows) writePassages(tx Tx) error {
	return tx.Each(`INSERT INTO passages (company, document_id, version, ordinal, body_at, start_at, end_at, page, heading, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.passages)
}

// actorOf returns who a commit says does it.
func actorOf(c store.Commit) string {
	if c.Audit == nil {
		return ""
	}
	return c.Audit.Actor
}
