package storetest

import (
	"slices"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

var users = []promise{
	{
		name:  "sum",
		text:  "a user is summed up over the conversations that began as theirs and those they said something in",
		check: sumUp,
	},
	{
		name:  "delete",
		text:  "DeleteUser removes every conversation of a user, tells of each, and touches nothing else",
		check: deleteUser,
	},
	{
		name:  "delete running",
		text:  "a turn that runs while its user is deleted is fenced off",
		check: deleteRunningUser,
	},
	{
		name:  "citing",
		text:  "the replies that cite a document are listed, newest first, until their quotes are erased",
		check: citing,
	},
}

// theirs returns the ids of the conversations of a user.
func (k *kit) theirs(t *testing.T, user string) []string {
	t.Helper()
	ids := []string{}
	for after := ""; ; {
		list, err := k.UserConversations(t.Context(), k.company, user, after, 2)
		ok(t, "UserConversations", err)
		for _, c := range list {
			ids, after = append(ids, c.ID), c.ID
		}
		if len(list) < 2 {
			return ids
		}
	}
}

func sumUp(t *testing.T, k *kit) {
	ann := agent.User{ID: "ann", Name: "Ann", Email: "ann@example.com"}
	first := k.converse(t, agent.Message{User: ann})
	second := k.converse(t, agent.Message{User: agent.User{ID: "ann"}, AgentID: k.newAgent(t)})
	anonymous := k.converse(t, agent.Message{})
	k.converse(t, agent.Message{ConversationID: anonymous.ConversationID, User: agent.User{ID: "ann"}})
	k.converse(t, agent.Message{User: agent.User{ID: "bob"}})
	k.converse(t, agent.Message{})

	want := []string{first.ConversationID, second.ConversationID, anonymous.ConversationID}
	slices.Sort(want)
	same(t, "UserConversations", k.theirs(t, "ann"), want)
	got, err := k.User(t.Context(), k.company, "ann")
	ok(t, "User", err)
	c, err := k.Conversation(t.Context(), k.company, first.ConversationID)
	ok(t, "Conversation", err)
	last, err := k.Conversation(t.Context(), k.company, anonymous.ConversationID)
	ok(t, "Conversation", err)
	same(t, "User", got, agent.UserRecord{User: ann, Conversations: 3, Messages: 8, FirstSeenAt: c.CreatedAt, LastSeenAt: last.LastMessageAt})
	for _, nobody := range []string{"", "An", "ann ", "carl"} {
		_, err := k.User(t.Context(), k.company, nobody)
		missing(t, "User "+nobody, err)
		_, err = k.DeleteUser(t.Context(), k.commit(), nobody)
		missing(t, "DeleteUser "+nobody, err)
		same(t, "UserConversations of "+nobody, k.theirs(t, nobody), []string{})
	}
	other := newKit(t, k.Store)
	_, err = other.User(t.Context(), other.company, "ann")
	missing(t, "User in another company", err)
	same(t, "UserConversations in another company", other.theirs(t, "ann"), []string{})
}

func deleteUser(t *testing.T, k *kit) {
	d := k.putOne(t, hours())
	stays := k.converse(t, agent.Message{User: agent.User{ID: "bob"}})
	turn := k.begin(t, agent.Message{User: agent.User{ID: "ann"}, Text: "A secret question"})
	k.end(t, turn, "At nine.", k.cite(t, d.ID, "open at nine"))
	joined := k.converse(t, agent.Message{})
	k.converse(t, agent.Message{ConversationID: joined.ConversationID, User: agent.User{ID: "ann"}})
	other := newKit(t, k.Store)
	elsewhere := other.converse(t, agent.Message{User: agent.User{ID: "ann"}})
	before := read(t, k, k.company)

	out, err := k.DeleteUser(t.Context(), store.Commit{Company: k.company, Audit: &store.Audit{ID: id.New(id.Audit), Actor: "key", Action: "user.delete", Object: "user", At: now()}}, "ann")
	ok(t, "DeleteUser", err)
	if out.UserID != "ann" || out.Conversations != 2 || out.Messages != 6 || out.DeletedAt.IsZero() {
		t.Errorf("DeleteUser = %s, want 2 conversations and 6 messages", canonical(out))
	}
	after := read(t, k, k.company)
	for _, conversation := range []string{turn.ConversationID, joined.ConversationID} {
		_, err := k.Conversation(t.Context(), k.company, conversation)
		missing(t, "Conversation", err)
		noMessages(t, k, agent.MessageFilter{ConversationID: conversation})
		evs := ofStream(after.Events, conversation)
		if last := evs[len(evs)-1]; last.Type != event.ConversationDeleted || last.Sequence != int64(len(evs)) || last.Refs.ConversationID != conversation {
			t.Errorf("the last event of the conversation is %+v, want number %d, conversation.deleted", last, len(evs))
		}
	}
	noMessages(t, k, agent.MessageFilter{UserID: "ann"})
	if n := len(after.Audit); n != len(before.Audit)+1 {
		t.Errorf("the audit log has %d entries, want %d", n, len(before.Audit)+1)
	}
	if len(after.Conversations) != 1 || after.Conversations[0].ID != stays.ConversationID {
		t.Errorf("Conversations = %s, want %s", canonical(after.Conversations), stays.ConversationID)
	}
	same(t, "the documents", after.Live, before.Live)
	_, err = k.DeleteUser(t.Context(), k.commit(), "ann")
	missing(t, "DeleteUser again", err)
	if deleted := k.deleteDocument(t, d.ID); deleted.Replies != 0 {
		t.Errorf("DeleteDocument erased quotes from %d replies, want 0: the one that had any is gone", deleted.Replies)
	}
	same(t, "the other company", other.theirs(t, "ann"), []string{elsewhere.ConversationID})
}

func deleteRunningUser(t *testing.T, k *kit) {
	turn := k.begin(t, agent.Message{User: agent.User{ID: "ann"}})
	_, err := k.DeleteUser(t.Context(), k.commit(), "ann")
	ok(t, "DeleteUser", err)
	err = k.EndTurn(t.Context(), k.ended(turn), turn.TurnRef, reply(turn, "At nine."))
	refused(t, "EndTurn", err, store.ErrFenced)
	noMessages(t, k, agent.MessageFilter{UserID: "ann"})
}

func citing(t *testing.T, k *kit) {
	d, other := k.putOne(t, hours()), k.putOne(t, text("Prices", "Bread is two euros."))
	var want []string
	for i := range 3 {
		turn := k.begin(t, agent.Message{})
		cites := []agent.Citation{k.cite(t, d.ID, "open at nine"), k.cite(t, d.ID, "every day")}
		if i == 1 {
			cites = append(cites, k.cite(t, other.ID, "two euros"))
		}
		k.end(t, turn, "At nine.", cites...)
		want = append([]string{turn.ReplyID}, want...)
	}
	k.converse(t, agent.Message{})
	list := func(document string) (ids []string) {
		t.Helper()
		for p := (store.Page{Limit: 2}); ; {
			l, err := k.Citing(t.Context(), k.company, document, p)
			ok(t, "Citing", err)
			for _, m := range l.Data {
				ids = append(ids, m.ID)
				if m.Reply == nil || len(m.Reply.Citations) < 2 {
					t.Errorf("Citing has %s, want whole replies", canonical(m))
				}
			}
			if !l.HasMore {
				return ids
			}
			p.Cursor = l.NextCursor
		}
	}
	same(t, "Citing", list(d.ID), want)
	same(t, "Citing of the other document", list(other.ID), want[1:2])
	k.deleteDocument(t, d.ID)
	same(t, "Citing of a deleted document", list(d.ID), []string(nil))
	same(t, "Citing of the other document", list(other.ID), want[1:2])
}
