package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// An overtaking is a step that rests on what another one, held open, has changed.
type overtaking struct {
	name         string
	first, after func(ctx context.Context) error
	want         error // of the one after
}

// overtakenByHeld holds a step open, makes the one that it overtakes, and fails the
// test unless that one is told once the first has committed.
func overtakenByHeld(t *testing.T, k *kit) {
	lender, can := k.Store.(Lender)
	if !can {
		return
	}
	for _, o := range overtakings(t, k) {
		lent, commit, _, err := lender.Lend(t.Context())
		ok(t, "Lend", err)
		ok(t, "the step before "+o.name, o.first(lent))
		beside(t, "the step before "+o.name, commit, func() error {
			refused(t, o.name, o.after(t.Context()), o.want)
			return nil
		}, func() {})
	}
	k.noOrphans(t)
}

func overtakings(t *testing.T, k *kit) (all []overtaking) {
	add := func(name string, want error, first, after func(ctx context.Context) error) {
		all = append(all, overtaking{name, first, after, want})
	}
	step := agent.Step{CallID: "call_1", Name: "look up", State: agent.StepIntent, Data: []byte(`{}`), At: now()}
	for name, after := range map[string]func(ctx context.Context, turn agent.Turn) error{
		"EndTurn": func(ctx context.Context, turn agent.Turn) error {
			return k.EndTurn(ctx, k.ended(turn), turn.TurnRef, reply(turn, "Late."))
		},
		"RecordStep": func(ctx context.Context, turn agent.Turn) error {
			return k.RecordStep(ctx, k.commit(), turn.TurnRef, step)
		},
		"RenewTurn": func(ctx context.Context, turn agent.Turn) error {
			return k.RenewTurn(ctx, k.company, turn.TurnRef, long)
		},
	} {
		ended, taken := k.begin(t, agent.Message{}), k.beginShort(t, agent.Message{})
		add(name+" of a turn that ended", store.ErrFenced, func(ctx context.Context) error {
			return k.EndTurn(ctx, k.ended(ended), ended.TurnRef, reply(ended, "At nine."))
		}, func(ctx context.Context) error { return after(ctx, ended) })
		add(name+" of a turn that was taken over", store.ErrFenced, func(ctx context.Context) error {
			return second(k.TakeTurn(ctx, k.company, taken.ConversationID, "another", long))
		}, func(ctx context.Context) error { return after(ctx, taken) })
	}
	lapsed := k.beginShort(t, agent.Message{})
	add("TakeTurn of a turn that was taken over", store.ErrNotFound, func(ctx context.Context) error {
		return second(k.TakeTurn(ctx, k.company, lapsed.ConversationID, "another", long))
	}, func(ctx context.Context) error {
		return second(k.TakeTurn(ctx, k.company, lapsed.ConversationID, "third", long))
	})
	idle := k.converse(t, agent.Message{User: agent.User{ID: "ann"}})
	add("BeginTurn beside one of the same user", agent.ErrTurnInProgress, func(ctx context.Context) error {
		return k.begins(ctx, agent.Message{ConversationID: idle.ConversationID})
	}, func(ctx context.Context) error { return k.begins(ctx, agent.Message{User: agent.User{ID: "ann"}}) })

	for name, after := range map[string]func(ctx context.Context, l store.Lease, job string) error{
		"FinishJobs": func(ctx context.Context, l store.Lease, job string) error {
			return k.FinishJobs(ctx, l, []store.Outcome{{ID: job, Done: true}})
		},
		"RenewLease": func(ctx context.Context, l store.Lease, _ string) error { return second(k.RenewLease(ctx, l, long)) },
		"ReleaseKey": func(ctx context.Context, l store.Lease, _ string) error { return k.ReleaseKey(ctx, l) },
	} {
		w := newWork(name)
		w.Queue = name
		k.enqueue(t, w)
		claim := func(ctx context.Context, lease time.Duration) (store.Lease, error) {
			leases, err := k.ClaimKeys(ctx, k.company, w.Queue, "worker", lease, 1)
			if err := counted(len(leases), 1, err); err != nil {
				return store.Lease{}, err
			}
			return leases[0], nil
		}
		old, err := claim(t.Context(), short)
		ok(t, "ClaimKeys", err)
		add(name+" of a key that was claimed again", store.ErrFenced, func(ctx context.Context) error { return second(claim(ctx, long)) },
			func(ctx context.Context) error { return after(ctx, old, w.ID) })
	}
	dead := newWork("dead")
	k.enqueue(t, dead)
	k.finish(t, k.claimKey(t, long), store.Outcome{ID: dead.ID, Dead: true, Reason: "refused"})
	revive := func(ctx context.Context) error { return k.ReviveJob(ctx, k.company, dead.ID) }
	add("ReviveJob of a job that was revived", store.ErrNotFound, revive, revive)

	claim := k.claimed(t, "lapses", short)
	again := func(ctx context.Context) error { return second(k.ClaimReceipt(ctx, k.claimOf("lapses", "hash", long))) }
	add("completing a receipt that was claimed again", store.ErrFenced, again, func(ctx context.Context) error {
		r := claim.Receipt
		r.Result, r.Done = "msg_1", true
		return k.Enqueue(ctx, store.Commit{Company: k.company, Receipt: &r})
	})
	held := k.claimed(t, "completed", long)
	add("releasing a receipt that was completed", store.ErrFenced, func(ctx context.Context) error {
		r := held.Receipt
		r.Result, r.Done = "msg_1", true
		return k.Enqueue(ctx, store.Commit{Company: k.company, Receipt: &r})
	}, func(ctx context.Context) error { return k.ReleaseReceipt(ctx, k.company, held.Receipt) })

	a, err := k.Agent(t.Context(), k.company, k.newAgent(t))
	ok(t, "Agent", err)
	update := func(ctx context.Context) error {
		return second(k.UpdateAgent(ctx, k.commit(tell(event.AgentUpdated, a.ID)), a))
	}
	add("UpdateAgent of an earlier version", store.ErrConflict, update, update)
	d := k.putOne(t, hours())
	replace := func(ctx context.Context) error {
		next := text("Hours", "We open at ten.")
		next.ID, next.IfVersion = d.ID, 1
		return second(k.WriteDocuments(ctx, k.commit(), []knowledge.Write{next}))
	}
	add("WriteDocuments of an earlier version", store.ErrConflict, replace, replace)
	old, _ := k.newKey(t)
	rotate := func(ctx context.Context) error {
		next, hash := newKey()
		return k.RotateKey(ctx, k.commit(), old.ID, old.ExpiresAt, next, hash)
	}
	add("RotateKey of a key that was replaced", store.ErrConflict, rotate, rotate)
	time.Sleep(short + tick) // what is to lapse has
	return all
}
