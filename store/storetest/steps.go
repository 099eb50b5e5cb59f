package storetest

import (
	"cmp"
	"context"
	"slices"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A step is a method that takes a commit.
type step struct {
	name string

	// ready brings a company to where the step can be made.
	ready func(t *testing.T, k *kit) attempt
}

// An attempt is a step that can be made.
type attempt struct {
	// good succeeds, once.
	good func(ctx context.Context, cm store.Commit) error

	// bad fails with an error wrapping want. It is nil for a step that only
	// its commit can make fail.
	bad  func(ctx context.Context, cm store.Commit) error
	want error

	// stream is what the events of the step's commit are about; "" if the
	// store writes the step's events itself.
	stream string

	// result is what the step writes into its receipt, instead of what the
	// commit says; "" if it leaves that alone.
	result string
}

// steps are all methods that take a commit, but for those that make and delete
// companies.
var steps = append([]step{
	{"CreateAgent", func(t *testing.T, k *kit) attempt {
		a := agent.Agent{ID: id.New(id.Agent), Settings: agent.Settings{Name: "New"}, Version: 1, CreatedAt: now(), UpdatedAt: now()}
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error { return k.CreateAgent(ctx, cm, a) },
			bad: func(ctx context.Context, cm store.Commit) error {
				return k.CreateAgent(ctx, cm, agent.Agent{ID: k.agent, Settings: a.Settings, Version: 1, CreatedAt: now()})
			},
			want: store.ErrConflict, stream: a.ID,
		}
	}},
	{"UpdateAgent", func(t *testing.T, k *kit) attempt {
		a, err := k.Agent(t.Context(), k.company, k.newAgent(t))
		ok(t, "Agent", err)
		a.Name = "Renamed"
		update := func(ctx context.Context, cm store.Commit, a agent.Agent) error {
			_, err := k.UpdateAgent(ctx, cm, a)
			return err
		}
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error { return update(ctx, cm, a) },
			bad: func(ctx context.Context, cm store.Commit) error {
				stale := a
				stale.Version = 9
				return update(ctx, cm, stale)
			},
			want: store.ErrConflict, stream: a.ID,
		}
	}},
	{"DeleteAgent", func(t *testing.T, k *kit) attempt {
		a := k.newAgent(t)
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error { return second(k.DeleteAgent(ctx, cm, a)) },
			bad:  func(ctx context.Context, cm store.Commit) error { return second(k.DeleteAgent(ctx, cm, k.agent)) },
			want: store.ErrConflict, stream: a,
		}
	}},
	{"BeginTurn", func(t *testing.T, k *kit) attempt {
		b := k.asks(agent.Message{})
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error {
				_, err := k.BeginTurn(ctx, cm, b)
				return err
			},
			bad: func(ctx context.Context, cm store.Commit) error {
				b := b
				b.Message.ConversationID = id.New(id.Conversation)
				_, err := k.BeginTurn(ctx, cm, b)
				return err
			},
			want: store.ErrNotFound, stream: b.NewConversation,
		}
	}},
	{"RecordStep", func(t *testing.T, k *kit) attempt {
		turn := k.begin(t, agent.Message{})
		s := agent.Step{CallID: id.New(id.Call), Name: "look up", State: agent.StepIntent, Data: []byte(`{}`), At: now()}
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error { return k.RecordStep(ctx, cm, turn.TurnRef, s) },
			bad: func(ctx context.Context, cm store.Commit) error {
				return k.RecordStep(ctx, cm, older(turn.TurnRef), s)
			},
			want: store.ErrFenced, stream: turn.ConversationID,
		}
	}},
	{"EndTurn", func(t *testing.T, k *kit) attempt {
		turn := k.begin(t, agent.Message{})
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error {
				return k.EndTurn(ctx, cm, turn.TurnRef, reply(turn, "At nine."))
			},
			bad: func(ctx context.Context, cm store.Commit) error {
				return k.EndTurn(ctx, cm, older(turn.TurnRef), reply(turn, "At ten."))
			},
			want: store.ErrFenced, stream: turn.ConversationID,
		}
	}},
	{"PutFeedback", func(t *testing.T, k *kit) attempt {
		turn := k.converse(t, agent.Message{})
		put := func(ctx context.Context, cm store.Commit, message string) error {
			_, err := k.PutFeedback(ctx, cm, agent.Feedback{MessageID: message, Rating: agent.RatingUp, CreatedAt: now(), UpdatedAt: now()})
			return err
		}
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error { return put(ctx, cm, turn.ReplyID) },
			bad:  func(ctx context.Context, cm store.Commit) error { return put(ctx, cm, turn.Message.ID) },
			want: store.ErrNotFound, stream: turn.ConversationID,
		}
	}},
	{"DeleteConversation", func(t *testing.T, k *kit) attempt {
		conversation := k.converse(t, agent.Message{}).ConversationID
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error {
				return second(k.DeleteConversation(ctx, cm, conversation))
			},
			bad: func(ctx context.Context, cm store.Commit) error {
				return second(k.DeleteConversation(ctx, cm, id.New(id.Conversation)))
			},
			want: store.ErrNotFound, stream: conversation,
		}
	}},
	{"WriteDocuments", func(t *testing.T, k *kit) attempt {
		write := func(ctx context.Context, cm store.Commit, w ...knowledge.Write) error {
			_, err := k.WriteDocuments(ctx, cm, w)
			return err
		}
		w := text("Hours", "We open at nine.", "We close at five.")
		unknown := text("Prices", "Bread is two euros.")
		unknown.ID = id.New(id.Document)
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error { return write(ctx, cm, w) },
			bad:  func(ctx context.Context, cm store.Commit) error { return write(ctx, cm, w, unknown) },
			want: store.ErrNotFound,
		}
	}},
	{"DeleteDocument", func(t *testing.T, k *kit) attempt {
		d := k.putOne(t, text("Hours", "We open at nine."))
		remove := func(ctx context.Context, cm store.Commit, doc string) error {
			_, err := k.DeleteDocument(ctx, cm, doc)
			return err
		}
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error { return remove(ctx, cm, d.ID) },
			bad:  func(ctx context.Context, cm store.Commit) error { return remove(ctx, cm, id.New(id.Document)) },
			want: store.ErrNotFound,
		}
	}},
	{"Enqueue", func(t *testing.T, k *kit) attempt {
		return attempt{
			good:   func(ctx context.Context, cm store.Commit) error { return k.Enqueue(ctx, cm) },
			stream: k.agent,
		}
	}},
}, slices.Concat(keySteps, sourceSteps, vectorSteps)...)

// older is a reference to a turn under a fence that was never given out.
func older(ref agent.TurnRef) agent.TurnRef {
	ref.Fence--
	return ref
}

// laden returns a commit of the attempt with one of everything that can ride along.
func (a attempt) laden(t *testing.T, k *kit) store.Commit {
	t.Helper()
	cm := laden(t, k, a.stream)
	cm.Receipt.Result = cmp.Or(a.result, cm.Receipt.Result)
	return cm
}

// laden returns a commit with one of everything that can ride along, under a
// claimed receipt. An event is among them if there is a stream for it.
func laden(t *testing.T, k *kit, stream string) store.Commit {
	t.Helper()
	c := k.claimed(t, "key", long)
	cm := store.Commit{
		Company: k.company,
		Work:    []store.Work{newWork("key")},
		Receipt: &store.Receipt{Scope: c.Scope, Key: c.Key, Fence: c.Fence, Result: id.New(id.Message), Done: true},
		Audit:   &store.Audit{ID: id.New(id.Event), Actor: "key_1", Action: "probe", Object: "thing", At: now()},
	}
	if stream != "" {
		cm.Events = []event.Event{tell(event.AgentUpdated, stream)}
	}
	return cm
}
