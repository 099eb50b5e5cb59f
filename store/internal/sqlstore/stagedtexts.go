package sqlstore

import (
	"context"
	"fmt"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// stagedVersion is the version that a staged text of no source has: each is staged
// as the first of a document that nobody knows yet.
const stagedVersion = 1

// StageTexts implements [knowledge.RunStore].
func (s *Store) StageTexts(ctx context.Context, company string, given knowledge.Run, writes []knowledge.Write) error {
	err := s.engine.WriteLong(ctx, func(tx Tx) error {
		if err := haveCompany(tx, company, keyShare); err != nil {
			return err
		}
		at, err := tx.Now()
		if err != nil {
			return err
		}
		r, err := bulkRun(tx, company, given, at)
		if err != nil {
			return err
		}
		var (
			rows  [][]any
			texts documentRows
		)
		for i := range writes {
			w := &writes[i]
			row := stagedRow{
				documentRow: documentRow{Document: knowledge.Document{ID: w.NewID, Version: stagedVersion}, hash: w.Hash[:], textHash: w.TextHash[:]},
				change:      stagedCreate, newText: true, bytes: len(w.Text),
			}
			args, err := row.args(company, r.ID)
			if err == nil {
				err = texts.addPassages(company, w.NewID, stagedVersion, *w)
			}
			if err != nil {
				return err
			}
			rows = append(rows, args)
			r.Counts.Done++
			r.Counts.Bytes += int64(len(w.Text))
		}
		if err := tx.Each(insertStaged, rows); err != nil {
			return err
		}
		if err := texts.writePassages(tx); err != nil {
			return err
		}
		counts, err := object("run", r.ID, r.Counts)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE runs SET counts = ?, steps = ?, updated_at = ? WHERE company = ? AND id = ?`, counts, r.steps, at, company, r.ID)
		return err
	})
	if err == nil {
		s.grew(ctx, &s.staging, "staged", len(writes))
	}
	return err
}

// bulkRun locks a run that is no worker's, which is begun if it is not there.
func bulkRun(tx Tx, company string, given knowledge.Run, at int64) (runRow, error) {
	begun := given
	begun.SourceID, begun.ParentID, begun.State, begun.Attempts, begun.Revision = "", "", knowledge.RunRunning, 1, 0
	begun.StartedAt, begun.UpdatedAt, begun.EndedAt = moment(at), moment(at), moment(0)
	n, err := insertRun(tx, company, begun)
	if err != nil {
		return runRow{}, err
	}
	r, err := ownRun(tx, company, given.ID)
	if err == nil && n > 0 {
		err = tell(tx, company, &r, knowledge.RunEvent{Type: knowledge.RunStarted, Counts: r.Counts, CreatedAt: moment(at)})
	}
	return r, err
}

// ownRun locks a bulk's run that has not ended.
func ownRun(tx Tx, company, id string) (runRow, error) {
	r, err := readRun(tx, company, id, forChange)
	switch {
	case err != nil:
		return r, err
	case r.Kind != knowledge.RunBulk:
		return r, fmt.Errorf("run %s: %w: it is a %s, not a bulk", id, store.ErrConflict, r.Kind)
	case r.State.Ended():
		return r, fmt.Errorf("run %s: %w: it is %s", id, knowledge.ErrRunEnded, r.State)
	}
	return r, nil
}

// stagedTexts are the texts that a run has staged for a step that writes documents.
type stagedTexts struct {
	run  runRow
	have set // by new id

	used, moved, dropped [][]any
}

// openTexts returns what is staged for some writes; nil if nothing is.
func openTexts(tx Tx, company string, writes []knowledge.Write) (*stagedTexts, error) {
	runID := ""
	for _, w := range writes {
		if w.StagedBy == "" {
			continue
		}
		if runID != "" && runID != w.StagedBy {
			return nil, fmt.Errorf("run %s: %w: texts of run %s are written with its own", runID, store.ErrConflict, w.StagedBy)
		}
		runID = w.StagedBy
	}
	if runID == "" {
		return nil, nil
	}
	t := &stagedTexts{have: set{}}
	var err error
	if t.run, err = ownRun(tx, company, runID); err != nil {
		return nil, err
	}
	ids, err := column(tx, `SELECT document_id FROM staged WHERE company = ? AND run_id = ?`, company, runID)
	for _, id := range ids {
		t.have[id] = true
	}
	return t, err
}

// use notes what becomes of the text of a write: it is where it belongs, it becomes
// the next version of a document that is there, or nothing needs it.
func (t *stagedTexts) use(company string, d documentRow, w knowledge.Write, newText bool) error {
	if !t.have[w.NewID] {
		return fmt.Errorf("document %s: its text is not staged by run %s", w.NewID, t.run.ID)
	}
	t.used = append(t.used, []any{company, w.NewID, t.run.ID})
	switch {
	case !newText:
		t.dropped = append(t.dropped, []any{company, w.NewID, stagedVersion})
	case d.ID != w.NewID:
		t.moved = append(t.moved, []any{d.ID, d.Version, company, w.NewID, stagedVersion})
	}
	return nil
}

// publish puts the texts where they belong, and ends the run.
func (t *stagedTexts) publish(tx Tx, company string, out knowledge.Written) error {
	at, err := tx.Now()
	if err != nil {
		return err
	}
	if err := tx.Each(deletePassages, t.dropped); err != nil {
		return err
	}
	if err := tx.Each(`UPDATE passages SET document_id = ?, version = ? WHERE company = ? AND document_id = ? AND version = ?`, t.moved); err != nil {
		return err
	}
	// Their passages stay; those of what else is staged go when the run ends.
	if err := tx.Each(`DELETE FROM staged WHERE company = ? AND document_id = ? AND run_id = ?`, t.used); err != nil {
		return err
	}
	r := &t.run
	r.State, r.Phase, r.Revision, r.Counts.Done = knowledge.RunCompleted, "done", out.Revision, len(out.Documents)
	for _, d := range out.Documents {
		switch d.Status {
		case knowledge.Created:
			r.Counts.Created++
		case knowledge.Updated:
			r.Counts.Updated++
		case knowledge.Unchanged:
			r.Counts.Unchanged++
		}
	}
	return endRun(tx, company, r, at)
}
