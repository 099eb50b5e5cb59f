package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

var tenancy = append(perProbe(), promise{
	name:  "the same ids",
	text:  "what has an id in one company can have it in another too: each reads its own",
	check: sameIDs,
}, promise{
	name:  "lists",
	text:  "no list, feed, log or count of a company has anything of another one",
	check: listsApart,
})

// ids name one thing of each kind.
type ids struct {
	agent, conversation, lapsed, message, reply, document string
	running, call                                         string // the reply that the turn will have, and a call of it that waits
	external, user, key, job, receipt, apiKey             string
	source, run, url, page, staged                        string        // of a run that goes on, an address it saw, and two documents
	turn                                                  agent.TurnRef // that runs
	fence                                                 int64         // of the key's lease, and of the receipt
}

// things gives a company one of each, and returns their ids: a turn runs, the
// key is leased, the job is dead and the receipt claimed. The names that are no
// ids begin with prefix.
func things(t *testing.T, k *kit, prefix string) ids {
	t.Helper()
	d := k.putOne(t, external(hours(), prefix+" external id"))
	k.embed(t, spaceOne, someVectors(d.ID, 1, 3, 1)...)
	turn := k.begin(t, agent.Message{User: agent.User{ID: prefix + " user"}})
	k.end(t, turn, "At nine.", k.cite(t, d.ID, "open at nine"))
	w := newWork(prefix + " key")
	k.enqueue(t, w, newWork(prefix+" key"))
	l := k.claimKey(t, long)
	k.finish(t, l, store.Outcome{ID: w.ID, Dead: true, Reason: "refused"})
	k.claimed(t, prefix+" receipt", long)
	key, _ := k.newKey(t)
	runs := k.begin(t, agent.Message{})
	s := k.addSource(t, "")
	page := k.publish(t, s, aPage(prefix+" external id", "Alpha."))[0]
	g := k.gather(t, s)
	staged := g.stage(t, g.page("staged", "Staged."))[0].DocumentID
	url := "https://example.com/" + prefix
	g.see(t, seenPage(url))
	call := id.New(id.Call)
	ok(t, "RecordStep", k.RecordStep(t.Context(), k.commit(), runs.TurnRef, callStep(call, agent.StepWaiting, "")))
	return ids{
		call: call, source: s.ID, run: g.run.ID, url: url, page: page, staged: staged,
		agent: k.newAgent(t), conversation: turn.ConversationID, message: turn.Message.ID, reply: turn.ReplyID, document: d.ID,
		external: prefix + " external id", user: prefix + " user", key: prefix + " key", job: w.ID, receipt: prefix + " receipt", fence: l.Fence, apiKey: key.ID,
		turn: runs.TurnRef, running: runs.ReplyID, lapsed: k.beginShort(t, agent.Message{}).ConversationID,
	}
}

// nobodys returns ids like those that were never given out.
func nobodys(like ids) ids {
	like.agent, like.document, like.apiKey = id.New(id.Agent), id.New(id.Document), id.New(id.Key)
	like.conversation, like.lapsed = id.New(id.Conversation), id.New(id.Conversation)
	like.message, like.reply, like.running, like.job = id.New(id.Message), id.New(id.Message), id.New(id.Message), id.New(id.Work)
	like.turn.ConversationID, like.call = id.New(id.Conversation), id.New(id.Call)
	like.source, like.run, like.page, like.staged = id.New(id.Source), id.New(id.Run), id.New(id.Document), id.New(id.Document)
	like.url = "https://example.com/nobody"
	like.external, like.user, like.key, like.receipt = "nobody's external id", "nobody's user", "nobody's key", "nobody's receipt"
	return like
}

// otherKinds returns ids of the company's own things, each of another kind than
// it is to be.
func otherKinds(own ids) ids {
	return ids{
		call: own.reply, source: own.run, run: own.source, url: own.external, page: own.source, staged: own.run,
		agent: own.document, conversation: own.agent, lapsed: own.message, message: own.conversation, reply: own.document, running: own.message, document: own.reply,
		external: own.document, user: own.conversation, key: own.job, job: own.document, receipt: own.reply, apiKey: own.job,
		turn: agent.TurnRef{ConversationID: own.reply, Number: own.turn.Number, Fence: own.turn.Fence}, fence: own.fence,
	}
}

// A probe calls a method with ids, in the kit's company.
type probe struct {
	name string
	call func(ctx context.Context, k *kit, of ids) (any, error)
}

// none is the result of a method that returns only an error.
func none(err error) (any, error) { return nil, err }

// result is the result of a method.
func result[T any](v T, err error) (any, error) { return v, err }

// external gives a write an external id.
func external(w knowledge.Write, externalID string) knowledge.Write {
	w.ExternalID = externalID
	return hashed(w)
}

// lease is a lease as somebody might claim to have it.
func (k *kit) lease(of ids) store.Lease {
	return store.Lease{Company: k.company, Queue: queue, Key: of.key, Worker: "worker", Fence: of.fence}
}

var probes = append([]probe{
	{"Agent", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Agent(ctx, k.company, of.agent))
	}},
	{"UpdateAgent", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.UpdateAgent(ctx, k.commit(), agent.Agent{ID: of.agent, Settings: agent.Settings{Name: "Taken"}, Version: 1}))
	}},
	{"DeleteAgent", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.DeleteAgent(ctx, k.commit(), of.agent))
	}},
	{"BeginTurn with an agent", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.BeginTurn(ctx, k.commit(), k.asks(agent.Message{AgentID: of.agent})))
	}},
	{"BeginTurn in a conversation", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.BeginTurn(ctx, k.commit(), k.asks(agent.Message{ConversationID: of.conversation})))
	}},
	{"BeginTurn in a conversation that is busy", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.BeginTurn(ctx, k.commit(), k.asks(agent.Message{ConversationID: of.turn.ConversationID})))
	}},
	{"BeginTurn of a user", func(ctx context.Context, k *kit, of ids) (any, error) {
		b := k.asks(agent.Message{User: agent.User{ID: of.user}})
		turn, err := k.BeginTurn(ctx, k.commit(), b)
		return []any{turn.Number, turn.ConversationID == b.NewConversation}, err
	}},
	{"RecordStep", func(ctx context.Context, k *kit, of ids) (any, error) {
		return none(k.RecordStep(ctx, k.commit(), of.turn, agent.Step{CallID: "call_1", State: agent.StepIntent, Data: []byte(`{}`), At: now()}))
	}},
	{"DecideCall", func(ctx context.Context, k *kit, of ids) (any, error) {
		return none(k.DecideCall(ctx, k.commit(), agent.Step{CallID: of.call, Name: "look up", State: agent.StepDecided, Data: []byte(`{}`), At: now()}))
	}},
	{"RecordedCall", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.RecordedCall(ctx, k.company, of.call))
	}},
	{"RenewTurn", func(ctx context.Context, k *kit, of ids) (any, error) {
		return none(k.RenewTurn(ctx, k.company, of.turn, long))
	}},
	{"EndTurn", func(ctx context.Context, k *kit, of ids) (any, error) {
		return none(k.EndTurn(ctx, k.commit(), of.turn, reply(agent.Turn{TurnRef: of.turn, ReplyID: id.New(id.Message)}, "Taken.")))
	}},
	{"EndTurn with a citation", func(ctx context.Context, k *kit, of ids) (any, error) {
		turn, err := k.BeginTurn(ctx, k.commit(), k.asks(agent.Message{}))
		if err != nil {
			return nil, fmt.Errorf("a turn of one's own: %w", err)
		}
		return none(k.EndTurn(ctx, k.commit(), turn.TurnRef, reply(turn, "At nine.", agent.Citation{
			DocumentID: of.document, DocumentVersion: 1, Start: 3, End: 15, Quote: "open at nine",
		})))
	}},
	{"RunningTurn", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.RunningTurn(ctx, k.company, of.running))
	}},
	{"CancelTurn", func(ctx context.Context, k *kit, of ids) (any, error) {
		return none(k.CancelTurn(ctx, k.company, of.running))
	}},
	{"TakeTurn", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.TakeTurn(ctx, k.company, of.lapsed, "another", long))
	}},
	{"Conversation", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Conversation(ctx, k.company, of.conversation))
	}},
	{"Conversations of an agent", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Conversations(ctx, k.company, agent.ConversationFilter{AgentID: of.agent}, store.Page{}))
	}},
	{"Messages", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Messages(ctx, k.company, agent.MessageFilter{ConversationID: of.conversation}, store.Page{}))
	}},
	{"Messages of an agent", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Messages(ctx, k.company, agent.MessageFilter{AgentID: of.agent}, store.Page{}))
	}},
	{"Messages of a user", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Messages(ctx, k.company, agent.MessageFilter{UserID: of.user}, store.Page{}))
	}},
	{"PutFeedback", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.PutFeedback(ctx, k.commit(), agent.Feedback{MessageID: of.reply, Rating: agent.RatingDown, Remark: "Taken."}))
	}},
	{"Message", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Message(ctx, k.company, of.message))
	}},
	{"Message of an agent", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Message(ctx, k.company, of.reply))
	}},
	{"Explanation", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Explanation(ctx, k.company, of.reply))
	}},
	{"DeleteConversation", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.DeleteConversation(ctx, k.commit(), of.conversation))
	}},
	{"WriteDocuments of a document", func(ctx context.Context, k *kit, of ids) (any, error) {
		w := hours()
		w.ID = of.document
		return result(k.WriteDocuments(ctx, k.commit(), []knowledge.Write{w}))
	}},
	{"WriteDocuments of an agent", func(ctx context.Context, k *kit, of ids) (any, error) {
		w := hours()
		w.AgentID = of.agent
		return result(k.WriteDocuments(ctx, k.commit(), []knowledge.Write{hashed(w)}))
	}},
	{"WriteDocuments with an external id", func(ctx context.Context, k *kit, of ids) (any, error) {
		w := external(hours(), of.external)
		got, err := k.WriteDocuments(ctx, k.commit(), []knowledge.Write{w})
		if err != nil {
			return nil, err
		}
		d := got.Documents[0]
		return []any{d.Status, d.Version, d.ID == w.NewID}, nil
	}},
	{"CheckDocuments", func(ctx context.Context, k *kit, of ids) (any, error) {
		of1, of2, of3 := hours(), hours(), external(hours(), of.external)
		of1.ID, of2.AgentID = of.document, of.agent
		checked, err := k.CheckDocuments(ctx, k.company, []knowledge.Write{of1, hashed(of2), of3})
		var told []any
		for i, in := range checked {
			told = append(told, fmt.Sprint(in.Err), in.Status, in.Document.ID == []knowledge.Write{of1, of2, of3}[i].NewID)
		}
		return told, err
	}},
	{"DeleteDocument", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.DeleteDocument(ctx, k.commit(), of.document))
	}},
	{"Document", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Document(ctx, k.company, of.document))
	}},
	{"DocumentText", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.DocumentText(ctx, k.company, of.document, 0))
	}},
	{"DocumentText of a version", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.DocumentText(ctx, k.company, of.document, 1))
	}},
	{"DocumentHashes", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.DocumentHashes(ctx, k.company, "", []string{of.external}))
	}},
	{"DocumentHashes of an agent", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.DocumentHashes(ctx, k.company, of.agent, []string{of.external}))
	}},
	{"Documents of an agent", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Documents(ctx, k.company, knowledge.Filter{AgentID: of.agent}, store.Page{}))
	}},
	{"Passages", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Passages(ctx, k.company, refs(of.document, 1, 3)))
	}},
	{"LiveDocument", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.LiveDocument(ctx, k.company, of.document))
	}},
	{"PutVectors", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.PutVectors(ctx, k.commit(), spaceOne, someVectors(of.document, 1, 3, 9)))
	}},
	{"Vectors", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.Vectors(ctx, k.company, spaceOne, []string{of.document}))
	}},
	{"DueJobs", func(ctx context.Context, k *kit, of ids) (any, error) {
		return result(k.DueJobs(ctx, k.lease(of), false, 10))
	}},
	{"RenewLease", func(ctx context.Context, k *kit, of ids) (any, error) {
		_, err := k.RenewLease(ctx, k.lease(of), long)
		return nil, err
	}},
	{"FinishJobs", func(ctx context.Context, k *kit, of ids) (any, error) {
		return none(k.FinishJobs(ctx, k.lease(of), []store.Outcome{{ID: of.job, Done: true}}))
	}},
	{"ReleaseKey", func(ctx context.Context, k *kit, of ids) (any, error) { return none(k.ReleaseKey(ctx, k.lease(of))) }},
	{"ReviveJob", func(ctx context.Context, k *kit, of ids) (any, error) {
		return none(k.ReviveJob(ctx, k.company, of.job))
	}},
	{"ClaimReceipt", func(ctx context.Context, k *kit, of ids) (any, error) {
		s, err := k.ClaimReceipt(ctx, k.claimOf(of.receipt, "another body", long))
		return []any{s.Claimed, s.Differs, s.Done, s.Result}, err
	}},
	{"a commit with a receipt", func(ctx context.Context, k *kit, of ids) (any, error) {
		r := store.Receipt{Scope: k.claimOf("", "", long).Scope, Key: of.receipt, Fence: of.fence, Done: true}
		return none(k.Enqueue(ctx, store.Commit{Company: k.company, Receipt: &r}))
	}},
	{"ReleaseReceipt", func(ctx context.Context, k *kit, of ids) (any, error) {
		r := store.Receipt{Scope: k.claimOf("", "", long).Scope, Key: of.receipt, Fence: of.fence}
		return none(k.ReleaseReceipt(ctx, k.company, r))
	}},
}, slices.Concat(keyProbes, sourceProbes)...)

// told is what a caller learns from a call, with its ids blotted out.
func (p probe) told(t *testing.T, k *kit, of ids) string {
	v, err := p.call(t.Context(), k, of)
	got := canonical(v)
	if err != nil {
		got += "; " + err.Error()
	}
	return strings.NewReplacer(
		of.agent, "<id>", of.conversation, "<id>", of.lapsed, "<id>", of.message, "<id>", of.reply, "<id>", of.running, "<id>", of.document, "<id>",
		of.external, "<id>", of.user, "<id>", of.key, "<id>", of.job, "<id>", of.receipt, "<id>", of.turn.ConversationID, "<id>", of.apiKey, "<id>",
		of.call, "<id>", of.source, "<id>", of.run, "<id>", of.url, "<id>", of.page, "<id>", of.staged, "<id>",
		k.company, "<company>",
	).Replace(got)
}

// perProbe makes the promises that hold for every method with an id.
func perProbe() (out []promise) {
	for _, p := range probes {
		out = append(out, promise{
			name: p.name,
			text: "to company B an id of company A, or of another kind, has never existed: it gets the very same answer",
			check: func(t *testing.T, k *kit) {
				other := newKit(t, k.Store)
				of, own := things(t, other, "their"), things(t, k, "own")
				before := read(t, other, other.company)
				want := p.told(t, k, nobodys(of))
				if got := p.told(t, k, of); got != want {
					t.Errorf("%s with another company's ids = %s\nwith ids of nobody's = %s", p.name, got, want)
				}
				if got := p.told(t, k, otherKinds(own)); got != want {
					t.Errorf("%s with ids of another kind = %s\nwith ids of nobody's = %s", p.name, got, want)
				}
				same(t, "the other company", read(t, other, other.company), before)
				if s := other.claim(t, of.receipt, "hash", long); s.Claimed || s.Done || s.Differs {
					t.Errorf("the other company's receipt is now %+v", s)
				}
				if _, err := other.RenewLease(t.Context(), other.lease(of), long); err != nil {
					t.Errorf("the other company's lease is gone: %v", err)
				}
			},
		})
	}
	return out
}

func sameIDs(t *testing.T, k *kit) {
	other := newKit(t, k.Store)
	w := external(hours(), "hours")
	b := k.asks(agent.Message{User: agent.User{ID: "ann"}})
	a := agent.Agent{ID: id.New(id.Agent), Version: 1, CreatedAt: now(), UpdatedAt: now()}
	job, audit := newWork("key"), store.Audit{ID: "aud_1", Actor: "key_1", Action: "probe", At: now()}
	var before snapshot
	for i, c := range []*kit{k, other} {
		name := fmt.Sprint("company ", i)
		a.Settings = agent.Settings{Name: name}
		ok(t, "CreateAgent", c.CreateAgent(t.Context(), c.commit(tell(event.AgentCreated, a.ID)), a))
		w.Title = name
		c.put(t, hashed(w))
		c.embed(t, spaceOne, someVectors(w.NewID, 1, 3, i)...)
		_, err := c.SetCalibration(t.Context(), c.commit(), aCalibration(i))
		ok(t, "SetCalibration", err)
		b.Message.AgentID, b.Message.Text = c.agent, name
		turn, err := c.BeginTurn(t.Context(), c.commit(tell(event.MessageReceived, b.NewConversation)), b)
		ok(t, "BeginTurn", err)
		c.end(t, turn, name, c.cite(t, w.NewID, "open at nine"))
		audit.Object = name
		job.Payload = []byte(name)
		ok(t, "Enqueue", c.Enqueue(t.Context(), store.Commit{Company: c.company, Work: []store.Work{job}, Audit: &audit}))
		s := c.claimed(t, "key", long)
		ok(t, "completing", c.complete(t, s.Receipt, name))
		if i == 0 {
			before = read(t, k, k.company)
		}
	}
	same(t, "the first company after the second did the same", read(t, k, k.company), before)
	for i, c := range []*kit{k, other} {
		name := fmt.Sprint("company ", i)
		got := read(t, c, c.company)
		gapless(t, got.Events)
		if got.Vectors[spaceOne][0].Vector[0] != float32(i) || got.Calibration.Questions != 200+i {
			t.Errorf("%s has the vectors %s and the calibration %s", name, canonical(got.Vectors), canonical(got.Calibration))
		}
		if got.Agents[0].Name != name || got.Documents[0].Title != name || got.Messages[0][0].Text != name || got.Messages[0][1].Text != name ||
			got.Audit[0].Object != name {
			t.Errorf("%s reads %s", name, canonical(got))
		}
		if s := c.claim(t, "key", "hash", long); s.Result != name {
			t.Errorf("%s has the receipt %+v", name, s)
		}
		l := c.claimKey(t, long)
		if jobs := c.due(t, l, true); len(jobs) != 1 || string(jobs[0].Payload) != name {
			t.Errorf("%s has the jobs %+v", name, jobs)
		}
		c.finish(t, l, store.Outcome{ID: job.ID, Done: true})
	}
	k.deleteDocument(t, w.NewID)
	ok(t, "DeleteConversation", second(k.DeleteConversation(t.Context(), k.commit(), b.NewConversation)))
	ok(t, "DeleteAgent", second(k.DeleteAgent(t.Context(), k.commit(), a.ID)))
	other.left(t, b.ReplyID, "company 1", "")
	if _, err := other.Agent(t.Context(), other.company, a.ID); err != nil {
		t.Errorf("the second company's agent: %v", err)
	}
	other.asRead(t, hashed(w), w.NewID, 1)
	if n := len(other.vectorsOf(t, spaceOne, w.NewID)); n != 3 {
		t.Errorf("the second company has %d vectors, want 3", n)
	}
}

func listsApart(t *testing.T, k *kit) {
	bare := newKit(t, k.Store)
	before := read(t, bare, bare.company)
	k.fill(t)
	after := read(t, bare, bare.company)
	same(t, "a company beside another one that is busy", after, before)
	if len(after.Agents) != 1 || len(after.Events) != 1 || after.Due {
		t.Errorf("a company beside another one that is busy has %s", canonical(after))
	}
	mine := canonical(read(t, k, k.company))
	if strings.Contains(mine, bare.company) || strings.Contains(mine, bare.agent) {
		t.Error("a company reads ids of another one")
	}
}
