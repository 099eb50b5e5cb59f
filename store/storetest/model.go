package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/storetest/internal/reference"
)

// What the random test plays.
const (
	modelRuns    = 200 // sequences, unless ANSWERDESK_MODEL_RUNS says otherwise
	modelMoves   = 40  // in a sequence
	modelWorkers = 8   // sequences played at once
)

var model = []promise{
	{
		name:  "random moves",
		text:  "whatever is done in whatever order, the store returns what a store kept in maps returns",
		check: randomMoves,
	},
}

// A move is one random call: the number of its kind in [moves], and numbers that
// choose what it is made with.
type move struct {
	kind int
	n    [6]int
}

// sequence returns the moves of a seed: about one of the themes in turn, and every
// fifth about all.
func sequence(seed uint64) []move {
	rng := rand.New(rand.NewPCG(seed, 0))
	only := theme(seed % 3)
	var kinds []int
	for i, m := range moves {
		if m.theme == only || seed%5 == 0 || only == gather && slices.Contains(gatherToo, m.name) {
			kinds = append(kinds, slices.Repeat([]int{i}, m.weight)...)
		}
	}
	n := modelMoves
	if only == gather {
		n *= 2 // it takes many to get somewhere
	}
	out := make([]move, n)
	for i := range out {
		out[i].kind = kinds[rng.IntN(len(kinds))]
		for j := range out[i].n {
			out[i].n[j] = rng.IntN(1 << 16)
		}
	}
	return out
}

// setting reads a number from the environment.
func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(s, 10, 64)
	ok(t, name, err)
	return n
}

func randomMoves(t *testing.T, k *kit) {
	if seed := setting(t, "ANSWERDESK_MODEL_SEED", 0); seed != 0 {
		report(t, k.Store, seed)
		return
	}
	var (
		wg   sync.WaitGroup
		next atomic.Uint64
		bad  atomic.Uint64 // a seed that failed
		runs = setting(t, "ANSWERDESK_MODEL_RUNS", modelRuns)
	)
	for range modelWorkers {
		wg.Go(func() {
			for bad.Load() == 0 {
				seed := next.Add(1)
				if seed > runs {
					return
				}
				if play(t.Context(), k.Store, sequence(seed)) != nil {
					bad.CompareAndSwap(0, seed)
				}
			}
		})
	}
	wg.Wait()
	if seed := bad.Load(); seed != 0 {
		report(t, k.Store, seed)
	}
}

// report plays the moves of a seed, and if that fails, the fewest that still do.
func report(t *testing.T, s Store, seed uint64) {
	t.Helper()
	all := sequence(seed)
	f := play(t.Context(), s, all)
	if f == nil {
		if os.Getenv("ANSWERDESK_MODEL_SEED") == "" {
			t.Errorf("seed %d failed while others were played beside it, and passes alone", seed)
		}
		return
	}
	few := shrink(t.Context(), s, all[:f.at+1])
	if again := play(t.Context(), s, few); again != nil {
		f = again
	}
	var b strings.Builder
	for i, line := range f.log {
		fmt.Fprintf(&b, "%3d %s\n", i, line)
	}
	t.Errorf("seed %d: after %d moves of %d\n%s%s\nplay it again with ANSWERDESK_MODEL_SEED=%d", seed, len(few), len(all), b.String(), f.what, seed)
}

// shrink leaves out moves as long as what is left fails.
func shrink(ctx context.Context, s Store, moves []move) []move {
	tries := 400
	for size := len(moves) / 2; size > 0; {
		shorter := false
		for from := 0; from+size <= len(moves) && tries > 0; {
			tries--
			rest := slices.Delete(slices.Clone(moves), from, from+size)
			if f := play(ctx, s, rest); f != nil {
				moves, shorter = rest[:f.at+1], true
			} else {
				from += size
			}
		}
		if !shorter || size > len(moves)/2 {
			size /= 2
		}
	}
	return moves
}

// A failure is where a store and the reference part.
type failure struct {
	at   int      // the move
	log  []string // the moves up to it, and what the reference returned
	what string
}

// play makes moves on a store and on the reference, and returns where they part.
func play(ctx context.Context, s Store, sequence []move) *failure {
	ref := &reference.Store{}
	companies, err := settle(ctx, s, ref)
	if err != nil {
		return &failure{what: err.Error()}
	}
	got, want := newWorld(s, companies), newWorld(ref, companies)
	f := &failure{}
	for i, m := range sequence {
		f.at = i
		g, w := got.make(ctx, m), want.make(ctx, m)
		f.log = append(f.log, fmt.Sprintf("%v %s", m.n, clip(w)))
		if g != w {
			f.what = fmt.Sprintf("the last returned\n%s\nwant\n%s", clip(g), clip(w))
			return f
		}
		if got.lapses {
			time.Sleep(3 * time.Millisecond) // every lease of a microsecond has run out
			got.lapses = false
		}
		if i%10 != 9 && i != len(sequence)-1 {
			continue
		}
		for _, c := range companies {
			g, w := got.told(readAll(ctx, s, c.company)), want.told(readAll(ctx, ref, c.company))
			if g != w {
				g, w = apart(g, w)
				f.what = fmt.Sprintf("then company %s reads\n%s\nwant\n%s", c.company, g, w)
				return f
			}
		}
	}
	for _, c := range companies { // so that what lapsed in this one is not named to the next
		if err := s.DeleteCompany(ctx, store.Commit{Company: c.company}); err != nil {
			f.what = fmt.Sprintf("DeleteCompany: %v", err)
			return f
		}
	}
	return nil
}

// settle makes two companies in both stores.
func settle(ctx context.Context, stores ...Store) (out [2]*kit, err error) {
	for i := range out {
		c, cm := newCompany(fmt.Sprint("company ", i))
		out[i] = &kit{company: c.ID, agent: c.DefaultAgent}
		for _, s := range stores {
			if _, isRef := s.(*reference.Store); isRef && i == 0 { // the first company cannot be deleted
				first, cm := newCompany("First")
				if _, err := s.FirstCompany(ctx, cm, first); err != nil {
					return out, err
				}
			}
			if err := s.CreateCompany(ctx, cm, c); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

// clip bounds what is printed of a result.
func clip(s string) string {
	if len(s) > 1000 {
		return strings.ToValidUTF8(s[:1000], "") + " …"
	}
	return s
}
