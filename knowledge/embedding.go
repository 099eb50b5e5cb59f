package knowledge

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/vectors"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/store"
)

const (
	queueEmbeddings = "embeddings"
	keyEmbeddings   = "passages" // of a company: one worker embeds its passages

	embeddedAtOnce = 64      // passages whose vectors are asked for, and stored, at a time
	embeddedBytes  = 8 << 10 // of a passage's text with what stands above it
	droppedAtOnce  = 1000    // vectors of another space
	fewDocuments   = 2000    // of changed ones, that are looked at one by one
	vectorsRead    = 512     // documents whose vectors are read at a time
	questionTime   = 2 * time.Second
	queuedAgain    = 10 * time.Minute // after which work is queued for a company that still lacks vectors
)

// An embedding gives passages vectors. What it knows is of this process; the rows
// are the truth.
type embedding struct {
	store    Store
	embedder llm.Embedder
	space    string
	indexes  *indexes
	log      *slog.Logger

	mu      sync.Mutex
	covered map[string]int64 // by company: the revision up to which every passage has been looked at
	queued  map[string]time.Time
}

func newEmbedding(s Store, x *indexes, o Options) *embedding {
	if o.Embedder == nil {
		return nil
	}
	return &embedding{
		store: s, embedder: o.Embedder, space: o.Embedder.Space(), indexes: x, log: o.Logger,
		covered: map[string]int64{}, queued: map[string]time.Time{},
	}
}

// queue is how the work is done: that of a company by one worker at a time, for as
// long as it takes.
func (e *embedding) queue(backoff []time.Duration) work.Queue {
	return work.Queue{
		Name: queueEmbeddings, Ordered: true, Parallel: 2, Timeout: runTimeout, Backoff: backoff, MaxAttempts: 1 << 20,
		Handler: func(ctx context.Context, l store.Lease, _ store.Job) error { return e.embed(ctx, l.Company) },
	}
}

// work is what a commit that writes passages queues.
func (e *embedding) work() []store.Work {
	if e == nil {
		return nil
	}
	return []store.Work{{ID: id.New(id.Work), Queue: queueEmbeddings, Key: keyEmbeddings}}
}

// Embed queues the work of giving a company's passages vectors, if some lack them:
// because the desk had no embedder when they were written, or another one. It is
// called now and then for each company; without [Options.Embedder] it does nothing.
func (l *Library) Embed(ctx context.Context, company string) error {
	e := l.embedding
	if e == nil {
		return nil
	}
	revision, err := e.store.Revision(ctx, company)
	if errors.Is(err, store.ErrNotFound) || err == nil && revision == e.coveredUpTo(company) {
		return nil
	}
	if err != nil {
		return err
	}
	e.mu.Lock()
	recent := time.Since(e.queued[company]) < queuedAgain
	e.mu.Unlock()
	if recent {
		return nil
	}
	lacks := false
	for _, err := range e.lacking(ctx, company) {
		if err != nil {
			return err
		}
		lacks = true
		break
	}
	if !lacks && e.coveredUpTo(company) >= 0 { // the vectors of another space are gone, too
		e.cover(company, revision)
		return nil
	}
	e.mu.Lock()
	e.queued[company] = time.Now()
	e.mu.Unlock()
	if _, err := e.store.WriteDocuments(ctx, store.Commit{Company: company, Work: e.work()}, nil); err != nil {
		return err
	}
	l.wake(queueEmbeddings)
	return nil
}

// coveredUpTo returns the revision up to which every passage of a company has been
// looked at, or -1.
func (e *embedding) coveredUpTo(company string) int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if at, ok := e.covered[company]; ok {
		return at
	}
	return -1
}

func (e *embedding) cover(company string, revision int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.covered[company] = revision
}

// embed gives every passage of a company a vector that has none, and then removes
// those of other spaces.
func (e *embedding) embed(ctx context.Context, company string) error {
	revision, err := e.store.Revision(ctx, company)
	if errors.Is(err, store.ErrNotFound) {
		return nil // it was deleted
	}
	if err != nil {
		return err
	}
	first := e.coveredUpTo(company) < 0
	for passages, err := range e.lacking(ctx, company) {
		if err != nil {
			return err
		}
		for some := range slices.Chunk(passages, embeddedAtOnce) {
			if err := e.give(ctx, company, some); err != nil {
				return e.failed(ctx, company, err)
			}
		}
	}
	e.cover(company, revision)
	for first {
		n, err := e.store.DropVectors(ctx, company, e.space, droppedAtOnce)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if n < droppedAtOnce {
			break
		}
	}
	return nil
}

// lacking yields the passages of a company without a vector, those of a document
// together: all there are, or those of what has changed since it was last covered.
func (e *embedding) lacking(ctx context.Context, company string) iter.Seq2[[]Passage, error] {
	return func(yield func([]Passage, error) bool) {
		if from := e.coveredUpTo(company); from >= 0 {
			docs, ok, err := e.changed(ctx, company, from)
			if err != nil {
				yield(nil, err)
				return
			}
			if ok {
				e.lackingOf(ctx, company, docs, yield)
				return
			}
		}
		for after := ""; ; {
			passages, err := e.store.Unembedded(ctx, company, e.space, after, 4*embeddedAtOnce)
			if len(passages) == 0 && err == nil || !yield(passages, err) || err != nil {
				return
			}
			after = passages[len(passages)-1].DocumentID
		}
	}
}

// changed returns the documents that have changed after a revision, or false if
// they are too many to look at one by one.
func (e *embedding) changed(ctx context.Context, company string, after int64) (docs []string, ok bool, err error) {
	seen := map[string]bool{"": true}
	for len(docs) <= fewDocuments {
		changes, err := e.store.Changes(ctx, company, after, changesRead)
		if errors.Is(err, ErrFeedPruned) {
			return nil, false, nil
		}
		if err != nil || len(changes) == 0 {
			return docs, err == nil, err
		}
		for _, c := range changes {
			if !seen[c.DocumentID] {
				seen[c.DocumentID] = true
				docs = append(docs, c.DocumentID)
			}
		}
		after = changes[len(changes)-1].Revision
	}
	return nil, false, nil
}

// lackingOf yields the passages of some documents without a vector.
func (e *embedding) lackingOf(ctx context.Context, company string, docs []string, yield func([]Passage, error) bool) {
	for some := range slices.Chunk(docs, vectorsRead) {
		all, err := e.store.Vectors(ctx, company, e.space, some)
		if err != nil {
			yield(nil, err)
			return
		}
		has := make(map[Ref]bool, len(all))
		for _, v := range all {
			has[v.Ref] = true
		}
		for _, docID := range some {
			d, err := e.store.LiveDocument(ctx, company, docID)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			var passages []Passage
			for _, p := range d.Passages {
				if p.Title = d.Title; !has[p.Ref] {
					passages = append(passages, p)
				}
			}
			if (len(passages) > 0 || err != nil) && (!yield(passages, err) || err != nil) {
				return
			}
		}
	}
}

// give embeds passages and stores their vectors. A passage that alone is too large
// for the embedder goes without.
func (e *embedding) give(ctx context.Context, company string, passages []Passage) error {
	texts := make([]string, len(passages))
	for i, p := range passages {
		texts[i] = embeddedText(p)
	}
	out, err := e.embedder.Embed(ctx, llm.Passage, texts)
	if large, ok := errors.AsType[*llm.Error](err); ok && large.Kind == llm.TooLarge {
		if half := len(passages) / 2; half > 0 {
			if err := e.give(ctx, company, passages[:half]); err != nil {
				return err
			}
			return e.give(ctx, company, passages[half:])
		}
		e.log.WarnContext(ctx, "a passage is too large for the embedder", "company", company, "document", passages[0].DocumentID, "ordinal", passages[0].Ordinal)
		return nil
	}
	if err != nil {
		return err
	}
	if len(out.Vectors) != len(passages) {
		return fmt.Errorf("the embedder of space %s returned %d vectors for %d texts", e.space, len(out.Vectors), len(passages))
	}
	given := make([]PassageVector, len(passages))
	var docs []string
	for i, v := range out.Vectors {
		if err := vectors.Check(v, len(out.Vectors[0])); err != nil {
			return fmt.Errorf("the embedder of space %s: %w", e.space, err)
		}
		given[i] = PassageVector{Ref: passages[i].Ref, Vector: v}
		docs = append(docs, passages[i].DocumentID)
	}
	revision, err := e.store.PutVectors(ctx, store.Commit{Company: company}, e.space, given)
	if errors.Is(err, store.ErrNotFound) {
		return nil // the company was deleted
	}
	if err != nil {
		return err
	}
	e.indexes.followVectors(ctx, company, slices.Compact(docs), revision)
	return nil
}

// embeddedText is what the vector of a passage is made of: the title, the headings
// above it and its text, each on lines of their own, cut off at a bound.
func embeddedText(p Passage) string {
	text := strings.Join(append(append([]string{p.Title}, p.Heading...), p.Text), "\n")
	return strings.TrimSpace(clip(text, embeddedBytes))
}

// failed logs of what kind an error of the embedder is, and returns it with its
// class. Nothing of it is shown that might hold texts.
func (e *embedding) failed(ctx context.Context, company string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	failure := &embedError{kind: kindOfFailure(err), err: err}
	e.log.WarnContext(ctx, "passages could not be embedded", "company", company, "space", e.space, "kind", failure.kind)
	return failure
}

// An embedError is an error of an embedder, which work remembers by its kind.
type embedError struct {
	kind string
	err  error
}

func (e *embedError) Error() string { return "embedding: " + e.kind }
func (e *embedError) Unwrap() error { return e.err }

// Class is the kind of error, for [work.Queue].
func (e *embedError) Class() string { return e.kind }

// kindOfFailure names what went wrong in one word.
func kindOfFailure(err error) string {
	if known, ok := errors.AsType[*llm.Error](err); ok {
		return string(known.Kind)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "timeout"
	}
	return "error"
}

// question returns the vector of a question, in a short time or not at all.
func (e *embedding) question(ctx context.Context, text string) ([]float32, error) {
	ctx, cancel := context.WithTimeout(ctx, questionTime)
	defer cancel()
	out, err := e.embedder.Embed(ctx, llm.Question, []string{text})
	if err != nil {
		return nil, err
	}
	if len(out.Vectors) != 1 {
		return nil, fmt.Errorf("the embedder of space %s returned %d vectors for a question", e.space, len(out.Vectors))
	}
	return out.Vectors[0], nil
}
