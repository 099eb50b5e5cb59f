package e2e

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// deletionRuns returns how many histories happen: ANSWERDESK_DELETION_RUNS, or 30.
func deletionRuns(t *testing.T) uint64 {
	if n, err := strconv.ParseUint(os.Getenv("ANSWERDESK_DELETION_RUNS"), 10, 32); err == nil {
		return n
	}
	return 30
}

// deletionSeed returns the seed of the only history that is to happen, from
// ANSWERDESK_DELETION_SEED, and whether there is one.
func deletionSeed() (uint64, bool) {
	seed, err := strconv.ParseUint(os.Getenv("ANSWERDESK_DELETION_SEED"), 10, 64)
	return seed, err == nil
}

// bytesEvery is of how many histories one is looked for in the bytes of the store.
const bytesEvery = 4

// Whatever has happened before, in whatever order, and however it was broken off:
// what was deleted is gone from all that can be read, and what was not is found.
func TestDeletedIsGone(t *testing.T) {
	first, runs := uint64(1), deletionRuns(t)
	if seed, ok := deletionSeed(); ok {
		first, runs = seed, 1
	}
	var (
		next   atomic.Uint64
		failed atomic.Bool
		wg     sync.WaitGroup
	)
	began := time.Now()
	for range min(2*runtime.GOMAXPROCS(0), int(runs)) { // they wait for the disk in turns
		g := newGround(t)
		wg.Go(func() {
			for n := next.Add(1) - 1; n < runs && !failed.Load(); n = next.Add(1) - 1 {
				seed := first + n
				history := newHistory(seed)
				what := g.happen(seed, history, seed%bytesEvery == 0)
				if what == "" {
					continue
				}
				failed.Store(true)
				t.Errorf("ANSWERDESK_DELETION_SEED=%d: %s\n%s", seed, what, g.shortest(seed, history, seed%bytesEvery == 0))
			}
		})
	}
	wg.Wait()
	t.Logf("%d histories in %v", runs, time.Since(began).Round(time.Millisecond))
}

// Histories that have shown, or could have shown, that something deleted came back.
func TestDeletedIsGoneInHistories(t *testing.T) {
	g := newGround(t)
	for name, history := range map[string][]deed{
		"the text of an item that was deleted is another's": {
			{0, "add source", 2, 1, 0}, {1, "delete page", 2, 0, 0}, {2, "copy page", 2, 0, 3}, {3, "read", 2, 0, 1},
		},
		"what a stream told nobody was deleted": {
			{1, "put", 0, 0, 0}, {2, "stream unheard", 0, 0, 1}, {3, "delete", 0, 0, 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if what := g.happen(1, history, true); what != "" {
				t.Error(what)
			}
		})
	}
}

// shortest returns the shortest history that still breaks the promise, and how.
func (g *ground) shortest(seed uint64, history []deed, bytes bool) string {
	last := ""
	short := shrink(history, func(h []deed) bool {
		what := g.happen(seed, h, bytes)
		if what != "" {
			last = what
		}
		return what != ""
	})
	var b strings.Builder
	fmt.Fprintf(&b, "in short: %s\n", last)
	for _, d := range short {
		fmt.Fprintf(&b, "\t%v,\n", d)
	}
	return b.String()
}
