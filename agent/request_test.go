package agent_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/store"
)

// claim claims the request of a key, as often as it likes.
func (d *desk) claim(t testing.TB, key string, lease time.Duration) store.ReceiptState {
	t.Helper()
	s, err := d.store.ClaimReceipt(t.Context(), store.ReceiptClaim{
		Company: d.company, Scope: "key_1 POST /v1/message", Key: key, Hash: []byte("body"), Lease: lease, Keep: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// by returns a request under a claim.
func by(s store.ReceiptState) store.Request {
	return store.Request{Actor: "key_1", Receipt: &s.Receipt}
}

// A receipt names the reply as soon as the turn has begun, and is complete when the
// reply is there.
func TestReceipt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Block(release), agenttest.Say("Nine."))}, hours)
		always(t, d)
		claimed := d.claim(t, "key", time.Hour)
		s, err := d.agent().By(by(claimed)).Start(t.Context(), whenOpen)
		if err != nil {
			t.Fatal(err)
		}
		if again := d.claim(t, "key", time.Hour); again.Claimed || again.Done || again.Result != s.ReplyID {
			t.Errorf("the receipt of a running turn = %+v, want result %s, not done", again, s.ReplyID)
		}
		close(release)
		if _, err := d.conversations().Wait(t.Context(), s.ReplyID); err != nil {
			t.Fatal(err)
		}
		if again := d.claim(t, "key", time.Hour); again.Claimed || !again.Done || again.Result != s.ReplyID {
			t.Errorf("the receipt of a turn that has ended = %+v, want result %s, done", again, s.ReplyID)
		}
		if _, err := d.agent().By(by(claimed)).Start(t.Context(), whenOpen); !errors.Is(err, store.ErrFenced) {
			t.Errorf("Start under a receipt that is done = error %v, want %v", err, store.ErrFenced)
		}
		page, err := d.conversations().List(t.Context(), agent.ConversationFilter{}, store.Page{})
		if err != nil || len(page.Data) != 1 {
			t.Errorf("List = %d conversations, %v, want the first one alone", len(page.Data), err)
		}

		asked := d.claim(t, "asked", time.Hour)
		reply, err := d.agent().By(by(asked)).Ask(t.Context(), whenOpen)
		if err != nil {
			t.Fatal(err)
		}
		if again := d.claim(t, "asked", time.Hour); !again.Done || again.Result != reply.ID {
			t.Errorf("the receipt of Ask = %+v, want result %s, done", again, reply.ID)
		}
	})
}

// A turn without a reply leaves its receipt as it was while the turn ran.
func TestReceiptOfFailure(t *testing.T) {
	d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Fail(errTest))}, hours)
	always(t, d)
	s, err := d.agent().By(by(d.claim(t, "key", time.Hour))).Start(t.Context(), whenOpen)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.conversations().Wait(t.Context(), s.ReplyID); !errors.Is(err, agent.ErrFailed) {
		t.Errorf("Wait = error %v, want %v", err, agent.ErrFailed)
	}
	if again := d.claim(t, "key", time.Hour); again.Claimed || again.Done || again.Result != s.ReplyID {
		t.Errorf("the receipt = %+v, want result %s, not done", again, s.ReplyID)
	}
}

// A request that is taken up again while its turn runs takes the receipt along, and
// leaves the turn.
func TestReceiptTakenUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Block(release), agenttest.Say("Nine."))}, hours)
		always(t, d)
		s, err := d.agent().By(by(d.claim(t, "key", time.Second))).Start(t.Context(), whenOpen)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		again := d.claim(t, "key", time.Hour)
		if !again.Claimed || again.Result != s.ReplyID {
			t.Fatalf("the claim of a duplicate = %+v, want result %s", again, s.ReplyID)
		}
		close(release)
		reply, err := d.conversations().Wait(t.Context(), s.ReplyID)
		if err != nil || reply.Text != "Nine." || d.explain(t, reply).Recovered {
			t.Errorf("Wait = %q, %v, want the reply: the turn was this process's all along", reply.Text, err)
		}
		if third := d.claim(t, "key", time.Hour); third.Claimed || third.Done || third.Result != s.ReplyID {
			t.Errorf("the receipt = %+v, want it as the duplicate claimed it", third)
		}
	})
}

// After its process is lost, the next duplicate of a request finds the turn that
// another process has ended.
func TestReceiptOfLostTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, parts{Answerer: lost(agenttest.Say("We"))}, hours)
		always(t, d)
		s, err := d.agent().By(by(d.claim(t, "key", 20*time.Second))).Start(t.Context(), whenOpen)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(11 * time.Second)
		heir := deskOn(t, d.store, parts{Answerer: agenttest.Script(agenttest.Say("Nine."))})
		if err := heir.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		if early := heir.claim(t, "key", time.Minute); early.Claimed || early.Done || early.Result != s.ReplyID {
			t.Errorf("the receipt while it is claimed = %+v, want result %s, not done", early, s.ReplyID)
		}
		time.Sleep(10 * time.Second)
		again := heir.claim(t, "key", time.Minute)
		if !again.Claimed || again.Result != s.ReplyID {
			t.Errorf("the claim of a duplicate = %+v, want result %s", again, s.ReplyID)
		}
		if reply, err := heir.conversations().Wait(t.Context(), again.Result); err != nil || reply.Text != "Nine." {
			t.Errorf("Wait = %q, %v, want the reply of who took the turn over", reply.Text, err)
		}
	})
}

// Who did what is in the audit log when it is known who, and receipts of what was
// made name it.
func TestAudit(t *testing.T) {
	d := newDesk(t, parts{}, hours)
	reply := d.ask(t, whenOpen)
	quiet, err := d.Agents(d.company).Create(t.Context(), agent.Settings{Name: "Nobody's"})
	if err != nil {
		t.Fatal(err)
	}
	claimed := d.claim(t, "agent", time.Hour)
	as, cs := d.Agents(d.company).By(by(claimed)), d.conversations().By(store.Request{Actor: "key_2"})
	a, err := as.Create(t.Context(), agent.Settings{Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	if again := d.claim(t, "agent", time.Hour); !again.Done || again.Result != a.ID {
		t.Errorf("the receipt of Create = %+v, want result %s, done", again, a.ID)
	}
	rated := d.claim(t, "feedback", time.Hour)
	if _, err := d.conversations().By(by(rated)).PutFeedback(t.Context(), agent.Feedback{MessageID: reply.ID, Rating: agent.RatingUp}); err != nil {
		t.Fatal(err)
	}
	if again := d.claim(t, "feedback", time.Hour); !again.Done || again.Result != reply.ID {
		t.Errorf("the receipt of PutFeedback = %+v, want result %s, done", again, reply.ID)
	}
	a.Name = "Store"
	_, updateErr := as.Update(t.Context(), a)
	_, patchErr := as.Patch(t.Context(), a.ID, agent.SettingsPatch{Industry: new("bakery")}, 0)
	_, sameErr := as.Patch(t.Context(), a.ID, agent.SettingsPatch{Industry: new("bakery")}, 0) // changes nothing
	_, defaultErr := as.Delete(t.Context(), "")
	_, agentErr := as.Delete(t.Context(), a.ID)
	_, conversationErr := cs.Delete(t.Context(), reply.ConversationID)
	_, quietErr := d.Agents(d.company).Delete(t.Context(), quiet.ID)
	if err := errors.Join(updateErr, patchErr, sameErr, agentErr, conversationErr, quietErr); err != nil || !errors.Is(defaultErr, store.ErrConflict) {
		t.Fatal(err, defaultErr)
	}
	log, err := d.store.AuditLog(t.Context(), d.company, store.Page{Limit: store.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range slices.Backward(log.Data) {
		got = append(got, e.Actor+" "+e.Action+" "+e.Object)
		if e.At.IsZero() {
			t.Errorf("entry %+v has no time", e)
		}
	}
	want := []string{
		"key_1 agent.create " + a.ID, "key_1 agent.update " + a.ID, "key_1 agent.update " + a.ID, "key_1 agent.delete " + a.ID,
		"key_2 conversation.delete " + reply.ConversationID,
	}
	if !slices.Equal(got, want) {
		t.Errorf("the audit log has %q, want %q", got, want)
	}
}

// A turn that cannot be begun leaves the receipt to be claimed again.
func TestReceiptOfNothing(t *testing.T) {
	d := newDesk(t, parts{}, hours)
	claimed := d.claim(t, "key", time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := d.agent().By(by(claimed)).Start(ctx, whenOpen)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Start under a context that has ended = error %v, want %v", err, context.Canceled)
	}
	if _, err := d.agent().By(by(claimed)).Start(t.Context(), agent.Message{}); !errors.Is(err, agent.ErrInvalid) {
		t.Errorf("Start without a text = error %v, want %v", err, agent.ErrInvalid)
	}
	if again := d.claim(t, "key", time.Hour); again.Done || again.Result != "" {
		t.Errorf("the receipt = %+v, want nothing in it", again)
	}
	if err := d.store.ReleaseReceipt(t.Context(), d.company, claimed.Receipt); err != nil {
		t.Errorf("ReleaseReceipt = error %v, want the claim to be there still", err)
	}
}
