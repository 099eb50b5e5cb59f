package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/internal/failpoint"
)

// Where a process is killed while the call of a tool runs: before it has done
// anything, and when it has, and has not returned. The tool's name stands before it.
const (
	toolBegun = ".begun"
	toolDone  = ".done"
)

// Where a process is killed from outside, while all that its turn does is wait.
const (
	forApproval = "waits for approval"
	forResult   = "waits for a result"
)

// callRounds are the tools that [callsInRounds] calls: "look" may be called twice,
// "once" may not, "refund" may not and waits to be approved, "place" is answered by
// the caller.
var callRounds = [][]string{{"look", "once", "refund", "place"}, {"look", "refund"}}

// callsInRounds is an answerer that makes calls, and tells what came of them. Whoever
// takes its turn over goes on with the round after the last.
type callsInRounds struct{}

// Answer implements [agent.Answerer].
func (callsInRounds) Answer(ctx context.Context, q agent.Question) iter.Seq2[agent.Part, error] {
	return func(yield func(agent.Part, error) bool) {
		all, done := q.Called, 0
		if n := len(all); n > 0 {
			done = all[n-1].Round
		}
		for _, names := range callRounds[min(done, len(callRounds)):] {
			var asked []agent.Asked
			for _, name := range names {
				asked = append(asked, agent.Asked{Name: name, Arguments: json.RawMessage(`{}`)})
			}
			made, err := q.Call(ctx, asked)
			if err != nil {
				yield(agent.Part{}, err)
				return
			}
			all = append(all, made...)
		}
		for _, c := range all {
			if !yield(agent.Part{Text: c.Name + " " + string(c.State) + ". "}, nil) {
				return
			}
		}
	}
}

// tools returns the tools of a process. Each writes down what it does in the file of
// effects.
func (r role) tools() (tools []agent.Tool, closeEffects func() error, err error) {
	f, err := os.OpenFile(r.Effects, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, err
	}
	for name, o := range map[string]agent.ToolOptions{
		"look":   {ReadOnly: true, Idempotent: true},
		"once":   {ReadOnly: true, Idempotent: r.Mutant == "repeats"},
		"refund": {Approval: agent.ApprovalAsk},
	} {
		type in struct {
			Call agent.Call `json:"-"`
		}
		tool, err := agent.NewTool(name, "", func(_ context.Context, i in) (string, error) {
			failpoint.At(name + toolBegun)
			if _, err := fmt.Fprintf(f, "%s %s\n", i.Call.ID, name); err != nil {
				return "", err
			}
			failpoint.At(name + toolDone)
			return name, nil
		}, &o)
		if err != nil {
			return nil, nil, errors.Join(err, f.Close())
		}
		tools = append(tools, tool)
	}
	return tools, f.Close, nil
}

// A callsLife is a desk with tools whose servers are killed, one after the other.
type callsLife struct {
	*deployment
	effects string
}

func newCallsLife(t *testing.T, mutant string) *callsLife {
	t.Helper()
	l := &callsLife{deployment: deploy(t), effects: filepath.Join(t.TempDir(), "effects")}
	l.as = role{Do: "calls", Effects: l.effects, Mutant: mutant}
	desk := open(t, l.place)
	defer desk.Close()
	a, err := desk.Agents().Get(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	a.Tools = map[string]agent.ToolSettings{"place": {Description: "Where the user is.", Parameters: json.RawMessage(`{"type":"object"}`)}}
	if _, err := desk.Agents().Update(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	return l
}

// A decider asks, and decides about calls that wait for it.
type decider struct {
	*callsLife
	holds string         // the state of calls that are not decided about before the kill
	quiet chan struct{}  // closed when nothing is under way but a call that is held
	after chan struct{}  // closed when the process is killed
	held  []api.ToolCall // until then
	ended map[string]bool
}

// ask asks, and reads the stream to its end, over as many servers as it takes.
func (d *decider) ask(user string) (reply *api.Reply, err error) {
	ctx := d.t.Context()
	for ev, err := range d.client.Messages.Stream(ctx, api.MessageRequest{Message: "When do you open?", User: api.UserInput{ID: user}}) {
		switch {
		case err != nil:
			return nil, err
		case ev.Type == "tool.ended":
			d.ended[ev.ToolCall.ID] = true
		case ev.Type == "tool.waiting" && ev.ToolCall.State == d.holds:
			d.held = append(d.held, ev.ToolCall)
		case ev.Type == "tool.waiting":
			if err := d.decide(ctx, ev.ToolCall); err != nil {
				return nil, err
			}
		case ev.Type == "message.completed":
			reply = &ev.Reply
		}
		if len(d.held) == 1 && len(d.ended) == len(callRounds[0])-1 {
			d.holds = ""
			close(d.quiet)
			<-d.after
			if err := d.decide(ctx, d.held[0]); err != nil {
				return nil, err
			}
			d.held = nil
		}
	}
	if reply == nil {
		return nil, errors.New("the stream ended without a reply")
	}
	return reply, nil
}

// decide approves a call or answers it, at whatever server there is. That the turn has
// ended meanwhile is no error: then somebody else hands it on.
func (d *decider) decide(ctx context.Context, c api.ToolCall) (err error) {
	if c.State == string(agent.CallAwaitingApproval) {
		_, err = d.client.Messages.ApproveTool(ctx, c.ID)
	} else {
		_, err = d.client.Messages.AnswerTool(ctx, c.ID, api.ToolResultRequest{Result: json.RawMessage(`{"city":"Bremen"}`)})
	}
	if e, ok := errors.AsType[*client.Error](err); ok && e.StatusCode == http.StatusConflict {
		return nil
	}
	return err
}

// killed asks while the server is killed at a place, and returns the reply that
// another one makes.
func (l *callsLife) killed(at string, hit int) (*api.Reply, error) {
	l.t.Helper()
	d := &decider{callsLife: l, quiet: make(chan struct{}), after: make(chan struct{}), ended: map[string]bool{}}
	var kill func(*process)
	switch at {
	case forApproval:
		d.holds = string(agent.CallAwaitingApproval)
	case forResult:
		d.holds = string(agent.CallAwaitingResult)
	}
	if d.holds != "" {
		kill = func(p *process) {
			select {
			case <-d.quiet:
				_ = p.cmd.Process.Kill()
				close(d.after)
			case <-l.t.Context().Done():
			}
		}
	}
	return through(l.deployment, at, hit, kill, func() (*api.Reply, error) { return d.ask(fmt.Sprintf("%s %d", at, hit)) })
}

// faults says what is wrong with the calls of a reply. The outcome of a call may be
// unknown only if the process was killed while it ran.
func (l *callsLife) faults(reply *api.Reply, maybeUnknown bool) (faults []string) {
	l.t.Helper()
	effects, err := os.ReadFile(l.effects)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := os.Truncate(l.effects, 0); err != nil {
		l.t.Fatal(err)
	}
	did := map[string]int{}
	for line := range strings.Lines(string(effects)) {
		did[strings.TrimSpace(line)]++
	}
	wrong := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	var states []string
	for _, c := range reply.ToolCalls {
		key := c.ID + " " + c.Name
		n := did[key]
		delete(did, key)
		states = append(states, c.Name+" "+c.State)
		if !agent.CallState(c.State).Ended() || (len(c.Result) > 0) == (c.Error != "") || c.EndedAt.IsZero() {
			wrong("call %s is %s with the result %s and the error %q, want it ended with one of them", c.Name, c.State, c.Result, c.Error)
		}
		if n > 1 && c.Name != "look" {
			wrong("%s was called %d times", c.Name, n)
		}
		if c.State == string(agent.CallCompleted) && n == 0 && c.Name != "place" || n > 0 && c.State != string(agent.CallCompleted) && c.State != string(agent.CallUnknown) {
			wrong("%s is %s, and was called %d times", c.Name, c.State, n)
		}
	}
	for key := range did {
		wrong("%s was called, and is not on record", key)
	}
	unknown := slices.ContainsFunc(reply.ToolCalls, func(c api.ToolCall) bool { return c.State == string(agent.CallUnknown) })
	switch {
	case unknown && !maybeUnknown:
		wrong("the outcome of a call is said to be unknown: %v", states)
	case unknown && reply.Outcome != string(agent.Handoff):
		wrong("with a call of unknown outcome the turn ended as %s, want it handed off", reply.Outcome)
	case !unknown:
		want := slices.Repeat([]string{string(agent.CallCompleted)}, len(slices.Concat(callRounds...)))
		for i, c := range reply.ToolCalls {
			if i >= len(want) || c.State != want[i] {
				want = nil
				break
			}
		}
		if len(want) != len(reply.ToolCalls) || reply.Outcome != string(agent.Answer) {
			wrong("the reply is %s with the calls %v, want an answer with %v completed", reply.Outcome, states, callRounds)
		}
	}
	return faults
}

// A turn whose process is killed while a call of a tool waits, while one runs, and
// when its result has been stored goes on in another one: those that wait are decided
// about there, none is made twice that may not be, and each has an end on record.
func TestKilledInTheMiddleOfCalls(t *testing.T) {
	type moment struct {
		at  string
		hit int
	}
	moments := []moment{
		{forApproval, 1}, {forResult, 1}, {"call.recorded", 1}, {"once" + toolDone, 1}, {"look" + toolDone, 1}, {"refund" + toolBegun, 1},
		{"call.intended", 1}, {"call.made", 2},
	}
	if !testing.Short() {
		moments = append(moments, moment{"call.recorded", 3}, moment{"call.recorded", 5}, moment{"call.intended", 2}, moment{"call.made", 4},
			moment{"once" + toolBegun, 1}, moment{"refund" + toolDone, 1}, moment{"refund" + toolDone, 2}, moment{"look" + toolBegun, 2}, moment{"turn.answered", 1})
		for hit := 3; hit <= 9; hit += 2 {
			moments = append(moments, moment{"store.commit", hit}, moment{"store.committed", hit + 1})
		}
	}
	l := newCallsLife(t, "")
	unknown := 0
	for _, m := range moments {
		deaths := l.deaths
		reply, err := l.killed(m.at, m.hit)
		if err != nil {
			t.Errorf("killed at %s %d: %v", m.at, m.hit, err)
			continue
		}
		if l.deaths == deaths && !strings.HasPrefix(m.at, "store.") {
			t.Errorf("a server did not come by %s %d times", m.at, m.hit)
		}
		for _, f := range l.faults(reply, m.at != forApproval && m.at != forResult && !isTurn(m.at)) {
			t.Errorf("killed at %s %d: %s", m.at, m.hit, f)
		}
		if reply.Outcome == string(agent.Handoff) {
			unknown++
		}
	}
	t.Logf("%d turns, %d servers killed, %d handed off since nobody knows what a call did", len(moments), l.deaths, unknown)
}

// A desk that makes a call twice is told from one that does not: so the test above
// would fail for it.
func TestRepeatedCallIsFound(t *testing.T) {
	l := newCallsLife(t, "repeats")
	reply, err := l.killed("once"+toolDone, 1)
	if err != nil {
		t.Fatal(err)
	}
	if faults := l.faults(reply, true); !slices.Contains(faults, "once was called 2 times") {
		t.Errorf("faults = %q, want one that says so", faults)
	}
}
