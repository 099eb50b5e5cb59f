package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

var events = []promise{
	{
		name:  "read back",
		text:  "an event reads back as it was given, with its company, its number in the stream, and a cursor",
		check: eventReadBack,
	},
	{
		name:  "numbered",
		text:  "the events of each stream are numbered from 1 without a gap, in the order of their commits",
		check: eventNumbers,
	},
	{
		name:  "several streams",
		text:  "the events of one commit may belong to several streams, each of which is numbered",
		check: eventStreams,
	},
	{
		name:  "cursors",
		text:  "from any cursor, at any limit, the same events follow",
		check: eventCursors,
	},
	{
		name:  "wrong cursor",
		text:  "a cursor that no event carried is refused, and one of another company shows none of its events",
		check: eventWrongCursor,
	},
	{
		name:  "while others write",
		text:  "whoever follows the events sees each of them, those of a stream in order, while others write",
		check: eventsWhileWriting,
	},
	{
		name:  "late commits",
		text:  "an event whose step ends late, after others of which the events were read already, is not skipped",
		check: lateEvents,
	},
}

func eventReadBack(t *testing.T, k *kit) {
	ev := tell(event.MessageSent, k.agent)
	ev.Type, ev.Company, ev.Sequence, ev.Cursor = "message.sent", "cmp_forged", 99, "forged"
	ev.Refs = event.Refs{AgentID: k.agent, ConversationID: "conv_1", MessageID: "msg_1", DocumentID: "doc_1", Version: 7}
	ok(t, "Enqueue", k.Enqueue(t.Context(), k.commit(ev)))
	all := allEvents(t, k, k.company)
	got := all[len(all)-1]
	if got.ID != ev.ID || got.Type != ev.Type || got.Company != k.company || got.Stream != k.agent || got.Sequence != 2 ||
		!got.CreatedAt.Equal(ev.CreatedAt) || got.Refs != ev.Refs || got.Cursor == "" || got.Cursor == "forged" {
		t.Errorf("Events = %+v, want %+v of %s with number 2", got, ev, k.company)
	}
	if name, _ := got.CreatedAt.Zone(); name != "UTC" {
		t.Errorf("the event's time is in %s, want UTC", name)
	}
}

// gapless fails the test unless the events of every stream are numbered from 1.
func gapless(t *testing.T, evs []event.Event) {
	t.Helper()
	last, seen := map[string]int64{}, map[string]bool{}
	for _, ev := range evs {
		if last[ev.Stream]++; ev.Sequence != last[ev.Stream] {
			t.Errorf("event %s (%s) of stream %s has number %d, want %d", ev.ID, ev.Type, ev.Stream, ev.Sequence, last[ev.Stream])
			return
		}
		if seen[ev.ID] {
			t.Errorf("event %s is there twice", ev.ID)
			return
		}
		seen[ev.ID] = true
	}
}

func eventNumbers(t *testing.T, k *kit) {
	d := k.putOne(t, hours())
	var c string
	for i := range 5 {
		c = k.converse(t, agent.Message{User: agent.User{ID: "ann"}}).ConversationID
		next := text("Hours", fmt.Sprint("Text ", i))
		next.ID = d.ID
		k.put(t, next)
		a, err := k.Agent(t.Context(), k.company, k.agent)
		ok(t, "Agent", err)
		_, err = k.UpdateAgent(t.Context(), k.commit(tell(event.AgentUpdated, k.agent), tell(event.AgentUpdated, k.agent)), a)
		ok(t, "UpdateAgent", err)
	}
	ok(t, "DeleteConversation", second(k.DeleteConversation(t.Context(), k.commit(tell(event.ConversationDeleted, c)), c)))
	k.deleteDocument(t, d.ID)
	all := allEvents(t, k, k.company)
	gapless(t, all)
	for stream, want := range map[string]int{c: 12, d.ID: 7, k.agent: 11} {
		if got := len(ofStream(all, stream)); got != want {
			t.Errorf("stream %s has %d events, want %d", stream, got, want)
		}
	}
	if len(all) != 30 {
		t.Errorf("there are %d events, want 30", len(all))
	}
}

func eventStreams(t *testing.T, k *kit) {
	turn := k.begin(t, agent.Message{})
	d := k.putOne(t, hours())
	other := k.newAgent(t)
	for range 3 {
		ok(t, "Enqueue", k.Enqueue(t.Context(), k.commit(
			tell("a.b", turn.ConversationID), tell("a.b", d.ID), tell("a.b", k.agent), tell("a.b", d.ID), tell("a.b", "whk_endpoint"))))
	}
	a, err := k.Agent(t.Context(), k.company, other)
	ok(t, "Agent", err)
	_, err = k.UpdateAgent(t.Context(), k.commit(tell(event.AgentUpdated, other), tell("a.b", k.agent), tell("a.b", "whk_endpoint")), a)
	ok(t, "UpdateAgent", err)
	cm := k.ended(turn)
	cm.Events = append(cm.Events, tell("a.b", d.ID), tell("a.b", "lead_1"))
	ok(t, "EndTurn", k.EndTurn(t.Context(), cm, turn.TurnRef, reply(turn, "At nine.")))
	next := text("Hours", "We open at ten.")
	next.ID = d.ID
	k.put(t, next)
	all := allEvents(t, k, k.company)
	gapless(t, all)
	for stream, want := range map[string]int{turn.ConversationID: 6, d.ID: 9, k.agent: 5, other: 2, "whk_endpoint": 4, "lead_1": 1} {
		if got := len(ofStream(all, stream)); got != want {
			t.Errorf("stream %s has %d events, want %d", stream, got, want)
		}
	}
}

func eventCursors(t *testing.T, k *kit) {
	for range 6 {
		k.converse(t, agent.Message{})
	}
	k.put(t, hours(), hours(), hours())
	all := allEvents(t, k, k.company)
	ids := func(evs []event.Event) []string {
		var out []string
		for _, ev := range evs {
			out = append(out, ev.ID)
		}
		return out
	}
	want := ids(all)
	for from := range len(all) + 1 {
		after := ""
		if from > 0 {
			after = all[from-1].Cursor
		}
		for _, limit := range []int{1, 2, 7, 100} {
			got, err := k.Events(t.Context(), k.company, after, limit)
			ok(t, "Events", err)
			if len(got) > limit || len(got) == 0 && from < len(all) {
				t.Fatalf("Events with limit %d returned %d", limit, len(got))
			}
			wantIDs(t, fmt.Sprintf("Events from %d, limit %d", from, limit), ids(got), want[from:from+len(got)]...)
		}
	}
	again, err := k.Events(t.Context(), k.company, all[len(all)-1].Cursor, 100)
	if len(again) != 0 || err != nil {
		t.Errorf("Events after the last = %s, %v, want none", canonical(again), err)
	}
	k.converse(t, agent.Message{})
	again, err = k.Events(t.Context(), k.company, all[len(all)-1].Cursor, 100)
	if len(again) != 3 || err != nil {
		t.Errorf("Events after what was the last = %s, %v, want the 3 new ones", canonical(again), err)
	}
}

func eventWrongCursor(t *testing.T, k *kit) {
	other := newKit(t, k.Store)
	for range 3 {
		k.converse(t, agent.Message{})
	}
	other.converse(t, agent.Message{})
	mine := map[string]bool{}
	for _, ev := range allEvents(t, k, k.company) {
		mine[ev.ID] = true
		got, err := other.Events(t.Context(), other.company, ev.Cursor, 100)
		for _, g := range got {
			if mine[g.ID] || g.Company != other.company {
				t.Errorf("a cursor of another company shows its event %s", g.ID)
			}
		}
		_ = err // refused or not, nothing was shown
	}
	for _, cursor := range []string{"!", "no cursor", "\x00", "' OR 1=1 --", hostile[2], hostile[6]} {
		if got, err := k.Events(t.Context(), k.company, cursor, 100); err == nil {
			t.Errorf("Events after the cursor %.40q = %d events, want an error", cursor, len(got))
		} else if len(err.Error()) > 500 {
			t.Errorf("Events repeats %d bytes of a cursor in its error", len(cursor))
		}
	}
}

func eventsWhileWriting(t *testing.T, k *kit) {
	const writers, each = 8, 20
	done := make(chan struct{})
	var wg, reading sync.WaitGroup
	var readers [3]*eventReader
	for i := range readers {
		readers[i] = newEventReader()
		reading.Go(func() {
			if err := readers[i].follow(t.Context(), k, 7, done); err != nil {
				t.Errorf("a follower: %v", err)
			}
		})
	}
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				var err error
				switch w % 4 {
				case 0, 1: // a turn
					b := k.asks(agent.Message{User: agent.User{ID: fmt.Sprint("user", w)}})
					var turn agent.Turn
					if turn, err = k.BeginTurn(t.Context(), k.begun(b), b); err == nil {
						err = k.EndTurn(t.Context(), k.ended(turn), turn.TurnRef, reply(turn, "At nine."))
					}
				case 2: // documents
					doc := text("Hours", fmt.Sprint("Text ", i))
					doc.ExternalID = fmt.Sprint("external", w)
					_, err = k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{hashed(doc)})
				default: // a stream that all of these share
					err = k.Enqueue(t.Context(), store.Commit{Company: k.company, Events: []event.Event{tell(event.AgentUpdated, k.agent)}})
				}
				if err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
			}
		})
	}
	wg.Wait()
	close(done)
	reading.Wait()
	all := allEvents(t, k, k.company)
	gapless(t, all)
	if want := 1 + 4*(2*each+1) + 4*each; len(all) != want { // the company's own, turns, and the rest
		t.Errorf("there are %d events, want %d", len(all), want)
	}
	for _, r := range readers {
		if missed := r.missed(all); len(missed) > 0 {
			t.Errorf("a follower missed %d events of %d", len(missed), len(all))
		}
	}
}

// An eventReader follows a company's events from cursor to cursor.
type eventReader struct {
	after string
	last  map[string]int64 // of each stream, the number read last
	seen  map[string]bool  // by id
}

func newEventReader() *eventReader {
	return &eventReader{last: map[string]int64{}, seen: map[string]bool{}}
}

// readOn reads up to limit events at a time until there are no more, and returns
// an error if those of a stream do not come in order.
func (r *eventReader) readOn(ctx context.Context, k *kit, limit int) error {
	for {
		evs, err := k.Events(ctx, k.company, r.after, limit)
		if err != nil || len(evs) == 0 {
			return err
		}
		for _, ev := range evs {
			r.after = ev.Cursor
			if r.seen[ev.ID] {
				continue // once or more is allowed
			}
			r.seen[ev.ID] = true
			if r.last[ev.Stream]++; ev.Sequence != r.last[ev.Stream] {
				return fmt.Errorf("after number %d of stream %s comes %d", r.last[ev.Stream]-1, ev.Stream, ev.Sequence)
			}
		}
	}
}

// follow reads on until done is closed, and then to the end.
func (r *eventReader) follow(ctx context.Context, k *kit, limit int, done <-chan struct{}) error {
	for closed := false; ; {
		if err := r.readOn(ctx, k, limit); err != nil || closed {
			return err
		}
		select {
		case <-done:
			closed = true
		default:
		}
	}
}

// missed returns those of the events that the reader has not seen.
func (r *eventReader) missed(evs []event.Event) []event.Event {
	return slices.DeleteFunc(slices.Clone(evs), func(ev event.Event) bool { return r.seen[ev.ID] })
}
