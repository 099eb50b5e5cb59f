package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/storetest/internal/reference"
)

// pairPromises are about any two steps at once.
var pairPromises = []promise{
	{
		name:  "any two at once",
		text:  "of any two steps at once, the first committed or rolled back when the second has begun, both return what they would one after the other, in one of the two orders, and leave what they would",
		check: anyTwo,
	},
}

// pairWorkers is how many pairs are played at once.
const pairWorkers = 12

// A pair is two acts of one family. The first is held open while the second is
// made, and then committed, or rolled back.
type pair struct {
	first, second act
	undo          bool
}

// pairs are all of them. On a store that holds nothing open, neither is the first.
func pairs(held bool) (all []pair) {
	for i, a := range acts {
		for j, b := range acts {
			if a.about&b.about != 0 && !a.reads && (held || i <= j || b.reads) {
				all = append(all, pair{a, b, false})
			}
		}
	}
	return all
}

func anyTwo(t *testing.T, k *kit) {
	_, held := k.Store.(Lender)
	var (
		wg   sync.WaitGroup
		next atomic.Int64
		all  = pairs(held)
	)
	for range pairWorkers {
		wg.Go(func() {
			for !t.Failed() {
				i := int(next.Add(1)) - 1
				if i >= len(all) {
					return
				}
				p := all[i]
				waited, err := p.play(t.Context(), k.Store)
				if p.undo = true; err == nil && waited {
					_, err = p.play(t.Context(), k.Store)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// play makes the pair on a store and, in both orders, on the reference, and returns
// an error unless what comes of it is the same as there in one of them. It reports
// whether the second act waited for the first.
func (p pair) play(ctx context.Context, s Store) (waited bool, err error) {
	c, cm := newCompany("Company")
	got, waited, err := p.race(ctx, s, c, cm)
	if err != nil {
		return waited, p.failed("%v", err)
	}
	wants := make([]string, 2)
	for i := range wants {
		if wants[i], err = p.inTurn(ctx, c, cm, i == 0); err != nil {
			return waited, p.failed("on the reference: %v", err)
		}
	}
	if slices.Contains(wants, got) {
		return waited, nil
	}
	first, ofFirst := apart(got, wants[0])
	second, ofSecond := apart(got, wants[1])
	return waited, p.failed("(it waited: %v) they came to\n%s\nwant, if %s is first,\n%s\n\nthey came to\n%s\nor, if it is second,\n%s",
		waited, first, p.first.name, ofFirst, second, ofSecond)
}

func (p pair) failed(format string, args ...any) error {
	ending := "committed"
	if p.undo {
		ending = "rolled back"
	}
	return fmt.Errorf("%s, %s while %s was made: "+format, append([]any{p.first.name, ending, p.second.name}, args...)...)
}

// race holds the first act open while the second is made, on a store that can, or
// else makes both at once.
func (p pair) race(ctx context.Context, s Store, c access.Company, cm store.Commit) (told string, waited bool, err error) {
	st := newStage(s, c)
	first, second, err := p.ready(ctx, st, cm)
	if err != nil {
		return "", false, err
	}
	var one, two string
	lender, can := s.(Lender)
	if !can {
		if p.undo {
			return "", false, errors.New("a store that lends nothing cannot roll back")
		}
		close(st.ended)
		together(2, func(i int) {
			if i == 0 {
				one = st.came(first(ctx))
			} else {
				two = st.came(second(ctx))
			}
		})
		told, err = st.epilogue(ctx, one, two)
		return told, false, err
	}
	lent, commit, rollback, err := lender.Lend(ctx)
	if err != nil {
		return "", false, err
	}
	end := commit
	if p.undo {
		end = rollback
	}
	if one = st.came(first(lent)); strings.HasPrefix(one, "error: ") && !p.undo {
		end = rollback // as a host does
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		two = st.came(second(ctx))
	}()
	select {
	case <-done:
	case <-time.After(pause):
		waited = true
	}
	if err := end(); err != nil {
		return "", waited, err
	}
	close(st.ended)
	<-done
	if p.undo {
		one = ""
	}
	told, err = st.epilogue(ctx, one, two)
	return told, waited, err
}

// came is what an act came to. Whose turn, job or receipt is gone may as well be
// told that it is not theirs any more.
func (st *stage) came(v any, err error) string {
	if errors.Is(err, store.ErrFenced) {
		err = store.ErrNotFound
	}
	return st.told(v, err)
}

// inTurn makes the acts on the reference one after the other.
func (p pair) inTurn(ctx context.Context, c access.Company, cm store.Commit, firstIsFirst bool) (string, error) {
	ref := &reference.Store{}
	operator, made := newCompany("First")
	if _, err := ref.FirstCompany(ctx, made, operator); err != nil {
		return "", err
	}
	st := newStage(ref, c)
	close(st.ended)
	first, second, err := p.ready(ctx, st, cm)
	if err != nil {
		return "", err
	}
	var one, two string
	if !firstIsFirst {
		two = st.came(second(ctx))
	}
	if !p.undo {
		one = st.came(first(ctx))
	}
	if firstIsFirst {
		two = st.came(second(ctx))
	}
	return st.epilogue(ctx, one, two)
}

// ready makes the company and what the acts are about.
func (p pair) ready(ctx context.Context, st *stage, cm store.Commit) (first, second func(context.Context) (any, error), err error) {
	if err := st.CreateCompany(ctx, cm, st.made); err != nil {
		return nil, nil, err
	}
	for _, need := range slices.Concat(p.first.needs, p.second.needs) {
		if err := st.need(ctx, need); err != nil {
			return nil, nil, fmt.Errorf("preparing: %w", err)
		}
	}
	time.Sleep(tick) // what is to have lapsed has
	return func(ctx context.Context) (any, error) { return p.first.make(ctx, st, 0) },
		func(ctx context.Context) (any, error) { return p.second.make(ctx, st, 1) }, nil
}

// epilogue is all that two acts came to: what they returned, what can be read of
// the company, made again if it was deleted, and what is not seen before it is
// asked for.
func (st *stage) epilogue(ctx context.Context, one, two string) (string, error) {
	after := []string{one, two}
	note := func(v any, err error) { after = append(after, st.told(v, err)) }
	note(none(st.CreateCompany(ctx, st.commit(tell(event.AgentCreated, st.made.DefaultAgent)), st.made)))
	note(readAll(ctx, st, st.company))
	note(result(st.TakeTurn(ctx, st.company, st.ids("conv", "runs"), "another", long)))
	for _, key := range []string{"lapsed", "new"} {
		note(result(st.ClaimReceipt(ctx, st.claimOf(key, "another body", long))))
	}
	leases, err := st.ClaimKeys(ctx, st.company, queue, "another", long, 10)
	slices.SortFunc(leases, func(a, b store.Lease) int { return strings.Compare(a.Key, b.Key) })
	note(leases, err)
	for _, l := range leases {
		note(result(st.DueJobs(ctx, l, false, 100)))
	}
	return strings.Join(after, "\n"), ctx.Err()
}
