package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

var deletion = []promise{
	{
		name:  "document",
		text:  "a deleted document is gone with all its versions and passages, and the result says how many",
		check: deleteDocument,
	},
	{
		name:  "nothing left",
		text:  "after a document was deleted, nothing that can be read has its text, title or headings, or what was said on its authority",
		check: nothingLeft,
	},
	{
		name:  "erased replies",
		text:  "a reply loses the claims of the deleted document and keeps the rest, whose citations still point at their claims",
		check: erasedReplies,
	},
	{
		name:  "erased one by one",
		text:  "a reply that cites several documents loses each when it is deleted, in any order",
		check: erasedOneByOne,
	},
	{
		name:  "claims out of range",
		text:  "a reply with a claim outside its text either is refused, or does not keep its document from being deleted",
		check: claimsOutOfRange,
	},
	{
		name:  "summaries",
		text:  "a summary of a conversation goes when a document is deleted that what it sums up cites, and one that ends up later is not stored",
		check: erasesSummaries,
	},
	{
		name:  "earlier version",
		text:  "the quotes of earlier versions are erased too",
		check: erasesEarlierVersions,
	},
	{
		name:  "others stay",
		text:  "what other documents and other companies say stays as it is, be it the same words",
		check: othersStay,
	},
	{
		name:  "written again",
		text:  "the same text written again after it was deleted is a new document",
		check: writtenAgain,
	},
	{
		name:  "agent",
		text:  "a deleted agent is gone with its own documents and its conversations, and nothing else is",
		check: deleteAgent,
	},
	{
		name:  "company",
		text:  "a deleted company is gone with everything that is its, queued work included, and no other one is touched",
		check: deleteCompany,
	},
	{
		name:  "company made again",
		text:  "nothing of a deleted company comes back under its id",
		check: companyMadeAgain,
	},
}

func deleteDocument(t *testing.T, k *kit) {
	w := hours()
	w.ExternalID = "hours"
	d := k.putOne(t, hashed(w))
	stays := k.putOne(t, text("Prices", "Bread is two euros."))
	next := text("Hours", "We open at ten.", "We close at six.")
	next.ID, next.ExternalID = d.ID, "hours"
	k.put(t, hashed(next))
	for range 2 {
		turn := k.begin(t, agent.Message{})
		k.end(t, turn, "At ten.", k.cite(t, d.ID, "open at ten"), k.cite(t, d.ID, "close at six"))
	}
	turn := k.begin(t, agent.Message{})
	k.end(t, turn, "Two euros.", k.cite(t, stays.ID, "two euros"))

	start := now()
	got := k.deleteDocument(t, d.ID)
	if got.DocumentID != d.ID || got.Versions != 2 || got.Passages < 2 || got.Replies != 2 || got.Revision != 4 || got.DeletedAt.Before(start.Add(-tick)) {
		t.Errorf("DeleteDocument = %s, want 2 versions and 2 replies at revision 4", canonical(got))
	}
	missingDocument(t, k, d.ID)
	found, err := k.Passages(t.Context(), k.company, slices.Concat(refs(d.ID, 1, 3), refs(d.ID, 2, 3)))
	ok(t, "Passages", err)
	if len(found) != 0 {
		t.Errorf("Passages of a deleted document = %s", canonical(found))
	}
	for v := range 3 {
		_, err := k.DocumentText(t.Context(), k.company, d.ID, v)
		missing(t, "DocumentText", err)
	}
	_, err = k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{hashed(next)})
	missing(t, "WriteDocuments of a deleted document", err)
	after := read(t, k, k.company)
	if len(after.Documents) != 1 || len(after.Live) != 1 || after.Live[0].ID != stays.ID {
		t.Errorf("Documents = %s, want %s", canonical(after.Documents), stays.ID)
	}
	evs := ofStream(after.Events, d.ID)
	if !slices.Equal(types(evs), []event.Type{event.ContentCreated, event.ContentUpdated, event.ContentDeleted}) ||
		evs[2].Sequence != 3 || evs[2].Refs.DocumentID != d.ID {
		t.Errorf("the document's events are %s, want created, updated, deleted", canonical(evs))
	}
}

func nothingLeft(t *testing.T, k *kit) {
	w := text("Titlemarker", "Quotemarker stands here.", "Bodymarker stands there.")
	w.Passages[0].Heading = []string{"Headingmarker"}
	w.Metadata = map[string]any{"note": "Metamarker"}
	d := k.putOne(t, hashed(w))
	answer := "Hello! Claimmarker is what they say. Goodbye!"
	turn := k.begin(t, agent.Message{})
	e := reply(turn, answer, claims(k.cite(t, d.ID, "Quotemarker stands here."), answer, "Claimmarker is what they say."))
	ok(t, "EndTurn", k.EndTurn(t.Context(), k.ended(turn), turn.TurnRef, e))
	next := text("Titlemarker", "Latermarker stands here.")
	next.ID = d.ID
	k.put(t, next)
	if before := canonical(read(t, k, k.company)); !strings.Contains(before, "Quotemarker") || !strings.Contains(before, "Latermarker") {
		t.Fatal("the text is not there before the delete: the case proves nothing")
	}
	k.deleteDocument(t, d.ID)
	after := canonical(read(t, k, k.company))
	m, err := k.Message(t.Context(), k.company, turn.ReplyID)
	ok(t, "Message", err)
	b, err := k.Explanation(t.Context(), k.company, turn.ReplyID)
	ok(t, "Explanation", err)
	sameJSON(t, "Explanation, which holds no text of documents", b, e.Explanation)
	for _, marker := range []string{"Titlemarker", "Quotemarker", "Bodymarker", "Headingmarker", "Metamarker", "Claimmarker", "Latermarker"} {
		if strings.Contains(after+canonical(m)+string(b), marker) {
			t.Errorf("%s can still be read after the delete", marker)
		}
	}
	if !strings.Contains(m.Text, "Hello!") || !strings.Contains(m.Text, "Goodbye!") || m.Reply == nil || m.Reply.Text != m.Text {
		t.Errorf("the reply is now %s, want what stood on nothing deleted", canonical(m))
	}
	if c := m.Reply.Citations; len(c) != 1 || !c[0].Erased || c[0].DocumentID != d.ID || c[0].Quote != "" || c[0].Title != "" || len(c[0].Heading) != 0 {
		t.Errorf("the citations are now %s, want one that is erased", canonical(c))
	}
}

func erasesSummaries(t *testing.T, k *kit) {
	d, stays := k.putOne(t, hours()), k.putOne(t, text("Prices", "Bread is two euros."))
	first := k.begin(t, agent.Message{})
	k.end(t, first, "Nine.", k.cite(t, d.ID, "open at nine"))
	end := func(documents ...string) string {
		t.Helper()
		turn := k.begin(t, agent.Message{ConversationID: first.ConversationID})
		e := reply(turn, "Two euros.", k.cite(t, stays.ID, "two euros"))
		e.Reply.Summary = &agent.Summary{Through: first.ReplyID, Text: "Summarymarker.", Documents: documents}
		ok(t, "EndTurn", k.EndTurn(t.Context(), k.ended(turn), turn.TurnRef, e))
		return turn.ReplyID
	}
	has := func(id string) bool {
		t.Helper()
		m, err := k.Message(t.Context(), k.company, id)
		ok(t, "Message", err)
		return m.Reply.Summary != nil
	}
	of, other := end(d.ID, stays.ID), end(stays.ID)
	if !has(of) || !has(other) {
		t.Fatal("a summary is not stored")
	}
	if got := k.deleteDocument(t, d.ID); got.Replies != 1 {
		t.Errorf("DeleteDocument erased quotes from %d replies, want 1: those that only sum it up do not count", got.Replies)
	}
	if has(of) || !has(other) {
		t.Errorf("after the delete the summary of it is there: %v, the other one: %v, want it gone and the other one kept", has(of), has(other))
	}
	if late := end(stays.ID, d.ID); has(late) {
		t.Error("a summary of a document that was deleted before is stored")
	}
}

// claimsOf returns the parts of a reply's text that its citations bear out; ""
// for those erased.
func claimsOf(t *testing.T, r *agent.Reply) []string {
	t.Helper()
	var out []string
	for i, c := range r.Citations {
		switch {
		case c.Erased:
			out = append(out, "")
		case c.ClaimStart < 0 || c.ClaimEnd < c.ClaimStart || c.ClaimEnd > len(r.Text):
			t.Fatalf("citation %d claims %d to %d of %d bytes", i, c.ClaimStart, c.ClaimEnd, len(r.Text))
		default:
			out = append(out, r.Text[c.ClaimStart:c.ClaimEnd])
		}
	}
	return out
}

// words returns the words of a text that is not erased, however they are set
// apart.
func words(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, agent.Erasure, " ")), " ")
}

// left fails the test unless a reply has the text and claims given, but for
// white space and the marks of what was erased.
func (k *kit) left(t *testing.T, message, text string, claims ...string) {
	t.Helper()
	m, err := k.Message(t.Context(), k.company, message)
	ok(t, "Message", err)
	if words(m.Text) != words(text) || m.Reply == nil || m.Reply.Text != m.Text {
		t.Fatalf("the reply is now %s, want the text %q", canonical(m), text)
	}
	for i, c := range m.Reply.Citations {
		if c.Erased && (c.Quote != "" || c.Title != "" || c.URL != "" || c.ExternalID != "" || len(c.Heading) > 0 || c.DocumentID == "") {
			t.Errorf("citation %d is erased and still has %s", i, canonical(c))
		}
		if !c.Erased && c.Quote == "" {
			t.Errorf("citation %d lost its quote", i)
		}
	}
	got := claimsOf(t, m.Reply)
	for i := range got {
		got[i] = words(got[i])
	}
	wantIDs(t, "the claims left", got, claims...)
}

func erasedReplies(t *testing.T, k *kit) {
	gone := k.putOne(t, text("Gone", "Für 5 € gibt's Öl.", "Second fact.", "Third fact."))
	stays := k.putOne(t, text("Stays", "A fact that stays.", "Another – that stays too."))
	answer := "Ja – Öl kostet 5 €. It stays. The second. It stays too. The third. Both of them. Tschüß 🙂."
	turn := k.begin(t, agent.Message{})
	k.end(t, turn, answer,
		claims(k.cite(t, stays.ID, "A fact that stays."), answer, "It stays."),
		claims(k.cite(t, gone.ID, "Für 5 € gibt's Öl."), answer, "Öl kostet 5 €."),
		claims(k.cite(t, gone.ID, "Second"), answer, "The second."),
		claims(k.cite(t, stays.ID, "stays too"), answer, "It stays too."),
		claims(k.cite(t, gone.ID, "Third fact."), answer, "The third."),
		claims(k.cite(t, gone.ID, "Third"), answer, "third."), // within the one before
		claims(k.cite(t, gone.ID, "Second fact."), answer, "Both of them."),
		claims(k.cite(t, stays.ID, "A fact"), answer, "Both of them."),
		claims(k.cite(t, stays.ID, "too"), answer, "Tschüß 🙂."),
	)
	if got := k.deleteDocument(t, gone.ID); got.Replies != 1 {
		t.Errorf("DeleteDocument erased quotes from %d replies, want 1", got.Replies)
	}
	k.left(t, turn.ReplyID, "Ja – It stays. It stays too. Tschüß 🙂.", "It stays.", "", "", "It stays too.", "", "", "", "", "Tschüß 🙂.")
}

func erasedOneByOne(t *testing.T, k *kit) {
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
		var docs []string
		for _, s := range []string{"One.", "Two.", "Three."} {
			docs = append(docs, k.putOne(t, text("Title", s)).ID)
		}
		answer := "First one. Then two. At last three."
		parts := []string{"First one.", "Then two.", "At last three."}
		turn := k.begin(t, agent.Message{})
		k.end(t, turn, answer,
			claims(k.cite(t, docs[0], "One."), answer, parts[0]),
			claims(k.cite(t, docs[1], "Two."), answer, parts[1]),
			claims(k.cite(t, docs[2], "Three."), answer, parts[2]))
		k.left(t, turn.ReplyID, answer, parts...)
		for _, i := range order {
			k.deleteDocument(t, docs[i])
			parts[i] = ""
			k.left(t, turn.ReplyID, strings.Join(parts, " "), parts...)
		}
	}
}

func claimsOutOfRange(t *testing.T, k *kit) {
	answer := "Ja – at nine."
	for _, span := range [][2]int{{0, 1000}, {-5, 3}, {9, 3}, {1000, 2000}, {4, 5}} {
		d := k.putOne(t, hours())
		turn := k.begin(t, agent.Message{})
		c := k.cite(t, d.ID, "open at nine")
		c.ClaimStart, c.ClaimEnd = span[0], span[1]
		if err := k.EndTurn(t.Context(), k.ended(turn), turn.TurnRef, reply(turn, answer, c)); err != nil {
			continue
		}
		k.deleteDocument(t, d.ID)
		m, err := k.Message(t.Context(), k.company, turn.ReplyID)
		ok(t, "Message", err)
		if c := m.Reply.Citations[0]; !c.Erased || c.Quote != "" {
			t.Errorf("the citation with claim %v is now %s, want it erased", span, canonical(c))
		}
	}
}

func erasesEarlierVersions(t *testing.T, k *kit) {
	d := k.putOne(t, hours())
	answer := "We open at nine. Bye."
	turn := k.begin(t, agent.Message{})
	k.end(t, turn, answer, claims(k.cite(t, d.ID, "open at nine"), answer, "We open at nine."))
	for range 2 {
		next := text("Hours", "We open at ten.", id.New(id.Document))
		next.ID = d.ID
		k.put(t, next)
	}
	k.left(t, turn.ReplyID, answer, "We open at nine.")
	if got := k.deleteDocument(t, d.ID); got.Versions != 3 || got.Replies != 1 {
		t.Errorf("DeleteDocument = %s, want 3 versions and 1 reply", canonical(got))
	}
	k.left(t, turn.ReplyID, "Bye.", "")
}

func othersStay(t *testing.T, k *kit) {
	answer := "We open at nine."
	answered := func(k *kit, docID string) string {
		turn := k.begin(t, agent.Message{Text: "Is it true that we open at nine – every day?"})
		k.end(t, turn, answer, claims(k.cite(t, docID, "open at nine"), answer, answer))
		return turn.ReplyID
	}
	w := hours()
	d, twin := k.putOne(t, w), k.putOne(t, hours())
	elsewhere := newKit(t, k.Store)
	elsewhere.put(t, w) // the same id, in another company
	answered(k, d.ID)
	kept, keptElsewhere := answered(k, twin.ID), answered(elsewhere, d.ID)
	before, beforeElsewhere := read(t, k, k.company), read(t, elsewhere, elsewhere.company)
	if got := k.deleteDocument(t, d.ID); got.Replies != 1 {
		t.Errorf("DeleteDocument erased quotes from %d replies, want 1", got.Replies)
	}
	k.left(t, kept, answer, answer)
	elsewhere.left(t, keptElsewhere, answer, answer)
	after := read(t, k, k.company)
	same(t, "the user's messages", usersMessages(after), usersMessages(before))
	same(t, "the other company", read(t, elsewhere, elsewhere.company), beforeElsewhere)
}

func usersMessages(s snapshot) (out []agent.Message) {
	for _, all := range s.Messages {
		for _, m := range all {
			if m.Role == agent.RoleUser {
				out = append(out, m)
			}
		}
	}
	return out
}

func writtenAgain(t *testing.T, k *kit) {
	w := hours()
	w.ExternalID = "hours"
	w = hashed(w)
	k.put(t, w)
	turn := k.begin(t, agent.Message{})
	k.end(t, turn, "At nine.", k.cite(t, w.NewID, "open at nine"))
	k.deleteDocument(t, w.NewID)
	again := w
	again.NewID = id.New(id.Document)
	got := k.put(t, again)[0]
	if got.Status != knowledge.Created || got.ID != again.NewID || got.Version != 1 {
		t.Errorf("the text written again is %s, want a new document", canonical(got))
	}
	k.asRead(t, again, again.NewID, 1)
	missingDocument(t, k, w.NewID)
	m, err := k.Message(t.Context(), k.company, turn.ReplyID)
	ok(t, "Message", err)
	if !m.Reply.Citations[0].Erased {
		t.Error("the quote came back with the text")
	}
}

func deleteAgent(t *testing.T, k *kit) {
	gone := k.newAgent(t)
	w := hours()
	w.AgentID = gone
	own := k.putOne(t, hashed(w))
	everyones := k.putOne(t, text("Prices", "Bread is two euros."))
	turn := k.begin(t, agent.Message{AgentID: gone, User: agent.User{ID: "ann"}})
	k.end(t, turn, "At nine.", k.cite(t, own.ID, "open at nine"), k.cite(t, everyones.ID, "two euros"))
	running := k.begin(t, agent.Message{AgentID: gone, User: agent.User{ID: "bob"}})
	stays := k.begin(t, agent.Message{User: agent.User{ID: "ann"}})
	k.end(t, stays, "Two euros.", k.cite(t, everyones.ID, "two euros"))
	before := read(t, k, k.company)
	f := snapshotOf(t, k, 1<<20)

	told := tell(event.AgentDeleted, gone)
	out, err := k.DeleteAgent(t.Context(), k.commit(told), gone)
	ok(t, "DeleteAgent", err)
	if want := (agent.Deleted{
		ID: gone, Versions: 1, Passages: len(w.Passages), Conversations: 2, Messages: 3, Revision: before.Revision + 1, DeletedAt: out.DeletedAt,
	}); out != want || out.DeletedAt.IsZero() {
		t.Errorf("DeleteAgent = %s, want %s", canonical(out), canonical(want))
	}
	_, err = k.Agent(t.Context(), k.company, gone)
	missing(t, "Agent", err)
	missing(t, "DeleteAgent again", second(k.DeleteAgent(t.Context(), k.commit(told), gone)))
	_, err = k.BeginTurn(t.Context(), k.commit(), k.asks(agent.Message{AgentID: gone}))
	missing(t, "BeginTurn with a deleted agent", err)
	missingDocument(t, k, own.ID)
	found, err := k.Passages(t.Context(), k.company, refs(own.ID, 1, 3))
	ok(t, "Passages", err)
	if len(found) != 0 {
		t.Errorf("Passages of a deleted agent's document = %s", canonical(found))
	}
	for _, c := range []string{turn.ConversationID, running.ConversationID} {
		_, err := k.Conversation(t.Context(), k.company, c)
		missing(t, "Conversation", err)
	}
	for _, m := range []string{turn.Message.ID, turn.ReplyID, running.Message.ID} {
		_, err := k.Message(t.Context(), k.company, m)
		missing(t, "Message", err)
	}
	k.fencedOff(t, running, store.ErrFenced)
	f.follow(t, k, 10)
	f.agrees(t, "a follower of the feed", k)

	after := read(t, k, k.company)
	if after.Revision != before.Revision+1 {
		t.Errorf("the revision went from %d to %d, want one more: a document is gone", before.Revision, after.Revision)
	}
	if len(after.Agents) != 1 || len(after.Documents) != 1 || len(after.Conversations) != 1 {
		t.Errorf("what is left is %s, want one agent, document and conversation", canonical(after))
	}
	if evs := ofStream(after.Events, gone); len(evs) != 2 || evs[1].ID != told.ID || evs[1].Sequence != 2 {
		t.Errorf("the agent's events are %s, want created and deleted", canonical(evs))
	}
	k.left(t, stays.ReplyID, "Two euros.", "")
	if got := k.deleteDocument(t, everyones.ID); got.Replies != 1 {
		t.Errorf("DeleteDocument erased quotes from %d replies, want 1: the other one is gone", got.Replies)
	}

	idle := k.newAgent(t)
	ok(t, "DeleteAgent", second(k.DeleteAgent(t.Context(), k.commit(), idle)))
	if r, err := k.Revision(t.Context(), k.company); r != after.Revision+1 || err != nil {
		t.Errorf("Revision = %d, %v, want %d: an agent without documents changes nothing that can be found", r, err, after.Revision+1)
	}
}

// fill gives a company some of everything.
func (k *kit) fill(t *testing.T) (running agent.Turn) {
	t.Helper()
	a := k.newAgent(t)
	d := k.putOne(t, hours())
	own := text("Own", "Only this agent says so.")
	own.AgentID = a
	k.put(t, hashed(own))
	k.embed(t, spaceOne, slices.Concat(someVectors(d.ID, 1, 3, 1), someVectors(own.NewID, 1, 1, 2))...)
	k.embed(t, spaceTwo, someVectors(d.ID, 1, 3, 3)...)
	_, err := k.SetCalibration(t.Context(), k.commit(), aCalibration(1))
	ok(t, "SetCalibration", err)
	turn := k.begin(t, agent.Message{User: agent.User{ID: "ann"}})
	k.end(t, turn, "At nine.", k.cite(t, d.ID, "open at nine"))
	k.converse(t, agent.Message{AgentID: a})
	dead := newWork("dead")
	k.enqueue(t, dead)
	l := k.claimKey(t, long)
	k.finish(t, l, store.Outcome{ID: dead.ID, Dead: true, Reason: "refused"})
	k.enqueue(t, newWork("leased"))
	k.claimKey(t, long)
	cm := laden(t, k, k.agent)
	ok(t, "Enqueue", k.Enqueue(t.Context(), cm))
	k.claimed(t, "half done", long)
	s := newSource("")
	s.NextRunAt = now().Add(-time.Hour)
	ok(t, "CreateSource", k.CreateSource(t.Context(), k.commit(), s, nil))
	k.publish(t, s, aPage("a", "Alpha."), aPage("b", "Beta."))
	g := k.gather(t, s)
	g.stage(t, g.page("a", "Alpha, again."), g.page("c", "Gamma."))
	g.see(t, seenPage("https://example.com/docs/a"))
	k.start(t, newRun(s))
	k.deleteDocument(t, k.publish(t, k.addSource(t, a), aPage("a", "Alpha."))[0])
	return k.beginShort(t, agent.Message{User: agent.User{ID: "bob"}})
}
