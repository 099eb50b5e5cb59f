package agent_test

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/store"
)

// start begins a turn of the default agent.
func (d *desk) start(t testing.TB, m agent.Message) agent.Started {
	t.Helper()
	s, err := d.agent().Start(t.Context(), m)
	if err != nil {
		t.Fatalf("Start(%q) = error %v", m.Text, err)
	}
	return s
}

// watch reads a reply to its end.
func (d *desk) watch(ctx context.Context, replyID string, after int) (r reader, err error) {
	for ev, err := range d.conversations().Watch(ctx, replyID, after) {
		if err != nil {
			return r, err
		}
		r.see(ev)
	}
	return r, nil
}

// watching is watch in a goroutine.
func (d *desk) watching(ctx context.Context, replyID string, after int) (end func() (reader, error)) {
	var (
		r    reader
		err  error
		done = make(chan struct{})
	)
	go func() {
		defer close(done)
		r, err = d.watch(ctx, replyID, after)
	}()
	return func() (reader, error) {
		<-done
		return r, err
	}
}

func (d *desk) wantState(t testing.TB, replyID string, want agent.State) {
	t.Helper()
	if got, err := d.conversations().State(t.Context(), replyID); got != want || err != nil {
		t.Errorf("State = %q, %v, want %q", got, err, want)
	}
}

var whenOpen = agent.Message{Text: "When do you open?"}

// lost is a script whose process is gone when it comes to the end of it.
func lost(steps ...agenttest.Step) agent.Answerer {
	return agenttest.Script(append(steps, func(context.Context, agent.Question) (agent.Part, error) {
		runtime.Goexit() // the nearest to a killed process that a test has
		return agent.Part{}, nil
	})...)
}

// Whoever watches a turn, from wherever in it, has the reply that the turn ends
// with; and a turn that was started is the same as one that was asked.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		d := newDesk(t, parts{Answerer: agenttest.Script(
			agenttest.Say("We "), agenttest.Quote("open at nine"), agenttest.Block(release), agenttest.Say(" in the morning."),
		)}, hours)
		always(t, d)
		m := agent.Message{Text: "When do you open?", User: agent.User{ID: "u"}}
		ctx, cancel := context.WithCancel(t.Context())
		started, err := d.agent().Start(ctx, m)
		if err != nil {
			t.Fatal(err)
		}
		cancel() // it does not count any more
		synctest.Wait()
		sent := d.messages(t, started.ConversationID)
		if len(sent) != 1 || sent[0].ID != started.MessageID || sent[0].AgentID != started.AgentID || !sent[0].CreatedAt.Equal(started.CreatedAt) {
			t.Fatalf("Start = %+v, want it to name the message %+v", started, sent)
		}
		d.wantState(t, started.ReplyID, agent.StateRunning)
		if c, err := d.conversations().Get(t.Context(), started.ConversationID); err != nil || c.ReplyID != started.ReplyID {
			t.Errorf("the conversation is %+v, %v, want it to name the running reply %s", c, err, started.ReplyID)
		}
		if got, err := d.conversations().Running(t.Context(), started.ReplyID); err != nil || got.Started != started || got.Lapsed {
			t.Errorf("Running = %+v, %v, want %+v", got, err, started)
		}

		var readers []func() (reader, error)
		for after := range 5 { // 4 events were told
			readers = append(readers, d.watching(t.Context(), started.ReplyID, after))
		}
		waits := d.waiting(started.ReplyID)
		far := d.watching(t.Context(), started.ReplyID, 1000)
		if r, err := d.watch(t.Context(), started.ReplyID, agent.StoredSequence); len(r.events) != 0 || err != nil {
			t.Errorf("Watch after the end = %v, %v, want nothing", r.types(), err)
		}
		synctest.Wait()
		close(release)
		whole, err := readers[0]()
		if err != nil || whole.reply == nil || whole.text != "We open at nine in the morning." || whole.reply.Text != whole.text {
			t.Fatalf("Watch = %q %v, %v, want the reply", whole.text, whole.types(), err)
		}
		for i, ev := range whole.events {
			if ev.Sequence != i+1 || ev.MessageID != started.ReplyID || ev.ConversationID != started.ConversationID {
				t.Errorf("event %d = %+v, want its number and ids", i, ev)
			}
		}
		for after, end := range readers[1:] {
			if r, err := end(); err != nil || !reflect.DeepEqual(r.events, whole.events[after+1:]) {
				t.Errorf("Watch after %d = %v, %v, want what comes then of %v", after+1, r.types(), err, whole.types())
			}
		}
		if r, err := far(); err != nil || len(r.events) != 1 || r.events[0].Sequence != agent.StoredSequence || !reflect.DeepEqual(r.reply, whole.reply) {
			t.Errorf("Watch after a number that was not told yet = %+v, %v, want the end", r.events, err)
		}
		if reply, err := waits(); err != nil || !reflect.DeepEqual(&reply, whole.reply) {
			t.Errorf("Wait = %+v, %v, want %+v", reply, err, *whole.reply)
		}

		elsewhere := deskOn(t, d.store, parts{})
		for name, d := range map[string]*desk{"there": d, "in another process": elsewhere} {
			for _, after := range []int{0, 3, len(whole.events), agent.StoredSequence - 1} {
				r, err := d.watch(t.Context(), started.ReplyID, after)
				if err != nil || len(r.events) != 1 || r.events[0].Sequence != agent.StoredSequence || r.events[0].MessageID != started.ReplyID ||
					r.events[0].ConversationID != started.ConversationID || !reflect.DeepEqual(r.reply, whole.reply) {
					t.Errorf("%s, Watch after %d of a turn that has ended = %+v, %v, want the reply alone", name, after, r.events, err)
				}
			}
			if r, err := d.watch(t.Context(), started.ReplyID, agent.StoredSequence); len(r.events) != 0 || err != nil {
				t.Errorf("%s, Watch after the end = %v, %v, want nothing", name, r.types(), err)
			}
			d.wantState(t, started.ReplyID, agent.StateCompleted)
			if reply, err := d.conversations().Wait(t.Context(), started.ReplyID); err != nil || !reflect.DeepEqual(&reply, whole.reply) {
				t.Errorf("%s, Wait = %+v, %v, want the reply", name, reply, err)
			}
			if _, err := d.conversations().Running(t.Context(), started.ReplyID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s, Running = error %v, want %v", name, err, store.ErrNotFound)
			}
		}
		asked := d.ask(t, agent.Message{Text: "When do you open?"})
		if !reflect.DeepEqual(plain(asked), plain(*whole.reply)) {
			t.Errorf("Ask = %+v, want the reply of Start, %+v", plain(asked), plain(*whole.reply))
		}

		if _, err := d.knowledge().Delete(t.Context(), whole.reply.Citations[0].DocumentID); err != nil {
			t.Fatal(err)
		}
		if r, err := d.watch(t.Context(), started.ReplyID, 0); err != nil || !r.reply.Citations[0].Erased || strings.Contains(r.reply.Text, "open at nine") {
			t.Errorf("Watch after the document was deleted = %+v, %v, want the quote erased", r.reply, err)
		}
	})
}

// waiting is Wait in a goroutine.
func (d *desk) waiting(replyID string) (end func() (agent.Reply, error)) {
	watch := d.watching(context.Background(), replyID, agent.StoredSequence-1)
	return func() (agent.Reply, error) {
		r, err := watch()
		if err != nil {
			return agent.Reply{}, err
		}
		return *r.reply, nil
	}
}

// How turns without a reply end, for who watches them and for who asks later.
func TestWatchFailures(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script agenttest.Step
		end    func(t *testing.T, d *desk, s agent.Started)
		want   error // live and from the store
		live   error // that only who watched gets
		state  agent.State
	}{
		{"cancelled", agenttest.Block(nil), func(t *testing.T, d *desk, s agent.Started) {
			begun := time.Now()
			state, err := d.conversations().Cancel(t.Context(), s.ReplyID)
			if took := time.Since(begun); state != agent.StateCancelled || err != nil || took != 0 {
				t.Errorf("Cancel = %q, %v after %v, want %q at once", state, err, took, agent.StateCancelled)
			}
		}, agent.ErrCancelled, nil, agent.StateCancelled},
		{"too long", agenttest.Block(nil), nil, agent.ErrCancelled, context.DeadlineExceeded, agent.StateCancelled},
		{"failed", agenttest.Fail(errTest), nil, agent.ErrFailed, errTest, agent.StateFailed},
		{"drained", agenttest.Block(nil), func(t *testing.T, d *desk, _ agent.Started) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := d.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Drain = error %v, want %v", err, context.DeadlineExceeded)
			}
			for name, start := range map[string]func(context.Context, agent.Message) (agent.Started, error){"Start": d.agent().Start, "StartStream": d.agent().StartStream} {
				if _, err := start(t.Context(), whenOpen); !errors.Is(err, agent.ErrDraining) {
					t.Errorf("%s = error %v, want %v", name, err, agent.ErrDraining)
				}
			}
		}, agent.ErrInterrupted, agent.ErrDraining, agent.StateFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Say("We"), agenttest.Block(release), tt.script)}, hours)
				always(t, d)
				s := d.start(t, whenOpen)
				end := d.watching(t.Context(), s.ReplyID, 0)
				synctest.Wait()
				close(release)
				synctest.Wait()
				if tt.end != nil {
					tt.end(t, d, s)
				}
				r, err := end()
				if !errors.Is(err, tt.want) || tt.live != nil && !errors.Is(err, tt.live) || len(r.events) != 2 {
					t.Errorf("Watch = %v, then error %v, want %v, %v", r.types(), err, tt.want, tt.live)
				}
				d.wantState(t, s.ReplyID, tt.state)
				for name, d := range map[string]*desk{"there": d, "in another process": deskOn(t, d.store, parts{})} {
					for _, after := range []int{0, 2} {
						if r, err := d.watch(t.Context(), s.ReplyID, after); !errors.Is(err, tt.want) || len(r.events) != 0 {
							t.Errorf("%s, Watch after %d of a turn that has ended = %v, then error %v, want %v", name, after, r.types(), err, tt.want)
						}
					}
					if _, err := d.conversations().Wait(t.Context(), s.ReplyID); !errors.Is(err, tt.want) {
						t.Errorf("%s, Wait = error %v, want %v", name, err, tt.want)
					}
					if state, err := d.conversations().Cancel(t.Context(), s.ReplyID); state != tt.state || err != nil {
						t.Errorf("%s, Cancel of a turn that has ended = %q, %v, want %q", name, state, err, tt.state)
					}
					for _, other := range []error{agent.ErrCancelled, agent.ErrInterrupted, agent.ErrFailed} {
						if _, err := d.conversations().Wait(t.Context(), s.ReplyID); !errors.Is(tt.want, other) && errors.Is(err, other) {
							t.Errorf("%s, Wait = error %v, which is %v too", name, err, other)
						}
					}
				}
			})
		})
	}
}

// An id that names no reply is not found, whatever is asked of it.
func TestWatchNothing(t *testing.T) {
	d := newDesk(t, parts{}, hours)
	reply := d.ask(t, whenOpen)
	other, err := d.companies.Create(t.Context(), "Other")
	if err != nil {
		t.Fatal(err)
	}
	cs := d.conversations()
	for _, tt := range []struct {
		of *agent.Conversations
		id string
	}{
		{cs, ""}, {cs, "msg_1"}, {cs, nobody("msg")}, {cs, reply.ConversationID}, {cs, d.messages(t, reply.ConversationID)[0].ID},
		{d.Conversations(other.ID), reply.ID},
	} {
		_, stateErr := tt.of.State(t.Context(), tt.id)
		_, runningErr := tt.of.Running(t.Context(), tt.id)
		_, waitErr := tt.of.Wait(t.Context(), tt.id)
		_, cancelErr := tt.of.Cancel(t.Context(), tt.id)
		_, feedbackErr := tt.of.PutFeedback(t.Context(), agent.Feedback{MessageID: tt.id, Rating: agent.RatingUp})
		for name, err := range map[string]error{"State": stateErr, "Running": runningErr, "Wait": waitErr, "Cancel": cancelErr, "PutFeedback": feedbackErr} {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s(%q) = error %v, want %v", name, tt.id, err, store.ErrNotFound)
			}
		}
	}
}

// A turn that was begun to be read is cancelled when it was read and is no more;
// others go on without readers.
func TestUnread(t *testing.T) {
	for _, tt := range []struct {
		name    string
		start   func(*agent.Handle) func(context.Context, agent.Message) (agent.Started, error)
		readers int
		want    agent.State // after a minute without readers
	}{
		{"streamed, and read", func(h *agent.Handle) func(context.Context, agent.Message) (agent.Started, error) {
			return h.StartStream
		}, 1, agent.StateCancelled},
		{"streamed, and read by two", func(h *agent.Handle) func(context.Context, agent.Message) (agent.Started, error) {
			return h.StartStream
		}, 2, agent.StateCancelled},
		{"streamed, and never read", func(h *agent.Handle) func(context.Context, agent.Message) (agent.Started, error) {
			return h.StartStream
		}, 0, agent.StateRunning},
		{"not streamed, and read", func(h *agent.Handle) func(context.Context, agent.Message) (agent.Started, error) { return h.Start }, 1, agent.StateRunning},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Block(release), agenttest.Say("Nine."))}, hours)
				always(t, d)
				s, err := tt.start(d.agent())(t.Context(), whenOpen)
				if err != nil {
					t.Fatal(err)
				}
				for i := range tt.readers { // one after the other, and the last one stays a little longer
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i+1)*20*time.Second)
					defer cancel()
					end := d.watching(ctx, s.ReplyID, 0)
					defer func() {
						if r, err := end(); !errors.Is(err, context.DeadlineExceeded) || len(r.events) != 1 {
							t.Errorf("Watch = %v, then error %v, want the beginning, then %v", r.types(), err, context.DeadlineExceeded)
						}
					}()
				}
				time.Sleep(time.Duration(tt.readers)*20*time.Second + 29*time.Second)
				d.wantState(t, s.ReplyID, agent.StateRunning)
				time.Sleep(2 * time.Second)
				d.wantState(t, s.ReplyID, tt.want)
				close(release)
				_, err = d.conversations().Wait(t.Context(), s.ReplyID)
				if (err == nil) != (tt.want == agent.StateRunning) {
					t.Errorf("Wait = error %v of a turn that was %s", err, tt.want)
				}
			})
		})
	}
}

// A conversation that is deleted ends what is read of it.
func TestWatchDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Block(nil))}, hours)
		always(t, d)
		s := d.start(t, whenOpen)
		here := d.watching(t.Context(), s.ReplyID, 0)
		elsewhere := deskOn(t, d.store, parts{}).watching(t.Context(), s.ReplyID, 0)
		synctest.Wait()
		if _, err := d.conversations().Delete(t.Context(), s.ConversationID); err != nil {
			t.Fatal(err)
		}
		for _, end := range []func() (reader, error){here, elsewhere} {
			if r, err := end(); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("Watch = %v, then error %v, want %v", r.types(), err, store.ErrNotFound)
			}
		}
	})
}
