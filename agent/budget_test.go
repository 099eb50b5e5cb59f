package agent_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
)

// spends is an answerer that asks its model until the budget says that it is the last
// time, answers then, and goes on more times than it may.
func spends(each agent.ModelCall, more int, asked *int) answering {
	return func(ctx context.Context, q agent.Question, say func(agent.Part)) error {
		for {
			*asked++
			err := q.Spend(each)
			if errors.Is(err, agent.ErrBudget) {
				break
			}
			if err != nil {
				return err
			}
			if *asked > 1000 {
				return errors.New("without bounds")
			}
		}
		for range more {
			*asked++
			if err := q.Spend(each); err != nil {
				return err
			}
		}
		say(agent.Part{Text: "The best there is."})
		return nil
	}
}

// At each bound of its budget a turn makes the best answer there is, of which the
// model may be asked once more; one that goes on all the same is ended with the
// fallback, and no error.
func TestBudgetOfModelCalls(t *testing.T) {
	each := agent.ModelCall{Purpose: "answer", Model: "test:model", Usage: agent.Usage{InputTokens: 900, OutputTokens: 100, CachedTokens: 50, Cost: 0.25}}
	for _, tt := range []struct {
		name   string
		budget agent.Budget
		more   int
		asked  int
		text   string
	}{
		{"calls, as usual", agent.Budget{}, 1, 9, "The best there is."},
		{"calls", agent.Budget{ModelCalls: 3}, 1, 4, "The best there is."},
		{"calls, an answer already", agent.Budget{ModelCalls: 3}, 0, 3, "The best there is."},
		{"calls, and on", agent.Budget{ModelCalls: 3}, 2, 5, agent.DefaultFallbackText},
		{"tokens", agent.Budget{Tokens: 2500, ModelCalls: 50}, 1, 4, "The best there is."},
		{"cost", agent.Budget{Cost: 0.5, ModelCalls: 50}, 1, 3, "The best there is."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			d := newDesk(t, parts{Answerer: spends(each, tt.more, &asked)}, hours)
			always(t, d)
			d.patch(t, func(s *agent.Settings) { s.Budget = tt.budget })
			reply := d.ask(t, agent.Message{Text: "When do you open?"})
			if asked != tt.asked || reply.Text != tt.text {
				t.Errorf("the model was asked %d times for %q, want %d times for %q", asked, reply.Text, tt.asked, tt.text)
			}
			if tt.text == agent.DefaultFallbackText {
				if reply.Outcome != agent.Refuse || reply.Reason != "budget_used_up" {
					t.Errorf("the reply is %s for %q", reply.Outcome, reply.Reason)
				}
			}
			want := agent.Usage{Model: "test:model", ModelCalls: asked, InputTokens: 900 * asked, OutputTokens: 100 * asked, CachedTokens: 50 * asked, Cost: 0.25 * float64(asked)}
			if reply.Usage != want {
				t.Errorf("the usage is %+v, want %+v", reply.Usage, want)
			}
			if why := d.explain(t, reply); len(why.ModelCalls) != asked {
				t.Errorf("the explanation has %d calls of models, want %d", len(why.ModelCalls), asked)
			}
		})
	}
}

// An agent calls as many tools as its budget allows, and answers then.
func TestBudgetOfToolCalls(t *testing.T) {
	var ran atomic.Int64
	tool := orderTool(t, "look", func(context.Context, order) (string, error) { ran.Add(1); return "shipped", nil }, &agent.ToolOptions{ReadOnly: true})
	one := ask("look", `{"order":"1"}`)
	var last error
	d := newDesk(t, withTools(answering(func(ctx context.Context, q agent.Question, say func(agent.Part)) error {
		for range 100 {
			var made []agent.ToolCall
			if made, last = q.Call(ctx, []agent.Asked{one, one, one}); last != nil {
				break
			}
			if len(made) != 3 {
				t.Errorf("%d calls came back, want 3", len(made))
			}
		}
		say(agent.Part{Text: "The best there is."})
		return nil
	}), tool), hours)
	d.patch(t, func(s *agent.Settings) { s.Budget.ToolCalls = 5 })
	reply := d.ask(t, agent.Message{Text: "Where is it?"})
	if ran.Load() != 5 || reply.Text != "The best there is." || !errors.Is(last, agent.ErrBudget) {
		t.Errorf("%d calls were made, and the end was %q, %v, want 5, an answer and %v", ran.Load(), reply.Text, last, agent.ErrBudget)
	}
	if len(reply.ToolCalls) != 6 || reply.ToolCalls[5].State != agent.CallFailed {
		t.Errorf("the record has %v, want five that completed and one that failed", states(reply.ToolCalls))
	}
	allEnded(t, d, reply.ToolCalls)
}

// When the time of its budget is over, a turn makes the best answer in what is left of
// the desk's.
func TestBudgetOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := orderTool(t, "slow", func(context.Context, order) (string, error) { time.Sleep(10 * time.Second); return "shipped", nil }, &agent.ToolOptions{ReadOnly: true})
		d := newDesk(t, withTools(answering(func(ctx context.Context, q agent.Question, say func(agent.Part)) error {
			for {
				if _, err := q.Call(ctx, []agent.Asked{ask("slow", `{"order":"1"}`)}); errors.Is(err, agent.ErrBudget) {
					say(agent.Part{Text: "The best there is."})
					return nil
				} else if err != nil {
					return err
				}
			}
		}), slow), hours)
		d.patch(t, func(s *agent.Settings) { s.Budget.ToolCalls = 100 })
		begun := time.Now()
		reply := d.ask(t, agent.Message{Text: "Where is it?"})
		if took := time.Since(begun).Round(time.Second); reply.Text != "The best there is." || took != 90*time.Second {
			t.Errorf("the reply %q came after %v, want the best there is after 90s, three quarters of a turn's time", reply.Text, took)
		}
		d.patch(t, func(s *agent.Settings) { s.Budget.Seconds = 35 })
		begun = time.Now()
		if d.ask(t, agent.Message{Text: "Where is it?"}); time.Since(begun).Round(time.Second) != 40*time.Second {
			t.Errorf("the reply came after %v, want 40s", time.Since(begun))
		}
	})
}

// What was spent counts when a turn is taken over.
func TestBudgetOutlivesProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost, kept := newLost(t)
		each := agent.ModelCall{Purpose: "answer", Model: "test:model", Usage: agent.Usage{InputTokens: 10, OutputTokens: 1}}
		kept.die = func(_ int, s agent.Step) bool { return s.State == agent.StepResult }
		var usage agent.Usage
		first := true
		p := withTools(answering(func(ctx context.Context, q agent.Question, say func(agent.Part)) error {
			if first {
				first = false
				for range 2 {
					if err := q.Spend(each); err != nil {
						return err
					}
				}
				_, err := q.Call(ctx, []agent.Asked{ask("look", `{"order":"1"}`)})
				return err
			}
			if err := q.Spend(each); !errors.Is(err, agent.ErrBudget) {
				t.Errorf("the third call of a model = %v, want %v", err, agent.ErrBudget)
			}
			say(agent.Part{Text: "Best."})
			return nil
		}), orderTool(t, "look", shipped, nil))
		d := lost(p)
		d.patch(t, func(s *agent.Settings) { s.Budget.ModelCalls = 3 })
		wait := d.begin(t.Context(), agent.Message{Text: "Where is it?"})
		if _, err := wait(); err == nil {
			t.Fatal("Ask of a process that was lost = nil, want an error")
		}
		other := deskOn(t, d.store, p)
		time.Sleep(11 * time.Second)
		if err := other.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		reply := lastReply(t, other)
		usage = reply.Usage
		if reply.Text != "Best." || usage.ModelCalls != 3 || usage.InputTokens != 30 || len(reply.ToolCalls) != 1 {
			t.Errorf("the reply is %q, and took %+v, want all three calls", reply.Text, usage)
		}
	})
}
