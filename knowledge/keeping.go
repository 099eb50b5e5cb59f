package knowledge

import (
	"context"
	"errors"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/store"
)

const (
	keepEvery = time.Minute      // indexes are put in order, and files of what is deleted removed
	saveEvery = 10 * time.Minute // an index that goes on changing is written again
)

// scheduleKeeping has a runner keep the indexes and their files.
func (l *Library) scheduleKeeping(runner *work.Runner) error {
	return runner.Every("indexes", keepEvery, func(ctx context.Context) error {
		l.indexes.maintain(ctx)
		return errors.Join(l.save(ctx, saveEvery), l.Tidy(ctx))
	})
}

// Save writes the indexes in memory that have changed to the files that the next
// process begins with. Without [Options.IndexFolder] it does nothing.
func (l *Library) Save(ctx context.Context) error { return l.save(ctx, 0) }

// save writes the indexes whose files are older than some time.
func (l *Library) save(ctx context.Context, older time.Duration) error {
	if l.indexes.files.folder == "" {
		return nil
	}
	var errs []error
	for company, f := range l.indexes.inMemory() {
		if ctx.Err() != nil {
			break
		}
		if err := l.indexes.save(ctx, company, f, older); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, ctx.Err())...)
}

// save writes an index to its file if it is worth one and has changed, unless there
// is one that is not that old. Nobody changes it meanwhile.
func (x *indexes) save(ctx context.Context, company string, f *followed, older time.Duration) error {
	select {
	case <-f.following:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { f.following <- struct{}{} }()
	at := f.at()
	if at <= f.saved || f.saved > 0 && time.Since(f.savedAt) < older || f.index.Passages() < leastSnapshot {
		return nil
	}
	if err := x.files.write(company, f.index, at); err != nil {
		return err
	}
	f.saved, f.savedAt = at, time.Now()
	return nil
}

// maintain puts the indexes in memory in order: many small parts become few.
func (x *indexes) maintain(ctx context.Context) {
	for _, f := range x.inMemory() {
		for ctx.Err() == nil && f.index.Maintain(ctx) {
		}
	}
}

// inMemory are the indexes that are loaded, by company.
func (x *indexes) inMemory() map[string]*followed {
	x.mu.Lock()
	defer x.mu.Unlock()
	loaded := map[string]*followed{}
	for company, f := range x.byCompany {
		if f.at() >= 0 {
			loaded[company] = f
		}
	}
	return loaded
}

// Tidy removes the files that know a document which is deleted: those of companies
// whose index another process, or none, has followed since. It is to be called after
// Save, which may write what another process has deleted just now.
func (l *Library) Tidy(ctx context.Context) error {
	x := l.indexes
	if x.files.folder == "" {
		return nil
	}
	x.files.removeParts()
	for _, f := range x.files.list("") {
		gone, err := x.deletedSince(ctx, f.company, f.revision)
		if err != nil {
			return err
		}
		if gone {
			x.files.removeFile(f)
		}
	}
	return nil
}

// deletedSince reports whether a document that was there at a revision is not any
// more, or may not be.
func (x *indexes) deletedSince(ctx context.Context, company string, at int64) (bool, error) {
	for {
		changes, err := x.store.Changes(ctx, company, at, changesRead)
		if errors.Is(err, ErrFeedPruned) || errors.Is(err, store.ErrNotFound) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if len(changes) == 0 {
			now, err := x.store.Revision(ctx, company)
			if errors.Is(err, store.ErrNotFound) {
				return true, nil
			}
			return now < at, err // the store was restored from a backup
		}
		for _, c := range changes {
			if c.DocumentID == "" {
				continue
			}
			if _, err := x.store.Document(ctx, company, c.DocumentID); errors.Is(err, store.ErrNotFound) {
				return true, nil
			} else if err != nil {
				return false, err
			}
		}
		at = changes[len(changes)-1].Revision
	}
}
