package agent_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/internal/failpoint"
	"github.com/answerdesk-go/answerdesk/store"
)

// Draining lets what runs end, and begins nothing new: a message that was waiting
// or comes now is refused, and not stored.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Block(release), agenttest.Say("Nine."))}, hours)
		always(t, d)
		m := agent.Message{Text: "When do you open?", User: agent.User{ID: "u"}}
		runs := d.begin(t.Context(), m)
		synctest.Wait()
		waits := d.begin(t.Context(), m)
		synctest.Wait()
		time.AfterFunc(time.Minute, func() { close(release) })

		begun := time.Now()
		drained := make(chan error)
		go func() { drained <- d.Drain(t.Context()) }()
		synctest.Wait()
		for _, m := range []agent.Message{{Text: "When do you open?"}, {Text: "When?", User: agent.User{ID: "u2"}}} {
			if _, err := d.agent().Ask(t.Context(), m); !errors.Is(err, agent.ErrDraining) {
				t.Errorf("Ask while draining = error %v, want %v", err, agent.ErrDraining)
			}
		}
		if err := <-drained; err != nil || time.Since(begun) != time.Minute {
			t.Errorf("Drain = %v after %v, want nil when the turn has ended, after a minute", err, time.Since(begun))
		}
		reply, err := runs()
		if err != nil || reply.Text != "Nine." {
			t.Errorf("the turn that ran = %q, %v, want its reply", reply.Text, err)
		}
		if _, err := waits(); !errors.Is(err, agent.ErrDraining) {
			t.Errorf("the message that waited = error %v, want %v", err, agent.ErrDraining)
		}
		page, err := d.conversations().List(t.Context(), agent.ConversationFilter{}, store.Page{})
		if err != nil || len(page.Data) != 1 {
			t.Fatalf("List = %d conversations, %v, want one", len(page.Data), err)
		}
		if got, want := d.script(t, reply.ConversationID), "user: When do you open?\nagent: Nine."; got != want {
			t.Errorf("the conversation is\n%s\nwant\n%s", got, want)
		}
		if err := d.Drain(t.Context()); err != nil {
			t.Errorf("Drain again = %v, want nil", err)
		}
	})
}

// When its patience ends, draining cuts short what runs, and that is on record.
func TestDrainCutsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Say("We"), agenttest.Block(nil))}, hours)
		always(t, d)
		var waits []func() (agent.Reply, error)
		for range 3 {
			waits = append(waits, d.begin(t.Context(), agent.Message{Text: "When do you open?"}))
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begun := time.Now()
		if err := d.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 10*time.Second {
			t.Errorf("Drain = error %v after %v, want %v after 10s", err, time.Since(begun), context.DeadlineExceeded)
		}
		for _, wait := range waits {
			if _, err := wait(); !errors.Is(err, agent.ErrDraining) {
				t.Errorf("Ask = error %v, want %v", err, agent.ErrDraining)
			}
		}
		page, err := d.conversations().List(t.Context(), agent.ConversationFilter{}, store.Page{})
		if err != nil || len(page.Data) != 3 {
			t.Fatalf("List = %d conversations, %v, want 3", len(page.Data), err)
		}
		for _, c := range page.Data {
			if got, want := d.script(t, c.ID), "user: When do you open?\nfailure: interrupted"; got != want {
				t.Errorf("the conversation is\n%s\nwant\n%s", got, want)
			}
		}
	})
}

// A turn whose message is stored just as the patience ends is cut short too, and
// waited for.
func TestDrainCutsShortWhatBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Block(nil))}, hours)
		always(t, d)
		begun := make(chan struct{})
		failpoint.Set(func(place string) {
			if place == "turn.begun" {
				<-begun
			}
		})
		defer failpoint.Set(nil)
		wait := d.begin(t.Context(), agent.Message{Text: "When do you open?", User: agent.User{ID: "u"}})
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		drained := make(chan error)
		go func() { drained <- d.Drain(ctx) }()
		synctest.Wait()
		close(begun)
		if err := <-drained; !errors.Is(err, context.Canceled) {
			t.Errorf("Drain = error %v, want %v", err, context.Canceled)
		}
		if _, err := wait(); !errors.Is(err, agent.ErrDraining) {
			t.Errorf("Ask = error %v, want %v", err, agent.ErrDraining)
		}
		page, err := d.conversations().List(t.Context(), agent.ConversationFilter{}, store.Page{})
		if err != nil || len(page.Data) != 1 {
			t.Fatalf("List = %d conversations, %v, want one", len(page.Data), err)
		}
		if got, want := d.script(t, page.Data[0].ID), "user: When do you open?\nfailure: interrupted"; got != want {
			t.Errorf("the conversation is\n%s\nwant\n%s", got, want)
		}
	})
}
