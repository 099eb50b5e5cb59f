package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// ownerRaces are what agents and companies have that are deleted while it is
// written.
var ownerRaces = []promise{
	{
		name:  "delete agent while writing",
		text:  "nothing is left of an agent after its delete returned, whoever was writing for it meanwhile",
		check: deleteAgentWhileWriting,
	},
	{
		name:  "delete company during every step",
		text:  "nothing is left of a company after its delete returned, whatever step was under way, nor comes back under its id",
		check: deleteDuringEveryStep,
	},
	{
		name:  "delete company while reviving",
		text:  "a job that is revived while its company is deleted is gone with it",
		check: deleteWhileReviving,
	},
}

func deleteAgentWhileWriting(t *testing.T, k *kit) {
	for range 4 {
		a := k.newAgent(t)
		rated := k.converse(t, agent.Message{AgentID: a})
		write := func(agentID, externalID string) knowledge.Write {
			w := external(text("Title", id.New(id.Document)), externalID)
			w.AgentID = agentID
			return hashed(w)
		}
		put := func(writes ...knowledge.Write) error {
			return second(k.WriteDocuments(t.Context(), k.commit(), writes))
		}
		steps := []func() error{
			func() error { return put(write(a, "")) },
			func() error { return put(write("", "common"), write(a, "own")) },
			func() error { return k.begins(t.Context(), agent.Message{AgentID: a}) },
			func() error {
				return second(k.answer(t.Context(), agent.Message{AgentID: a, User: agent.User{ID: "ann"}}))
			},
			func() error {
				return second(k.answer(t.Context(), agent.Message{AgentID: a, ConversationID: rated.ConversationID}))
			},
			func() error {
				v, err := k.Agent(t.Context(), k.company, a)
				if err != nil {
					return err
				}
				return second(k.UpdateAgent(t.Context(), k.commit(tell(event.AgentUpdated, a)), v))
			},
			func() error {
				return second(k.PutFeedback(t.Context(), k.commit(tell(event.MessageFeedback, a)), agent.Feedback{MessageID: rated.ReplyID, Rating: agent.RatingUp, CreatedAt: now(), UpdatedAt: now()}))
			},
			func() error {
				w := write(a, "")
				if err := put(w); err != nil {
					return err
				}
				return second(k.DeleteDocument(t.Context(), k.commit(), w.NewID))
			},
		}
		k.untilGone(t, steps, func() error { return second(k.DeleteAgent(t.Context(), k.commit(tell(event.AgentDeleted, a)), a)) })
		after := read(t, k, k.company)
		after.Events = nil // they name what was, by its id
		if left := canonical(after); strings.Contains(left, a) || strings.Contains(left, rated.ConversationID) {
			t.Errorf("agent %s was deleted, and is still named in %s", a, clip(left))
		}
		k.noOrphans(t)
	}
}

// untilGone makes each of some steps again and again, all at once, until it fails
// since what it is about was deleted meanwhile, and fails the test if one succeeds
// that began after the delete had returned.
func (k *kit) untilGone(t *testing.T, steps []func() error, remove func() error) {
	t.Helper()
	var gone atomic.Bool
	together(len(steps)+1, func(i int) {
		if i == len(steps) {
			time.Sleep(3 * time.Millisecond)
			if err := remove(); err != nil {
				t.Errorf("the delete: %v", err)
			}
			gone.Store(true)
			return
		}
		for range 1000 {
			after := gone.Load()
			err := steps[i]()
			if after && err == nil {
				t.Errorf("step %d was made after the delete had returned", i)
			}
			if err != nil {
				among(t, fmt.Sprintf("step %d beside the delete", i), err, store.ErrNotFound, store.ErrFenced)
				return
			}
		}
	})
}

func deleteDuringEveryStep(t *testing.T, k *kit) {
	for round := range 2 {
		k := newKit(t, k.Store)
		running := k.fill(t)
		c, err := k.Company(t.Context(), k.company)
		ok(t, "Company", err)
		type try struct {
			name string
			do   func() error
		}
		var tries []try
		for i := range 3 {
			for _, s := range steps {
				a, cm := s.ready(t, k), store.Commit{Company: k.company, Work: []store.Work{newWork(s.name)}}
				if a.stream != "" {
					cm.Events = []event.Event{tell("a.b", a.stream)}
				}
				if i == 0 {
					r := k.claimed(t, s.name, long).Receipt
					cm.Receipt = &r
					cm.Audit = &store.Audit{ID: id.New(id.Audit), Actor: "key_1", Action: "probe", Object: "thing", At: now()}
				}
				tries = append(tries, try{s.name, func() error { return a.good(t.Context(), cm) }})
			}
		}
		claim := k.claimed(t, "released", long).Receipt
		key, _ := k.newKey(t)
		dead := k.dead(t)[0].ID
		for _, more := range []try{
			{"RenewTurn", func() error { return k.RenewTurn(t.Context(), k.company, running.TurnRef, short) }},
			{"CancelTurn", func() error { return k.CancelTurn(t.Context(), k.company, running.ReplyID) }},
			{"TakeTurn", func() error {
				return second(k.TakeTurn(t.Context(), k.company, running.ConversationID, "another", long))
			}},
			{"ClaimReceipt", func() error { return second(k.ClaimReceipt(t.Context(), k.claimOf("another", "hash", long))) }},
			{"ReleaseReceipt", func() error { return k.ReleaseReceipt(t.Context(), k.company, claim) }},
			{"UseKey", func() error { return k.UseKey(t.Context(), k.company, key.ID, now()) }},
			{"ReviveJob", func() error { return k.ReviveJob(t.Context(), k.company, dead) }},
			{"a worker", func() error {
				leases, err := k.ClaimKeys(t.Context(), k.company, queue, "worker", long, 3)
				for _, l := range leases {
					err = errors.Join(second(k.RenewLease(t.Context(), l, long)), k.FinishJobs(t.Context(), l, []store.Outcome{{ID: dead, RetryIn: long}}), k.ReleaseKey(t.Context(), l))
				}
				return err
			}},
		} {
			tries = append(tries, more, more)
		}
		together(len(tries)+1, func(i int) {
			if i < len(tries) {
				among(t, tries[i].name+" beside DeleteCompany", tries[i].do(), store.ErrNotFound, store.ErrFenced, agent.ErrCancelled)
				return
			}
			time.Sleep(time.Duration(round) * 5 * time.Millisecond)
			if err := k.DeleteCompany(t.Context(), k.commit()); err != nil {
				t.Errorf("DeleteCompany: %v", err)
			}
		})
		goneCompany(t, k)
		ok(t, "CreateCompany", k.CreateCompany(t.Context(), k.commit(tell(event.AgentCreated, c.DefaultAgent)), c))
		k.asNew(t)
		for _, s := range steps {
			if s := k.claim(t, s.name, "another body", long); !s.Claimed || s.Differs {
				t.Errorf("a receipt of the deleted company is still there: %+v", s)
			}
		}
	}
}

func deleteWhileReviving(t *testing.T, k *kit) {
	for range 4 {
		k := newKit(t, k.Store)
		c, err := k.Company(t.Context(), k.company)
		ok(t, "Company", err)
		var (
			jobs []store.Work
			died []store.Outcome
		)
		for range 8 {
			w := newWork("key")
			jobs, died = append(jobs, w), append(died, store.Outcome{ID: w.ID, Dead: true, Reason: "refused"})
		}
		k.enqueue(t, jobs...)
		l := k.claimKey(t, long)
		k.finish(t, l, died...)
		ok(t, "ReleaseKey", k.ReleaseKey(t.Context(), l))
		together(len(jobs)+1, func(i int) {
			if i < len(jobs) {
				among(t, "ReviveJob beside DeleteCompany", k.ReviveJob(t.Context(), k.company, jobs[i].ID), store.ErrNotFound)
			} else if err := k.DeleteCompany(t.Context(), k.commit()); err != nil {
				t.Errorf("DeleteCompany: %v", err)
			}
		})
		goneCompany(t, k)
		ok(t, "CreateCompany", k.CreateCompany(t.Context(), k.commit(tell(event.AgentCreated, c.DefaultAgent)), c))
		k.asNew(t)
	}
}
