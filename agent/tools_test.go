package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A tool is called, its result is used, and all of it is on record, in the stream and
// in the explanation.
func TestToolIsCalled(t *testing.T) {
	type in struct {
		Order string     `json:"order"`
		Call  agent.Call `json:"-"`
	}
	var got in
	look := agent.MustTool("order_status", "Says where an order is.", func(_ context.Context, i in) (map[string]string, error) {
		got = i
		return map[string]string{"state": "shipped"}, nil
	}, nil)
	d := newDesk(t, withTools(calls([]agent.Asked{{Name: "order_status", Arguments: json.RawMessage(`{"order":"A-1"}`), ModelID: "toolu_1", Signature: "sig"}}), look), hours)
	r, err := stream(t, d.agent(), agent.Message{Text: "Where is my order A-1?", User: agent.User{ID: "u1"}})
	if err != nil {
		t.Fatal(err)
	}
	reply := *r.reply
	if reply.Outcome != agent.Answer || reply.Text != "order_status completed {\"state\":\"shipped\"}\n" || !slices.Contains(reply.Confidence.Reasons, "tool_results") {
		t.Errorf("the reply is %s %q for the reasons %v, want an answer from what the tool said", reply.Outcome, reply.Text, reply.Confidence.Reasons)
	}
	if len(reply.ToolCalls) != 1 {
		t.Fatalf("the reply has %d calls, want 1", len(reply.ToolCalls))
	}
	c := reply.ToolCalls[0]
	if c.State != agent.CallCompleted || c.Round != 1 || c.ModelID != "toolu_1" || c.Signature != "sig" || string(c.Arguments) != `{"order":"A-1"}` {
		t.Errorf("the call is %+v, want it as it was asked for", c)
	}
	if got.Order != "A-1" || got.Call.ID != c.ID || got.Call.Company != d.company || got.Call.User.ID != "u1" || got.Call.ConversationID != reply.ConversationID {
		t.Errorf("the tool was given %+v, want the call %s of user u1", got, c.ID)
	}
	allEnded(t, d, reply.ToolCalls)
	has(t, "the events", r.types(), agent.MessageStarted, agent.ToolStarted, agent.ToolEnded, agent.TextDelta, agent.MessageCompleted)
	stored := d.messages(t, reply.ConversationID)[1].Reply
	if len(stored.ToolCalls) != 1 || string(stored.ToolCalls[0].Result) != `{"state":"shipped"}` {
		t.Errorf("the stored reply has the calls %+v", stored.ToolCalls)
	}
	why := d.explain(t, reply)
	if len(why.ToolCalls) != 1 || why.ToolCalls[0].ID != c.ID || why.ToolCalls[0].State != agent.CallCompleted || why.Decision != "answered_from_tools" || !slices.Contains(why.Reasons, "tool_results") {
		t.Errorf("the explanation is %+v, want the call in it, and that the answer stands on it", why)
	}
	var again []agent.EventType
	for ev, err := range d.conversations().Watch(t.Context(), reply.ID, 3) {
		if err != nil {
			t.Fatal(err)
		}
		again = append(again, ev.Type)
	}
	has(t, "the events of a resume", again, agent.ToolEnded, agent.MessageCompleted)
}

// What does not count as an answer without a tool is not shown at all: what the
// passages do not bear out is refused, unless a call has completed.
func TestLowConfidenceNeedsTool(t *testing.T) {
	failing := orderTool(t, "failing", func(context.Context, order) (string, error) { return "", errBroken }, nil)
	works := orderTool(t, "works", shipped, nil)
	for _, tt := range []struct {
		name    string
		answer  answering
		outcome agent.Outcome
		reason  string
	}{
		{"says something", calls(), agent.Refuse, "confidence_below_threshold"},
		{"words of its own", func(_ context.Context, _ agent.Question, say func(agent.Part)) error {
			say(agent.Part{Text: "It is surely blue."})
			return nil
		}, agent.Refuse, "nothing_found"},
		{"a call that failed", calls([]agent.Asked{ask("failing", `{"order":"1"}`)}), agent.Refuse, ""},
		{"a call that completed", calls([]agent.Asked{ask("works", `{"order":"1"}`)}), agent.Answer, ""},
		{"asks back", func(_ context.Context, _ agent.Question, say func(agent.Part)) error {
			say(agent.Part{Text: "Which order?", Outcome: agent.Clarify, Suggest: []string{"A-1", "A-2"}})
			return nil
		}, agent.Clarify, "asked_back"},
		{"hands off", func(_ context.Context, _ agent.Question, say func(agent.Part)) error {
			say(agent.Part{Outcome: agent.Handoff, Reason: "customer_asks"})
			return nil
		}, agent.Handoff, "customer_asks"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			passages := -1
			d := newDesk(t, withTools(answering(func(ctx context.Context, q agent.Question, say func(agent.Part)) error {
				passages = len(q.Passages)
				return tt.answer(ctx, q, say)
			}), failing, works), hours)
			r, err := stream(t, d.agent(), agent.Message{Text: "Zxqv wvut?"})
			if err != nil {
				t.Fatal(err)
			}
			if passages != 0 {
				t.Errorf("the answerer was given %d passages, want none", passages)
			}
			if r.reply.Outcome != tt.outcome || tt.reason != "" && r.reply.Reason != tt.reason && r.reply.Reason != "nothing_found" {
				t.Errorf("the reply is %s for %q, want %s for %q", r.reply.Outcome, r.reply.Reason, tt.outcome, tt.reason)
			}
			if r.text != r.reply.Text {
				t.Errorf("the stream ends with %q, want the reply's %q", r.text, r.reply.Text)
			}
			if tt.outcome == agent.Refuse && slices.ContainsFunc(r.events, func(ev agent.Event) bool { return strings.Contains(ev.Delta, "blue") }) {
				t.Error("words were shown that nothing bears out")
			}
			handed := slices.Contains(r.types(), agent.HandoffRequested)
			told := slices.ContainsFunc(d.events(t), func(ev event.Event) bool { return ev.Type == event.HandoffRequested })
			if want := tt.outcome == agent.Handoff; handed != want || told != want {
				t.Errorf("handoff.requested in the stream: %v, as an event: %v, want %v", handed, told, want)
			}
			if tt.outcome == agent.Handoff && r.reply.Text != agent.DefaultHandoffText {
				t.Errorf("the reply says %q, want the agent's handoff text", r.reply.Text)
			}
		})
	}
}

// What may not be called, or not so, goes back to the model in words, and nothing is
// done.
func TestCallIsRefused(t *testing.T) {
	ran := atomic.Int64{}
	run := func(context.Context, order) (string, error) { ran.Add(1); return "done", nil }
	good, never := orderTool(t, "good", run, nil), orderTool(t, "never", run, &agent.ToolOptions{Approval: agent.ApprovalNever})
	byOwner := orderTool(t, "by_owner", run, nil)
	for _, tt := range []struct {
		name  string
		asked agent.Asked
		want  string
	}{
		{"unknown tool", ask("nothing_like_it", `{}`), "no such tool"},
		{"never", ask("never", `{"order":"1"}`), "no such tool"},
		{"never by the settings", ask("by_owner", `{"order":"1"}`), "no such tool"},
		{"not JSON", ask("good", `{"order":`), "not a JSON object"},
		{"a list", ask("good", `[1]`), "not a JSON object"},
		{"null", ask("good", `null`), "not a JSON object"},
		{"two objects", ask("good", `{"order":"1"}{"order":"2"}`), "not a JSON object"},
		{"missing", ask("good", `{}`), `order`},
		{"none", ask("good", ``), `order`},
		{"of another type", ask("good", `{"order":5}`), `order`},
		{"one too many", ask("good", `{"order":"1","admin":true}`), `admin`},
		{"too long", ask("good", `{"order":"`+strings.Repeat("x", 40<<10)+`"}`), "bytes"},
		{"invalid UTF-8", ask("good", "{\"order\":\"\xff\"}"), "UTF-8"},
		{"a hostile name", ask("good\x00\xff"+strings.Repeat("n", 1000), `{}`), "no such tool"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, withTools(calls([]agent.Asked{tt.asked}), good, never, byOwner), hours)
			d.patch(t, func(s *agent.Settings) {
				s.Tools = map[string]agent.ToolSettings{"by_owner": {Approval: agent.ApprovalNever}}
			})
			reply := d.ask(t, agent.Message{Text: "Where is my order?"})
			if len(reply.ToolCalls) != 1 || reply.ToolCalls[0].State != agent.CallFailed || !strings.Contains(reply.ToolCalls[0].Error, tt.want) {
				t.Errorf("the calls are %+v, want one that failed with %q", reply.ToolCalls, tt.want)
			}
			allEnded(t, d, reply.ToolCalls)
			if ran.Load() != 0 {
				t.Fatal("the tool was run")
			}
		})
	}
}

// The tools that an agent is told of are those that it may call.
func TestOfferedTools(t *testing.T) {
	var offered []string
	d := newDesk(t, withTools(answering(func(_ context.Context, q agent.Question, say func(agent.Part)) error {
		for _, tool := range q.Tools {
			offered = append(offered, fmt.Sprint(tool.Name, " ", tool.Approval, " ", tool.Run != nil))
		}
		return nil
	}), orderTool(t, "b", shipped, nil), orderTool(t, "a", shipped, nil), orderTool(t, "never", shipped, &agent.ToolOptions{Approval: agent.ApprovalNever}),
		orderTool(t, "shadowed", shipped, nil), orderTool(t, "asks", shipped, nil)), hours)
	object := json.RawMessage(`{"type":"object"}`)
	d.patch(t, func(s *agent.Settings) {
		s.Tools = map[string]agent.ToolSettings{
			"asks": {Approval: agent.ApprovalAsk}, "never": {}, "callers": {Parameters: object, Description: "of the caller"},
			"shadowed": {Parameters: object, Description: "of the caller"},
		}
	})
	d.ask(t, agent.Message{Text: "When do you open?"})
	has(t, "the tools", offered, "b auto true", "a auto true", "asks ask true", "callers auto false", "shadowed auto false")
}

// What the model leaves out and the caller's context knows is filled in, where the
// schema allows the value.
func TestContextFillsArguments(t *testing.T) {
	type in struct {
		Order  string `json:"order"`
		Screen string `json:"screen"`
		Count  int    `json:"count,omitempty"`
	}
	var got in
	tool := agent.MustTool("look", "Looks.", func(_ context.Context, i in) (string, error) { got = i; return "", nil }, nil)
	d := newDesk(t, withTools(calls([]agent.Asked{ask("look", `{"order":"A-1"}`)}), tool), hours)
	reply := d.ask(t, agent.Message{Text: "Where is it?", Context: map[string]any{"screen": "billing", "order": "B-9", "count": "many", "other": 1}})
	if want := (in{Order: "A-1", Screen: "billing"}); got != want {
		t.Errorf("the tool was given %+v, want %+v", got, want)
	}
	if a := string(reply.ToolCalls[0].Arguments); a != `{"order":"A-1","screen":"billing"}` {
		t.Errorf("the arguments on record are %s", a)
	}
}

// Calls of a round are made beside each other, a few at a time, and come back in the
// order they were asked for.
func TestParallelCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		slow := orderTool(t, "slow", func(_ context.Context, o order) (string, error) {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			time.Sleep(time.Second * time.Duration(20-len(o.Order)))
			return o.Order, nil
		}, nil)
		var round []agent.Asked
		for i := range 10 {
			round = append(round, ask("slow", fmt.Sprintf(`{"order":%q}`, strings.Repeat("x", i+1))))
		}
		d := newDesk(t, withTools(calls(round), slow), hours)
		reply := d.ask(t, agent.Message{Text: "Where are they?"})
		for i, c := range reply.ToolCalls {
			if want := fmt.Sprintf("%q", strings.Repeat("x", i+1)); string(c.Result) != want {
				t.Errorf("call %d = %s, want %s", i, c.Result, want)
			}
		}
		if len(reply.ToolCalls) != 10 || most.Load() != 4 {
			t.Errorf("%d calls were made, %d of them at a time, want 10 and 4", len(reply.ToolCalls), most.Load())
		}
	})
}

// A tool that fails, panics, exits, says too much or nonsense fails its call and
// nothing else. What it panics with is told to nobody.
func TestToolFails(t *testing.T) {
	raw := func(run func(context.Context, agent.Call) (json.RawMessage, error)) agent.Tool {
		return agent.Tool{Name: "tool", Parameters: json.RawMessage(`{"type":"object"}`), Run: run}
	}
	for _, tt := range []struct {
		name string
		tool agent.Tool
		want string // of the error; empty: it completes
	}{
		{"error", raw(func(context.Context, agent.Call) (json.RawMessage, error) { return nil, errBroken }), errBroken.Error()},
		{"empty error", raw(func(context.Context, agent.Call) (json.RawMessage, error) { return nil, errors.New("") }), "it failed"},
		{"long error", raw(func(context.Context, agent.Call) (json.RawMessage, error) {
			return nil, errors.New(strings.Repeat("é\x00\xff", 5000))
		}), "é"},
		{"panic", raw(func(context.Context, agent.Call) (json.RawMessage, error) { panic("secret") }), "the tool broke down"},
		{"runtime panic", raw(func(context.Context, agent.Call) (json.RawMessage, error) {
			return make(json.RawMessage, 1/len(strings.TrimSpace(" "))), nil // divides by zero
		}), "the tool broke down"},
		{"too long", raw(func(context.Context, agent.Call) (json.RawMessage, error) {
			return json.RawMessage(`"` + strings.Repeat("x", 17<<10) + `"`), nil
		}), "16384 are the most"},
		{"not JSON", raw(func(context.Context, agent.Call) (json.RawMessage, error) { return json.RawMessage(`{"x":`), nil }), "not valid JSON"},
		{"not UTF-8", raw(func(context.Context, agent.Call) (json.RawMessage, error) { return json.RawMessage("\"\xff\""), nil }), "not valid JSON"},
		{"nothing", raw(func(context.Context, agent.Call) (json.RawMessage, error) { return nil, nil }), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, withTools(calls([]agent.Asked{ask("tool", `{}`)}), tt.tool), hours)
			reply := d.ask(t, agent.Message{Text: "When do you open?"})
			allEnded(t, d, reply.ToolCalls)
			c := reply.ToolCalls[0]
			if failed := c.State == agent.CallFailed; failed != (tt.want != "") || !strings.Contains(c.Error, tt.want) || len(c.Error) > 3000 || strings.Contains(c.Error, "secret") {
				t.Errorf("the call is %s with %.100q, want %q", c.State, c.Error, tt.want)
			}
		})
	}
}

// Middleware sees every call of this program's tools, and may answer itself.
func TestToolMiddleware(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	wrap := func(name string) agent.ToolMiddleware {
		return func(next agent.ToolFunc) agent.ToolFunc {
			return func(ctx context.Context, c agent.Call) (json.RawMessage, error) {
				mu.Lock()
				seen = append(seen, name+" "+c.Name)
				mu.Unlock()
				if c.Name == "b" && name == "inner" {
					return json.RawMessage(`"instead"`), nil
				}
				return next(ctx, c)
			}
		}
	}
	p := withTools(calls([]agent.Asked{ask("a", `{"order":"1"}`)}, []agent.Asked{ask("b", `{"order":"1"}`)}), orderTool(t, "a", shipped, nil), orderTool(t, "b", shipped, &agent.ToolOptions{ReadOnly: true}))
	p.ToolMiddleware = []agent.ToolMiddleware{wrap("outer"), wrap("inner")}
	d := newDesk(t, p, hours)
	reply := d.ask(t, agent.Message{Text: "Where is it?"})
	has(t, "middleware", seen, "outer a", "inner a", "outer b", "inner b")
	if reply.Text != "a completed \"shipped\"\nb completed \"instead\"\n" {
		t.Errorf("the reply is %q", reply.Text)
	}
}

// One that has calls behind it which a retry would repeat: when a citation does not
// hold, the reply is written again, and the calls are not made again.
func TestCallsAreMadeOnce(t *testing.T) {
	ran := 0
	tool := orderTool(t, "look", func(context.Context, order) (string, error) { ran++; return "shipped", nil }, nil)
	var d *desk
	drafts := 0
	d = newDesk(t, withTools(answering(func(ctx context.Context, q agent.Question, say func(agent.Part)) error {
		drafts++
		if len(q.Called) == 0 {
			if _, err := q.Call(ctx, []agent.Asked{ask("look", `{"order":"1"}`)}); err != nil {
				return err
			}
		}
		p := q.Passages[0]
		c := agent.Cite(p.Passage, p.Start, p.End)
		if drafts == 1 {
			d.put(t, returns, knowledgeChanged)
		}
		say(agent.Part{Text: "Look: " + c.Quote, Citation: &c})
		return nil
	}), tool), hours)
	always(t, d)
	reply := d.ask(t, agent.Message{Text: "When do you open on weekdays in the morning?"})
	if ran != 1 || drafts != 2 || len(reply.ToolCalls) != 1 {
		t.Errorf("%d drafts called the tool %d times, and the reply has %d calls, want 2, 1 and 1", drafts, ran, len(reply.ToolCalls))
	}
}

var knowledgeChanged = func() (doc knowledge.Document) {
	doc = hours
	doc.Text = strings.ReplaceAll(doc.Text, "nine", "ten")
	return doc
}()

// Approved calls are made, rejected ones are not, and who decided is on record.
func TestApproval(t *testing.T) {
	ran := atomic.Int64{}
	refund := orderTool(t, "refund", func(context.Context, order) (string, error) { ran.Add(1); return "refunded", nil },
		&agent.ToolOptions{Approval: agent.ApprovalAsk})
	by := store.Request{Actor: "key_boss"}
	for _, tt := range []struct {
		name   string
		decide func(*agent.Conversations, context.Context, string) (agent.ToolCall, error)
		state  agent.CallState
		ran    int64
		action string
	}{
		{"approved", (*agent.Conversations).Approve, agent.CallCompleted, 1, "tool_call.approve"},
		{"rejected", (*agent.Conversations).Reject, agent.CallRejected, 0, "tool_call.reject"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ran.Store(0)
			d := newDesk(t, withTools(calls([]agent.Asked{ask("refund", `{"order":"A-1"}`)}), refund), hours)
			callID, wait := d.startWaiting(t, agent.Message{Text: "Give me my money back."})
			c, err := d.conversations().ToolCall(t.Context(), callID)
			if err != nil || c.State != agent.CallAwaitingApproval || c.ExpiresAt.IsZero() || c.Approval != agent.ApprovalAsk || ran.Load() != 0 {
				t.Fatalf("ToolCall = %+v, %v, want one that waits, and nothing done", c, err)
			}
			if !slices.ContainsFunc(d.events(t), func(ev event.Event) bool { return ev.Type == event.ToolWaiting && ev.Refs.ToolCallID == callID }) {
				t.Error("no event tells that a call waits")
			}
			if _, err := d.conversations().Answer(t.Context(), callID, json.RawMessage(`1`), false); !errors.Is(err, store.ErrConflict) {
				t.Errorf("Answer of a call that is to be approved = error %v, want %v", err, store.ErrConflict)
			}
			other, err := d.companies.Create(t.Context(), "Other")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tt.decide(d.Conversations(other.ID), t.Context(), callID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("deciding as another company = error %v, want %v", err, store.ErrNotFound)
			}
			if _, err := tt.decide(d.conversations().By(by), t.Context(), callID); err != nil {
				t.Fatal(err)
			}
			reply, err := wait()
			if err != nil {
				t.Fatal(err)
			}
			c = reply.ToolCalls[0]
			if c.State != tt.state || c.DecidedBy != "key_boss" || ran.Load() != tt.ran {
				t.Errorf("the call is %s, decided by %q, and was made %d times, want %s by key_boss, %d times", c.State, c.DecidedBy, ran.Load(), tt.state, tt.ran)
			}
			allEnded(t, d, reply.ToolCalls)
			audit, err := d.store.AuditLog(t.Context(), d.company, store.Page{})
			if err != nil || !slices.ContainsFunc(audit.Data, func(a store.Audit) bool { return a.Action == tt.action && a.Object == callID && a.Actor == "key_boss" }) {
				t.Errorf("the audit log is %+v, %v, want %s of %s", audit.Data, err, tt.action, callID)
			}
			if again, err := tt.decide(d.conversations(), t.Context(), callID); err != nil || again.State != tt.state {
				t.Errorf("deciding the same again = %s, %v, want the call as it is", again.State, err)
			}
			otherwise := (*agent.Conversations).Approve
			if tt.ran > 0 {
				otherwise = (*agent.Conversations).Reject
			}
			if _, err := otherwise(d.conversations(), t.Context(), callID); !errors.Is(err, store.ErrConflict) {
				t.Errorf("deciding otherwise = error %v, want %v", err, store.ErrConflict)
			}
			for _, unknown := range []string{"call_00000000000000000000000000", "nonsense", ""} {
				if _, err := tt.decide(d.conversations(), t.Context(), unknown); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("deciding %q = error %v, want %v", unknown, err, store.ErrNotFound)
				}
			}
		})
	}
}

// An approval that nobody gives expires, and the time of waiting is not the turn's.
func TestApprovalExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refund := orderTool(t, "refund", func(context.Context, order) (string, error) {
			t.Error("what nobody approved was done")
			return "", nil
		}, &agent.ToolOptions{Approval: agent.ApprovalAsk})
		d := newDesk(t, withTools(calls([]agent.Asked{ask("refund", `{"order":"A-1"}`)}), refund), hours)
		begun := time.Now()
		callID := ""
		r := reader{}
		for ev, err := range d.agent().Stream(t.Context(), agent.Message{Text: "Give me my money back."}) {
			if err != nil {
				t.Fatal(err)
			}
			if ev.Type == agent.ToolWaiting {
				callID = ev.ToolCall.ID
			}
			r.see(ev)
		}
		if took := time.Since(begun).Round(time.Second); took != 10*time.Minute || r.reply.ToolCalls[0].State != agent.CallExpired {
			t.Errorf("the call was %s after %v, want expired after 10m", r.reply.ToolCalls[0].State, took)
		}
		allEnded(t, d, r.reply.ToolCalls)
		if _, err := d.conversations().Approve(t.Context(), callID); !errors.Is(err, store.ErrConflict) {
			t.Errorf("Approve of what has expired = error %v, want %v", err, store.ErrConflict)
		}
	})
}

// A caller's tool waits for the caller's result.
func TestCallerAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, withTools(calls([]agent.Asked{ask("location", `{}`)})), hours)
		d.patch(t, func(s *agent.Settings) {
			s.Tools = map[string]agent.ToolSettings{"location": {Description: "Where the user is.", Parameters: json.RawMessage(`{"type":"object"}`)}}
		})
		for _, tt := range []struct {
			name   string
			result string
			failed bool
			state  agent.CallState
			text   string
		}{
			{"a result", `{"city":"Bremen"}`, false, agent.CallCompleted, `location completed {"city":"Bremen"}` + "\n"},
			{"a failure", `"no permission"`, true, agent.CallFailed, ""},
		} {
			callID, wait := d.startWaiting(t, agent.Message{Text: "Where am I?"})
			for _, bad := range []string{"", "{", "\"\xff\"", `"` + strings.Repeat("x", 65<<10) + `"`} {
				if _, err := d.conversations().Answer(t.Context(), callID, json.RawMessage(bad), false); !errors.Is(err, agent.ErrInvalid) {
					t.Errorf("Answer with %.20q = error %v, want %v", bad, err, agent.ErrInvalid)
				}
			}
			if _, err := d.conversations().Approve(t.Context(), callID); !errors.Is(err, store.ErrConflict) {
				t.Errorf("Approve of a call that waits for a result = error %v, want %v", err, store.ErrConflict)
			}
			time.Sleep(time.Minute)
			if _, err := d.conversations().Answer(t.Context(), callID, json.RawMessage(tt.result), tt.failed); err != nil {
				t.Fatal(err)
			}
			reply, err := wait()
			if err != nil || reply.ToolCalls[0].State != tt.state || tt.text != "" && reply.Text != tt.text {
				t.Errorf("%s: the reply is %q with %v, %v, want %q with %s", tt.name, reply.Text, states(reply.ToolCalls), err, tt.text, tt.state)
			}
			if tt.failed && reply.ToolCalls[0].Error != "no permission" {
				t.Errorf("the error is %q", reply.ToolCalls[0].Error)
			}
			allEnded(t, d, reply.ToolCalls)
		}
		begun := time.Now()
		_, wait := d.startWaiting(t, agent.Message{Text: "Where am I?"})
		reply, err := wait()
		if took := time.Since(begun).Round(time.Second); err != nil || reply.ToolCalls[0].State != agent.CallExpired || took != 2*time.Minute {
			t.Errorf("a call that nobody answers = %v, %v after %v, want it expired after 2m", states(reply.ToolCalls), err, took)
		}
	})
}

// Another process may decide, too.
func TestDecidedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refund := orderTool(t, "refund", shipped, &agent.ToolOptions{Approval: agent.ApprovalAsk})
		p := withTools(calls([]agent.Asked{ask("refund", `{"order":"A-1"}`)}), refund)
		d := newDesk(t, p, hours)
		other := deskOn(t, d.store, p)
		callID, wait := d.startWaiting(t, agent.Message{Text: "Give me my money back."})
		time.Sleep(time.Minute)
		if _, err := other.conversations().Approve(t.Context(), callID); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		reply, err := wait()
		if took := time.Since(begun); err != nil || reply.ToolCalls[0].State != agent.CallCompleted || took > 3*time.Second {
			t.Errorf("the reply came after %v with %v, %v, want it within 2 s or so", took, states(reply.ToolCalls), err)
		}
	})
}

// What a model asks for after it has read data is not done until somebody approves it,
// unless the tool changes nothing.
func TestInformedCallNeedsApproval(t *testing.T) {
	refund := orderTool(t, "refund", shipped, nil)
	look := orderTool(t, "look", shipped, &agent.ToolOptions{ReadOnly: true})
	never := orderTool(t, "never", shipped, &agent.ToolOptions{Approval: agent.ApprovalNever})
	arguments := json.RawMessage(`{"order":"1"}`)
	for _, tt := range []struct {
		name   string
		rounds [][]agent.Asked
		waits  []bool
		states []agent.CallState
	}{
		{"not informed", [][]agent.Asked{{{Name: "refund", Arguments: arguments}}}, nil, []agent.CallState{agent.CallCompleted}},
		{"informed", [][]agent.Asked{{{Name: "refund", Arguments: arguments, Informed: true}}}, []bool{true}, []agent.CallState{agent.CallRejected}},
		{"informed and read-only", [][]agent.Asked{{{Name: "look", Arguments: arguments, Informed: true}}}, nil, []agent.CallState{agent.CallCompleted}},
		{"informed and never", [][]agent.Asked{{{Name: "never", Arguments: arguments, Informed: true}}}, nil, []agent.CallState{agent.CallFailed}},
		{"after a result, whatever is said", [][]agent.Asked{{{Name: "look", Arguments: arguments}}, {{Name: "refund", Arguments: arguments}}}, []bool{true}, []agent.CallState{agent.CallCompleted, agent.CallRejected}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, withTools(calls(tt.rounds...), refund, look, never), hours)
			waited := 0
			r := reader{}
			for ev, err := range d.agent().Stream(t.Context(), agent.Message{Text: "Where is my order?"}) {
				if err != nil {
					t.Fatal(err)
				}
				if ev.Type == agent.ToolWaiting {
					waited++
					if ev.ToolCall.Approval != agent.ApprovalAsk {
						t.Errorf("the call that waits has the approval %q", ev.ToolCall.Approval)
					}
					if _, err := d.conversations().Reject(t.Context(), ev.ToolCall.ID); err != nil {
						t.Fatal(err)
					}
				}
				r.see(ev)
			}
			if waited != len(tt.waits) {
				t.Errorf("%d calls have waited, want %d", waited, len(tt.waits))
			}
			has(t, "the calls", states(r.reply.ToolCalls), tt.states...)
		})
	}
}
