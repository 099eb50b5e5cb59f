package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
)

var feedback = []promise{
	{
		name:  "put",
		text:  "feedback reads back as it was given wherever the reply does, and tells of itself",
		check: putFeedback,
	},
	{
		name:  "put again",
		text:  "feedback given again replaces all of what was there but the time of the first",
		check: putFeedbackAgain,
	},
	{
		name:  "no reply",
		text:  "feedback on what is not a reply is not found, and stores nothing",
		check: feedbackOnNothing,
	},
	{
		name:  "hostile text",
		text:  "any remark that is valid UTF-8 without zero bytes reads back byte for byte",
		check: hostileFeedback,
	},
	{
		name:  "erased reply",
		text:  "feedback stays with a reply whose document is deleted",
		check: feedbackOnErased,
	},
	{
		name:  "deleted",
		text:  "feedback is gone with its conversation and with its agent",
		check: deletedFeedback,
	},
}

// rate puts feedback on a reply.
func (k *kit) rate(t *testing.T, f agent.Feedback) agent.Feedback {
	t.Helper()
	if f.CreatedAt.IsZero() {
		f.CreatedAt = now()
	}
	if f.UpdatedAt.IsZero() {
		f.UpdatedAt = f.CreatedAt
	}
	m, err := k.Message(t.Context(), k.company, f.MessageID)
	ok(t, "Message", err)
	got, err := k.PutFeedback(t.Context(), k.commit(tell(event.MessageFeedback, m.ConversationID)), f)
	ok(t, "PutFeedback", err)
	return got
}

// feedbackOf returns the feedback that a message is read with.
func (k *kit) feedbackOf(t *testing.T, message string) *agent.Feedback {
	t.Helper()
	m, err := k.Message(t.Context(), k.company, message)
	ok(t, "Message", err)
	return m.Feedback
}

func putFeedback(t *testing.T, k *kit) {
	turn := k.converse(t, agent.Message{})
	beside := k.converse(t, agent.Message{ConversationID: turn.ConversationID})
	if f := k.feedbackOf(t, turn.ReplyID); f != nil {
		t.Errorf("a reply that nobody rated has the feedback %s", canonical(f))
	}
	want := agent.Feedback{
		MessageID: turn.ReplyID, Rating: agent.RatingDown, Remark: "It was closed.", Reasons: []string{"wrong", "outdated"}, CreatedAt: now(), UpdatedAt: now(),
	}
	before := read(t, k, k.company)
	same(t, "PutFeedback", k.rate(t, want), want)
	same(t, "the feedback", k.feedbackOf(t, turn.ReplyID), &want)
	all := messages(t, k, k.company, turn.ConversationID) // newest first: beside's reply and message, then turn's
	same(t, "the feedback in the list", all[2].Feedback, &want)
	for i, m := range all {
		if i != 2 && m.Feedback != nil {
			t.Errorf("message %s, which nobody rated, has the feedback %s", m.ID, canonical(m.Feedback))
		}
	}
	all[2].Feedback = nil
	same(t, "the messages but for the feedback", all, before.Messages[0])
	after := read(t, k, k.company)
	same(t, "the conversation", after.Conversations, before.Conversations)
	evs := ofStream(after.Events, turn.ConversationID)
	if last := evs[len(evs)-1]; len(evs) != 6 || last.Type != event.MessageFeedback || last.Sequence != 6 {
		t.Errorf("the conversation's events are %s, want one more, number 6", canonical(evs))
	}
	next := k.begin(t, agent.Message{ConversationID: beside.ConversationID})
	evs = ofStream(allEvents(t, k, k.company), turn.ConversationID)
	if last := evs[len(evs)-1]; last.Sequence != 7 || last.Type != event.MessageReceived {
		t.Errorf("the next message %s has the event %+v, want number 7", next.Message.ID, last)
	}
}

func putFeedbackAgain(t *testing.T, k *kit) {
	turn := k.converse(t, agent.Message{})
	first := now().Add(-time.Hour)
	k.rate(t, agent.Feedback{MessageID: turn.ReplyID, Rating: agent.RatingDown, Remark: "No!", Reasons: []string{"wrong"}, CreatedAt: first})
	again := agent.Feedback{MessageID: turn.ReplyID, Rating: agent.RatingUp, CreatedAt: now(), UpdatedAt: now()}
	got := k.rate(t, again)
	again.CreatedAt = first
	same(t, "PutFeedback again", got, again)
	same(t, "the feedback", k.feedbackOf(t, turn.ReplyID), &again)
	if strings.Contains(canonical(read(t, k, k.company)), "No!") {
		t.Error("what was said before can still be read")
	}
}

func feedbackOnNothing(t *testing.T, k *kit) {
	turn := k.begin(t, agent.Message{})
	before := read(t, k, k.company)
	for what, m := range map[string]string{
		"a user's message": turn.Message.ID, "a reply to come": turn.ReplyID, "unknown": id.New(id.Message), "a conversation": turn.ConversationID, "empty": "",
	} {
		_, err := k.PutFeedback(t.Context(), k.commit(tell(event.MessageFeedback, turn.ConversationID)), agent.Feedback{MessageID: m, Rating: agent.RatingUp, CreatedAt: now(), UpdatedAt: now()})
		missing(t, "PutFeedback, "+what, err)
	}
	same(t, "the company", read(t, k, k.company), before)
}

func hostileFeedback(t *testing.T, k *kit) {
	turn := k.converse(t, agent.Message{})
	for _, s := range hostile {
		k.rate(t, agent.Feedback{MessageID: turn.ReplyID, Rating: agent.RatingUp, Remark: s, Reasons: []string{s, s}})
		if f := k.feedbackOf(t, turn.ReplyID); f == nil || f.Remark != s || len(f.Reasons) != 2 || f.Reasons[1] != s {
			t.Errorf("the remark %.80q reads back as %.200s", s, canonical(f))
		}
	}
}

func feedbackOnErased(t *testing.T, k *kit) {
	d := k.putOne(t, hours())
	answer := "We open at nine. Bye."
	turn := k.begin(t, agent.Message{})
	k.end(t, turn, answer, claims(k.cite(t, d.ID, "open at nine"), answer, "We open at nine."))
	want := k.rate(t, agent.Feedback{MessageID: turn.ReplyID, Rating: agent.RatingUp, Remark: "Thanks."})
	k.deleteDocument(t, d.ID)
	k.left(t, turn.ReplyID, "Bye.", "")
	same(t, "the feedback", k.feedbackOf(t, turn.ReplyID), &want)
}

func deletedFeedback(t *testing.T, k *kit) {
	gone := k.newAgent(t)
	stays, ofConversation, ofAgent := k.converse(t, agent.Message{}), k.converse(t, agent.Message{}), k.converse(t, agent.Message{AgentID: gone})
	for _, turn := range []agent.Turn{stays, ofConversation, ofAgent} {
		k.rate(t, agent.Feedback{MessageID: turn.ReplyID, Rating: agent.RatingDown, Remark: "Remark on " + turn.ReplyID})
	}
	ok(t, "DeleteConversation", second(k.DeleteConversation(t.Context(), k.commit(), ofConversation.ConversationID)))
	ok(t, "DeleteAgent", second(k.DeleteAgent(t.Context(), k.commit(), gone)))
	left := canonical(read(t, k, k.company))
	for _, turn := range []agent.Turn{ofConversation, ofAgent} {
		if strings.Contains(left, "Remark on "+turn.ReplyID) {
			t.Errorf("the remark on %s can still be read", turn.ReplyID)
		}
		_, err := k.PutFeedback(t.Context(), k.commit(), agent.Feedback{MessageID: turn.ReplyID, Rating: agent.RatingUp, CreatedAt: now(), UpdatedAt: now()})
		missing(t, "PutFeedback on what was deleted", err)
	}
	if !strings.Contains(left, "Remark on "+stays.ReplyID) {
		t.Error("the remark on a reply that stays is gone")
	}
}
