package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

var (
	_ knowledge.SourceStore = (*Store)(nil)
	_ knowledge.RunStore    = (*Store)(nil)
)

const selectSource = `SELECT s.id, s.kind, s.agent_id, s.name, s.url, s.schedule, s.metadata, s.settings, s.run_id, s.published_id,
	s.last_success_at, s.next_run_at, s.created_at, s.updated_at,
	(SELECT COUNT(*) FROM documents d WHERE d.company = s.company AND d.source_id = s.id AND d.source_id <> ''),
	s.company, ` + runColumns + ` FROM sources s LEFT JOIN runs r ON r.company = s.company AND r.id = s.run_id`

// scanSource reads a source, and whose it is.
func scanSource(r Rows) (out knowledge.DueSource, err error) {
	var (
		metadata, settings                string
		succeeded, next, created, updated int64
		s                                 = &out.Source
	)
	run, err := scanRun(r, &s.ID, &s.Kind, &s.AgentID, &s.Name, &s.URL, &s.Schedule, &metadata, &settings, &s.RunID, &s.PublishedID,
		&succeeded, &next, &created, &updated, &s.Documents, &out.Company)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal([]byte(metadata), &s.Metadata); err != nil {
		return out, corrupt("sources", s.ID, err)
	}
	if settings != "" {
		s.Settings = json.RawMessage(settings)
	}
	s.LastSuccessAt, s.NextRunAt, s.CreatedAt, s.UpdatedAt = moment(succeeded), moment(next), moment(created), moment(updated)
	s.Run, s.LastError = run, run.Error
	return out, nil
}

// readSource returns a source.
func readSource(tx Tx, company, id string) (out knowledge.Source, err error) {
	found := false
	err = all(tx, func(r Rows) error {
		found = true
		s, err := scanSource(r)
		out = s.Source
		return err
	}, selectSource+` WHERE s.company = ? AND s.id = ?`, company, id)
	if err == nil && !found {
		return out, store.NotFound("source", id)
	}
	return out, err
}

// lockSource locks a source, under which its documents, and what its runs stage,
// stay as they are. It returns whose its documents are.
func lockSource(tx Tx, company, id, lock string) (agentID string, found bool, err error) {
	found, err = one(tx, []any{&agentID}, `SELECT agent_id FROM sources WHERE company = ? AND id = ?`+lock, company, id)
	return agentID, found, err
}

// CreateSource implements [knowledge.SourceStore].
func (s *Store) CreateSource(ctx context.Context, c store.Commit, src knowledge.Source, r *knowledge.Run) error {
	metadata, err := object("source", src.ID, src.Metadata)
	if err != nil {
		return err
	}
	return s.engine.Write(ctx, func(tx Tx) error {
		if err := haveCompany(tx, c.Company, keyShare); err != nil {
			return err
		}
		if src.AgentID != "" {
			if err := haveAgent(tx, c.Company, src.AgentID, keyShare); err != nil {
				return err
			}
		}
		n, err := tx.Exec(`INSERT INTO sources (company, id, kind, agent_id, name, url, schedule, metadata, settings, run_id, published_id,
				last_success_at, next_run_at, events, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', 0, ?, 0, ?, ?) ON CONFLICT DO NOTHING`,
			c.Company, src.ID, string(src.Kind), src.AgentID, src.Name, src.URL, src.Schedule, metadata, string(src.Settings),
			micros(src.NextRunAt), micros(src.CreatedAt), micros(src.CreatedAt))
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("source %s: %w: it is there already", src.ID, store.ErrConflict)
		}
		if r != nil {
			first := *r
			first.SourceID, first.AgentID = src.ID, src.AgentID
			if err := addRun(tx, c.Company, first); err != nil {
				return err
			}
		}
		c := c
		c.Events = foreign(c.Events)
		return s.write(c, tx)
	})
}

// UpdateSource implements [knowledge.SourceStore].
func (s *Store) UpdateSource(ctx context.Context, c store.Commit, src knowledge.Source, ifUpdated time.Time) (updated knowledge.Source, err error) {
	metadata, err := object("source", src.ID, src.Metadata)
	if err != nil {
		return updated, err
	}
	err = s.engine.Write(ctx, func(tx Tx) error {
		if err := haveCompany(tx, c.Company, keyShare); err != nil {
			return err
		}
		var was int64
		found, err := one(tx, []any{&was}, `SELECT updated_at FROM sources WHERE company = ? AND id = ?`+forChange, c.Company, src.ID)
		switch {
		case err != nil:
			return err
		case !found:
			return store.NotFound("source", src.ID)
		case !ifUpdated.IsZero() && was != micros(ifUpdated):
			return fmt.Errorf("source %s: %w: it has changed since it was read: read it again", src.ID, store.ErrConflict)
		}
		if _, err := tx.Exec(`UPDATE sources SET name = ?, url = ?, schedule = ?, metadata = ?, settings = ?, next_run_at = ?, updated_at = ?
			WHERE company = ? AND id = ?`, src.Name, src.URL, src.Schedule, metadata, string(src.Settings), micros(src.NextRunAt),
			max(micros(src.UpdatedAt), was+1), c.Company, src.ID); err != nil {
			return err
		}
		if updated, err = readSource(tx, c.Company, src.ID); err != nil {
			return err
		}
		c := c
		c.Events = foreign(c.Events)
		return s.write(c, tx)
	})
	return updated, err
}

// Source implements [knowledge.SourceStore].
func (s *Store) Source(ctx context.Context, company, id string) (src knowledge.Source, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		src, err = readSource(tx, company, id)
		return err
	})
	return src, err
}

// Sources implements [knowledge.SourceStore].
func (s *Store) Sources(ctx context.Context, company string, f knowledge.SourceFilter, p store.Page) (store.List[knowledge.Source], error) {
	query, args := selectSource+` WHERE s.company = ?`, []any{company}
	if f.Kind != "" {
		query, args = query+` AND s.kind = ?`, append(args, string(f.Kind))
	}
	if f.AgentID != "" {
		query, args = query+` AND s.agent_id = ?`, append(args, f.AgentID)
	}
	return listBy(ctx, s, p, []string{"sources", company, string(f.Kind), f.AgentID}, order{"s.id", "?"},
		func(s knowledge.Source) string { return s.ID },
		func(r Rows) (knowledge.Source, error) {
			s, err := scanSource(r)
			return s.Source, err
		}, query, args...)
}

// DueSources implements [knowledge.SourceStore].
func (s *Store) DueSources(ctx context.Context, limit int) (due []knowledge.DueSource, err error) {
	err = s.engine.Read(ctx, func(tx Tx) error {
		due = nil
		at, err := tx.Now()
		if err != nil {
			return err
		}
		return all(tx, func(r Rows) error {
			d, err := scanSource(r)
			due = append(due, d)
			return err
		}, selectSource+` WHERE s.next_run_at > 0 AND s.next_run_at <= ? ORDER BY s.next_run_at, s.company, s.id LIMIT ?`, at, limit)
	})
	return due, err
}

// DeleteSource implements [knowledge.SourceStore].
func (s *Store) DeleteSource(ctx context.Context, c store.Commit, id string) (out knowledge.Deleted, err error) {
	err = s.engine.WriteLong(ctx, func(tx Tx) error {
		c := c
		if err := lockKnowledge(tx, c.Company); err != nil {
			return err
		}
		at, err := tx.Now()
		if err != nil {
			return err
		}
		events, err := removeSource(tx, c.Company, id, at)
		if err != nil {
			return err
		}
		out = knowledge.Deleted{DocumentID: id, DeletedAt: moment(at)}
		ids, err := column(tx, `SELECT id FROM documents WHERE company = ? AND source_id = ? AND source_id <> ''`, c.Company, id)
		if err != nil {
			return err
		}
		gone, err := removeDocuments(tx, c.Company, ids, &out)
		if err != nil {
			return err
		}
		if out.Revision, err = advance(tx, c.Company, ids...); err != nil {
			return err
		}
		c.Events, _ = numbered(c.Events, id, events)
		c.Events = append(c.Events, deletions(gone, out.DeletedAt, "")...)
		return s.write(c, tx)
	})
	return out, err
}

// removeSource removes a source with what its runs saw and staged and with its
// tombstones, cancels the runs that have not ended, and returns how many events the
// source had. Its documents stay.
func removeSource(tx Tx, company, id string, at int64) (events int64, err error) {
	found, err := one(tx, []any{&events}, `DELETE FROM sources WHERE company = ? AND id = ? RETURNING events`, company, id)
	if err != nil {
		return 0, err
	}
	if !found {
		return 0, store.NotFound("source", id)
	}
	var runs []runRow
	err = all(tx, func(r Rows) error {
		run, err := scanRunRow(r)
		runs = append(runs, run)
		return err
	}, selectRun+` WHERE r.company = ? AND r.source_id = ? AND r.source_id <> '' ORDER BY r.id`+forChange+` OF r`, company, id)
	if err != nil {
		return 0, err
	}
	for _, r := range runs {
		if !r.State.Ended() {
			r.State = knowledge.RunCancelled
			if err := endRun(tx, company, &r, at); err != nil {
				return 0, err
			}
		}
		if _, err := tx.Exec(`DELETE FROM pages WHERE company = ? AND run_id = ?`, company, r.ID); err != nil {
			return 0, err
		}
	}
	_, err = tx.Exec(`DELETE FROM tombstones WHERE company = ? AND source_id = ?`, company, id)
	return events, err
}

// deleteAgentSources removes the sources of an agent, all but their documents, and
// its runs.
func deleteAgentSources(tx Tx, company, agentID string) error {
	ids, err := column(tx, `SELECT id FROM sources WHERE company = ? AND agent_id = ? ORDER BY id`, company, agentID)
	if err != nil {
		return err
	}
	at, err := tx.Now()
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := removeSource(tx, company, id, at); err != nil {
			return err
		}
	}
	var runs, staging []string
	err = all(tx, func(r Rows) error {
		var id string
		var ended int64
		err := r.Scan(&id, &ended)
		if runs = append(runs, id); ended == 0 {
			staging = append(staging, id)
		}
		return err
	}, `DELETE FROM runs WHERE company = ? AND agent_id = ? RETURNING id, ended_at`, company, agentID)
	if err != nil {
		return err
	}
	for _, id := range staging { // of sources that are not the agent's
		if err := unstage(tx, company, `run_id = ?`, id); err != nil {
			return err
		}
	}
	return removeRuns(tx, company, runs)
}

// removeRuns removes what is left of runs whose rows are gone.
func removeRuns(tx Tx, company string, ids []string) error {
	each := make([][]any, len(ids))
	for i, id := range ids {
		each[i] = []any{company, id}
	}
	if err := tx.Each(`DELETE FROM run_events WHERE company = ? AND run_id = ?`, each); err != nil {
		return err
	}
	return tx.Each(`DELETE FROM pages WHERE company = ? AND run_id = ?`, each)
}
