package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// advance raises the company's revision and says in the feed which documents it
// touched. With none it only returns the revision.
func advance(tx Tx, company string, documents ...string) (revision int64, err error) {
	if len(documents) == 0 {
		return revisionOf(tx, company)
	}
	found, err := one(tx, []any{&revision}, `UPDATE companies SET knowledge_revision = knowledge_revision + 1 WHERE id = ?
		RETURNING knowledge_revision`, company)
	if err != nil {
		return 0, err
	}
	if !found {
		return 0, store.NotFound("company", company)
	}
	slices.Sort(documents)
	var changes [][]any
	for _, d := range slices.Compact(documents) {
		changes = append(changes, []any{company, revision, d})
	}
	return revision, tx.Each(`INSERT INTO knowledge_changes (company, revision, document_id) VALUES (?, ?, ?)`, changes)
}

// lockKnowledge makes a step the only one that changes the company's documents: of
// two at once the second sees all that the first has done, and gets the next
// revision.
func lockKnowledge(tx Tx, company string) error { return haveCompany(tx, company, forChange) }

func revisionOf(tx Tx, company string) (revision int64, err error) {
	found, err := one(tx, []any{&revision}, `SELECT knowledge_revision FROM companies WHERE id = ?`, company)
	if err == nil && !found {
		return 0, store.NotFound("company", company)
	}
	return revision, err
}

// Revision implements [knowledge.Store].
func (s *Store) Revision(ctx context.Context, company string) (revision int64, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		revision, err = revisionOf(tx, company)
		return err
	})
	return revision, err
}

// Changes implements [knowledge.Store].
func (s *Store) Changes(ctx context.Context, company string, after int64, limit int) (changes []knowledge.Change, err error) {
	err = s.engine.Read(ctx, func(tx Tx) error {
		changes = nil
		collect := func(r Rows) error {
			var c knowledge.Change
			err := r.Scan(&c.Revision, &c.DocumentID)
			changes = append(changes, c)
			return err
		}
		err := all(tx, collect, `SELECT revision, document_id FROM knowledge_changes WHERE company = ? AND revision > ?
			ORDER BY revision, document_id LIMIT ?`, company, after, limit)
		if err != nil {
			return err
		}
		if len(changes) > 0 && changes[0].Revision > after+1 {
			return fmt.Errorf("company %s: %w: it begins at revision %d, after %d", company, knowledge.ErrFeedPruned, changes[0].Revision, after)
		}
		if len(changes) < limit {
			return nil
		}
		last := changes[len(changes)-1]
		return all(tx, collect, `SELECT revision, document_id FROM knowledge_changes WHERE company = ? AND revision = ? AND document_id > ?
			ORDER BY document_id`, company, last.Revision, last.DocumentID)
	})
	return changes, err
}

const passageColumns = `p.document_id, p.version, p.ordinal, p.body_at, p.start_at, p.end_at, p.page, p.heading, p.body`

// scanPassage reads the columns of a passage, with more dest behind them.
func scanPassage(r Rows, dest ...any) (p knowledge.Passage, err error) {
	var (
		bodyAt        int
		heading, body string
	)
	dest = append([]any{&p.DocumentID, &p.Version, &p.Ordinal, &bodyAt, &p.Start, &p.End, &p.Page, &heading, &body}, dest...)
	if err := r.Scan(dest...); err != nil {
		return p, err
	}
	if heading != "null" {
		if err := json.Unmarshal([]byte(heading), &p.Heading); err != nil {
			return p, corrupt("passages", p.DocumentID, err)
		}
	}
	p.Text = strings.Clone(body[p.Start-bodyAt : p.End-bodyAt])
	p.ID = id.Derive(id.Passage, p.DocumentID, p.Version, p.Ordinal)
	return p, nil
}

// filledColumns are those of a passage with what is filled in of its document.
const filledColumns = passageColumns + `, d.title, d.url, d.external_id, d.agent_id, d.kind, d.language, d.metadata`

// scanFilled reads [filledColumns].
func scanFilled(r Rows) (knowledge.Passage, error) {
	var title, url, external, agentID, kind, language, metadata string
	p, err := scanPassage(r, &title, &url, &external, &agentID, &kind, &language, &metadata)
	if err != nil {
		return p, err
	}
	p.Title, p.URL, p.ExternalID, p.AgentID, p.Kind, p.Language = title, url, external, agentID, knowledge.Kind(kind), language
	if metadata != "null" {
		if err := json.Unmarshal([]byte(metadata), &p.Metadata); err != nil {
			return p, corrupt("documents", p.DocumentID, err)
		}
	}
	return p, nil
}

// Passages implements [knowledge.Store].
func (s *Store) Passages(ctx context.Context, company string, refs []knowledge.Ref) (out []knowledge.Passage, err error) {
	if len(refs) == 0 {
		return nil, nil
	}
	args := make([][]any, len(refs))
	for i, r := range refs {
		args[i] = []any{company, r.DocumentID, r.Version, r.Ordinal}
	}
	// One passage at a time, by its key: what is read does not depend on what a
	// planner thinks of a list of them.
	const query = `SELECT ` + filledColumns + `
		FROM passages p JOIN documents d ON d.company = p.company AND d.id = p.document_id AND d.version = p.version
		WHERE p.company = ? AND p.document_id = ? AND p.version = ? AND p.ordinal = ?`
	err = s.engine.Get(ctx, func(tx Tx) error {
		out = make([]knowledge.Passage, 0, len(refs))
		return tx.QueryEach(query, args, func(r Rows) error {
			p, err := scanFilled(r)
			if err == nil {
				out = append(out, p)
			}
			return err
		})
	})
	return out, err
}

// LiveDocument implements [knowledge.Store].
func (s *Store) LiveDocument(ctx context.Context, company, id string) (live knowledge.Live, err error) {
	err = s.engine.Read(ctx, func(tx Tx) error {
		d, err := readDocument(tx, company, id, "")
		if err != nil {
			return err
		}
		live = knowledge.Live{Document: d.Document}
		return all(tx, func(r Rows) error {
			p, err := scanPassage(r)
			p.Language = d.Language
			live.Passages = append(live.Passages, p)
			return err
		}, `SELECT `+passageColumns+` FROM passages p WHERE p.company = ? AND p.document_id = ? AND p.version = ? ORDER BY p.ordinal`,
			company, id, d.Version)
	})
	return live, err
}

// Stamps implements [knowledge.Store].
func (s *Store) Stamps(ctx context.Context, company, after string, limit int) (out []knowledge.Stamp, err error) {
	err = s.engine.Read(ctx, func(tx Tx) error {
		out = nil
		return all(tx, func(r Rows) error {
			var d knowledge.Stamp
			var updated int64
			err := r.Scan(&d.DocumentID, &updated)
			d.UpdatedAt = moment(updated)
			out = append(out, d)
			return err
		}, `SELECT id, updated_at FROM documents WHERE company = ? AND id > ? ORDER BY id LIMIT ?`, company, after, limit)
	})
	return out, err
}

// liveBatch bounds how many documents are read at a time.
const liveBatch = 512

// LiveDocuments implements [knowledge.Store].
func (s *Store) LiveDocuments(ctx context.Context, company, after string, maxBytes int) (out []knowledge.Live, err error) {
	err = s.engine.Read(ctx, func(tx Tx) error {
		out = nil
		err := all(tx, func(r Rows) error {
			d, err := scanDocument(r)
			out = append(out, knowledge.Live{Document: d.Document})
			return err
		}, `SELECT `+documentColumns+` FROM documents WHERE company = ? AND id > ? ORDER BY id LIMIT ?`, company, after, liveBatch)
		if err != nil {
			return err
		}
		if len(out) == 0 {
			return nil
		}
		size, at := 0, 0 // at is the document whose passages are being read
		enough := errors.New("enough")
		err = all(tx, func(r Rows) error {
			p, err := scanPassage(r)
			if err != nil {
				return err
			}
			for at < len(out) && out[at].ID < p.DocumentID {
				if at++; size >= maxBytes {
					return enough
				}
			}
			if at < len(out) && out[at].ID == p.DocumentID && out[at].Version == p.Version {
				p.Language = out[at].Language
				out[at].Passages = append(out[at].Passages, p)
				size += len(p.Text)
			}
			return nil
		}, `SELECT `+passageColumns+` FROM passages p WHERE p.company = ? AND p.document_id >= ? AND p.document_id <= ?
			ORDER BY p.document_id, p.version, p.ordinal`, company, out[0].ID, out[len(out)-1].ID)
		if errors.Is(err, enough) {
			out = out[:at]
			return nil
		}
		return err
	})
	return out, err
}
