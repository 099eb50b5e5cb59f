package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/bench/internal/corpus"
	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
	"github.com/answerdesk-go/answerdesk/bench/stores/engine"
)

// desks measures whole turns: a question stored, searched for and answered, its
// citations checked, the reply stored, each in a conversation of its own.
func desks(ctx context.Context, engines []*engine.Engine, wanted *regexp.Regexp, callers []int) error {
	if _, err := os.Stat(*file); errors.Is(err, os.ErrNotExist) {
		fmt.Printf("\nno desks: there is no %s\n", *file)
		return nil
	}
	for _, companies := range []int{1, 50} {
		if *documents < companies || *documents%companies != 0 {
			return fmt.Errorf("-documents: %d companies cannot share %d of them evenly", companies, *documents)
		}
		name := fmt.Sprint("desk-", companies)
		if !wanted.MatchString(name) {
			continue
		}
		places := make([]string, len(engines))
		for i, e := range engines {
			begun, server := time.Now(), engine.ServerCPU(e.Server)
			cpu := machine.CPU()
			place, passages, err := e.Fill(ctx, *file, *documents, companies)
			if err != nil {
				return err
			}
			if i == 0 {
				fmt.Println()
			}
			fmt.Printf("# %s: %s filled in %v (CPU %v, server %v): %d documents, %d passages, companies that share them: %d\n", name, e.Name,
				time.Since(begun).Round(time.Millisecond), (machine.CPU() - cpu).Round(time.Millisecond),
				(engine.ServerCPU(e.Server) - server).Round(time.Millisecond), *documents, passages, companies)
			places[i] = place
		}
		printHeading("turns")
		for _, n := range callers {
			if err := turnsOf(ctx, engines, places, name, n); err != nil {
				return fmt.Errorf("%s, %d callers: %w", name, n, err)
			}
		}
		for i, e := range engines {
			if err := e.Remove(ctx, places[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// turnsOf measures the engines in turn. Each round begins where the last has ended:
// both have as many conversations.
func turnsOf(ctx context.Context, engines []*engine.Engine, places []string, name string, callers int) error {
	all := make([][]figures, len(engines))
	for range *rounds {
		for i, e := range engines {
			before, err := engine.Rows(ctx, places[i], "messages", "conversations")
			if err != nil {
				return err
			}
			f, err := measured(ctx, e, engine.Warm(places[i], callers), name, "-callers", fmt.Sprint(callers), "-turns", fmt.Sprint(*turns),
				"-corpus", *file, "-documents", fmt.Sprint(*documents))
			if err != nil {
				return err
			}
			after, err := engine.Rows(ctx, places[i], "messages", "conversations")
			if err != nil {
				return err
			}
			before["messages"] += 2 * (f.N + warm)
			before["conversations"] += f.N + warm
			if err := engine.Differ(before, after); err != nil {
				return fmt.Errorf("%s after %d turns, as they should be and as they are: %w", e.Name, f.N, err)
			}
			if i > 0 && f.Answers != all[0][0].Answers {
				return fmt.Errorf("%s and %s answer the same questions otherwise", engines[0].Name, e.Name)
			}
			all[i] = append(all[i], f)
		}
	}
	for i, e := range engines {
		printRow(name, callers, e.Name, all[i])
	}
	return nil
}

// warm is how many turns are made before the measurement: they load the indexes,
// and open the connections.
const warm = 200

func deskChild() (err error) {
	ctx := context.Background()
	companies, err := strconv.Atoi(strings.TrimPrefix(*child, "desk-"))
	if err != nil {
		return err
	}
	callers, err := strconv.Atoi(*atOnce)
	if err != nil {
		return err
	}
	st, err := engine.Open(ctx, *place)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	desk, err := answerdesk.New(ctx, st, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(desk.Close(), err) }()
	owners, err := engine.Owners(ctx, desk, companies)
	if err != nil {
		return err
	}
	questions, err := corpus.Questions(corpus.Documents(*file, *documents), *turns)
	if err != nil {
		return err
	}
	// Question i is about document i*7919 of all, which one company has.
	ask := func(i int) (agent.Reply, error) {
		i %= len(questions)
		owner := owners[i*7919%*documents/(*documents/companies)]
		return owner.Agent("").Ask(ctx, agent.Message{Text: questions[i]})
	}
	if err := together(callers, warm, func(i int) error { _, err := ask(i); return err }); err != nil {
		return err
	}

	f := figures{N: *turns}
	each, sums := make([]time.Duration, f.N), make([][32]byte, f.N)
	var answered atomic.Int64
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	server, cpu, begun := engine.ServerCPU(*postmaster), machine.CPU(), time.Now()
	err = together(callers, f.N, func(i int) error {
		at := time.Now()
		r, err := ask(i)
		each[i] = time.Since(at)
		if err != nil {
			return err
		}
		if r.Outcome == agent.Answer {
			answered.Add(1)
		}
		sums[i] = sum(r)
		return nil
	})
	took := time.Since(begun)
	f.CPU, f.Server = machine.CPU()-cpu, engine.ServerCPU(*postmaster)-server
	runtime.ReadMemStats(&after)
	if err != nil {
		return err
	}
	if answered.Load() < int64(f.N)/2 {
		return fmt.Errorf("%d of %d questions about titles of documents were answered", answered.Load(), f.N)
	}
	f.PerSecond = float64(f.N) / took.Seconds()
	f.P50, f.P99 = machine.Percentile(each, .5), machine.Percentile(each, .99)
	f.Allocs = float64(after.Mallocs-before.Mallocs) / float64(f.N)
	f.Bytes = float64(after.TotalAlloc-before.TotalAlloc) / float64(f.N)
	f.Answers = fmt.Sprintf("%x", sha256.Sum256(flat(sums)))
	return json.NewEncoder(os.Stdout).Encode(f)
}

// sum is a hash of what a reply says and quotes, without its ids and its time.
func sum(r agent.Reply) [32]byte {
	var said strings.Builder
	fmt.Fprintf(&said, "%s %q %.6f", r.Outcome, r.Text, r.Confidence.Score)
	for _, c := range r.Citations {
		fmt.Fprintf(&said, " %q %d %d %q", c.Quote, c.Start, c.End, c.Title)
	}
	return sha256.Sum256([]byte(said.String()))
}

func flat(sums [][32]byte) []byte {
	var all []byte
	for _, s := range sums {
		all = append(all, s[:]...)
	}
	return all
}

// together does something for 0 to n-1 from several callers, and returns the first
// error of each.
func together(callers, n int, do func(i int) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, callers)
	for c := range callers {
		wg.Go(func() {
			for i := int(next.Add(1) - 1); i < n && errs[c] == nil; i = int(next.Add(1) - 1) {
				errs[c] = do(i)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
