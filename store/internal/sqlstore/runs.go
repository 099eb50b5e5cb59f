package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// runColumns are those of a run that may not be there: each is then empty.
const runColumns = `COALESCE(r.id, ''), COALESCE(r.kind, ''), COALESCE(r.state, ''), COALESCE(r.phase, ''), COALESCE(r.agent_id, ''),
	COALESCE(r.source_id, ''), COALESCE(r.parent_id, ''), COALESCE(r.forced, 0), COALESCE(r.new_pages, 0), COALESCE(r.counts, '{}'),
	COALESCE(r.error, ''), COALESCE(r.revision, 0), COALESCE(r.attempts, 0), COALESCE(r.created_at, 0), COALESCE(r.started_at, 0),
	COALESCE(r.updated_at, 0), COALESCE(r.ended_at, 0),
	CASE WHEN r.state = 'queued' THEN
		(SELECT COUNT(*) FROM runs q WHERE q.company = r.company AND q.id < r.id AND q.ended_at = 0) ELSE 0 END`

// scanRun reads the columns of a run, with more dest before them.
func scanRun(rows Rows, dest ...any) (r knowledge.Run, err error) {
	var (
		forced, newPages                 int64
		counts, failure                  string
		created, started, updated, ended int64
	)
	dest = append(dest, &r.ID, &r.Kind, &r.State, &r.Phase, &r.AgentID, &r.SourceID, &r.ParentID, &forced, &newPages, &counts, &failure,
		&r.Revision, &r.Attempts, &created, &started, &updated, &ended, &r.Ahead)
	if err := rows.Scan(dest...); err != nil {
		return r, err
	}
	r.Force, r.NewPages = forced == 1, newPages == 1
	if err := json.Unmarshal([]byte(counts), &r.Counts); err != nil {
		return r, corrupt("runs", r.ID, err)
	}
	if r.Error, err = readRunError("runs", r.ID, failure); err != nil {
		return r, err
	}
	r.CreatedAt, r.StartedAt, r.UpdatedAt, r.EndedAt = moment(created), moment(started), moment(updated), moment(ended)
	return r, nil
}

// A runRow is a run with what it counts.
type runRow struct {
	knowledge.Run
	steps, failures, pages int64
}

const selectRun = `SELECT r.steps, r.failures, r.pages, ` + runColumns + ` FROM runs r`

func scanRunRow(rows Rows) (r runRow, err error) {
	r.Run, err = scanRun(rows, &r.steps, &r.failures, &r.pages)
	return r, err
}

// findRun returns the first run that a condition chooses, if there is one.
func findRun(tx Tx, where string, args ...any) (r runRow, found bool, err error) {
	err = all(tx, func(rows Rows) error {
		found = true
		r, err = scanRunRow(rows)
		return err
	}, selectRun+` WHERE `+where, args...)
	return r, found, err
}

func readRun(tx Tx, company, id, lock string) (runRow, error) {
	if lock != "" {
		lock += ` OF r`
	}
	r, found, err := findRun(tx, `r.company = ? AND r.id = ?`+lock, company, id)
	if err == nil && !found {
		return r, store.NotFound("run", id)
	}
	return r, err
}

// hold locks a run that the holder of a lease makes a step of.
func hold(tx Tx, company string, l store.Lease, id string) (runRow, error) {
	r, missing := readRun(tx, company, id, forChange)
	if missing != nil && !isItem(missing) {
		return r, missing
	}
	// The key is looked at when nobody else can make a step of the run any more: who
	// claims it after that makes the next one.
	if err := leased(tx, l, ""); err != nil {
		return r, err
	}
	switch {
	case missing != nil:
		return r, missing
	case r.State.Ended():
		return r, fmt.Errorf("run %s: %w: it is %s", id, knowledge.ErrRunEnded, r.State)
	}
	return r, nil
}

// addRun adds a queued run, which is its source's latest.
func addRun(tx Tx, company string, r knowledge.Run) error {
	at, err := tx.Now()
	if err != nil {
		return err
	}
	r.State, r.Error, r.Revision, r.Attempts = knowledge.RunQueued, nil, 0, 0
	r.StartedAt, r.UpdatedAt, r.EndedAt = time.Time{}, moment(at), time.Time{}
	n, err := insertRun(tx, company, r)
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("run %s: %w: it is there already", r.ID, store.ErrConflict)
	}
	if r.SourceID == "" {
		return nil
	}
	_, err = tx.Exec(`UPDATE sources SET run_id = ? WHERE company = ? AND id = ?`, r.ID, company, r.SourceID)
	return err
}

// insertRun adds the row of a run that is not there, and reports how many it added.
func insertRun(tx Tx, company string, r knowledge.Run) (int64, error) {
	counts, err := object("run", r.ID, r.Counts)
	if err != nil {
		return 0, err
	}
	return tx.Exec(`INSERT INTO runs (company, id, kind, state, phase, agent_id, source_id, parent_id, forced, new_pages, counts, error,
			revision, attempts, events, steps, failures, pages, created_at, started_at, updated_at, ended_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, 0, 0, 0, 0, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		company, r.ID, string(r.Kind), string(r.State), r.Phase, r.AgentID, r.SourceID, r.ParentID, flag(r.Force), flag(r.NewPages), counts,
		r.Revision, r.Attempts, micros(r.CreatedAt), micros(r.StartedAt), micros(r.UpdatedAt), micros(r.EndedAt))
}

// StartRun implements [knowledge.RunStore].
func (s *Store) StartRun(ctx context.Context, c store.Commit, r knowledge.Run, next, ifDue time.Time) (out knowledge.Run, err error) {
	err = s.engine.Write(ctx, func(tx Tx) error {
		c := c
		// Of two that start the same at once the second is to see what the first did.
		if err := haveCompany(tx, c.Company, forChange); err != nil {
			return err
		}
		there, found, err := findRun(tx, `r.company = ? AND r.id = ?`, c.Company, r.ID)
		if err != nil {
			return err
		}
		if !found {
			if err := s.due(tx, c.Company, r, next, ifDue); err != nil {
				return err
			}
			if there, found, err = queuedRun(tx, c.Company, r); err != nil {
				return err
			}
		}
		if found {
			c.Events, c.Work = nil, nil
		} else {
			if err := addRun(tx, c.Company, r); err != nil {
				return err
			}
			if there, err = readRun(tx, c.Company, r.ID, ""); err != nil {
				return err
			}
		}
		out = there.Run
		return s.write(ofRun(c, out.ID), tx)
	})
	return out, err
}

// due checks that what a run is about is there, and moves the time at which its
// source is due.
func (s *Store) due(tx Tx, company string, r knowledge.Run, next, ifDue time.Time) error {
	if r.AgentID != "" {
		if err := haveAgent(tx, company, r.AgentID, keyShare); err != nil {
			return err
		}
	}
	if r.SourceID == "" {
		return nil
	}
	var was int64
	found, err := one(tx, []any{&was}, `SELECT next_run_at FROM sources WHERE company = ? AND id = ?`+forChange, company, r.SourceID)
	switch {
	case err != nil:
		return err
	case !found:
		return store.NotFound("source", r.SourceID)
	case next.IsZero():
		return nil
	case !ifDue.IsZero() && was != micros(ifDue):
		return fmt.Errorf("source %s: %w: it is not due any more at the time given", r.SourceID, store.ErrConflict)
	}
	_, err = tx.Exec(`UPDATE sources SET next_run_at = ? WHERE company = ? AND id = ?`, micros(next), company, r.SourceID)
	return err
}

// queuedRun returns the run that waits already to do what another is to do, if there
// is one.
func queuedRun(tx Tx, company string, r knowledge.Run) (runRow, bool, error) {
	switch {
	case r.SourceID != "":
		return findRun(tx, `r.company = ? AND r.source_id = ? AND r.state = 'queued'`, company, r.SourceID)
	case r.Kind == knowledge.RunTraining:
		return findRun(tx, `r.company = ? AND r.source_id = '' AND r.kind = ? AND r.agent_id = ? AND r.state = 'queued'`,
			company, string(r.Kind), r.AgentID)
	}
	return runRow{}, false, nil
}

// ofRun returns a commit with what is known of its run only now.
func ofRun(c store.Commit, id string) store.Commit {
	c.Events = foreign(c.Events)
	if c.Receipt != nil {
		r := *c.Receipt
		r.Result = id
		c.Receipt = &r
	}
	if c.Audit != nil && c.Audit.Object == "" {
		a := *c.Audit
		a.Object = id
		c.Audit = &a
	}
	return c
}

// BeginRun implements [knowledge.RunStore].
func (s *Store) BeginRun(ctx context.Context, c store.Commit, l store.Lease, runID string) (out knowledge.Run, err error) {
	err = s.engine.Write(ctx, func(tx Tx) error {
		c := c
		if err := haveCompany(tx, c.Company, keyShare); err != nil {
			return err
		}
		r, err := hold(tx, c.Company, l, runID)
		if err != nil {
			return err
		}
		at, err := tx.Now()
		if err != nil {
			return err
		}
		r.Attempts, r.Ahead, r.UpdatedAt = r.Attempts+1, 0, moment(at)
		c.Events = foreign(c.Events)
		if r.State == knowledge.RunRunning {
			c.Events = nil
		} else {
			r.State, r.StartedAt = knowledge.RunRunning, r.UpdatedAt
			began := knowledge.RunEvent{Type: knowledge.RunStarted, Counts: r.Counts, CreatedAt: r.UpdatedAt}
			if err := tell(tx, c.Company, &r, began); err != nil {
				return err
			}
		}
		out = r.Run
		if _, err := tx.Exec(`UPDATE runs SET state = ?, attempts = ?, steps = ?, started_at = ?, updated_at = ? WHERE company = ? AND id = ?`,
			string(r.State), r.Attempts, r.steps, micros(r.StartedAt), at, c.Company, r.ID); err != nil {
			return err
		}
		return s.write(c, tx)
	})
	return out, err
}

// LeaveRun implements [knowledge.RunStore].
func (s *Store) LeaveRun(ctx context.Context, l store.Lease, runID string) error {
	return s.engine.Write(ctx, func(tx Tx) error {
		if err := haveCompany(tx, l.Company, keyShare); err != nil {
			return err
		}
		r, err := hold(tx, l.Company, l, runID)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE runs SET attempts = ? WHERE company = ? AND id = ?`, max(0, r.Attempts-1), l.Company, r.ID)
		return err
	})
}

// MoveRun implements [knowledge.RunStore].
func (s *Store) MoveRun(ctx context.Context, l store.Lease, runID, phase string, counts knowledge.Counts, events []knowledge.RunEvent) error {
	text, err := object("run", runID, counts)
	if err != nil {
		return err
	}
	return s.engine.Write(ctx, func(tx Tx) error {
		if err := haveCompany(tx, l.Company, keyShare); err != nil {
			return err
		}
		r, err := hold(tx, l.Company, l, runID)
		if err != nil {
			return err
		}
		at, err := tx.Now()
		if err != nil {
			return err
		}
		if err := tell(tx, l.Company, &r, events...); err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE runs SET phase = ?, counts = ?, steps = ?, failures = ?, updated_at = ? WHERE company = ? AND id = ?`,
			phase, text, r.steps, r.failures, at, l.Company, r.ID)
		return err
	})
}

// tell adds events to a run, whose row is written by the caller.
func tell(tx Tx, company string, r *runRow, events ...knowledge.RunEvent) error {
	var rows [][]any
	for _, ev := range events {
		if ev.Type == knowledge.RunItemFailed {
			if r.failures >= knowledge.MaxItemEvents {
				continue
			}
			r.failures++
		}
		r.steps++
		counts, err := object("run", r.ID, ev.Counts)
		if err != nil {
			return err
		}
		failure, err := runError("run", r.ID, ev.Error)
		if err != nil {
			return err
		}
		rows = append(rows, []any{company, r.ID, r.steps, ev.Type, ev.Item, counts, failure, micros(ev.CreatedAt)})
	}
	return tx.Each(`INSERT INTO run_events (company, run_id, sequence, type, item, counts, error, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, rows)
}

// endRun writes how a run ended and when, and removes what it still has staged.
func endRun(tx Tx, company string, r *runRow, at int64) error {
	if err := unstage(tx, company, `run_id = ?`, r.ID); err != nil {
		return err
	}
	r.Ahead, r.UpdatedAt, r.EndedAt = 0, moment(at), moment(at)
	if err := tell(tx, company, r, knowledge.RunEvent{Type: "run." + string(r.State), Counts: r.Counts, Error: r.Error, CreatedAt: r.EndedAt}); err != nil {
		return err
	}
	counts, err := object("run", r.ID, r.Counts)
	if err != nil {
		return err
	}
	failure, err := runError("run", r.ID, r.Error)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE runs SET state = ?, phase = ?, counts = ?, error = ?, revision = ?, steps = ?, updated_at = ?, ended_at = ?
		WHERE company = ? AND id = ?`, string(r.State), r.Phase, counts, failure, r.Revision, r.steps, at, at, company, r.ID)
	return err
}

// CancelRun implements [knowledge.RunStore].
func (s *Store) CancelRun(ctx context.Context, c store.Commit, runID string) (out knowledge.Run, err error) {
	err = s.engine.Write(ctx, func(tx Tx) error {
		c := c
		if err := haveCompany(tx, c.Company, keyShare); err != nil {
			return err
		}
		r, err := readRun(tx, c.Company, runID, forChange)
		if err != nil {
			return err
		}
		c.Events = foreign(c.Events)
		if r.State.Ended() {
			c.Events = nil
		} else {
			at, err := tx.Now()
			if err != nil {
				return err
			}
			r.State = knowledge.RunCancelled
			if err := endRun(tx, c.Company, &r, at); err != nil {
				return err
			}
		}
		out = r.Run
		return s.write(c, tx)
	})
	return out, err
}

// Run implements [knowledge.RunStore].
func (s *Store) Run(ctx context.Context, company, id string) (out knowledge.Run, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		r, err := readRun(tx, company, id, "")
		out = r.Run
		return err
	})
	return out, err
}

// Runs implements [knowledge.RunStore].
func (s *Store) Runs(ctx context.Context, company string, f knowledge.RunFilter, p store.Page) (store.List[knowledge.Run], error) {
	query, args, scope := selectRun+` WHERE r.company = ?`, []any{company}, []string{"runs", company}
	for _, cond := range []struct{ column, value, as string }{
		{"r.agent_id", f.AgentID, ""}, {"r.source_id", f.SourceID, ` AND r.source_id <> ''`}, // as the index has it
		{"r.parent_id", f.ParentID, ` AND r.parent_id <> ''`}, {"r.kind", string(f.Kind), ""}, {"r.state", string(f.State), ""},
	} {
		scope = append(scope, cond.value)
		if cond.value != "" {
			query, args = query+` AND `+cond.column+` = ?`+cond.as, append(args, cond.value)
		}
	}
	return listBy(ctx, s, p, scope, order{"r.id", "?"}, func(r knowledge.Run) string { return r.ID },
		func(rows Rows) (knowledge.Run, error) {
			r, err := scanRunRow(rows)
			return r.Run, err
		}, query, args...)
}

// RunEvents implements [knowledge.RunStore].
func (s *Store) RunEvents(ctx context.Context, company, runID string, after int64, limit int) (events []knowledge.RunEvent, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		events = nil
		return all(tx, func(r Rows) error {
			var (
				ev              knowledge.RunEvent
				counts, failure string
				created         int64
			)
			if err := r.Scan(&ev.Sequence, &ev.Type, &ev.Item, &counts, &failure, &created); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(counts), &ev.Counts); err != nil {
				return corrupt("run_events", runID, err)
			}
			ev.CreatedAt = moment(created)
			ev.Error, err = readRunError("run_events", runID, failure)
			events = append(events, ev)
			return err
		}, `SELECT sequence, type, item, counts, error, created_at FROM run_events
			WHERE company = ? AND run_id = ? AND sequence > ? ORDER BY sequence LIMIT ?`, company, runID, after, limit)
	})
	return events, err
}

// recordFiles adds the runs that took files within the step that writes them.
func recordFiles(tx Tx, company string, writes []knowledge.Write, out knowledge.Written) error {
	if !slices.ContainsFunc(writes, func(w knowledge.Write) bool { return w.RunID != "" }) {
		return nil
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	at := moment(now)
	for i, w := range writes {
		if w.RunID == "" {
			continue
		}
		d := out.Documents[i]
		r := knowledge.Run{
			ID: w.RunID, Kind: knowledge.RunFile, State: knowledge.RunCompleted, Phase: string(knowledge.RunCompleted), AgentID: d.AgentID,
			Counts: knowledge.Counts{Total: 1, Done: 1, Bytes: int64(len(w.Text))}, Revision: out.Revision, Attempts: 1,
			CreatedAt: at, StartedAt: at, UpdatedAt: at, EndedAt: at,
		}
		switch d.Status {
		case knowledge.Created:
			r.Counts.Created = 1
		case knowledge.Updated:
			r.Counts.Updated = 1
		case knowledge.Unchanged:
			r.Counts.Unchanged = 1
		}
		if _, err := insertRun(tx, company, r); err != nil {
			return err
		}
	}
	return nil
}
