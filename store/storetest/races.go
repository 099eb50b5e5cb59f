package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// deleteRaces are what is deleted while it is written or named.
var deleteRaces = []promise{
	{
		name:  "delete cited documents at once",
		text:  "a reply that cites several documents loses what it says of each when they are deleted at once",
		check: deleteCitedAtOnce,
	},
	{
		name:  "delete all while citing",
		text:  "no quote outlives its document, its agent or its conversation when turns end while these are deleted",
		check: deleteAllWhileCiting,
	},
	{
		name:  "delete conversation and document",
		text:  "conversations and a document that is cited in them are deleted at once, each by one of those who try, and nothing of them is left",
		check: deleteConversationAndDocument,
	},
	{
		name:  "delete conversation while talking",
		text:  "nothing is left of a conversation that is deleted while its turn goes on and others begin",
		check: deleteWhileTalking,
	},
}

// among fails the test unless err is nil or wraps one of the errors given.
func among(t *testing.T, what string, err error, allowed ...error) {
	t.Helper()
	if err != nil && !slices.ContainsFunc(allowed, func(a error) bool { return errors.Is(err, a) }) {
		t.Errorf("%s = %v, want no error, or one wrapping one of %q", what, err, allowed)
	}
}

// noOrphans fails the test unless all that can be read of a company fits together.
func (k *kit) noOrphans(t *testing.T) {
	t.Helper()
	got := read(t, k, k.company)
	gapless(t, allEvents(t, k, k.company))
	agents, docs, talks, sources := map[string]bool{"": true}, map[string]bool{}, map[string][]agent.Role{}, map[string]bool{"": true}
	for _, a := range got.Agents {
		agents[a.ID] = true
	}
	for _, s := range got.Sources {
		sources[s.ID] = true
		if !agents[s.AgentID] {
			t.Errorf("source %s is of agent %s, who is not there", s.ID, s.AgentID)
		}
	}
	for _, d := range got.Documents {
		docs[d.ID] = true
		if !agents[d.AgentID] || !sources[d.SourceID] {
			t.Errorf("document %s is of agent %q and source %q, of which one is not there", d.ID, d.AgentID, d.SourceID)
		}
	}
	for _, r := range got.Runs {
		if g := got.Gathered[r.ID]; !agents[r.AgentID] || r.State.Ended() && len(g.Staged) > 0 || !sources[r.SourceID] && (!r.State.Ended() || len(g.Pages) > 0) {
			t.Errorf("run %s of agent %q and source %q is %s, with %s", r.ID, r.AgentID, r.SourceID, r.State, canonical(g))
		}
	}
	for _, l := range got.Live {
		if !docs[l.ID] || len(l.Passages) == 0 {
			t.Errorf("live document %s has %d passages, and is a document: %v", l.ID, len(l.Passages), docs[l.ID])
		}
	}
	for _, c := range got.Changes {
		delete(docs, c.DocumentID)
	}
	if len(docs) > 0 || len(got.Live) != len(got.Documents) {
		t.Errorf("of %d documents %d are live, and the feed names all but %d", len(got.Documents), len(got.Live), len(docs))
	}
	for _, m := range slices.Backward(everyPage(t, store.MaxLimit, func(p store.Page) (store.List[agent.Message], error) {
		return k.Messages(t.Context(), k.company, agent.MessageFilter{}, p)
	})) {
		talks[m.ConversationID] = append(talks[m.ConversationID], m.Role)
	}
	for i, c := range got.Conversations {
		roles := len(talks[c.ID])
		if !agents[c.AgentID] || c.Turns != (roles+1)/2 || c.Running != (roles%2 == 1) || roles != len(got.Messages[i]) {
			t.Errorf("conversation %s has %d messages, its agent is there: %v", canonical(c), roles, agents[c.AgentID])
		}
		delete(talks, c.ID)
	}
	for c, roles := range talks {
		t.Errorf("there are %d messages of conversation %s, which is not there", len(roles), c)
	}
}

func deleteCitedAtOnce(t *testing.T, k *kit) {
	const answer = "Hello. One claim. Two claims. Three claims. Four claims. Bye."
	parts := []string{"One claim.", "Two claims.", "Three claims.", "Four claims."}
	for range 5 {
		docs := newDocuments(len(parts))
		k.put(t, docs...)
		var cites []agent.Citation
		for i, d := range docs {
			cites = append(cites, claims(k.cite(t, d.NewID, d.Text), answer, parts[i]))
		}
		var replies []string
		for range 3 {
			turn := k.begin(t, agent.Message{})
			replies = append(replies, k.end(t, turn, answer, cites...).ID)
		}
		together(len(docs), func(i int) {
			got, err := k.DeleteDocument(t.Context(), k.commit(), docs[i].NewID)
			if err != nil || got.Replies != len(replies) {
				t.Errorf("DeleteDocument = %s, %v, want it to reach %d replies", canonical(got), err, len(replies))
			}
		})
		for _, r := range replies {
			k.left(t, r, "Hello. Bye.", "", "", "", "")
		}
	}
	k.noOrphans(t)
}

func deleteAllWhileCiting(t *testing.T, k *kit) {
	const answer = "Hello. Claimmarker one. Claimmarker two. Bye."
	for range 4 {
		a := k.newAgent(t)
		own, one, two := text("Own", "Secretmarker of an agent."), text("One", "Secretmarker one."), text("Two", "Secretmarker two.")
		own.AgentID = a
		own = hashed(own)
		k.put(t, own, one, two)
		var (
			turns []agent.Turn
			cites [][]agent.Citation
		)
		for i := range 6 {
			m, docs := agent.Message{}, []knowledge.Write{one, two}
			if i%2 == 1 {
				m.AgentID, docs = a, []knowledge.Write{own, one}
			}
			turns = append(turns, k.begin(t, m))
			cites = append(cites, []agent.Citation{
				claims(k.cite(t, docs[0].NewID, docs[0].Text), answer, "Claimmarker one."),
				claims(k.cite(t, docs[1].NewID, docs[1].Text), answer, "Claimmarker two."),
			})
		}
		ending := len(turns)
		together(ending+4, func(i int) {
			var err error
			switch i - ending {
			case 0:
				_, err = k.DeleteDocument(t.Context(), k.commit(), one.NewID)
			case 1:
				_, err = k.DeleteDocument(t.Context(), k.commit(), two.NewID)
			case 2:
				err = second(k.DeleteAgent(t.Context(), k.commit(tell(event.AgentDeleted, a)), a))
			case 3:
				c := turns[0].ConversationID
				err = second(k.DeleteConversation(t.Context(), k.commit(tell(event.ConversationDeleted, c)), c))
			default:
				err = k.EndTurn(t.Context(), k.ended(turns[i]), turns[i].TurnRef, reply(turns[i], answer, cites[i]...))
				among(t, "EndTurn", err, agent.ErrCitation, store.ErrFenced)
				return
			}
			if err != nil {
				t.Errorf("a delete: %v", err)
			}
		})
		after := read(t, k, k.company)
		after.Events, after.Changes = nil, nil // they name what was, by its id
		left := canonical(after)
		for _, gone := range []string{"Secretmarker", "Claimmarker", a, own.NewID, turns[0].ConversationID} {
			if strings.Contains(left, gone) {
				t.Errorf("%s can still be read after the deletes", gone)
			}
		}
	}
	k.noOrphans(t)
}

func deleteConversationAndDocument(t *testing.T, k *kit) {
	const answer = "Hello. Claimmarker. Bye."
	for range 6 {
		d := k.putOne(t, text("Title", "Secretmarker stands here."))
		c := claims(k.cite(t, d.ID, "Secretmarker stands here."), answer, "Claimmarker.")
		var turns []agent.Turn
		for i := range 6 { // two in each of three conversations
			m := agent.Message{}
			if i >= 3 {
				m.ConversationID = turns[i-3].ConversationID
			}
			turns = append(turns, k.begin(t, m))
			k.end(t, turns[i], answer, c)
		}
		var deleted [3]atomic.Int32
		together(9, func(i int) {
			var err error
			if i%3 == 2 {
				_, err = k.DeleteDocument(t.Context(), k.commit(), d.ID)
			} else {
				gone := turns[i%3].ConversationID
				err = second(k.DeleteConversation(t.Context(), k.commit(tell(event.ConversationDeleted, gone)), gone))
			}
			among(t, "a delete", err, store.ErrNotFound)
			if err == nil {
				deleted[i%3].Add(1)
			}
		})
		for i := range deleted {
			if n := deleted[i].Load(); n != 1 {
				t.Errorf("of three deletes of one thing at once %d did it, want 1", n)
			}
		}
		missingDocument(t, k, d.ID)
		for i, turn := range turns {
			if i%3 == 2 {
				k.left(t, turn.ReplyID, "Hello. Bye.", "")
				continue
			}
			_, err := k.Conversation(t.Context(), k.company, turn.ConversationID)
			missing(t, "Conversation", err)
			_, err = k.Message(t.Context(), k.company, turn.ReplyID)
			missing(t, "Message", err)
		}
	}
	k.noOrphans(t)
}

func deleteWhileTalking(t *testing.T, k *kit) {
	ann := agent.User{ID: "ann"}
	for range 6 {
		first := k.converse(t, agent.Message{User: ann})
		c := first.ConversationID
		runs := k.beginShort(t, agent.Message{ConversationID: c, User: ann})
		step := agent.Step{CallID: id.New(id.Call), Name: "look up", State: agent.StepIntent, Data: []byte(`{}`), At: now()}
		steps := []func() error{
			func() error { return k.begins(t.Context(), agent.Message{ConversationID: c}) },
			func() error { return k.begins(t.Context(), agent.Message{User: ann}) },
			func() error { return k.RecordStep(t.Context(), k.commit(), runs.TurnRef, step) },
			func() error { return k.EndTurn(t.Context(), k.ended(runs), runs.TurnRef, reply(runs, "At nine.")) },
			func() error { return k.RenewTurn(t.Context(), k.company, runs.TurnRef, long) },
			func() error { return k.CancelTurn(t.Context(), k.company, runs.ReplyID) },
			func() error { return second(k.TakeTurn(t.Context(), k.company, c, "another", long)) },
			func() error {
				return second(k.PutFeedback(t.Context(), k.commit(tell(event.MessageFeedback, c)), agent.Feedback{MessageID: first.ReplyID, Rating: agent.RatingUp, CreatedAt: now(), UpdatedAt: now()}))
			},
		}
		together(len(steps)+1, func(i int) {
			if i < len(steps) {
				among(t, "a step of the conversation", steps[i](), store.ErrNotFound, store.ErrFenced, agent.ErrTurnInProgress, agent.ErrCancelled)
				return
			}
			if err := second(k.DeleteConversation(t.Context(), k.commit(tell(event.ConversationDeleted, c)), c)); err != nil {
				t.Errorf("DeleteConversation: %v", err)
			}
		})
		_, err := k.Conversation(t.Context(), k.company, c)
		missing(t, "Conversation", err)
		for _, m := range []string{first.Message.ID, first.ReplyID, runs.Message.ID, runs.ReplyID} {
			_, err := k.Message(t.Context(), k.company, m)
			missing(t, "Message", err)
		}
		_, err = k.RunningTurn(t.Context(), k.company, runs.ReplyID)
		missing(t, "RunningTurn", err)
		refused(t, "RenewTurn", k.RenewTurn(t.Context(), k.company, runs.TurnRef, long), store.ErrFenced)
		k.noOrphans(t)
		for _, left := range read(t, k, k.company).Conversations { // begun by ann meanwhile
			ok(t, "DeleteConversation", second(k.DeleteConversation(t.Context(), k.commit(), left.ID)))
		}
	}
}

// begins begins a turn that nobody ends.
func (k *kit) begins(ctx context.Context, m agent.Message) error {
	b := k.asks(m)
	return second(k.BeginTurn(ctx, k.begun(b), b))
}

// second is the error that a method returns beside something else.
func second[T any](_ T, err error) error { return err }
