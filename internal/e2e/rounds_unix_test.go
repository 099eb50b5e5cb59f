//go:build unix

package e2e

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/internal/pgtest"
)

// What the environment may say about the rounds.
const (
	runsVar = "ANSWERDESK_FAULT_RUNS" // how many, on each store, and that some may take long
	seedVar = "ANSWERDESK_FAULT_SEED" // of the only one to be made
)

// roundsAtOnce is how many rounds are made at the same time: they wait more than they
// work.
const roundsAtOnce = 3

// A round is two servers on one store, callers who use them, and faults.
type round struct {
	t        *testing.T
	seed     uint64
	store    string         // where it is
	database *pgtest.Server // of the store; nil for a folder
	mutant   string         // what is wrong with the servers on purpose; see [mutate]
	hosts    []*host
	begun    time.Time
	history  *history
	traffic  *traffic
	company  string
}

func (r *round) now() time.Duration { return time.Since(r.begun) }

// Two servers serve a folder while each of them is killed, stopped and drained, and
// nothing that they acknowledged is lost, done twice or forgotten by the other.
func TestTwoServersOnAFolder(t *testing.T) {
	t.Parallel()
	rounds(t, 3, func(t *testing.T, r *round) { r.store = filepath.Join(t.TempDir(), "desk") })
}

// So do two servers of a PostgreSQL, while that is restarted and killed too.
func TestTwoServersOnPostgreSQL(t *testing.T) {
	t.Parallel()
	rounds(t, 2, func(t *testing.T, r *round) {
		r.database = pgtest.Own(t, nil)
		r.store = r.database.URL("postgres")
	})
}

// rounds makes as many rounds as the environment says.
func rounds(t *testing.T, usual int, where func(*testing.T, *round)) {
	runs, first, long := usual, uint64(1), false
	if testing.Short() {
		runs = 1
	}
	if v := os.Getenv(runsVar); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			t.Fatalf("%s=%q is no number of rounds", runsVar, v)
		}
		runs, long = n, true
	}
	if v := os.Getenv(seedVar); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			t.Fatalf("%s=%q is no seed", seedVar, v)
		}
		runs, first, long = 1, n, true
	}
	if _, err := program(); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	free := make(chan struct{}, roundsAtOnce)
	for i := range runs {
		wg.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			seed := first + uint64(i)
			t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
				r := &round{t: t, seed: seed}
				where(t, r)
				r.try(long)
			})
		})
	}
	wg.Wait()
}

// try makes a round, and fails the test for what is wrong with it.
func (r *round) try(long bool) {
	t := r.t
	m := &troublemaker{r, rand.New(rand.NewPCG(r.seed, 11))}
	faults := r.play(m, m.plan(long))
	for i, f := range faults {
		if i == 20 {
			t.Errorf("and %d more", len(faults)-i)
			break
		}
		t.Error(f)
	}
	t.Log(r.summary(len(faults)))
	if t.Failed() {
		t.Logf("the history is in %s; again: %s=%d go test -run '%s' ./internal/e2e", r.history.keep(t), seedVar, r.seed, strings.SplitN(t.Name(), "/", 2)[0])
	}
}

// play makes a round with some faults, and returns what is wrong with it.
func (r *round) play(m *troublemaker, plan []mischief) []Fault {
	r.open()
	ctx, stop := context.WithCancel(r.t.Context())
	defer stop()
	var wg sync.WaitGroup
	wg.Go(func() { r.traffic.run(ctx) })
	m.run(plan)
	r.history.close()
	stop()
	wg.Wait()
	r.traffic.look()
	return judge(r.history, r.close())
}

// open makes the store and starts the servers.
func (r *round) open() {
	t := r.t
	desk, closeDesk, err := openPlace(t.Context(), r.store, nil)
	if err != nil {
		t.Fatal(err)
	}
	eager(t, desk)
	_, secret, err := desk.Keys().Create(t.Context(), access.NewKey{Name: "Full", Scope: access.ScopeFull, Plan: access.PlanUnlimited})
	if err != nil {
		t.Fatal(err)
	}
	r.company = desk.ID()
	reply, err := desk.Agent("").Ask(t.Context(), agent.Message{Text: question(documentKey(0)), User: agent.User{ID: "everyone"}, Metadata: map[string]any{"op": 0}})
	if err != nil {
		t.Fatal(err)
	}
	if err := closeDesk(); err != nil {
		t.Fatal(err)
	}
	r.begun, r.history = time.Now(), &history{}
	r.history.Ops = []*op{{Do: opAsk, Caller: "before", Keys: []string{documentKey(0)}, State: acked, Talk: reply.ConversationID, Attempts: []*attempt{{Reply: &api.Reply{ID: reply.ID, Text: reply.Text}}}}}
	r.traffic = &traffic{seed: r.seed, unaware: r.mutant != "", shared: reply.ConversationID, callers: 5, now: r.now, history: r.history}
	for range 2 {
		h := &host{t: t, addr: freeAddr(t), command: r.serve}
		t.Cleanup(h.clear)
		r.hosts = append(r.hosts, h)
		c, err := client.New("http://"+h.addr, client.WithAPIKey(secret), client.WithMaxRetries(0), client.WithRetryBudget(0))
		if err != nil {
			t.Fatal(err)
		}
		r.traffic.clients = append(r.traffic.clients, c)
		h.start()
	}
	r.begun = time.Now()
}

// serve returns a process that serves the store.
func (r *round) serve(addr string) *exec.Cmd {
	path, _ := program() // as it was built before
	cmd := exec.Command(path, "serve", "--addr", addr, "--log-level", "warn")
	cmd.Env = append(os.Environ(), "ANSWERDESK_STORE="+r.store)
	if r.mutant != "" {
		cmd = again(r.t, role{Do: "host", Store: r.store, Addr: addr, Mutant: r.mutant})
	}
	return cmd
}

// A server that breaks a promise is told from one that does not, without a fault
// from outside: so the tests above would fail for it.
func TestMutantServersAreFound(t *testing.T) {
	for mutant, want := range map[string]Kind{"unclaimed": Twice, "behind": Stale, "late": Kept} {
		t.Run(mutant, func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); ; seed++ {
				r := &round{t: t, seed: seed, store: filepath.Join(t.TempDir(), "desk"), mutant: mutant}
				m := &troublemaker{r, rand.New(rand.NewPCG(seed, 11))}
				faults := r.play(m, []mischief{{"nothing", func(m *troublemaker) { m.waitOps(100 << seed) }}})
				if slices.ContainsFunc(faults, func(f Fault) bool { return f.Kind == want }) {
					return
				}
				if seed == 4 {
					t.Errorf("judge = %v, want a fault of kind %q: %s", faults, want, r.summary(len(faults)))
					return
				}
			}
		})
	}
}

// close drains the servers and reads what the store holds.
func (r *round) close() *final {
	t := r.t
	for _, h := range r.hosts {
		h.drain()
	}
	st, err := openStore(t.Context(), r.store)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	db, err := raw(r.store)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	f, err := readFinal(t.Context(), st, db, r.company)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// summary says what happened in a round.
func (r *round) summary(faults int) string {
	where, verdict := "SQLite", "good"
	if r.database != nil {
		where = "PostgreSQL"
	}
	if faults > 0 {
		verdict = fmt.Sprint(faults, " faults")
	}
	var troubles []string
	for _, f := range r.history.Faults {
		troubles = append(troubles, fmt.Sprintf("%s (%.1f to %.1f s)", f.What, f.From.Seconds(), f.Until.Seconds()))
	}
	calls, done, longest := 0, map[string]int{}, time.Duration(0)
	for _, o := range r.history.Ops {
		calls += len(o.Attempts)
		done[string(o.State)]++
		longest = max(longest, o.End-o.Begin)
	}
	errs := r.history.errorKinds()
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(errs)) {
		kinds = append(kinds, fmt.Sprintf("%d %s", errs[kind], kind))
	}
	return fmt.Sprintf("seed %d, %s, %.1f s: %s; %d calls, %d of %d ops acknowledged, the slowest in %.1f s; errors: %s; verdict: %s",
		r.seed, where, r.now().Seconds(), strings.Join(troubles, ", "), calls, done[string(acked)], len(r.history.Ops), longest.Seconds(),
		strings.Join(kinds, ", "), verdict)
}
