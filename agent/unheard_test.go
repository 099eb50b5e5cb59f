package agent_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
)

// However soon a streamed turn ends, its first reader gets all that it told; others
// get the reply, and so does one who comes after a while, or after a delete.
func TestUnheard(t *testing.T) {
	all := []agent.EventType{agent.MessageStarted, agent.TextDelta, agent.CitationAdded, agent.MessageCompleted}
	end := []agent.EventType{agent.MessageCompleted}
	for _, tt := range []struct {
		name   string
		before func(t *testing.T, d *desk, document string, s agent.Started)
		start  func(*agent.Handle, context.Context, agent.Message) (agent.Started, error)
		want   []agent.EventType
	}{
		{"the first reader", nil, (*agent.Handle).StartStream, all},
		{"the second reader", func(t *testing.T, d *desk, _ string, s agent.Started) { watched(t, d, s) }, (*agent.Handle).StartStream, end},
		{"a late reader", func(*testing.T, *desk, string, agent.Started) { time.Sleep(6 * time.Second) }, (*agent.Handle).StartStream, end},
		{"a reader after a delete", func(t *testing.T, d *desk, document string, _ agent.Started) { d.remove(t, document) }, (*agent.Handle).StartStream, end},
		{"a turn that nobody was to read", nil, (*agent.Handle).Start, end},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, parts{}, hours)
				s, err := tt.start(d.agent(), t.Context(), agent.Message{Text: "When do you open on weekdays?"})
				if err != nil {
					t.Fatal(err)
				}
				for state := agent.StateRunning; state == agent.StateRunning; time.Sleep(time.Millisecond) {
					if state, err = d.conversations().State(t.Context(), s.ReplyID); err != nil {
						t.Fatal(err)
					}
				}
				if tt.before != nil {
					m, err := d.conversations().Message(t.Context(), s.ReplyID)
					if err != nil {
						t.Fatal(err)
					}
					tt.before(t, d, m.Reply.Citations[0].DocumentID, s)
				}
				if got := watched(t, d, s); !slices.Equal(got, tt.want) {
					t.Errorf("Watch told %v, want %v", got, tt.want)
				}
			})
		})
	}
}

// watched returns what a reader of a turn is told, in order.
func watched(t *testing.T, d *desk, s agent.Started) (types []agent.EventType) {
	t.Helper()
	for ev, err := range d.conversations().Watch(t.Context(), s.ReplyID, 0) {
		if err != nil {
			t.Fatal(err)
		}
		types = append(types, ev.Type)
	}
	return types
}
