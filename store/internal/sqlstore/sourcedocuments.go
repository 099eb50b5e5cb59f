package sqlstore

import (
	"context"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// SourceDocuments implements [knowledge.SourceStore].
func (s *Store) SourceDocuments(ctx context.Context, company, sourceID, after string, limit int) (docs []knowledge.SourceDocument, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		docs = nil
		return all(tx, func(r Rows) error {
			var d knowledge.SourceDocument
			var hash, textHash []byte
			err := r.Scan(&d.ID, &d.ExternalID, &d.URL, &d.Version, &hash, &textHash)
			copy(d.Hash[:], hash)
			copy(d.TextHash[:], textHash)
			docs = append(docs, d)
			return err
		}, `SELECT id, external_id, url, version, hash, text_hash FROM documents
			WHERE company = ? AND source_id = ? AND source_id <> '' AND id > ? ORDER BY id LIMIT ?`, company, sourceID, after, limit)
	})
	return docs, err
}

// Versions implements [knowledge.SourceStore].
func (s *Store) Versions(ctx context.Context, company, documentID string) (versions []knowledge.Version, err error) {
	err = s.engine.Read(ctx, func(tx Tx) error {
		versions = nil
		d, err := readDocument(tx, company, documentID, "")
		if err != nil {
			return err
		}
		read := func(r Rows) error {
			var v knowledge.Version
			var created int64
			err := r.Scan(&v.Version, &v.Title, &v.Format, &v.Bytes, &v.Actor, &created)
			v.Live, v.CreatedAt = v.Version == d.Version, moment(created)
			versions = append(versions, v)
			return err
		}
		if err := all(tx, read, `SELECT version, title, format, bytes, actor, created_at FROM document_versions
			WHERE company = ? AND document_id = ? ORDER BY version DESC`, company, documentID); err != nil {
			return err
		}
		if len(versions) > 0 && versions[0].Live {
			return nil
		}
		older := versions
		versions = nil
		err = all(tx, read, `SELECT version, title, format, bytes, actor, written_at FROM documents WHERE company = ? AND id = ?`, company, documentID)
		versions = append(versions, older...)
		return err
	})
	return versions, err
}

// VersionPassages implements [knowledge.SourceStore].
func (s *Store) VersionPassages(ctx context.Context, company, documentID string, version int) (passages []knowledge.Passage, err error) {
	err = s.engine.Read(ctx, func(tx Tx) error {
		passages = nil
		d, err := readDocument(tx, company, documentID, "")
		if err != nil {
			return err
		}
		if version > d.Version {
			return noVersion(documentID, version) // it is staged
		}
		err = all(tx, func(r Rows) error {
			p, err := scanPassage(r)
			p.Title, p.URL, p.ExternalID, p.AgentID, p.Kind, p.Language, p.Metadata = d.Title, d.URL, d.ExternalID, d.AgentID, d.Kind, d.Language, d.Metadata
			passages = append(passages, p)
			return err
		}, `SELECT `+passageColumns+` FROM passages p WHERE p.company = ? AND p.document_id = ? AND p.version = ? ORDER BY p.ordinal`,
			company, documentID, version)
		if err == nil && len(passages) == 0 {
			return noVersion(documentID, version)
		}
		return err
	})
	return passages, err
}
