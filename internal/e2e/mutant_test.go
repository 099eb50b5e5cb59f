package e2e

import (
	"context"
	"slices"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/failpoint"
	"github.com/answerdesk-go/answerdesk/store"
)

// between is where a mutant is killed.
const between = "mutant.between"

// mutate returns a store that breaks a promise, by the name of the mutant, or st
// itself. Without a crash at the wrong moment nobody can tell it from st.
func mutate(name string, st answerdesk.Store) answerdesk.Store {
	switch name {
	case "event after":
		return apart{Store: st}
	case "event before":
		return apart{Store: st, before: true}
	case "early":
		return &early{Store: st}
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
