package e2e

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/failpoint"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// between is where a mutant is killed.
const between = "mutant.between"

// mutate returns a store that breaks a promise, by the name of the mutant, or st
// itself. Nobody can tell the first three from st without a crash at the wrong
// moment; the others are found by who uses two servers.
func mutate(name string, st answerdesk.Store) answerdesk.Store {
	switch name {
	case "event after":
		return apart{Store: st}
	case "event before":
		return apart{Store: st, before: true}
	case "early":
		return &early{Store: st}
	case "unclaimed":
		return unclaimed{st}
	case "behind":
		return &behind{Store: st}
	case "late":
		return late{st}
	}
	return st
}

// apart writes the events of a turn in a transaction of their own, beside that
// of the turn.
type apart struct {
	answerdesk.Store
	before bool
}

func (a apart) BeginTurn(ctx context.Context, c store.Commit, b agent.Begin) (agent.Turn, error) {
	events := c.Events
	c.Events = nil
	t, err := a.Store.BeginTurn(ctx, c, b)
	if err != nil {
		return t, err
	}
	if t.Number > 1 {
		events = events[1:] // without the one that the conversation was started
	}
	return t, a.tell(ctx, c.Company, t.ConversationID, events)
}

func (a apart) EndTurn(ctx context.Context, c store.Commit, t agent.TurnRef, e agent.End) error {
	events := c.Events
	c.Events = nil
	steps := []func() error{
		func() error { return a.Store.EndTurn(ctx, c, t, e) },
		func() error { return a.tell(ctx, c.Company, t.ConversationID, events) },
	}
	if a.before {
		slices.Reverse(steps)
	}
	if err := steps[0](); err != nil {
		return err
	}
	failpoint.At(between)
	return steps[1]()
}

func (a apart) tell(ctx context.Context, company, conversation string, events []event.Event) error {
	events = slices.Clone(events)
	for i := range events {
		events[i].Stream, events[i].Refs.ConversationID = conversation, conversation
	}
	return a.Store.Enqueue(ctx, store.Commit{Company: company, Events: events})
}

// early acknowledges queued work before it is committed, which is when more is
// queued.
type early struct {
	answerdesk.Store
	commit func() error // what is still to be done
}

func (e *early) Enqueue(ctx context.Context, c store.Commit) error {
	failpoint.At(between)
	err := e.flush()
	e.commit = func() error { return e.Store.Enqueue(context.WithoutCancel(ctx), c) }
	return err
}

func (e *early) flush() error {
	if e.commit == nil {
		return nil
	}
	return e.commit()
}

// unclaimed does the work of every request, also of one that was made before.
type unclaimed struct{ answerdesk.Store }

func (u unclaimed) ClaimReceipt(ctx context.Context, c store.ReceiptClaim) (store.ReceiptState, error) {
	c.Key += rand.Text()
	return u.Store.ClaimReceipt(ctx, c)
}

// behind looks only now and then how far the knowledge has come.
type behind struct {
	answerdesk.Store
	mu       sync.Mutex
	revision int64
	looked   time.Time
}

func (b *behind) Revision(ctx context.Context, company string) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Since(b.looked) < 5*time.Second {
		return b.revision, nil
	}
	var err error
	b.revision, err = b.Store.Revision(ctx, company)
	b.looked = time.Now()
	return b.revision, err
}

// late acknowledges a delete before it is done.
type late struct{ answerdesk.Store }

func (l late) DeleteDocument(ctx context.Context, c store.Commit, id string) (knowledge.Deleted, error) {
	time.AfterFunc(time.Minute, func() { _, _ = l.Store.DeleteDocument(context.WithoutCancel(ctx), c, id) })
	revision, err := l.Store.Revision(ctx, c.Company)
	return knowledge.Deleted{DocumentID: id, Versions: 1, Revision: revision, DeletedAt: time.Now()}, err
}
