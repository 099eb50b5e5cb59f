package storetest

import (
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

var attachments = []promise{
	{
		name:  "put",
		text:  "an attachment reads back as it was given until it expires, and one that is there already is a conflict",
		check: putAttachment,
	},
	{
		name:  "named",
		text:  "an attachment that a message names is its conversation's for good, and no other conversation's",
		check: nameAttachment,
	},
	{
		name:  "not there",
		text:  "a message that names an attachment which is unknown, has expired or is another company's is refused, and nothing is stored of it",
		check: nameNoAttachment,
	},
	{
		name:  "gone",
		text:  "attachments go with their conversation, whether it is deleted itself or with its user, agent or company",
		check: attachmentsGone,
	},
}

// attach adds an attachment that expires after some time.
func (k *kit) attach(t *testing.T, life time.Duration) agent.Attachment {
	t.Helper()
	a := agent.Attachment{
		ID: id.New(id.Attachment), Name: `Rechnung "März" – 50 %.txt`, MediaType: "text/plain", Size: 1234,
		Text: "Line one\nline two\t🙂", CreatedAt: now(),
	}
	a.ExpiresAt = a.CreatedAt.Add(life)
	ok(t, "PutAttachment", k.PutAttachment(t.Context(), k.commit(), a))
	return a
}

// attached returns those of some attachments that are there, with their texts.
func (k *kit) attached(t *testing.T, of ...agent.Attachment) []agent.Attachment {
	t.Helper()
	var ids []string
	for _, a := range of {
		ids = append(ids, a.ID)
	}
	got, err := k.Attachments(t.Context(), k.company, ids)
	ok(t, "Attachments", err)
	return got
}

// naming is a message that names attachments.
func naming(m agent.Message, of ...agent.Attachment) agent.Message {
	for _, a := range of {
		m.Attachments = append(m.Attachments, agent.AttachmentRef{ID: a.ID})
	}
	return m
}

// sameAttachments compares their texts too, which JSON leaves out.
func sameAttachments(t *testing.T, what string, got []agent.Attachment, want ...agent.Attachment) {
	t.Helper()
	same(t, what, got, want)
	for i := range min(len(got), len(want)) {
		if got[i].Text != want[i].Text {
			t.Errorf("%s: the text of %s is %q, want %q", what, got[i].ID, got[i].Text, want[i].Text)
		}
	}
}

func putAttachment(t *testing.T, k *kit) {
	a, b, expired := k.attach(t, long), k.attach(t, long), k.attach(t, -time.Second)
	unknown := agent.Attachment{ID: id.New(id.Attachment)}
	sameAttachments(t, "Attachments", k.attached(t, b, unknown, expired, a), b, a)
	sameAttachments(t, "Attachments of none", k.attached(t))
	again := a
	again.Text = "Another text."
	refused(t, "PutAttachment of one that is there", k.PutAttachment(t.Context(), k.commit(), again), store.ErrConflict)
	sameAttachments(t, "Attachments", k.attached(t, a), a)
	stranger := newKit(t, k.Store)
	sameAttachments(t, "Attachments of another company", stranger.attached(t, a, b))
}

func nameAttachment(t *testing.T, k *kit) {
	a, b := k.attach(t, long), k.attach(t, long)
	turn := k.begin(t, naming(agent.Message{}, b, a))
	k.end(t, turn, "At nine.")
	kept := []agent.Attachment{a, b}
	for i := range kept {
		kept[i].ExpiresAt = time.Time{}
	}
	sameAttachments(t, "Attachments that a message names", k.attached(t, a, b), kept...)
	m, err := k.Message(t.Context(), k.company, turn.Message.ID)
	ok(t, "Message", err)
	same(t, "the attachments of the message", m.Attachments, naming(agent.Message{}, b, a).Attachments)

	next := k.begin(t, naming(agent.Message{ConversationID: turn.ConversationID}, a))
	k.end(t, next, "At nine, as I said.")
	before := read(t, k, k.company)
	asks := k.asks(naming(agent.Message{}, a))
	_, err = k.BeginTurn(t.Context(), k.begun(asks), asks)
	missing(t, "BeginTurn with an attachment of another conversation", err)
	same(t, "the company", read(t, k, k.company), before)
}

func nameNoAttachment(t *testing.T, k *kit) {
	stranger := newKit(t, k.Store)
	fine, before := k.attach(t, long), read(t, k, k.company)
	for name, not := range map[string]agent.Attachment{
		"is unknown":           {ID: id.New(id.Attachment)},
		"has expired":          k.attach(t, -time.Second),
		"is another company's": stranger.attach(t, long),
	} {
		asks := k.asks(naming(agent.Message{}, fine, not))
		_, err := k.BeginTurn(t.Context(), k.begun(asks), asks)
		missing(t, "BeginTurn with an attachment that "+name, err)
	}
	same(t, "the company", read(t, k, k.company), before)
	sameAttachments(t, "the attachment that could be named", k.attached(t, fine), fine)
}

func attachmentsGone(t *testing.T, k *kit) {
	a, ann := k.newAgent(t), agent.User{ID: "ann"}
	unnamed := k.attach(t, long)
	named := func(m agent.Message) (agent.Attachment, agent.Turn) {
		t.Helper()
		at := k.attach(t, long)
		return at, k.converse(t, naming(m, at))
	}
	gone := func(what string, at agent.Attachment) {
		t.Helper()
		if got := k.attached(t, at); len(got) != 0 {
			t.Errorf("after %s an attachment of it is still there: %s", what, canonical(got))
		}
		ok(t, "PutAttachment of one that is gone after "+what, k.PutAttachment(t.Context(), k.commit(), at))
	}
	inTalk, talk := named(agent.Message{})
	ofUser, _ := named(agent.Message{User: ann})
	ofAgent, _ := named(agent.Message{AgentID: a})
	ofCompany, _ := named(agent.Message{})
	ok(t, "DeleteConversation", second(k.DeleteConversation(t.Context(), k.commit(tell(event.ConversationDeleted, talk.ConversationID)), talk.ConversationID)))
	gone("DeleteConversation", inTalk)
	ok(t, "DeleteUser", second(k.DeleteUser(t.Context(), k.commit(), ann.ID)))
	gone("DeleteUser", ofUser)
	ok(t, "DeleteAgent", second(k.DeleteAgent(t.Context(), k.commit(tell(event.AgentDeleted, a)), a)))
	gone("DeleteAgent", ofAgent)
	if got := k.attached(t, unnamed, ofCompany); len(got) != 2 {
		t.Errorf("of two other attachments %d are left", len(got))
	}
	c, err := k.Company(t.Context(), k.company)
	ok(t, "Company", err)
	ok(t, "DeleteCompany", k.DeleteCompany(t.Context(), k.commit()))
	ok(t, "CreateCompany", k.CreateCompany(t.Context(), k.commit(tell(event.AgentCreated, c.DefaultAgent)), c))
	gone("DeleteCompany", ofCompany)
	gone("DeleteCompany", unnamed)
}
