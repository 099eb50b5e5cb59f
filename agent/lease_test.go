package agent_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// A cutStore is a store that a process cannot reach while it is cut off, as far
// as its lease goes.
type cutStore struct {
	agent.Store
	off    atomic.Bool
	renews atomic.Int64
}

func (s *cutStore) RenewTurn(ctx context.Context, company string, t agent.TurnRef, lease time.Duration) error {
	if s.off.Load() {
		return store.ErrUnavailable
	}
	s.renews.Add(1)
	return s.Store.RenewTurn(ctx, company, t, lease)
}

// A slow turn keeps its lease for as long as its process lives.
func TestLeaseIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept *cutStore
		release := make(chan struct{})
		slow := newDesk(t, parts{
			Answerer: agenttest.Script(agenttest.Block(release), agenttest.Say("Nine.")),
			store: func(st *sqlite.Store) agent.Store {
				kept = &cutStore{Store: st}
				return kept
			},
		}, hours)
		always(t, slow)
		other := deskOn(t, slow.store, parts{})
		wait := slow.begin(t.Context(), agent.Message{Text: "When do you open?"})
		for range 60 {
			time.Sleep(time.Second)
			if err := other.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		close(release)
		reply, err := wait()
		if err != nil || reply.Text != "Nine." {
			t.Errorf("Ask = %q, %v, want the slow answer", reply.Text, err)
		}
		if n := kept.renews.Load(); n < 15 || n > 20 {
			t.Errorf("the lease of 10 s was renewed %d times in a minute, want about 18", n)
		}
		time.Sleep(time.Minute)
		if n := kept.renews.Load(); n > 20 {
			t.Errorf("the lease of a turn that has ended was renewed, %d times by now", n)
		}
	})
}

// A process that lost its lease writes nothing more: the turn is another's, which
// has what was recorded, in order.
func TestTurnIsTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept *cutStore
		lost := newDesk(t, parts{
			Answerer: agenttest.Script(agenttest.Say("We"), func(ctx context.Context, q agent.Question) (agent.Part, error) {
				for i := range 5 {
					if err := q.Record(ctx, agent.Step{CallID: fmt.Sprint("call_", i/2), Name: "look_up", State: agent.StepIntent, Data: fmt.Append(nil, i)}); err != nil {
						t.Errorf("Record of step %d = error %v", i, err)
					}
				}
				<-ctx.Done()
				if err := q.Record(context.WithoutCancel(ctx), agent.Step{CallID: "call_9", Name: "look_up", State: agent.StepResult}); !errors.Is(err, store.ErrFenced) {
					t.Errorf("Record under a lost lease = error %v, want %v", err, store.ErrFenced)
				}
				return agent.Part{}, ctx.Err()
			}),
			store: func(st *sqlite.Store) agent.Store {
				kept = &cutStore{Store: st}
				return kept
			},
		}, hours)
		always(t, lost)
		kept.off.Store(true)
		wait := lost.begin(t.Context(), agent.Message{Text: "When do you open?"})
		synctest.Wait()

		var steps []agent.Step
		heir := deskOn(t, lost.store, parts{Answerer: agenttest.Script(func(ctx context.Context, q agent.Question) (agent.Part, error) {
			steps = q.Steps
			return agent.Part{Text: "Nine."}, q.Record(ctx, agent.Step{CallID: "call_2", Name: "look_up", State: agent.StepUnknown})
		})})
		time.Sleep(9 * time.Second)
		if err := heir.Recover(t.Context()); err != nil || steps != nil {
			t.Fatalf("Recover = %v and took the turn over: %v, want it left alone while its lease lasts", err, steps != nil)
		}
		time.Sleep(2 * time.Second)
		if err := heir.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i, s := range steps {
			if s.CallID != fmt.Sprint("call_", i/2) || string(s.Data) != fmt.Sprint(i) || s.Name != "look_up" || s.State != agent.StepIntent || s.At.IsZero() {
				t.Errorf("step %d = %+v, want it as it was recorded", i, s)
			}
		}
		if len(steps) != 5 {
			t.Errorf("%d steps were passed on, want 5", len(steps))
		}

		kept.off.Store(false) // the lost process is back, and learns of it
		back := time.Now()
		if _, err := wait(); !errors.Is(err, store.ErrFenced) || time.Since(back) > 5*time.Second {
			t.Errorf("Ask = error %v after %v, want %v when the lease is to be renewed", err, time.Since(back), store.ErrFenced)
		}
		page, err := heir.conversations().List(t.Context(), agent.ConversationFilter{}, store.Page{})
		if err != nil || len(page.Data) != 1 {
			t.Fatalf("List = %d conversations, %v, want one", len(page.Data), err)
		}
		if got, want := heir.script(t, page.Data[0].ID), "user: When do you open?\nagent: Nine."; got != want {
			t.Errorf("the conversation is\n%s\nwant\n%s", got, want)
		}
		why := heir.explain(t, *heir.messages(t, page.Data[0].ID)[1].Reply)
		if !why.Recovered || why.Steps != 1 {
			t.Errorf("Explain = recovered %v with %d steps, want true with 1", why.Recovered, why.Steps)
		}
	})
}

// The next message to a conversation takes over the turn that was lost there.
func TestNextMessageTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := newDesk(t, parts{
			Answerer: agenttest.Script(agenttest.Block(nil)),
			store: func(st *sqlite.Store) agent.Store {
				kept := &cutStore{Store: st}
				kept.off.Store(true)
				return kept
			},
			Options: agent.Options{Lease: 2 * time.Second},
		}, hours)
		always(t, lost)
		lost.begin(t.Context(), agent.Message{Text: "open first", User: agent.User{ID: "u"}})
		synctest.Wait()

		heir := deskOn(t, lost.store, parts{Answerer: agenttest.Script(func(_ context.Context, q agent.Question) (agent.Part, error) {
			return agent.Part{Text: "Re: " + q.Message.Text}, nil
		})})
		begun := time.Now()
		reply := heir.ask(t, agent.Message{Text: "open second", User: agent.User{ID: "u"}})
		if took := time.Since(begun); took < 2*time.Second || took > 4*time.Second {
			t.Errorf("Ask took %v, want it to wait for the lease of 2 s to run out", took)
		}
		const want = "user: open first\nagent: Re: open first\nuser: open second\nagent: Re: open second"
		if got := heir.script(t, reply.ConversationID); got != want {
			t.Errorf("the conversation is\n%s\nwant\n%s", got, want)
		}
	})
}

// While another process answers in the conversation, Ask waits, and in the end
// says that it is busy.
func TestBusyElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Block(nil))}, hours)
		always(t, slow)
		other := deskOn(t, slow.store, parts{Options: agent.Options{TurnTimeout: time.Minute}})
		slow.begin(t.Context(), agent.Message{Text: "open first", User: agent.User{ID: "u"}})
		synctest.Wait()

		begun := time.Now()
		_, err := other.agent().Ask(t.Context(), agent.Message{Text: "open second", User: agent.User{ID: "u"}})
		busy, ok := errors.AsType[*agent.BusyError](err)
		if took := time.Since(begun); !ok || !errors.Is(err, agent.ErrTurnInProgress) || !strings.HasPrefix(busy.ConversationID, "conv_") || took.Round(2*time.Second) != time.Minute {
			t.Errorf("Ask = error %v after %v, want a BusyError that names the conversation, after a minute", err, took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := other.agent().Ask(ctx, agent.Message{Text: "open third", User: agent.User{ID: "u"}}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Ask by who waits no longer = error %v, want %v", err, context.DeadlineExceeded)
		}
	})
}

// Recovering ends with its context; a turn that it took over goes on.
func TestRecoverEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := newDesk(t, parts{Answerer: agenttest.Script(func(context.Context, agent.Question) (agent.Part, error) {
			runtime.Goexit() // the nearest to a killed process that a test has
			return agent.Part{}, nil
		})}, hours)
		always(t, lost)
		if _, err := lost.agent().Ask(t.Context(), agent.Message{Text: "When do you open?"}); err == nil {
			t.Fatal("the turn was not lost")
		}
		time.Sleep(11 * time.Second)

		release := make(chan struct{})
		heir := deskOn(t, lost.store, parts{Answerer: agenttest.Script(agenttest.Block(release), agenttest.Say("Nine."))})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		begun := time.Now()
		if err := heir.Recover(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 20*time.Second {
			t.Errorf("Recover = error %v after %v, want %v at once", err, time.Since(begun), context.DeadlineExceeded)
		}
		close(release)
		if err := heir.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		page, err := heir.conversations().List(t.Context(), agent.ConversationFilter{}, store.Page{})
		if err != nil || len(page.Data) != 1 {
			t.Fatalf("List = %d conversations, %v, want one", len(page.Data), err)
		}
		if got, want := heir.script(t, page.Data[0].ID), "user: When do you open?\nagent: Nine."; got != want {
			t.Errorf("the conversation is\n%s\nwant\n%s", got, want)
		}
	})
}

// A step that could not be found again is not recorded.
func TestRecordInvalid(t *testing.T) {
	newDesk := newDesks(t)
	for _, tt := range []struct {
		name string
		step agent.Step
		want error
	}{
		{"no call id", agent.Step{Name: "look_up"}, agent.ErrInvalid},
		{"no name", agent.Step{CallID: "call_1"}, agent.ErrInvalid},
		{"too much data", agent.Step{CallID: "call_1", Name: "look_up", Data: make([]byte, 64<<10+1)}, agent.ErrInvalid},
		{"as much data as may be", agent.Step{CallID: "call_1", Name: "look_up", Data: make([]byte, 64<<10)}, nil},
		{"no data", agent.Step{CallID: "call_1", Name: "look_up"}, nil},
	} {
		d := newDesk(t, parts{Answerer: agenttest.Script(func(ctx context.Context, q agent.Question) (agent.Part, error) {
			return agent.Part{Text: "Nine."}, q.Record(ctx, tt.step)
		})}, hours)
		always(t, d)
		if _, err := d.agent().Ask(t.Context(), agent.Message{Text: "When do you open?"}); !errors.Is(err, tt.want) {
			t.Errorf("Record of a step with %s = error %v, want %v", tt.name, err, tt.want)
		}
	}
}
