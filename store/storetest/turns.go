package storetest

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

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
		name:  "calls",
		text:  "calls are found by their id, their steps follow each other, and who decides does so once, while the turn runs and is not cancelled",
		check: recordedCalls,
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
		"page": "/hours", "n": 3.0, "odd": json.Number("9007199254740993"), "list": []any{"a", true, nil}, "nested": map[string]any{"k": "v"},
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
	ok(t, "DeleteConversation", second(k.DeleteConversation(t.Context(), k.commit(), c)))
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
