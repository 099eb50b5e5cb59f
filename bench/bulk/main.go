// Bulk measures POST /v1/content/bulk on a served desk over a loopback network:
// bulks of 1,000 small items, and then of 100 MB while customers go on asking:
//
//	go run ./bulk [-documents 10000] [-bulks 20] [-rate 40] [-seconds 20] [-turns 400]
//	go run ./bulk -short
//
// The server is a process of its own, on SQLite, with an index that follows. Turns
// are begun at a steady rate whatever the server does, first alone and then beside
// large bulks, and timed from when they were due. A percentile of few turns is a
// matter of luck: large bulks are sent one after the other until enough turns were
// begun beside them. Additional memory is what the server has resident at most
// while it takes the first large bulk, less what it had before; what is left of that
// afterwards is mostly the index of the new text. Afterwards every item must be
// there.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/answerdesk-go/answerdesk/bench/internal/corpus"
	"github.com/answerdesk-go/answerdesk/bench/internal/machine"
)

var (
	dir       = flag.String("dir", "", "folder for the database; a temporary one if empty")
	file      = flag.String("corpus", "../../shared/data/msdocs100k/corpus.jsonl.gz", "documents, gzipped JSON lines")
	documents = flag.Int("documents", 10_000, "documents that are there before")
	bulks     = flag.Int("bulks", 20, "bulks of 1,000 items")
	rate      = flag.Int("rate", 40, "turns begun a second")
	seconds   = flag.Int("seconds", 20, "how long turns run alone")
	turns     = flag.Int("turns", 400, "turns beside large bulks, at least")
	large     = flag.Int("large", 100_000_000, "bytes of a large bulk")
	profile   = flag.String("cpuprofile", "", "file for a CPU profile of the server")
	short     = flag.Bool("short", false, "little of everything, to see that it works: no figures to keep")

	child = flag.String("child", "", "used by the child process: the folder to serve")
)

// What a large bulk may cost.
const (
	mostMemory = 200 << 20 // bytes more than before
	mostTimes  = 2         // the p99 of turns alone
)

// perBulk is how many items a bulk has: as many as it may.
const perBulk = 1000

func main() {
	log.SetFlags(0)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	var err error
	if *child != "" {
		err = serve(ctx)
	} else {
		err = run(ctx)
	}
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) (err error) {
	if *short {
		*documents, *bulks, *seconds, *turns, *large = 500, 3, 2, 20, 5<<20
	}
	tmp, err := os.MkdirTemp(*dir, "bulk")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	s, err := start(ctx, tmp)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	machine.Print(tmp, *documents, " documents before, ", *bulks, " bulks of ", perBulk, " items, bulks of ", *large, " bytes, ", *rate, " turns a second")
	texts, err := read(*documents + *bulks*perBulk)
	if err != nil {
		return err
	}
	if err := s.fill(ctx, texts[:*documents]); err != nil {
		return err
	}
	if err := s.small(ctx, texts[*documents:]); err != nil {
		return err
	}
	questions, err := corpus.Questions(corpus.Documents(*file, *documents), 4096)
	if err != nil {
		return err
	}
	sent, err := s.beside(ctx, texts, questions)
	return errors.Join(err, s.count(ctx, *documents+*bulks*perBulk+sent*perBulk))
}

// beside measures turns alone, and then beside large bulks, of which it returns how
// many it sent.
func (s *server) beside(ctx context.Context, texts, questions []string) (sent int, err error) {
	var alone []time.Duration
	for _, d := range []time.Duration{2 * time.Second, time.Duration(*seconds) * time.Second} { // the first to be warm
		timed, cancel := context.WithTimeout(ctx, d)
		alone, err = s.turns(timed, questions)
		cancel()
		if err != nil {
			return 0, err
		}
	}
	items := bodies(texts, *large)
	before, err := s.settled()
	if err != nil {
		return 0, err
	}
	while, stop := context.WithCancel(ctx)
	begun := time.Now()
	enough := time.Duration(*turns) * time.Second / time.Duration(*rate)
	var peak told // while the first was taken
	var took time.Duration
	posted := make(chan error, 1)
	go func() {
		defer stop()
		var err error
		for err == nil && (sent == 0 || time.Since(begun) < enough) {
			err = s.post(ctx, named(items, sent))
			if sent++; sent == 1 && err == nil {
				took = time.Since(begun)
				peak, err = s.tell("")
			}
		}
		posted <- err
	}()
	busy, err := s.turns(while, questions)
	if err = errors.Join(err, <-posted); err != nil {
		return sent, err
	}
	after, err := s.settled()
	if err != nil {
		return sent, err
	}
	memory := peak.Memory.Peak - before.Memory.Resident
	p := func(d []time.Duration, at float64) time.Duration {
		return machine.Percentile(d, at).Round(10 * time.Microsecond)
	}
	times := p(busy, .99).Seconds() / p(alone, .99).Seconds()
	fmt.Printf("turns alone:  %5d  p50 %v  p99 %v\n", len(alone), p(alone, .5), p(alone, .99))
	fmt.Printf("beside:       %5d  p50 %v  p99 %v, %.2f times that alone; large bulks sent: %d\n",
		len(busy), p(busy, .5), p(busy, .99), times, sent)
	fmt.Printf("large bulk:   %d MB in %v, CPU %v; additional memory at most %d MB, afterwards %d MB each\n", len(items)>>20, took.Round(time.Millisecond),
		(peak.CPU - before.CPU).Round(time.Millisecond), memory>>20, (after.Memory.Resident-before.Memory.Resident)>>20/int64(sent))
	if *short {
		return sent, nil
	}
	if memory > mostMemory {
		err = fmt.Errorf("the large bulk took %d MB of additional memory, more than %d", memory>>20, mostMemory>>20)
	}
	if times > mostTimes {
		err = errors.Join(err, fmt.Errorf("the p99 of turns beside it is %.1f times that alone, more than %d", times, mostTimes))
	}
	return sent, err
}
