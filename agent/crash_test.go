package agent_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// toolsOfAllKinds are three tools, and how often each was run by the id of a call.
func toolsOfAllKinds(t testing.TB) (tools []agent.Tool, ran func(name string) map[string]int) {
	var mu sync.Mutex
	runs := map[string]map[string]int{"read": {}, "once": {}, "asks": {}}
	make1 := func(name string, o agent.ToolOptions) agent.Tool {
		type in struct {
			Order string     `json:"order"`
			Call  agent.Call `json:"-"`
		}
		tool, err := agent.NewTool(name, "", func(_ context.Context, i in) (string, error) {
			mu.Lock()
			defer mu.Unlock()
			runs[name][i.Call.ID]++
			return name, nil
		}, &o)
		if err != nil {
			t.Fatal(err)
		}
		return tool
	}
	return []agent.Tool{
			make1("read", agent.ToolOptions{Idempotent: true, ReadOnly: true}), make1("once", agent.ToolOptions{ReadOnly: true}),
			make1("asks", agent.ToolOptions{Approval: agent.ApprovalAsk}),
		}, func(name string) map[string]int {
			mu.Lock()
			defer mu.Unlock()
			return runs[name]
		}
}

// Whenever a process is lost, after any of the steps it records, the next one ends the
// turn: every call has an end on record, none that may not be repeated was made twice,
// and of one that may have been done the turn hands off.
func TestCrashAtEveryStep(t *testing.T) {
	o := `{"order":"1"}`
	for lostAt := 1; ; lostAt++ {
		var lost atomic.Bool
		t.Run(fmt.Sprint("step ", lostAt), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tools, ran := toolsOfAllKinds(t)
				with, kept := newLost(t)
				kept.die = func(n int, _ agent.Step) bool {
					if n == lostAt {
						lost.Store(true)
					}
					return n == lostAt
				}
				p := withTools(calls([]agent.Asked{ask("read", o), ask("once", o)}, []agent.Asked{ask("asks", o), ask("nothing", o), ask("read", o)}), tools...)
				d := with(p)
				approve := func(d *desk) {
					for _, ev := range d.events(t) {
						if ev.Refs.ToolCallID != "" {
							_, _ = d.conversations().Approve(t.Context(), ev.Refs.ToolCallID)
						}
					}
				}
				wait := d.begin(t.Context(), agent.Message{Text: "Where is it?"})
				synctest.Wait()
				approve(d)
				_, err := wait()
				if lost.Load() == (err == nil) {
					t.Fatalf("Ask = error %v, and the process was lost: %v", err, lost.Load())
				}
				other := deskOn(t, d.store, p)
				time.Sleep(11 * time.Second)
				if err := other.Recover(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				approve(other)
				time.Sleep(10 * time.Second)
				reply := lastReply(t, other)
				allEnded(t, other, reply.ToolCalls)
				for name, most := range map[string]int{"read": 2, "once": 1, "asks": 1} {
					for callID, n := range ran(name) {
						if n > most {
							t.Errorf("call %s of %q was made %d times", callID, name, n)
						}
						if !slices.ContainsFunc(reply.ToolCalls, func(c agent.ToolCall) bool { return c.ID == callID }) {
							t.Errorf("call %s of %q was made, and is not on record", callID, name)
						}
					}
				}
				unknown := slices.ContainsFunc(reply.ToolCalls, func(c agent.ToolCall) bool { return c.State == agent.CallUnknown })
				if handed := reply.Outcome == agent.Handoff; handed != unknown || handed && (reply.Reason != "tool_outcome_unknown" || reply.Text != agent.DefaultHandoffText) {
					t.Errorf("the reply is %s for %q, with the calls %v", reply.Outcome, reply.Reason, states(reply.ToolCalls))
				}
				if !unknown && (len(reply.ToolCalls) != 5 || reply.Outcome != agent.Answer) {
					t.Errorf("the reply is %s with the calls %v, want all five", reply.Outcome, states(reply.ToolCalls))
				}
			})
		})
		if !lost.Load() {
			if lostAt < 10 {
				t.Errorf("a turn has %d steps, want more to lose a process after", lostAt-1)
			}
			return
		}
	}
}

// Whenever a turn is cancelled, after any of the steps it records, every call has an
// end on record, and the conversation goes on.
func TestCancelAtEveryStep(t *testing.T) {
	o := `{"order":"1"}`
	for at := 1; ; at++ {
		var reached atomic.Bool
		t.Run(fmt.Sprint("step ", at), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tools, _ := toolsOfAllKinds(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				with, kept := newLost(t)
				kept.die = func(n int, _ agent.Step) bool {
					if n == at {
						reached.Store(true)
						cancel()
					}
					return false
				}
				d := with(withTools(calls([]agent.Asked{ask("read", o), ask("asks", o), ask("once", o), ask("nothing", o)}), tools...))
				m := agent.Message{Text: "Where is it?", User: agent.User{ID: "u"}}
				wait := d.begin(ctx, m)
				if !reached.Load() {
					synctest.Wait()
					for _, ev := range d.events(t) {
						if ev.Refs.ToolCallID != "" {
							_, _ = d.conversations().Approve(t.Context(), ev.Refs.ToolCallID)
						}
					}
				}
				_, err := wait()
				reply := lastReply(t, d)
				if err != nil && (!errors.Is(err, agent.ErrCancelled) || reply.Failure != "cancelled") {
					t.Errorf("Ask = error %v, and the reply failed as %q", err, reply.Failure)
				}
				allEnded(t, d, reply.ToolCalls)
				if len(reply.ToolCalls) != 4 {
					t.Errorf("the reply has %d calls, want 4", len(reply.ToolCalls))
				}
				conversation := reply.ConversationID
				next, err := d.agent().Start(t.Context(), m)
				if err != nil || next.ConversationID != conversation {
					t.Errorf("the next message = %v in conversation %s, want one in %s", err, next.ConversationID, conversation)
				}
			})
		})
		if !reached.Load() {
			if at < 8 {
				t.Errorf("a turn has %d steps", at-1)
			}
			return
		}
	}
}

// A tool or an answerer that pays no heed to its context is left to itself, and harms
// nobody: the turn ends in time, and what comes later is not taken.
func TestContextIsIgnored(t *testing.T) {
	for _, tt := range []struct {
		name  string
		o     agent.ToolOptions
		takes time.Duration
		after time.Duration // until cancelled
		state agent.CallState
		ends  time.Duration
	}{
		{"in time", agent.ToolOptions{}, 29 * time.Second, 0, agent.CallCompleted, 29 * time.Second},
		{"just behind", agent.ToolOptions{}, 30*time.Second + time.Second/2, 0, agent.CallCompleted, 30*time.Second + time.Second/2},
		{"never, with its own timeout", agent.ToolOptions{Timeout: 5 * time.Second}, time.Hour, 0, agent.CallUnknown, 6 * time.Second},
		{"never, and may be called again", agent.ToolOptions{Idempotent: true}, time.Hour, 0, agent.CallUnknown, 31 * time.Second},
		{"cancelled", agent.ToolOptions{}, time.Hour, 3 * time.Second, agent.CallUnknown, 4 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var late atomic.Bool
				stuck := orderTool(t, "stuck", func(context.Context, order) (string, error) {
					time.Sleep(tt.takes)
					late.Store(true)
					return "late", nil
				}, &tt.o)
				d := newDesk(t, withTools(calls([]agent.Asked{ask("stuck", `{"order":"1"}`)}), stuck), hours)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.after > 0 {
					time.AfterFunc(tt.after, cancel)
				}
				begun := time.Now()
				reply, err := d.agent().Ask(ctx, agent.Message{Text: "Where is it?"})
				if took := time.Since(begun); took != tt.ends || (err != nil) != (tt.after > 0) {
					t.Errorf("Ask = error %v after %v, want it to end after %v", err, took, tt.ends)
				}
				reply = lastReply(t, d)
				has(t, "the calls", states(reply.ToolCalls), tt.state)
				allEnded(t, d, reply.ToolCalls)
				if handed := reply.Outcome == agent.Handoff; err == nil && handed != (tt.state == agent.CallUnknown && !tt.o.Idempotent) {
					t.Errorf("the reply is %s", reply.Outcome)
				}
				time.Sleep(2 * time.Hour)
				if !late.Load() {
					t.Error("the tool has not gone on")
				}
				if again := lastReply(t, d); !slices.Equal(states(again.ToolCalls), []agent.CallState{tt.state}) {
					t.Errorf("a late result was taken: %v", states(again.ToolCalls))
				}
			})
		})
	}
}

// A process that is to stop does not lose what waits for somebody: another goes on.
func TestDrainReleasesWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tools, ran := toolsOfAllKinds(t)
		p := withTools(calls([]agent.Asked{ask("asks", `{"order":"1"}`), ask("once", `{"order":"1"}`)}), tools...)
		d := newDesk(t, p, hours)
		callID, wait := d.startWaiting(t, agent.Message{Text: "Where is it?"})
		time.Sleep(3 * time.Minute)
		begun := time.Now()
		if err := d.Drain(t.Context()); err != nil || time.Since(begun) > time.Second {
			t.Fatalf("Drain = %v after %v, want it at once", err, time.Since(begun))
		}
		if _, err := wait(); !errors.Is(err, agent.ErrDraining) {
			t.Errorf("Wait in the process that stops = error %v, want %v", err, agent.ErrDraining)
		}
		other := deskOn(t, d.store, p)
		recovered := time.Now()
		if err := other.Recover(t.Context()); err != nil || time.Since(recovered) > time.Second {
			t.Fatalf("Recover = %v after %v, want it not to wait for people", err, time.Since(recovered))
		}
		c, err := other.conversations().ToolCall(t.Context(), callID)
		if left := time.Until(c.ExpiresAt).Round(time.Second); err != nil || c.State != agent.CallAwaitingApproval || left != 7*time.Minute {
			t.Errorf("ToolCall = %s for %v, %v, want it to wait for what is left, 7m", c.State, left, err)
		}
		if _, err := other.conversations().Approve(t.Context(), callID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		reply := lastReply(t, other)
		has(t, "the calls", states(reply.ToolCalls), agent.CallCompleted, agent.CallCompleted)
		if len(ran("once")) != 1 || len(ran("asks")) != 1 {
			t.Errorf("the tools were run %v and %v times", ran("once"), ran("asks"))
		}
	})
}

// A turn that waits for somebody is not ended because nobody reads its stream, and has
// half a minute when it goes on, whenever that is.
func TestWaitingIsNotUnread(t *testing.T) {
	for _, tt := range []struct {
		name         string
		waits, takes time.Duration
		state        agent.CallState
		failure      string
	}{
		{"approved when it is looked at", 5 * time.Minute, time.Second, agent.CallCompleted, ""},
		{"approved before it is looked at", 5*time.Minute - time.Second, 20 * time.Second, agent.CallCompleted, ""},
		{"unread for too long afterwards", 5*time.Minute - time.Second, 40 * time.Second, agent.CallUnknown, "cancelled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow := func(context.Context, order) (string, error) { time.Sleep(tt.takes); return "shipped", nil }
				d := newDesk(t, withTools(calls([]agent.Asked{ask("asks", `{"order":"1"}`)}), orderTool(t, "asks", slow, &agent.ToolOptions{Approval: agent.ApprovalAsk, Timeout: time.Minute})), hours)
				callID := ""
				for ev, err := range d.agent().Stream(t.Context(), agent.Message{Text: "Where is it?"}) {
					if err != nil {
						t.Fatal(err)
					}
					if ev.Type == agent.ToolWaiting {
						callID = ev.ToolCall.ID
						break // the page was closed
					}
				}
				time.Sleep(tt.waits)
				if _, err := d.conversations().Approve(t.Context(), callID); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				if reply := lastReply(t, d); reply.Failure != tt.failure || reply.ToolCalls[0].State != tt.state {
					t.Errorf("the reply has failure %q and a call that is %s, want %q and %s: %+v", reply.Failure, reply.ToolCalls[0].State, tt.failure, tt.state, reply)
				}
			})
		})
	}
}

// Many turns at a time share nothing that they should not, and no conversation has two
// at a time.
func TestManyTurnsAtATime(t *testing.T) {
	const turns = 500
	var mu sync.Mutex
	running, met := map[string]int{}, 0
	type in struct {
		Order string     `json:"order"`
		Call  agent.Call `json:"-"`
	}
	look := agent.MustTool("look", "", func(_ context.Context, i in) (string, error) {
		mu.Lock()
		running[i.Call.ConversationID]++
		if running[i.Call.ConversationID] > 1 {
			met++
		}
		mu.Unlock()
		time.Sleep(time.Millisecond)
		mu.Lock()
		running[i.Call.ConversationID]--
		mu.Unlock()
		return i.Order + " of " + i.Call.User.ID, nil
	}, &agent.ToolOptions{ReadOnly: true})
	p := withTools(answering(func(ctx context.Context, q agent.Question, say func(agent.Part)) error {
		_ = q.Spend(agent.ModelCall{Purpose: "answer", Model: "test:model", Usage: agent.Usage{InputTokens: 1}})
		made, err := q.Call(ctx, []agent.Asked{ask("look", fmt.Sprintf(`{"order":%q}`, q.Message.Text))})
		if err != nil {
			return err
		}
		say(agent.Part{Text: string(made[0].Result)})
		return nil
	}), look)
	p.MaxWaiting = turns
	d := newDesk(t, p, hours)
	var wg sync.WaitGroup
	for i := range turns {
		wg.Go(func() {
			user := fmt.Sprint("u", i%100) // five turns each
			text := fmt.Sprint("Order ", i, "?")
			reply, err := d.agent().Ask(t.Context(), agent.Message{Text: text, User: agent.User{ID: user}})
			if want := fmt.Sprintf("%q", text+" of "+user); err != nil || reply.Text != want || len(reply.ToolCalls) != 1 || reply.Usage.InputTokens != 1 {
				t.Errorf("Ask(%s) = %q with %d calls, %v, want %q", text, reply.Text, len(reply.ToolCalls), err, want)
			}
		})
	}
	wg.Wait()
	if met > 0 {
		t.Errorf("%d times two turns of one conversation ran beside each other", met)
	}
	page, err := d.conversations().List(t.Context(), agent.ConversationFilter{}, store.Page{Limit: store.MaxLimit})
	if err != nil || len(page.Data) != 100 {
		t.Fatalf("List = %d conversations, %v, want 100", len(page.Data), err)
	}
	for _, c := range page.Data {
		if c.Turns != 5 || c.Running {
			t.Errorf("conversation %s has %d turns, want 5", c.ID, c.Turns)
		}
	}
}

// A tool may put its result on record in the transaction that does its work: then
// either both are there or neither, whatever becomes of the process.
func TestRecordCallWithHostsTransaction(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fails error // returned after the commit
		back  bool  // the transaction is rolled back
		late  bool  // it commits after it was given up
		state agent.CallState
		rows  int
	}{
		{"committed", nil, false, false, agent.CallCompleted, 1},
		{"committed, and an error", errBroken, false, false, agent.CallCompleted, 1},
		{"rolled back", errBroken, true, false, agent.CallFailed, 0},
		{"too late", nil, false, true, agent.CallUnknown, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db, st := lentStore(t)
				type in struct {
					Call agent.Call `json:"-"`
				}
				done := make(chan error, 1)
				refund := agent.MustTool("refund", "", func(ctx context.Context, i in) (string, error) {
					err := func() error {
						if tt.late {
							time.Sleep(2500 * time.Millisecond)
						}
						tx, err := db.BeginTx(context.Background(), nil)
						if err != nil {
							return err
						}
						defer tx.Rollback()
						if _, err := tx.Exec(`INSERT INTO refunds (call) VALUES (?)`, i.Call.ID); err != nil {
							return err
						}
						if err := st.RecordCall(context.Background(), tx, i.Call, []byte(`"refunded"`)); err != nil || tt.back {
							return err
						}
						return tx.Commit()
					}()
					done <- err
					if err == nil {
						err = tt.fails
					}
					return "what is returned does not count", err
				}, &agent.ToolOptions{Idempotent: true, Timeout: time.Second})
				d := deskOn(t, st, withTools(calls([]agent.Asked{ask("refund", `{}`)}), refund), hours)
				reply := d.ask(t, agent.Message{Text: "Give me my money back."})
				if err := <-done; (err != nil) != tt.late {
					t.Errorf("the transaction ended with %v", err)
				}
				has(t, "the calls", states(reply.ToolCalls), tt.state)
				if tt.state == agent.CallCompleted && string(reply.ToolCalls[0].Result) != `"refunded"` {
					t.Errorf("the result is %s, want the one recorded", reply.ToolCalls[0].Result)
				}
				rows := 0
				if err := db.QueryRow(`SELECT COUNT(*) FROM refunds`).Scan(&rows); err != nil || rows != tt.rows {
					t.Errorf("%d refunds were made, %v, want %d", rows, err, tt.rows)
				}
			})
		})
	}
}

// What was recorded in the host's transaction counts also when the process is lost
// right after, and the call is not made again.
func TestRecordedCallSurvives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, st := lentStore(t)
		kept := &dyingStore{Store: st}
		runs := 0
		type in struct {
			Call agent.Call `json:"-"`
		}
		refund := agent.MustTool("refund", "", func(ctx context.Context, i in) (string, error) {
			runs++
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return "", err
			}
			defer tx.Rollback()
			if err := st.RecordCall(ctx, tx, i.Call, []byte(`"refunded"`)); err != nil {
				return "", err
			}
			err = tx.Commit()
			kept.dead.Store(true)
			return "", err
		}, nil) // not idempotent: its record alone keeps it from being made twice
		p := withTools(calls([]agent.Asked{ask("refund", `{}`)}), refund)
		p.store = func(*sqlite.Store) agent.Store { return kept }
		d := deskOn(t, st, p, hours)
		if _, err := d.agent().Ask(t.Context(), agent.Message{Text: "Money back?"}); err == nil {
			t.Fatal("Ask of a process that is lost = nil")
		}
		p.store = nil
		other := deskOn(t, st, p)
		time.Sleep(11 * time.Second)
		if err := other.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		reply := lastReply(t, other)
		if runs != 1 || reply.Outcome != agent.Answer || reply.Text != "refund completed \"refunded\"\n" {
			t.Errorf("the tool was run %d times, and the reply is %s %q", runs, reply.Outcome, reply.Text)
		}
	})
}
