package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// retention is about what agents and messages say of how long things are kept,
// whatever is swept besides.
var retention = []promise{
	{
		name: "conversations", fresh: true,
		text:  "conversations go with all that is theirs once their last message is older than their agent keeps them, but not while a turn runs, and each is told of",
		check: sweepConversations,
	},
	{
		name: "conversations limited", fresh: true,
		text:  "a sweep removes no more conversations than it may, also of several agents, and the others with the next ones",
		check: sweepConversationsLimited,
	},
	{
		name: "attachments", fresh: true,
		text:  "attachments that no message has named in time go, and no others",
		check: sweepAttachments,
	},
}

const day = 24 * time.Hour

// keeping adds an agent that keeps conversations for some days.
func (k *kit) keeping(t *testing.T, days int) string {
	t.Helper()
	a, err := k.Agent(t.Context(), k.company, k.newAgent(t))
	ok(t, "Agent", err)
	a.RetentionDays, a.UpdatedAt = days, now()
	ok(t, "UpdateAgent", second(k.UpdateAgent(t.Context(), k.commit(tell(event.AgentUpdated, a.ID)), a)))
	return a.ID
}

// oldID is the id of a conversation that began some time ago.
func oldID(t *testing.T, age time.Duration) string {
	t.Helper()
	like := id.New(id.Conversation)
	first := id.First(id.Conversation, time.Now().Add(-age))
	const moment = 10 // of the characters of an id, those that say when it was made
	at := len(string(id.Conversation)) + 1 + moment
	old, err := id.Parse(id.Conversation, first[:at]+like[at:])
	ok(t, "an id of long ago", err)
	return old
}

// spoke begins a turn of an agent some time ago, in a conversation that began then
// too if the message names none.
func (k *kit) spoke(t *testing.T, age time.Duration, m agent.Message) agent.Turn {
	t.Helper()
	m.CreatedAt = now().Add(-age)
	b := k.asks(m)
	b.NewConversation = oldID(t, age)
	return k.beginWith(t, b)
}

// answered ends a turn some time ago.
func (k *kit) answered(t *testing.T, age time.Duration, turn agent.Turn) agent.Turn {
	t.Helper()
	e := reply(turn, "At nine.")
	e.Reply.CreatedAt = now().Add(-age)
	ok(t, "EndTurn", k.EndTurn(t.Context(), k.ended(turn), turn.TurnRef, e))
	return turn
}

func sweepConversations(t *testing.T, k *kit) {
	brief, lasting := k.keeping(t, 7), k.keeping(t, 30)
	at := k.attach(t, long)
	gone := k.answered(t, 8*day, k.spoke(t, 8*day, naming(agent.Message{AgentID: brief, User: agent.User{ID: "ann"}}, at)))
	used := k.answered(t, 8*day, k.spoke(t, 8*day, agent.Message{AgentID: brief}))
	k.answered(t, 6*day, k.spoke(t, 6*day, agent.Message{AgentID: brief, ConversationID: used.ConversationID}))
	k.answered(t, 6*day, k.spoke(t, 6*day, agent.Message{AgentID: brief}))
	k.answered(t, 8*day, k.spoke(t, 8*day, agent.Message{AgentID: lasting}))
	k.answered(t, 1000*day, k.spoke(t, 1000*day, agent.Message{}))
	running := k.spoke(t, 8*day, agent.Message{AgentID: brief})
	before := read(t, k, k.company)

	if n := k.sweep(t, forGood, 100, "conversations"); n != 1 {
		t.Errorf("Sweep removed %d conversations, want 1", n)
	}
	missing(t, "Conversation", second(k.Conversation(t.Context(), k.company, gone.ConversationID)))
	for _, m := range []string{gone.Message.ID, gone.ReplyID} {
		missing(t, "Message", second(k.Message(t.Context(), k.company, m)))
	}
	missing(t, "Explanation", second(k.Explanation(t.Context(), k.company, gone.ReplyID)))
	missing(t, "User", second(k.User(t.Context(), k.company, "ann")))
	if got := k.attached(t, at); len(got) != 0 {
		t.Errorf("its attachment is still there: %s", canonical(got))
	}
	after := read(t, k, k.company)
	if len(after.Conversations) != len(before.Conversations)-1 {
		t.Errorf("%d conversations are left, want all but 1 of %d", len(after.Conversations), len(before.Conversations))
	}
	evs := ofStream(after.Events, gone.ConversationID)
	if last := evs[len(evs)-1]; last.Type != event.ConversationDeleted || last.Refs.AgentID != brief || last.Refs.ConversationID != gone.ConversationID {
		t.Errorf("the conversation's events are %s, want conversation.deleted as the last", canonical(evs))
	}
	k.noOrphans(t)
	k.answered(t, 8*day, running)
	if n := k.sweep(t, forGood, 100, "conversations"); n != 1 {
		t.Errorf("Sweep removed %d conversations once the turn had ended, want 1", n)
	}
}

func sweepConversationsLimited(t *testing.T, k *kit) {
	const each = 13 // two agents have more than one step of a sweep removes
	for range 2 {
		for a, i := k.keeping(t, 1), 0; i < each; i++ {
			k.answered(t, 2*day, k.spoke(t, 2*day, agent.Message{AgentID: a}))
		}
	}
	other := newKit(t, k.Store)
	other.answered(t, 2*day, other.spoke(t, 2*day, agent.Message{AgentID: other.keeping(t, 1)}))
	stays := other.answered(t, 2*day, other.spoke(t, 2*day, agent.Message{}))
	swept, err := k.Sweep(t.Context(), forGood, 5)
	ok(t, "Sweep", err)
	same(t, "what a sweep of 5 removed", swept, knowledge.Swept{"conversations": 5})
	swept, err = k.Sweep(t.Context(), forGood, 1000)
	ok(t, "Sweep", err)
	same(t, "what the next sweep removed", swept, knowledge.Swept{"conversations": 2*each + 1 - 5})
	for _, k := range []*kit{k, other} {
		told := slices.DeleteFunc(allEvents(t, k, k.company), func(ev event.Event) bool { return ev.Type != event.ConversationDeleted })
		list, err := k.Conversations(t.Context(), k.company, agent.ConversationFilter{}, store.Page{})
		ok(t, "Conversations", err)
		if got, want := fmt.Sprint(len(told), len(list.Data)), map[bool]string{true: fmt.Sprint(2*each, 0), false: "1 1"}[k != other]; got != want {
			t.Errorf("events and conversations left are %s, want %s", got, want)
		}
	}
	ok(t, "Conversation that is kept", second(other.Conversation(t.Context(), other.company, stays.ConversationID)))
}

func sweepAttachments(t *testing.T, k *kit) {
	other := newKit(t, k.Store)
	expired := []agent.Attachment{k.attach(t, -time.Second), k.attach(t, -time.Hour), k.attach(t, -time.Minute)}
	kept, named, others := k.attach(t, long), k.attach(t, long), other.attach(t, -time.Second)
	k.converse(t, naming(agent.Message{}, named))
	refused(t, "PutAttachment of one that has expired", k.PutAttachment(t.Context(), k.commit(), expired[0]), store.ErrConflict)
	swept, err := k.Sweep(t.Context(), forGood, 2)
	ok(t, "Sweep", err)
	same(t, "what a sweep of 2 removed", swept, knowledge.Swept{"attachments": 2})
	if n := k.sweep(t, forGood, 100, "attachments"); n != 2 {
		t.Errorf("the next sweeps removed %d attachments, want the 2 that were left", n)
	}
	if got := k.attached(t, kept, named); len(got) != 2 {
		t.Errorf("of those that had not expired %s are left", canonical(got))
	}
	for _, a := range expired {
		ok(t, "PutAttachment of one that was swept", k.PutAttachment(t.Context(), k.commit(), a))
	}
	ok(t, "PutAttachment of another company's that was swept", other.PutAttachment(t.Context(), other.commit(), others))
}
