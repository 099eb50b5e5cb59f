package storetest

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

var turns = []promise{
	{
		name:  "begin",
		text:  "a turn without a conversation or user begins a new conversation, with the message in it",
		check: beginTurn,
	},
	{
		name:  "begin again",
		text:  "a turn in a conversation has the next number, and tells of no new conversation",
		check: beginAgain,
	},
	{
		name:  "user's conversation",
		text:  "a message of a user without a conversation goes to the one the user has with that agent",
		check: usersConversation,
	},
	{
		name:  "unknown",
		text:  "a turn in a conversation or with an agent that is not there is not found, and stores nothing",
		check: beginUnknown,
	},
	{
		name:  "another agent's conversation",
		text:  "a turn in a conversation with another agent is a conflict, and stores nothing",
		check: beginWithAnother,
	},
	{
		name:  "busy",
		text:  "while a turn runs, no other begins in its conversation, and the error tells whether it lapsed",
		check: beginBusy,
	},
	{
		name:  "message twice",
		text:  "a message that is there already is a conflict, and stores nothing",
		check: beginTwice,
	},
	{
		name:  "end",
		text:  "a turn that ended has its reply as the next message, as it was given, and runs no more",
		check: endTurn,
	},
	{
		name:  "failure",
		text:  "a turn that ended without an answer says why",
		check: endWithFailure,
	},
	{
		name:  "hostile text",
		text:  "any text that is valid UTF-8 without zero bytes reads back byte for byte",
		check: hostileTurns,
	},
	{
		name:  "take",
		text:  "a turn is taken over when its lease has run out and no sooner, with its message and its steps",
		check: takeTurn,
	},
	{
		name:  "take nothing",
		text:  "where no turn has lapsed, there is none to take over",
		check: takeNothing,
	},
	{
		name:  "take once",
		text:  "of many that take over a lapsed turn at once, one gets it",
		check: takeOnce,
	},
	{
		name:  "renew",
		text:  "a renewed turn is not taken over before its new lease has run out",
		check: renewTurn,
	},
	{
		name:  "running",
		text:  "a running turn is found by the reply it will have, which tells whether it lapsed, and one that ended is not",
		check: runningTurn,
	},
	{
		name:  "cancel",
		text:  "who has a turn learns from renewing or taking it that it is to end, which it still can with its reply; the next turn is another",
		check: cancelTurn,
	},
	{
		name:  "taken",
		text:  "a turn counts how often it was taken over",
		check: takenTurn,
	},
	{
		name:  "fenced",
		text:  "after a turn was taken over, nothing under the old fence is written",
		check: turnFenced,
	},
	{
		name:  "ended",
		text:  "nothing is written to a turn that has ended, or under a number it does not have",
		check: turnEnded,
	},
	{
		name:  "lapsed turns",
		text:  "LapsedTurns names the conversations whose turn can be taken over, and no others",
		check: lapsedTurns,
	},
}

func beginTurn(t *testing.T, k *kit) {
	b := k.asks(agent.Message{Text: "When?", User: agent.User{ID: "", Name: "Ann", Email: "ann@example.com", Phone: "+1"}, Metadata: map[string]any{
		"page": "/hours", "n": 3.0, "list": []any{"a", true, nil}, "nested": map[string]any{"k": "v"},
	}})
	turn := k.beginWith(t, b)
	want := b.Message
	want.ConversationID, want.Role = b.NewConversation, agent.RoleUser
	if turn.ConversationID != b.NewConversation || turn.Number != 1 || turn.Fence == 0 || turn.ReplyID != b.ReplyID || len(turn.Steps) != 0 {
		t.Errorf("BeginTurn = %+v, want turn 1 of %s with a fence", turn, b.NewConversation)
	}
	same(t, "the turn's message", turn.Message, want)
	got, err := k.Message(t.Context(), k.company, want.ID)
	ok(t, "Message", err)
	same(t, "Message", got, want)
	same(t, "Messages", messages(t, k, k.company, turn.ConversationID), []agent.Message{want})
	c, err := k.Conversation(t.Context(), k.company, turn.ConversationID)
	ok(t, "Conversation", err)
	if c.ID != b.NewConversation || c.AgentID != k.agent || c.UserID != "" || c.Turns != 1 || !c.Running ||
		c.CreatedAt.IsZero() || !c.LastMessageAt.Equal(want.CreatedAt) {
		t.Errorf("Conversation = %s, want one running turn", canonical(c))
	}
	_, err = k.Message(t.Context(), k.company, b.ReplyID)
	missing(t, "Message of a reply to come", err)

	evs := ofStream(allEvents(t, k, k.company), c.ID)
	if !slices.Equal(types(evs), []event.Type{event.ConversationStarted, event.MessageReceived}) {
		t.Fatalf("the conversation's events are %s", canonical(evs))
	}
	for i, ev := range evs {
		if ev.Sequence != int64(i+1) || ev.Refs.ConversationID != c.ID || ev.Company != k.company {
			t.Errorf("event %d is %+v, want it in the conversation's stream and with its id", i, ev)
		}
	}
	if evs[0].Refs.AgentID != k.agent || evs[1].Refs.MessageID != want.ID {
		t.Errorf("the events' other refs are %+v and %+v", evs[0].Refs, evs[1].Refs)
	}
}

func beginAgain(t *testing.T, k *kit) {
	c := k.converse(t, agent.Message{}).ConversationID
	for n := 2; n < 5; n++ {
		turn := k.converse(t, agent.Message{ConversationID: c})
		if turn.ConversationID != c || turn.Number != n {
			t.Errorf("the next turn is %+v, want number %d of %s", turn.TurnRef, n, c)
		}
	}
	got, err := k.Conversation(t.Context(), k.company, c)
	ok(t, "Conversation", err)
	if got.Turns != 4 || got.Running || !got.LastMessageAt.After(got.CreatedAt) {
		t.Errorf("Conversation = %s, want 4 turns, none running", canonical(got))
	}
	want := []event.Type{event.ConversationStarted}
	for range 4 {
		want = append(want, event.MessageReceived, event.MessageSent)
	}
	if evs := ofStream(allEvents(t, k, k.company), c); !slices.Equal(types(evs), want) {
		t.Errorf("the conversation's events are %v, want %v", types(evs), want)
	}
}

func usersConversation(t *testing.T, k *kit) {
	ann, other := agent.User{ID: "ann"}, k.newAgent(t)
	c := k.converse(t, agent.Message{User: ann}).ConversationID
	if next := k.converse(t, agent.Message{User: ann}).ConversationID; next != c {
		t.Errorf("the user's next message went to %s, want %s", next, c)
	}
	seen := map[string]bool{c: true}
	for what, m := range map[string]agent.Message{
		"another user's message":              {User: agent.User{ID: "Ann"}},
		"a message to another agent":          {User: ann, AgentID: other},
		"a message of nobody":                 {User: agent.User{Name: "ann"}},
		"another message of nobody":           {},
		"a message of a user with a wildcard": {User: agent.User{ID: "a%"}},
	} {
		turn := k.begin(t, m)
		if seen[turn.ConversationID] || turn.Number != 1 {
			t.Errorf("%s went to turn %d of %s", what, turn.Number, turn.ConversationID)
		}
		seen[turn.ConversationID] = true
	}
	elsewhere := newKit(t, k.Store)
	if e := elsewhere.converse(t, agent.Message{User: ann}).ConversationID; seen[e] {
		t.Errorf("a user's message in another company went to %s", e)
	}
	got, err := k.Conversation(t.Context(), k.company, c)
	ok(t, "Conversation", err)
	if got.UserID != "ann" || got.Turns != 2 {
		t.Errorf("Conversation = %s, want two turns of ann", canonical(got))
	}
	k.begin(t, agent.Message{User: ann})
	_, err = k.BeginTurn(t.Context(), k.commit(), k.asks(agent.Message{User: ann}))
	wantBusy(t, err, c, false)
	ok(t, "DeleteConversation", k.DeleteConversation(t.Context(), k.commit(), c))
	if next := k.begin(t, agent.Message{User: ann}); next.ConversationID == c || next.Number != 1 {
		t.Errorf("after the conversation was deleted, the next message went to turn %d of %s", next.Number, next.ConversationID)
	}
}

func wantBusy(t *testing.T, err error, conversation string, lapsed bool) {
	t.Helper()
	busy, isBusy := errors.AsType[*agent.BusyError](err)
	if !isBusy || busy.ConversationID != conversation || busy.Lapsed != lapsed {
		t.Errorf("BeginTurn = %#v, want a BusyError of %s, lapsed: %v", err, conversation, lapsed)
	}
}

func beginUnknown(t *testing.T, k *kit) {
	turn := k.converse(t, agent.Message{})
	before := read(t, k, k.company)
	for _, c := range []string{id.New(id.Conversation), turn.Message.ID, k.agent, "conv_none"} {
		b := k.asks(agent.Message{ConversationID: c, User: agent.User{ID: "ann"}})
		_, err := k.BeginTurn(t.Context(), k.begun(b), b)
		missing(t, "BeginTurn in conversation "+c, err)
	}
	for _, a := range []string{id.New(id.Agent), turn.ConversationID, "agt_none"} {
		b := k.asks(agent.Message{AgentID: a})
		_, err := k.BeginTurn(t.Context(), k.begun(b), b)
		missing(t, "BeginTurn with agent "+a, err)
	}
	same(t, "the company", read(t, k, k.company), before)
}

func beginWithAnother(t *testing.T, k *kit) {
	c := k.converse(t, agent.Message{}).ConversationID
	b := k.asks(agent.Message{ConversationID: c, AgentID: k.newAgent(t)})
	before := read(t, k, k.company)
	_, err := k.BeginTurn(t.Context(), k.begun(b), b)
	refused(t, "BeginTurn in another agent's conversation", err, store.ErrConflict)
	same(t, "the company", read(t, k, k.company), before)
}

func beginBusy(t *testing.T, k *kit) {
	turn := k.begin(t, agent.Message{})
	before := read(t, k, k.company)
	b := k.asks(agent.Message{ConversationID: turn.ConversationID})
	_, err := k.BeginTurn(t.Context(), k.begun(b), b)
	wantBusy(t, err, turn.ConversationID, false)
	refused(t, "BeginTurn", err, agent.ErrTurnInProgress)
	same(t, "the company", read(t, k, k.company), before)
	k.end(t, turn, "At nine.")

	lapsing := k.asks(agent.Message{ConversationID: turn.ConversationID})
	lapsing.Lease = short
	k.beginWith(t, lapsing)
	eventually(t, "the turn to lapse", func() error {
		_, err := k.BeginTurn(t.Context(), k.begun(b), b)
		busy, isBusy := errors.AsType[*agent.BusyError](err)
		if !isBusy {
			t.Fatalf("BeginTurn = %v, want a BusyError", err)
		}
		return holds(busy.Lapsed, "not lapsed")
	})
	k.take(t, turn.ConversationID)
	_, err = k.BeginTurn(t.Context(), k.begun(b), b)
	wantBusy(t, err, turn.ConversationID, false)
}

func beginTwice(t *testing.T, k *kit) {
	turn := k.converse(t, agent.Message{})
	before := read(t, k, k.company)
	for _, m := range []string{turn.Message.ID, turn.ReplyID} {
		b := k.asks(agent.Message{ID: m})
		_, err := k.BeginTurn(t.Context(), k.begun(b), b)
		refused(t, "BeginTurn with a message that is there", err, store.ErrConflict)
	}
	b := k.asks(agent.Message{})
	b.NewConversation = turn.ConversationID
	_, err := k.BeginTurn(t.Context(), k.begun(b), b)
	refused(t, "BeginTurn of a new conversation that is there", err, store.ErrConflict)
	same(t, "the company", read(t, k, k.company), before)
}

func endTurn(t *testing.T, k *kit) {
	w := text("Hours", "We open at nine.", "We close at five.")
	w.URL, w.ExternalID = "https://example.com/hours?a=1&b=<2>", "hours.md"
	d := k.putOne(t, hashed(w))
	turn := k.begin(t, agent.Message{})
	answer := "At nine, until five."
	e := reply(turn, answer,
		claims(k.cite(t, d.ID, "open at nine"), answer, "At nine"), claims(k.cite(t, d.ID, "We close at five."), answer, "until five"))
	e.Reply.Confidence = agent.Confidence{Score: 0.1234567890123, Threshold: 0.5, Calibrated: true, Reasons: []string{"a", "b"}}
	e.Reply.KnowledgeRevision = 1 << 40
	ok(t, "EndTurn", k.EndTurn(t.Context(), k.ended(turn), turn.TurnRef, e))

	got, err := k.Message(t.Context(), k.company, turn.ReplyID)
	ok(t, "Message", err)
	if got.Role != agent.RoleAgent || got.Text != answer || got.ConversationID != turn.ConversationID || got.AgentID != k.agent ||
		!got.CreatedAt.Equal(e.Reply.CreatedAt) || got.Reply == nil {
		t.Fatalf("Message = %s, want the agent's reply", canonical(got))
	}
	same(t, "the reply", *got.Reply, e.Reply)
	for i, c := range got.Reply.Citations {
		if want := e.Reply.Citations[i].Ordinal; c.Ordinal != want {
			t.Errorf("citation %d is of passage %d, want %d", i, c.Ordinal, want)
		}
	}
	same(t, "Messages", messages(t, k, k.company, turn.ConversationID), []agent.Message{got, turn.Message})
	b, err := k.Explanation(t.Context(), k.company, turn.ReplyID)
	ok(t, "Explanation", err)
	sameJSON(t, "Explanation", b, e.Explanation)
	_, err = k.Explanation(t.Context(), k.company, turn.Message.ID)
	missing(t, "Explanation of a user's message", err)
	c, err := k.Conversation(t.Context(), k.company, turn.ConversationID)
	ok(t, "Conversation", err)
	if c.Running || c.Turns != 1 || !c.LastMessageAt.Equal(e.Reply.CreatedAt) {
		t.Errorf("Conversation = %s, want one turn that ended", canonical(c))
	}
	_, err = k.TakeTurn(t.Context(), k.company, c.ID, "another", long)
	missing(t, "TakeTurn of a turn that ended", err)
}

func endWithFailure(t *testing.T, k *kit) {
	for _, failure := range []string{"cancelled", "interrupted", "internal"} {
		turn := k.begin(t, agent.Message{})
		e := agent.End{Reply: agent.Reply{
			ID: turn.ReplyID, ConversationID: turn.ConversationID, AgentID: k.agent, CreatedAt: now(), Failure: failure,
		}}
		cm := k.ended(turn)
		cm.Events[0].Type = event.MessageFailed
		ok(t, "EndTurn", k.EndTurn(t.Context(), cm, turn.TurnRef, e))
		got, err := k.Message(t.Context(), k.company, turn.ReplyID)
		ok(t, "Message", err)
		if got.Reply == nil || got.Reply.Failure != failure || got.Text != "" || got.Reply.Text != "" {
			t.Errorf("Message = %s, want one without text that failed: %s", canonical(got), failure)
		}
		if b, err := k.Explanation(t.Context(), k.company, turn.ReplyID); len(b) != 0 || err != nil {
			t.Errorf("Explanation of a turn that failed = %q, %v, want none", b, err)
		}
		if next := k.begin(t, agent.Message{ConversationID: turn.ConversationID}); next.Number != 2 {
			t.Errorf("after a turn that failed comes turn %d, want 2", next.Number)
		}
	}
}

func hostileTurns(t *testing.T, k *kit) {
	for _, s := range hostile {
		brief := s[:min(len(s), 200)]
		brief = strings.ToValidUTF8(brief, "")
		user := agent.User{ID: brief, Name: brief, Email: brief, Phone: brief}
		turn := k.begin(t, agent.Message{Text: s, User: user, Metadata: map[string]any{brief: brief, "list": []any{brief}}})
		if turn.Message.Text != s {
			t.Errorf("BeginTurn changed the text %.80q", s)
		}
		step := agent.Step{CallID: "call_1", Name: brief, State: agent.StepIntent, Data: []byte(canonical(map[string]any{"q": s})), At: now()}
		ok(t, "RecordStep", k.RecordStep(t.Context(), k.commit(), turn.TurnRef, step))
		r := k.end(t, turn, s)
		for _, m := range messages(t, k, k.company, turn.ConversationID) {
			if m.Text != s {
				t.Errorf("Messages has the text %.80q, want %.80q", m.Text, s)
			}
		}
		m, err := k.Message(t.Context(), k.company, turn.Message.ID)
		ok(t, "Message", err)
		if m.User != user {
			t.Errorf("Message has the user %+v, want %+v", m.User, user)
		}
		same(t, "the metadata", m.Metadata, turn.Message.Metadata)
		m, err = k.Message(t.Context(), k.company, turn.ReplyID)
		ok(t, "Message", err)
		if m.Reply == nil || m.Reply.Text != s {
			t.Errorf("the reply's text is not %.80q", s)
		}
		same(t, "the reply", m.Reply, &r)
		found := everyPage(t, 0, func(p store.Page) (store.List[agent.Conversation], error) {
			return k.Conversations(t.Context(), k.company, agent.ConversationFilter{UserID: brief}, p)
		})
		if len(found) != 1 || found[0].ID != turn.ConversationID || found[0].UserID != brief {
			t.Errorf("Conversations of user %q = %s", brief, canonical(found))
		}
	}
}

func takeTurn(t *testing.T, k *kit) {
	b := k.asks(agent.Message{Metadata: map[string]any{"a": "b"}, User: agent.User{ID: "ann"}})
	b.Lease = 4 * short
	start := time.Now()
	turn := k.beginWith(t, b)
	var steps []agent.Step
	for i, state := range []agent.StepState{agent.StepIntent, agent.StepResult, agent.StepIntent, agent.StepFailed} {
		s := agent.Step{CallID: []string{"call_b", "call_a"}[i/2], Name: "look up", State: state, Data: []byte(`{"n": [1, 2]}`), At: now()}
		if i == 1 {
			s.Data = []byte(`"` + strings.Repeat("x", 64<<10-2) + `"`)
		}
		steps = append(steps, s)
		ok(t, "RecordStep", k.RecordStep(t.Context(), k.commit(), turn.TurnRef, s))
	}
	taken := k.take(t, turn.ConversationID)
	if held := time.Since(start); held < b.Lease-tick {
		t.Errorf("a turn with a lease of %v was taken over after %v", b.Lease, held)
	}
	if taken.ConversationID != turn.ConversationID || taken.Number != 1 || taken.Fence <= turn.Fence || taken.ReplyID != turn.ReplyID {
		t.Errorf("TakeTurn = %+v, want %+v under a larger fence", taken, turn.TurnRef)
	}
	same(t, "the message taken over", taken.Message, turn.Message)
	same(t, "the steps taken over", taken.Steps, steps)

	late := agent.Step{CallID: "call_c", Name: "look up", State: agent.StepUnknown, Data: []byte(`{}`), At: now()}
	ok(t, "RecordStep", k.RecordStep(t.Context(), k.commit(), taken.TurnRef, late))
	k.end(t, taken, "At nine.")
	next := k.beginShort(t, agent.Message{ConversationID: turn.ConversationID})
	if next.Fence <= taken.Fence {
		t.Errorf("the next turn has fence %d, want more than %d", next.Fence, taken.Fence)
	}
	if again := k.take(t, turn.ConversationID); len(again.Steps) != 0 || again.Number != 2 || again.Message.ID != next.Message.ID {
		t.Errorf("TakeTurn of the next turn = %+v, want turn 2 without steps", again)
	}
}

func takeNothing(t *testing.T, k *kit) {
	running := k.begin(t, agent.Message{}).ConversationID
	ended := k.converse(t, agent.Message{}).ConversationID
	for what, c := range map[string]string{
		"running": running, "ended": ended, "unknown": id.New(id.Conversation), "an agent": k.agent, "empty": "",
	} {
		_, err := k.TakeTurn(t.Context(), k.company, c, "another", long)
		missing(t, "TakeTurn of a conversation that is "+what, err)
	}
}

func takeOnce(t *testing.T, k *kit) {
	turn := k.beginShort(t, agent.Message{})
	var (
		wg   sync.WaitGroup
		wins atomic.Int32
	)
	deadline := time.Now().Add(patience)
	for range 8 {
		wg.Go(func() {
			for wins.Load() == 0 && time.Now().Before(deadline) {
				_, err := k.TakeTurn(t.Context(), k.company, turn.ConversationID, "another", long)
				if err == nil {
					wins.Add(1)
				} else if !errors.Is(err, store.ErrNotFound) {
					t.Errorf("TakeTurn: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if n := wins.Load(); n != 1 {
		t.Errorf("%d workers took the turn over, want 1", n)
	}
}

func renewTurn(t *testing.T, k *kit) {
	b := k.asks(agent.Message{})
	b.Lease = 4 * short
	turn := k.beginWith(t, b)
	time.Sleep(b.Lease / 2)
	start := time.Now()
	ok(t, "RenewTurn", k.RenewTurn(t.Context(), k.company, turn.TurnRef, b.Lease))
	taken := k.take(t, turn.ConversationID)
	if held := time.Since(start); held < b.Lease-tick {
		t.Errorf("a turn renewed by %v was taken over after %v", b.Lease, held)
	}
	ok(t, "RenewTurn", k.RenewTurn(t.Context(), k.company, taken.TurnRef, 2*long))
}

// fencedOff fails the test unless whatever is written to a turn is refused.
func (k *kit) fencedOff(t *testing.T, turn agent.Turn, want error) {
	t.Helper()
	before := read(t, k, k.company)
	s := agent.Step{CallID: "call_late", Name: "late", State: agent.StepResult, Data: []byte(`{}`), At: now()}
	refused(t, "RecordStep", k.RecordStep(t.Context(), k.ended(turn), turn.TurnRef, s), want)
	refused(t, "EndTurn", k.EndTurn(t.Context(), k.ended(turn), turn.TurnRef, reply(turn, "Too late.")), want)
	refused(t, "RenewTurn", k.RenewTurn(t.Context(), k.company, turn.TurnRef, 2*long), want)
	same(t, "the company", read(t, k, k.company), before)
}

func turnFenced(t *testing.T, k *kit) {
	turn := k.beginShort(t, agent.Message{})
	b := k.asks(agent.Message{})
	taken, err := agent.Turn{}, error(nil)
	eventually(t, "TakeTurn", func() error {
		taken, err = k.TakeTurn(t.Context(), k.company, turn.ConversationID, "another", 4*short)
		return err
	})
	k.fencedOff(t, turn, store.ErrFenced)
	third := k.take(t, turn.ConversationID)
	k.fencedOff(t, turn, store.ErrFenced)
	k.fencedOff(t, taken, store.ErrFenced)
	if len(third.Steps) != 0 {
		t.Errorf("the turn has steps that were recorded under an old fence: %+v", third.Steps)
	}
	k.end(t, third, "At nine.")
	k.fencedOff(t, taken, store.ErrFenced)
	k.beginWith(t, b)
}

func turnEnded(t *testing.T, k *kit) {
	turn := k.converse(t, agent.Message{})
	k.fencedOff(t, turn, store.ErrFenced)
	next := k.begin(t, agent.Message{ConversationID: turn.ConversationID})
	k.fencedOff(t, turn, store.ErrFenced)
	mixed := next
	mixed.Number = turn.Number
	k.fencedOff(t, mixed, store.ErrFenced)
	mixed = next
	mixed.Fence = turn.Fence
	k.fencedOff(t, mixed, store.ErrFenced)
	k.end(t, next, "At nine.")
}

func lapsedTurns(t *testing.T, k *kit) {
	lapsed := func() []string {
		t.Helper()
		all, err := k.LapsedTurns(t.Context(), 10_000)
		ok(t, "LapsedTurns", err)
		var mine []string
		for _, l := range all {
			if l.Company == k.company {
				mine = append(mine, l.ConversationID)
			}
		}
		slices.Sort(mine)
		return mine
	}
	k.begin(t, agent.Message{})
	k.converse(t, agent.Message{})
	a, b := k.beginShort(t, agent.Message{}), k.beginShort(t, agent.Message{})
	want := []string{a.ConversationID, b.ConversationID}
	slices.Sort(want)
	eventually(t, "LapsedTurns", func() error {
		got := lapsed()
		return holds(slices.Equal(got, want), "%v, want %v", got, want)
	})
	one, err := k.LapsedTurns(t.Context(), 1)
	ok(t, "LapsedTurns", err)
	if len(one) != 1 {
		t.Errorf("LapsedTurns with limit 1 = %v", one)
	}
	k.take(t, a.ConversationID)
	if got := lapsed(); !slices.Equal(got, []string{b.ConversationID}) {
		t.Errorf("LapsedTurns after one was taken over = %v, want %s", got, b.ConversationID)
	}
	ok(t, "DeleteConversation", k.DeleteConversation(t.Context(), k.commit(), b.ConversationID))
	if got := lapsed(); len(got) != 0 {
		t.Errorf("LapsedTurns after the other was deleted = %v, want none", got)
	}
}

func runningTurn(t *testing.T, k *kit) {
	turn := k.begin(t, agent.Message{User: agent.User{ID: "ann"}})
	got, err := k.RunningTurn(t.Context(), k.company, turn.ReplyID)
	ok(t, "RunningTurn", err)
	want := agent.Running{Started: agent.Started{
		MessageID: turn.Message.ID, ReplyID: turn.ReplyID, ConversationID: turn.ConversationID, AgentID: k.agent, CreatedAt: turn.Message.CreatedAt,
	}}
	same(t, "RunningTurn", got, want)
	k.begin(t, agent.Message{}) // beside it
	for what, r := range map[string]string{"unknown": id.New(id.Message), "a message": turn.Message.ID, "a conversation": turn.ConversationID, "empty": ""} {
		_, err := k.RunningTurn(t.Context(), k.company, r)
		missing(t, "RunningTurn, "+what, err)
		missing(t, "CancelTurn, "+what, k.CancelTurn(t.Context(), k.company, r))
	}
	ended := func(replyID string) {
		t.Helper()
		_, err := k.RunningTurn(t.Context(), k.company, replyID)
		missing(t, "RunningTurn of a turn that ended", err)
		missing(t, "CancelTurn of a turn that ended", k.CancelTurn(t.Context(), k.company, replyID))
	}
	k.end(t, turn, "At nine.")
	ended(turn.ReplyID)
	next := k.beginShort(t, agent.Message{ConversationID: turn.ConversationID})
	ended(turn.ReplyID)
	eventually(t, "the turn to lapse", func() error {
		got, err := k.RunningTurn(t.Context(), k.company, next.ReplyID)
		ok(t, "RunningTurn", err)
		return holds(got.Lapsed, "not lapsed")
	})
	k.take(t, next.ConversationID)
	got, err = k.RunningTurn(t.Context(), k.company, next.ReplyID)
	ok(t, "RunningTurn", err)
	if got.Lapsed || got.MessageID != next.Message.ID {
		t.Errorf("RunningTurn of a turn that was taken over = %s, want the second one, not lapsed", canonical(got))
	}
	ok(t, "DeleteConversation", k.DeleteConversation(t.Context(), k.commit(), next.ConversationID))
	ended(next.ReplyID)
}

func cancelTurn(t *testing.T, k *kit) {
	turn, other := k.beginShort(t, agent.Message{}), k.begin(t, agent.Message{})
	ok(t, "CancelTurn", k.CancelTurn(t.Context(), k.company, turn.ReplyID))
	ok(t, "CancelTurn again", k.CancelTurn(t.Context(), k.company, turn.ReplyID))
	ok(t, "RenewTurn of another turn", k.RenewTurn(t.Context(), k.company, other.TurnRef, long))
	refused(t, "RenewTurn of a cancelled turn", k.RenewTurn(t.Context(), k.company, turn.TurnRef, short), agent.ErrCancelled)
	taken := k.take(t, turn.ConversationID)
	if !taken.Cancelled {
		t.Errorf("TakeTurn = %+v, want it cancelled", taken)
	}
	refused(t, "RenewTurn of a cancelled turn", k.RenewTurn(t.Context(), k.company, taken.TurnRef, long), agent.ErrCancelled)
	_, err := k.TakeTurn(t.Context(), k.company, turn.ConversationID, "third", long)
	missing(t, "TakeTurn of a cancelled turn whose lease was renewed", err)
	k.end(t, taken, "At nine.")

	next := k.beginShort(t, agent.Message{ConversationID: turn.ConversationID})
	ok(t, "RenewTurn of the next turn", k.RenewTurn(t.Context(), k.company, next.TurnRef, short))
	if taken := k.take(t, next.ConversationID); taken.Cancelled || taken.Taken != 1 {
		t.Errorf("TakeTurn of the next turn = %+v, want it not cancelled, taken once", taken)
	}
}

func takenTurn(t *testing.T, k *kit) {
	turn := k.beginShort(t, agent.Message{})
	if turn.Taken != 0 || turn.Cancelled {
		t.Errorf("BeginTurn = %+v, want a turn that nobody took or cancelled", turn)
	}
	for n := 1; n <= 3; n++ {
		eventually(t, "TakeTurn", func() error {
			taken, err := k.TakeTurn(t.Context(), k.company, turn.ConversationID, "another", short)
			if err == nil && (taken.Taken != n || taken.Cancelled) {
				t.Errorf("TakeTurn %d = %+v, want it counted", n, taken)
			}
			return err
		})
	}
}
