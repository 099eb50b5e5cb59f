package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// places are where a process is killed: everywhere, and at each step of a turn
// and of a commit.
var places = []string{
	"", "turn.asked", "turn.begun", "turn.retrieved", "turn.answered", "turn.ended", "store.commit", "store.committed",
}

// kills returns how many processes are killed: ANSWERDESK_KILLS, or 24.
func kills(t *testing.T) int {
	v := os.Getenv("ANSWERDESK_KILLS")
	if v == "" {
		return 24
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < len(places) {
		t.Fatalf("ANSWERDESK_KILLS=%q is not a number of kills from %d", v, len(places))
	}
	return n
}

// A life is a store whose processes are killed one after the other.
type life struct {
	t       *testing.T
	place   string
	effects string
	book    Book
	rand    *rand.Rand
	mutant  string
	writers int
	past    int // hits of a place at which no process is killed yet
	reopens []time.Duration
	struck  map[string]int // kills by place
	idle    int            // kills that met nobody

	recovering int // kills of processes that recovered the folder
}

func newLife(t *testing.T, seed uint64) *life {
	return &life{
		t: t, place: newPlace(t), effects: filepath.Join(t.TempDir(), "effects"), rand: rand.New(rand.NewPCG(seed, 2)), writers: 2, struck: map[string]int{},
	}
}

// Whatever was acknowledged before a process was killed is there afterwards, and
// nothing is there by half, wherever in a turn or in a commit it happened.
func TestKilledProcessesLoseNothing(t *testing.T) {
	const each = 12 // kills of a folder
	total := kills(t)
	for n := 0; n*each < total; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			l := newLife(t, uint64(n))
			if n%2 == 1 { // somebody else has the folder open all the time
				other := open(t, l.place)
				defer other.Close()
			}
			for i := n * each; i < min(total, (n+1)*each); i++ {
				l.kill(places[i%len(places)])
				if place := places[l.rand.IntN(len(places))]; place != "" {
					l.killRecovering(place)
				}
				for _, f := range l.check() {
					t.Errorf("after kill %d, at %q: %v", i, places[i%len(places)], f)
				}
				if t.Failed() {
					return
				}
			}
			acked := l.book.Acked()
			for _, do := range []string{doPut, doDelete, doAsk, doQueue, string(agent.Answer), string(agent.Refuse)} {
				if acked[do] == 0 {
					t.Errorf("no step of the kind %q was acknowledged: this test tries too little", do)
				}
			}
			slices.Sort(l.reopens)
			t.Logf("kills: %v, %d more while recovering, %d more met nobody; acknowledged: %v; opened again in %v to %v",
				l.struck, l.recovering, l.idle, acked, l.reopens[0], l.reopens[len(l.reopens)-1])
		})
	}
}

// kill runs a process and kills it: at a place, or at a random moment. What it
// was doing is not finished. A kill that meets nobody in the middle of a step
// does not count, and is made again.
func (l *life) kill(at string) {
	l.t.Helper()
	for range 20 {
		hit := 1 + l.past + l.rand.IntN(8<<l.rand.IntN(4))
		p := start(l.t, role{
			Do: "load", Store: l.place, Effects: l.effects, First: l.book.Last() + 1, Seed: l.rand.Uint64(), Writers: l.writers, Mutant: l.mutant, At: at, Hit: hit,
		})
		wait := 5 * time.Minute // a place that is never reached
		if at == "" {
			wait = time.Duration(l.rand.IntN(int(150 * time.Millisecond)))
		}
		var timer *time.Timer
		p.notes(&l.book, func() { timer = time.AfterFunc(wait, func() { _ = p.cmd.Process.Kill() }) })
		killed := p.wait()
		switch {
		case !killed:
			l.t.Fatalf("a process ended by itself before it was killed at %q", at)
		case timer == nil:
			l.t.Fatal("a process was killed before it took a step")
		case !timer.Stop() && at != "":
			l.t.Fatalf("a process did not come to %s %d times in %v", at, hit, wait)
		}
		if met := l.book.InFlight(); slices.Contains(met, doAsk) || len(met) > 0 && !isTurn(at) {
			l.struck[at]++
			return
		} else if isTurn(at) {
			l.t.Fatalf("a process was killed at %s, and no turn was under way: %v", at, met)
		}
		l.idle++
		l.check()
	}
	l.t.Fatal("20 kills in a row met nobody")
}

func isTurn(place string) bool { return strings.HasPrefix(place, "turn.") }

// check opens the folder again, recovers it, and returns what is wrong with it.
func (l *life) check() []Fault {
	t, ctx := l.t, l.t.Context()
	t.Helper()
	began := time.Now()
	opened, err := openStore(ctx, l.place)
	if err != nil {
		t.Fatalf("open after a kill: %v", err)
	}
	defer opened.Close()
	st := mutate(l.mutant, opened)
	companies, err := st.Companies(ctx, store.Page{})
	if err != nil || len(companies.Data) != 1 {
		t.Fatalf("Companies = %v, %v, want one", companies.Data, err)
	}
	company := companies.Data[0]
	l.reopens = append(l.reopens, time.Since(began))

	db, err := raw(l.place)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	lapse(t, db)
	runner, closeEffects, err := effects(st, l.effects)
	if err != nil {
		t.Fatal(err)
	}
	defer closeEffects()
	if err := recovered(ctx, st, db, runner); err != nil {
		t.Fatal(err)
	}
	effects, twice := done(t, l.effects)
	if twice > 0 {
		t.Errorf("a process did %d jobs twice", twice)
	}
	faults, err := l.book.Check(ctx, st, db, knowledge.New(st, nil), company.ID, effects)
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	return faults
}

// killRecovering kills a process that recovers the folder, if it comes to the
// place before it has done so.
func (l *life) killRecovering(at string) {
	l.t.Helper()
	db, err := raw(l.place)
	if err != nil {
		l.t.Fatal(err)
	}
	lapse(l.t, db)
	if err := db.Close(); err != nil {
		l.t.Fatal(err)
	}
	p := start(l.t, role{Do: "recover", Store: l.place, Effects: l.effects, Mutant: l.mutant, At: at, Hit: 1 + l.rand.IntN(3)})
	if p.wait() {
		l.recovering++
	}
}

// lapse lets the leases of a killed process run out, as they would by
// themselves 10 s later.
func lapse(t *testing.T, db database) {
	t.Helper()
	for _, table := range []string{"conversations", "work_keys"} {
		if _, err := db.ExecContext(t.Context(), `UPDATE `+table+` SET lease_until = 1 WHERE lease_until > 1`); err != nil {
			t.Fatal(err)
		}
	}
}

// A store that breaks a promise in a crash, and only then, is told from one that
// does not: so the test above would fail for it.
func TestMutantsAreFound(t *testing.T) {
	for name, want := range map[string]Kind{"event after": Half, "event before": Half, "early": Lost} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLife(t, 1)
			l.mutant, l.past = name, 1
			l.writers = 0 // a document that changes has turns begin again, and tell of it again
			l.leave()
			if faults := l.check(); len(faults) > 0 {
				t.Fatalf("without a crash: %v", faults)
			}
			l.kill(between)
			faults := l.check()
			if !slices.ContainsFunc(faults, func(f Fault) bool { return f.Kind == want }) {
				t.Errorf("after a crash between a row and its event: faults = %v, want one of kind %q", faults, want)
			}
			t.Log(faults)
		})
	}
}

// leave runs a process for a while and has it end by itself.
func (l *life) leave() {
	l.t.Helper()
	p := start(l.t, role{Do: "load", Store: l.place, Effects: l.effects, First: l.book.Last() + 1, Seed: l.rand.Uint64(), Writers: l.writers, Mutant: l.mutant})
	p.notes(&l.book, func() { time.AfterFunc(300*time.Millisecond, func() { _ = p.in.Close() }) })
	if p.wait() {
		l.t.Fatal("a process that was to end by itself was killed")
	}
	if left := l.book.InFlight(); len(left) > 0 {
		l.t.Fatalf("a process ended and left %v", left)
	}
}
