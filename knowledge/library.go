package knowledge

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/internal/secretbox"
	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/store"
)

// DefaultIndexMemory is what the indexes of all companies may take together, in
// bytes.
const DefaultIndexMemory = 512 << 20

// MaxStaleness is the most that [Options.Staleness] may be.
const MaxStaleness = time.Minute

// Options are what may be chosen about a library. The zero value suits most.
type Options struct {
	// IndexMemory is what the indexes of all companies may take together, in
	// bytes; 0 means [DefaultIndexMemory]. The least recently used make room
	// for others. A company too large for it alone is refused with
	// [ErrTooLarge].
	IndexMemory int64

	// IndexFolder is where indexes are written to files, for the next process to begin
	// with: without them, or with files that do not fit the store, a large company's
	// documents are read anew. It is made when it is needed, for its owner alone.
	// Libraries of several processes on one store may share it. Empty: no files.
	IndexFolder string

	// Staleness is how old the knowledge may be that a search is made in, from
	// 0 to [MaxStaleness]. With 0 every search first asks the store for the
	// company's revision, so that a write that has returned, in any process, is
	// found. Otherwise an index that has caught up less than that ago is searched
	// without asking, unless this library itself has written since or
	// [Query.MinRevision] is more than it has. What was deleted is not found
	// either way.
	Staleness time.Duration

	// Embedder makes vectors of passages and of questions, by which passages are
	// found that say the same in other words. Passages get theirs in the
	// background, and are found by their words until then; so are all when a
	// question cannot be embedded within two seconds. When another embedder takes
	// its place, vectors are made anew. Nil: passages are found by words alone.
	Embedder llm.Embedder

	// Fusion says how what words and vectors find becomes one list.
	Fusion Fusion

	// HTTPClient is what sources are read with: an egress client, which decides
	// what may be reached. Nil means that no source can be read.
	HTTPClient *http.Client

	// Keyring seals the secrets that APIs are asked with. Nil means that none can
	// be kept.
	Keyring secretbox.Keyring

	// Crawl says how websites are visited with HTTPClient. Nil means the defaults
	// on its fields, but for MaxTime and MaxBytes, which are five hours and three
	// quarters and 16 GiB.
	Crawl *crawl.Options

	// Logger is told when an index is loaded, freed or too large; nil is
	// silence.
	Logger *slog.Logger
}

// A Library holds the knowledge of all companies in a store, and their indexes.
// It is safe for use by many goroutines.
type Library struct {
	store     Store
	sources   SourceStore
	runs      RunStore
	indexes   *indexes
	fusion    Fusion
	scales    calibrations
	client    *http.Client                // that sources are read with; nil: none can be
	crawler   *crawl.Crawler              // over client
	embedding *embedding                  // nil: passages have no vectors
	box       *secretbox.Box              // for secrets; nil: none can be kept
	runner    atomic.Pointer[work.Runner] // that does the runs, once there is one
}

// New returns the library in s. A nil opts means the defaults written on
// [Options]. It panics if Staleness, Fusion or Crawl is out of bounds.
func New(s Store, opts *Options) *Library {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.IndexMemory == 0 {
		o.IndexMemory = DefaultIndexMemory
	}
	if o.Staleness < 0 || o.Staleness > MaxStaleness {
		panic(fmt.Sprintf("knowledge: Staleness %v is not between 0 and %v", o.Staleness, MaxStaleness))
	}
	if w := o.Fusion.Weight; w < 0 || w >= 1 || w != w {
		panic(fmt.Sprintf("knowledge: Fusion.Weight %v is not above 0 and below 1", w))
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	l := &Library{store: s, sources: s, runs: s, indexes: newIndexes(s, o), fusion: o.Fusion, client: o.HTTPClient}
	l.embedding = newEmbedding(s, l.indexes, o)
	if o.HTTPClient != nil {
		crawler, err := crawl.New(o.HTTPClient, crawlOptions(o.Crawl))
		if err != nil {
			panic(fmt.Sprintf("knowledge: %v", err))
		}
		l.crawler = crawler
	}
	if o.Keyring != nil {
		l.box = secretbox.New(o.Keyring)
	}
	return l
}

// wake has a queue looked at at once, where this process does its work.
func (l *Library) wake(queue string) {
	if r := l.runner.Load(); r != nil {
		r.Wake(queue)
	}
}

// Company returns the knowledge of one company. It is a handle: making one costs
// nothing.
func (l *Library) Company(company string) *Base { return &Base{lib: l, company: company} }

// Revision is that of [Base.Revision], for whoever holds a library alone.
func (l *Library) Revision(ctx context.Context, company string) (int64, error) {
	return l.store.Revision(ctx, company)
}

// A Base is the knowledge of one company.
type Base struct {
	lib     *Library
	company string
	request store.Request
}

// By returns the same knowledge with its steps put down to a request. Each step
// that writes notes in the audit log who asked: document.put, document.update or
// document.delete. The request's receipt, if it has one, is completed in the
// commit of the step, with what [ParseResult] reads.
func (b *Base) By(r store.Request) *Base {
	by := *b
	by.request = r
	return &by
}

// commit returns what a step writes besides its own rows, without a receipt. An
// empty object is filled in by the store.
func (b *Base) commit(action, object string) store.Commit {
	return b.request.Audited(b.request.Commit(b.company), id.New(id.Audit), action, object, time.Now().UTC())
}

// result returns what the request's receipt says so far.
func (b *Base) result() string {
	if b.request.Receipt == nil {
		return ""
	}
	return b.request.Receipt.Result
}

// parse returns the canonical form of an id of a document, or the error for one
// that is not there: an id of another shape names nothing.
func parse(s string) (string, error) {
	canonical, err := id.Parse(id.Document, s)
	if err != nil {
		return "", store.NotFound("document", clip(s, 64))
	}
	return canonical, nil
}
