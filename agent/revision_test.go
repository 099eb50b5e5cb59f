package agent_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// staleDesk is another process on a store, whose knowledge may be a minute old.
func staleDesk(t testing.TB, st *sqlite.Store, p parts) *desk {
	t.Helper()
	p.Retriever = knowledge.New(st, &knowledge.Options{Staleness: time.Minute})
	return deskOn(t, st, p)
}

func (d *desk) revision(t testing.TB) int64 {
	t.Helper()
	r, err := d.knowledge().Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A forgetful store returns of a message what it stores of it.
type forgetful struct{ agent.Store }

func (s forgetful) BeginTurn(ctx context.Context, c store.Commit, b agent.Begin) (agent.Turn, error) {
	t, err := s.Store.BeginTurn(ctx, c, b)
	t.Message.MinRevision = 0
	return t, err
}

// What one process wrote is in the next reply of another one that may be stale, if
// the message asks for it.
func TestMinRevision(t *testing.T) {
	here := newDesk(t, parts{})
	there := staleDesk(t, here.store, parts{store: func(st *sqlite.Store) agent.Store { return forgetful{st} }})
	there.ask(t, whenOpen)
	here.put(t, hours)
	written := here.revision(t)

	if r := there.ask(t, whenOpen); r.Outcome != agent.Refuse || r.KnowledgeRevision >= written {
		t.Fatalf("Ask = %s from revision %d, want the knowledge as it was", r.Outcome, r.KnowledgeRevision)
	}
	m := whenOpen
	m.MinRevision = written
	if r := there.ask(t, m); r.Outcome != agent.Answer || r.KnowledgeRevision < written {
		t.Errorf("Ask from revision %d = %s from %d, want an answer", written, r.Outcome, r.KnowledgeRevision)
	}
}

// A message that asks for what is not there yet is refused before it is stored.
func TestMinRevisionNotReached(t *testing.T) {
	d := newDesk(t, parts{}, hours)
	next := d.revision(t) + 1
	for _, least := range []int64{-1, next} {
		m := agent.Message{Text: "When do you open?", MinRevision: least}
		_, asked := d.agent().Ask(t.Context(), m)
		_, started := d.agent().Start(t.Context(), m)
		_, streamed := d.agent().StartStream(t.Context(), m)
		for _, err := range []error{asked, started, streamed} {
			bad, ok := errors.AsType[*agent.InvalidError](err)
			if !ok || bad.Field != "min_revision" || !strings.Contains(bad.Reason, fmt.Sprint(least)) {
				t.Errorf("Ask from revision %d = error %v, want one that names min_revision and it", least, err)
			} else if least == next && !strings.Contains(bad.Reason, fmt.Sprint(next-1)) {
				t.Errorf("Ask from revision %d = error %v, want one that names the revision reached", least, err)
			}
		}
	}
	l, err := d.conversations().List(t.Context(), agent.ConversationFilter{}, store.Page{})
	if err != nil || len(l.Data) != 0 {
		t.Errorf("List = %d conversations, %v, want none: nothing was asked", len(l.Data), err)
	}
}

// recorded is a Retriever without revisions that finds nothing.
type recorded struct{ query knowledge.Query }

func (r *recorded) Retrieve(_ context.Context, _ string, q knowledge.Query) (knowledge.Results, error) {
	r.query = q
	return knowledge.Results{}, nil
}

// A Retriever that has no revisions gets what the message asks for, and answers for
// it.
func TestMinRevisionElsewhere(t *testing.T) {
	r := &recorded{}
	d := newDesk(t, parts{Retriever: r})
	d.ask(t, agent.Message{Text: "When do you open?", MinRevision: 1 << 40})
	if r.query.MinRevision != 1<<40 {
		t.Errorf("Retrieve was asked for revision %d, want %d", r.query.MinRevision, int64(1)<<40)
	}
}

// A turn that is taken over is answered from the newest knowledge: what its message
// asked for is not known any more.
func TestMinRevisionTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here := newDesk(t, parts{Answerer: lost(agenttest.Say("We"))})
		heir := staleDesk(t, here.store, parts{})
		always(t, here)
		heir.ask(t, agent.Message{Text: "When do you open?"})
		time.Sleep(30 * time.Second)
		heir.ask(t, agent.Message{Text: "When do you open?"}) // from an index that is good for half a minute more

		here.put(t, hours)
		written := here.revision(t)
		s := here.start(t, agent.Message{Text: "When do you open?", MinRevision: written})
		synctest.Wait()
		time.Sleep(12 * time.Second) // more than the lease
		if err := heir.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		m, err := heir.conversations().Message(t.Context(), s.ReplyID)
		if err != nil || m.Reply == nil || m.Reply.KnowledgeRevision < written {
			t.Fatalf("the reply is %+v, %v, want one from revision %d", m.Reply, err, written)
		}
	})
}

// What another process deletes is in no reply, neither before the turn of a process
// that may be stale nor during it.
func TestStaleReplyHoldsNothingDeleted(t *testing.T) {
	release := make(chan struct{})
	here := newDesk(t, parts{})
	always(t, here)
	docs := here.put(t, hours, knowledge.Document{Title: "Sundays", Text: "We open at noon on Sundays."})
	retrieved := make(chan struct{}, 3)
	there := staleDesk(t, here.store, parts{Answerer: agenttest.Script(
		func(context.Context, agent.Question) (agent.Part, error) {
			retrieved <- struct{}{}
			return agent.Part{}, nil
		},
		agenttest.Block(release),
		func(ctx context.Context, q agent.Question) (agent.Part, error) {
			if part, err := agenttest.Quote("nine")(ctx, q); err == nil {
				return part, nil
			}
			return agenttest.Quote("noon")(ctx, q)
		},
	)})
	wait := there.begin(t.Context(), whenOpen)
	<-retrieved
	here.remove(t, docs[0].ID)
	close(release)
	if r, err := wait(); err != nil || r.Text != "noon" || len(r.Citations) != 1 || r.Citations[0].DocumentID != docs[1].ID {
		t.Errorf("Ask = %q, %v, want the answer without what was deleted meanwhile", r.Text, err)
	}
	if len(retrieved) != 1 {
		t.Errorf("the turn was answered %d more times, want once", len(retrieved))
	}

	other := staleDesk(t, here.store, parts{})
	if r := other.ask(t, whenOpen); !strings.Contains(r.Text, "noon") {
		t.Fatalf("Ask = %q, want what is there", r.Text)
	}
	here.remove(t, docs[1].ID)
	if r := other.ask(t, whenOpen); r.Outcome != agent.Refuse || strings.Contains(r.Text, "noon") || len(r.Citations) > 0 {
		t.Errorf("Ask = %q, want nothing of what was deleted", r.Text)
	}
}
