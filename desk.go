package answerdesk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/extractive"
	"github.com/answerdesk-go/answerdesk/agent/generative"
	"github.com/answerdesk-go/answerdesk/internal/egress"
	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// A Store keeps everything a desk knows: the union of what the rooms need.
// [sqlite.Store] is one, and that of package store/postgres another.
type Store interface {
	access.Store
	agent.Store
	knowledge.Store
	work.Store
	store.Log
	store.Receipts
	store.Auditor
}

// Options are what may be chosen about a desk. The zero value suits most.
type Options struct {
	// Model is a language model that writes the replies, as [generative.New] does; nil:
	// replies quote, as [extractive.New] does. When it fails, replies quote too.
	Model llm.Model

	// Models are further models, by the names that agents' settings choose them by.
	Models map[string]llm.Model

	// Answerer writes the replies in place of the two.
	Answerer agent.Answerer

	// Tools are what agents can do besides answering. Which of them an agent may use
	// is said by its settings.
	Tools []agent.Tool

	// Retriever finds the passages; nil means the desk's own knowledge.
	Retriever agent.Retriever

	// Middleware wraps every turn, and ToolMiddleware every call of one of the Tools,
	// the first one outermost.
	Middleware     []agent.Middleware
	ToolMiddleware []agent.ToolMiddleware

	// Embedder makes vectors of passages and questions, by which passages are found
	// that say the same in other words; nil: they are found by words alone. See
	// [knowledge.Options]. [Desk.Run] gives passages theirs.
	Embedder llm.Embedder

	// Fusion says how what words and vectors find becomes one list.
	Fusion knowledge.Fusion

	// IndexMemory is what the indexes of all companies may take together, in
	// bytes; 0 means [knowledge.DefaultIndexMemory].
	IndexMemory int64

	// IndexFolder is where the indexes of large companies are kept between one
	// process and the next. Empty means the folder "index" in that of [Open], and none
	// for [New].
	IndexFolder string

	// Staleness is how old the knowledge may be that an answer is made from, from
	// 0 to [knowledge.MaxStaleness]. With 0, the default, every search asks the
	// store for the revision of the knowledge first: a write that was
	// acknowledged anywhere is in the next answer everywhere. With more, answers
	// cost the store less, and a write of another process may be missing from
	// them for that long, unless they ask for it: see
	// [knowledge.Query.MinRevision]. What was deleted is missing at once.
	Staleness time.Duration

	// AllowNetworks are ranges of addresses that sources may be read from although
	// they are private, such as 10.20.0.0/16; loopback addresses are, too. Public
	// addresses need no leave.
	AllowNetworks []netip.Prefix

	// HTTPClient reads sources in place of a client that holds AllowNetworks: it
	// decides what may be reached, and redirects and sizes. For networks whose way
	// out is a proxy.
	HTTPClient *http.Client

	// Keyring seals secrets, such as the tokens that APIs are asked with. Nil means
	// the keys of the environment variable ANSWERDESK_MASTER_KEY and, for [Open],
	// [Keys] of its folder. Without one no secret can be kept.
	Keyring Keyring

	// Retention says how long things are kept that only add up.
	Retention knowledge.Retention

	// DrainTimeout is how long Close waits for turns that run; 0 means 10 s.
	DrainTimeout time.Duration

	// Migrate says what [Open] does with a database of an older version;
	// empty means [store.MigrateAuto].
	Migrate store.Migrate

	// Logger is told what goes wrong, without customers' words; nil is silence.
	Logger *slog.Logger
}

// A preparer is a store that connects, and brings its schema up to date, when a
// desk is opened on it.
type preparer interface {
	Prepare(ctx context.Context) error
}

// first is the company whose methods a desk has.
type first = Company

// A Desk answers the customers of its companies. Its own methods Agent,
// Knowledge and so on are those of the first company, the operator's; [Desk.Company]
// returns another one's. It is safe for use by many goroutines.
type Desk struct {
	*first
	store   Store
	agents  *agent.Engine
	library *knowledge.Library
	opts    Options
	log     *slog.Logger

	closing sync.Once
	closed  error
	release func() error // closes the store if it is the desk's own
}

// Open opens a desk that keeps its data in the folder dir, making it on first
// use. A nil opts means the defaults written on [Options].
func Open(ctx context.Context, dir string, opts *Options) (*Desk, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	st, err := sqlite.Open(ctx, dir, &sqlite.Options{Migrate: o.Migrate})
	if err != nil {
		return nil, err
	}
	if o.Keyring == nil {
		o.Keyring = Keys(dir, o.Logger)
	}
	if o.IndexFolder == "" {
		o.IndexFolder = filepath.Join(dir, "index")
	}
	d, err := New(ctx, st, &o)
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	d.release = st.Close
	return d, nil
}

// New returns a desk on a store, which the caller closes after the desk.
func New(ctx context.Context, st Store, opts *Options) (*Desk, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.DrainTimeout == 0 {
		o.DrainTimeout = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Staleness < 0 || o.Staleness > knowledge.MaxStaleness {
		return nil, fmt.Errorf("Options.Staleness is %v: it must be between 0 and %v", o.Staleness, knowledge.MaxStaleness)
	}
	if w := o.Fusion.Weight; !(w >= 0 && w < 1) {
		return nil, fmt.Errorf("Options.Fusion.Weight is %v: it must be from 0, which means the default, to less than 1", w)
	}
	if err := agent.CheckTools(o.Tools); err != nil {
		return nil, fmt.Errorf("Options.Tools: %w", err)
	}
	if o.Model == nil && len(o.Models) > 0 {
		return nil, errors.New("Options.Models are further models: Options.Model must be given too")
	}
	if o.HTTPClient == nil {
		var err error
		if o.HTTPClient, err = wayOut(o); err != nil {
			return nil, err
		}
	}
	if o.Keyring == nil {
		var err error
		if o.Keyring, err = envKeys(); err != nil {
			return nil, err
		}
	}
	d := &Desk{store: st, opts: o, log: o.Logger, release: func() error { return nil }}
	d.library = knowledge.New(st, &knowledge.Options{
		Embedder: o.Embedder, Fusion: o.Fusion, IndexMemory: o.IndexMemory, IndexFolder: o.IndexFolder, Staleness: o.Staleness, HTTPClient: o.HTTPClient, Keyring: o.Keyring, Logger: o.Logger,
	})
	if o.Retriever == nil {
		o.Retriever = d.library
	}
	d.agents = agent.New(st, o.Retriever, o.answerer(), &agent.Options{
		Middleware: o.Middleware, Tools: o.Tools, ToolMiddleware: o.ToolMiddleware, Logger: o.Logger,
	})

	if p, ok := st.(preparer); ok {
		if err := p.Prepare(ctx); err != nil {
			return nil, err
		}
	}
	operator, err := d.Companies().First(ctx)
	if err != nil {
		return nil, fmt.Errorf("first company: %w", err)
	}
	d.first = &Company{desk: d, id: operator.ID}
	return d, nil
}

// answerer returns who writes the replies.
func (o Options) answerer() agent.Answerer {
	quotes := extractive.New(nil)
	switch {
	case o.Answerer != nil:
		return o.Answerer
	case o.Model != nil:
		return generative.New(o.Model, &generative.Options{Models: o.Models, Fallback: quotes})
	}
	return quotes
}

// maxFetched bounds the body of one answer that a source is read from: the largest
// sitemap there may be.
const maxFetched = 50 << 20

// wayOut returns the client that sources are read with. Websites are read as they
// are, so plain http and the ports of programs are allowed.
func wayOut(o Options) (*http.Client, error) {
	out, err := egress.New(&egress.Options{
		Allow: o.AllowNetworks, AllowHTTP: true, HighPorts: true, MaxBody: maxFetched, Timeout: time.Minute, Logger: o.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("Options.AllowNetworks: %w", err)
	}
	return out.HTTP(), nil
}

// Companies creates, lists and deletes companies.
func (d *Desk) Companies() *access.Companies { return access.NewCompanies(d.store) }

// Authenticate says who shows an API key. Its errors wrap [access.ErrInvalidKey] or
// [access.ErrExpiredKey], or are those of the store.
func (d *Desk) Authenticate(ctx context.Context, secret string) (access.Principal, error) {
	return access.Authenticate(ctx, d.store, secret)
}

// Ping returns an error if the store does not answer.
func (d *Desk) Ping(ctx context.Context) error {
	_, err := d.store.Company(ctx, d.ID())
	return err
}

// Drain lets the turns that run end and begins no new one. When ctx ends before
// they have, they are cancelled.
func (d *Desk) Drain(ctx context.Context) error { return d.agents.Drain(ctx) }

// Close drains the desk, for as long as [Options.DrainTimeout] says, and closes
// the store if [Open] opened it. It may be called twice. Stop Run first.
func (d *Desk) Close() error {
	d.closing.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), d.opts.DrainTimeout)
		defer cancel()
		_ = d.Drain(ctx) // whatever was cut short has its failure on record
		if err := errors.Join(d.library.Save(ctx), d.library.Tidy(ctx)); err != nil {
			d.log.Warn("the indexes could not be kept for the next start, which takes longer", "error", err)
		}
		d.closed = d.release()
	})
	return d.closed
}
