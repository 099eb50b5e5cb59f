package generative_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/extractive"
	"github.com/answerdesk-go/answerdesk/agent/generative"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

const shippedText = "Your order 4711 has been shipped. It arrives on 24 November."

func orders() *desk {
	return &desk{tools: map[string]func(json.RawMessage) (string, error){"order_status": shipped, "refund": func(json.RawMessage) (string, error) { return "", errors.New("is not allowed") }}}
}

// A tool is called before the model has read any passage; the reply is written from
// both, without calls.
func TestTools(t *testing.T) {
	m := llmtest.NewScript(
		llmtest.Say("Let me look that up.").Call("order_status", map[string]any{"number": 4711}),
		llmtest.Say("NO_ANSWER"),
		llmtest.Say(shippedText+" You can return items within 30 days [1]. It weighs 3 kg."),
	)
	d := orders()
	got := mustCollect(t, says(m), d.ask(asked("Where is my order 4711?", returns)))
	if want := shippedText + " You can return items within 30 days."; got.text != want || len(got.citations) != 1 || got.resets != 0 {
		t.Errorf("the reply is %q with %d citations after %d resets, want %q with one", got.text, len(got.citations), got.resets, want)
	}
	if len(d.calls) != 1 || d.calls[0].ModelID == "" || len(d.spent) != 3 || d.spent[0].Purpose != "answer" || d.spent[0].Usage.ModelCalls != 1 || d.spent[0].Model == "" {
		t.Errorf("calls %+v and answers %+v, want one call, three answers on record", d.calls, d.spent)
	}
	reqs := m.Requests()
	for i, req := range reqs {
		data := strings.Contains(fmt.Sprint(req.Messages), "within 30 days")
		if data != (i == 2) || (req.ToolChoice == llm.ToolNone) != (i == 2) || len(req.Tools) != 2 {
			t.Errorf("request %d has passages: %v, choice %q, %d tools; want passages in the last one alone, and no call from there", i, data, req.ToolChoice, len(req.Tools))
		}
	}
}

// What a tool returned is told in the customer's language, if figures and names are
// those of the result.
func TestToolsInGerman(t *testing.T) {
	m := llmtest.NewScript(llmtest.Call("order_status", nil), llmtest.Say("Ihre Bestellung 4711 wurde versandt. Sie kommt am 24. November an. Sie kostet 30 Euro. Wir lieben Kajaks."))
	q := orders().ask(asked("Wo ist meine Bestellung 4711?"))
	q.Language = "de"
	if got, want := mustCollect(t, says(m), q), "Ihre Bestellung 4711 wurde versandt. Sie kommt am 24. November an."; got.text != want {
		t.Errorf("the reply is %q, want %q", got.text, want)
	}
}

// Whether the model had read data when it asked for a call is told with it.
func TestInformed(t *testing.T) {
	var informed []bool
	m := llmtest.NewScript(llmtest.Call("order_status", nil).Call("refund", nil), llmtest.Call("order_status", nil), llmtest.Say("NO_ANSWER"), llmtest.Say("NO_ANSWER"))
	d := orders()
	q := d.ask(asked("Where is my order 4711?", returns))
	call := q.Call
	q.Call = func(ctx context.Context, asked []agent.Asked) ([]agent.ToolCall, error) {
		for _, a := range asked {
			informed = append(informed, a.Informed)
		}
		return call(ctx, asked)
	}
	mustCollect(t, says(m), q)
	if want := []bool{false, false, true}; !slices.Equal(informed, want) {
		t.Errorf("the calls are informed: %v, want %v", informed, want)
	}
}

// Without passages the reply is written where the tools are called. What was said
// before calls, be it borne out by those before, is taken back.
func TestToolsAlone(t *testing.T) {
	m := llmtest.NewScript(
		llmtest.Call("order_status", map[string]any{"number": 4711}),
		llmtest.Say("Your order 4711 has been shipped. Let me see. ").Call("order_status", nil).Call("refund", nil),
		llmtest.Say(shippedText),
	)
	d := orders()
	got := mustCollect(t, says(m), d.ask(asked("Where is my order 4711?")))
	if got.text != shippedText || got.resets != 1 || len(d.calls) != 3 || m.Left() != 0 {
		t.Errorf("the reply is %q after %d resets and %d calls, want %q after 1 and 3", got.text, got.resets, len(d.calls), shippedText)
	}
	last := m.Requests()[2].Messages
	if r := last[len(last)-1].Results; len(r) != 2 || r[0].Failed || !r[1].Failed || !strings.HasPrefix(r[1].Content, "<result>\nis not allowed") {
		t.Errorf("the results are %+v, want one that is there and one that failed, fenced", r)
	}
}

// What a call needs is asked for before any data is read, and such a question may
// stand in what later turns begin with.
func TestAsksForWhatACallNeeds(t *testing.T) {
	d := orders()
	m := llmtest.NewScript(llmtest.Say("CLARIFY\nWhat is your booking reference?"))
	got := mustCollect(t, says(m), d.ask(asked("Where is my order?", returns)))
	if got.text != "What is your booking reference?" || got.outcome != agent.Clarify || got.reason != generative.ReasonAskedBack {
		t.Errorf("the reply is %q, %q, %q, want a question back", got.text, got.outcome, got.reason)
	}

	m = llmtest.NewScript(llmtest.Call("order_status", nil), llmtest.Say("NO_ANSWER"), llmtest.Say(shippedText))
	q := d.ask(asked("4711", returns))
	q.History = func(context.Context) ([]agent.Message, error) {
		return []agent.Message{
			{ID: "msg_1", Role: agent.RoleUser, Text: "When do you open?"},
			{ID: "msg_2", Role: agent.RoleAgent, Text: "At nine: CALL refund {}", Reply: &agent.Reply{}},
			{ID: "msg_3", Role: agent.RoleUser, Text: "Where is my order?"},
			{ID: "msg_4", Role: agent.RoleAgent, Text: got.text, Reply: &agent.Reply{Reason: got.reason}},
		}, nil
	}
	mustCollect(t, says(m), q)
	first, last := fmt.Sprint(m.Requests()[0].Messages), fmt.Sprint(m.Requests()[2].Messages)
	if strings.Contains(first, "CALL refund") || !strings.Contains(first, "booking reference") || !strings.Contains(last, "CALL refund") {
		t.Errorf("the stage of calls sees %s", first)
	}
}

// At the bound of the budget the reply is made of what there is: complaint 5.
func TestBudgetOfAnAnswerer(t *testing.T) {
	call := llmtest.Call("order_status", map[string]any{"number": 4711})
	for _, tt := range []struct {
		name   string
		desk   *desk
		models int
		most   int
		says   []llmtest.Answer
	}{
		{"answers", orders(), 2, 0, []llmtest.Answer{call, call, llmtest.Say(shippedText)}},
		{"calls", orders(), 0, 1, []llmtest.Answer{call, call.Call("refund", nil), llmtest.Say(shippedText)}},
		{"a model that goes on calling", orders(), 2, 0, []llmtest.Answer{call, call, llmtest.Say(shippedText).Call("order_status", nil)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.desk.models, tt.desk.most = tt.models, tt.most
			m := llmtest.NewScript(tt.says...)
			got := mustCollect(t, says(m), tt.desk.ask(asked("Where is my order 4711?")))
			reqs := m.Requests()
			if got.text != shippedText || reqs[len(reqs)-1].ToolChoice != llm.ToolNone || len(tt.desk.calls) != 1 {
				t.Errorf("the reply is %q after %d calls, the last request allows %q, want the answer, one call and none more", got.text, len(tt.desk.calls), reqs[len(reqs)-1].ToolChoice)
			}
		})
	}
}

// Calls that are on record from before the turn was taken over are not made again.
func TestTakenOver(t *testing.T) {
	m := llmtest.NewScript(llmtest.Say(shippedText))
	d := orders()
	q := d.ask(asked("Where is my order 4711?"))
	result, _ := shipped(nil)
	q.Called = []agent.ToolCall{
		{ID: "call_1", ModelID: "m1", Name: "order_status", Arguments: json.RawMessage(`{"number":4711}`), State: agent.CallCompleted, Result: json.RawMessage(result), Round: 1, Signature: "s"},
		{ID: "call_2", ModelID: "m2", Name: "refund", Arguments: json.RawMessage(`{}`), State: agent.CallRejected, Error: "somebody did not approve it", Round: 1},
		{ID: "call_3", Name: "order_status", Arguments: json.RawMessage(`{}`), State: agent.CallCompleted, Result: json.RawMessage(result), Round: 2},
	}
	got := mustCollect(t, says(m), q)
	ms := m.Requests()[0].Messages
	if got.text != shippedText || len(d.calls) != 0 || len(ms) != 5 || len(ms[1].ToolCalls) != 2 || ms[1].ToolCalls[0].ID != "m1" || ms[1].ToolCalls[0].Signature != "s" ||
		len(ms[2].Results) != 2 || !ms[2].Results[1].Failed || ms[3].ToolCalls[0].ID != "call_3" {
		t.Errorf("the reply is %q, the messages are %+v, want two rounds before it", got.text, ms)
	}
}

// When the model fails another answerer writes, if there is one.
func TestFallback(t *testing.T) {
	broken := &llm.Error{Provider: "test", Kind: llm.Server, Status: 500}
	for _, tt := range []struct {
		name string
		says llmtest.Answer
		kind string
	}{
		{"at once", llmtest.Fail(broken), "server"},
		{"after text", llmtest.Say("We open at 9 am [2]. And").Fail(llm.ErrIncomplete), "incomplete"},
		{"filtered", llmtest.Say("We open").Done(llm.Done{Reason: llm.FinishFiltered}), "bad_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := &desk{}
			a := generative.New(llmtest.NewScript(tt.says), &generative.Options{Fallback: extractive.New(nil)})
			got := mustCollect(t, a, d.ask(asked("When can items be returned?", returns, hours)))
			if !strings.HasPrefix(got.text, "Items can be returned within 30 days.") || got.reason != generative.ReasonModelFailed || len(got.citations) == 0 {
				t.Errorf("the reply is %q for reason %q, want a quote", got.text, got.reason)
			}
			if len(d.spent) != 1 || d.spent[0].Error != tt.kind {
				t.Errorf("on record is %+v, want one answer that failed with %q", d.spent, tt.kind)
			}
			if _, err := collect(t, says(llmtest.NewScript(tt.says)), asked("When?", returns, hours)); err == nil {
				t.Error("without a fallback the error of the model is lost")
			}
		})
	}

	t.Run("not for errors of the engine", func(t *testing.T) {
		lost := errors.New("fenced")
		d := orders()
		q := d.ask(asked("Where is my order?", returns))
		q.Call = func(context.Context, []agent.Asked) ([]agent.ToolCall, error) { return nil, lost }
		a := generative.New(llmtest.NewScript(llmtest.Call("order_status", nil)), &generative.Options{Fallback: extractive.New(nil)})
		if got, err := collect(t, a, q); !errors.Is(err, lost) || got.text != "" {
			t.Errorf("Answer = %q, %v, want the error", got.text, err)
		}
	})

	t.Run("not when the turn is cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		m := llmtest.NewScript(llmtest.Until(release))
		next, stop := iter.Pull2(generative.New(m, &generative.Options{Fallback: extractive.New(nil)}).Answer(ctx, asked("When?", returns)))
		defer stop()
		cancel()
		if p, err, ok := next(); !ok || !errors.Is(err, context.Canceled) {
			t.Errorf("Answer = %+v, %v, %v, want that it was cancelled", p, err, ok)
		}
	})
}

// A reader who leaves ends the request, wherever that is.
func TestLeave(t *testing.T) {
	for n := range 3 {
		m := llmtest.NewScript(llmtest.Say("We open at 9 am [2]. You can return items within 30 days [1]. Deposits are not refundable [1]."))
		d := &desk{}
		i := 0
		for range says(m).Answer(t.Context(), d.ask(asked("When?", returns, hours))) {
			if i++; i > n {
				break
			}
		}
		if i != n+1 {
			t.Errorf("%d parts, want %d", i, n+1)
		}
	}
}

func TestModels(t *testing.T) {
	a := generative.New(llmtest.NewScript(llmtest.Say("We open at 9 am [2].")), &generative.Options{Models: map[string]llm.Model{
		"small": llmtest.NewScript(llmtest.Say("We close at 6 pm [2].")),
	}})
	q := asked("When?", returns, hours)
	q.Agent.Model = "small"
	if got := mustCollect(t, a, q); got.text != "We close at 6 pm." || got.reason != "" {
		t.Errorf("the model named small says %q, %q", got.text, got.reason)
	}
	q.Agent.Model = "gone"
	if got := mustCollect(t, a, q); got.text != "We open at 9 am." || got.reason != generative.ReasonUnknownModel {
		t.Errorf("a model that is not there: %q, %q, want the first one and why", got.text, got.reason)
	}
}

func TestTyped(t *testing.T) {
	const schema = `{"type":"object","required":["hour"],"properties":{"hour":{"type":"integer"}}}`
	ask := func() agent.Question {
		q := asked("When do you open?", returns, hours)
		q.Message.ReplySchema = json.RawMessage(schema)
		return q
	}
	const good = `{"text":"We open at 9 am [2].","data":{"hour":9}}`
	for _, tt := range []struct {
		name string
		says []string
		text string
		data string
	}{
		{"fits", []string{good}, "We open at 9 am.", `{"hour":9}`},
		{"in a block of code", []string{"```json\n" + good + "\n```"}, "We open at 9 am.", `{"hour":9}`},
		{"repaired", []string{`{"text":"We open at 9 am [2].","data":{"hour":"nine"}}`, good}, "We open at 9 am.", `{"hour":9}`},
		{"does not answer", []string{`{"text":"NO_ANSWER","data":{}}`}, "", ""},
		{"nothing bears it out", []string{`{"text":"We open at 8 am [2].","data":{"hour":8}}`}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var said []llmtest.Answer
			for _, s := range tt.says {
				said = append(said, llmtest.Say(s))
			}
			m := llmtest.NewScript(said...)
			got := mustCollect(t, says(m), ask())
			if got.text != tt.text || got.data != tt.data || m.Left() != 0 {
				t.Errorf("the reply is %q with %s, want %q with %s", got.text, got.data, tt.text, tt.data)
			}
			if o := m.Requests()[0].Output; o == nil || !strings.Contains(string(o.Schema), `"hour"`) {
				t.Errorf("the request asks for %+v, want the form", o)
			}
		})
	}
	if _, err := collect(t, says(llmtest.NewScript(llmtest.Say("{}"), llmtest.Say("9"))), ask()); err == nil {
		t.Error("data that never fits is no error")
	}

	t.Run("with tools", func(t *testing.T) {
		m := llmtest.NewScript(llmtest.Call("order_status", nil), llmtest.Say("NO_ANSWER"), llmtest.Say(good))
		d := orders()
		if got := mustCollect(t, says(m), d.ask(ask())); got.data != `{"hour":9}` || len(d.calls) != 1 {
			t.Errorf("the reply has %s after %d calls", got.data, len(d.calls))
		}
		for i, req := range m.Requests() {
			if (req.Output != nil) != (i == 2) {
				t.Errorf("request %d asks for a form: %v", i, req.Output != nil)
			}
		}
	})
}

// A model that does not come to an end costs the time that the question leaves, and
// then the reply is made without it.
func TestSlowModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := llmtest.NewScript(llmtest.Say("You can").Until(make(chan struct{})))
		a := generative.New(m, &generative.Options{Fallback: extractive.New(nil)})
		q := asked("How long can I return items?", returns)
		q.Left = func() time.Duration { return 7 * time.Second }
		begun := time.Now()
		got := mustCollect(t, a, q)
		if took := time.Since(begun); got.text == "" || len(got.citations) == 0 || took != 7*time.Second {
			t.Errorf("the answer is %q with %d citations after %v, want the quote after 7s", got.text, len(got.citations), took)
		}
	})
}
