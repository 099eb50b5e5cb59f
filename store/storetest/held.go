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

// heldPromises are the races that need no luck with a store that is a [Lender].
var heldPromises = []promise{
	{
		name:  "delete beside a step held open",
		text:  "what is deleted while a step that adds to it is not committed yet is gone with what that step adds; and what adds to it while the delete is not committed yet fails",
		check: deleteBesideHeld,
	},
	{
		name:  "overtaken by a step held open",
		text:  "a step that rests on what another one has changed, which is not committed yet, is told of it, and does not go by what was there before",
		check: overtakenByHeld,
	},
}

// A rivalry is a step, and a delete of what it adds to.
type rivalry struct {
	name         string
	step, remove func(ctx context.Context) error
	gone         func(t *testing.T) // fails the test unless nothing is left
}

// deleteBesideHeld holds open the step of each rivalry, and then its delete. A store
// that is no Lender has these races in the cases that leave them to chance.
func deleteBesideHeld(t *testing.T, k *kit) {
	if _, can := k.Store.(Lender); !can {
		return
	}
	decided(t, k, 2*len(steps)+2, companyRivalry)
	for _, all := range []func(t *testing.T, k *kit) []rivalry{agentRivalries, conversationRivalries, documentRivalries} {
		decided(t, k, len(all(t, newKit(t, k.Store))), func(t *testing.T, k *kit, i int) rivalry { return all(t, k)[i] })
	}
}

// decided plays n rivalries, each from both sides in companies of their own.
func decided(t *testing.T, k *kit, n int, prepare func(t *testing.T, k *kit, i int) rivalry) {
	t.Helper()
	lender := k.Store.(Lender)
	for i := range 2 * n {
		k, stepFirst := newKit(t, k.Store), i%2 == 0
		r := prepare(t, k, i/2)
		step := func() error {
			among(t, r.name, r.step(t.Context()), store.ErrNotFound, store.ErrFenced, agent.ErrCitation)
			return nil
		}
		remove := func() error { return r.remove(t.Context()) }
		lent, commit, _, err := lender.Lend(t.Context())
		ok(t, "Lend", err)
		if stepFirst {
			ok(t, r.name, r.step(lent))
			beside(t, r.name, commit, remove, func() {})
		} else {
			ok(t, "the delete beside "+r.name, r.remove(lent))
			beside(t, "the delete beside "+r.name, commit, step, func() {})
		}
		r.gone(t)
		if t.Failed() {
			t.Fatalf("the broken rivalry is %s, the step held open: %v", r.name, stepFirst)
		}
	}
}

// companyRivalry is about one of the steps, with nothing that rides along, whose
// locks might help, and with all of it; or about one of two methods without a commit.
func companyRivalry(t *testing.T, k *kit, i int) rivalry {
	c, err := k.Company(t.Context(), k.company)
	ok(t, "Company", err)
	r := rivalry{
		remove: func(ctx context.Context) error { return k.DeleteCompany(ctx, k.commit()) },
		gone: func(t *testing.T) {
			t.Helper()
			goneCompany(t, k)
			ok(t, "CreateCompany", k.CreateCompany(t.Context(), k.commit(tell(event.AgentCreated, c.DefaultAgent)), c))
			k.asNew(t)
			if s := k.claim(t, "held", "another body", long); !s.Claimed || s.Differs {
				t.Errorf("a receipt of the deleted company is still there: %+v", s)
			}
		},
	}
	switch i - 2*len(steps) {
	case 0:
		r.name, r.step = "ClaimReceipt", func(ctx context.Context) error {
			return second(k.ClaimReceipt(ctx, k.claimOf("held", "hash", long)))
		}
	case 1:
		w := newWork("dead")
		k.enqueue(t, w)
		l := k.claimKey(t, long)
		k.finish(t, l, store.Outcome{ID: w.ID, Dead: true, Reason: "refused"})
		r.name, r.step = "ReviveJob", func(ctx context.Context) error { return k.ReviveJob(ctx, k.company, w.ID) }
	default:
		s, laden := steps[i/2], i%2 == 1
		a, cm := s.ready(t, k), k.commit()
		if laden {
			cm.Work = []store.Work{newWork("held")}
			cm.Audit = &store.Audit{ID: id.New(id.Audit), Actor: "key_1", Action: "probe", Object: "thing", At: now()}
		}
		if laden && a.stream != "" {
			cm.Events = []event.Event{tell("a.b", "held")}
		}
		r.name, r.step = fmt.Sprintf("%s, laden: %v", s.name, laden), func(ctx context.Context) error { return a.good(ctx, cm) }
	}
	return r
}

func agentRivalries(t *testing.T, k *kit) (all []rivalry) {
	a := k.newAgent(t)
	add := func(name string, step func(ctx context.Context) error) {
		all = append(all, rivalry{name: name + " of an agent", step: step,
			remove: func(ctx context.Context) error {
				return second(k.DeleteAgent(ctx, k.commit(tell(event.AgentDeleted, a)), a))
			},
			gone: func(t *testing.T) {
				t.Helper()
				after := read(t, k, k.company)
				after.Events = nil // they name what was, by its id
				if left := canonical(after); strings.Contains(left, a) {
					t.Errorf("agent %s was deleted, and is still named in %s", a, clip(left))
				}
				k.noOrphans(t)
			},
		})
	}
	own := external(hours(), "own")
	own.AgentID = a
	k.put(t, hashed(own))
	rated, runs := k.converse(t, agent.Message{AgentID: a}), k.begin(t, agent.Message{AgentID: a, User: agent.User{ID: "bob"}})
	v, err := k.Agent(t.Context(), k.company, a)
	ok(t, "Agent", err)
	write := func(externalID string) func(ctx context.Context) error {
		w := external(text("Title", "Text."), externalID)
		w.AgentID = a
		return func(ctx context.Context) error {
			return second(k.WriteDocuments(ctx, k.commit(), []knowledge.Write{hashed(w)}))
		}
	}
	add("WriteDocuments of a new document", write("new"))
	add("WriteDocuments of another version", write("own"))
	add("BeginTurn", func(ctx context.Context) error { return k.begins(ctx, agent.Message{AgentID: a}) })
	add("BeginTurn of a user", func(ctx context.Context) error {
		return k.begins(ctx, agent.Message{AgentID: a, User: agent.User{ID: "ann"}})
	})
	add("BeginTurn in a conversation", func(ctx context.Context) error {
		return k.begins(ctx, agent.Message{AgentID: a, ConversationID: rated.ConversationID})
	})
	cited := k.cite(t, own.NewID, "open at nine")
	add("EndTurn", func(ctx context.Context) error {
		return k.EndTurn(ctx, k.ended(runs), runs.TurnRef, reply(runs, "At nine.", cited))
	})
	add("RecordStep", func(ctx context.Context) error {
		return k.RecordStep(ctx, k.commit(), runs.TurnRef, agent.Step{CallID: "call_1", State: agent.StepIntent, Data: []byte(`{}`), At: now()})
	})
	add("PutFeedback", func(ctx context.Context) error { return k.rates(ctx, rated) })
	add("UpdateAgent", func(ctx context.Context) error {
		return second(k.UpdateAgent(ctx, k.commit(tell(event.AgentUpdated, a)), v))
	})
	return all
}

// rates gives feedback on the reply of a turn.
func (k *kit) rates(ctx context.Context, turn agent.Turn) error {
	f := agent.Feedback{MessageID: turn.ReplyID, Rating: agent.RatingUp, CreatedAt: now(), UpdatedAt: now()}
	return second(k.PutFeedback(ctx, k.commit(tell(event.MessageFeedback, turn.ConversationID)), f))
}

func conversationRivalries(t *testing.T, k *kit) (all []rivalry) {
	const answer = "Hello. Claimmarker. Bye."
	d := k.putOne(t, hours())
	cited := claims(k.cite(t, d.ID, "open at nine"), answer, "Claimmarker.")
	rated := k.begin(t, agent.Message{User: agent.User{ID: "ann"}})
	k.end(t, rated, answer, cited)
	runs := k.beginShort(t, agent.Message{User: agent.User{ID: "bob"}})
	k.end(t, k.take(t, runs.ConversationID), answer, cited)
	runs = k.beginShort(t, agent.Message{ConversationID: runs.ConversationID})
	of := []string{rated.ConversationID, runs.ConversationID}
	add := func(name string, which int, step func(ctx context.Context) error) {
		c := of[which]
		all = append(all, rivalry{name: name + " of a conversation", step: step,
			remove: func(ctx context.Context) error {
				return second(k.DeleteConversation(ctx, k.commit(tell(event.ConversationDeleted, c)), c))
			},
			gone: func(t *testing.T) {
				t.Helper()
				if slices.ContainsFunc(read(t, k, k.company).Conversations, func(v agent.Conversation) bool { return v.ID == c }) {
					t.Errorf("conversation %s was deleted, and is still there", c)
				}
				k.noOrphans(t)
				if got := k.deleteAnyway(t, d.ID); got.Replies > 1 {
					t.Errorf("a document was cited by %d replies, want that of the other conversation at most", got.Replies)
				}
			},
		})
	}
	add("BeginTurn", 0, func(ctx context.Context) error {
		return k.begins(ctx, agent.Message{ConversationID: rated.ConversationID})
	})
	add("PutFeedback", 0, func(ctx context.Context) error { return k.rates(ctx, rated) })
	add("DeleteDocument", 0, func(ctx context.Context) error { return second(k.DeleteDocument(ctx, k.commit(), d.ID)) })
	add("RecordStep", 1, func(ctx context.Context) error {
		return k.RecordStep(ctx, k.commit(), runs.TurnRef, agent.Step{CallID: "call_1", State: agent.StepIntent, Data: []byte(`{}`), At: now()})
	})
	add("EndTurn", 1, func(ctx context.Context) error {
		return k.EndTurn(ctx, k.ended(runs), runs.TurnRef, reply(runs, answer, cited))
	})
	add("RenewTurn", 1, func(ctx context.Context) error { return k.RenewTurn(ctx, k.company, runs.TurnRef, short) })
	return all
}

// deleteAnyway deletes a document that may be gone.
func (k *kit) deleteAnyway(t *testing.T, doc string) knowledge.Deleted {
	t.Helper()
	got, err := k.DeleteDocument(t.Context(), k.commit(), doc)
	among(t, "DeleteDocument", err, store.ErrNotFound)
	return got
}

func documentRivalries(t *testing.T, k *kit) (all []rivalry) {
	const answer = "Hello. Claimmarker one. Claimmarker two. Bye."
	w, other := external(text("Title", "Secretmarker stands here."), "external"), text("Other", "Secretmarker stands there.")
	k.put(t, w, other)
	cites := []agent.Citation{
		claims(k.cite(t, w.NewID, w.Text), answer, "Claimmarker one."),
		claims(k.cite(t, other.NewID, other.Text), answer, "Claimmarker two."),
	}
	rated, runs := k.begin(t, agent.Message{}), k.begin(t, agent.Message{})
	k.end(t, rated, answer, cites...)
	add := func(name string, step func(ctx context.Context) error) {
		all = append(all, rivalry{name: name + " of a document", step: step,
			remove: func(ctx context.Context) error { return second(k.DeleteDocument(ctx, k.commit(), w.NewID)) },
			gone: func(t *testing.T) {
				t.Helper()
				missingDocument(t, k, w.NewID)
				k.deleteAnyway(t, other.NewID)
				if left := canonical(read(t, k, k.company)); strings.Contains(left, "Secretmarker") || strings.Contains(left, "Claimmarker") {
					t.Errorf("the text of deleted documents can still be read: %s", clip(left))
				}
				k.noOrphans(t)
			},
		})
	}
	add("EndTurn", func(ctx context.Context) error {
		return k.EndTurn(ctx, k.ended(runs), runs.TurnRef, reply(runs, answer, cites...))
	})
	add("WriteDocuments by id", func(ctx context.Context) error {
		next := external(text("Title", "Text."), "external")
		next.ID = w.NewID
		return second(k.WriteDocuments(ctx, k.commit(), []knowledge.Write{next}))
	})
	add("PutFeedback on a reply", func(ctx context.Context) error { return k.rates(ctx, rated) })
	add("DeleteDocument of another one", func(ctx context.Context) error {
		return second(k.DeleteDocument(ctx, k.commit(), other.NewID))
	})
	return all
}
