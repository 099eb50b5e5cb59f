package injection_test

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
	"github.com/answerdesk-go/answerdesk/store"
)

// A watched model has its caller gone before one of its events, and goes on when that is
// heard of.
type watched struct {
	llm.Model
	left *atomic.Int64 // events until then
	gone *atomic.Pointer[context.CancelCauseFunc]
}

var errGone = errors.New("gone")

func (w watched) Generate(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		for ev, err := range w.Model.Generate(ctx, req) {
			if w.left.Add(-1) == -1 {
				(*w.gone.Load())(errGone)
				<-ctx.Done()
			}
			if !yield(ev, err) {
				return
			}
		}
	}
}

// TestCancelAtEveryByte: a turn is cancelled before each event of a model that writes
// byte by byte, asks for two calls and answers. Each time the record has either the
// whole reply or the failure and nothing of its text, every call on it has ended, and
// the conversation goes on.
func TestCancelAtEveryByte(t *testing.T) {
	const before, after = "Let me look that up.", "The status of your order is shipped."
	model := llmtest.Reply(func(req llm.Request) llmtest.Answer {
		if len(req.Messages[len(req.Messages)-1].Results) > 0 {
			return llmtest.Say(after)
		}
		return llmtest.Say(before).Call("order_status", map[string]any{"order_id": "A-1"}).Call("order_status", map[string]any{"order_id": "A-2"})
	})
	model.DeltaRunes = 1
	w := watched{model, new(atomic.Int64), new(atomic.Pointer[context.CancelCauseFunc])}
	d, err := answerdesk.Open(t.Context(), t.TempDir(), &answerdesk.Options{Model: w, Tools: []agent.Tool{{
		Name: "order_status", Description: "Tells the status of an order.", ReadOnly: true,
		Parameters: json.RawMessage(`{"type":"object","properties":{"order_id":{"type":"string"}}}`),
		Run: func(context.Context, agent.Call) (json.RawMessage, error) {
			return json.RawMessage(`{"status":"shipped"}`), nil
		},
	}}})
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
		ctx, cancel := context.WithCancelCause(t.Context())
		w.left.Store(int64(at))
		w.gone.Store(&cancel)
		ask := agent.Message{Text: "What is the status of my order?"}
		cancelled := false
		for ev, err := range d.Agent("").Stream(ctx, ask) {
			if cancelled = err != nil; !cancelled {
				ask.ConversationID = ev.ConversationID
			}
		}
		cancel(nil)
		if cancelled != (at < events) {
			t.Fatalf("at %d of %d events the stream is cancelled: %v", at, events, cancelled)
		}
		w.left.Store(math.MaxInt64)
		next, err := d.Agent("").Ask(t.Context(), ask)
		if err != nil || next.Text != after {
			t.Fatalf("at %d: the next turn = %q, %v", at, next.Text, err)
		}
		page, err := d.Conversations().Messages(t.Context(), ask.ConversationID, store.Page{Limit: store.MaxLimit})
		if err != nil || len(page.Data) != 4 {
			t.Fatalf("at %d: %d messages, %v, want four", at, len(page.Data), err)
		}
		reply := page.Data[2]
		if cancelled && (reply.Reply.Failure != "cancelled" || reply.Text != "") || !cancelled && reply.Text != after {
			t.Errorf("at %d: the reply is %q with the failure %q", at, reply.Text, reply.Reply.Failure)
		}
		if i := slices.IndexFunc(reply.Reply.ToolCalls, func(c agent.ToolCall) bool { return c.EndedAt.IsZero() }); i >= 0 {
			t.Errorf("at %d: a call has not ended: %+v", at, reply.Reply.ToolCalls[i])
		}
		if called := at > len(before)+2; called != (len(reply.Reply.ToolCalls) == 2) {
			t.Errorf("at %d: %d calls are on record", at, len(reply.Reply.ToolCalls))
		}
	}
}
