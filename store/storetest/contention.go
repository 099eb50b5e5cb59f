package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// contention is about steps that change the same thing at once.
var contention = []promise{
	{
		name:  "feedback at once",
		text:  "of feedback given at once on a reply one stays, whole, with the time of the first; and a quote that is erased meanwhile stays erased",
		check: feedbackAtOnce,
	},
	{
		name:  "one id",
		text:  "of many that make a thing with one id, or keys of one hash, one does, and the others are conflicts",
		check: oneID,
	},
	{
		name:  "end or take",
		text:  "a turn is ended once: by who has it, or by who takes it over",
		check: endOrTake,
	},
	{
		name:  "one queue",
		text:  "of work queued to a key by many while workers take and release it, each job is done once, in the order of its writer",
		check: oneQueue,
	},
	{
		name:  "revive once",
		text:  "of many that revive a dead job one does, and it is due once",
		check: reviveOnce,
	},
	{
		name:  "documents in opposite orders",
		text:  "writes of the same documents in opposite orders are all made, each whole, whatever locks they take",
		check: documentsInOppositeOrders,
	},
	{
		name:  "commits in opposite orders",
		text:  "commits with events of the same streams and work of the same keys in opposite orders are all made",
		check: commitsInOppositeOrders,
	},
	{
		name:  "citations in opposite orders",
		text:  "turns that cite documents in opposite orders, while these are replaced, either end or are told that a quote does not stand",
		check: citationsInOppositeOrders,
	},
}

func feedbackAtOnce(t *testing.T, k *kit) {
	const answer, givers = "Hello. Claimmarker. Bye.", 6
	for round := range 6 {
		d := k.putOne(t, hours())
		turn := k.begin(t, agent.Message{})
		k.end(t, turn, answer, claims(k.cite(t, d.ID, "open at nine"), answer, "Claimmarker."))
		start := now()
		put := func(i int) (agent.Feedback, error) {
			f := agent.Feedback{
				MessageID: turn.ReplyID, Rating: []agent.Rating{agent.RatingUp, agent.RatingDown}[i%2],
				Remark: fmt.Sprint("remark ", i), Reasons: []string{fmt.Sprint("reason ", i)},
				CreatedAt: start.Add(time.Duration(i) * time.Second), UpdatedAt: start.Add(time.Duration(i) * time.Second),
			}
			return k.PutFeedback(t.Context(), k.commit(tell(event.MessageFeedback, turn.ConversationID)), f)
		}
		there := 0
		if round%2 == 0 { // the first feedback was given before
			ok(t, "PutFeedback", second(put(givers)))
			there = 1
		}
		var given [givers]agent.Feedback
		together(givers+1, func(i int) {
			var err error
			if i < givers {
				given[i], err = put(i)
			} else {
				_, err = k.DeleteDocument(t.Context(), k.commit(), d.ID)
			}
			if err != nil {
				t.Errorf("feedback or its quote's deletion: %v", err)
			}
		})
		k.left(t, turn.ReplyID, "Hello. Bye.", "")
		m, err := k.Message(t.Context(), k.company, turn.ReplyID)
		ok(t, "Message", err)
		if m.Feedback == nil || !slices.ContainsFunc(given[:], func(f agent.Feedback) bool { return canonical(f) == canonical(*m.Feedback) }) {
			t.Errorf("the feedback is %s, want one of %s", canonical(m.Feedback), canonical(given))
		}
		for _, f := range given {
			if m.Feedback != nil && !f.CreatedAt.Equal(m.Feedback.CreatedAt) || there == 1 && !f.CreatedAt.Equal(start.Add(givers*time.Second)) {
				t.Errorf("PutFeedback = %s, want the time of the feedback given first", canonical(f))
			}
		}
		told := slices.DeleteFunc(ofStream(allEvents(t, k, k.company), turn.ConversationID), func(ev event.Event) bool { return ev.Type != event.MessageFeedback })
		if len(told) != givers+there {
			t.Errorf("there are %d events of feedback, want %d", len(told), givers+there)
		}
	}
}

// oneWins calls fn in n goroutines at once, and fails the test unless one of them
// returns nil and the others an error wrapping want.
func oneWins(t *testing.T, what string, n int, want error, fn func(i int) error) {
	t.Helper()
	var wins atomic.Int32
	together(n, func(i int) {
		if err := fn(i); err == nil {
			wins.Add(1)
		} else if !errors.Is(err, want) {
			t.Errorf("%s that lost: %v, want an error wrapping %q", what, err, want)
		}
	})
	if n := wins.Load(); n != 1 {
		t.Errorf("%s was made %d times, want once", what, n)
	}
}

func oneID(t *testing.T, k *kit) {
	const makers = 8
	other := newKit(t, k.Store)
	kits := []*kit{k, other}
	for round := range 3 {
		a := agent.Agent{ID: id.New(id.Agent), Settings: agent.Settings{Name: "New"}, Version: 1, CreatedAt: now(), UpdatedAt: now()}
		oneWins(t, "CreateAgent of one id", makers, store.ErrConflict, func(int) error {
			return k.CreateAgent(t.Context(), k.commit(tell(event.AgentCreated, a.ID)), a)
		})
		c, cm := newCompany("One")
		oneWins(t, "CreateCompany of one id", makers, store.ErrConflict, func(int) error { return k.CreateCompany(t.Context(), cm, c) })
		key, _ := newKey()
		oneWins(t, "CreateKey of one id", makers, store.ErrConflict, func(i int) error {
			_, hash := newKey()
			return k.CreateKey(t.Context(), k.commit(), key, hash)
		})
		_, hash := newKey()
		oneWins(t, "CreateKey of one hash in two companies", makers, store.ErrConflict, func(i int) error {
			key, _ := newKey()
			return kits[i%2].CreateKey(t.Context(), kits[i%2].commit(), key, hash)
		})
		first, next := k.asks(agent.Message{}), k.asks(agent.Message{})
		oneWins(t, "BeginTurn of one message", makers, store.ErrConflict, func(i int) error {
			b := []agent.Begin{first, next}[i%2]
			b.Message.ID, b.NewConversation = first.Message.ID, id.New(id.Conversation)
			return second(k.BeginTurn(t.Context(), k.begun(b), b))
		})
		docs := newDocuments(makers)
		k.put(t, docs...)
		oneWins(t, "WriteDocuments of one external id to several documents", makers, store.ErrConflict, func(i int) error {
			w := external(text("Title", "Renamed."), fmt.Sprint("external ", round))
			w.ID = docs[i].NewID
			return second(k.WriteDocuments(t.Context(), k.commit(), []knowledge.Write{w}))
		})
		d := k.putOne(t, hours())
		oneWins(t, "DeleteDocument of one document", makers, store.ErrNotFound, func(int) error {
			return second(k.DeleteDocument(t.Context(), k.commit(), d.ID))
		})
		oneWins(t, "DeleteAgent of one agent", makers, store.ErrNotFound, func(int) error {
			return second(k.DeleteAgent(t.Context(), k.commit(tell(event.AgentDeleted, a.ID)), a.ID))
		})
	}
	k.noOrphans(t)
	if r, err := k.Revision(t.Context(), k.company); r != 12 || err != nil {
		t.Errorf("Revision = %d, %v, want 12: three times two writes, a change and a delete", r, err)
	}
}

func endOrTake(t *testing.T, k *kit) {
	for range 8 {
		b := k.asks(agent.Message{})
		b.Lease = time.Millisecond
		turn := k.beginWith(t, b)
		var ended, taken atomic.Int32
		together(8, func(i int) {
			switch i % 4 {
			case 0, 1:
				time.Sleep(time.Duration(i) * 300 * time.Microsecond) // before the lease runs out, and after
				err := k.EndTurn(t.Context(), k.ended(turn), turn.TurnRef, reply(turn, "At nine."))
				among(t, "EndTurn", err, store.ErrFenced)
				if err == nil {
					ended.Add(1)
				}
			case 2:
				for range 3 {
					err := second(k.TakeTurn(t.Context(), k.company, turn.ConversationID, "another", long))
					among(t, "TakeTurn", err, store.ErrNotFound)
					if err == nil {
						taken.Add(1)
					}
				}
			default:
				s := agent.Step{CallID: id.New(id.Call), Name: "look up", State: agent.StepIntent, Data: []byte(`{}`), At: now()}
				among(t, "RecordStep", k.RecordStep(t.Context(), k.commit(), turn.TurnRef, s), store.ErrFenced)
			}
		})
		if e, n := ended.Load(), taken.Load(); e+n != 1 {
			t.Errorf("a turn was ended %d times and taken over %d times, want one of the two", e, n)
		}
		if n := len(messages(t, k, k.company, turn.ConversationID)); n != 1+int(ended.Load()) {
			t.Errorf("the conversation has %d messages after its turn was ended %d times", n, ended.Load())
		}
	}
	k.noOrphans(t)
}

func oneQueue(t *testing.T, k *kit) {
	for _, ordered := range []bool{true, false} {
		const writers, each, workers = 6, 6, 3
		var (
			mu      sync.Mutex
			done    []string // ids
			writing atomic.Int32
			want    [writers][]string
		)
		writing.Store(writers)
		deadline := time.Now().Add(patience)
		together(writers+workers, func(i int) {
			if i < writers {
				defer writing.Add(-1)
				for range each {
					time.Sleep(time.Millisecond) // so that the key runs out of work now and then
					a, b := newWork("key"), newWork("key")
					if err := k.Enqueue(t.Context(), store.Commit{Company: k.company, Work: []store.Work{a, b}}); err != nil {
						t.Errorf("Enqueue: %v", err)
					}
					want[i] = append(want[i], a.ID, b.ID)
				}
				return
			}
			for time.Now().Before(deadline) && !t.Failed() {
				last := writing.Load() == 0
				leases, err := k.ClaimKeys(t.Context(), k.company, queue, fmt.Sprint("worker ", i), long, 5)
				if err != nil || len(leases) > 1 {
					t.Errorf("ClaimKeys = %v, %v, want the one key or none", keysOf(leases), err)
				}
				if len(leases) == 0 {
					if last {
						return // who has the key goes on
					}
					time.Sleep(time.Millisecond)
					continue
				}
				jobs, err := k.DueJobs(t.Context(), leases[0], ordered, 5)
				if err != nil {
					t.Errorf("DueJobs: %v", err)
				}
				var outcomes []store.Outcome
				mu.Lock()
				for _, j := range jobs {
					done = append(done, j.ID)
					outcomes = append(outcomes, store.Outcome{ID: j.ID, Done: true})
				}
				mu.Unlock()
				if err := errors.Join(k.FinishJobs(t.Context(), leases[0], outcomes), k.ReleaseKey(t.Context(), leases[0])); err != nil {
					t.Errorf("FinishJobs and ReleaseKey: %v", err)
				}
			}
		})
		if len(done) != writers*each*2 {
			t.Errorf("%d jobs were done, want %d", len(done), writers*each*2)
		}
		for w, ids := range want {
			wantIDs(t, fmt.Sprint("the jobs done of writer ", w), slices.DeleteFunc(slices.Clone(done), func(d string) bool { return !slices.Contains(ids, d) }), ids...)
		}
		if l := k.claimKeys(t, long, 10); len(l) != 0 {
			t.Errorf("ClaimKeys when all is done = %v, want none", keysOf(l))
		}
	}
}

func reviveOnce(t *testing.T, k *kit) {
	for range 4 {
		w := newWork(id.New(id.Work))
		k.enqueue(t, w)
		l := k.claimKey(t, long)
		k.finish(t, l, store.Outcome{ID: w.ID, Dead: true, Reason: "refused"})
		if len(k.dead(t)) != 1 {
			t.Fatalf("DeadJobs = %+v, want one", k.dead(t))
		}
		oneWins(t, "ReviveJob", 8, store.ErrNotFound, func(int) error { return k.ReviveJob(t.Context(), k.company, w.ID) })
		wantIDs(t, "DueJobs after it was revived", k.dueIDs(t, l, false), w.ID)
		k.finish(t, l, store.Outcome{ID: w.ID, Done: true})
		if dead := k.dead(t); len(dead) != 0 {
			t.Errorf("DeadJobs = %+v, want none", dead)
		}
	}
}

// backAndForth calls fn in four goroutines at once, for two of them with numbers
// up to n, and for the others the other way round.
func backAndForth(t *testing.T, what string, n int, fn func(caller int, order []int) error) {
	t.Helper()
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	together(4, func(i int) {
		mine := slices.Clone(order)
		if i%2 == 1 {
			slices.Reverse(mine)
		}
		if err := fn(i, mine); err != nil {
			t.Errorf("%s beside others in the opposite order: %v", what, err)
		}
	})
}

func documentsInOppositeOrders(t *testing.T, k *kit) {
	const rounds, n = 5, 12
	for round := range rounds {
		backAndForth(t, "WriteDocuments", n, func(caller int, order []int) error {
			writes := make([]knowledge.Write, n)
			for i, at := range order {
				writes[i] = external(text("Title", fmt.Sprintf("Written by %d in round %d.", caller, round)), fmt.Sprint("external ", at))
			}
			return second(k.WriteDocuments(t.Context(), k.commit(), writes))
		})
	}
	live := liveDocuments(t, k, k.company, 1<<20)
	for _, l := range live {
		if l.Version != 4*rounds || l.Passages[0].Text != live[0].Passages[0].Text {
			t.Errorf("document %s is at version %d and says %q, want version %d and what all say: %q", l.ExternalID, l.Version, l.Passages[0].Text, 4*rounds, live[0].Passages[0].Text)
		}
	}
	if r, err := k.Revision(t.Context(), k.company); len(live) != n || r != 4*rounds || err != nil {
		t.Errorf("there are %d documents at revision %d (%v), want %d at %d", len(live), r, err, n, 4*rounds)
	}
	k.noOrphans(t)
}

func commitsInOppositeOrders(t *testing.T, k *kit) {
	const rounds, n = 5, 12
	for range rounds {
		backAndForth(t, "Enqueue", n, func(_ int, order []int) error {
			cm := k.commit()
			for _, at := range order {
				cm.Events = append(cm.Events, tell("a.b", fmt.Sprint("stream ", at)))
				cm.Work = append(cm.Work, newWork(fmt.Sprint("key ", at)))
			}
			return k.Enqueue(t.Context(), cm)
		})
	}
	all := allEvents(t, k, k.company)
	gapless(t, all)
	leases := k.claimKeys(t, long, 2*n)
	if len(all) != 1+4*rounds*n || len(leases) != n {
		t.Errorf("there are %d events and %d keys with work, want %d and %d", len(all), len(leases), 1+4*rounds*n, n)
	}
	for _, l := range leases {
		if jobs := k.due(t, l, false); len(jobs) != 4*rounds {
			t.Errorf("key %s has %d jobs, want %d", l.Key, len(jobs), 4*rounds)
		}
	}
}

func citationsInOppositeOrders(t *testing.T, k *kit) {
	const n = 6
	for round := range 5 {
		var cites []agent.Citation
		for i := range n {
			d := k.put(t, external(text("Title", fmt.Sprintf("Said in round %d.", round)), fmt.Sprint("external ", i)))[0]
			cites = append(cites, k.cite(t, d.ID, "Said"))
		}
		turns := []agent.Turn{k.begin(t, agent.Message{}), k.begin(t, agent.Message{})}
		backAndForth(t, "a step", n, func(caller int, order []int) error {
			var (
				writes []knowledge.Write
				mine   []agent.Citation
			)
			for _, i := range order {
				writes = append(writes, external(text("Title", fmt.Sprintf("Replaced by %d in round %d.", caller, round)), fmt.Sprint("external ", i)))
				mine = append(mine, cites[i])
			}
			if caller >= len(turns) {
				return second(k.WriteDocuments(t.Context(), k.commit(), writes))
			}
			turn := turns[caller]
			err := k.EndTurn(t.Context(), k.ended(turn), turn.TurnRef, reply(turn, "At nine.", mine...))
			if errors.Is(err, agent.ErrCitation) {
				err = k.EndTurn(t.Context(), k.ended(turn), turn.TurnRef, reply(turn, "At nine."))
			}
			return err
		})
	}
	k.noOrphans(t)
}
