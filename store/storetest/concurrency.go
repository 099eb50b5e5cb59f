package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

var concurrency = []promise{
	{
		name:  "many conversations",
		text:  "turns in many conversations at once all end, and each conversation is in order",
		check: manyConversations,
	},
	{
		name:  "one conversation",
		text:  "of many that want a turn in one conversation one runs at a time, and all get theirs",
		check: oneConversation,
	},
	{
		name:  "one user",
		text:  "of many messages of one user at once one begins a turn, the first of them the conversation, and no second one is begun",
		check: oneUser,
	},
	{
		name:  "one external id",
		text:  "of many writes of one external id one creates the document, and each of the others makes a version",
		check: oneExternalID,
	},
	{
		name:  "one version",
		text:  "of many changes to one version of an agent or document one wins",
		check: oneVersion,
	},
	{
		name:  "workers",
		text:  "many workers share keys out: each job is done once, in order, by who holds its key",
		check: manyWorkers,
	},
	{
		name:  "feed while writing",
		text:  "whoever follows the feed while others write has every revision in order, and in the end what is live",
		check: feedWhileWriting,
	},
	{
		name:  "delete while citing",
		text:  "a quote does not outlive its document when the turn ends while the document is deleted",
		check: deleteWhileCiting,
	},
	{
		name:  "delete company while writing",
		text:  "nothing is written to a company after its delete returned, whoever was writing meanwhile",
		check: deleteWhileWriting,
	},
	{
		name:  "contexts that end",
		text:  "a step either returns nil and is there, or returns an error and is not, also if its context ends meanwhile",
		check: contextsThatEnd,
	},
	{
		name: "closed", fresh: true,
		text:  "a store that is closed says so, and does not do half of anything",
		check: closedStore,
	},
}

// together calls fn in n goroutines at once, and waits for them.
func together(n int, fn func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	wg.Wait()
}

// alternates fails the test unless a conversation is user, agent, user, agent,
// each message once.
func (k *kit) alternates(t *testing.T, conversation string, turns int) {
	t.Helper()
	all := messages(t, k, k.company, conversation)
	slices.Reverse(all)
	if len(all) != 2*turns {
		t.Errorf("conversation %s has %d messages, want %d", conversation, len(all), 2*turns)
	}
	seen := map[string]bool{}
	for i, m := range all {
		want := []agent.Role{agent.RoleUser, agent.RoleAgent}[i%2]
		if m.Role != want || seen[m.ID] || m.ConversationID != conversation {
			t.Errorf("message %d of conversation %s is %s of %s, want one more of %s", i, conversation, m.ID, m.Role, want)
		}
		if i%2 == 1 && m.Text != "Answer to "+all[i-1].Text {
			t.Errorf("the message %q is followed by %q", all[i-1].Text, m.Text)
		}
		seen[m.ID] = true
	}
	c, err := k.Conversation(t.Context(), k.company, conversation)
	ok(t, "Conversation", err)
	if c.Turns != turns || c.Running {
		t.Errorf("Conversation = %s, want %d turns that ended", canonical(c), turns)
	}
}

// answer takes a turn whose reply names the message, with a step in between.
func (k *kit) answer(ctx context.Context, m agent.Message) (agent.Turn, error) {
	b := k.asks(m)
	turn, err := k.BeginTurn(ctx, k.begun(b), b)
	if err != nil {
		return turn, err
	}
	s := agent.Step{CallID: "call_1", Name: "look up", State: agent.StepIntent, Data: []byte(`{}`), At: now()}
	if err := k.RecordStep(ctx, k.commit(), turn.TurnRef, s); err != nil {
		return turn, err
	}
	return turn, k.EndTurn(ctx, k.ended(turn), turn.TurnRef, reply(turn, "Answer to "+turn.Message.Text))
}

func manyConversations(t *testing.T, k *kit) {
	const callers, turns = 64, 4
	var conversations [callers]string
	together(callers, func(i int) {
		for n := range turns {
			turn, err := k.answer(t.Context(), agent.Message{User: agent.User{ID: fmt.Sprint("user ", i)}, Text: fmt.Sprint(i, " asks ", n)})
			if err != nil {
				t.Errorf("caller %d, turn %d: %v", i, n, err)
				return
			}
			if turn.Number != n+1 {
				t.Errorf("caller %d got turn %d, want %d", i, turn.Number, n+1)
			}
			conversations[i] = turn.ConversationID
		}
	})
	if t.Failed() {
		return
	}
	for _, c := range conversations {
		k.alternates(t, c, turns)
	}
	gapless(t, allEvents(t, k, k.company))
}

func oneConversation(t *testing.T, k *kit) {
	const callers = 64
	first, err := k.answer(t.Context(), agent.Message{Text: "first"})
	ok(t, "the first turn", err)
	var numbers [callers]int
	deadline := time.Now().Add(2 * patience)
	together(callers, func(i int) {
		m := agent.Message{ConversationID: first.ConversationID, Text: fmt.Sprint("message ", i)}
		for {
			turn, err := k.answer(t.Context(), m)
			if err == nil {
				numbers[i] = turn.Number
				return
			}
			if busy, isBusy := errors.AsType[*agent.BusyError](err); !isBusy || busy.Lapsed || time.Now().After(deadline) {
				t.Errorf("caller %d: %v", i, err)
				return
			}
			time.Sleep(time.Millisecond)
		}
	})
	if t.Failed() {
		return
	}
	slices.Sort(numbers[:])
	for i, n := range numbers {
		if n != i+2 {
			t.Fatalf("the turns have the numbers %v, want 2 to %d", numbers, callers+1)
		}
	}
	k.alternates(t, first.ConversationID, callers+1)
	gapless(t, allEvents(t, k, k.company))
}

func oneUser(t *testing.T, k *kit) {
	var last agent.Turn
	for n := 1; n <= 8; n++ { // the first begins the conversation
		var begun atomic.Pointer[agent.Turn]
		oneWins(t, fmt.Sprint("turn ", n, " of a user"), 16, agent.ErrTurnInProgress, func(int) error {
			b := k.asks(agent.Message{User: agent.User{ID: "ann"}})
			turn, err := k.BeginTurn(t.Context(), k.begun(b), b)
			if err == nil {
				begun.Store(&turn)
			}
			return err
		})
		if begun.Load() == nil {
			t.Fatalf("no turn %d was begun", n)
		}
		turn := *begun.Load()
		if turn.Number != n || n > 1 && turn.ConversationID != last.ConversationID {
			t.Errorf("turn %+v was begun, want number %d of one conversation", turn.TurnRef, n)
		}
		k.end(t, turn, "At nine.")
		last = turn
	}
	got := read(t, k, k.company)
	if len(got.Conversations) != 1 || len(got.Messages[0]) != 16 {
		t.Errorf("the user has %s, want one conversation of 8 turns", canonical(got.Conversations))
	}
}

func oneExternalID(t *testing.T, k *kit) {
	const writers = 16
	var got [writers]knowledge.WrittenDocument
	together(writers, func(i int) {
		w := external(text("Hours", fmt.Sprint("Text ", i)), "hours")
		written, err := k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{w})
		if err != nil {
			t.Errorf("WriteDocuments: %v", err)
			return
		}
		got[i] = written.Documents[0]
	})
	slices.SortFunc(got[:], func(a, b knowledge.WrittenDocument) int { return a.Version - b.Version })
	for i, d := range got {
		want := knowledge.Updated
		if i == 0 {
			want = knowledge.Created
		}
		if d.Version != i+1 || d.Status != want || d.ID != got[0].ID {
			t.Errorf("write %d made version %d of %s: %s, want version %d of %s", i, d.Version, d.ID, d.Status, i+1, got[0].ID)
		}
	}
	if r, err := k.Revision(t.Context(), k.company); r != writers || err != nil {
		t.Errorf("Revision = %d, %v, want %d", r, err, writers)
	}
	gapless(t, allEvents(t, k, k.company))
}

func oneVersion(t *testing.T, k *kit) {
	a, err := k.Agent(t.Context(), k.company, "")
	ok(t, "Agent", err)
	d := k.putOne(t, hours())
	var agentWins, documentWins atomic.Int32
	won := func(wins *atomic.Int32, err error) {
		if err == nil {
			wins.Add(1)
		} else if !errors.Is(err, store.ErrConflict) {
			t.Errorf("a change that lost: %v, want a conflict", err)
		}
	}
	together(16, func(i int) {
		a := a
		a.Name = fmt.Sprint("Name ", i)
		_, err := k.UpdateAgent(t.Context(), k.commit(tell(event.AgentUpdated, a.ID)), a)
		won(&agentWins, err)
		w := text("Hours", fmt.Sprint("Text ", i))
		w.ID, w.IfVersion = d.ID, 1
		_, err = k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{w})
		won(&documentWins, err)
	})
	if a, d := agentWins.Load(), documentWins.Load(); a != 1 || d != 1 {
		t.Errorf("%d changes of the agent and %d of the document won, want 1 of each", a, d)
	}
}

func manyWorkers(t *testing.T, k *kit) {
	const workers, keys, each = 8, 10, 8
	var (
		mu    sync.Mutex
		done  = map[string][]string{}
		want  = map[string][]string{}
		holds [keys]atomic.Int32
	)
	for range each {
		for key := range keys {
			w := newWork(fmt.Sprint(key))
			want[w.Key] = append(want[w.Key], w.ID)
			k.enqueue(t, w)
		}
	}
	var left atomic.Int32
	left.Store(keys * each)
	deadline := time.Now().Add(2 * patience)
	together(workers, func(i int) {
		for left.Load() > 0 && time.Now().Before(deadline) && !t.Failed() {
			leases, err := k.ClaimKeys(t.Context(), k.company, queue, fmt.Sprint("worker ", i), long, 2)
			if err != nil {
				t.Errorf("ClaimKeys: %v", err)
				return
			}
			for _, l := range leases {
				n := slices.Index([]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, l.Key)
				if holds[n].Add(1) != 1 {
					t.Errorf("key %s is held twice", l.Key)
				}
				jobs, err := k.DueJobs(t.Context(), l, true, 10)
				if err != nil {
					t.Errorf("DueJobs: %v", err)
				}
				for _, j := range jobs {
					mu.Lock()
					done[l.Key] = append(done[l.Key], j.ID)
					mu.Unlock()
					left.Add(-1)
					if err := k.FinishJobs(t.Context(), l, []store.Outcome{{ID: j.ID, Done: true}}); err != nil {
						t.Errorf("FinishJobs: %v", err)
					}
				}
				holds[n].Add(-1)
				if err := k.ReleaseKey(t.Context(), l); err != nil {
					t.Errorf("ReleaseKey: %v", err)
				}
			}
		}
	})
	for key, ids := range want {
		wantIDs(t, "the jobs done of key "+key, done[key], ids...)
	}
}

func feedWhileWriting(t *testing.T, k *kit) {
	const writers, each = 6, 12
	followers := []*follower{snapshotOf(t, k, 1), snapshotOf(t, k, 1)}
	done := make(chan struct{})
	var following sync.WaitGroup
	for i, f := range followers {
		following.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := f.catchUp(t.Context(), k, i*3+1); err != nil {
					t.Errorf("a follower: %v", err)
					return
				}
			}
		})
	}
	together(writers, func(w int) {
		var last string
		for i := range each {
			var err error
			if i%4 == 3 {
				_, err = k.DeleteDocument(t.Context(), k.commit(), last)
			} else {
				a := external(text("A", fmt.Sprint("Text ", i)), fmt.Sprint("external ", w))
				b := text("B", fmt.Sprint("Other ", i))
				last = b.NewID
				_, err = k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{a, b})
			}
			if err != nil {
				t.Errorf("writer %d: %v", w, err)
			}
		}
	})
	close(done)
	following.Wait()
	middle := snapshotOf(t, k, 1)
	for _, f := range append(followers, middle) {
		f.follow(t, k, 5)
		f.agrees(t, "a follower", k)
	}
	if r, err := k.Revision(t.Context(), k.company); r != writers*each || err != nil {
		t.Errorf("Revision = %d, %v, want %d", r, err, writers*each)
	}
}

func deleteWhileCiting(t *testing.T, k *kit) {
	for range 12 {
		d := k.putOne(t, text("Title", "Secretmarker stands here."))
		turns := make([]agent.Turn, 6)
		for i := range turns {
			turns[i] = k.begin(t, agent.Message{})
		}
		c := k.cite(t, d.ID, "Secretmarker stands here.")
		const answer = "Claimmarker. Bye."
		var ended, erased atomic.Int32
		together(len(turns)+1, func(i int) {
			if i == len(turns) {
				got, err := k.DeleteDocument(t.Context(), k.commit(), d.ID)
				if err != nil {
					t.Errorf("DeleteDocument: %v", err)
				}
				erased.Store(int32(got.Replies))
				return
			}
			err := k.EndTurn(t.Context(), k.ended(turns[i]), turns[i].TurnRef, reply(turns[i], answer, claims(c, answer, "Claimmarker.")))
			if err == nil {
				ended.Add(1)
			} else if !errors.Is(err, agent.ErrCitation) {
				t.Errorf("EndTurn: %v", err)
			}
		})
		if e, n := erased.Load(), ended.Load(); e != n {
			t.Errorf("%d replies cited the document, and %d were erased", n, e)
		}
	}
	if after := canonical(read(t, k, k.company)); strings.Contains(after, "Secretmarker") || strings.Contains(after, "Claimmarker") {
		t.Error("the text of a deleted document can still be read")
	}
}

func deleteWhileWriting(t *testing.T, k *kit) {
	for range 4 {
		k := newKit(t, k.Store)
		var deleted atomic.Bool
		together(9, func(i int) {
			if i == 8 {
				time.Sleep(3 * time.Millisecond)
				if err := k.DeleteCompany(t.Context(), k.commit()); err != nil {
					t.Errorf("DeleteCompany: %v", err)
				}
				deleted.Store(true)
				return
			}
			for n := range 1000 {
				gone := deleted.Load()
				var err error
				switch i % 4 {
				case 0:
					_, err = k.answer(t.Context(), agent.Message{Text: "Hello"})
				case 1:
					_, err = k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{text("Title", "Text.")})
				case 2:
					err = k.Enqueue(t.Context(), store.Commit{Company: k.company, Work: []store.Work{newWork("key")}})
				default:
					_, err = k.ClaimReceipt(t.Context(), k.claimOf(fmt.Sprint(i, n), "hash", long))
				}
				if gone && err == nil {
					t.Error("something was written after the company was deleted")
				}
				if err != nil {
					return
				}
			}
		})
		goneCompany(t, k)
	}
}

func contextsThatEnd(t *testing.T, k *kit) {
	const callers, each = 8, 12
	type outcome struct {
		id  string
		err error
	}
	var got [callers][]outcome
	together(callers, func(i int) {
		for n := range each {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n*n*i)*10*time.Microsecond)
			w := text("Title", "Text.")
			_, err := k.WriteDocuments(ctx, k.commit(), []knowledge.Write{w})
			cancel()
			got[i] = append(got[i], outcome{w.NewID, err})
		}
	})
	wrote := 0
	for _, o := range slices.Concat(got[:]...) {
		_, err := k.Document(t.Context(), k.company, o.id)
		switch {
		case o.err == nil && err != nil:
			t.Errorf("WriteDocuments returned nil, and the document is not there: %v", err)
		case o.err != nil && err == nil:
			t.Errorf("WriteDocuments returned %v, and the document is there", o.err)
		}
		if o.err == nil {
			wrote++
		}
	}
	evs := allEvents(t, k, k.company)
	gapless(t, evs)
	if r, err := k.Revision(t.Context(), k.company); int(r) != wrote || err != nil || len(evs) != wrote+1 {
		t.Errorf("%d writes made revision %d and %d events (%v)", wrote, r, len(evs)-1, err)
	}
}

func closedStore(t *testing.T, k *kit) {
	c, isCloser := k.Store.(io.Closer)
	if !isCloser {
		return // whoever opened it closes it otherwise
	}
	a := steps[0].ready(t, k)
	ok(t, "Close", c.Close())
	ok(t, "Close again", c.Close())
	refused(t, "a step of a closed store", a.good(t.Context(), k.commit()), store.ErrUnavailable)
	_, err := k.Company(t.Context(), k.company)
	refused(t, "Company of a closed store", err, store.ErrUnavailable)
	_, err = k.ClaimKeys(t.Context(), k.company, queue, "worker", long, 1)
	refused(t, "ClaimKeys of a closed store", err, store.ErrUnavailable)
}
