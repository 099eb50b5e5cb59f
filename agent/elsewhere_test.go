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
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// Who watches a turn of another process gets its end when that is there.
func TestWatchElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Block(release), agenttest.Say("Nine."))}, hours)
		always(t, d)
		elsewhere := deskOn(t, d.store, parts{})
		s := d.start(t, whenOpen)
		elsewhere.wantState(t, s.ReplyID, agent.StateRunning)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if r, err := elsewhere.watch(ctx, s.ReplyID, 0); !errors.Is(err, context.DeadlineExceeded) || len(r.events) != 0 {
			t.Errorf("Watch for a second = %v, then error %v, want %v", r.types(), err, context.DeadlineExceeded)
		}
		time.AfterFunc(90*time.Second, func() { close(release) }) // past many leases, which are renewed
		begun := time.Now()
		r, err := elsewhere.watch(t.Context(), s.ReplyID, 1)
		if err != nil || len(r.events) != 1 || r.reply.Text != "Nine." || r.events[0].Sequence != agent.StoredSequence {
			t.Errorf("Watch = %+v, %v, want the reply", r.events, err)
		}
		if late := time.Since(begun) - 90*time.Second; late < 0 || late > time.Second {
			t.Errorf("the end was told %v after it was there, want within a second", late)
		}
	})
}

// Who watches a turn whose process is lost takes it over, and what the lost one
// told is void.
func TestWatchTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, parts{Answerer: lost(agenttest.Say("We "), agenttest.Say("open "))}, hours)
		always(t, d)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := d.start(t, whenOpen)
		var had reader // by a client of the lost process
		for ev, err := range d.conversations().Watch(ctx, s.ReplyID, 0) {
			if err != nil {
				t.Fatal(err)
			}
			if had.see(ev); len(had.events) == 3 {
				break
			}
		}
		synctest.Wait()

		release := make(chan struct{})
		heir := deskOn(t, d.store, parts{Answerer: agenttest.Script(agenttest.Say("At "), agenttest.Block(release), agenttest.Say("nine."))})
		ends := []func() (reader, error){heir.watching(t.Context(), s.ReplyID, 0), heir.watching(t.Context(), s.ReplyID, had.events[2].Sequence)}
		time.Sleep(9 * time.Second)
		if r, err := heir.conversations().Running(t.Context(), s.ReplyID); err != nil || r.Lapsed {
			t.Errorf("Running = %+v, %v, want the turn to be the lost process's still", r, err)
		}
		time.Sleep(3 * time.Second) // more than the 10 s of its lease
		ends = append(ends, deskOn(t, d.store, parts{}).watching(t.Context(), s.ReplyID, had.events[2].Sequence))
		synctest.Wait()
		close(release)
		for i, end := range ends {
			r, err := end()
			if err != nil || r.reply == nil {
				t.Fatalf("Watch %d = %v, %v, want the reply", i, r.types(), err)
			}
			last := had.events[2].Sequence
			for _, ev := range r.events {
				if ev.Sequence <= last {
					t.Errorf("event %s has number %d after %d", ev.Type, ev.Sequence, last)
				}
				last = ev.Sequence
			}
			resumed := had
			for _, ev := range r.events {
				resumed.see(ev)
			}
			if alone := i == 2; r.reply.Text != "At nine." || (len(r.events) == 1) != alone || !alone && resumed.text != r.reply.Text {
				t.Errorf("who resumes as reader %d gets %v and has %q, want the reply %q", i, r.types(), resumed.text, r.reply.Text)
			}
		}
		if lines := strings.Split(d.script(t, s.ConversationID), "\n"); len(lines) != 2 {
			t.Errorf("the conversation is %q, want one reply", lines)
		}
		why, err := heir.conversations().Explain(t.Context(), s.ReplyID)
		if err != nil || !why.Recovered {
			t.Errorf("Explain = recovered %v, %v, want true", why.Recovered, err)
		}
	})
}

// Who watches a turn that another process took away from this one waits for the
// other.
func TestWatchAcrossProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept *cutStore
		d := newDesk(t, parts{
			Answerer: agenttest.Script(agenttest.Say("We"), agenttest.Block(nil)),
			store: func(st *sqlite.Store) agent.Store {
				kept = &cutStore{Store: st}
				kept.off.Store(true)
				return kept
			},
		}, hours)
		always(t, d)
		s := d.start(t, whenOpen)
		end := d.watching(t.Context(), s.ReplyID, 0)
		time.Sleep(11 * time.Second)
		release := make(chan struct{})
		heir := deskOn(t, d.store, parts{Answerer: agenttest.Script(agenttest.Block(release), agenttest.Say("Nine."))})
		recovered := make(chan error)
		go func() { recovered <- heir.Recover(t.Context()) }()
		synctest.Wait()
		kept.off.Store(false) // this process learns that the turn is another's
		time.Sleep(10 * time.Second)
		close(release)
		if err := <-recovered; err != nil {
			t.Fatal(err)
		}
		r, err := end()
		if err != nil || r.reply == nil || r.reply.Text != "Nine." || r.events[len(r.events)-1].Sequence != agent.StoredSequence {
			t.Errorf("Watch = %v, %v, want the reply of the other process", r.types(), err)
		}
	})
}

// A turn of another process ends when that renews its lease.
func TestCancelElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Block(nil))}, hours)
		always(t, d)
		s := d.start(t, whenOpen)
		other := d.start(t, whenOpen)
		here := d.watching(t.Context(), s.ReplyID, 0)
		elsewhere := deskOn(t, d.store, parts{})
		begun := time.Now()
		if state, err := elsewhere.conversations().Cancel(t.Context(), s.ReplyID); state != agent.StateCancelled || err != nil {
			t.Errorf("Cancel = %q, %v, want %q", state, err, agent.StateCancelled)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("Cancel took %v, want about a third of the lease of 10 s", took)
		}
		if _, err := here(); !errors.Is(err, agent.ErrCancelled) {
			t.Errorf("Watch where the turn ran = error %v, want %v", err, agent.ErrCancelled)
		}
		time.Sleep(10 * time.Second)
		d.wantState(t, other.ReplyID, agent.StateRunning)
		if got, want := d.script(t, s.ConversationID), "user: When do you open?\nfailure: cancelled"; got != want {
			t.Errorf("the conversation is\n%s\nwant\n%s", got, want)
		}
	})
}

// A cancel outlives the process that it is asked of: whoever takes the turn over
// ends it.
func TestCancelLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, parts{Answerer: lost()}, hours)
		always(t, d)
		s := d.start(t, whenOpen)
		synctest.Wait()
		d.wantState(t, s.ReplyID, agent.StateRunning)
		heir := deskOn(t, d.store, parts{Answerer: agenttest.Script(func(context.Context, agent.Question) (agent.Part, error) {
			t.Error("the cancelled turn is answered")
			return agent.Part{Text: "Nine."}, nil
		})})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := heir.conversations().Cancel(ctx, s.ReplyID); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Cancel for a second = error %v, want %v", err, context.DeadlineExceeded)
		}
		if state, err := heir.conversations().Cancel(t.Context(), s.ReplyID); state != agent.StateCancelled || err != nil {
			t.Errorf("Cancel = %q, %v, want %q", state, err, agent.StateCancelled)
		}
		if got, want := d.script(t, s.ConversationID), "user: When do you open?\nfailure: cancelled"; got != want {
			t.Errorf("the conversation is\n%s\nwant\n%s", got, want)
		}
	})
}

// A reply that comes before its cancel is heard of stays.
func TestCancelTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Block(release), agenttest.Say("Nine."))}, hours)
		always(t, d)
		s := d.start(t, whenOpen)
		time.AfterFunc(time.Second, func() { close(release) })
		elsewhere := deskOn(t, d.store, parts{})
		if state, err := elsewhere.conversations().Cancel(t.Context(), s.ReplyID); state != agent.StateCompleted || err != nil {
			t.Errorf("Cancel = %q, %v, want %q", state, err, agent.StateCompleted)
		}
		d.ask(t, agent.Message{Text: "When do you open?", ConversationID: s.ConversationID}) // is not cancelled by it
	})
}

// A turn that ends every process that has it is given up.
func TestTurnThatIsAlwaysLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deadly := lost(agenttest.Say("We"))
		d := newDesk(t, parts{Answerer: deadly}, hours)
		always(t, d)
		s := d.start(t, whenOpen)
		lives := 1
		for state := agent.StateRunning; state == agent.StateRunning; lives++ {
			time.Sleep(11 * time.Second)
			next := deskOn(t, d.store, parts{Answerer: deadly})
			if err := next.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			var err error
			if state, err = next.conversations().State(t.Context(), s.ReplyID); err != nil || lives > 100 {
				t.Fatalf("State = %q, %v after %d processes, want the turn given up", state, err, lives)
			}
		}
		if lives != 17 {
			t.Errorf("the turn was given up by process %d, want the one after 16 that were lost", lives)
		}
		if _, err := d.conversations().Wait(t.Context(), s.ReplyID); !errors.Is(err, agent.ErrInterrupted) {
			t.Errorf("Wait = error %v, want %v", err, agent.ErrInterrupted)
		}
		if got, want := d.script(t, s.ConversationID), "user: When do you open?\nfailure: interrupted"; got != want {
			t.Errorf("the conversation is\n%s\nwant\n%s", got, want)
		}
	})
}

// However often middleware has a reply written, what is told of a turn stays below
// the number of its stored end.
func TestTooManyEvents(t *testing.T) {
	part := agent.Part{Text: "x"}
	steps := make([]agenttest.Step, 4096)
	for i := range steps {
		steps[i] = func(context.Context, agent.Question) (agent.Part, error) { return part, nil }
	}
	for _, tt := range []struct {
		times int // that the reply is written
		fails bool
	}{{7, false}, {9, true}} {
		t.Run(fmt.Sprint(tt.times, " times"), func(t *testing.T) {
			d := newDesk(t, parts{Answerer: agenttest.Script(steps...), Options: agent.Options{
				Middleware: []agent.Middleware{func(next agent.TurnFunc) agent.TurnFunc {
					return func(ctx context.Context, x *agent.Exchange) (r agent.Reply, err error) {
						for range tt.times {
							if r, err = next(ctx, x); err != nil {
								return r, err
							}
						}
						return r, nil
					}
				}},
			}}, hours)
			always(t, d)
			s := d.start(t, whenOpen)
			_, err := d.conversations().Wait(t.Context(), s.ReplyID)
			if errors.Is(err, agent.ErrFailed) != tt.fails || (err != nil) != tt.fails {
				t.Errorf("Wait = error %v, want %v: %v", err, agent.ErrFailed, tt.fails)
			}
		})
	}
}
