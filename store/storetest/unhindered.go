package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// unhinderedPromises are about steps that must not wait for each other, and reads
// that must not miss what others are busy with.
var unhinderedPromises = []promise{
	{
		name:  "unhindered by a step held open",
		text:  "while documents are written, work is queued or a turn goes on, for however long, whatever does not change the same is done",
		check: unhindered,
	},
	{
		name:  "own events",
		text:  "whoever commits an event and then reads the log to its end has it, whoever else reads meanwhile",
		check: ownEvents,
	},
}

// unhindered holds each of some acts open, and fails the test if one that has
// nothing to do with it, or only rests on what it changes, waits for its end.
func unhindered(t *testing.T, k *kit) {
	lender, can := k.Store.(Lender)
	if !can {
		return
	}
	talk := []string{"BeginTurn of a new conversation", "BeginTurn of a new user", "BeginTurn in a conversation", "RecordStep", "RenewTurn", "EndTurn", "PutFeedback"}
	work := []string{"Enqueue", "ClaimKeys", "RenewLease", "FinishJobs", "ClaimReceipt", "completing a receipt"}
	others := []string{"CreateAgent", "CreateKey", "RotateKey", "UseKey", "Events", "CheckDocuments"}
	for held, free := range map[string][][]string{
		"WriteDocuments of another text": {talk, work, others, {"UpdateAgent"}},
		"DeleteDocument":                 {talk[:5], work, others, {"UpdateAgent"}},
		"Enqueue":                        {talk, others, {"WriteDocuments of another text", "DeleteDocument", "ClaimKeys", "ClaimReceipt", "UpdateAgent"}},
		"UpdateAgent":                    {talk, work, others, {"WriteDocuments of an agent"}},
		"EndTurn":                        {talk[:3], work, others, {"WriteDocuments of another text", "UpdateAgent"}},
		"BeginTurn of a new user":        {talk[:1], talk[2:], work, others, {"WriteDocuments of an agent", "DeleteDocument", "UpdateAgent"}},
		"Stage":                          {talk, work, others, {"WriteDocuments of another text", "DeleteDocument", "UpdateAgent"}},
		"MoveRun":                        {talk, work, others, {"WriteDocuments of another text", "DeleteDocument", "UpdateAgent", "StartRun"}},
		"EndRun":                         {talk[:3], work, others, {"UpdateAgent"}},
		"FinishJobs":                     {talk, {"Enqueue elsewhere"}, others},
	} {
		c, cm := newCompany("Company")
		st := newStage(k.Store, c)
		ok(t, "CreateCompany", st.CreateCompany(t.Context(), cm, c))
		for _, need := range []string{"agent", "documents", "idle", "runs", "key", "gone", "dead", "jobs", "claim", "source", "gathering"} {
			ok(t, need, st.need(t.Context(), need))
		}
		close(st.ended)
		time.Sleep(tick)
		lent, _, rollback, err := lender.Lend(t.Context())
		ok(t, "Lend", err)
		_, err = named(held).make(lent, st, 0)
		ok(t, held, err)
		for _, names := range free {
			for _, name := range names {
				ctx, cancel := context.WithTimeout(t.Context(), patience/2)
				if _, err := named(name).make(ctx, st, 1); errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s waits for %s, which is held open", name, held)
				}
				cancel()
			}
		}
		ok(t, "rollback", rollback())
	}
}

// named returns the act with a name.
func named(name string) act {
	for _, a := range acts {
		if a.name == name {
			return a
		}
	}
	return act{name: name, make: func(ctx context.Context, st *stage, nth int) (any, error) {
		return none(st.Enqueue(ctx, store.Commit{Company: st.company, Work: []store.Work{st.job(name, "elsewhere")}}))
	}}
}

func ownEvents(t *testing.T, k *kit) {
	const callers, each = 8, 12
	together(callers, func(i int) {
		after := ""
		for n := range each {
			ev := tell("a.b", fmt.Sprint("stream ", i))
			if err := k.Enqueue(t.Context(), k.commit(ev)); err != nil {
				t.Errorf("Enqueue: %v", err)
				return
			}
			got, err := k.Events(t.Context(), k.company, after, 1000)
			if err != nil {
				t.Errorf("Events: %v", err)
				return
			}
			mine := ofStream(got, ev.Stream)
			if len(mine) != 1 || mine[0].ID != ev.ID {
				t.Errorf("caller %d reads %d events of its stream after its %d. commit, want the one just committed", i, len(mine), n+1)
				return
			}
			after = got[len(got)-1].Cursor
		}
	})
	gapless(t, allEvents(t, k, k.company))
}
