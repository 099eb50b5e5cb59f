package agent_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/store"
)

// One turn runs in a conversation at a time; messages that arrive meanwhile are
// answered in the order in which they came, and none is lost.
func TestTurnsInOrder(t *testing.T) {
	for _, tt := range []struct {
		name string
		line func(first agent.Reply) agent.Message // what the messages have in common
	}{
		{"of a conversation", func(first agent.Reply) agent.Message {
			return agent.Message{ConversationID: first.ConversationID}
		}},
		{"of a user", func(agent.Reply) agent.Message { return agent.Message{User: agent.User{ID: "u1"}} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const n = 50
				release := make(chan struct{})
				d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Block(release), func(_ context.Context, q agent.Question) (agent.Part, error) {
					return agent.Part{Text: "Re: " + q.Message.Text}, nil
				}), Options: agent.Options{MaxWaiting: n}}, hours)
				always(t, d)

				m := agent.Message{User: agent.User{ID: "u1"}, Text: "We open question 0"}
				wait := d.begin(t.Context(), m)
				release <- struct{}{}
				first, err := wait()
				if err != nil {
					t.Fatal(err)
				}
				var wg sync.WaitGroup
				for i := range n {
					m := tt.line(first)
					m.Text = fmt.Sprintf("We open question %d", i+1)
					wg.Go(func() {
						if reply, err := d.agent().Ask(t.Context(), m); err != nil || reply.Text != "Re: "+m.Text {
							t.Errorf("Ask(%q) = %q, %v, want the reply to it", m.Text, reply.Text, err)
						}
					})
					synctest.Wait() // it is in line
				}
				close(release)
				wg.Wait()

				messages := d.messages(t, first.ConversationID)
				if len(messages) != store.MaxLimit { // a page; the first two messages are on the next
					t.Fatalf("the conversation has %d messages, want at least %d", len(messages), store.MaxLimit)
				}
				for i := 0; i < len(messages); i += 2 {
					want := fmt.Sprintf("We open question %d", i/2+1)
					if messages[i].Text != want || messages[i+1].Text != "Re: "+want {
						t.Fatalf("turn %d = %q, %q, want %q and its reply", i/2+1, messages[i].Text, messages[i+1].Text, want)
					}
				}
				c, err := d.conversations().Get(t.Context(), first.ConversationID)
				if err != nil || c.Turns != n+1 || c.Running {
					t.Errorf("Get = %+v, %v, want %d turns that have ended", c, err, n+1)
				}
			})
		})
	}
}

// Concurrent asks in many conversations and in one end all, each with the reply
// to its own message.
func TestConcurrentAsks(t *testing.T) {
	d := newDesk(t, parts{Answerer: agenttest.Script(func(_ context.Context, q agent.Question) (agent.Part, error) {
		return agent.Part{Text: q.Message.Text}, nil
	}), Options: agent.Options{MaxWaiting: 100}}, hours)
	always(t, d)
	shared := d.ask(t, agent.Message{Text: "We open"}).ConversationID
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			m := agent.Message{Text: fmt.Sprint("We open ", i)}
			switch i % 3 {
			case 0:
				m.ConversationID = shared
			case 1:
				m.User.ID = fmt.Sprint("u", i%2)
			}
			reply, err := d.agent().Ask(t.Context(), m)
			if err != nil || reply.Text != m.Text {
				t.Errorf("Ask(%q) = %q, %v, want the reply to it", m.Text, reply.Text, err)
			}
		})
	}
	wg.Wait()
	messages := d.messages(t, shared)
	for i := 0; i < len(messages); i += 2 {
		if messages[i].Role != agent.RoleUser || messages[i+1].Role != agent.RoleAgent || messages[i].Text != messages[i+1].Text {
			t.Errorf("turn %d = %s %q, %s %q, want a message and its reply", i/2+1, messages[i].Role, messages[i].Text, messages[i+1].Role, messages[i+1].Text)
		}
	}
	if len(messages) != 2*(1+17) {
		t.Errorf("the conversation has %d messages, want %d", len(messages), 2*(1+17))
	}
}

// When as many wait as may, one more is refused at once and leaves no trace;
// other conversations do not notice.
func TestTurnInProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Block(release), agenttest.Say("Nine."))}, hours)
		always(t, d)
		m := agent.Message{Text: "When do you open?", User: agent.User{ID: "u1"}}
		waits := make([]func() (agent.Reply, error), 1+16) // the one that runs, and those that wait by default
		for i := range waits {
			waits[i] = d.begin(t.Context(), m)
			synctest.Wait()
		}
		if _, err := d.agent().Ask(t.Context(), m); !errors.Is(err, agent.ErrTurnInProgress) {
			t.Errorf("Ask = error %v, want %v", err, agent.ErrTurnInProgress)
		}
		if _, err := stream(t, d.agent(), m); !errors.Is(err, agent.ErrTurnInProgress) {
			t.Errorf("Stream = error %v, want %v", err, agent.ErrTurnInProgress)
		}
		waits = append(waits, d.begin(t.Context(), agent.Message{Text: "When do you open?", User: agent.User{ID: "u2"}}))
		close(release)
		for i, wait := range waits {
			if _, err := wait(); err != nil {
				t.Errorf("Ask %d = error %v, want a reply", i, err)
			}
		}
		page, err := d.conversations().List(t.Context(), agent.ConversationFilter{UserID: "u1"}, store.Page{})
		if err != nil || len(page.Data) != 1 || page.Data[0].Turns != 17 {
			t.Errorf("List = %+v, %v, want one conversation of 17 turns", page.Data, err)
		}
	})
}

// A caller who gives up waiting leaves the line, and the rest of it moves on.
func TestLeavingTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Block(release), agenttest.Say("Nine."))}, hours)
		always(t, d)
		m := agent.Message{User: agent.User{ID: "u1"}}
		give, up := context.WithCancel(t.Context())
		ctxs := []context.Context{t.Context(), give, t.Context()}
		waits := make([]func() (agent.Reply, error), len(ctxs))
		for i, ctx := range ctxs {
			m.Text = fmt.Sprint("open ", i)
			waits[i] = d.begin(ctx, m)
			synctest.Wait()
		}
		up()
		if _, err := waits[1](); !errors.Is(err, context.Canceled) {
			t.Errorf("Ask by who gave up = error %v, want %v", err, context.Canceled)
		}
		close(release)
		for _, i := range []int{0, 2} {
			if _, err := waits[i](); err != nil {
				t.Errorf("Ask %d = error %v, want a reply", i, err)
			}
		}
		page, err := d.conversations().List(t.Context(), agent.ConversationFilter{}, store.Page{})
		if err != nil || len(page.Data) != 1 {
			t.Fatalf("List = %d conversations, %v, want one", len(page.Data), err)
		}
		if got, want := d.script(t, page.Data[0].ID), "user: open 0\nagent: Nine.\nuser: open 2\nagent: Nine."; got != want {
			t.Errorf("the conversation is\n%s\nwant\n%s", got, want)
		}
	})
}

// Whose conversation a message continues.
func TestConversationOfMessage(t *testing.T) {
	d := newDesk(t, parts{}, hours)
	other, err := d.Agents(d.company).Create(t.Context(), agent.Settings{Name: "Other"})
	if err != nil {
		t.Fatal(err)
	}
	const text = "When do you open on weekdays?"
	ada := d.ask(t, agent.Message{Text: text, User: agent.User{ID: "ada"}}).ConversationID
	if got := d.ask(t, agent.Message{Text: text, User: agent.User{ID: "ada"}}).ConversationID; got != ada {
		t.Errorf("the same user is in %s, want the conversation %s", got, ada)
	}
	if got := d.ask(t, agent.Message{Text: text, ConversationID: ada}).ConversationID; got != ada {
		t.Errorf("a message to %s is in %s", ada, got)
	}
	nobody := d.ask(t, agent.Message{Text: text}).ConversationID
	again := d.ask(t, agent.Message{Text: text}).ConversationID
	bob := d.ask(t, agent.Message{Text: text, User: agent.User{ID: "bob"}}).ConversationID
	atOther, err := d.Agent(d.company, other.ID).Ask(t.Context(), agent.Message{Text: text, User: agent.User{ID: "ada"}})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, id := range []string{ada, nobody, again, bob, atOther.ConversationID} {
		if seen[id] {
			t.Errorf("conversation %s is another's too, want one for each user and agent", id)
		}
		seen[id] = true
	}

	_, err = d.Agent(d.company, other.ID).Ask(t.Context(), agent.Message{Text: text, ConversationID: ada})
	if !errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), ada) {
		t.Errorf("Ask in another agent's conversation = error %v, want %v that names it", err, store.ErrConflict)
	}
	for _, tt := range []struct {
		filter agent.ConversationFilter
		want   int
	}{
		{agent.ConversationFilter{}, 5},
		{agent.ConversationFilter{UserID: "ada"}, 2},
		{agent.ConversationFilter{AgentID: other.ID}, 1},
		{agent.ConversationFilter{AgentID: other.ID, UserID: "bob"}, 0},
		{agent.ConversationFilter{UserID: "carl"}, 0},
	} {
		page, err := d.conversations().List(t.Context(), tt.filter, store.Page{})
		if err != nil || len(page.Data) != tt.want {
			t.Errorf("List(%+v) = %d conversations, %v, want %d", tt.filter, len(page.Data), err, tt.want)
		}
	}
}

// A deleted conversation is gone with its messages and explanations, and a turn
// that runs there writes nothing any more.
func TestDeleteConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{}, 1)
		d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Block(release), agenttest.Say("Nine."))}, hours)
		always(t, d)
		release <- struct{}{}
		first := d.ask(t, agent.Message{Text: "When do you open?"})
		said := d.messages(t, first.ConversationID)

		wait := d.begin(t.Context(), agent.Message{Text: "When do you open?", ConversationID: first.ConversationID})
		synctest.Wait()
		gone, err := d.conversations().Delete(t.Context(), first.ConversationID)
		if want := (agent.Deleted{ID: first.ConversationID, Conversations: 1, Messages: 3, DeletedAt: gone.DeletedAt}); err != nil || gone != want || gone.DeletedAt.IsZero() {
			t.Errorf("Delete = %+v, %v, want %+v", gone, err, want) // the question of the turn that runs is one of them
		}
		release <- struct{}{}
		if _, err := wait(); !errors.Is(err, store.ErrFenced) {
			t.Errorf("Ask in a conversation deleted meanwhile = error %v, want %v", err, store.ErrFenced)
		}

		cs := d.conversations()
		for name, call := range map[string]func() error{
			"Get":          func() error { _, err := cs.Get(t.Context(), first.ConversationID); return err },
			"Messages":     func() error { _, err := cs.Messages(t.Context(), first.ConversationID, store.Page{}); return err },
			"Message":      func() error { _, err := cs.Message(t.Context(), said[0].ID); return err },
			"the reply":    func() error { _, err := cs.Message(t.Context(), first.ID); return err },
			"Explain":      func() error { _, err := cs.Explain(t.Context(), first.ID); return err },
			"Delete again": func() error { _, err := cs.Delete(t.Context(), first.ConversationID); return err },
			"Ask": func() error {
				_, err := d.agent().Ask(t.Context(), agent.Message{Text: "Hm?", ConversationID: first.ConversationID})
				return err
			},
		} {
			if err := call(); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s = error %v, want %v", name, err, store.ErrNotFound)
			}
		}
	})
}
