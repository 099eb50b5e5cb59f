package agent

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
)

// An account is what a turn has spent of its agent's budget.
type account struct {
	mu      sync.Mutex
	budget  Budget
	calls   []ModelCall
	usage   Usage
	warned  bool   // the budget is used up, and the answerer was told
	last    bool   // it has made its last answer since
	over    bool   // it has gone on all the same
	unsaved []Step // model calls that are not on record yet
}

// spend counts a call of a model: see [Question.Spend].
func (a *account) spend(c ModelCall, taken time.Duration) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.calls) >= maxModelCalls {
		a.over = true
		return fmt.Errorf("%w: %d calls of models", ErrBudget, maxModelCalls)
	}
	a.add(c)
	if data, err := json.Marshal(c); err == nil {
		a.unsaved = append(a.unsaved, Step{CallID: id.New(id.Call), Name: c.Purpose, State: StepSpent, Data: data, At: stamp()})
	}
	switch used := a.usedUp(taken); {
	case used == "":
		return nil
	case !a.warned:
		a.warned = true
		return fmt.Errorf("%w: %s", ErrBudget, used)
	case !a.last:
		a.last = true
		return nil
	default:
		a.over = true
		return fmt.Errorf("%w: %s, and the last answer was given", ErrBudget, used)
	}
}

// maxModelCalls bounds the calls of models in a turn whatever its budget, with those
// that a turn made that was taken over.
const maxModelCalls = 200

// add counts a call.
func (a *account) add(c ModelCall) {
	a.calls = append(a.calls, c)
	u := &a.usage
	u.ModelCalls++
	u.InputTokens += max(c.Usage.InputTokens, 0)
	u.CachedTokens += max(c.Usage.CachedTokens, 0)
	u.OutputTokens += max(c.Usage.OutputTokens, 0)
	u.Cost += max(c.Usage.Cost, 0)
	u.Estimated = u.Estimated || c.Usage.Estimated
	if c.Purpose == "answer" && c.Error == "" || u.Model == "" {
		u.Model = c.Model
	}
}

// usedUp names what of the budget is used up; empty if nothing is.
func (a *account) usedUp(taken time.Duration) string {
	b := a.budget
	switch {
	case a.usage.ModelCalls >= b.ModelCalls:
		return fmt.Sprintf("%d calls of models", b.ModelCalls)
	case a.usage.InputTokens+a.usage.OutputTokens >= b.Tokens:
		return fmt.Sprintf("%d tokens", b.Tokens)
	case b.Cost > 0 && a.usage.Cost >= b.Cost:
		return fmt.Sprintf("%g dollars", b.Cost)
	case taken >= time.Duration(b.Seconds)*time.Second:
		return fmt.Sprintf("%d seconds", b.Seconds)
	}
	return ""
}

// left returns how many calls of tools may be made beside those that were.
func (a *account) left(made int, taken time.Duration) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.warned || a.over || a.usedUp(taken) != "" {
		return 0
	}
	return max(a.budget.ToolCalls-made, 0)
}

// time returns how long the next answer of a model may take in a turn that has taken
// some of the most it may: what the budget has left of it or, for the last answer,
// three quarters of what is left then.
func (a *account) time(taken, most time.Duration) time.Duration {
	if left := time.Duration(a.budget.Seconds)*time.Second - taken; left > 0 {
		return left
	}
	return max(most-taken, 0) * 3 / 4
}

// take returns the steps that are to be put on record, once.
func (a *account) take() []Step {
	a.mu.Lock()
	defer a.mu.Unlock()
	steps := a.unsaved
	a.unsaved = nil
	return steps
}

// state returns what was spent, and whether the answerer went on when nothing was
// left.
func (a *account) state() (calls []ModelCall, usage Usage, over bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.calls, a.usage, a.over
}

// open begins the account of a turn with what is on record of it. The time is the
// agent's, but no more than three quarters of what the desk allows a turn, so that an
// answer can be made in the rest.
func (a *account) open(b Budget, most time.Duration, steps []Step) error {
	a.budget = b.Filled()
	a.budget.Seconds = max(1, min(a.budget.Seconds, int(most*3/4/time.Second)))
	for _, s := range steps {
		if s.State != StepSpent {
			continue
		}
		var c ModelCall
		if err := json.Unmarshal(s.Data, &c); err != nil {
			return fmt.Errorf("step of a model's call does not read: %w", err)
		}
		a.add(c)
	}
	return nil
}
