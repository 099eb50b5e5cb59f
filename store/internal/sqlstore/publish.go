package sqlstore

import (
	"context"
	"fmt"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// EndRun implements [knowledge.RunStore].
func (s *Store) EndRun(ctx context.Context, c store.Commit, l store.Lease, given knowledge.Run) (out knowledge.Run, err error) {
	err = s.engine.WriteLong(ctx, func(tx Tx) error {
		c := c
		lock := keyShare
		if given.State == knowledge.RunCompleted {
			lock = forChange // as lockKnowledge does
		}
		if err := haveCompany(tx, c.Company, lock); err != nil {
			return err
		}
		if _, err := one(tx, []any{new(string)}, `SELECT agent_id FROM sources WHERE company = ? AND id =
			(SELECT source_id FROM runs WHERE company = ? AND id = ?)`+forChange, c.Company, c.Company, given.ID); err != nil {
			return err
		}
		r, err := hold(tx, c.Company, l, given.ID)
		if err != nil {
			return err
		}
		if !given.State.Ended() {
			return fmt.Errorf("run %s: %w: %q is no state that a run ends in", r.ID, store.ErrConflict, given.State)
		}
		r.State, r.Phase, r.Counts, r.Error = given.State, given.Phase, given.Counts, given.Error
		at, err := tx.Now()
		if err != nil {
			return err
		}
		c.Events = foreign(c.Events)
		if r.State == knowledge.RunCompleted {
			events, err := publish(tx, c.Company, &r, at)
			if err != nil {
				return err
			}
			c.Events = append(c.Events, events...)
		}
		if err := endRun(tx, c.Company, &r, at); err != nil {
			return err
		}
		out = r.Run
		return s.write(c, tx)
	})
	if err != nil {
		return knowledge.Run{}, err
	}
	if out.SourceID != "" && out.State == knowledge.RunCompleted {
		s.grew(ctx, &s.library, "documents", out.Counts.Created)
	}
	return out, nil
}

// publish does all that a run has staged, but for what has changed meanwhile, and
// returns the events that tell of it.
func publish(tx Tx, company string, r *runRow, at int64) (events []event.Event, err error) {
	if r.SourceID == "" { // a training, whose counts are those of its runs
		r.Revision, err = revisionOf(tx, company)
		return nil, err
	}
	r.Counts.Created, r.Counts.Updated, r.Counts.Deleted = 0, 0, 0
	if err := forgetOvertaken(tx, company, r.ID); err != nil {
		return nil, err
	}
	if err := settleVersions(tx, company, r.ID); err != nil {
		return nil, err
	}
	// What goes makes room for what comes.
	gone, err := column(tx, `SELECT document_id FROM staged WHERE company = ? AND run_id = ? AND change = 'deleted'`, company, r.ID)
	if err != nil {
		return nil, err
	}
	deleted, err := removeDocuments(tx, company, gone, &knowledge.Deleted{})
	if err != nil {
		return nil, err
	}
	r.Counts.Deleted = len(deleted)
	events = deletions(deleted, moment(at), r.ID)
	written, err := publishWrites(tx, company, r.ID)
	if err != nil {
		return nil, err
	}
	touched := gone
	for _, d := range written {
		status := knowledge.Updated
		if d.events == 1 {
			status = knowledge.Created
			r.Counts.Created++
		} else {
			r.Counts.Updated++
		}
		d.SourceID, d.UpdatedAt = r.SourceID, moment(at)
		ev := documentEvent(d, status)
		ev.Refs.RunID = r.ID
		events = append(events, ev)
		touched = append(touched, d.ID)
	}
	if r.Revision, err = advance(tx, company, touched...); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(`UPDATE sources SET published_id = ?, last_success_at = ? WHERE company = ? AND id = ?`,
		r.ID, at, company, r.SourceID); err != nil {
		return nil, err
	}
	// No new text is left staged: what is removed now are the rows alone.
	if _, err := tx.Exec(`DELETE FROM staged WHERE company = ? AND run_id = ?`, company, r.ID); err != nil {
		return nil, err
	}
	others, err := column(tx, `SELECT id FROM runs WHERE company = ? AND source_id = ? AND source_id <> '' AND id <> ?`, company, r.SourceID, r.ID)
	if err != nil {
		return nil, err
	}
	var each [][]any
	for _, other := range others {
		each = append(each, []any{company, other})
	}
	return events, tx.Each(`DELETE FROM pages WHERE company = ? AND run_id = ?`, each)
}

// publishWrites writes the documents that a run has staged, and returns what the
// events that tell of them need.
func publishWrites(tx Tx, company, runID string) (written []documentRow, err error) {
	// Two documents may have changed their external ids for each other's.
	moved, err := column(tx, `SELECT document_id FROM staged WHERE company = ? AND run_id = ? AND moved = 1`, company, runID)
	if err != nil {
		return nil, err
	}
	var each [][]any
	for _, document := range moved {
		each = append(each, []any{company, document})
	}
	if err := tx.Each(`UPDATE documents SET external_id = '' WHERE company = ? AND id = ?`, each); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(keepVersions+` JOIN staged s ON s.company = d.company AND s.document_id = d.id
		WHERE s.company = ? AND s.run_id = ? AND s.change = 'updated' ON CONFLICT DO NOTHING`, company, runID); err != nil {
		return nil, err
	}
	err = all(tx, func(r Rows) error {
		var d documentRow
		err := r.Scan(&d.ID, &d.AgentID, &d.Version, &d.events)
		written = append(written, d)
		return err
	}, `INSERT INTO documents (company, `+documentColumns+`, bytes, actor, written_at)
		SELECT company, document_id, agent_id, kind, title, url, external_id, source_id, language, metadata, format, questions, version, state,
			created_at, updated_at, hash, text_hash, 1, bytes, '', updated_at
		FROM staged WHERE company = ? AND run_id = ? AND change <> 'deleted' ORDER BY document_id
		ON CONFLICT (company, id) DO UPDATE SET `+overwriteDocument+`, events = documents.events + 1
		RETURNING id, agent_id, version, events`, company, runID)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(`DELETE FROM passage_vectors WHERE company = ? AND space IN (SELECT number FROM vector_spaces WHERE company = ?)
		AND document_id IN (SELECT document_id FROM staged WHERE company = ? AND run_id = ? AND new_text = 1)`, company, company, company, runID); err != nil {
		return nil, err
	}
	return written, nil
}

// forgetOvertaken takes out of what a run has staged the documents that somebody
// has changed or deleted since, has put a tombstone for, or has given the external
// id of to another.
func forgetOvertaken(tx Tx, company, runID string) error {
	forget := func(query string) (int, error) {
		ids, err := column(tx, query, company, runID)
		if err != nil {
			return 0, err
		}
		for _, document := range ids {
			if err := unstage(tx, company, `document_id = ? AND run_id = ?`, document, runID); err != nil {
				return 0, err
			}
		}
		return len(ids), nil
	}
	if _, err := forget(`SELECT s.document_id FROM staged s LEFT JOIN documents d ON d.company = s.company AND d.id = s.document_id
		WHERE s.company = ? AND s.run_id = ? AND (COALESCE(d.updated_at, 0) <> s.base_at OR s.change <> 'deleted' AND (
			EXISTS (SELECT 1 FROM tombstones t WHERE t.company = s.company AND t.source_id = s.source_id AND t.external_hash = s.external_hash) OR
			EXISTS (SELECT 1 FROM tombstones t WHERE t.company = s.company AND t.source_id = s.source_id AND t.text_hash = s.text_hash)))`); err != nil {
		return err
	}
	for { // what is forgotten may keep its external id from another
		n, err := forget(`SELECT s.document_id FROM staged s JOIN documents d ON d.company = s.company AND d.external_id = s.external_id
				AND d.agent_id = s.agent_id AND d.source_id = s.source_id AND d.id <> s.document_id AND d.external_id <> ''
			WHERE s.company = ? AND s.run_id = ? AND s.change <> 'deleted' AND NOT EXISTS
				(SELECT 1 FROM staged o WHERE o.company = d.company AND o.document_id = d.id AND o.run_id = s.run_id
					AND (o.change = 'deleted' OR o.moved = 1))`)
		if err != nil || n == 0 {
			return err
		}
	}
}

// settleVersions gives new texts the versions that come next, where another run had
// staged one under that version before.
func settleVersions(tx Tx, company, runID string) error {
	type text struct {
		document   string
		have, want int
	}
	var texts []text
	err := all(tx, func(r Rows) error {
		var t text
		err := r.Scan(&t.document, &t.have, &t.want)
		texts = append(texts, t)
		return err
	}, `SELECT s.document_id, s.version, COALESCE(d.version, 0) + 1 FROM staged s LEFT JOIN documents d ON d.company = s.company AND d.id = s.document_id
		WHERE s.company = ? AND s.run_id = ? AND s.new_text = 1 AND s.version <> COALESCE(d.version, 0) + 1`, company, runID)
	if err != nil {
		return err
	}
	for _, t := range texts {
		// The other run's text has been overtaken by this one.
		if err := unstage(tx, company, `document_id = ? AND run_id <> ? AND version = ?`, t.document, runID, t.want); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE passages SET version = ? WHERE company = ? AND document_id = ? AND version = ?`,
			t.want, company, t.document, t.have); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE staged SET version = ? WHERE company = ? AND document_id = ? AND run_id = ?`,
			t.want, company, t.document, runID); err != nil {
			return err
		}
	}
	return nil
}
