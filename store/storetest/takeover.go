package storetest

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// The cases of turns that lapse, are taken over, fenced off and cancelled.

func takeTurn(t *testing.T, k *kit) {
	b := k.asks(agent.Message{Metadata: map[string]any{"a": "b"}, User: agent.User{ID: "ann"}})
	b.Lease = 4 * short
	start := time.Now()
	turn := k.beginWith(t, b)
	var steps []agent.Step
	for i, state := range []agent.StepState{agent.StepIntent, agent.StepResult, agent.StepIntent, agent.StepFailed} {
		s := agent.Step{CallID: []string{"call_b", "call_a"}[i/2], Name: "look up", State: state, Data: []byte(`{"n": [1, 2]}`), At: now()}
		if i == 1 {
			s.Data = []byte(`"` + strings.Repeat("x", 64<<10-2) + `"`)
		}
		steps = append(steps, s)
		ok(t, "RecordStep", k.RecordStep(t.Context(), k.commit(), turn.TurnRef, s))
	}
	taken := k.take(t, turn.ConversationID)
	if held := time.Since(start); held < b.Lease-tick {
		t.Errorf("a turn with a lease of %v was taken over after %v", b.Lease, held)
	}
	if taken.ConversationID != turn.ConversationID || taken.Number != 1 || taken.Fence <= turn.Fence || taken.ReplyID != turn.ReplyID {
		t.Errorf("TakeTurn = %+v, want %+v under a larger fence", taken, turn.TurnRef)
	}
	same(t, "the message taken over", taken.Message, turn.Message)
	same(t, "the steps taken over", taken.Steps, steps)

	late := agent.Step{CallID: "call_c", Name: "look up", State: agent.StepUnknown, Data: []byte(`{}`), At: now()}
	ok(t, "RecordStep", k.RecordStep(t.Context(), k.commit(), taken.TurnRef, late))
	k.end(t, taken, "At nine.")
	next := k.beginShort(t, agent.Message{ConversationID: turn.ConversationID})
	if next.Fence <= taken.Fence {
		t.Errorf("the next turn has fence %d, want more than %d", next.Fence, taken.Fence)
	}
	if again := k.take(t, turn.ConversationID); len(again.Steps) != 0 || again.Number != 2 || again.Message.ID != next.Message.ID {
		t.Errorf("TakeTurn of the next turn = %+v, want turn 2 without steps", again)
	}
}

func takeNothing(t *testing.T, k *kit) {
	running := k.begin(t, agent.Message{}).ConversationID
	ended := k.converse(t, agent.Message{}).ConversationID
	for what, c := range map[string]string{
		"running": running, "ended": ended, "unknown": id.New(id.Conversation), "an agent": k.agent, "empty": "",
	} {
		_, err := k.TakeTurn(t.Context(), k.company, c, "another", long)
		missing(t, "TakeTurn of a conversation that is "+what, err)
	}
}

func takeOnce(t *testing.T, k *kit) {
	turn := k.beginShort(t, agent.Message{})
	var (
		wg   sync.WaitGroup
		wins atomic.Int32
	)
	deadline := time.Now().Add(patience)
	for range 8 {
		wg.Go(func() {
			for wins.Load() == 0 && time.Now().Before(deadline) {
				_, err := k.TakeTurn(t.Context(), k.company, turn.ConversationID, "another", long)
				if err == nil {
					wins.Add(1)
				} else if !errors.Is(err, store.ErrNotFound) {
					t.Errorf("TakeTurn: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if n := wins.Load(); n != 1 {
		t.Errorf("%d workers took the turn over, want 1", n)
	}
}

func renewTurn(t *testing.T, k *kit) {
	b := k.asks(agent.Message{})
	b.Lease = 4 * short
	turn := k.beginWith(t, b)
	time.Sleep(b.Lease / 2)
	start := time.Now()
	ok(t, "RenewTurn", k.RenewTurn(t.Context(), k.company, turn.TurnRef, b.Lease))
	taken := k.take(t, turn.ConversationID)
	if held := time.Since(start); held < b.Lease-tick {
		t.Errorf("a turn renewed by %v was taken over after %v", b.Lease, held)
	}
	ok(t, "RenewTurn", k.RenewTurn(t.Context(), k.company, taken.TurnRef, 2*long))
}

// fencedOff fails the test unless whatever is written to a turn is refused.
func (k *kit) fencedOff(t *testing.T, turn agent.Turn, want error) {
	t.Helper()
	before := read(t, k, k.company)
	s := agent.Step{CallID: "call_late", Name: "late", State: agent.StepResult, Data: []byte(`{}`), At: now()}
	refused(t, "RecordStep", k.RecordStep(t.Context(), k.ended(turn), turn.TurnRef, s), want)
	refused(t, "EndTurn", k.EndTurn(t.Context(), k.ended(turn), turn.TurnRef, reply(turn, "Too late.")), want)
	refused(t, "RenewTurn", k.RenewTurn(t.Context(), k.company, turn.TurnRef, 2*long), want)
	same(t, "the company", read(t, k, k.company), before)
}

func turnFenced(t *testing.T, k *kit) {
	turn := k.beginShort(t, agent.Message{})
	b := k.asks(agent.Message{})
	taken, err := agent.Turn{}, error(nil)
	eventually(t, "TakeTurn", func() error {
		taken, err = k.TakeTurn(t.Context(), k.company, turn.ConversationID, "another", 4*short)
		return err
	})
	k.fencedOff(t, turn, store.ErrFenced)
	third := k.take(t, turn.ConversationID)
	k.fencedOff(t, turn, store.ErrFenced)
	k.fencedOff(t, taken, store.ErrFenced)
	if len(third.Steps) != 0 {
		t.Errorf("the turn has steps that were recorded under an old fence: %+v", third.Steps)
	}
	k.end(t, third, "At nine.")
	k.fencedOff(t, taken, store.ErrFenced)
	k.beginWith(t, b)
}

func turnEnded(t *testing.T, k *kit) {
	turn := k.converse(t, agent.Message{})
	k.fencedOff(t, turn, store.ErrFenced)
	next := k.begin(t, agent.Message{ConversationID: turn.ConversationID})
	k.fencedOff(t, turn, store.ErrFenced)
	mixed := next
	mixed.Number = turn.Number
	k.fencedOff(t, mixed, store.ErrFenced)
	mixed = next
	mixed.Fence = turn.Fence
	k.fencedOff(t, mixed, store.ErrFenced)
	k.end(t, next, "At nine.")
}

func lapsedTurns(t *testing.T, k *kit) {
	lapsed := func() []string {
		t.Helper()
		all, err := k.LapsedTurns(t.Context(), 10_000)
		ok(t, "LapsedTurns", err)
		var mine []string
		for _, l := range all {
			if l.Company == k.company {
				mine = append(mine, l.ConversationID)
			}
		}
		slices.Sort(mine)
		return mine
	}
	k.begin(t, agent.Message{})
	k.converse(t, agent.Message{})
	a, b := k.beginShort(t, agent.Message{}), k.beginShort(t, agent.Message{})
	want := []string{a.ConversationID, b.ConversationID}
	slices.Sort(want)
	eventually(t, "LapsedTurns", func() error {
		got := lapsed()
		return holds(slices.Equal(got, want), "%v, want %v", got, want)
	})
	one, err := k.LapsedTurns(t.Context(), 1)
	ok(t, "LapsedTurns", err)
	if len(one) != 1 {
		t.Errorf("LapsedTurns with limit 1 = %v", one)
	}
	k.take(t, a.ConversationID)
	if got := lapsed(); !slices.Equal(got, []string{b.ConversationID}) {
		t.Errorf("LapsedTurns after one was taken over = %v, want %s", got, b.ConversationID)
	}
	ok(t, "DeleteConversation", second(k.DeleteConversation(t.Context(), k.commit(), b.ConversationID)))
	if got := lapsed(); len(got) != 0 {
		t.Errorf("LapsedTurns after the other was deleted = %v, want none", got)
	}
}

func runningTurn(t *testing.T, k *kit) {
	turn := k.begin(t, agent.Message{User: agent.User{ID: "ann"}})
	got, err := k.RunningTurn(t.Context(), k.company, turn.ReplyID)
	ok(t, "RunningTurn", err)
	want := agent.Running{Started: agent.Started{
		MessageID: turn.Message.ID, ReplyID: turn.ReplyID, ConversationID: turn.ConversationID, AgentID: k.agent, CreatedAt: turn.Message.CreatedAt,
	}}
	same(t, "RunningTurn", got, want)
	k.begin(t, agent.Message{}) // beside it
	for what, r := range map[string]string{"unknown": id.New(id.Message), "a message": turn.Message.ID, "a conversation": turn.ConversationID, "empty": ""} {
		_, err := k.RunningTurn(t.Context(), k.company, r)
		missing(t, "RunningTurn, "+what, err)
		missing(t, "CancelTurn, "+what, k.CancelTurn(t.Context(), k.company, r))
	}
	ended := func(replyID string) {
		t.Helper()
		_, err := k.RunningTurn(t.Context(), k.company, replyID)
		missing(t, "RunningTurn of a turn that ended", err)
		missing(t, "CancelTurn of a turn that ended", k.CancelTurn(t.Context(), k.company, replyID))
	}
	k.end(t, turn, "At nine.")
	ended(turn.ReplyID)
	next := k.beginShort(t, agent.Message{ConversationID: turn.ConversationID})
	ended(turn.ReplyID)
	eventually(t, "the turn to lapse", func() error {
		got, err := k.RunningTurn(t.Context(), k.company, next.ReplyID)
		ok(t, "RunningTurn", err)
		return holds(got.Lapsed, "not lapsed")
	})
	k.take(t, next.ConversationID)
	got, err = k.RunningTurn(t.Context(), k.company, next.ReplyID)
	ok(t, "RunningTurn", err)
	if got.Lapsed || got.MessageID != next.Message.ID {
		t.Errorf("RunningTurn of a turn that was taken over = %s, want the second one, not lapsed", canonical(got))
	}
	ok(t, "DeleteConversation", second(k.DeleteConversation(t.Context(), k.commit(), next.ConversationID)))
	ended(next.ReplyID)
}

func cancelTurn(t *testing.T, k *kit) {
	turn, other := k.beginShort(t, agent.Message{}), k.begin(t, agent.Message{})
	ok(t, "CancelTurn", k.CancelTurn(t.Context(), k.company, turn.ReplyID))
	ok(t, "CancelTurn again", k.CancelTurn(t.Context(), k.company, turn.ReplyID))
	ok(t, "RenewTurn of another turn", k.RenewTurn(t.Context(), k.company, other.TurnRef, long))
	refused(t, "RenewTurn of a cancelled turn", k.RenewTurn(t.Context(), k.company, turn.TurnRef, short), agent.ErrCancelled)
	taken := k.take(t, turn.ConversationID)
	if !taken.Cancelled {
		t.Errorf("TakeTurn = %+v, want it cancelled", taken)
	}
	refused(t, "RenewTurn of a cancelled turn", k.RenewTurn(t.Context(), k.company, taken.TurnRef, long), agent.ErrCancelled)
	_, err := k.TakeTurn(t.Context(), k.company, turn.ConversationID, "third", long)
	missing(t, "TakeTurn of a cancelled turn whose lease was renewed", err)
	k.end(t, taken, "At nine.")

	next := k.beginShort(t, agent.Message{ConversationID: turn.ConversationID})
	ok(t, "RenewTurn of the next turn", k.RenewTurn(t.Context(), k.company, next.TurnRef, short))
	if taken := k.take(t, next.ConversationID); taken.Cancelled || taken.Taken != 1 {
		t.Errorf("TakeTurn of the next turn = %+v, want it not cancelled, taken once", taken)
	}
}

func takenTurn(t *testing.T, k *kit) {
	turn := k.beginShort(t, agent.Message{})
	if turn.Taken != 0 || turn.Cancelled {
		t.Errorf("BeginTurn = %+v, want a turn that nobody took or cancelled", turn)
	}
	for n := 1; n <= 3; n++ {
		eventually(t, "TakeTurn", func() error {
			taken, err := k.TakeTurn(t.Context(), k.company, turn.ConversationID, "another", short)
			if err == nil && (taken.Taken != n || taken.Cancelled) {
				t.Errorf("TakeTurn %d = %+v, want it counted", n, taken)
			}
			return err
		})
	}
}
