package reference

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// StageTexts implements [knowledge.RunStore].
func (s *Store) StageTexts(ctx context.Context, company string, given knowledge.Run, writes []knowledge.Write) error {
	return s.step(ctx, store.Commit{Company: company}, func(c *tenant, _ *store.Commit) error {
		now := stored(time.Now())
		if _, there := c.runs[given.ID]; !there {
			r := run{Run: given}
			r.SourceID, r.ParentID, r.State, r.Attempts, r.Revision, r.Error = "", "", knowledge.RunRunning, 1, 0, nil
			r.Counts, r.CreatedAt, r.StartedAt, r.EndedAt = cloneCounts(given.Counts), stored(given.CreatedAt), now, time.Time{}
			r.tell(knowledge.RunEvent{Type: knowledge.RunStarted, Counts: r.Counts, CreatedAt: now})
			c.runs[r.ID] = r
		}
		r, err := c.bulk(given.ID)
		if err != nil {
			return err
		}
		r.texts = maps.Clone(r.texts)
		if r.texts == nil {
			r.texts = map[string]bool{}
		}
		for _, w := range writes {
			r.texts[w.NewID] = true
			r.Counts.Done++
			r.Counts.Bytes += int64(len(w.Text))
		}
		r.UpdatedAt = now
		c.runs[r.ID] = r
		return nil
	})
}

// bulk returns a bulk's run that has not ended.
func (c *tenant) bulk(runID string) (run, error) {
	r, err := c.run(runID)
	switch {
	case err != nil:
		return r, err
	case r.Kind != knowledge.RunBulk:
		return r, fmt.Errorf("run %s: %w: it is no bulk", runID, store.ErrConflict)
	case r.State.Ended():
		return r, fmt.Errorf("run %s: %w: it is %s", runID, knowledge.ErrRunEnded, r.State)
	}
	return r, nil
}

// staged returns the run that has staged the texts of some writes, "" if none has.
func (c *tenant) staged(writes []knowledge.Write) (runID string, err error) {
	for _, w := range writes {
		if w.StagedBy == "" {
			continue
		}
		r, err := c.bulk(w.StagedBy)
		switch {
		case err != nil:
			return "", err
		case runID != "" && r.ID != runID:
			return "", fmt.Errorf("run %s: %w: it is not the only one", r.ID, store.ErrConflict)
		case !r.texts[w.NewID]:
			return "", fmt.Errorf("document %s: its text is not staged", w.NewID)
		}
		runID = r.ID
	}
	return runID, nil
}

// completeBulk ends the run whose staged texts were written, if there is one.
func (c *tenant) completeBulk(runID string, out knowledge.Written) {
	if runID == "" {
		return
	}
	r := c.runs[runID]
	r.Counts = cloneCounts(r.Counts)
	for _, d := range out.Documents {
		*countOf(&r.Counts, d.Status)++
	}
	r.Phase, r.Revision, r.Counts.Done = "done", out.Revision, len(out.Documents)
	r.end(knowledge.RunCompleted)
	c.runs[runID] = r
}
