package knowledge

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
	"github.com/answerdesk-go/answerdesk/store"
)

// resume makes a company's index from its file and brings it to the state that the
// store had at a revision. It reports false if there is no file to use.
func (x *indexes) resume(ctx context.Context, company string, f *followed, revision int64) (bool, error) {
	at, ok := x.files.read(company, f.index, x.budget)
	if !ok {
		return false, nil
	}
	same := false
	if at <= revision {
		var err error
		if same, err = x.sameHistory(ctx, company, f.index, at); err != nil {
			return false, err
		}
	}
	if same {
		f.saved = at
	} else {
		if err := x.reconcile(ctx, company, f); err != nil {
			return false, err
		}
		at = revision
	}
	if err := x.loadAllVectors(ctx, company, f); err != nil {
		return false, err
	}
	f.set(at)
	x.log.DebugContext(ctx, "index read from its file", "company", company, "revision", at, "same", same, "passages", f.index.Passages(), "bytes", f.bytes())
	return true, nil
}

// sameHistory reports whether an index is surely of the store's own past: whether
// the documents of the revision it was written at are as it knows them. A store may
// have been restored from a backup, and have come to the same revision in another
// way.
func (x *indexes) sameHistory(ctx context.Context, company string, i *index.Index, at int64) (bool, error) {
	if at == 0 {
		return false, nil
	}
	changes, err := x.store.Changes(ctx, company, at-1, 1)
	if errors.Is(err, ErrFeedPruned) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, c := range changes {
		if c.Revision != at || c.DocumentID == "" {
			return false, nil
		}
		d, err := x.store.Document(ctx, company, c.DocumentID)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if stamp, ok := i.Stamp(c.DocumentID); !ok || stamp != d.UpdatedAt.UnixMicro() {
			return false, nil
		}
	}
	return len(changes) > 0, nil
}

// stampsRead is how many times of update are read at a time.
const stampsRead = 5000

// reconcile compares an index with every document there is, and reads those that
// differ. What is written meanwhile is seen again in the feed.
func (x *indexes) reconcile(ctx context.Context, company string, f *followed) error {
	known := maps.Collect(f.index.Stamps())
	after := ""
	for {
		stamps, err := x.store.Stamps(ctx, company, after, stampsRead)
		if err != nil {
			return err
		}
		if len(stamps) == 0 {
			return x.refresh(ctx, company, f, slices.Collect(maps.Keys(known))) // which are gone
		}
		var differ []string
		for _, s := range stamps {
			if at, ok := known[s.DocumentID]; !ok || at != s.UpdatedAt.UnixMicro() {
				differ = append(differ, s.DocumentID)
			}
			delete(known, s.DocumentID)
		}
		if err := x.refresh(ctx, company, f, differ); err != nil {
			return err
		}
		f.index.Tidy()
		after = stamps[len(stamps)-1].DocumentID
	}
}

// loadAllVectors reads the vectors of all documents of an index.
func (x *indexes) loadAllVectors(ctx context.Context, company string, f *followed) error {
	if x.space == "" {
		return nil
	}
	var ids []string
	for id := range f.index.Stamps() {
		ids = append(ids, id)
	}
	for part := range slices.Chunk(ids, changesRead) {
		if err := x.loadVectors(ctx, company, f, part); err != nil {
			return err
		}
	}
	return nil
}
