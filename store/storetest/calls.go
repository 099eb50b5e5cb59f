package storetest

import (
	"errors"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// callStep is a step of a call in a state.
func callStep(callID string, s agent.StepState, after agent.StepState) agent.Step {
	return agent.Step{CallID: callID, Name: "refund", State: s, After: after, Data: []byte(`{"state":"` + string(s) + `"}`), At: now()}
}

// steps returns the states that are on record of a call.
func (k *kit) states(t *testing.T, callID string) (states []agent.StepState) {
	t.Helper()
	call, err := k.RecordedCall(t.Context(), k.company, callID)
	ok(t, "RecordedCall", err)
	for _, s := range call.Steps {
		states = append(states, s.State)
		if s.CallID != callID || s.Name != "refund" || s.After != "" || string(s.Data) != `{"state":"`+string(s.State)+`"}` {
			t.Errorf("RecordedCall has the step %+v", s)
		}
	}
	return states
}

// Calls are found by their id, and steps of them are added where they fit.
func recordedCalls(t *testing.T, k *kit) {
	turn := k.begin(t, agent.Message{})
	a, b := id.New(id.Call), id.New(id.Call)
	ok(t, "RecordStep", k.RecordStep(t.Context(), k.commit(), turn.TurnRef, callStep(a, agent.StepWaiting, ""), callStep(b, agent.StepIntent, "")))
	call, err := k.RecordedCall(t.Context(), k.company, a)
	ok(t, "RecordedCall", err)
	if call.ConversationID != turn.ConversationID || call.ReplyID != turn.ReplyID || call.AgentID != turn.Message.AgentID || !call.Running || len(call.Steps) != 1 {
		t.Errorf("RecordedCall = %s, want the call of reply %s", canonical(call), turn.ReplyID)
	}
	// All or none.
	err = k.RecordStep(t.Context(), k.commit(), turn.TurnRef, callStep(b, agent.StepResult, agent.StepIntent), callStep(a, agent.StepFailed, agent.StepIntent))
	refused(t, "RecordStep after another step", err, store.ErrConflict)
	same(t, "the steps of b", k.states(t, b), []agent.StepState{agent.StepIntent})
	refused(t, "RecordStep of a call without steps", k.RecordStep(t.Context(), k.commit(), turn.TurnRef, callStep(id.New(id.Call), agent.StepResult, agent.StepIntent)), store.ErrConflict)
	ok(t, "RecordStep", k.RecordStep(t.Context(), k.commit(), turn.TurnRef, callStep(b, agent.StepResult, agent.StepIntent)))
	refused(t, "RecordStep of a second result", k.RecordStep(t.Context(), k.commit(), turn.TurnRef, callStep(b, agent.StepUnknown, agent.StepIntent)), store.ErrConflict)

	// Somebody decides, once.
	refused(t, "DecideCall of one that does not wait", k.DecideCall(t.Context(), k.commit(), callStep(b, agent.StepDecided, "")), store.ErrConflict)
	refused(t, "DecideCall of none", k.DecideCall(t.Context(), k.commit(), callStep(id.New(id.Call), agent.StepDecided, "")), store.ErrNotFound)
	ok(t, "DecideCall", k.DecideCall(t.Context(), k.commit(), callStep(a, agent.StepDecided, "")))
	refused(t, "DecideCall again", k.DecideCall(t.Context(), k.commit(), callStep(a, agent.StepFailed, "")), store.ErrConflict)
	refused(t, "RecordStep of a call that was decided", k.RecordStep(t.Context(), k.commit(), turn.TurnRef, callStep(a, agent.StepFailed, agent.StepWaiting)), store.ErrConflict)
	same(t, "the steps of a", k.states(t, a), []agent.StepState{agent.StepWaiting, agent.StepDecided})

	// When the turn has ended, the record stays, and nothing is decided.
	c := id.New(id.Call)
	ok(t, "RecordStep", k.RecordStep(t.Context(), k.commit(), turn.TurnRef, callStep(c, agent.StepWaiting, "")))
	k.end(t, turn, "Done.")
	refused(t, "DecideCall when the turn has ended", k.DecideCall(t.Context(), k.commit(), callStep(c, agent.StepDecided, "")), store.ErrConflict)
	if call, err = k.RecordedCall(t.Context(), k.company, c); err != nil || call.Running || call.ReplyID != turn.ReplyID {
		t.Errorf("RecordedCall = %s, %v, want one of a turn that has ended", canonical(call), err)
	}
	next := k.begin(t, agent.Message{ConversationID: turn.ConversationID})
	refused(t, "DecideCall in the next turn", k.DecideCall(t.Context(), k.commit(), callStep(c, agent.StepDecided, "")), store.ErrConflict)
	if call, err = k.RecordedCall(t.Context(), k.company, c); err != nil || call.Running || call.ReplyID != turn.ReplyID {
		t.Errorf("RecordedCall in the next turn = %s, %v, want one of the turn before", canonical(call), err)
	}

	// Of a turn that was cancelled nothing is decided; of one whose lease has run out
	// it is, and whoever takes it over has it.
	d := id.New(id.Call)
	ok(t, "RecordStep", k.RecordStep(t.Context(), k.commit(), next.TurnRef, callStep(d, agent.StepWaiting, "")))
	ok(t, "RenewTurn", k.RenewTurn(t.Context(), k.company, next.TurnRef, 0))
	ok(t, "DecideCall of a turn that was left", k.DecideCall(t.Context(), k.commit(), callStep(d, agent.StepDecided, "")))
	taken, err := k.TakeTurn(t.Context(), k.company, turn.ConversationID, "worker 2", long)
	ok(t, "TakeTurn", err)
	if n := len(taken.Steps); n != 2 || taken.Steps[1].State != agent.StepDecided {
		t.Errorf("TakeTurn has the steps %s, want the decision among them", canonical(taken.Steps))
	}
	e := id.New(id.Call)
	ok(t, "RecordStep", k.RecordStep(t.Context(), k.commit(), taken.TurnRef, callStep(e, agent.StepWaiting, "")))
	ok(t, "CancelTurn", k.CancelTurn(t.Context(), k.company, taken.ReplyID))
	refused(t, "DecideCall of a turn that was cancelled", k.DecideCall(t.Context(), k.commit(), callStep(e, agent.StepDecided, "")), store.ErrConflict)

	ok(t, "DeleteConversation", second(k.DeleteConversation(t.Context(), k.commit(), turn.ConversationID)))
	for _, gone := range []string{a, b, c, d, e} {
		if _, err := k.RecordedCall(t.Context(), k.company, gone); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("RecordedCall when the conversation is deleted = error %v, want %v", err, store.ErrNotFound)
		}
	}
	refused(t, "DecideCall when the conversation is deleted", k.DecideCall(t.Context(), k.commit(), callStep(e, agent.StepDecided, "")), store.ErrNotFound)
}
