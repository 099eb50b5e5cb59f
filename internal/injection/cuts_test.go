package injection_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
	"github.com/answerdesk-go/answerdesk/store"
)

// A cutting model breaks off once, after so many events.
type cutting struct {
	llm.Model
	left *atomic.Int64
}

func (c cutting) Generate(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		for ev, err := range c.Model.Generate(ctx, req) {
			if c.left.Add(-1) == -1 {
				yield(nil, fmt.Errorf("cut: %w", llm.ErrIncomplete))
				return
			}
			if !yield(ev, err) {
				return
			}
		}
	}
}

// TestCutAnywhere: a model that says something, asks for two calls at once and answers
// is cut off after each of its events, and another goes on. Each time the reply is
// that of the model that was not cut off, its text stands once in the stream, each call
// was made once and has its result, and whoever comes back to the stream at any place
// finds that reply at its end.
func TestCutAnywhere(t *testing.T) {
	const before, after = "Let me look that up.", "The status of your order is shipped."
	var made atomic.Int64
	model := llmtest.Reply(func(req llm.Request) llmtest.Answer {
		if len(req.Messages[len(req.Messages)-1].Results) > 0 {
			return llmtest.Say(after)
		}
		return llmtest.Say(before).Call("order_status", map[string]any{"order_id": "A-1"}).Call("order_status", map[string]any{"order_id": "A-2"})
	})
	model.DeltaRunes = 1
	var left atomic.Int64
	d, err := answerdesk.Open(t.Context(), t.TempDir(), &answerdesk.Options{
		Model: llm.Fallback(cutting{model, &left}, model),
		Tools: []agent.Tool{{
			Name: "order_status", Description: "Tells the status of an order.", ReadOnly: true,
			Parameters: json.RawMessage(`{"type":"object","properties":{"order_id":{"type":"string"}}}`),
			Run: func(context.Context, agent.Call) (json.RawMessage, error) {
				made.Add(1)
				return json.RawMessage(`{"status":"shipped"}`), nil
			},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	events := len(before) + 2 + 1 + len(after) + 1
	for at := range events + 1 {
		if testing.Short() && at%9 > 0 {
			continue
		}
		left.Store(int64(at))
		made.Store(0)
		var text strings.Builder
		var reply *agent.Reply
		last, ends := 0, 0
		for ev, err := range d.Agent("").Stream(t.Context(), agent.Message{Text: "What is the status of my order?"}) {
			if err != nil {
				t.Fatalf("cut after %d events: %v", at, err)
			}
			if ev.Sequence != last+1 {
				t.Errorf("cut after %d events: event %d follows event %d", at, ev.Sequence, last)
			}
			last = ev.Sequence
			if ev.Type == agent.MessageReplaced {
				text.Reset()
			}
			text.WriteString(ev.Delta)
			if ev.Type == agent.MessageCompleted {
				reply = ev.Reply
				ends++
			}
		}
		if cut := left.Load() < 0; cut != (at < events) {
			t.Fatalf("cut after %d events: %v, want it for all but the last of %d", at, cut, events)
		}
		if ends != 1 || reply.Text != after || text.String() != after || made.Load() != 2 || len(reply.ToolCalls) != 2 {
			t.Fatalf("cut after %d events: %d replies %+v, streamed %q, %d calls made", at, ends, reply, text.String(), made.Load())
		}
		for _, c := range reply.ToolCalls {
			if c.State != agent.CallCompleted || string(c.Result) != `{"status":"shipped"}` {
				t.Errorf("cut after %d events: call %s is %s with %s", at, c.ID, c.State, c.Result)
			}
		}
		for n := range last {
			var end agent.Event
			for ev, err := range d.Conversations().Watch(t.Context(), reply.ID, n) {
				if err != nil {
					t.Fatal(err)
				}
				end = ev
			}
			if end.Type != agent.MessageCompleted || end.Reply.Text != after {
				t.Fatalf("cut after %d events: whoever comes back after event %d ends with %s", at, n, end.Type)
			}
		}
		if page, err := d.Conversations().Messages(t.Context(), reply.ConversationID, store.Page{}); err != nil || len(page.Data) != 2 {
			t.Errorf("cut after %d events: the conversation has %d messages, %v, want 2", at, len(page.Data), err)
		}
	}
}
