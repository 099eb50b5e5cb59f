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

// Wherever in a turn its context ends, the conversation has either the reply or
// the failure, and goes on. The bubble sees to it that no goroutine is left.
func TestCancelAnywhere(t *testing.T) {
	errGone := errors.New("the browser is gone")
	for _, tt := range []struct {
		place string // of package failpoint
		want  string // of the conversation
	}{
		{"turn.asked", ""},
		{"turn.begun", "user: When do you open?\nfailure: cancelled\n"},
		{"turn.retrieved", "user: When do you open?\nfailure: cancelled\n"},
		{"answering", "user: When do you open?\nfailure: cancelled\n"},
		{"turn.answered", "user: When do you open?\nfailure: cancelled\n"},
		{"turn.ended", "user: When do you open?\nagent: Nine.\n"},
	} {
		t.Run(tt.place, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				armed := false
				at := func(place string) {
					if armed && place == tt.place {
						armed = false
						cancel(errGone)
						synctest.Wait() // it is heard of everywhere
					}
				}
				failpoint.Set(at)
				defer failpoint.Set(nil)
				d := newDesk(t, parts{Answerer: agenttest.Script(func(context.Context, agent.Question) (agent.Part, error) {
					at("answering")
					return agent.Part{Text: "Nine."}, nil
				})}, hours)
				always(t, d)
				first := d.ask(t, agent.Message{Text: "When do you open?"})

				armed = true
				m := agent.Message{Text: "When do you open?", ConversationID: first.ConversationID}
				reply, err := d.agent().Ask(ctx, m)
				if tt.place == "turn.ended" {
					if err != nil || reply.Text != "Nine." {
						t.Errorf("Ask = %q, %v, want the reply: it is stored", reply.Text, err)
					}
				} else if !errors.Is(err, errGone) && !errors.Is(err, context.Canceled) {
					t.Errorf("Ask = error %v, want %v", err, errGone)
				}

				d.ask(t, m)
				want := "user: When do you open?\nagent: Nine.\n" + tt.want + "user: When do you open?\nagent: Nine."
				if got := d.script(t, first.ConversationID); got != want {
					t.Errorf("the conversation is\n%s\nwant\n%s", got, want)
				}
			})
		})
	}
}

// A turn that was cancelled has its failure on record, and nothing else of a
// reply.
func TestCancelledReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Say("We"), agenttest.Quote("open"), agenttest.Block(nil))}, hours)
		always(t, d)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := d.agent().Ask(ctx, agent.Message{Text: "When do you open?", User: agent.User{ID: "u"}}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Ask = error %v, want %v", err, context.DeadlineExceeded)
		}
		page, err := d.conversations().List(t.Context(), agent.ConversationFilter{}, store.Page{})
		if err != nil || len(page.Data) != 1 || page.Data[0].Running {
			t.Fatalf("List = %+v, %v, want a conversation whose turn has ended", page.Data, err)
		}
		messages := d.messages(t, page.Data[0].ID)
		r := messages[1].Reply
		if r.Failure != "cancelled" || r.Text != "" || r.Outcome != "" || len(r.Citations) > 0 || r.ID != messages[1].ID || r.AgentID == "" || r.CreatedAt.IsZero() {
			t.Errorf("the reply on record is %+v, want its ids, its time and that it was cancelled", r)
		}
		if why, err := d.conversations().Explain(t.Context(), r.ID); err != nil || why.Decision != "cancelled" || why.Query != "" || len(why.Candidates) > 0 {
			t.Errorf("Explain = %+v, %v, want no more than that it was cancelled", why, err)
		}
	})
}

// A turn that takes too long is cancelled.
func TestTurnTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Block(nil))}, hours)
		always(t, d)
		begun := time.Now()
		_, err := d.agent().Ask(t.Context(), agent.Message{Text: "When do you open?"})
		if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || took.Round(time.Second) != 2*time.Minute {
			t.Errorf("Ask = error %v after %v, want %v after 2m", err, took, context.DeadlineExceeded)
		}
	})
}

func TestConversationsCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Block(nil))}, hours)
		always(t, d)
		other, err := d.companies.Create(t.Context(), "Other")
		if err != nil {
			t.Fatal(err)
		}
		conversation := ""
		var failed error
		for ev, err := range d.agent().Stream(t.Context(), agent.Message{Text: "When do you open?"}) {
			failed = err
			if err != nil {
				break
			}
			conversation = ev.ConversationID
			if _, err := d.Conversations(other.ID).Cancel(t.Context(), ev.MessageID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("Cancel by another company = error %v, want %v", err, store.ErrNotFound)
			}
			synctest.Wait() // the answerer is at work
			for _, when := range []string{"that runs", "that has ended"} {
				if state, err := d.conversations().Cancel(t.Context(), ev.MessageID); state != agent.StateCancelled || err != nil {
					t.Errorf("Cancel of a turn %s = %q, %v, want %q", when, state, err, agent.StateCancelled)
				}
			}
			for _, id := range []string{conversation, "", "msg_1", nobody("msg"), d.messages(t, conversation)[0].ID} {
				if _, err := d.conversations().Cancel(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("Cancel(%q) = error %v, want %v", id, err, store.ErrNotFound)
				}
			}
		}
		if !errors.Is(failed, agent.ErrCancelled) {
			t.Errorf("the stream ended with error %v, want %v", failed, agent.ErrCancelled)
		}
		if got, want := d.script(t, conversation), "user: When do you open?\nfailure: cancelled"; got != want {
			t.Errorf("the conversation is\n%s\nwant\n%s", got, want)
		}
	})
}

// Leaving the loop of a stream is no cancelling: the turn goes on, for half a
// minute.
func TestStreamLeft(t *testing.T) {
	for _, tt := range []struct {
		name string
		ends time.Duration // when the answer is there, after the loop was left
		want string
	}{
		{"ends in time", 29 * time.Second, "user: When do you open?\nagent: Nine."},
		{"unread for too long", 31 * time.Second, "user: When do you open?\nfailure: cancelled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Block(release), agenttest.Say("Nine."))}, hours)
				always(t, d)
				conversation := ""
				for ev, err := range d.agent().Stream(t.Context(), agent.Message{Text: "When do you open?"}) {
					if err != nil {
						t.Fatal(err)
					}
					conversation = ev.ConversationID
					time.Sleep(time.Minute) // reading slowly is reading
					break
				}
				time.Sleep(tt.ends)
				close(release)
				synctest.Wait()
				if got := d.script(t, conversation); got != tt.want {
					t.Errorf("the conversation is\n%s\nwant\n%s", got, tt.want)
				}
				d.ask(t, agent.Message{Text: "When do you open?", ConversationID: conversation})
			})
		})
	}

	t.Run("its context ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Block(nil))}, hours)
			always(t, d)
			ctx, cancel := context.WithCancel(t.Context())
			conversation := ""
			for ev := range d.agent().Stream(ctx, agent.Message{Text: "When do you open?"}) {
				conversation = ev.ConversationID
				break
			}
			cancel()
			synctest.Wait()
			if got, want := d.script(t, conversation), "user: When do you open?\nfailure: cancelled"; got != want {
				t.Errorf("the conversation is\n%s\nwant\n%s", got, want)
			}
		})
	})
}
