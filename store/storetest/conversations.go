package storetest

import (
	"slices"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

var conversations = []promise{
	{
		name:  "unknown",
		text:  "a conversation, message or explanation that is not there is not found",
		check: unknownConversation,
	},
	{
		name:  "list",
		text:  "conversations are listed newest first, filtered by agent, by user, and by both",
		check: listConversations,
	},
	{
		name:  "order of messages",
		text:  "messages come in the order of their turns, newest first, whatever their ids and times",
		check: messageOrder,
	},
	{
		name:  "messages across conversations",
		text:  "messages are listed by the order of their ids, newest first, filtered by conversation, agent and user, and by all of them",
		check: findMessages,
	},
	{
		name:  "delete",
		text:  "a deleted conversation is gone with its messages and explanations, and nothing else is",
		check: deleteConversation,
	},
	{
		name:  "delete while running",
		text:  "a turn that runs when its conversation is deleted is fenced off",
		check: deleteRunning,
	},
}

func unknownConversation(t *testing.T, k *kit) {
	turn := k.converse(t, agent.Message{})
	for what, c := range map[string]string{"unknown": id.New(id.Conversation), "a message": turn.Message.ID, "empty": "", "nonsense": "conv_x"} {
		_, err := k.Conversation(t.Context(), k.company, c)
		missing(t, "Conversation, "+what, err)
		missing(t, "DeleteConversation, "+what, second(k.DeleteConversation(t.Context(), k.commit(tell(event.ConversationDeleted, c)), c)))
		if c != "" {
			noMessages(t, k, agent.MessageFilter{ConversationID: c})
		}
	}
	for what, m := range map[string]string{"unknown": id.New(id.Message), "a conversation": turn.ConversationID, "empty": "", "nonsense": "msg_x"} {
		_, err := k.Message(t.Context(), k.company, m)
		missing(t, "Message, "+what, err)
		_, err = k.Explanation(t.Context(), k.company, m)
		missing(t, "Explanation, "+what, err)
	}
}

// noMessages fails the test unless a filter chooses nothing.
func noMessages(t *testing.T, k *kit, f agent.MessageFilter) {
	t.Helper()
	l, err := k.Messages(t.Context(), k.company, f, store.Page{})
	ok(t, "Messages", err)
	if len(l.Data) > 0 || l.HasMore || l.NextCursor != "" {
		t.Errorf("Messages of %s = %s, want nothing", canonical(f), canonical(l))
	}
}

func listConversations(t *testing.T, k *kit) {
	other, ann, bob := k.newAgent(t), agent.User{ID: "ann"}, agent.User{ID: "bob"}
	var made []agent.Conversation
	for _, m := range []agent.Message{
		{User: ann}, {User: bob}, {AgentID: other}, {User: ann, AgentID: other}, {}, {User: bob, AgentID: other},
	} {
		turn := k.converse(t, m)
		c, err := k.Conversation(t.Context(), k.company, turn.ConversationID)
		ok(t, "Conversation", err)
		made = append(made, c)
	}
	slices.Reverse(made)
	for _, f := range []agent.ConversationFilter{
		{}, {AgentID: other}, {AgentID: k.agent}, {UserID: "ann"}, {UserID: "bob", AgentID: other}, {UserID: "nobody"}, {UserID: "a%"}, {AgentID: id.New(id.Agent)},
	} {
		want := slices.DeleteFunc(slices.Clone(made), func(c agent.Conversation) bool {
			return f.AgentID != "" && c.AgentID != f.AgentID || f.UserID != "" && c.UserID != f.UserID
		})
		got := everyPage(t, 2, func(p store.Page) (store.List[agent.Conversation], error) {
			return k.Conversations(t.Context(), k.company, f, p)
		})
		same(t, "Conversations of "+canonical(f), got, want)
	}
}

func messageOrder(t *testing.T, k *kit) {
	ids := make([]string, 8)
	for i := range ids {
		ids[i] = id.New(id.Message)
	}
	slices.Reverse(ids)
	late := now()
	c := ""
	for i := 0; i < len(ids); i += 2 {
		b := k.asks(agent.Message{ID: ids[i], ConversationID: c, CreatedAt: late.Add(-long * 2)})
		b.ReplyID = ids[i+1]
		turn := k.beginWith(t, b)
		c = turn.ConversationID
		k.end(t, turn, "At nine.")
	}
	slices.Reverse(ids)
	for _, size := range []int{1, 3, 100} {
		all := everyPage(t, size, func(p store.Page) (store.List[agent.Message], error) {
			return k.Messages(t.Context(), k.company, agent.MessageFilter{ConversationID: c}, p)
		})
		var got []string
		for _, m := range all {
			got = append(got, m.ID)
		}
		wantIDs(t, "Messages", got, ids...)
	}
}

func findMessages(t *testing.T, k *kit) {
	other := k.newAgent(t)
	user := func(id string) agent.User { return agent.User{ID: id, Name: "Somebody"} }
	type listed struct {
		id, conversation, agent, user string
	}
	var made []listed // oldest first
	talk := func(m agent.Message, of string) string {
		turn := k.begin(t, m)
		made = append(made, listed{turn.Message.ID, turn.ConversationID, turn.Message.AgentID, of})
		made = append(made, listed{k.end(t, turn, "At nine.").ID, turn.ConversationID, turn.Message.AgentID, of})
		return turn.ConversationID
	}
	anns := talk(agent.Message{User: user("ann")}, "ann")
	talk(agent.Message{User: user("bob")}, "bob")
	nobodys := talk(agent.Message{}, "")
	talk(agent.Message{AgentID: other, User: user("ann")}, "ann")
	talk(agent.Message{ConversationID: nobodys, User: user("ann")}, "ann") // who says so only now
	talk(agent.Message{ConversationID: anns}, "ann")                       // who does not say so again
	talk(agent.Message{ConversationID: anns, User: user("bob")}, "bob")    // to whom she handed the phone
	running := k.begin(t, agent.Message{AgentID: other, User: user("ann")})
	made = append(made, listed{running.Message.ID, running.ConversationID, other, "ann"})
	newKit(t, k.Store).converse(t, agent.Message{User: user("ann")})

	slices.Reverse(made)
	for _, f := range []agent.MessageFilter{
		{}, {AgentID: other}, {AgentID: k.agent}, {UserID: "ann"}, {UserID: "bob"}, {UserID: "ann", AgentID: other}, {UserID: "ann", AgentID: k.agent},
		{ConversationID: anns}, {ConversationID: anns, UserID: "bob"}, {ConversationID: nobodys, UserID: "ann", AgentID: k.agent},
		{ConversationID: anns, AgentID: other}, {UserID: "nobody"}, {UserID: "a%"}, {AgentID: id.New(id.Agent)}, {ConversationID: id.New(id.Conversation)},
	} {
		var want []string
		for _, m := range made {
			if (f.ConversationID == "" || f.ConversationID == m.conversation) && (f.AgentID == "" || f.AgentID == m.agent) && (f.UserID == "" || f.UserID == m.user) {
				want = append(want, m.id)
			}
		}
		got := everyPage(t, 2, func(p store.Page) (store.List[agent.Message], error) { return k.Messages(t.Context(), k.company, f, p) })
		var ids []string
		for _, m := range got {
			ids = append(ids, m.ID)
			one, err := k.Message(t.Context(), k.company, m.ID)
			ok(t, "Message", err)
			same(t, "the message in the list", m, one)
		}
		wantIDs(t, "Messages of "+canonical(f), ids, want...)
	}
}

func deleteConversation(t *testing.T, k *kit) {
	d := k.putOne(t, hours())
	stays := k.converse(t, agent.Message{User: agent.User{ID: "bob"}})
	turn := k.begin(t, agent.Message{User: agent.User{ID: "ann"}, Text: "A secret question"})
	k.end(t, turn, "At nine.", k.cite(t, d.ID, "open at nine"))
	next := k.begin(t, agent.Message{ConversationID: turn.ConversationID})
	k.end(t, next, "At five.")
	before := read(t, k, k.company)

	told := tell(event.ConversationDeleted, turn.ConversationID)
	out, err := k.DeleteConversation(t.Context(), k.commit(told), turn.ConversationID)
	ok(t, "DeleteConversation", err)
	if want := (agent.Deleted{ID: turn.ConversationID, Conversations: 1, Messages: 4, DeletedAt: out.DeletedAt}); out != want || out.DeletedAt.IsZero() {
		t.Errorf("DeleteConversation = %s, want %s", canonical(out), canonical(want))
	}
	after := read(t, k, k.company)
	evs := ofStream(after.Events, turn.ConversationID)
	if last := evs[len(evs)-1]; last.ID != told.ID || last.Sequence != int64(len(evs)) {
		t.Errorf("the last event of the conversation is %+v, want number %d, %s", last, len(evs), told.ID)
	}
	missing(t, "DeleteConversation again", second(k.DeleteConversation(t.Context(), k.commit(told), turn.ConversationID)))
	for _, m := range []string{turn.Message.ID, turn.ReplyID, next.Message.ID, next.ReplyID} {
		_, err := k.Message(t.Context(), k.company, m)
		missing(t, "Message", err)
		_, err = k.Explanation(t.Context(), k.company, m)
		missing(t, "Explanation", err)
	}
	_, err = k.Conversation(t.Context(), k.company, turn.ConversationID)
	missing(t, "Conversation", err)
	for _, f := range []agent.MessageFilter{{ConversationID: turn.ConversationID}, {UserID: "ann"}} {
		noMessages(t, k, f)
	}
	_, err = k.BeginTurn(t.Context(), k.commit(), k.asks(agent.Message{ConversationID: turn.ConversationID}))
	missing(t, "BeginTurn in a deleted conversation", err)
	if len(after.Conversations) != 1 || after.Conversations[0].ID != stays.ConversationID {
		t.Errorf("Conversations = %s, want %s", canonical(after.Conversations), stays.ConversationID)
	}
	same(t, "the documents", after.Live, before.Live)
	same(t, "the other conversation", messages(t, k, k.company, stays.ConversationID), before.Messages[1])
	if deleted := k.deleteDocument(t, d.ID); deleted.Replies != 0 {
		t.Errorf("DeleteDocument erased quotes from %d replies, want 0: the one that had any is gone", deleted.Replies)
	}
}

func deleteRunning(t *testing.T, k *kit) {
	ended := k.begin(t, agent.Message{User: agent.User{ID: "bob"}})
	k.end(t, ended, "At nine.")
	turn := k.begin(t, agent.Message{User: agent.User{ID: "ann"}})
	for _, of := range []struct {
		turn  agent.Turn
		reply string
	}{{turn, turn.ReplyID}, {ended, ""}} {
		if c, err := k.Conversation(t.Context(), k.company, of.turn.ConversationID); err != nil || c.Running != (of.reply != "") || c.ReplyID != of.reply {
			t.Errorf("Conversation = %+v, %v, want the running reply %q", c, err, of.reply)
		}
	}
	s := agent.Step{CallID: "call_1", Name: "look up", State: agent.StepIntent, Data: []byte(`{}`), At: now()}
	ok(t, "RecordStep", k.RecordStep(t.Context(), k.commit(), turn.TurnRef, s))
	ok(t, "DeleteConversation", second(k.DeleteConversation(t.Context(), k.commit(tell(event.ConversationDeleted, turn.ConversationID)), turn.ConversationID)))
	k.fencedOff(t, turn, store.ErrFenced)
	_, err := k.TakeTurn(t.Context(), k.company, turn.ConversationID, "another", long)
	missing(t, "TakeTurn of a deleted conversation", err)
	if next := k.begin(t, agent.Message{User: agent.User{ID: "ann"}}); next.ConversationID == turn.ConversationID {
		t.Error("the user's next message went to the deleted conversation")
	}
}
