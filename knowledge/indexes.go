package knowledge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/vectors"
	"github.com/answerdesk-go/answerdesk/store"
)

const (
	loadBytes   = 4 << 20 // of text read from the store at a time while an index is loaded
	changesRead = 1000    // entries of the feed read at a time
)

// indexes are the indexes in memory, one a company, within a budget.
type indexes struct {
	store     Store
	space     string // of the vectors that are searched; "": none are
	budget    int64
	staleness time.Duration
	files     snapshots
	log       *slog.Logger

	mu        sync.Mutex
	byCompany map[string]*followed
	refused   map[string]refusal // companies that were too large
	clock     int64              // counts uses, to tell which was least recent
}

// A refusal is why a company was too large, and at which revision: until it
// changes, it is not tried again.
type refusal struct {
	err      error
	revision int64
}

// followed is the index of a company and how far it has followed the feed. Whoever
// holds the pointer may go on reading it when the budget has freed it.
type followed struct {
	index   *index.Index
	vectors *vectors.Set // of the passages that have one

	following chan struct{} // holds a token while nobody changes the index
	saved     int64         // the revision that its file has, 0 if it has none; under following
	savedAt   time.Time     // when this process wrote it
	mu        sync.Mutex
	loaded    bool
	revision  int64
	written   int64     // the last revision that this process wrote
	checked   time.Time // when the store had no revision that the index has not
	used      int64     // under indexes.mu

	foreseen atomic.Bool // whether the last forecast came true
}

func newIndexes(s Store, o Options) *indexes {
	space := ""
	if o.Embedder != nil {
		space = o.Embedder.Space()
	}
	return &indexes{store: s, space: space, budget: o.IndexMemory, staleness: o.Staleness, files: snapshots{o.IndexFolder, o.Logger}, log: o.Logger, byCompany: map[string]*followed{}, refused: map[string]refusal{}}
}

// A lookup is an index as it was found.
type lookup struct {
	index    *index.Index
	vectors  *vectors.Set
	revision int64 // that it has, at least
	checked  bool  // whether it has caught up with the store for this lookup
}

// get returns a company's index at a revision of at least least. It has caught up
// with the store, now or, unless now is set, as lately as the staleness allows.
func (x *indexes) get(ctx context.Context, company string, least int64, now bool) (lookup, error) {
	f := x.of(company) // before the store is asked: what this process writes from here on is noted there
	if at, ok := f.recent(least, x.staleness); ok && !now {
		return lookup{index: f.index, vectors: f.vectors, revision: at}, nil
	}
	asked := time.Now()
	revision, err := x.store.Revision(ctx, company)
	if err == nil {
		err = reached(revision, least)
	}
	if err == nil {
		err = x.refusal(company, f, revision)
	}
	if err == nil && f.at() < revision {
		err = x.advance(ctx, company, f, revision)
		if errors.Is(err, ErrFeedPruned) { // it was forgotten, and is made anew
			f = x.of(company)
			err = x.advance(ctx, company, f, revision)
		}
	}
	if err != nil {
		return lookup{}, err
	}
	return lookup{index: f.index, vectors: f.vectors, revision: f.check(asked), checked: true}, nil
}

// of returns the index of a company, which may have to be loaded yet.
func (x *indexes) of(company string) *followed {
	x.mu.Lock()
	defer x.mu.Unlock()
	f := x.byCompany[company]
	if f == nil {
		f = &followed{index: index.New(nil), vectors: vectors.New(0), following: make(chan struct{}, 1)}
		f.following <- struct{}{}
		x.byCompany[company] = f
	}
	x.clock++
	f.used = x.clock
	return f
}

// refusal returns why a company is too large, if it was and has not changed.
func (x *indexes) refusal(company string, f *followed, revision int64) error {
	x.mu.Lock()
	r, ok := x.refused[company]
	x.mu.Unlock()
	if !ok || r.revision < revision {
		return nil
	}
	x.forget(company, f)
	return r.err
}

// follow lets the index of a company, if it is in memory, follow the feed up to a
// revision. That it cannot is no error of the write that was made: a search
// catches up, or says why not.
func (x *indexes) follow(ctx context.Context, company string, revision int64) {
	x.mu.Lock()
	f := x.byCompany[company]
	x.mu.Unlock()
	if f == nil || f.wrote(revision) {
		return
	}
	if err := x.advance(context.WithoutCancel(ctx), company, f, revision); err != nil {
		x.log.WarnContext(ctx, "index could not follow a write", "company", company, "error", err)
	}
}

// at returns the revision the index has, or -1 before it is loaded.
func (f *followed) at() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.loaded {
		return -1
	}
	return f.revision
}

func (f *followed) set(revision int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loaded, f.revision = true, revision
}

// wrote notes that this process wrote a revision, and reports whether there is
// nothing to follow: the index has it, or will be asked for it when it is loaded.
func (f *followed) wrote(revision int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.written = max(f.written, revision)
	return !f.loaded || f.revision >= revision
}

// check notes that the index has all that the store had at a time, and returns its
// revision.
func (f *followed) check(at time.Time) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if at.After(f.checked) {
		f.checked = at
	}
	return f.revision
}

// recent returns the revision that the index has, and whether that will do: it is
// least or more, has what this process wrote, and caught up with the store less than
// a while ago.
func (f *followed) recent(least int64, while time.Duration) (int64, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.revision, f.loaded && f.revision >= max(least, f.written) && time.Since(f.checked) < while
}

// advance brings an index to a revision at least. One caller works; the others
// wait for it.
func (x *indexes) advance(ctx context.Context, company string, f *followed, revision int64) error {
	select {
	case <-f.following:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { f.following <- struct{}{} }()
	at := f.at()
	if at >= revision {
		return nil
	}
	if at < 0 {
		if err := x.load(ctx, company, f, revision); err != nil {
			x.forget(company, f)
			return err
		}
		at = f.at()
	}
	for at < revision {
		changes, err := x.store.Changes(ctx, company, at, changesRead)
		if errors.Is(err, ErrFeedPruned) {
			x.forget(company, f)
		}
		if err != nil {
			return err
		}
		if len(changes) == 0 {
			return fmt.Errorf("the feed of company %s ends at revision %d, before %d", company, at, revision)
		}
		if err := x.apply(ctx, company, f, changes); err != nil {
			return err
		}
		at = changes[len(changes)-1].Revision
		f.set(at)
		f.index.Tidy()
	}
	return x.fit(company, f, at)
}

// load makes a company's index: from its file, or from all of its documents. What is
// written meanwhile is seen again when the feed is followed from the revision noted
// before.
func (x *indexes) load(ctx context.Context, company string, f *followed, revision int64) error {
	if ok, err := x.resume(ctx, company, f, revision); ok || err != nil {
		return err
	}
	b := f.index.Builder()
	after := ""
	for {
		docs, err := x.store.LiveDocuments(ctx, company, after, loadBytes)
		if err != nil {
			return err
		}
		if len(docs) == 0 {
			break
		}
		ids := make([]string, len(docs))
		for i, d := range docs {
			b.Put(indexed(d))
			ids[i] = d.ID
		}
		if err := x.loadVectors(ctx, company, f, ids); err != nil {
			return err
		}
		if err := x.fit(company, f, revision); err != nil {
			return err
		}
		after = docs[len(docs)-1].ID
	}
	b.Close()
	f.index.Maintain(ctx)
	f.set(revision)
	x.log.DebugContext(ctx, "index loaded", "company", company, "revision", revision, "passages", f.index.Passages(), "vectors", f.vectors.Len(), "bytes", f.bytes())
	return nil
}

// apply brings the documents of some changes to the state they have now.
func (x *indexes) apply(ctx context.Context, company string, f *followed, changes []Change) error {
	var ids []string
	seen := map[string]bool{"": true} // an entry without a document is of a calibration
	for _, c := range changes {
		if !seen[c.DocumentID] {
			seen[c.DocumentID] = true
			ids = append(ids, c.DocumentID)
		}
	}
	return x.refresh(ctx, company, f, ids)
}

// refresh brings documents to the state they have in the store. The file of an index
// that one of them is gone from is removed.
func (x *indexes) refresh(ctx context.Context, company string, f *followed, ids []string) error {
	out := make([]index.Change, 0, len(ids))
	gone := false
	for _, id := range ids {
		d, err := x.store.LiveDocument(ctx, company, id)
		switch {
		case errors.Is(err, store.ErrNotFound):
			out, gone = append(out, index.Change{Delete: id}), true
		case err != nil:
			return err
		default:
			if stamp, ok := f.index.Stamp(d.ID); ok && stamp == d.UpdatedAt.UnixMicro() {
				continue // it has got vectors, and nothing else is new
			}
			out = append(out, index.Change{Put: indexed(d)})
		}
	}
	f.index.Take(f.index.Prepare(out))
	if gone {
		x.files.remove(company)
		f.saved = 0
	}
	return x.loadVectors(ctx, company, f, ids)
}

// fit frees the least recently used indexes of others until all are within the
// budget, or returns [ErrTooLarge] if this one alone is not at a revision.
func (x *indexes) fit(company string, f *followed, revision int64) error {
	own := f.bytes()
	if own > x.budget {
		err := fmt.Errorf("company %s: its index needs more than %d bytes: %w: raise IndexMemory, which is %d", company, own, ErrTooLarge, x.budget)
		x.forget(company, f)
		x.mu.Lock()
		defer x.mu.Unlock()
		x.refused[company] = refusal{err: err, revision: revision}
		x.log.Warn("index too large", "company", company, "bytes", own)
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.refused, company)
	for {
		total, oldest := int64(0), ""
		for c, g := range x.byCompany {
			total += g.bytes()
			if g != f && g.at() >= 0 && (oldest == "" || g.used < x.byCompany[oldest].used) {
				oldest = c
			}
		}
		if total <= x.budget || oldest == "" {
			return nil
		}
		delete(x.byCompany, oldest)
		x.log.Debug("index freed", "company", oldest)
	}
}

// forget drops an index that is of no use.
func (x *indexes) forget(company string, f *followed) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byCompany[company] == f {
		delete(x.byCompany, company)
	}
}

// indexed is what the index knows of a document.
func indexed(d Live) *index.Document {
	out := &index.Document{
		ID: d.ID, Version: d.Version, AgentID: d.AgentID, Metadata: d.Metadata, URL: d.URL, ExternalID: d.ExternalID,
		Language: d.Language, Stamp: d.UpdatedAt.UnixMicro(),
		Fields:   map[string]string{"$kind": string(d.Kind), "$language": d.Language, "$source_id": d.SourceID},
		Passages: make([]index.Passage, len(d.Passages)),
	}
	if _, own := d.Metadata["title"]; d.Kind == KindContent && !own { // over HTTP it stands in the metadata
		out.Metadata = maps.Clone(d.Metadata)
		if out.Metadata == nil {
			out.Metadata = map[string]any{}
		}
		out.Metadata["title"] = d.Title
	}
	for i, p := range d.Passages {
		out.Passages[i] = index.Passage{
			Ordinal: p.Ordinal, Title: d.Title, Heading: headingText(p.Heading), Body: p.Text, Questions: d.Questions,
		}
	}
	return out
}
