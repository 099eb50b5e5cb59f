package postgres_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/postgres"
)

// odd is a text that an engine may trip over.
const odd = `It's "odd": C:\temp\n, $1, ?, 50%, é, 漢字, 🙂, \x00, ''; DROP TABLE documents; --`

// useDesk makes a desk on a store, uses what most desks use, and returns what its
// lists had, in their order.
func useDesk(t *testing.T, st *postgres.Store) (lists []string) {
	t.Helper()
	ctx := t.Context()
	desk, err := answerdesk.New(ctx, st, nil)
	if err != nil {
		t.Fatal(err)
	}
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	// Ids that differ in what a language would not look at first.
	for _, external := range []string{"b", "B", "a", "ä", "a-b", "ab", "A b", odd} {
		_, err := desk.Knowledge().Put(ctx, knowledge.Document{Title: external, ExternalID: external, Text: "We open at nine. " + odd})
		must("Put", err)
	}
	doc, err := desk.Knowledge().Put(ctx, knowledge.Document{Title: "Lamp", Text: "The lamp costs 40 euros.", Metadata: map[string]any{"odd": odd}})
	must("Put", err)
	got, err := desk.Knowledge().Get(ctx, doc.ID)
	must("Get", err)
	if fmt.Sprint(got.Metadata) != fmt.Sprint(doc.Metadata) {
		t.Errorf("metadata = %v, want %v", got.Metadata, doc.Metadata)
	}
	r, err := desk.Knowledge().Search(ctx, knowledge.Query{Text: "lamp"})
	must("Search", err)
	if len(r.Hits) != 1 {
		t.Errorf("a search finds %d passages, want 1", len(r.Hits))
	}
	reply, err := desk.Agent("").Ask(ctx, agent.Message{Text: "What does the lamp cost? " + odd, User: agent.User{ID: odd}})
	must("Ask", err)
	for ev, err := range desk.Agent("").Stream(ctx, agent.Message{Text: "When do you open?", ConversationID: reply.ConversationID}) {
		must("Stream", err)
		_ = ev
	}
	said, err := desk.Conversations().Message(ctx, reply.ID)
	must("Message", err)
	if said.Text != reply.Text || len(reply.Citations) == 0 {
		t.Errorf("the reply %q with %d citations is stored as %q", reply.Text, len(reply.Citations), said.Text)
	}
	messages, err := desk.Conversations().Messages(ctx, reply.ConversationID, store.Page{})
	must("Messages", err)
	if len(messages.Data) != 4 || !slices.ContainsFunc(messages.Data, func(m agent.Message) bool { return m.Text == "What does the lamp cost? "+odd }) {
		t.Errorf("the conversation is stored as %+v", messages.Data)
	}
	_, err = desk.Conversations().Explain(ctx, reply.ID)
	must("Explain", err)
	_, err = desk.Knowledge().Delete(ctx, doc.ID)
	must("Delete", err)
	if r, err := desk.Knowledge().Search(ctx, knowledge.Query{Text: "lamp"}); err != nil || len(r.Hits) != 0 {
		t.Errorf("a search for what was deleted finds %d passages, %v", len(r.Hits), err)
	}
	_, secret, err := desk.Keys().Create(ctx, access.NewKey{Name: odd, Scope: access.ScopeRead})
	must("Create", err)
	_, err = desk.Authenticate(ctx, secret)
	must("Authenticate", err)

	docs, err := desk.Knowledge().List(ctx, knowledge.Filter{}, store.Page{Limit: 100})
	must("List", err)
	for _, d := range docs.Data {
		lists = append(lists, "document "+d.Title)
	}
	for ev, err := range desk.Events(ctx, "") {
		must("Events", err)
		lists = append(lists, "event "+string(ev.Type))
		if ev.Type == "content.deleted" {
			break
		}
	}
	return append(lists, useQueue(t, st, desk.ID())...)
}

// useQueue queues work, leases it, does it, and returns what there was.
func useQueue(t *testing.T, st *postgres.Store, company string) (done []string) {
	t.Helper()
	ctx := t.Context()
	var c = store.Commit{Company: company}
	for i, key := range []string{"b", "B", "a", "ä", odd} {
		c.Work = append(c.Work, store.Work{ID: fmt.Sprint("wrk_", i), Queue: "odd", Key: key, Payload: []byte{0, '\\', 'x', '\'', 255, byte(i)}})
	}
	if err := st.Enqueue(ctx, c); err != nil {
		t.Fatal(err)
	}
	leases, err := st.ClaimKeys(ctx, company, "odd", "worker", time.Minute, 100)
	if err != nil || len(leases) != len(c.Work) {
		t.Fatalf("ClaimKeys = %d leases, %v", len(leases), err)
	}
	for _, l := range leases {
		jobs, err := st.DueJobs(ctx, l, true, 1)
		if err != nil || len(jobs) != 1 || len(jobs[0].Payload) != 6 || jobs[0].Payload[4] != 255 {
			t.Fatalf("DueJobs = %v, %v", jobs, err)
		}
		if err := st.FinishJobs(ctx, l, []store.Outcome{{ID: jobs[0].ID, Done: true}}); err != nil {
			t.Fatal(err)
		}
		if err := st.ReleaseKey(ctx, l); err != nil {
			t.Fatal(err)
		}
		done = append(done, "work "+l.Key)
	}
	claim := store.ReceiptClaim{Company: company, Scope: odd, Key: odd, Hash: []byte{0, 1, '\\'}, Lease: time.Minute, Keep: time.Hour}
	for i := range 2 {
		state, err := st.ClaimReceipt(ctx, claim)
		if err != nil || state.Claimed != (i == 0) || state.Differs {
			t.Errorf("ClaimReceipt = %+v, %v", state, err)
		}
	}
	return done
}
