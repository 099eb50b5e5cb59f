package agent

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// Options are what may be chosen about an engine. The zero value suits most.
type Options struct {
	// Middleware wraps every turn, the first one outermost.
	Middleware []Middleware

	// Tools are what agents can do besides answering: see [CheckTools]. Which of
	// them an agent may call is said by its settings.
	Tools []Tool

	// ToolMiddleware wraps every call of these, the first one outermost.
	ToolMiddleware []ToolMiddleware

	// ApprovalTimeout is how long a call waits to be approved; 0 means 10 minutes.
	ApprovalTimeout time.Duration

	// Lease is how long a turn is safe from being taken over when its process
	// stops answering; 0 means 10 s. It is renewed while the turn runs.
	Lease time.Duration

	// TurnTimeout is how long a turn may take, without the time that it waits for
	// a call to be approved or answered; 0 means 2 minutes.
	TurnTimeout time.Duration

	// Unread is how long a turn that was streamed goes on when nobody reads
	// the stream any more; 0 means 30 s. While it waits for a call to be approved
	// or answered, it is not ended.
	Unread time.Duration

	// MaxWaiting is how many messages may wait for the turn of their
	// conversation in this process; 0 means 16.
	MaxWaiting int

	// Logger is told what goes wrong, without customers' words; nil is silence.
	Logger *slog.Logger
}

// An Engine runs the turns of all companies' agents. It is safe for use by many
// goroutines.
type Engine struct {
	store     Store
	retriever Retriever
	answer    TurnFunc
	answerer  Answerer
	opts      Options
	worker    string

	lines   lines
	schemas shelf
	waiters waiters
	drained chan struct{} // closed when it is draining

	mu       sync.Mutex
	live     map[string]*running // by the id of the reply
	unheard  map[string]*running // the streamed ones that ended before anybody read them
	draining bool                // no turn begins any more
	cut      bool                // and those that run are to end
	turns    sync.WaitGroup
}

// New returns an engine that keeps its turns in s, finds passages with r and has
// replies written by a. A nil opts means the defaults written on [Options].
func New(s Store, r Retriever, a Answerer, opts *Options) *Engine {
	var o Options
	if opts != nil {
		o = *opts
	}
	defaultTo(&o.Lease, 10*time.Second)
	defaultTo(&o.TurnTimeout, 2*time.Minute)
	defaultTo(&o.Unread, 30*time.Second)
	defaultTo(&o.ApprovalTimeout, 10*time.Minute)
	defaultTo(&o.MaxWaiting, 16)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	e := &Engine{
		store: s, retriever: r, answerer: a, opts: o, worker: id.New(id.Work),
		drained: make(chan struct{}),
		live:    map[string]*running{}, unheard: map[string]*running{}, lines: lines{most: o.MaxWaiting, byKey: map[string]*line{}},
	}
	e.answer = e.fromKnowledge
	for i := len(o.Middleware) - 1; i >= 0; i-- {
		e.answer = o.Middleware[i](e.answer)
	}
	return e
}

func defaultTo[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Agent returns an agent of a company; "" is the company's default agent. It is a
// handle: making one costs nothing, and that there is no such agent shows when it
// is used.
func (e *Engine) Agent(company, agentID string) *Handle {
	return &Handle{engine: e, company: company, id: agentID}
}

// Drain lets the turns that run end, and begins no new one. Those that wait for a
// call to be approved or answered are left to other processes, or to this one when it
// is started again. When ctx ends before the rest have ended, it cancels those that
// are left, waits for them, and returns ctx's error.
func (e *Engine) Drain(ctx context.Context) error {
	e.mu.Lock()
	if !e.draining {
		e.draining = true
		close(e.drained)
	}
	e.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.turns.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	e.mu.Lock()
	e.cut = true
	for _, r := range e.live {
		r.cancel(ErrDraining)
	}
	e.mu.Unlock()
	<-done
	return ctx.Err()
}

// admit counts a turn that is to begin, or says that none does any more. Whoever
// then begins none calls turns.Done.
func (e *Engine) admit() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.draining {
		return ErrDraining
	}
	e.turns.Add(1)
	return nil
}

// Recover takes over turns whose process was lost, and ends them. It returns
// when no lapsed turn is left, or with the first error.
func (e *Engine) Recover(ctx context.Context) error {
	for {
		lapsed, err := e.store.LapsedTurns(ctx, 100)
		if err != nil || len(lapsed) == 0 {
			return err
		}
		for _, l := range lapsed {
			if err := e.takeOver(ctx, l.Company, l.ConversationID); err != nil {
				return err
			}
		}
	}
}

// takeOver ends the lapsed turn of a conversation, unless somebody else does, or
// brings it to where it waits for somebody.
func (e *Engine) takeOver(ctx context.Context, company, conversation string) error {
	r, err := e.take(ctx, company, conversation)
	if err != nil || r == nil {
		return err
	}
	waits, err := r.waitOrPark(ctx)
	if waits {
		return nil
	}
	if err != nil && ctx.Err() == nil {
		e.opts.Logger.WarnContext(ctx, "a turn that was taken over has failed", "company", company, "reply", r.turn.ReplyID, "error", err)
		return nil // it has ended all the same
	}
	return err
}

// take begins to answer the lapsed turn of a conversation; nil means that somebody
// else does.
func (e *Engine) take(ctx context.Context, company, conversation string) (*running, error) {
	if err := e.admit(); err != nil {
		return nil, err
	}
	t, err := e.store.TakeTurn(ctx, company, conversation, e.worker, e.opts.Lease)
	var a Agent
	if err == nil {
		a, err = e.store.Agent(ctx, company, t.Message.AgentID)
	}
	if err == nil {
		a.Languages, err = e.languages(ctx, company, a)
	}
	if err == nil { // what the message asked for is not known any more: the newest is at least that
		t.Message.MinRevision, _, err = e.revision(ctx, company)
	}
	if err != nil {
		e.turns.Done()
		if errors.Is(err, store.ErrNotFound) {
			return nil, nil
		}
		return nil, err
	}
	return e.start(context.WithoutCancel(ctx), &running{company: company, agent: a, turn: t}, func() {}), nil
}
