package knowledge

import (
	"context"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/failpoint"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// dropWithin is how long what was staged in vain may take to go. What is left then
// is swept: see [Retention.Bulks].
const dropWithin = 10 * time.Second

// putTogether writes all of a batch, or nothing.
func (b *Base) putTogether(ctx context.Context, bt *batch, commit func() store.Commit) error {
	if err := bt.refused(); err != nil {
		return err
	}
	staged, err := b.stage(ctx, bt)
	var written []WrittenDocument
	if err == nil {
		written, err = b.write(ctx, commit(), bt.writes)
	}
	if err != nil {
		if staged != "" {
			b.unstage(ctx, staged)
		}
		return err
	}
	bt.wrote(written)
	return nil
}

// stage stages the texts of a batch that is more than one commit may hold, in
// commits as small as those of a bulk that is not all or none. It returns the run
// that did, "" if nothing was staged.
func (b *Base) stage(ctx context.Context, bt *batch) (runID string, err error) {
	size := 0
	for i := range bt.writes {
		size += len(bt.writes[i].Text)
	}
	if size <= batchBytes && len(bt.writes) <= batchDocuments {
		return "", nil
	}
	checked, err := b.lib.store.CheckDocuments(ctx, b.company, bt.writes)
	if err != nil {
		return "", err
	}
	for j, in := range checked {
		if in.Err != nil { // so that nothing is staged in vain
			return "", &ItemError{Index: bt.at[j], Err: in.Err}
		}
	}
	r := Run{
		ID: id.New(id.Run), Kind: RunBulk, Phase: "stage", Counts: Counts{Total: len(bt.writes)},
		CreatedAt: time.Now().UTC().Truncate(time.Microsecond),
	}
	for from := 0; from < len(bt.writes); {
		to, size := from, 0
		var part []Write
		for ; to < len(bt.writes) && len(part) < bulkDocuments; to++ {
			w := &bt.writes[to]
			if checked[to].Status == Unchanged {
				continue // whose text is there
			}
			if size += len(w.Text); size > bulkBytes && len(part) > 0 {
				break
			}
			w.StagedBy = r.ID
			part = append(part, *w)
		}
		from = to
		if len(part) == 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return runID, err
		}
		runID = r.ID // also of what is staged without our knowing
		if err := b.lib.runs.StageTexts(ctx, b.company, r, part); err != nil {
			return runID, err
		}
		failpoint.At("bulk.staged")
	}
	return runID, nil
}

// unstage ends a run in vain. That its rows may stay for a while is no error of the
// bulk, which has failed.
func (b *Base) unstage(ctx context.Context, runID string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropWithin)
	defer cancel()
	if _, err := b.lib.runs.CancelRun(ctx, store.Commit{Company: b.company}, runID); err != nil {
		b.lib.indexes.log.WarnContext(ctx, "what a bulk has staged is left to be swept", "company", b.company, "run", runID, "error", err)
	}
}
