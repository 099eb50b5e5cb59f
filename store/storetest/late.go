package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// pause is how long steps are given to end that may have to wait for one that is
// held open.
const pause = short / 2

// beside runs fn while a step that was lent is held open, and then ends that step.
// Where an engine makes fn wait for the step, the step ends first.
func beside(t *testing.T, what string, end func() error, fn func() error, before func()) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- fn() }()
	var (
		err    error
		waited bool
	)
	select {
	case err = <-done:
	case <-time.After(pause):
		waited = true
	}
	before()
	ok(t, "ending "+what, end())
	if waited {
		err = <-done
	}
	ok(t, "steps beside "+what, err)
}

func lateEvents(t *testing.T, k *kit) {
	if lender, can := k.Store.(Lender); can {
		lateEvent(t, k, lender)
		eventRolledBack(t, k, lender)
	}
	eventsOfMany(t, k)
}

// tells commits an event of each of some streams, one by one.
func (k *kit) tells(ctx context.Context, streams ...string) error {
	for _, stream := range streams {
		if err := k.Enqueue(ctx, k.commit(tell("a.b", stream))); err != nil {
			return err
		}
	}
	return nil
}

func lateEvent(t *testing.T, k *kit, lender Lender) {
	turn := k.begin(t, agent.Message{})
	r := newEventReader()
	for what, late := range map[string]func(ctx context.Context) error{
		"an event of a new stream": func(ctx context.Context) error { return k.tells(ctx, "late stream") },
		"the end of a turn": func(ctx context.Context) error {
			return k.EndTurn(ctx, k.ended(turn), turn.TurnRef, reply(turn, "At nine."))
		},
		"events of several streams": func(ctx context.Context) error {
			return k.Enqueue(ctx, k.commit(tell("a.b", "late 1"), tell("a.b", "late 2"), tell("a.b", "late 1")))
		},
	} {
		ok(t, "Events", r.readOn(t.Context(), k, 100))
		before := len(r.seen)
		lent, commit, _, err := lender.Lend(t.Context())
		ok(t, "Lend", err)
		ok(t, what, late(lent))
		beside(t, what, commit, func() error { return k.tells(t.Context(), "one", "two", "one", "three") }, func() {
			ok(t, "Events", r.readOn(t.Context(), k, 3))
			if n := len(r.seen) - before; n > 4 {
				t.Errorf("%d events are read beside %s that was not committed, want 4 at most", n, what)
			}
		})
		ok(t, "Events", r.readOn(t.Context(), k, 3))
		if missed := r.missed(allEvents(t, k, k.company)); len(missed) > 0 {
			t.Errorf("%s committed late, and whoever had read on missed %s", what, canonical(missed))
		}
	}
	gapless(t, allEvents(t, k, k.company))
}

func eventRolledBack(t *testing.T, k *kit, lender Lender) {
	r := newEventReader()
	ok(t, "Events", r.readOn(t.Context(), k, 100))
	before := len(r.seen)
	lent, _, rollback, err := lender.Lend(t.Context())
	ok(t, "Lend", err)
	ok(t, "Enqueue", k.Enqueue(lent, k.commit(tell("a.b", "never 1"), tell("a.b", "never 2"))))
	beside(t, "a step that is rolled back", rollback, func() error { return k.tells(t.Context(), "one", "two") }, func() {
		ok(t, "Events", r.readOn(t.Context(), k, 1))
	})
	ok(t, "Enqueue", k.tells(t.Context(), "never 2"))
	ok(t, "Events", r.readOn(t.Context(), k, 1))
	if n := len(r.seen) - before; n != 3 || r.last["never 1"] != 0 || r.last["never 2"] != 1 {
		t.Errorf("beside a step that was rolled back %d events are read, want 3, none of them its own", n)
	}
}

// eventsOfMany has many write at once, much and little, in streams of their own
// and in common ones, while others follow.
func eventsOfMany(t *testing.T, k *kit) {
	const writers, each, many = 12, 10, 20
	limits := []int{1, 3, 50, 1000}
	readers := make([]*eventReader, len(limits))
	done := make(chan struct{})
	var reading sync.WaitGroup
	for i, limit := range limits {
		readers[i] = newEventReader()
		reading.Go(func() {
			if err := readers[i].follow(t.Context(), k, limit, done); err != nil {
				t.Errorf("a follower by %d: %v", limit, err)
			}
		})
	}
	together(writers, func(w int) {
		for i := range each {
			cm := k.commit(tell("a.b", fmt.Sprintf("own %d.%d", w, i%3)))
			switch i % 4 {
			case 0: // one that takes its time
				for n := range many {
					cm.Events = append(cm.Events, tell("a.b", fmt.Sprintf("own %d, of many %d", w, n)))
					cm.Work = append(cm.Work, newWork(fmt.Sprint(w)))
				}
			case 1:
				cm.Events = append(cm.Events, tell("a.b", fmt.Sprint("common ", w%2)))
			}
			if err := k.Enqueue(t.Context(), cm); err != nil {
				t.Errorf("writer %d: %v", w, err)
			}
		}
	})
	close(done)
	reading.Wait()
	all := allEvents(t, k, k.company)
	gapless(t, all)
	for i, r := range readers {
		if missed := r.missed(all); len(missed) > 0 {
			t.Errorf("a follower by %d missed %d events of %d", limits[i], len(missed), len(all))
		}
	}
}

// A revisionReader follows the feed from revision to revision.
type revisionReader struct {
	revision int64
	sizes    map[int64]int // how many entries each had
}

// readOn reads up to limit entries at a time until there are no more, at least up
// to the revision there is, and returns an error if one is left out.
func (r *revisionReader) readOn(ctx context.Context, k *kit, limit int) error {
	now, err := k.Revision(ctx, k.company)
	if err != nil {
		return err
	}
	for {
		part, err := k.Changes(ctx, k.company, r.revision, limit)
		if err != nil {
			return err
		}
		if len(part) == 0 {
			break
		}
		for _, c := range part {
			if c.Revision != r.revision && c.Revision != r.revision+1 || c.Revision == r.revision && r.sizes[c.Revision] == 0 {
				return fmt.Errorf("after revision %d comes %d", r.revision, c.Revision)
			}
			r.revision = c.Revision
			r.sizes[c.Revision]++
		}
	}
	if r.revision < now {
		return fmt.Errorf("the company is at revision %d, and the feed ends with %d", now, r.revision)
	}
	return nil
}

func lateRevisions(t *testing.T, k *kit) {
	if lender, can := k.Store.(Lender); can {
		lateRevision(t, k, lender)
	}
	revisionsOfMany(t, k)
}

// newDocuments returns n documents to be written.
func newDocuments(n int) (out []knowledge.Write) {
	for i := range n {
		out = append(out, text("Title", fmt.Sprint("Text ", i)))
	}
	return out
}

func lateRevision(t *testing.T, k *kit, lender Lender) {
	r := &revisionReader{sizes: map[int64]int{}}
	gone := k.putOne(t, hours())
	for i, ends := range []string{"commit", "rollback", "commit"} {
		lent, commit, rollback, err := lender.Lend(t.Context())
		ok(t, "Lend", err)
		end := commit
		if ends == "rollback" {
			end = rollback
		}
		if i == 0 {
			_, err = k.WriteDocuments(lent, k.commit(), newDocuments(3))
		} else {
			_, err = k.DeleteDocument(lent, k.commit(), gone.ID)
		}
		ok(t, "a write that was lent", err)
		before, err := k.Revision(t.Context(), k.company)
		ok(t, "Revision", err)
		beside(t, "a write that was lent", end, func() error {
			_, err := k.WriteDocuments(t.Context(), k.commit(), newDocuments(2))
			return err
		}, func() { ok(t, "reading on", r.readOn(t.Context(), k, 1)) })
		ok(t, "reading on", r.readOn(t.Context(), k, 1))
		want := before + 1
		if ends == "commit" {
			want++
		}
		if r.revision != want {
			t.Errorf("after a write beside one that was lent, with %s, the feed ends with revision %d, want %d", ends, r.revision, want)
		}
	}
	k.wholeFeed(t, r)
}

// wholeFeed fails the test unless a reader has seen of each revision what the
// feed has of it now.
func (k *kit) wholeFeed(t *testing.T, r *revisionReader) {
	t.Helper()
	sizes := map[int64]int{}
	for _, c := range allChanges(t, k, k.company, 0, 100) {
		sizes[c.Revision]++
	}
	for revision, n := range sizes {
		if r.sizes[revision] != n {
			t.Errorf("whoever followed the feed saw %d entries of revision %d, which has %d", r.sizes[revision], revision, n)
		}
	}
}

func revisionsOfMany(t *testing.T, k *kit) {
	const writers, each, many = 6, 6, 20
	start, err := k.Revision(t.Context(), k.company)
	ok(t, "Revision", err)
	limits := []int{1, 7, 1000}
	readers := make([]*revisionReader, len(limits))
	done := make(chan struct{})
	var reading sync.WaitGroup
	for i, limit := range limits {
		readers[i] = &revisionReader{sizes: map[int64]int{}}
		reading.Go(func() {
			for closed := false; ; {
				if err := readers[i].readOn(t.Context(), k, limit); err != nil {
					t.Errorf("a follower by %d: %v", limit, err)
					return
				}
				if closed {
					return
				}
				select {
				case <-done:
					closed = true
				default:
				}
			}
		})
	}
	together(writers, func(w int) {
		var last string
		for i := range each {
			n := 1
			if i%3 == 0 {
				n = many // one that takes its time
			}
			writes := newDocuments(n)
			var err error
			if i%3 == 2 {
				_, err = k.DeleteDocument(t.Context(), k.commit(), last)
			} else {
				_, err = k.WriteDocuments(t.Context(), k.commit(), writes)
			}
			last = writes[0].NewID
			if err != nil {
				t.Errorf("writer %d: %v", w, err)
			}
		}
	})
	close(done)
	reading.Wait()
	for _, r := range readers {
		k.wholeFeed(t, r)
	}
	if r, err := k.Revision(t.Context(), k.company); r != start+writers*each || err != nil {
		t.Errorf("%d writes raised the revision from %d to %d (%v)", writers*each, start, r, err)
	}
}
