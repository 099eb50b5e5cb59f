package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// callers are how many make an operation at once.
var callers = []int{1, 8, 64}

// A benchmark measures one operation.
type benchmark struct {
	name string

	// ready fills a store in which each caller has a company, and returns the
	// operation. No two callers are one at the same time.
	ready func(b *testing.B, of []*kit) func(ctx context.Context, caller, n int) error
}

var benchmarks = []benchmark{
	{"turn", turnsApart},     // begin and end one, each caller in conversations of a company of their own
	{"hot", turnsTogether},   // the same, all callers in one company
	{"last50", last50},       // messages of a conversation
	{"list20", list20},       // conversations, from a cursor
	{"write", writeOne},      // a document of 20 passages
	{"bulk256", writeMany},   // documents, of 2 passages each, in one step
	{"hydrate10", hydrate10}, // passages by their refs
	{"changes", lastChanges}, // the last 10 revisions of 200
	{"receipt", receiptTaken},
	{"work", workDone},
	{"events100", events100}, // from a cursor
}

// Benchmarks measures on stores that open returns what a desk does most, as
// sub-benchmarks NAME/CALLERS: with the time an operation takes when so many
// callers make it at once, how many are made a second, and what the median caller
// and the hundredth slowest waits. Open leaves the closing of a store to
// b.Cleanup.
func Benchmarks(b *testing.B, open func(b *testing.B) Store) {
	for _, m := range benchmarks {
		b.Run(m.name, func(b *testing.B) {
			s := open(b)
			first(b, s)
			of := make([]*kit, slices.Max(callers))
			for i := range of {
				of[i] = newKit(b, s)
			}
			op := m.ready(b, of)
			var made atomic.Int64
			for _, n := range callers {
				b.Run(fmt.Sprint(n), func(b *testing.B) { measure(b, n, &made, op) })
			}
		})
	}
}

// measure makes an operation b.N times, n callers at once. Made counts it over all
// measurements, so that no two have the same number.
func measure(b *testing.B, n int, made *atomic.Int64, op func(ctx context.Context, caller, n int) error) {
	b.ReportAllocs()
	var (
		left  atomic.Int64
		wg    sync.WaitGroup
		took  = make([][]time.Duration, n)
		fails = make([]error, n)
	)
	left.Store(int64(b.N))
	b.ResetTimer()
	start := time.Now()
	for caller := range n {
		wg.Go(func() {
			for left.Add(-1) >= 0 && fails[caller] == nil {
				began := time.Now()
				fails[caller] = op(b.Context(), caller, int(made.Add(1)))
				took[caller] = append(took[caller], time.Since(began))
			}
		})
	}
	wg.Wait()
	total := time.Since(start)
	b.StopTimer()
	for _, err := range fails {
		if err != nil {
			b.Fatal(err)
		}
	}
	all := slices.Sorted(slices.Values(slices.Concat(took...)))
	b.ReportMetric(float64(b.N)/total.Seconds(), "op/s")
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
}

// turn begins and ends a turn in one of a caller's 32 conversations.
func (k *kit) turn(ctx context.Context, caller, n int) error {
	b := k.asks(agent.Message{User: agent.User{ID: fmt.Sprint("user ", caller, " ", n%32)}})
	turn, err := k.BeginTurn(ctx, k.begun(b), b)
	if err != nil {
		return err
	}
	return k.EndTurn(ctx, k.ended(turn), turn.TurnRef, reply(turn, "We open at nine."))
}

func turnsApart(_ *testing.B, of []*kit) func(ctx context.Context, caller, n int) error {
	return func(ctx context.Context, caller, n int) error { return of[caller].turn(ctx, caller, n) }
}

func turnsTogether(_ *testing.B, of []*kit) func(ctx context.Context, caller, n int) error {
	return of[0].turn
}

// talked makes n conversations of some turns each, and returns their ids.
func talked(b *testing.B, k *kit, n, turns int) []string {
	conversations := make([]string, n)
	fails := make([]error, len(conversations))
	together(len(conversations), func(i int) {
		for range turns {
			turn, err := k.answer(b.Context(), agent.Message{ConversationID: conversations[i], Text: "When do you open?"})
			if err != nil {
				fails[i] = err
				return
			}
			conversations[i] = turn.ConversationID
		}
	})
	for _, err := range fails {
		ok(b, "a turn", err)
	}
	return conversations
}

func last50(b *testing.B, of []*kit) func(ctx context.Context, caller, n int) error {
	k := of[0]
	conversations := talked(b, k, 32, 25)
	return func(ctx context.Context, _, n int) error {
		l, err := k.Messages(ctx, k.company, agent.MessageFilter{ConversationID: conversations[n%len(conversations)]}, store.Page{Limit: 50})
		return counted(len(l.Data), 50, err)
	}
}

func list20(b *testing.B, of []*kit) func(ctx context.Context, caller, n int) error {
	k := of[0]
	talked(b, k, 120, 1)
	cursors := []string{""}
	for len(cursors) < 5 {
		l, err := k.Conversations(b.Context(), k.company, agent.ConversationFilter{}, store.Page{Cursor: cursors[len(cursors)-1]})
		ok(b, "Conversations", err)
		cursors = append(cursors, l.NextCursor)
	}
	return func(ctx context.Context, _, n int) error {
		l, err := k.Conversations(ctx, k.company, agent.ConversationFilter{}, store.Page{Cursor: cursors[n%len(cursors)]})
		return counted(len(l.Data), 20, err)
	}
}

// counted returns an error unless as many were read as there are.
func counted(got, want int, err error) error {
	if err == nil && got != want {
		err = fmt.Errorf("read %d, want %d", got, want)
	}
	return err
}

// page returns a document of passages of some 500 bytes each.
func page(n, passages int) knowledge.Write {
	lines := make([]string, passages)
	for i := range lines {
		lines[i] = strings.Repeat(fmt.Sprintf("Sentence %d of document %d says when we open. ", i, n), 11)
	}
	return text(fmt.Sprint("Document ", n), lines...)
}

func writeOne(_ *testing.B, of []*kit) func(ctx context.Context, caller, n int) error {
	return func(ctx context.Context, caller, n int) error {
		k := of[caller]
		_, err := k.WriteDocuments(ctx, k.commit(), []knowledge.Write{page(n, 20)})
		return err
	}
}

func writeMany(_ *testing.B, of []*kit) func(ctx context.Context, caller, n int) error {
	return func(ctx context.Context, caller, n int) error {
		k := of[caller]
		writes := make([]knowledge.Write, 256)
		for i := range writes {
			writes[i] = page(n*len(writes)+i, 2)
		}
		_, err := k.WriteDocuments(ctx, k.commit(), writes)
		return err
	}
}

// written writes 200 documents of 20 passages, one by one, and returns their ids.
func written(b *testing.B, k *kit) []string {
	ids := make([]string, 200)
	for i := range ids {
		w, err := k.WriteDocuments(b.Context(), k.commit(), []knowledge.Write{page(i, 20)})
		ok(b, "WriteDocuments", err)
		ids[i] = w.Documents[0].ID
	}
	return ids
}

func hydrate10(b *testing.B, of []*kit) func(ctx context.Context, caller, n int) error {
	k := of[0]
	docs := written(b, k)
	return func(ctx context.Context, _, n int) error {
		refs := make([]knowledge.Ref, 10)
		for i := range refs {
			refs[i] = knowledge.Ref{DocumentID: docs[(n*7+i*13)%len(docs)], Version: 1, Ordinal: (n + i) % 20}
		}
		found, err := k.Passages(ctx, k.company, refs)
		return counted(len(found), len(refs), err)
	}
}

func lastChanges(b *testing.B, of []*kit) func(ctx context.Context, caller, n int) error {
	k := of[0]
	after := int64(len(written(b, k)) - 10)
	return func(ctx context.Context, _, _ int) error {
		changes, err := k.Changes(ctx, k.company, after, 256)
		return counted(len(changes), 10, err)
	}
}

func receiptTaken(_ *testing.B, of []*kit) func(ctx context.Context, caller, n int) error {
	return func(ctx context.Context, caller, n int) error {
		k := of[caller]
		s, err := k.ClaimReceipt(ctx, k.claimOf(fmt.Sprint("key ", n), "hash", long))
		if err != nil {
			return err
		}
		s.Result, s.Receipt.Done = "msg_1", true
		return k.Enqueue(ctx, store.Commit{Company: k.company, Receipt: &s.Receipt})
	}
}

func workDone(_ *testing.B, of []*kit) func(ctx context.Context, caller, n int) error {
	return func(ctx context.Context, caller, n int) error {
		k := of[caller]
		w := newWork(fmt.Sprint("key ", n%16))
		if err := k.Enqueue(ctx, store.Commit{Company: k.company, Work: []store.Work{w}}); err != nil {
			return err
		}
		leases, err := k.ClaimKeys(ctx, k.company, queue, "worker", long, 1)
		if err := counted(len(leases), 1, err); err != nil {
			return err
		}
		jobs, err := k.DueJobs(ctx, leases[0], false, 10)
		if err := counted(len(jobs), 1, err); err != nil {
			return err
		}
		if err := k.FinishJobs(ctx, leases[0], []store.Outcome{{ID: jobs[0].ID, Done: true}}); err != nil {
			return err
		}
		return k.ReleaseKey(ctx, leases[0])
	}
}

func events100(b *testing.B, of []*kit) func(ctx context.Context, caller, n int) error {
	k := of[0]
	for i := range 20 {
		cm := k.commit()
		for n := range 100 {
			cm.Events = append(cm.Events, tell("a.b", fmt.Sprint("stream ", (i+n)%50)))
		}
		ok(b, "Enqueue", k.Enqueue(b.Context(), cm))
	}
	all, err := pagedEvents(b.Context(), k, k.company, 1000)
	ok(b, "Events", err)
	return func(ctx context.Context, _, n int) error {
		got, err := k.Events(ctx, k.company, all[n*97%(len(all)-100)].Cursor, 100)
		return counted(len(got), 100, err)
	}
}
